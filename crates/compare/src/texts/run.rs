//! What the engine says while it works: plan, progress, flags.

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
    /// No disturbance was found.
    pub(crate) all_quiet: &'static str,
    /// The program that took CPU time, if it is known.
    pub(crate) above_all: fn(Option<&str>) -> String,
    /// The worst disturbance: percent of a CPU, workload and scale, round.
    pub(crate) at_most: fn(f64, &str, u32) -> String,
    /// Others used the CPU in this many rounds; the worst.
    pub(crate) outside: fn(usize, &str) -> String,
    /// What to do about others.
    pub(crate) outside_remedy: &'static str,
    /// The hypervisor took CPU time in this many rounds; the worst.
    pub(crate) steal: fn(usize, &str) -> String,
    /// Why it does.
    pub(crate) steal_cause: &'static str,
    /// What to do about it.
    pub(crate) steal_remedy: &'static str,
    /// The baseline drifted: where.
    pub(crate) drift: fn(&str) -> String,
    /// Why it does.
    pub(crate) drift_cause: &'static str,
    /// What to do about it.
    pub(crate) drift_remedy: &'static str,
    /// Cells whose rounds hold outliers: how many rounds of how many.
    pub(crate) outliers: fn(usize, usize) -> String,
    /// Why there are some.
    pub(crate) outliers_cause: &'static str,
    /// What to do about them.
    pub(crate) outliers_remedy: &'static str,
    /// The server shares CPUs with those who ask it.
    pub(crate) shared_cpu: &'static str,
    /// Why it does.
    pub(crate) shared_cpu_cause: &'static str,
    /// What to do about it.
    pub(crate) shared_cpu_remedy: &'static str,
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
