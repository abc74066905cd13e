//! What a run comes to: the shape of `summary.json`, from which the table and the report are drawn.
//!
//! Everything here can be computed again from `samples.jsonl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::{Metric, Profile, Uses, Workload};

/// The version of this shape; it changes when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was asked for.
    pub run: RunInfo,
    /// Where it ran.
    pub machine: Machine,
    /// How well this machine can tell two things apart: one entry for each workload, scale, CPU count and worker count.
    pub noise_floor: Vec<NoiseFloor>,
    /// Every cell, measured or not.
    pub cells: Vec<Cell>,
    /// The workloads, as they describe themselves.
    pub workloads: Vec<Workload>,
    /// The models, as they describe themselves.
    pub models: Vec<ModelInfo>,
    /// What disturbed the run, each with its remedy.
    pub flags: Vec<Flag>,
    /// `--workers`: which worker count is best, by workload, scale and model.
    #[serde(default)]
    pub sweeps: Vec<Sweep>,
    /// Memory over several scales: what one more task takes, without what the runtime takes once.
    #[serde(default)]
    pub slopes: Vec<Slope>,
    /// `--cpus`: the speed-up by workload, scale and model.
    #[serde(default)]
    pub speedups: Vec<Speedup>,
}

/// What was asked for, and how it went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunInfo {
    /// The run folder's name: date and time, UTC.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Seconds from start to end.
    pub seconds: f64,
    /// `compare` and its arguments.
    pub command: String,
    /// The seed from which all order and all inputs follow.
    pub seed: u64,
    /// Which part of the comparison.
    pub profile: Profile,
    /// Rounds that were planned.
    pub rounds: u32,
    /// Too few rounds for a corrected verdict: the intervals are unadjusted and nothing here is a proof.
    pub exploratory: bool,
    /// The model that ratios are taken against.
    pub baseline: String,
    /// Stopped before its end; what is here is what there was.
    pub interrupted: bool,
    /// The project's commit, if it is known.
    pub commit: Option<String>,
    /// The version of the Rust compiler, if it is known.
    pub rustc: Option<String>,
}

/// The machine and its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// CPUs this process may use.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Operating system and kernel.
    pub os: String,
    /// `kvm`, `docker`, ...; `none` on bare metal as far as one can see.
    pub virtualization: String,
    /// The kernel's clock source.
    pub clock: String,
    /// The frequency governor, where there is one.
    pub governor: Option<String>,
    /// Limits that bound some cells: name and value.
    pub limits: BTreeMap<String, String>,
}

/// The A/A control of one group of cells: a model against itself under another name. It is the baseline wherever the
/// baseline takes part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// The workload.
    pub workload: String,
    /// The scale's label.
    pub scale: String,
    /// How many CPUs the cells had.
    pub cpus: u32,
    /// How many workers the cells had.
    pub workers: u32,
    /// The model that ran twice.
    #[serde(default)]
    pub model: String,
    /// The control's ratio, which would be 1 on a perfect machine.
    pub ratio: f64,
    /// Its interval.
    pub lo: f64,
    /// Its interval.
    pub hi: f64,
    /// The margin that follows, as a fraction: within it, two models are called the same, unless it is above 0.1; then
    /// nothing is.
    pub margin: f64,
    /// `false`: the control itself differs, so the group gets no verdicts.
    pub stable: bool,
    /// `false`: too few rounds to correct the verdicts for their number, so that some of them may be luck.
    #[serde(default)]
    pub verdicts_corrected: bool,
    /// `false`: too few rounds to correct the ranks for the number of pairs, so that some of the order may be luck.
    #[serde(default)]
    pub ranks_corrected: bool,
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not run yet.
    #[default]
    Untested,
    /// Every sample verified.
    Ok,
    /// The model cannot do this, and says why.
    Unsupported,
    /// What the model needs is not on this machine.
    Unavailable,
    /// Its program does not build.
    BuildFailed,
    /// A wrong answer, or an answer that cannot be.
    Wrong,
    /// It ended before its answer.
    Crashed,
    /// It did not end.
    Timeout,
    /// It ended and left processes behind.
    Leaked,
    /// A limit of this machine is in the way.
    Limit,
}

/// What the comparison with the baseline comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Shown to be faster (or smaller) by more than the margin.
    Faster,
    /// Shown to be slower (or larger) by more than the margin.
    Slower,
    /// Shown to differ by less than the margin.
    Same,
    /// None of these shown at this precision.
    Unclear,
    /// This is what the others are compared with.
    Baseline,
}

