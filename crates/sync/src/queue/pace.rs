//! How those who wait for a ring wait awake: in the rhythm in which items come.
//!
//! A consumer who catches each item the moment it comes makes every item a transfer of cache lines between CPUs, which takes
//! longer than the item. So he looks in *steps*: where items come several at a time he looks less often, and finds more. Where
//! they come one by one, each perhaps an answer to the last, he looks all the time, and now and then tries whether that is
//! still so. A producer who waits for room waits until a good part of the queue is free, for the same reason. And he looks but once or twice
//! meanwhile: each look takes from the consumers the cache line that they need for each item.
//!
//! A consumer who is a little faster than the producer need not find the queue empty for that to happen: he takes what came, finds
//! the little that came meanwhile, and then less, until he takes each item as it comes. So a lone one pauses for a step then, too.

use crate::os;
use crate::primitive::spin_loop;
use crate::wait::crowd::{Company, Crowd};
use crate::wait::patience::Patience;
use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Instant;

/// The longest step of one who waits for a single one: in the 0.7 µs that it takes, some tens of items come.
const LONGEST: u8 = 64;
/// Every so many waits in steps of one pause, one is in steps of this length.
const TRIAL_EVERY: u8 = 16;
const TRIAL: u8 = 32;
/// As many items or fewer at a time are single ones.
const SINGLE: usize = 2;
/// As many items at a time are enough: looking less often would win little.
const PLENTY: usize = 64;

/// What those who wait for one thing have learned. Hints, shared without care.
#[derive(Debug)]
pub(super) struct Pace {
    patience: Patience,
    /// The same for tasks, for which it may pay in other cases: what they wait for may be up to their own thread.
    of_tasks: Patience,
    /// How many pauses there are between two looks.
    step: AtomicU8,
    /// Waits in steps of one since the last trial.
    waits: AtomicU8,
    /// Where those who wait are many.
    crowd: Option<Crowd>,
}

/// The pace of those who wait at one end of a ring, and of those at the other end, who bring it.
#[derive(Clone, Copy)]
pub(super) struct Paces<'r> {
    pub(super) here: &'r Pace,
    pub(super) across: &'r Pace,
}

impl Paces<'_> {
    /// Waits awake until `look` sees `enough`, or at the end at least one; `false` if it is time to sleep. So many have `moved` so far, ever.
    /// On a thread that [sleeps on words](crate::park::plain).
    pub(super) fn wait(
        self,
        deadline: Option<Instant>,
        enough: usize,
        look: impl Fn() -> usize,
        moved: impl Fn() -> usize,
    ) -> bool {
        let pace = self.here;
        let waits_for_much = enough > 1;
        let step = if waits_for_much { pace.step.load(Relaxed) } else { pace.step() };
        let (found, mut looks) = (Cell::new(0), 0);
        let is_enough = || {
            found.set(look());
            looks += 1;
            found.get() >= enough
        };
        let company = Company { may_nap: true, deadline, found: Some(&found), ..self.company() };
        let is_there = pace.patience.wait_in_steps(u32::from(step), company, is_enough, moved);
        let found = found.get();
        match waits_for_much {
            true if found > 0 => pace.learn_to_look_once(step, looks, found / enough),
            // What has not come at all says nothing of how long to wait for it.
            true => pace.keep(1),
            false => pace.learn(step, found),
        }
        is_there || found > 0
    }

    /// As [`wait`](Paces::wait), for a task and a single one: some microseconds, and one yield.
    pub(super) fn glance(self, look: impl Fn() -> usize, moved: impl Fn() -> usize) -> bool {
        let pace = self.here;
        let step = pace.step().min(LONGEST);
        let mut found = None;
        let is_there = || {
            let now = look();
            found = Some(now);
            now > 0
        };
        pace.of_tasks.glance(u32::from(step), self.company(), is_there, moved);
        // Who has not looked has learned nothing.
        found.is_some_and(|found| {
            pace.learn(step, found);
            found > 0
        })
    }

    fn company(&self) -> Company<'_> {
        let (beside, across) = (self.here.crowd.as_ref(), self.across.crowd.as_ref());
        Company { beside, across, ..Company::NONE }
    }
}

impl Pace {
    /// Of one who waits, or of `many`.
    pub(super) const fn new(many: bool) -> Self {
        Pace {
            patience: Patience::new(),
            of_tasks: Patience::of_tasks(),
            step: AtomicU8::new(1),
            waits: AtomicU8::new(0),
            crowd: if many { Some(Crowd::new()) } else { None },
        }
    }

    /// Where items come many at a time and few are there, pauses for a step. Of `most` that there can be, a quarter is many.
    #[cold]
    #[inline(never)]
    pub(super) fn let_more_come(&self, most: usize, look: impl Fn() -> usize) {
        let (step, few) = (self.step.load(Relaxed), look());
        if step > 1 && few < PLENTY.min(most / 4) && os::cpus() > 1 {
            (0..step).for_each(|_| spin_loop());
            let found = look();
            // Where nothing came, nothing may be to come.
            self.learn(step, if found > few { found } else { 0 });
        }
    }

