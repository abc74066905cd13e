//! The machine as loom and shuttle see it: sleeping on a word is looking at it and parking in one step, as a futex does.
//!
//! Unparking alone would not do: loom keeps an unpark that came too early, where a futex forgets it, and lets a late one wake
//! a modelled thread even from waiting for a lock.

use crate::primitive::{AtomicU32, Ordering, fence, give_way};
#[cfg(trefoil_loom)]
use loom as model;
#[cfg(trefoil_shuttle)]
use shuttle as model;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

model::thread_local! {
    /// Whether this modelled thread sleeps on a word. Another goes on only at an operation of the
    /// model's own, so this needs none.
    static ASLEEP: Arc<AtomicBool> = Arc::new(AtomicBool::new(false));
}

#[derive(Clone)]
pub(crate) struct Sleeper {
    thread: model::thread::Thread,
    asleep: Arc<AtomicBool>,
}

pub(crate) struct Rouse(Sleeper);

impl Sleeper {
    pub(crate) const AVAILABLE: bool = true;

    pub(crate) fn here() -> Self {
        Sleeper { thread: model::thread::current(), asleep: ASLEEP.with(Arc::clone) }
    }

    /// A deadline passes at once: the models ask what happens then, not when.
    pub(crate) fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Instant>) {
        if deadline.is_some() {
            return give_way();
        }
        ASLEEP.with(|asleep| {
            asleep.store(true, Ordering::Relaxed);
            // With the one in `now`: the word is seen as it is, or whoever has changed it sees that we sleep.
            fence(Ordering::SeqCst);
            // An unpark that has come meanwhile is used up, for it would be too late anywhere else.
            if word.load(Ordering::Relaxed) == expected || !asleep.swap(false, Ordering::Relaxed) {
                model::thread::park();
            }
        });
    }

    pub(crate) fn sleep_for(_: &AtomicU32, _: u32, _: Option<Duration>) {}

    pub(crate) fn rouse(&self, _: &AtomicU32) -> Rouse {
        Rouse(self.clone())
    }
}

impl Rouse {
    pub(crate) fn now(self) {
        fence(Ordering::SeqCst);
        if self.0.asleep.swap(false, Ordering::Relaxed) {
            self.0.thread.unpark();
        }
    }
}

#[cfg(all(test, trefoil_shuttle))]
pub(crate) use barrier::another_machine;
#[cfg(all(test, trefoil_loom))]
pub(crate) use barrier::nobody_sleeps;
pub(crate) use barrier::{ask_for_the_barrier, heavy_barrier, is_asymmetric};

/// Loom knows no barrier that one side makes for both, so whoever could do without makes his own; but in models in which nobody ever
/// sleeps, where none is needed.
#[cfg(trefoil_loom)]
mod barrier {
    use crate::primitive::{Ordering, fence};
    use std::cell::Cell;

    std::thread_local! {
        // Loom runs the threads of a model on one.
        static NOBODY_SLEEPS: Cell<bool> = const { Cell::new(false) };
    }

    /// A model begins in which nobody ever sleeps, or has ended.
    #[cfg(test)]
    pub(crate) fn nobody_sleeps(so: bool) {
        NOBODY_SLEEPS.set(so);
    }

    pub(crate) fn is_asymmetric() -> bool {
        NOBODY_SLEEPS.get()
    }

    pub(crate) fn ask_for_the_barrier() {}

    pub(crate) fn heavy_barrier() {
        assert!(!NOBODY_SLEEPS.get(), "whoever is about to sleep needs the barrier that others do without");
        fence(Ordering::SeqCst);
    }
}

/// Under shuttle every operation is in the one order, so nothing needs to be done for a barrier on all CPUs. What is left of it is that
/// whoever could do without one of his own does, and that it takes time.
#[cfg(trefoil_shuttle)]
mod barrier {
    use super::super::clock;
    use crate::primitive::random_below;
    use std::cell::Cell;

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Barrier {
        Refused,
        /// It works, which nobody knows before somebody has asked.
        Unknown,
        Works,
    }

    std::thread_local! {
        // Shuttle runs the threads of a program on one.
        static BARRIER: Cell<Barrier> = const { Cell::new(Barrier::Refused) };
    }

    /// A program begins, on a machine that is drawn.
    #[cfg(test)]
    pub(crate) fn another_machine() {
        clock::modelled::start();
        let barrier = [Barrier::Refused, Barrier::Unknown, Barrier::Works, Barrier::Works];
        BARRIER.set(barrier[random_below(barrier.len())]);
    }

    pub(crate) fn is_asymmetric() -> bool {
        BARRIER.get() == Barrier::Works
    }

    pub(crate) fn ask_for_the_barrier() {
        if BARRIER.get() == Barrier::Unknown {
            BARRIER.set(Barrier::Works);
        }
    }

    /// One in two takes so long that it would have been better not to need it.
    pub(crate) fn heavy_barrier() {
        ask_for_the_barrier();
        if is_asymmetric() {
            clock::modelled::pass_micros(random_below(2) as u32);
        }
    }
}

pub(crate) fn cpus() -> u32 {
    1
}

/// No model asks.
pub(crate) fn runs_where_the_first_does() -> bool {
    false
}
