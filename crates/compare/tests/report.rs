//! What people are shown of a run.

mod data;

use compare::table::{self, Options};

#[test]
fn dump() {
    let s = data::run(12);
    std::fs::write("/tmp/report/r.html", compare::report::html(&s)).unwrap();
    std::fs::write("/tmp/report/t.txt", table::render(&s, &Options { width: 40, ..Options::default() }))
        .unwrap();
}
