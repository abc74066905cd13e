//! What is needed rarely, and then badly: signals of more than one party, values made once, values swapped, locks that remember a
//! panic.
//!
//! - [`BoundedSemaphore`]: a semaphore that never has more permits than it began with.
//! - [`Latch`]: a door that opens when so many have counted it down, and never closes again.
//! - [`WaitGroup`]: wait until all that have been begun has ended; can be used again.
//! - [`OnceCell`], [`Lazy`]: a value that is made once, by a function or by a future.
//! - [`Exchanger`]: two meet and swap what they have.
//! - [`Notify`]: a signal for one or for all, without a state of its own to wait for.
//! - [`RLock`]: a mutex that whoever holds it may take again.
//! - [`PoisonMutex`]: a mutex that is poisoned by a panic under it, as `std`'s is.

mod bounded_semaphore;
mod exchanger;
mod latch;
#[expect(unsafe_code, reason = "a pinned field of a pinned future")]
mod notify;
mod once;
mod poison;
#[expect(unsafe_code, reason = "the value is used by whoever holds the lock")]
mod rlock;
mod wait_group;

pub use crate::owner::{AlreadyToldApart, Owner};
pub use bounded_semaphore::{BoundedPermit, BoundedSemaphore, OverRelease};
pub use exchanger::{Exchanger, NotExchanged};
pub use latch::Latch;
pub use notify::{Notified, Notify};
pub use once::{Awaited, Lazy, OnceCell, SetError};
pub use poison::{
    ArcPoisonMutexGuard, MappedPoisonMutexGuard, PoisonMutex, PoisonMutexGuard, TimedLockError,
};
pub use rlock::{RLock, RLockGuard};
pub use wait_group::{Member, NobodyIsIn, WaitGroup};
