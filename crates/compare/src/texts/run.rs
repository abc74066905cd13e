//! What the engine says while it works: plan and progress.

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
    /// Round 0.
    pub(crate) check: &'static str,
    /// A round and how many there are.
    pub(crate) round: fn(u32, u32) -> String,
    /// Time left, in seconds.
    pub(crate) left: fn(f64) -> String,
    /// A cell failed: its name, what became of it, why.
    pub(crate) failed: fn(&str, &str, &str) -> String,
    /// The first look at a group before all its rounds are done: how many are, of how many.
    pub(crate) first_look: fn(u32, u32) -> String,
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
    pub(crate) rounds: u32,
    /// Cells that have a reason not to run.
    pub(crate) holes: usize,
}
