//! Reading `benches/goals.toml`. An entry that cannot be meant is refused with its name and what to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::program::{List, Program, Row};
use crate::failure::Failure;
use crate::select::matches;

/// All goals, in the order of the file.
#[derive(Debug)]
pub(in crate::peers) struct Goals {
    path: PathBuf,
    pub(super) goals: Vec<Goal>,
}

/// One goal: a bound that every row of its globs must keep.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::peers) struct Goal {
    pub(super) area: String,
    /// Its name.
    pub(super) goal: String,
    /// Globs of rows; each row that one of them matches must keep the bound.
    pub(super) rows: Vec<String>,
    pub(super) measure: String,
    /// What of the measure is bounded.
    pub(super) compare: Compare,
    /// The peers of whom the best is compared with; none for all that wait as ours does.
    #[serde(default)]
    pub(super) peers: Vec<String>,
    /// Which of the rounds speaks, where ours is compared with nobody.
    #[serde(default)]
    pub(super) over: Over,
    pub(super) direction: Direction,
    pub(super) bound: f64,
    /// A measure of ours that takes the bound's place where it is larger: what no contestant can help.
    #[serde(default)]
    pub(super) or_measure: Option<String>,
    /// The goal holds on machines with this fact alone.
    #[serde(default)]
    pub(super) only_if: Option<String>,
    /// What is known of a goal that is not met.
    #[serde(default)]
    pub(super) unmet: Option<Unmet>,
}

/// What of a measure is bounded.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Compare {
    /// Ours over the best peer's, where less is better: 0.5 is half the time.
    Time,
    /// How many times as fast as the best peer ours is: 2 is half the time.
    Speed,
    /// Ours as it is.
    Value,
}

/// Which of the rounds speaks for all.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Over {
    #[default]
    Median,
    /// The largest of a bound above, the least of a bound below.
    Worst,
}

/// On which side of its bound a value must lie.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    AtMost,
    AtLeast,
}

/// What is known of a goal that is not met.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unmet {
    /// What was measured last.
    pub(super) value: f64,
    /// What is thought to be possible at all.
    pub(super) floor: f64,
    /// Why it is not met.
    pub(super) cause: String,
}

impl Goals {
    /// Reads the file and looks at each entry alone.
    pub(in crate::peers) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{}: {error}; goals are kept there", path.display())))?;
        Self::parse(path, &text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, String> {
        let mut table: toml::Table =
            text.parse().map_err(|error| format!("not TOML: {error}; mend what it names"))?;
        let entries = table.remove("goal").unwrap_or_else(|| toml::Value::Array(Vec::new()));
        if let Some(key) = table.keys().next() {
            return Err(format!("{key:?} has no meaning here; a goal is a table [[goal]]"));
        }
        let entries: Vec<toml::Value> =
            entries.try_into().map_err(|_| "`goal` is no list; write each one as [[goal]]".to_owned())?;
        let mut goals: Vec<Goal> = Vec::new();
        for (number, entry) in (1..).zip(entries) {
            let name = entry.get("goal").and_then(|name| name.as_str()).unwrap_or("no name").to_owned();
            let refused = |why: String| format!("goal {number} ({name}): {why}");
            let goal: Goal = entry.try_into().map_err(|error: toml::de::Error| {
                refused(format!("{}; docs/design/peers.md says what an entry holds", error.message()))
            })?;
            goal.check_alone().map_err(refused)?;
            if goals.iter().any(|other| (&other.area, &other.goal) == (&goal.area, &goal.goal)) {
                return Err(refused("its area has a goal of that name; give it another".to_owned()));
            }
            goals.push(goal);
        }
        Ok(Self { path: path.to_owned(), goals })
    }

    /// Looks at the entries beside the rows that there are. A row that is not there yet is no mistake; a measure or a
    /// peer that no row of the goal knows is one.
    pub(in crate::peers) fn check(&self, programs: &[Program]) -> Result<(), Failure> {
        for program in programs {
            for goal in self.goals.iter().filter(|goal| goal.area == program.list.area) {
                let rows: Vec<&Row> =
                    program.list.rows.iter().filter(|row| goal.speaks_of(&row.row)).collect();
                goal.check_rows(&rows).map_err(|why| {
                    Failure::usage(format!("{}: goal {:?}: {why}", self.path.display(), goal.goal))
                })?;
            }
        }
        Ok(())
    }

    /// The goals of an area that hold on this machine, as far as they speak of `those` rows.
    pub(in crate::peers) fn of<'a>(
        &'a self,
        list: &'a List,
        those: &'a dyn Fn(&str) -> bool,
    ) -> impl Iterator<Item = &'a Goal> {
        self.goals.iter().filter(move |goal| {
            let mut rows = list.rows.iter().filter(|row| goal.speaks_of(&row.row)).peekable();
            // A goal whose rows are not there at all is told, but not to someone who asked for certain rows.
            let asked = if rows.peek().is_none() { those(NO_ROW) } else { rows.any(|row| those(&row.row)) };
            let holds_here = goal.only_if.as_ref().is_none_or(|fact| list.facts.contains(fact));
            goal.area == list.area && holds_here && asked
        })
    }
}

