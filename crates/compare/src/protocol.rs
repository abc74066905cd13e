//! What the engine and a contestant say to each other.
//!
//! A contestant is any program. It reads **one request**, a line of JSON, from standard input, and writes **answers**,
//! one line of JSON each, to file descriptor 3 (its number is also in the environment variable [`ANSWER_FD_VAR`]).
//! Standard output belongs to nobody: printing is work, so a cell that prints there is reported as wrong. Standard
//! error is free for messages; its end is shown when the cell fails.
//!
//! ```text
//! engine                                   contestant
//!   {"call":"describe"}               -->
//!                                     <--  {"t":"description", ...}
//!
//!   {"call":"expect", ...}            -->  (the oracle only)
//!                                     <--  {"t":"expected","input":{...},"digest":"..."}
//!
//!   {"call":"run", ...}               -->
//!                                          takes its input, starts its runtime
//!                                     <--  {"t":"ready"}
//!                                          warm-up, every result kept
//!                                     <--  {"t":"warm","iterations":9,"digests":["..."]}
//!                                          timed batches, until `min_ns` is reached
//!                                     <--  {"t":"batch","ns":5012345,"iterations":3,"digests":["..."]}
//!                                     <--  {"t":"batch", ...}
//!                                     <--  {"t":"done"}
//!   end of standard input             -->  exits with 0
//! ```
//!
//! Two kinds of workload differ in the middle: one that measures memory says `hold` twice in the place of its batches
//! (see [`Answer::Hold`]); one whose result is an outcome announces it by `danger` and tells what was left by `outcome`
//! (see [`Answer::Danger`]).
//!
//! All numbers that cross this border stay below 2^53, so that every language can hold them exactly.

use serde::{Deserialize, Serialize};

/// The version of this protocol. A contestant that answers another one is not run.
pub const VERSION: u32 = 1;

/// The file descriptor that answers go to.
pub const ANSWER_FD: i32 = 3;

/// The environment variable that repeats [`ANSWER_FD`], for those who would rather read than know.
pub const ANSWER_FD_VAR: &str = "COMPARE_FD";

/// One line on the contestant's standard input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Request {
    /// Who are you, and what can you do? Answered by one [`Answer::Description`].
    Describe,
    /// What must the result be? Asked of the oracle, answered by one [`Answer::Expected`].
    Expect(Case),
    /// Do the work.
    Run(Run),
}

/// Which input a round uses. The oracle makes the input and the digest from it, and from nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The workload's name, such as `primes`.
    pub workload: String,
    /// The scale's label, such as `1k`.
    pub scale: String,
    /// The scale's number: how many tasks, pairs, items, files or MiB, as the workload says.
    pub n: u64,
    /// The round's seed.
    pub seed: u64,
    /// The folder that `files` reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// The address of the server that `fetch` asks, such as `127.0.0.1:40123`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// One cell's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`VERSION`].
    pub v: u32,
    /// The workload's name.
    pub workload: String,
    /// `generic` or `idiomatic`, one of those that the contestant named in its [`Ability`].
    pub form: String,
    /// The scale's label.
    pub scale: String,
    /// The scale's number.
    pub n: u64,
    /// Which round this is, counted from 1; 0 is the check before the first.
    pub round: u32,
    /// How many workers a pool or runtime may have. One-thread models use one, whatever stands here.
    pub workers: u32,
    /// What to work on, as the oracle made it.
    pub input: Input,
    /// What to do with the clock.
    pub timing: Timing,
}

/// A workload's input: plain data whose meaning each workload's page tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// A number below 2^31 drawn from the round's seed; every result depends on it, so no digest is a constant.
    pub salt: u64,
    /// Numbers below 2^53.
    #[serde(default)]
    pub numbers: Vec<u64>,
    /// Texts: paths, addresses, request targets.
    #[serde(default)]
    pub texts: Vec<String>,
}

/// How long to warm up and to measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// `false` verifies only: one iteration as the warm-up, no batches.
    pub timed: bool,
    /// Warm-up ends when three successive batches are within 5 % of each other, or after this time.
    pub warm_ns: u64,
    /// An iteration shorter than this is repeated within one batch, so that the clock is not what is measured.
    pub batch_ns: u64,
    /// Batches go on until they add up to this time.
    pub min_ns: u64,
}

/// One line on the contestant's answer descriptor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Request::Describe`].
    Description(Description),
    /// To [`Request::Expect`].
    Expected {
        /// What every contestant of the round works on.
        input: Input,
        /// What [`digest`] must give for every iteration.
        digest: String,
        /// Outcome workloads only: what each task must return, if it returns.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        results: Vec<u64>,
    },
    /// The input is taken and the runtime stands. From exec to here is the start-up time.
    Ready,
    /// The warm-up is over.
    Warm {
        /// How many iterations it took.
        iterations: u64,
        /// The distinct digests of all of them: one, if all is well.
        digests: Vec<String>,
    },
    /// One timed batch.
    Batch {
        /// The time that all its iterations took together.
        ns: u64,
        /// How many there were.
        iterations: u64,
        /// The distinct digests of all of them: one, if all is well.
        digests: Vec<String>,
    },
    /// Memory workloads only: "measure me now". The contestant then waits for one line on standard input. Said once as
    /// `base`, with everything started but no task, and once as `waiting`, with all tasks waiting.
    Hold {
        /// `base` or `waiting`.
        what: String,
    },
    /// Crash workloads only: the tasks run, the one that fails has been told to. A program that dies after this, by the
    /// very cause that was asked for, has the outcome `program lost`; one that dies of a panic must have said `planted` on
    /// standard error.
    Danger,
    /// Crash workloads only: the program has outlived it.
    Outcome {
        /// `task lost`: the others' results are all there and the pool still works. `worker lost`: results of others
        /// are missing, or the pool takes no more work.
        outcome: String,
        /// What the model's own handle said of the lost task, in one line.
        cause: String,
        /// The results by task; `null` for each one that was lost.
        results: Vec<Option<u64>>,
    },
    /// The cell is over, all went well.
    Done,
    /// The contestant met a limit of the machine, such as no more threads. Not a crash and not a wrong answer.
    Limit {
        /// Which limit, its value and the remedy.
        why: String,
    },
}