/// One cell of the comparison. Its key is the first seven fields.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Cell {
    /// The workload.
    pub workload: String,
    /// The model.
    pub model: String,
    /// `generic` or `idiomatic`.
    pub form: String,
    /// The scale's label.
    pub scale: String,
    /// How many CPUs it had.
    pub cpus: u32,
    /// How many workers it was given; 1 for a one-thread model.
    pub workers: u32,
    /// What its value is.
    pub metric: Metric,

    /// What became of it.
    pub status: Status,
    /// Why, in one line, when it is not `ok`; for an outcome, the cause.
    pub why: Option<String>,
    /// Rounds whose samples count.
    pub rounds: u32,
    /// The unit of `value`: `ns/task`, `bytes/task`; empty for an outcome.
    pub unit: String,
    /// The median over the rounds of each round's value; absent without a valid sample.
    pub value: Option<f64>,
    /// The smallest and largest round.
    pub range: Option<(f64, f64)>,
    /// Where it is a time: the median over the rounds of one whole iteration, in nanoseconds.
    pub median_ns: Option<f64>,
    /// For an outcome: `task lost`, `worker lost` or `program lost`.
    pub outcome: Option<String>,
    /// This model's value over the baseline's, paired by round (Hodges-Lehmann); above 1 is slower or larger.
    pub ratio: Option<f64>,
    /// The interval of `ratio`, exact signed-rank, 95 %.
    pub lo: Option<f64>,
    /// The interval of `ratio`.
    pub hi: Option<f64>,
    /// Against the baseline.
    pub verdict: Option<Verdict>,
    /// For an unclear cell: about how many rounds would decide, by the spread that was seen.
    pub rounds_needed: Option<u32>,
    /// The rank of its tie group within the workload and scale, 1 for the best.
    pub rank: Option<u32>,
    /// CPU time per iteration, whole process tree, in nanoseconds (median over the rounds).
    pub cpu_ns: Option<f64>,
    /// Context switches per iteration, voluntary and not, whole process tree (median over the rounds).
    pub ctx_switches: Option<f64>,
    /// The most memory that the whole process tree held at a time, in bytes.
    pub peak_bytes: Option<u64>,
    /// From exec to ready, in nanoseconds (median over the rounds).
    pub startup_ns: Option<f64>,
    /// The value of each round, in order; absent where a round has none.
    pub values: Vec<Option<f64>>,
    /// What looks odd about it, each in one line.
    pub notes: Vec<String>,
}

/// A model, as it describes itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name.
    pub name: String,
    /// What is measured, with its version; empty when it is not here.
    pub version: String,
    /// One line on it.
    pub about: String,
    /// Where its work runs.
    pub uses: Uses,
    /// `ok`, `unavailable` or `build_failed`.
    pub status: Status,
    /// Why it is not here.
    pub why: Option<String>,
}

/// Something that disturbed the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Flag {
    /// A short name, such as `cpu-pressure`.
    pub code: String,
    /// What was seen, with its number.
    pub what: String,
    /// The likely cause.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// In which rounds, where it is about rounds.
    pub rounds: Vec<u32>,
}

/// The best worker count of one model on one workload.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sweep {
    /// The workload.
    pub workload: String,
    /// The scale's label.
    pub scale: String,
    /// The model.
    pub model: String,
    /// `generic` or `idiomatic`.
    #[serde(default)]
    pub form: String,
    /// How many CPUs the cells had.
    pub cpus: u32,
    /// The worker count with the smallest value.
    pub best: u32,
    /// The counts that are not shown to be slower than `best`, itself included.
    pub ties: Vec<u32>,
    /// Each count with its ratio to `best` and the interval.
    pub ratios: Vec<(u32, f64, f64, f64)>,
}

/// What one more unit of a memory workload takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Slope {
    /// The workload.
    pub workload: String,
    /// The model.
    pub model: String,
    /// `generic` or `idiomatic`.
    pub form: String,
    /// How many CPUs and workers the cells had.
    pub cpus: u32,
    /// How many workers the cells had.
    pub workers: u32,
    /// The largest scale that it rests on.
    pub scale: String,
    /// How many scales it rests on: two at least.
    pub scales: u32,
    /// Bytes per unit: the Theil-Sen slope of the bytes of all units over their number.
    pub bytes_per_unit: f64,
}

/// How one model's time falls with more CPUs, each time at its best worker count.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Speedup {
    /// The workload.
    pub workload: String,
    /// The scale's label.
    pub scale: String,
    /// The model.
    pub model: String,
    /// `generic` or `idiomatic`.
    #[serde(default)]
    pub form: String,
    /// Each CPU count with the speed-up over the smallest count and its interval.
    pub points: Vec<(u32, f64, f64, f64)>,
    /// The part of the work that runs in parallel, 0 to 1, by a least-squares fit of Amdahl's law; absent where the
    /// points do not bear one.
    pub parallel_fraction: Option<f64>,
}
