//! How those who wait for a hand-over wait awake.
//!
//! They *pause* first, where another CPU may bring what they wait for, and then *yield*, which is the fastest hand-over there is
//! where one CPU does both. Each is kept up only where it has paid of late; see [`patience`](crate::wait::patience), from which
//! this differs in three things:
//!
//! 1. In steady state it writes nothing and hardly reads the clock: a hand-over takes some hundred nanoseconds, and moving one more cache
//!    line would be a good part of it. When to try something anew, and when to look at the clock, follows from the number of
//!    items that were put, which the waiter has just seen.
//! 2. Waiting awake lasts longer than it takes to wake a thread on another CPU. Otherwise two threads that once both slept would
//!    go on to sleep for each item, each always too late to find the other awake.
//! 3. A yield that took long, beside somebody with work of his own, has not paid, even if what was waited for is there after it.

use crate::os::{self, clock};
use crate::primitive::spin_loop;
use crate::wait::patience::{Busy, Patience, is_long};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// About two microseconds, which is a hand-over between two CPUs ten times over.
const PAUSES: u32 = 200;
const TRIAL_PAUSES: u32 = 60;
/// Yielding ends after so many, but not before this time, in which a thread that sleeps comes back on another CPU.
const YIELDS: u32 = 64;
const YIELDING_US: u32 = 60;
/// Every so many items, what has not paid is tried, and the CPUs are counted.
const TRIAL_EVERY: usize = 32;
/// Every so many items, the first yield is timed. Those after the first, which are rare, always are.
const TIMED_EVERY: usize = 16;
const POINTS_MOST: u8 = 15;

/// What those who wait at one queue have learned. Hints, shared without care.
#[derive(Debug)]
pub(super) struct Pace {
    pausing: AtomicU8,
    yielding: AtomicU8,
    busy: Busy,
    one_cpu: AtomicBool,
    /// The same for tasks, which wait awake for a moment only.
    of_tasks: Patience,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Pace {
            pausing: AtomicU8::new(POINTS_MOST / 2),
            yielding: AtomicU8::new(POINTS_MOST / 2),
            busy: Busy::new(),
            one_cpu: AtomicBool::new(false),
            of_tasks: Patience::of_tasks(),
        }
    }

    /// Waits awake until `look` says yes; `false` if it is time to sleep. So many items were `put` when the wait began.
    pub(super) fn wait(&self, put: usize, mut look: impl FnMut() -> bool) -> bool {
        if look() {
            return true;
        }
        // Loom tries every order by itself.
        if crate::primitive::IS_MODEL {
            return false;
        }
        (!self.is_on_one_cpu(put) && self.pause(put, &mut look)) || self.give_way(put, &mut look)
    }

    /// As [`wait`](Pace::wait), for a task: some microseconds, and one yield.
    pub(super) fn glance(&self, look: impl FnMut() -> bool) -> bool {
        self.of_tasks.glance(1, look, || 0)
    }

    #[inline]
    fn is_on_one_cpu(&self, put: usize) -> bool {
        let known = self.one_cpu.load(Relaxed);
        if put % TRIAL_EVERY > 1 { known } else { self.count_cpus(known) }
    }

    #[cold]
    fn count_cpus(&self, known: bool) -> bool {
        let now = os::cpus() == 1;
        if now != known {
            self.one_cpu.store(now, Relaxed);
        }
        now
    }

    fn pause(&self, put: usize, look: &mut impl FnMut() -> bool) -> bool {
        let pauses = match self.pausing.load(Relaxed) {
            0 if put % TRIAL_EVERY == 0 => TRIAL_PAUSES,
            0 => return false,
            _ => PAUSES,
        };
        for _ in 0..pauses {
            spin_loop();
            if look() {
                paid(&self.pausing);
                return true;
            }
        }
        did_not_pay(&self.pausing);
        false
    }

    fn give_way(&self, put: usize, look: &mut impl FnMut() -> bool) -> bool {
        if self.busy.leaves_out() {
            return false;
        }
        if self.yielding.load(Relaxed) == 0 && put % TRIAL_EVERY != 0 {
            return false;
        }
        if put % TIMED_EVERY != 0 && !self.busy.is_recent() {
            std::thread::yield_now();
            if look() {
                paid(&self.yielding);
                return true;
            }
        }
        self.give_way_by_the_clock(look)
    }

    #[cold]
    fn give_way_by_the_clock(&self, look: &mut impl FnMut() -> bool) -> bool {
        let begin = clock::now();
        let (mut last, mut yields) = (begin, 0);
        while yields < YIELDS || last.wrapping_sub(begin) < clock::micros(YIELDING_US) {
            std::thread::yield_now();
            yields += 1;
            let there = look();
            let now = clock::now();
            let took = now.wrapping_sub(last);
            self.busy.learn(now, took);
            if is_long(took) {
                return there;
            }
            if there {
                paid(&self.yielding);
                return true;
            }
            last = now;
        }
        did_not_pay(&self.yielding);
        false
    }
}

fn paid(points: &AtomicU8) {
    let before = points.load(Relaxed);
    if before < POINTS_MOST {
        points.store(before + 1, Relaxed);
    }
}

fn did_not_pay(points: &AtomicU8) {
    points.store(points.load(Relaxed).saturating_sub(2), Relaxed);
}
