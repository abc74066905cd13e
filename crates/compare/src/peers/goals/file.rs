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
    /// A measure of ours that takes the bound's place in each round in which it is larger: what no contestant can help.
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

    /// Looks at the entries beside the rows that there are: whatever they name must be there, or a slip of the pen would
    /// make a goal that nothing can miss. `areas` are all areas, also those of which no program was opened.
    pub(in crate::peers) fn check(&self, programs: &[Program], areas: &[String]) -> Result<(), Failure> {
        for goal in &self.goals {
            let refused =
                |why: String| Failure::usage(format!("{}: goal {:?}: {why}", self.path.display(), goal.goal));
            if !areas.contains(&goal.area) {
                let (area, areas) = (&goal.area, areas.join(", "));
                return Err(refused(format!("no `area` is called {area:?}; there are: {areas}")));
            }
            for program in programs.iter().filter(|program| program.list.area == goal.area) {
                goal.check_beside(&program.list).map_err(refused)?;
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
            let asked = list.rows.iter().any(|row| goal.speaks_of(&row.row) && those(&row.row));
            goal.area == list.area && goal.holds_on(list) && asked
        })
    }

    /// The measures by which goals judge a row.
    pub(in crate::peers) fn measures<'a>(&'a self, list: &'a List, row: &str) -> BTreeSet<&'a str> {
        let goals = self.of(list, &|_| true);
        goals.filter(|goal| goal.speaks_of(row)).map(|goal| goal.measure.as_str()).collect()
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
        if self.or_measure.is_some() && (self.over, self.direction) != (Over::Worst, Direction::AtMost) {
            return Err(
                "`or_measure` takes a bound's place round by round; it goes with `over = \"worst\"` and \
                        `direction = \"at-most\"`"
                    .to_owned(),
            );
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

    /// Whether this machine is one that the goal is for.
    fn holds_on(&self, list: &List) -> bool {
        self.only_if.as_ref().is_none_or(|fact| list.facts.get(fact) == Some(&true))
    }

    /// Looks at what the entry names of its area.
    fn check_beside(&self, list: &List) -> Result<(), String> {
        let area = &list.area;
        if let Some(glob) = self.rows.iter().find(|glob| !list.rows.iter().any(|row| matches(glob, &row.row)))
        {
            return Err(format!(
                "no row of {area} is like {glob:?}; `compare peers {area} --list` shows all"
            ));
        }
        if let Some(fact) = self.only_if.as_ref().filter(|fact| !list.facts.contains_key(*fact)) {
            let facts: Vec<&str> = list.facts.keys().map(String::as_str).collect();
            let facts = if facts.is_empty() { "none; leave it out".to_owned() } else { facts.join(", ") };
            return Err(format!("{area} has no fact {fact:?} for `only_if`; there are: {facts}"));
        }
        let rows: Vec<&Row> = list.rows.iter().filter(|row| self.speaks_of(&row.row)).collect();
        let all = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        for row in &rows {
            let known: BTreeSet<&str> = row.measures.iter().map(|it| it.name.as_str()).collect();
            let asked = [Some(&self.measure), self.or_measure.as_ref()];
            if let Some(unknown) = asked.into_iter().flatten().find(|it| !known.contains(it.as_str())) {
                return Err(format!("{} has no measure {unknown:?}; name one of: {}", row.row, all(known)));
            }
        }
        let known: BTreeSet<&str> =
            rows.iter().flat_map(|row| row.contestants.iter()).map(|it| it.name.as_str()).collect();
        match self.peers.iter().find(|peer| !known.contains(peer.as_str())) {
            Some(peer) => Err(format!("no row of it has a contestant {peer:?}; name one of: {}", all(known))),
            None => Ok(()),
        }
    }
}

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
            ("\"time\"", "\"value\"\nor_measure = \"gap\"", "round by round"),
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
