#![doc = include_str!("../README.md")]

mod primitive;

pub mod park;
pub mod timer;

mod cancel;
mod catch;
pub mod cell;
mod completion;
mod error;
mod task;

mod waiters;

mod barrier;
mod condvar;
mod event;
mod mutex;
pub mod queue;
mod semaphore;

pub use barrier::{Barrier, BarrierPlace};
pub use cancel::{CancelToken, OnCancel};
pub use catch::catch;
pub use completion::{AsCompleted, Completes, Finished, Wait, When, as_completed, wait, wait_timeout};
pub use condvar::Condvar;
pub use error::{JoinError, Panic, TimedOut, Unfinished};
pub use event::Event;
pub use mutex::{Mutex, MutexGuard};
pub use queue::Queue;
pub use semaphore::{Semaphore, SemaphorePermit};
pub use task::{Promise, Task, TaskId, promise, promise_cancelling};
