//! What the engine says while it works: plan and progress.

use std::fmt::Display;

use crate::cli::NewKind;

/// See the module.
#[derive(Debug)]
pub(crate) struct RunTexts {
    /// The plan's first line: groups, cells, models, rounds.
    pub(crate) plan: fn(&PlanCount) -> String,
    /// How long it takes, in seconds, and whether that was learned from an earlier run.
    pub(crate) plan_time: fn(f64, bool) -> String,
    /// Where results go.
    pub(crate) plan_out: fn(&str) -> String,
    /// The rounds are too few for corrected verdicts.
    pub(crate) exploratory: &'static str,
    /// One line of the plan: workload and scale, cells, rounds, seconds.
    pub(crate) plan_group: fn(&str, usize, u32, f64) -> String,
    /// A round and how many there are; round 0 is the check.
    pub(crate) round: fn(u32, u32) -> String,
    /// A cell failed: its name, what became of it, why.
    pub(crate) failed: fn(&str, &str, &str) -> String,
    /// A cell is being run: workload and scale, round, model, seconds left.
    pub(crate) cell: fn(&str, &str, &str, f64) -> String,
    /// A round is over: workload and scale, round, seconds that it took, seconds left.
    pub(crate) round_over: fn(&str, &str, f64, f64) -> String,
    /// The answer of a group after so many of all its rounds: the group's title, and the answer.
    pub(crate) answer: fn((u32, u32), &str, &str) -> String,
    /// Python's environment is being made: packages, folder.
    pub(crate) making_python: fn(&str, &dyn Display) -> String,
    /// Results go elsewhere: the usual folder, what is wrong with it, the other folder.
    pub(crate) out_instead: fn(&dyn Display, &dyn Display, &dyn Display) -> String,
    /// `new` wrote this file.
    pub(crate) wrote: fn(&dyn Display) -> String,
    /// How to run what `new` wrote: its kind and name.
    pub(crate) try_it: fn(NewKind, &str) -> String,
    /// Ctrl-C was heard.
    pub(crate) stopping: &'static str,
    /// Where the report is.
    pub(crate) report_at: fn(&str) -> String,
    /// `--test`: cells verified, cells not ok, holes.
    pub(crate) tested: fn(usize, usize, usize) -> String,
}

/// How much a plan holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlanCount {
    pub(crate) workloads: usize,
    pub(crate) groups: usize,
    pub(crate) models: usize,
    pub(crate) cells: usize,
    /// The fewest and the most rounds of a group.
    pub(crate) rounds: (u32, u32),
    /// Cells that have a reason not to run.
    pub(crate) holes: usize,
}
