//! The locks, signals and queues of `sync` beside their peers: one file for each piece of work.
//!
//! An operation body is a plain function of a number of operations; it verifies its work and says how long it took. The
//! rows of [`area`] and the criterion benches under `benches/` run the same bodies. To add a contestant, implement the
//! trait of the work for it and name it in the list of that file's rows; to add a row, write a body and a function
//! `rows`, and name that in [`area`].

#![deny(unsafe_code)]

use peers_kit::Area;

pub mod counts;
pub mod locks;
pub mod queues;
#[expect(unsafe_code, reason = "two questions to the system that no safe wrapper asks")]
mod system;
pub mod waits;

/// All rows of `sync`.
#[must_use]
pub fn area() -> Area {
    let rows = [locks::rows(), queues::rows(), waits::rows(), counts::rows()].into_iter().flatten().collect();
    Area { name: "sync", ours: "sync", facts: system::facts(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Beside queues that block, these are shown and not compared with; in the rows of rings, all spin.
    const SPIN: [&str; 2] = ["concurrent-queue", "rtrb"];

    #[test]
    fn whoever_should_take_part_does_and_is_compared_with_its_like() {
        let area = area();
        let all = area.rows.iter().flat_map(|row| &row.contestants);
        let names: BTreeSet<&str> = all.map(|it| it.name).collect();
        for name in [
            "std",
            "parking_lot",
            "crossbeam-channel",
            "async-lock",
            "async-channel",
            "tokio",
            "kanal",
            "flume",
            "crossfire",
            "concurrent-queue",
            "rtrb",
        ] {
            assert!(names.contains(name), "{name} is in no row");
        }
        for row in &area.rows {
            let all_spin = row.name.starts_with("ring/");
            for it in &row.contestants {
                let sleeps = !all_spin && !SPIN.contains(&it.name);
                assert_eq!(it.blocks, sleeps, "{} in {}", it.name, row.name);
            }
        }
        for row in &area.rows {
            assert!(row.contestants.iter().any(|it| it.name == area.ours), "we take no part in {}", row.name);
        }
        let rows: BTreeSet<&str> = area.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(rows.len(), area.rows.len(), "a name is that of two rows");
    }

    /// Whether `*` in a pattern can stand for something that makes it the name.
    fn is_like(pattern: &str, name: &str) -> bool {
        let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
        name.strip_prefix(before).is_some_and(|rest| (0..=rest.len()).any(|at| is_like(after, &rest[at..])))
    }

    #[test]
    fn each_pattern_of_the_goals_is_that_of_a_row() {
        let goals = include_str!("../../../goals.toml");
        let lists: Vec<&str> =
            goals.split("\nrows = [").skip(1).map_while(|it| it.split(']').next()).collect();
        assert_eq!(lists.len(), goals.matches("\n[[goal]]").count(), "each goal speaks of rows");
        let area = area();
        for pattern in lists.iter().flat_map(|list| list.split('"').skip(1).step_by(2)) {
            assert!(area.rows.iter().any(|row| is_like(pattern, &row.name)), "no row is like {pattern:?}");
        }
        assert!(!is_like("queue/*/0", "queue/spsc/10") && !is_like("queue/*", "mutex/size"));
    }
}
