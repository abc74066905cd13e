//! Whether it pays to wait awake for a moment before sleeping.
//!
//! Waking a thread that sleeps costs a microsecond on its own CPU and tens of them on another; what it waits for is often
//! there sooner. So a thread first *pauses*: looks again and again, where another CPU may bring it. Then it *yields*: lets others
//! run on its own CPU, which is the fastest hand-over there is where there is only one. Both are kept up only where they have paid
//! of late; otherwise they are tried now and then.
//!
//! All of it is hints, shared by those who wait for the same thing: lost updates do no harm.

use super::crowd::Company;
use crate::os::{self, clock};
use crate::primitive::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, Ordering::Relaxed};

/// About two microseconds, which is a hand-over between two CPUs ten times over.
const PAUSES: u32 = 200;
/// Of the second who waits: longer than the other one pauses, and his CPU takes to go over to somebody else.
const PAUSES_OF_SECOND: u32 = 800;
/// What a task does before it queues up: longer than whoever puts an item is away to wake somebody, or each item that finds a task
/// asleep would find it asleep the next time, too.
const GLANCE_PAUSES: u32 = 400;
/// So many that paid may follow each other; the next one is left out. A task that is served in each poll is never pending, and its
/// executor's other tasks wait for that.
const GLANCES_IN_A_ROW: u8 = 64;
const YIELDS: u32 = 64;
/// After so many turns in which something came, and others had it, one of a crowd naps.
const LOST_TURNS: u32 = 2;
/// A trial after so many waits in which nothing was tried; after each trial in vain, after twice as many, up to `TRIAL_SHIFT_MOST`
/// times.
const TRIAL_EVERY: u16 = 128;
const TRIAL_SHIFT_MOST: u8 = 5;
/// Longer than it takes to wake a thread on another CPU. Two threads that answer each other and both sleep are as slow as the
/// wake-ups; one of them has to stay awake until the other has been woken to find out that they could be fast.
const TRIAL_PAUSES: u32 = 8_000;
const TRIAL_YIELDS: u32 = 4;
/// A yield that takes longer than this gave the CPU to somebody with work of his own, and to yield beside such a one costs a
/// slice of the scheduler each time.
const BUSY_US: u32 = 1_000;
/// Waits go by without a yield at most for so long.
const BAN_MOST_US: u32 = 200_000;
pub(super) const SCORE_MOST: u8 = 15;

/// What those who wait for one thing have learned about it.
#[derive(Debug)]
pub(crate) struct Patience {
    pausing: Score,
    yielding: Score,
    busy: Busy,
    /// Glances that have paid since one did not.
    in_a_row: AtomicU8,
}

/// Whether somebody with work of his own is on the CPU, beside whom each yield may cost a slice.
///
/// After a yield that took long, waits go by without one for as long again. If the next long one comes within as long again after that, it
/// was no exception, and they do so for twice as long: what is lost is soon a small part of the time, and as much as was lost
/// already at most.
#[derive(Debug)]
pub(crate) struct Busy {
    is_banned: AtomicBool,
    /// When the last ban ends or ended, and how long it was. In ticks.
    until: AtomicU32,
    ban: AtomicU32,
}

/// How well something has paid: one more when it did, two fewer when not.
#[derive(Debug)]
pub(super) struct Score {
    points: AtomicU8,
    /// Waits since the last trial.
    skipped: AtomicU16,
    /// Trials in vain since it last paid.
    failed: AtomicU8,
}

impl Patience {
    pub(crate) const fn new() -> Self {
        Self::with_points(SCORE_MOST / 2)
    }

    /// Of tasks, whose threads have others to run: there it has to have paid before it is more than tried now and then. Many queues
    /// are waited for a few times only.
    pub(crate) const fn of_tasks() -> Self {
        Self::with_points(0)
    }

    const fn with_points(points: u8) -> Self {
        Patience {
            pausing: Score::new(points),
            yielding: Score::new(points),
            busy: Busy::new(),
            in_a_row: AtomicU8::new(0),
        }
    }

    /// Waits awake until `look` says yes; `false` if it is time to sleep.
    #[inline]
    pub(crate) fn wait(&self, mut look: impl FnMut() -> bool) -> bool {
        look() || self.wait_in_steps(1, Company::NONE, look, || 0)
    }

