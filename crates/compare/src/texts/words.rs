//! The words that the table and the report share: statuses, verdicts, outcomes and the answer of a group.

use crate::protocol::{Metric, Profile};
use crate::summary::{Status, Verdict};

/// How the answer of a group goes on after its best model: somebody else, and by how much more.
#[derive(Debug)]
pub(crate) struct Against<'a> {
    /// The other model.
    pub(crate) name: &'a str,
    /// How many times the best one's value it needs, formatted, such as `31×`.
    pub(crate) factor: String,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Words {
    /// A cell's status.
    pub(crate) status: fn(Status) -> &'static str,
    /// A cell's status where there is room for six letters.
    pub(crate) status_short: fn(Status) -> &'static str,
    /// A verdict; memory is smaller or larger, not faster or slower.
    pub(crate) verdict: fn(Verdict, Metric) -> &'static str,
    /// One of the protocol's outcomes.
    pub(crate) outcome: fn(&str) -> &str,
    /// How much of the comparison was run.
    pub(crate) profile: fn(Profile) -> &'static str,
    /// The label of a model that has one thread, whatever the others have.
    pub(crate) one_worker: &'static str,
    /// For a cell that was verified without a clock.
    pub(crate) not_timed: &'static str,
    /// For a hole that came without a reason.
    pub(crate) no_reason: &'static str,
    /// For a hole that came without a reason because its turn has not come.
    pub(crate) not_run_yet: &'static str,
    /// What a group measures, from the metric and the unit's name: `time per task`.
    pub(crate) quantity: fn(Metric, &str) -> String,
    /// CPUs and workers of a group.
    pub(crate) resources: fn(u32, u32) -> String,
    /// How many rounds count.
    pub(crate) rounds: fn(u32) -> String,
    /// About how many rounds would decide the unclear cells, by name.
    pub(crate) rounds_needed: fn(&[(&str, u32)]) -> String,
    /// Groups that were not part of the run, and why.
    pub(crate) left_out: fn(&[String], &str) -> String,

    /// The answer where one model leads.
    pub(crate) sole_leader: fn(Metric, &str, Option<&Against<'_>>) -> String,
    /// The answer where several lead together: the first few names, how many more, and the rest of the field.
    pub(crate) tied_leaders: fn(Metric, &[&str], usize, Option<&Against<'_>>) -> String,
    /// The answer where nobody could be told from anybody, among so many.
    pub(crate) all_tied: fn(usize) -> String,
    /// The answer where only this model has a value.
    pub(crate) alone: fn(&str) -> String,
    /// The answer where the control differs from itself.
    pub(crate) unstable: &'static str,
    /// The answer where there are values and no control, so no ranks.
    pub(crate) no_ranks: &'static str,
    /// The answer where nothing was measured.
    pub(crate) nothing: &'static str,
    /// The answer of an outcome: how many models lost a task, a worker, the program.
    pub(crate) outcomes: fn(usize, usize, usize) -> String,

    /// A run of too few rounds for a corrected verdict, and how many there were.
    pub(crate) exploratory: fn(u32) -> String,
    /// A run that was stopped.
    pub(crate) interrupted: &'static str,
    /// The control and the margin of a group: ratio with interval, and margin, both formatted.
    pub(crate) noise_floor: fn(&str, &str) -> String,
    /// The same where the margin is so wide that nothing is called the same.
    pub(crate) noise_floor_wide: fn(&str, &str) -> String,
    /// The control where another model stands in for the baseline: its name, and ratio with interval.
    pub(crate) stand_in: fn(&str, &str) -> String,
    /// A group has too few rounds for corrected verdicts: from how many on verdicts are corrected, and ranks.
    pub(crate) unadjusted: fn(u32, u32) -> String,
    /// A group has too few rounds for corrected ranks: from how many on they are.
    pub(crate) unadjusted_ranks: fn(u32) -> String,
    /// Bytes per further unit, formatted, and over how many scales.
    pub(crate) slope: fn(&str, u32) -> String,
    /// The best worker count of a model and the counts that tie with it.
    pub(crate) best_workers: fn(u32, &[u32]) -> String,
    /// One point of a speed-up: CPUs, and the factor formatted.
    pub(crate) speedup_point: fn(u32, &str) -> String,
    /// The parallel part of the work, formatted.
    pub(crate) parallel_part: fn(&str) -> String,
}
