#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ambient;
mod living;

mod builder;
mod exit;
mod thread;
mod timer;

mod pool;

pub use ambient::cancel_token;
pub use builder::Builder;
pub use exit::{JoinAllAtExit, join_all, join_all_at_exit, join_all_timeout};
pub use living::{Identity, active_count, current, enumerate};
pub use pool::{Full, Pool, PoolBuilder, blocking};
pub use thread::{Thread, spawn};
pub use timer::Timer;

pub use executor::{self, Abilities, Argument, Executor, Hooked, Map, MapUnordered, Shutdown};
pub use sync::{
    self, CancelToken, JoinError, Task, TimedOut, When, as_completed, completion::AsCompleted,
    completion::Finished, completion::Wait, error::Panic, error::Unfinished, task::TaskId, wait,
    wait_timeout,
};
