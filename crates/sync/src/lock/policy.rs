//! When the lock is handed over, and for whom it pays to wait without sleeping.
//!
//! All numbers are hints: they are written by the owner or by whoever has the queue ([`Newcomers`] by anybody), read by anybody, and no
//! decision that rests on them can lose a wake-up. The measurements behind the constants are in `docs/design/mutex.md`.

use crate::os::{self, clock};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering::Relaxed};

/// While the lock changes hands faster than this, an attempt to take it would mostly take the cache line from an owner who
/// is about to come back. 300 ns made threads sleep that have work of their own between two acquisitions.
const HOT_NS: u32 = 150;
/// An owner who has work of his own between two acquisitions leaves the lock to whoever looks in 999 of 1,000 cases; one who
/// comes back at once takes it again before him in two of three or more. The score goes no further than this; above half of it, newcomers
/// are passed by.
const PASSED_MOST: u8 = 8;
/// The period is kept in one byte, in this unit.
const PERIOD_UNIT_NS: u32 = 2;
/// Everybody who waits has his turn within this time, if the bounds of the quantum allow it. Longer, and the longest wait
/// grows; shorter, and with many waiters the lock is handed over all the time.
const ROUND_US: u32 = 4_000;
const QUANTUM_US_MIN: u32 = 50;
const QUANTUM_US_MAX: u32 = 200;
/// On one CPU all of that is so many times as long: whoever is handed the lock needs the CPU, too, and nothing else is done while it changes
/// hands. The scheduler gives turns of some milliseconds there, so it is still the lock that makes them short.
const TIMES_ON_ONE_CPU: u32 = 2;
/// The owner is this late on purpose: the head, where he is awake, sees by himself that he is due.
const OWNER_LATE_US: u32 = 40;
/// So often the owner looks at the clock in a quantum, or half as often: a number of takes is rounded up to a power of two.
const LOOKS_PER_QUANTUM: u32 = 16;
/// But not more seldom than at every so many-th release: the lock may slow down meanwhile. A look takes some 70 ns, so at every 256th it would
/// be a fifteenth of what a lock costs that is held for nothing.
pub(super) const SKIP_MOST: u32 = 1 << 11;
/// After so many acquisitions without a waiter, releasing gets cheap again and waiting dear: about what a heavy barrier costs,
/// divided by what a full barrier costs at each release.
const CALM_TAKES: u32 = 2_000;

/// A task that was told has this long to come. A runtime that is only busy should make it; who waits behind one that does not
/// waits as long for nothing.
pub(super) const PATIENCE_US: u32 = 1_000;

pub(super) struct Policy {
    /// Who releases looks at the clock where these bits of `takes` are 0: every so many-th, and nothing is to be counted for it.
    skip: AtomicU16,
    /// How many wait; wrong when it has been more than can be said, until nobody does.
    waiting: AtomicU8,
    /// The time from one acquisition to the next, of late, or the longest that can be said.
    period: AtomicU8,
    /// How often the lock was taken; wraps.
    takes: AtomicU32,
    /// `takes` and the time at the last look.
    last_takes: AtomicU32,
    last_look: AtomicU32,
    /// While somebody waits, since when the head is head; afterwards `takes` when the last one left.
    since: AtomicU32,
    /// Loom knows no time: whether every head is due at once.
    #[cfg(trefoil_loom)]
    pub(super) impatient: std::sync::atomic::AtomicBool,
}

/// How often of late a newcomer who looked was passed by, less how often not. Apart from the policy, which has no room for it.
pub(super) struct Newcomers(AtomicU8);

impl Newcomers {
    pub(super) const fn new() -> Self {
        Newcomers(AtomicU8::new(0))
    }

    /// One has looked whether the lock is given back; whether others took it meanwhile.
    pub(super) fn learn(&self, was_passed_by: bool) {
        let before = self.0.load(Relaxed);
        let passed = if was_passed_by { PASSED_MOST.min(before + 1) } else { before.saturating_sub(1) };
        if passed != before {
            self.0.store(passed, Relaxed);
        }
    }

    /// Whether owners come back so soon that whoever waits awake gets the lock by luck only. He would have little of it, it
    /// would go to and fro, and one CPU may be luckier than another.
    pub(super) fn are_passed_by(&self) -> bool {
        self.0.load(Relaxed) > PASSED_MOST / 2
    }
}

/// How long the first of so many who wait may be passed by, in ticks.
pub(crate) fn quantum(waiting: u32) -> u32 {
    let quantum = clock::micros((ROUND_US / waiting.max(1)).clamp(QUANTUM_US_MIN, QUANTUM_US_MAX));
    if os::cpus() == 1 { quantum * TIMES_ON_ONE_CPU } else { quantum }
}

impl Policy {
    pub(super) const fn new() -> Self {
        Policy {
            #[cfg(trefoil_loom)]
            impatient: std::sync::atomic::AtomicBool::new(false),
            skip: AtomicU16::new(0),
            waiting: AtomicU8::new(0),
            period: AtomicU8::new(u8::MAX),
            takes: AtomicU32::new(0),
            last_takes: AtomicU32::new(0),
            last_look: AtomicU32::new(0),
            since: AtomicU32::new(0),
        }
    }

    /// As the owner: one more acquisition.
    #[inline(always)]
    pub(super) fn count(&self) {
        // Not one step, for nobody else writes.
        self.takes.store(self.takes.load(Relaxed).wrapping_add(1), Relaxed);
    }

    pub(super) fn takes(&self) -> u32 {
        self.takes.load(Relaxed)
    }

