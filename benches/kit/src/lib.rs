//! What contestants of the comparison share.
//!
//! A contestant is a small program that measures one model of concurrency. Its `main.rs` implements [`Model`] with the
//! idioms of the runtime or library that it stands for, and ends with `kit::main!(MyModel);`. Everything else is here,
//! once for all of them:
//!
//! - [`model`]: the trait, and how a model says what it cannot do;
//! - [`workloads`]: the work itself, one file each, written once over [`Model`], each with an oracle that reaches the
//!   same results in another way;
//! - [`stage`]: what a workload is given, and how it speaks to the engine while it runs;
//! - `measure`: the measuring loop, which knows nothing of models and workloads;
//! - [`contestant`]: requests in, answers out;
//! - [`blocking`]: help for models whose units block their thread instead of returning `Pending`;
//! - [`forms`]: help for models that have a form of their own of every workload;
//! - [`remote`]: help for models whose units run in other processes;
//! - [`unwind`]: help for models that hand a unit's panic on as a panic;
//! - [`check()`]: every workload of one model, verified in this very process, for a contestant's unit test.
//!
//! A new model needs no edit of a workload and a new workload none of a model: a model names the *capabilities* that it
//! lacks, a workload those that it needs.

#![forbid(unsafe_code)]

mod answers;
pub mod blocking;
mod check;
pub mod contestant;
mod describe;
pub mod forms;
mod measure;
pub mod model;
pub mod page;
mod planted;
pub mod random;
mod refused;
pub mod remote;
pub mod stage;
pub mod unwind;
pub mod version;
pub mod workloads;

pub use answers::limit;
pub use check::check;
pub use contestant::main;
pub use model::{Capability, Facts, Lost, Model};
pub use refused::refused;
pub use stage::Stage;

pub use compare::protocol;
