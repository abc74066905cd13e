//! The machine as loom sees it: a word to sleep on is the parking of a modelled thread.

use crate::primitive::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

pub(crate) struct Sleeper(loom::thread::Thread);

pub(crate) struct Rouse(loom::thread::Thread);

impl Sleeper {
    pub(crate) const AVAILABLE: bool = true;

    pub(crate) fn here() -> Self {
        Sleeper(loom::thread::current())
    }

    /// A deadline passes at once: the models ask what happens then, not when.
    pub(crate) fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Instant>) {
        if deadline.is_none() && word.load(Ordering::Relaxed) == expected {
            loom::thread::park();
        }
    }

    pub(crate) fn sleep_for(_: &AtomicU32, _: u32, _: Option<Duration>) {}

    pub(crate) fn rouse(&self, _: &AtomicU32) -> Rouse {
        Rouse(self.0.clone())
    }
}

impl Rouse {
    pub(crate) fn now(self) {
        self.0.unpark();
    }
}

pub(crate) fn is_asymmetric() -> bool {
    false
}

pub(crate) fn ask_for_the_barrier() {}

pub(crate) fn heavy_barrier() {
    fence(Ordering::SeqCst);
}

pub(crate) fn cpus() -> u32 {
    1
}
