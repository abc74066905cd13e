//! How long a round takes: a guess at first, then what was seen, kept for the next run on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::matrix::{Group, Matrix};
use crate::protocol::Metric;
use crate::schedule::Step;
use crate::store::Record;

/// Seconds that one cell takes in one round, on average, by workload and scale; checks and rounds apart.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    known: BTreeMap<String, f64>,
    file: PathBuf,
    profile: &'static str,
}

impl Costs {
    /// What the last run in this folder learned, if there was one. Each profile has its own, as each has its own times.
    pub(crate) fn read(out: &Path, profile: &'static str) -> Self {
        let file = out.join("costs.json");
        let known = fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        Self { known, file, profile }
    }

    /// Keeps what was learned. A folder that cannot be written costs a guess next time, and nothing else.
    pub(crate) fn keep(&self) {
        if let Ok(text) = serde_json::to_string_pretty(&self.known) {
            fs::write(&self.file, text).ok();
        }
    }

    /// Whether this group has been seen.
    pub(crate) fn knows(&self, group: &Group) -> bool {
        self.known.contains_key(&self.key(group, 1))
    }

    /// Seconds for one round of a group.
    pub(crate) fn expected(&self, group: &Group, round: u32) -> f64 {
        let cells = group.cells.len() as f64 + if round > 0 { 1.0 } else { 0.0 };
        let guess = match group.workload.metric {
            Metric::Time => 0.25,
            Metric::Memory => 0.8,
            Metric::Outcome => 0.2,
        };
        cells * self.known.get(&self.key(group, round)).copied().unwrap_or(guess)
    }

    /// Seconds for a step.
    pub(crate) fn step(&self, matrix: &Matrix, step: &Step) -> f64 {
        self.expected(&matrix.groups[step.group], step.round)
    }

    /// Takes in how long a round took.
    pub(crate) fn learn(&mut self, group: &Group, round: u32, took: Duration, records: &[Record]) {
        let cells = records.iter().filter(|record| matches!(record, Record::Sample(_))).count();
        if cells > 0 {
            let seconds = took.as_secs_f64() / cells as f64;
            let key = self.key(group, round);
            let known = self.known.entry(key).or_insert(seconds);
            // The newest weighs most: what a first run learned of a busy machine is soon forgotten.
            *known = f64::midpoint(*known, seconds);
        }
    }

    fn key(&self, group: &Group, round: u32) -> String {
        let part = if round == 0 { "check" } else { "round" };
        format!("{} {} {} {part}", self.profile, group.workload.name, group.label())
    }
}