/// A contestant about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`VERSION`].
    pub v: u32,
    /// Its name, such as `tokio-mt`.
    pub model: String,
    /// What is measured, with its version, such as `tokio 1.54.1`.
    pub version: String,
    /// One line on what it is and which idiom it uses.
    pub about: String,
    /// Where its work runs; the engine watches that it does.
    pub uses: Uses,
    /// Environment variables from which its runtime reads how many workers to have; the engine sets each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worker_variables: Vec<String>,
    /// What it can do; a workload that is not here is unsupported.
    pub abilities: Vec<Ability>,
    /// The workloads as such. Contestants that bring none of their own leave this empty.
    #[serde(default)]
    pub workloads: Vec<Workload>,
}

/// Where a model's work runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Uses {
    /// One thread of one process. Labelled `1 worker`.
    OneThread {
        /// Threads that its runtime has besides, and that do none of the work: a compiler, a collector.
        helpers: u32,
    },
    /// Threads of one process.
    #[default]
    Threads,
    /// More than one process.
    Processes,
}

/// What a model says of one workload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ability {
    /// The workload's name.
    pub workload: String,
    /// `generic`, `idiomatic` or both; empty where it cannot.
    #[serde(default)]
    pub forms: Vec<String>,
    /// Why it cannot, when `forms` is empty; the text is shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The largest scale number it takes, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// Why no more than `most`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_why: Option<String>,
    /// From which scale on it takes much longer than others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
}

/// Where a model is so slow that it belongs to a later profile than the scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slow {
    /// From this scale number on.
    pub from: u64,
    /// The smallest profile that it fits into.
    pub profile: Profile,
}

/// A workload about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Its name, such as `pingpong`.
    pub name: String,
    /// Where it stands in lists: the smallest first, and by name where two are equal.
    #[serde(default)]
    pub place: u32,
    /// One line: what is done.
    pub about: String,
    /// What it shows.
    pub shows: String,
    /// How its result is verified.
    pub verified: String,
    /// What a result is.
    pub metric: Metric,
    /// What one unit of the work is called: `task`, `switch`, `round trip`.
    pub unit: String,
    /// Its scales, smallest first.
    pub scales: Vec<Scale>,
    /// A cell that takes longer has hung.
    pub timeout_ms: u64,
    /// Its time is CPU time that divides by the CPUs and by no more: a model that beats the oracle further is looked at.
    #[serde(default)]
    pub cpu_bound: bool,
    /// What it needs from outside.
    #[serde(default)]
    pub needs: Vec<Need>,
}

/// What a workload measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Time per unit; less is better.
    #[default]
    Time,
    /// Bytes per unit; less is better.
    Memory,
    /// What survives; not a number, so never a ratio.
    Outcome,
}

/// What a workload needs from outside, and the engine provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// The server that `fetch` asks.
    Server,
    /// The folder that `files` reads.
    Dir,
}

/// One size of a workload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What people call it, such as `1k`; unique within the workload.
    pub label: String,
    /// Its number.
    pub n: u64,
    /// How many units of work one iteration holds; a cell's value is its time divided by this.
    pub units: u64,
    /// The smallest profile that includes it.
    pub profile: Profile,
    /// A plain run leaves it out, because a larger scale shows the same and more; quick and full runs have it.
    #[serde(default)]
    pub quick_only: bool,
}

/// How much of the comparison is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// `--quick`.
    Quick,
    /// A plain run.
    #[default]
    Default,
    /// `--full`.
    Full,
}

/// The digest of one iteration's results, in order of the tasks: FNV-1a over 64-bit words, as 16 hexadecimal digits.
///
/// Every step is a bijection of the state for a given word, and of the word for a given state, so one wrong bit in one
/// result always changes it. It is taken after the clock has stopped. (Glenn Fowler, Landon Curt Noll, Kiem-Phong Vo,
/// "The FNV Non-Cryptographic Hash Algorithm", IETF draft, 2012; they go by octets, this by words.)
///
/// ```
/// assert_eq!(compare::protocol::digest(&[]), "cbf29ce484222325");
/// assert_ne!(compare::protocol::digest(&[1, 2]), compare::protocol::digest(&[2, 1]));
/// ```
#[must_use]
pub fn digest(results: &[u64]) -> String {
    let hash = results
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &word| (hash ^ word).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}