    /// As [`wait`](Patience::wait), with so many pauses before each look, the first one too. `moved` says how many
    /// have come so far, of which some are waited for: where they come all the time, a yield that takes long was not lost.
    pub(crate) fn wait_in_steps(
        &self,
        step: u32,
        company: Company<'_>,
        mut look: impl FnMut() -> bool,
        moved: impl Fn() -> usize,
    ) -> bool {
        // Loom tries every order by itself.
        if crate::primitive::IS_MODEL {
            return false;
        }
        if os::cpus() == 1 {
            return self.give_way(self.yields(YIELDS, TRIAL_YIELDS), company, &mut look, moved);
        }
        let crowd = company.beside;
        let (pausing, pauses) = match crowd {
            Some(crowd) if crowd.awake.fetch_add(1, Relaxed) == 1 => {
                (&crowd.pausing, crowd.pausing.length(PAUSES_OF_SECOND, PAUSES_OF_SECOND))
            }
            _ => (&self.pausing, self.pausing.length(PAUSES, TRIAL_PAUSES)),
        };
        let is_there = pausing.pause(pauses, step, &mut look)
            // Who naps might leave a CPU to nobody.
            || self.give_way(self.yields(YIELDS, TRIAL_YIELDS), Company::NONE, &mut look, moved);
        if let Some(crowd) = crowd {
            crowd.awake.fetch_sub(1, Relaxed);
        }
        is_there
    }

    /// As [`wait_in_steps`](Patience::wait_in_steps), for a task, whose thread may have others to run: some microseconds, and one yield.
    pub(crate) fn glance(
        &self,
        step: u32,
        company: Company<'_>,
        mut look: impl FnMut() -> bool,
        moved: impl Fn() -> usize,
    ) -> bool {
        if crate::primitive::IS_MODEL {
            return false;
        }
        let in_a_row = self.in_a_row.load(Relaxed);
        if in_a_row >= GLANCES_IN_A_ROW {
            self.in_a_row.store(0, Relaxed);
            return false;
        }
        // The clock is read where there is something to be timed: where it has never paid, a poll costs no more for it.
        let (mut begin, mut is_there) = (None, false);
        let pauses = self.pausing.length(GLANCE_PAUSES, GLANCE_PAUSES);
        if pauses > 0 && os::cpus() > 1 {
            begin = Some(clock::now());
            is_there = self.pausing.pause(pauses, step, &mut look);
        }
        if !is_there {
            let yields = self.yields(1, 1);
            if yields > 0 {
                begin = begin.or_else(|| Some(clock::now()));
                is_there = self.give_way(yields, company, &mut look, moved);
            }
        }
        // What took a slice of the scheduler's is as long as many of them, even if it has paid.
        let next = match begin {
            Some(begin) if is_there && is_long(clock::now().wrapping_sub(begin)) => GLANCES_IN_A_ROW,
            Some(_) if is_there => in_a_row + 1,
            _ => 0,
        };
        if next != in_a_row {
            self.in_a_row.store(next, Relaxed);
        }
        is_there
    }

    /// How often to yield this time.
    fn yields(&self, whole: u32, trial: u32) -> u32 {
        if self.busy.leaves_out() {
            return 0;
        }
        self.yielding.length(whole, trial)
    }

    fn give_way(
        &self,
        yields: u32,
        company: Company<'_>,
        look: &mut impl FnMut() -> bool,
        moved: impl Fn() -> usize,
    ) -> bool {
        if yields == 0 {
            company.call();
            return false;
        }
        let (before, mut begin) = (moved(), clock::now());
        let (mut seen, mut lost) = (before, 0);
        for _ in 0..yields {
            std::thread::yield_now();
            let is_there = look();
            let now = clock::now();
            let took = now.wrapping_sub(begin);
            // Who had the CPU may have been one of those who bring it: then more than one came in each microsecond.
            let is_lost = || (moved().wrapping_sub(before) as u64) < clock::in_nanos(took) / 1_000;
            if !is_long(took) || is_lost() {
                self.busy.learn(now, took);
            }
            if is_there {
                self.yielding.paid();
                return true;
            }
            if is_long(took) {
                break;
            }
            begin = now;
            let now = moved();
            if now == seen {
                company.call();
                continue;
            }
            (seen, lost) = (now, lost + u32::from(company.found_nothing()));
            if lost == LOST_TURNS && company.found_nothing() {
                if let Some(crowd) = company.to_nap_beside() {
                    crowd.nap();
                    return look();
                }
            }
        }
        self.yielding.did_not_pay(yields);
        false
    }
}