    /// After a wait for much, of which so many `times` as much was found as is enough.
    fn learn_to_look_once(&self, step: u8, looks: u32, times: usize) {
        self.keep(match (looks, times) {
            (_, 2..) => (step / 2).max(1),
            (0..=1, _) => step,
            _ => step.saturating_mul(2),
        });
    }

    fn step(&self) -> u8 {
        let step = self.step.load(Relaxed);
        if step > 1 {
            return step;
        }
        let waits = self.waits.load(Relaxed).wrapping_add(1) % TRIAL_EVERY;
        self.waits.store(waits, Relaxed);
        if waits == 0 { TRIAL } else { 1 }
    }

    fn learn(&self, step: u8, found: usize) {
        self.keep(match found {
            0..=SINGLE => 1,
            PLENTY.. => step,
            _ => step.saturating_mul(2).min(LONGEST),
        });
    }

    fn keep(&self, next: u8) {
        if next != self.step.load(Relaxed) {
            self.step.store(next, Relaxed);
        }
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{Pace, Paces, Relaxed};
    use std::cell::Cell;

    fn alone(pace: &Pace) -> Paces<'_> {
        Paces { here: pace, across: pace }
    }

    #[test]
    fn who_waits_for_much_comes_to_look_once() {
        if crate::os::cpus() == 1 {
            // There, nobody pauses between two looks.
            return;
        }
        let pace = Pace::new(false);
        // A slot gets free in each pause, as far as a look can tell.
        let wait_for = |enough: usize| {
            let (looks, room) = (Cell::new(0), Cell::new(0));
            let look = || {
                looks.set(looks.get() + 1);
                room.set(room.get() + usize::from(pace.step.load(Relaxed)));
                room.get()
            };
            assert!(alone(&pace).wait(None, enough, look, || 0));
            looks.get()
        };
        assert!(wait_for(64) > 2, "it has to be learned");
        for _ in 0..6 {
            wait_for(64);
        }
        assert!(wait_for(64) <= 2);
        for _ in 0..8 {
            wait_for(2);
        }
        assert!(pace.step.load(Relaxed) < 16, "what comes soon would lie idle");
    }

    #[test]
    fn who_waits_for_more_than_comes_learns_to_look_less_too() {
        if crate::os::cpus() == 1 {
            // There, a turn that takes long ends a wait after one look, or before it.
            return;
        }
        let pace = Pace::new(false);
        for step in [2, 4] {
            assert!(alone(&pace).wait(None, 2, || 1, || 0), "there is some room");
            assert_eq!(pace.step.load(Relaxed), step);
        }
        assert!(!alone(&pace).wait(None, 2, || 0, || 0));
        assert_eq!(pace.step.load(Relaxed), 1, "nothing came");
    }
}

#[cfg(all(test, target_os = "linux", not(any(miri, trefoil_loom, trefoil_shuttle))))]
mod calls_on_one_cpu {
    use super::Pace;
    use crate::os;
    use crate::queue::Queue;
    use crate::queue::flavour::Flavour;
    use std::thread;
    use std::time::{Duration, Instant};

    /// Calls `wait`, which is in vain, until it has called who naps for what `pace` is for; `others` are called by nobody.
    fn end_a_nap(pace: &Pace, others: &Pace, wait: impl Fn(Duration)) {
        let crowd = pace.crowd.as_ref().unwrap();
        let calls_of_others = || others.crowd.as_ref().unwrap().calls();
        let (begin, calls_before) = (Instant::now(), calls_of_others());
        thread::scope(|scope| {
            let napper = scope.spawn(|| {
                while crowd.calls() == 0 && begin.elapsed() < Duration::from_secs(60) {
                    crowd.nap();
                }
            });
            while !napper.is_finished() {
                wait(Duration::from_millis(5));
            }
        });
        assert!(crowd.calls() > 0, "nobody was called in a minute");
        assert_eq!(calls_of_others(), calls_before);
    }

    #[test]
    fn who_waits_in_vain_calls_those_who_nap_across() {
        if !os::is_on_one_cpu("queue::pace::calls_on_one_cpu::who_waits_in_vain_calls_those_who_nap_across") {
            return;
        }
        let queue = Queue::bounded(2);
        let Flavour::Ring(ring) = &queue.flavour else { unreachable!("there is room for two") };
        end_a_nap(&ring.for_room, &ring.for_items, |limit| assert!(queue.get_timeout(limit).is_err()));
        for item in 0..2 {
            queue.put(item).unwrap();
        }
        end_a_nap(&ring.for_items, &ring.for_room, |limit| assert!(queue.put_timeout(2, limit).is_err()));
    }
}
