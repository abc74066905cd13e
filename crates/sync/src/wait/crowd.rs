//! Those of many who wait awake for the same thing, and get in each other's way.
//!
//! All of it is hints: lost updates do no harm, and a nap ends by itself.

use super::patience::{SCORE_MOST, Score};
use crate::os;
#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
use crate::{os::Sleeper, park::plain};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Nobody naps for longer, nor where his deadline is nearer than twice that.
pub(crate) const NAP: Duration = Duration::from_millis(1);

/// Those of many who wait awake for the same thing.
///
/// Whoever comes *second* pauses for longer than the first. Where four threads share two CPUs, two that send may run at the same time, and wait
/// for two that receive and cannot run. If both gave way at the same time, those two would run, empty the queue, and wait for the first
/// two, and so on: as if there were one CPU. Now one gives way, and his receiver finds a sender awake on the other CPU. One who comes
/// later does as the first: of eight senders that all wait awake for long, their one receiver would wait, too.
///
/// On one CPU the scheduler lets all that give way run in turn. Whoever has his turn after one who took all there was has it for
/// nothing, each time, and two switches of threads for each hand-over become three, or nine where there are eight. So he *naps*: he leaves
/// the CPU to the others until a little time has passed, or until a thread on the other side has waited for a turn in which nothing came.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(super) awake: AtomicU32,
    /// Of those who came second.
    pub(super) pausing: Score,
    napping: AtomicU32,
    calls: AtomicU32,
    #[cfg(test)]
    naps: AtomicU32,
}

/// With whom somebody waits, and for whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Company<'a> {
    /// Those who want the same, where they are many.
    pub(crate) beside: Option<&'a Crowd>,
    /// Those who bring it, where they are many.
    pub(crate) across: Option<&'a Crowd>,
    /// Whether he may nap if he has the time: he is a thread that [sleeps on words](crate::park::plain).
    pub(crate) may_nap: bool,
    pub(crate) deadline: Option<Instant>,
    /// What there was at his last look, where a little may be too little: then nobody has taken it from him.
    pub(crate) found: Option<&'a Cell<usize>>,
}

impl Crowd {
    pub(crate) const fn new() -> Self {
        Crowd {
            awake: AtomicU32::new(0),
            pausing: Score::new(SCORE_MOST / 2),
            napping: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            #[cfg(test)]
            naps: AtomicU32::new(0),
        }
    }

    /// On a thread that [sleeps on words](crate::park::plain).
    #[cold]
    pub(crate) fn nap(&self) {
        #[cfg(test)]
        self.naps.fetch_add(1, Relaxed);
        self.napping.fetch_add(1, Relaxed);
        // Nobody waits awake in a model.
        #[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
        plain::sleep_for(&self.calls, self.calls.load(Relaxed), NAP);
        self.napping.fetch_sub(1, Relaxed);
    }

    /// Ends a nap, if there is one.
    pub(super) fn call(&self) {
        if self.napping.load(Relaxed) > 0 {
            self.calls.fetch_add(1, Relaxed);
            #[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
            Sleeper::here().rouse(&self.calls).now();
        }
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
impl Crowd {
    /// How often somebody began to nap.
    pub(super) fn naps(&self) -> u32 {
        self.naps.load(Relaxed)
    }

    /// How often somebody was called.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Relaxed)
    }
}

impl<'a> Company<'a> {
    pub(crate) const NONE: Self =
        Company { beside: None, across: None, may_nap: false, deadline: None, found: None };

    /// Whether there was nothing at his last look, which was in vain.
    pub(super) fn found_nothing(self) -> bool {
        self.found.is_none_or(|found| found.get() == 0)
    }

    /// Beside whom he may nap now.
    #[cold]
    pub(super) fn to_nap_beside(self) -> Option<&'a Crowd> {
        let is_near = |deadline: Instant| deadline.saturating_duration_since(Instant::now()) < 2 * NAP;
        self.beside.filter(|_| {
            self.may_nap && !self.deadline.is_some_and(is_near) && os::runs_where_the_first_does()
        })
    }

    /// Says to those across that nothing comes.
    pub(super) fn call(self) {
        if let Some(across) = self.across {
            across.call();
        }
    }
}
