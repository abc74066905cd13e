//! The statistics of a comparison: pure functions from the values of rounds to what may be said about them.
//!
//! One round runs every model of a workload once, so two models are compared **pairwise within rounds**: what made a
//! round slow made it slow for both. The files, in reading order:
//!
//! - [`signed_rank`]: Wilcoxon's signed-rank test, its estimate and its interval, all exact;
//! - [`holm`]: how many claims can be made at once without one of them being luck;
//! - [`compare`]: ratio, interval and verdict of models against a baseline;
//! - [`ties`]: ranks of all models, where only what is shown to be faster stands higher;
//! - [`control`]: the baseline against itself, from which the margin comes;
//! - [`robust`]: medians, outliers and slopes that one bad round does not move;
//! - [`drift`]: did the machine change while we measured?
//! - [`amdahl`]: which part of the work runs in parallel.
//!
//! Nothing here draws a random number: the same rounds give the same verdicts. `docs/design/statistics.md` gives the
//! reasons and the measured error rates.

pub mod amdahl;
pub mod compare;
pub mod control;
pub mod drift;
pub mod holm;
pub mod robust;
pub mod signed_rank;
pub mod ties;

/// A round's value of one cell: a time or a size, above zero. `None` where the round has none.
pub type Round = Option<f64>;

/// The confidence of every interval that is shown.
pub const LEVEL: f64 = 0.95;

/// The chance of a false claim that a family of claims may have: what [`LEVEL`] leaves.
pub const ALPHA: f64 = 0.05;