/// Whether a yield gave the CPU to somebody with work of his own.
pub(crate) fn is_long(took: u32) -> bool {
    took > clock::micros(BUSY_US)
}

impl Busy {
    pub(crate) const fn new() -> Self {
        Busy { is_banned: AtomicBool::new(false), until: AtomicU32::new(0), ban: AtomicU32::new(0) }
    }

    /// Whether this wait is to go by without a yield.
    #[inline]
    pub(crate) fn leaves_out(&self) -> bool {
        self.is_banned.load(Relaxed) && self.is_banned_at(clock::now())
    }

    #[cold]
    fn is_banned_at(&self, now: u32) -> bool {
        let left = self.until.load(Relaxed).wrapping_sub(now);
        // One that has ended lies behind, which is far ahead where time wraps.
        let is_banned = left <= self.ban.load(Relaxed);
        if !is_banned {
            self.is_banned.store(false, Relaxed);
        }
        is_banned
    }

    /// Whether somebody else was busy of late, so that yields are to be timed.
    #[inline]
    pub(crate) fn is_recent(&self) -> bool {
        self.ban.load(Relaxed) > 0
    }

    /// A yield that has ended `now` took so long.
    #[inline]
    pub(crate) fn learn(&self, now: u32, took: u32) {
        if is_long(took) {
            self.learn_of_a_long_one(now, took);
        } else if self.is_recent() {
            self.forget(now);
        }
    }

    /// Where no yield has taken long for as long as the last ban.
    #[cold]
    fn forget(&self, now: u32) {
        if !self.is_banned.load(Relaxed)
            && now.wrapping_sub(self.until.load(Relaxed)) > self.ban.load(Relaxed)
        {
            self.ban.store(0, Relaxed);
        }
    }

    #[cold]
    fn learn_of_a_long_one(&self, now: u32, took: u32) {
        // Several waiters may lose the same slice; one of them has learned it for all.
        if self.is_banned.load(Relaxed) && self.is_banned_at(now) {
            return;
        }
        self.forget(now.wrapping_sub(took));
        let ban = self.ban.load(Relaxed).saturating_mul(2).max(took).min(clock::micros(BAN_MOST_US));
        self.ban.store(ban, Relaxed);
        self.until.store(now.wrapping_add(ban), Relaxed);
        self.is_banned.store(true, Relaxed);
    }
}

impl Score {
    pub(super) const fn new(points: u8) -> Self {
        Score { points: AtomicU8::new(points), skipped: AtomicU16::new(0), failed: AtomicU8::new(0) }
    }

    fn pause(&self, pauses: u32, step: u32, look: &mut impl FnMut() -> bool) -> bool {
        let (mut paused, pauses) = (0, if pauses > 0 { pauses.max(2 * step) } else { 0 });
        while paused < pauses {
            (0..step).for_each(|_| spin_loop());
            paused += step;
            if look() {
                self.paid();
                return true;
            }
        }
        self.did_not_pay(pauses);
        false
    }

    /// How long to try this time.
    fn length(&self, whole: u32, trial: u32) -> u32 {
        if self.points.load(Relaxed) > 0 {
            return whole;
        }
        let failed = self.failed.load(Relaxed);
        let skipped = self.skipped.load(Relaxed) + 1;
        if skipped < TRIAL_EVERY << failed {
            self.skipped.store(skipped, Relaxed);
            return 0;
        }
        self.skipped.store(0, Relaxed);
        self.failed.store((failed + 1).min(TRIAL_SHIFT_MOST), Relaxed);
        trial
    }

    fn paid(&self) {
        let points = self.points.load(Relaxed);
        if points < SCORE_MOST {
            self.points.store(points + 1, Relaxed);
        }
        if points == 0 {
            self.failed.store(0, Relaxed);
        }
    }

