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
//! 3. A yield that took long, beside somebody with work of his own, has not paid, even if what was waited for is there after it. Where
//!    items came all the time meanwhile, it was no such somebody.
//! 4. Who waits behind another pauses for longer than he. Where four threads share two CPUs, two that send may run at the same time, and
//!    wait for two that receive and cannot run. If both gave way at the same time, those two would run, wait for the first two, and so on: a
//!    switch of threads for each item. Now one gives way, and finds his receiver beside a sender who is still awake. These two go on without
//!    a switch until one of them has lost his CPU, a thousand items later.

use crate::os::{self, clock};
use crate::primitive::spin_loop;
use crate::wait::crowd::Company;
use crate::wait::patience::{Busy, Patience, is_long};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// About a microsecond, which is a hand-over between two CPUs several times over.
const PAUSES: u32 = 100;
/// Of one who waits behind another: longer than the other one pauses, and his CPU takes to go over to somebody else.
const PAUSES_BEHIND: u32 = 400;
const TRIAL_PAUSES: u32 = 60;
/// Yielding ends after so many, but not before this time, in which a thread that sleeps comes back on another CPU.
const YIELDS: u32 = 64;
const YIELDING_US: u32 = 60;
/// Every so many items, what has not paid is tried, and the CPUs are counted. Pausing is tried half as often after each trial in vain, down
/// to once in eight times as many.
const TRIAL_EVERY: usize = 32;
const TRIAL_SHIFT_MOST: u8 = 3;
/// Every so many items, the first yield is timed. Those after the first, which are rare, always are.
const TIMED_EVERY: usize = 16;
const POINTS_MOST: u8 = 15;

/// A wait, as it begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wait {
    /// How many items had been put, ever.
    pub(super) puts: usize,
    /// Another waits for the same already.
    pub(super) is_behind: bool,
}

/// What those who wait at one queue have learned. Hints, shared without care.
#[derive(Debug)]
pub(super) struct Pace {
    pausing: AtomicU8,
    /// Trials to pause that were in vain, since one was not.
    failed: AtomicU8,
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
            failed: AtomicU8::new(0),
            yielding: AtomicU8::new(POINTS_MOST / 2),
            busy: Busy::new(),
            one_cpu: AtomicBool::new(false),
            of_tasks: Patience::of_tasks(),
        }
    }

    /// Waits awake until `look` says yes; `false` if it is time to sleep. `puts` says how many items have been put by now.
    pub(super) fn wait(&self, wait: Wait, mut look: impl FnMut() -> bool, puts: impl Fn() -> usize) -> bool {
        if look() {
            return true;
        }
        // Loom tries every order by itself.
        if crate::primitive::IS_MODEL {
            return false;
        }
        (!self.is_on_one_cpu(wait.puts) && self.pause(wait, &mut look))
            || self.give_way(wait.puts, &mut look, puts)
    }

    /// As [`wait`](Pace::wait), for a task: some microseconds, and one yield.
    pub(super) fn glance(&self, look: impl FnMut() -> bool) -> bool {
        self.of_tasks.glance(1, Company::NONE, look, || 0)
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

    fn pause(&self, wait: Wait, look: &mut impl FnMut() -> bool) -> bool {
        let points = self.pausing.load(Relaxed);
        if points == 0 && wait.puts % (TRIAL_EVERY << self.failed.load(Relaxed)) != 0 {
            return false;
        }
        let pauses = match (points, wait.is_behind) {
            (_, true) => PAUSES_BEHIND,
            (0, false) => TRIAL_PAUSES,
            (_, false) => PAUSES,
        };
        for _ in 0..pauses {
            spin_loop();
            if look() {
                if points == 0 {
                    self.failed.store(0, Relaxed);
                }
                paid(&self.pausing);
                return true;
            }
        }
        match points {
            0 => self.failed.store((self.failed.load(Relaxed) + 1).min(TRIAL_SHIFT_MOST), Relaxed),
            // One less, not two: of two that wait, one gives way in vain each time.
            _ => self.pausing.store(points - 1, Relaxed),
        }
        false
    }

    fn give_way(&self, before: usize, look: &mut impl FnMut() -> bool, puts: impl Fn() -> usize) -> bool {
        if self.busy.leaves_out() {
            return false;
        }
        if self.yielding.load(Relaxed) == 0 && before % TRIAL_EVERY != 0 {
            return false;
        }
        if before % TIMED_EVERY != 0 && !self.busy.is_recent() {
            std::thread::yield_now();
            if look() {
                paid(&self.yielding);
                return true;
            }
        }
        self.give_way_by_the_clock(before, look, puts)
    }

    #[cold]
    fn give_way_by_the_clock(
        &self,
        before: usize,
        look: &mut impl FnMut() -> bool,
        puts: impl Fn() -> usize,
    ) -> bool {
        let begin = clock::now();
        let (mut last, mut yields) = (begin, 0);
        while yields < YIELDS || last.wrapping_sub(begin) < clock::micros(YIELDING_US) {
            std::thread::yield_now();
            yields += 1;
            let there = look();
            let now = clock::now();
            let took = now.wrapping_sub(last);
            // As in `Patience`.
            let is_lost = || (puts().wrapping_sub(before) as u64) < clock::in_nanos(took) / 1_000;
            if !is_long(took) || is_lost() {
                self.busy.learn(now, took);
            }
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

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{PAUSES, PAUSES_BEHIND, Pace, TRIAL_EVERY, Wait};
    use std::cell::Cell;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread::sleep;
    use std::time::Duration;

    /// How often it was looked, in vain.
    fn looks(pace: &Pace, wait: Wait) -> u32 {
        let looks = Cell::new(0);
        let paid = pace.pause(wait, &mut || {
            looks.set(looks.get() + 1);
            false
        });
        assert!(!paid);
        looks.get()
    }

    #[test]
    fn who_waits_behind_another_pauses_for_longer() {
        let pace = Pace::new();
        assert_eq!(looks(&pace, Wait { puts: 1, is_behind: false }), PAUSES);
        assert_eq!(looks(&pace, Wait { puts: 1, is_behind: true }), PAUSES_BEHIND);
    }

    #[test]
    fn what_has_not_paid_is_tried_ever_less_until_it_pays() {
        let pace = Pace::new();
        pace.pausing.store(0, Relaxed);
        let tried = || {
            let wait = |puts| Wait { puts, is_behind: true };
            (1..=8 * TRIAL_EVERY).filter(|puts| looks(&pace, wait(*puts)) > 0).count()
        };
        let seldom = (tried(), tried());
        assert!(seldom.0 < 8 && seldom.1 == 1, "{seldom:?}");
        assert!(pace.pause(Wait { puts: 0, is_behind: true }, &mut || true));
        pace.pausing.store(0, Relaxed);
        assert!(looks(&pace, Wait { puts: TRIAL_EVERY, is_behind: true }) > 0, "it has paid");
    }

    #[test]
    fn a_slice_in_which_items_came_all_the_time_was_not_lost() {
        let learns_of_one = |came: usize| {
            let (pace, puts) = (Pace::new(), Cell::new(0));
            let mut comes_late = || {
                sleep(Duration::from_millis(3));
                puts.set(came);
                true
            };
            assert!(pace.give_way(0, &mut comes_late, || puts.get()));
            pace.busy.is_recent()
        };
        assert!(learns_of_one(128) && !learns_of_one(1_000_000_000));
    }
}
