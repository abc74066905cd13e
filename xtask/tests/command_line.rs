//! What a person who types `cargo xtask` sees.

use std::path::Path;
use std::process::{Command, Output};

fn xtask(args: &[&str]) -> Output {
    // A folder below the root: the project has to be found from wherever one stands.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).current_dir(folder).output().expect("xtask starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_task_and_so_does_nothing_at_all() {
    let help = xtask(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for task in ["compare", "test", "ci", "tour", "doc", "tidy"] {
        assert!(text(&help.stdout).contains(&format!("\n  {task} ")), "{task} is not in the help");
    }
    assert_eq!(xtask(&[]).stdout, help.stdout);
}

#[test]
fn wrong_words_are_named_and_end_with_2() {
    for (args, named) in
        [(&["tset"][..], "`tset`"), (&["ci", "lint"], "`lint`"), (&["doc", "--opne"], "'--opne'")]
    {
        let output = xtask(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(named), "{args:?} says {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn the_list_of_checks_says_how_to_do_each_by_hand() {
    let list = text(&xtask(&["ci", "--list"]).stdout);
    for line in
        ["cargo test --workspace", "cargo fmt --all --check", "cargo xtask compare --test --quick --offline"]
    {
        assert!(list.contains(line), "`{line}` is not in\n{list}");
    }
}

#[test]
fn a_check_runs_from_a_subfolder_and_is_counted() {
    let output = xtask(&["ci", "xtask-size"]);
    let said = text(&output.stdout);
    assert!(output.status.success() && said.ends_with("\n1 passed, 0 failed, 0 skipped\n"), "{said}");
}