    fn did_not_pay(&self, tried: u32) {
        if tried > 0 {
            self.points.store(self.points.load(Relaxed).saturating_sub(2), Relaxed);
        }
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{
        BUSY_US, Busy, Company, GLANCES_IN_A_ROW, LOST_TURNS, PAUSES, PAUSES_OF_SECOND, Patience, Score,
    };
    use crate::os::{self, clock};
    use crate::wait::crowd::{Crowd, NAP};
    use std::cell::Cell;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread::{self, sleep};
    use std::time::{Duration, Instant};

    /// How often one of a crowd looks in vain, if so many wait awake already.
    fn looks_beside(crowd: &Crowd, awake: u32) -> u32 {
        let (patience, looks) = (Patience::new(), Cell::new(0));
        patience.yielding.points.store(0, Relaxed);
        crowd.awake.store(awake, Relaxed);
        let in_vain = || {
            looks.set(looks.get() + 1);
            false
        };
        assert!(!patience.wait_in_steps(1, Company { beside: Some(crowd), ..Company::NONE }, in_vain, || 0));
        assert_eq!(crowd.awake.load(Relaxed), awake, "whoever has waited has gone");
        looks.get()
    }

    #[test]
    fn the_second_pauses_for_longer_as_long_as_that_pays() {
        let (crowd, is_alone) = (Crowd::new(), os::cpus() == 1);
        let expected = |pauses: u32| if is_alone { 0 } else { pauses };
        assert_eq!(looks_beside(&crowd, 0), expected(PAUSES));
        assert_eq!(looks_beside(&crowd, 1), expected(PAUSES_OF_SECOND));
        assert_eq!(looks_beside(&crowd, 2), expected(PAUSES), "the third");
        let trials = (0..100).filter(|_| looks_beside(&crowd, 1) > 0).count();
        assert!(trials < 10, "it has never paid, and was tried {trials} times");
        assert_eq!(looks_beside(&crowd, 0), expected(PAUSES), "that says nothing of the first");
    }

    /// Gives way, in vain, while so many come each time.
    fn gives_way_in_vain(company: Company<'_>, come: usize) {
        let (patience, moved) = (Patience::new(), Cell::new(0));
        let others_have_it = &mut || {
            moved.set(moved.get() + come);
            false
        };
        assert!(!patience.give_way(2 * LOST_TURNS, company, others_have_it, || moved.get()));
    }

    /// A turn that takes long is the last: on a busy machine it may take some attempts.
    fn until(is_so: impl Fn() -> bool, mut attempt: impl FnMut()) {
        let begin = Instant::now();
        while !is_so() {
            assert!(begin.elapsed() < Duration::from_secs(60));
            attempt();
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "each turn takes too long there, so that nobody takes a second")]
    fn whoever_has_his_turns_for_nothing_naps() {
        let crowd = Crowd::new();
        let company = Company { beside: Some(&crowd), may_nap: true, ..Company::NONE };
        for _ in 0..10 {
            gives_way_in_vain(company, 0);
            gives_way_in_vain(Company { may_nap: false, ..company }, 1);
            gives_way_in_vain(Company { deadline: Some(Instant::now() + NAP), ..company }, 1);
        }
        assert_eq!(crowd.naps(), 0, "nobody had them, or he must not, or has no time");
        let far = || Some(Instant::now() + 1_000 * NAP);
        until(|| crowd.naps() > 0, || gives_way_in_vain(Company { deadline: far(), ..company }, 1));
        assert_eq!(crowd.naps(), 1, "a nap is the end of a wait");
    }

    /// It is left for him, until it is enough. If he is the only one who puts, nobody is there who would put it to use meanwhile.
    #[test]
    #[cfg_attr(miri, ignore = "each turn takes too long there, so that nobody takes a second")]
    fn whoever_has_found_a_little_does_not_nap() {
        let (crowd, found) = (Crowd::new(), Cell::new(1));
        let company = Company { beside: Some(&crowd), may_nap: true, found: Some(&found), ..Company::NONE };
        (0..10).for_each(|_| gives_way_in_vain(company, 1));
        assert_eq!(crowd.naps(), 0);
        found.set(0);
        until(|| crowd.naps() > 0, || gives_way_in_vain(company, 1));
    }

    #[test]
    fn where_there_are_several_cpus_nobody_naps() {
        let (crowd, patience, moved) = (Crowd::new(), Patience::new(), Cell::new(0));
        let company = Company { beside: Some(&crowd), may_nap: true, ..Company::NONE };
        let others_have_it = || {
            moved.set(moved.get() + 1);
            false
        };
        if os::cpus() > 1 {
            assert!(!patience.wait_in_steps(1, company, others_have_it, || moved.get()));
            assert_eq!(crowd.naps(), 0);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "each turn takes too long there, so that nobody takes a second")]
    fn whoever_waits_while_nothing_comes_calls_those_who_nap() {
        let crowd = Crowd::new();
        let company = Company { across: Some(&crowd), ..Company::NONE };
        (0..10).for_each(|_| gives_way_in_vain(company, 0));
        assert_eq!(crowd.calls(), 0, "nobody naps");
        thread::scope(|scope| {
            let napper = scope.spawn(|| until(|| crowd.calls() > 0, || crowd.nap()));
            until(|| crowd.naps() > 0, thread::yield_now);
            (0..10).for_each(|_| gives_way_in_vain(company, 1));
            assert_eq!(crowd.calls(), 0, "something comes");
            until(|| napper.is_finished(), || gives_way_in_vain(company, 0));
            // Who does not yield at all goes to sleep.
            let (crowd, calls) = (&crowd, crowd.calls());
            scope.spawn(move || until(|| crowd.calls() > calls, || crowd.nap()));
            until(|| crowd.calls() > calls, || _ = Patience::new().give_way(0, company, &mut || false, || 0));
        });
    }

    #[test]
    fn a_task_that_is_served_in_each_glance_is_pending_now_and_then() {
        let patience = Patience::new();
        let is_served = || patience.glance(1, Company::NONE, || true, || 0);
        assert!((0..=GLANCES_IN_A_ROW).any(|_| !is_served()));
        // On one CPU a glance is a yield; after one that takes long there is none for a while.
        assert!(is_served() || os::cpus() == 1, "it is left out once");
    }

    #[test]
    fn after_a_glance_of_a_slice_the_next_is_left_out() {
        let patience = Patience::new();
        let comes_late = || {
            sleep(Duration::from_micros(u64::from(3 * BUSY_US)));
            true
        };
        assert!(patience.glance(1, Company::NONE, comes_late, || 0));
        assert!(!patience.glance(1, Company::NONE, || true, || 0));
    }

    #[test]
    fn after_each_slice_that_was_lost_waits_go_by_without_a_yield_for_longer() {
        let (busy, slice) = (Busy::new(), clock::micros(3 * BUSY_US));
        let mut now = clock::now();
        assert!(!busy.leaves_out() && !busy.is_recent());
        for ban in [slice, 2 * slice, 4 * slice] {
            busy.learn(now, slice);
            // Others who lose the same slice learn nothing new.
            busy.learn(now, slice);
            assert!(busy.is_recent() && busy.is_banned_at(now.wrapping_add(ban)));
            now = now.wrapping_add(ban + 1);
            assert!(!busy.is_banned_at(now));
            now = now.wrapping_add(slice + ban / 2);
        }
        now = now.wrapping_add(8 * slice);
        busy.learn(now, slice / 100);
        assert!(!busy.is_recent(), "what is over is forgotten");
        busy.learn(now, slice);
        assert!(!busy.is_banned_at(now.wrapping_add(slice + 1)), "one that comes late is an exception again");
    }

    #[test]
    fn a_slice_in_which_what_is_waited_for_came_all_the_time_was_not_lost() {
        let learns_of_one = |came: usize| {
            let (patience, moved) = (Patience { pausing: Score::new(0), ..Patience::new() }, Cell::new(0));
            let comes_late = || {
                sleep(Duration::from_micros(u64::from(3 * BUSY_US)));
                moved.set(came);
                true
            };
            assert!(patience.wait_in_steps(1, Company::NONE, comes_late, || moved.get()));
            patience.busy.is_recent()
        };
        assert!(learns_of_one(128) && !learns_of_one(1_000_000_000));
    }

    #[test]
    fn a_task_does_not_wait_awake_where_that_has_never_paid() {
        let (patience, looks) = (Patience::of_tasks(), Cell::new(0));
        let in_vain = || {
            looks.set(looks.get() + 1);
            false
        };
        assert!((0..100).all(|_| !patience.glance(1, Company::NONE, in_vain, || 0)));
        assert_eq!(looks.get(), 0);
        assert!(
            (0..1_000).any(|_| patience.glance(1, Company::NONE, || true, || 0)),
            "it is tried some time"
        );
    }
}
