//! Where there is no futex: threads wait by the parker of `std`, and both sides of the handshake use a full barrier.

use crate::primitive::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

/// There is none: a thread waits as a task does, through its parker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleeper;

pub(crate) struct Rouse;

impl Sleeper {
    pub(crate) const AVAILABLE: bool = false;

    pub(crate) fn here() -> Self {
        Sleeper
    }

    pub(crate) fn sleep(_: &AtomicU32, _: u32, _: Option<Instant>) {}

    pub(crate) fn sleep_for(_: &AtomicU32, _: u32, _: Option<Duration>) {}

    pub(crate) fn rouse(&self, _: &AtomicU32) -> Rouse {
        Rouse
    }
}

impl Rouse {
    pub(crate) fn now(self) {}
}

pub(crate) const fn is_asymmetric() -> bool {
    false
}

pub(crate) fn ask_for_the_barrier() {}

pub(crate) fn heavy_barrier() {
    fence(Ordering::SeqCst);
}

pub(crate) fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// Not known.
pub(crate) fn runs_where_the_first_does() -> bool {
    false
}