    /// As the owner who took the lock from the spin: measures now and then.
    pub(super) fn measure_sometimes(&self) {
        if self.takes() % 8 == 0 {
            self.measure(clock::now());
        }
    }

    /// As the owner: whether this release need not look at the clock.
    #[inline(always)]
    pub(super) fn skips_the_clock(&self) -> bool {
        #[cfg(trefoil_loom)]
        if self.impatient.load(Relaxed) {
            return false;
        }
        self.takes() & u32::from(self.skip.load(Relaxed)) != 0
    }

    /// As the owner: whether the head has waited for long enough.
    pub(super) fn look_at_the_clock(&self) -> bool {
        #[cfg(trefoil_loom)]
        if self.impatient.load(Relaxed) {
            return true;
        }
        let now = clock::now();
        let period = self.measure(now).max(1);
        let quantum = self.quantum();
        let skip = (quantum / LOOKS_PER_QUANTUM / period).clamp(1, SKIP_MOST);
        self.skip.store((skip.next_power_of_two() - 1) as u16, Relaxed);
        self.head_for(now) > quantum + clock::micros(OWNER_LATE_US)
    }

    /// Ticks from one acquisition to the next since the last look.
    fn measure(&self, now: u32) -> u32 {
        let takes = self.takes();
        let count = takes.wrapping_sub(self.last_takes.load(Relaxed)).max(1);
        let passed = now.wrapping_sub(self.last_look.load(Relaxed));
        // Too little to say anything.
        if count >= 4 && passed >= 8 {
            self.last_takes.store(takes, Relaxed);
            self.last_look.store(now, Relaxed);
            let period = clock::in_nanos(passed) / u64::from(count) / u64::from(PERIOD_UNIT_NS);
            self.period.store(u8::try_from(period).unwrap_or(u8::MAX), Relaxed);
        }
        passed / count
    }

    /// Whether the lock changes hands so fast that it is better left alone.
    pub(super) fn is_hot(&self) -> bool {
        u32::from(self.period.load(Relaxed)) < HOT_NS / PERIOD_UNIT_NS
    }

    /// How long the head may be passed by, in ticks.
    pub(super) fn quantum(&self) -> u32 {
        quantum(self.waiting.load(Relaxed).into())
    }

    pub(super) fn now(&self) -> u32 {
        clock::now()
    }

    /// Whether somebody who was told then should have come by now.
    pub(super) fn is_late(&self, told_at: u32, now: u32) -> bool {
        #[cfg(trefoil_loom)]
        if self.impatient.load(Relaxed) {
            return true;
        }
        clock::passed(told_at, now) >= clock::micros(PATIENCE_US)
    }

    /// For how long the head has been head, in ticks.
    pub(super) fn head_for(&self, now: u32) -> u32 {
        clock::passed(self.since.load(Relaxed), now)
    }

    /// As the owner, while nobody waits: whether that has been so for a while.
    pub(super) fn has_been_calm(&self) -> bool {
        self.takes().wrapping_sub(self.since.load(Relaxed)) > CALM_TAKES
    }

    /// Whoever has the queue: it has a new head.
    pub(super) fn new_head(&self, now: u32) {
        self.since.store(now, Relaxed);
        // The owner is to look at the clock soon.
        self.skip.store(0, Relaxed);
    }

    /// Whoever has the queue: somebody has come.
    pub(super) fn one_more(&self) {
        self.waiting.store(self.waiting.load(Relaxed).saturating_add(1), Relaxed);
    }

    /// Whoever has the queue: somebody has left; whether nobody is left.
    pub(super) fn one_less(&self, none_left: bool) {
        let left = match self.waiting.load(Relaxed) {
            _ if none_left => 0,
            // So many or more: who knows how many are left. Too many make turns shorter, and too few longer than is promised.
            u8::MAX => u8::MAX,
            waiting => waiting.saturating_sub(1),
        };
        self.waiting.store(left, Relaxed);
        if none_left {
            self.since.store(self.takes(), Relaxed);
        }
    }
}

#[cfg(all(test, target_os = "linux", not(any(miri, trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{Policy, clock, os, quantum};

    #[test]
    fn of_more_than_can_be_counted_too_many_are_left() {
        let policy = Policy::new();
        let shortest = quantum(u32::MAX);
        (0..300).for_each(|_| policy.one_more());
        (0..299).for_each(|_| policy.one_less(false));
        assert_eq!(policy.quantum(), shortest);
        policy.one_less(true);
        assert_eq!(policy.quantum(), quantum(0));
        (0..3).for_each(|_| policy.one_more());
        policy.one_less(false);
        assert_eq!(policy.quantum(), quantum(2));
    }

    #[test]
    fn who_is_told_later_than_somebody_has_looked_at_the_clock_is_not_late() {
        let policy = Policy::new();
        let told_at = policy.now();
        assert!(!policy.is_late(told_at, told_at.wrapping_sub(1)));
        assert!(
            !policy.is_late(told_at, told_at)
                && policy.is_late(told_at, told_at.wrapping_add(clock::micros(1_001)))
        );
        policy.new_head(told_at);
        assert_eq!(policy.head_for(told_at.wrapping_sub(1)), 0);
    }

    #[test]
    fn a_turn_is_twice_as_long_on_one_cpu() {
        let on_one = os::is_on_one_cpu("lock::policy::tests::a_turn_is_twice_as_long_on_one_cpu");
        let times = if on_one { 2 } else { 1 };
        for (waiting, micros) in [(0, 200), (1, 200), (32, 125), (1_000, 50)] {
            assert_eq!(quantum(waiting), clock::micros(micros) * times);
        }
    }
}