impl Goal {
    pub(in crate::peers) fn speaks_of(&self, row: &str) -> bool {
        self.rows.iter().any(|glob| matches(glob, row))
    }

    fn check_alone(&self) -> Result<(), String> {
        let names = [("area", &self.area), ("goal", &self.goal), ("measure", &self.measure)];
        if let Some((field, _)) = names.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(format!("`{field}` is empty; name it"));
        }
        if self.rows.is_empty() || self.rows.iter().any(|glob| glob.trim().is_empty()) {
            return Err("`rows` names none; give globs such as [\"mutex/contended/*\"]".to_owned());
        }
        let bound = self.bound;
        if !bound.is_finite() || bound <= 0.0 {
            return Err(format!("`bound` is {bound}; it must be a number above 0"));
        }
        if self.compare == Compare::Value && !self.peers.is_empty() {
            return Err("a `value` is compared with nobody; leave out `peers`".to_owned());
        }
        if self.compare != Compare::Value && (self.or_measure.is_some() || self.over == Over::Worst) {
            return Err("`or_measure` and `over` are for `compare = \"value\"`; leave them out".to_owned());
        }
        match &self.unmet {
            Some(unmet) if unmet.cause.trim().is_empty() => {
                Err("`unmet.cause` is empty; say why the goal is not met".to_owned())
            }
            Some(unmet) if !unmet.value.is_finite() || !unmet.floor.is_finite() => {
                Err("`unmet.value` and `unmet.floor` must be numbers".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_rows(&self, rows: &[&Row]) -> Result<(), String> {
        let all = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        for row in rows {
            let known: BTreeSet<&str> = row.measures.iter().map(|it| it.name.as_str()).collect();
            let asked = [Some(&self.measure), self.or_measure.as_ref()];
            if let Some(unknown) = asked.into_iter().flatten().find(|it| !known.contains(it.as_str())) {
                return Err(format!("{} has no measure {unknown:?}; it has {}", row.row, all(known)));
            }
        }
        let known: BTreeSet<&str> =
            rows.iter().flat_map(|row| row.contestants.iter()).map(|it| it.name.as_str()).collect();
        match self.peers.iter().find(|peer| !rows.is_empty() && !known.contains(peer.as_str())) {
            Some(peer) => Err(format!("no row of it has a contestant {peer:?}; there are {}", all(known))),
            None => Ok(()),
        }
    }
}

/// A row that nobody has: globs that were asked for do not match it, no globs at all do.
const NO_ROW: &str = "";

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [[goal]]
        area = "sync"
        goal = "a"
        rows = ["mutex/*"]
        measure = "ns"
        compare = "time"
        direction = "at-most"
        bound = 0.75
    "#;

    fn refused(text: &str) -> String {
        Goals::parse(Path::new("goals.toml"), text).expect_err("it is wrong")
    }

    #[test]
    fn an_entry_is_read() {
        let text =
            format!("{GOOD}unmet = {{ value = 2.0, floor = 0.6, cause = \"a lock within a lock\" }}\n");
        let goals = Goals::parse(Path::new("goals.toml"), &text).expect("it is right").goals;
        assert!(goals[0].speaks_of("mutex/contended/2") && !goals[0].speaks_of("rwlock/2"));
        assert_eq!(goals[0].unmet.as_ref().expect("it has one").cause, "a lock within a lock");
        assert_eq!((goals[0].over, goals[0].direction), (Over::Median, Direction::AtMost));
    }

    #[test]
    fn wrong_entries_are_named_with_what_to_do() {
        for (from, to, said) in [
            ("bound = 0.75", "bound = 0", "`bound` is 0"),
            ("bound = 0.75", "bound = nan", "above 0"),
            ("bound = 0.75", "bond = 0.75", "bond"),
            ("bound = 0.75", "", "missing field `bound`"),
            ("\"at-most\"", "\"below\"", "at-least"),
            ("\"time\"", "\"ratio\"", "speed"),
            ("[\"mutex/*\"]", "[]", "give globs"),
            ("\"ns\"", "\"\"", "`measure` is empty"),
            ("bound = 0.75", "bound = 1\nover = \"worst\"", "leave them out"),
            ("\"time\"", "\"value\"\npeers = [\"std\"]", "leave out `peers`"),
            ("bound = 0.75", "bound = 1\nunmet = { value = 1, floor = 1, cause = \"\" }", "say why"),
        ] {
            let text = GOOD.replace(from, to);
            let why = refused(&text);
            assert!(why.starts_with("goal 1 (a): ") && why.contains(said), "{why}");
        }
        assert!(refused(&format!("{GOOD}{GOOD}")).starts_with("goal 2 (a): "));
        assert!(refused("[goals]").contains("[[goal]]"));
        assert!(refused("goal = 3").contains("[[goal]]"));
        assert!(refused("goal").contains("not TOML"));
    }

    #[test]
    fn the_projects_own_goals_are_right() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/goals.toml");
        let goals = Goals::read(&path).expect("its entries are right").goals;
        assert!(goals.iter().any(|goal| goal.area == "sync"));
    }
}
