#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
#![cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "what looks after processes has none to look after where none can be started")
)]

mod engine;
mod image;
mod job;
#[cfg(target_os = "linux")]
mod start;

mod communicate;
mod pool;
mod process;

pub use communicate::{CommunicateError, Limits, Partial, communicate};
pub use pool::{Pool, PoolBuilder};
pub use process::{Builder, Process};

pub use executor::{self, Abilities, Argument, Executor, Shutdown};
pub use ipc;
pub use sync::{
    self, JoinError, Task, TimedOut, When, as_completed, completion::Finished, completion::Wait,
    error::Panic, error::Unfinished, wait, wait_timeout,
};
