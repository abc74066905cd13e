//! What the head-to-head programs share: an area has rows, a row has contestants, and a contestant runs one sample.
//!
//! A program of an area is `peers_kit::main(area)` and nothing more. It speaks to the engine of `cargo xtask compare
//! peers` by its command line and one line of JSON on standard output:
//!
//! ```text
//! peers-sync --list
//! {"area":"sync","ours":"sync","facts":{"membarrier":true,"no-membarrier":false},"rows":[{"row":"mutex/uncontended","about":"...",
//!   "contestants":[{"name":"sync","blocks":true,"also_ours":false},...],"measures":[{"name":"ns","unit":"ns","better":"less"}]},...]}
//!
//! peers-sync --row mutex/uncontended --contestant std --seconds-min 0.03 --seed 7
//! {"row":"mutex/uncontended","contestant":"std","values":{"ns":13.4},"timed_ns":37123456}
//! ```
//!
//! A sample whose work is wrong says `"wrong": "why"` in place of the values. One process runs one sample.

#![forbid(unsafe_code)]

mod cpus;
mod crew;
mod program;
mod row;
mod sample;
mod work;

pub use cpus::{Cpus, Place};
pub use crew::{Job, together};
pub use program::main;
pub use row::{Area, Contestant, Measure, Order, Row, Run, Sample};
pub use sample::{Timed, adaptive, random, ratio};
pub use work::Work;
