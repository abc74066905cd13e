#![doc = include_str!("../README.md")]
// A few modules need unsafe code; docs/unsafe.md says what for, and what checks them.
#![deny(unsafe_code)]

mod primitive;

#[cfg(feature = "check")]
pub mod check;
#[cfg(not(feature = "check"))]
#[path = "check/absent.rs"]
mod check;
pub mod park;
pub mod timer;

pub mod cancel;
mod catch;
#[expect(unsafe_code, reason = "a cell is shared by two sides and freed by whichever leaves last")]
pub mod cell;
pub mod completion;
pub mod error;
mod hook;
#[expect(unsafe_code, reason = "a pinned field of a pinned future")]
mod owner;
#[expect(unsafe_code, reason = "a handle is one pointer to a cell of unknown type")]
pub mod task;

#[expect(unsafe_code, reason = "waiters stand in a list of nodes that lie in their own frames")]
mod lock;
#[expect(unsafe_code, reason = "system calls, and the CPU's counter")]
mod os;
#[expect(unsafe_code, reason = "waiters stand in lists of nodes that lie in their own frames")]
mod wait;

pub mod barrier;
pub mod condvar;
mod event;
#[expect(unsafe_code, reason = "the value is used by whoever holds the lock")]
pub mod mutex;
pub mod queue;
#[expect(unsafe_code, reason = "the value is used by whoever holds the lock")]
pub mod rwlock;
pub mod select;
pub mod semaphore;

pub mod extra;
pub mod lockfree;

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod leaving;
#[cfg(all(test, trefoil_loom))]
mod models;
#[cfg(all(test, trefoil_shuttle))]
mod schedules;

pub use barrier::Barrier;
pub use cancel::CancelToken;
pub use catch::{catch, contain};
pub use completion::{When, as_completed, gather, gather_all, wait, wait_async, wait_timeout};
pub use condvar::Condvar;
pub use error::{JoinError, TimedOut};
pub use event::Event;
pub use mutex::{Mutex, MutexGuard};
pub use queue::Queue;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Semaphore, SemaphorePermit};
pub use task::{Task, promise, promise_cancelling};
