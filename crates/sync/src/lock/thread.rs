//! How a thread waits for the lock: it spins where that pays, queues up, and sleeps on a word of its own node.

use super::policy::PATIENCE_US;
use super::queue::{GRANTED, Node, WAITING};
use super::{ASLEEP, DUE, RawLock, TASKS};
use crate::os::{self, clock};
use crate::park::plain;
use crate::primitive::{Ordering, spin_loop};
use crate::wait::patience::is_long;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

/// A newcomer looks so often before he queues up: about as long as a sleeping thread of this machine's kind takes to get
/// into its sleep, and no more, for he may be in the owner's way.
const LOOKS_BEFORE_QUEUEING: u32 = 100;
/// Then he leaves the CPU to others so often: the owner may be one of them.
const YIELDS_BEFORE_QUEUEING: u32 = 4;
/// Of a lock that passes newcomers by, every so many-th looks all the same, to learn whether it still does.
const TRY_EVERY: u32 = 8;
/// The head of the queue competes so long before he sleeps or dozes.
const COMPETE_US: u32 = 15;
/// He looks often at first, then ever less.
const EAGER_US: u32 = 2;
const PAUSES_MOST: u32 = 350;
/// While he is due, he looks this often: the owner will hand the lock to him at any moment.
const PAUSES_DUE: u32 = 12;
/// A lock that is hot, or passes newcomers by, must be left alone for so long before the head believes that it is free.
const QUIET_NS: u32 = 150;
/// The kernel may end a timed sleep as much later.
const TIMER_SLACK_US: u32 = 60;
/// After a doze the head expects the hand-over within this time.
const EXPECT_US: u32 = 80;

/// How an attempt of the head ended.
#[derive(PartialEq)]
enum Attempt {
    /// The lock is ours, and the node is out of the queue.
    Acquired,
    /// It is better to sleep.
    Tired,
}

impl RawLock {
    /// Waits on this thread until the lock is ours, or until the deadline; whether it is ours.
    pub(super) fn acquire_as_thread(&self, deadline: Option<Instant>) -> bool {
        let spins = os::cpus() > 1;
        if spins && self.spin(deadline.is_none()) {
            return true;
        }
        let node = pin!(Node::of_this_thread());
        let node = node.as_ref().get_ref();
        let mut queue = self.queue();
        // SAFETY: the node is in no queue, and is pinned here. Each way out of this function is by `take_as_waiter` or `leave`,
        // which take it out, or after the grant, for which it was taken out; what is foreign runs after that or is contained.
        let mut awake = unsafe { queue.push(node, self.policy.now()) };
        if awake {
            queue.clear(ASLEEP);
        }
        drop(queue);
        loop {
            if awake && (self.compete(node, spins) == Attempt::Acquired || self.go_to_sleep(node)) {
                return true;
            }
            // The lock has been tried, so a deadline that has passed before does not spoil what is there.
            while node.state() == WAITING {
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return self.leave(node);
                }
                self.sleep(node, deadline);
            }
            if node.state() == GRANTED {
                self.policy.count();
                return true;
            }
            awake = true;
        }
    }

    /// Sleeps until told or until the deadline, or a little less. Behind a task that may not come it sees after that.
    fn sleep(&self, node: &Node, deadline: Option<Instant>) {
        // Relaxed: a task before us had set it when we took the queue, and it stays while we are there.
        // Loom knows no time; its models pass tasks over themselves.
        if self.flags.load(Ordering::Relaxed) & TASKS == 0 || crate::primitive::IS_MODEL {
            return plain::sleep(node.word(), WAITING, deadline);
        }
        let patience = Instant::now() + Duration::from_micros(PATIENCE_US.into());
        let limit = deadline.map_or(patience, |deadline| deadline.min(patience));
        plain::sleep(node.word(), WAITING, Some(limit));
        let mut queue = self.queue();
        let wake = queue.pass_over_the_late(self.policy.now());
        drop(queue);
        wake.now();
    }

    /// Looks for a moment whether the lock is given back, unless owners come back to it too soon for that. If it is still the same
    /// owner's then, he may have lost his CPU, and `may_give_way` says whether he may have this one.
    fn spin(&self, may_give_way: bool) -> bool {
        let before = self.policy.takes();
        if self.policy.is_hot() || (self.newcomers.are_passed_by() && before % TRY_EVERY != 0) {
            return false;
        }
        for _ in 0..LOOKS_BEFORE_QUEUEING {
            spin_loop();
            if self.seems_free() && self.try_free() {
                // One of them is ours.
                self.newcomers.learn(self.policy.takes().wrapping_sub(before) > 1);
                self.policy.measure_sometimes();
                return true;
            }
        }
        let was_passed_by = self.policy.takes() != before;
        self.newcomers.learn(was_passed_by);
        may_give_way && !was_passed_by && self.give_way()
    }

    /// Leaves the CPU to others a few times. Whoever sleeps in the queue instead has to be woken when his turn comes, which takes so long that
    /// those who come meanwhile end there as well: then each has his turn by a wake-up, for good. Where somebody with
    /// work of his own keeps the CPU for long, this is done with the first time.
    fn give_way(&self) -> bool {
        for _ in 0..YIELDS_BEFORE_QUEUEING {
            let begin = clock::now();
            thread::yield_now();
            if self.seems_free() && self.try_free() {
                self.policy.measure_sometimes();
                return true;
            }
            if is_long(clock::now().wrapping_sub(begin)) {
                return false;
            }
        }
        false
    }

    /// The head of the queue gives up being awake; whether the lock is ours after all.
    fn go_to_sleep(&self, node: &Node) -> bool {
        let mut queue = self.queue();
        if node.state() == GRANTED {
            self.policy.count();
            return true;
        }
        queue.find(node).wait_again();
        queue.call_head_if_due();
        let flags = queue.flags();
        queue.set(ASLEEP);
        drop(queue);
        self.before_the_last_look(flags);
        self.seems_free() && self.take_as_waiter(node)
    }

    /// As the head of the queue, and awake: tries to take the lock.
    fn compete(&self, node: &Node, spins: bool) -> Attempt {
        if !spins {
            return self.try_as_head(node);
        }
        let begin = clock::now();
        let (budget, eager, quantum) =
            (clock::micros(COMPETE_US), clock::micros(EAGER_US), self.policy.quantum());
        let takes = self.policy.takes();
        let mut pauses = 2;
        loop {
            if let Some(acquired) = self.look(node) {
                return acquired;
            }
            let now = clock::now();
            let due = self.call_due(node, now, quantum);
            if now.wrapping_sub(begin) > budget {
                // An owner who keeps it for long is not waited for awake.
                let moves = self.policy.takes() != takes;
                return if moves { self.doze(node, quantum) } else { Attempt::Tired };
            }
            if due {
                pauses = PAUSES_DUE;
            } else if now.wrapping_sub(begin) > eager || self.policy.is_hot() {
                pauses = (pauses * 2).min(PAUSES_MOST);
            }
            for _ in 0..pauses {
                spin_loop();
                if pauses > PAUSES_DUE && node.state() == GRANTED {
                    break;
                }
            }
        }
    }

    /// Sleeps until shortly before the lock is due, without being woken by every release; then waits for the hand-over.
    fn doze(&self, node: &Node, quantum: u32) -> Attempt {
        let left = quantum.saturating_sub(self.policy.head_for(clock::now()));
        let slack = clock::micros(TIMER_SLACK_US);
        let state = node.state();
        if state != GRANTED && left > slack {
            let limit = Duration::from_nanos(clock::in_nanos(left - slack));
            plain::sleep_for(node.word(), state, limit);
        }
        let begin = clock::now();
        loop {
            if let Some(acquired) = self.look(node) {
                return acquired;
            }
            let now = clock::now();
            self.call_due(node, now, quantum);
            if now.wrapping_sub(begin) > clock::micros(EXPECT_US) {
                return Attempt::Tired;
            }
            for _ in 0..PAUSES_DUE {
                spin_loop();
            }
        }
    }

    /// One look of the head that is awake.
    fn look(&self, node: &Node) -> Option<Attempt> {
        if node.state() == GRANTED {
            self.policy.count();
            return Some(Attempt::Acquired);
        }
        let comes_back = || self.policy.is_hot() || self.newcomers.are_passed_by();
        if !self.seems_free() || (comes_back() && !self.is_quiet()) {
            return None;
        }
        (self.try_as_head(node) == Attempt::Acquired).then_some(Attempt::Acquired)
    }

    /// Whether the lock stays free for a moment, and nobody comes back to it. Looking costs its owners little; trying would take
    /// the cache line from them.
    fn is_quiet(&self) -> bool {
        let (begin, quiet) = (clock::now(), clock::nanos(QUIET_NS));
        let takes = self.policy.takes();
        while clock::now().wrapping_sub(begin) < quiet {
            spin_loop();
            if !self.seems_free() || self.policy.takes() != takes {
                return false;
            }
        }
        true
    }

    fn try_as_head(&self, node: &Node) -> Attempt {
        match self.take_as_waiter(node) {
            true => {
                self.policy.measure_sometimes();
                Attempt::Acquired
            }
            false => Attempt::Tired,
        }
    }

    /// Says that the head is due, if he is.
    fn call_due(&self, node: &Node, now: u32, quantum: u32) -> bool {
        if self.policy.head_for(now) <= quantum {
            return false;
        }
        // Relaxed: a hint that saves taking the queue.
        if self.flags.load(Ordering::Relaxed) & DUE == 0 {
            let mut queue = self.queue();
            // Else he is no head any more.
            if node.state() != GRANTED {
                queue.set(DUE);
            }
        }
        true
    }

    /// Leaves the queue without the lock; whether it was granted all the same.
    pub(super) fn leave(&self, node: &Node) -> bool {
        let mut queue = self.queue();
        if node.state() == GRANTED {
            self.policy.count();
            return true;
        }
        let wake = queue.leave(node, self.policy.now());
        drop(queue);
        wake.now();
        false
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{ASLEEP, Attempt, Node, RawLock, TRY_EVERY, os, spin_loop};
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn a_lock_that_passes_newcomers_by_is_left_to_its_owner() {
        let lock = RawLock::new();
        (0..100).for_each(|_| lock.newcomers.learn(true));
        for _ in 1..TRY_EVERY {
            lock.policy.count();
            assert!(!lock.spin(true), "the lock is free, and a newcomer had it");
        }
        lock.policy.count();
        assert!(lock.spin(true), "one of {TRY_EVERY} tries, or it would be left alone for ever");
        lock.release();
    }

    #[test]
    fn a_newcomer_who_is_not_passed_by_ends_it() {
        let lock = RawLock::new();
        (0..100).for_each(|_| lock.newcomers.learn(true));
        // Nobody else is here, so each of those who try has it at once.
        let tries = (0..1_000).take_while(|_| lock.newcomers.are_passed_by()).filter(|_| {
            let is_ours = lock.spin(true);
            match is_ours {
                true => lock.release(),
                false => lock.policy.count(),
            }
            is_ours
        });
        assert_eq!(tries.count(), 4);
        assert!(lock.spin(true) && !lock.spin(true), "whoever holds it for long passes nobody by");
        assert!(!lock.newcomers.are_passed_by());
        lock.release();
    }

    #[test]
    fn a_newcomer_who_is_passed_by_learns_it() {
        if os::cpus() == 1 || cfg!(miri) {
            return;
        }
        let (lock, done) = (RawLock::new(), AtomicBool::new(false));
        assert!(lock.try_acquire());
        thread::scope(|scope| {
            // As an owner is seen who comes back at once: it is never free when one looks.
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    lock.policy.count();
                }
            });
            let begin = Instant::now();
            while !lock.newcomers.are_passed_by() && begin.elapsed() < Duration::from_secs(60) {
                assert!(!lock.spin(true));
            }
            done.store(true, Relaxed);
        });
        assert!(lock.newcomers.are_passed_by(), "looked for a minute, was passed by, and learned nothing");
        lock.release();
    }

    #[test]
    fn a_newcomer_who_has_it_behind_others_was_passed_by() {
        if os::cpus() == 1 || cfg!(miri) {
            return;
        }
        let learned = || {
            let lock = RawLock::new();
            while !lock.newcomers.are_passed_by() {
                lock.newcomers.learn(true);
            }
            // Once more, and they are again.
            lock.newcomers.learn(false);
            while_others_take(&lock, || lock.spin(true)) && lock.newcomers.are_passed_by()
        };
        assert!((0..1_000).any(|_| learned()));
    }

    #[test]
    fn the_head_leaves_a_free_lock_to_owners_who_come_back() {
        if os::cpus() == 1 || cfg!(miri) {
            return;
        }
        let leaves = |are_passed_by| {
            let lock = RawLock::new();
            (0..100).for_each(|_| lock.newcomers.learn(are_passed_by));
            let node = pin!(Node::of_this_thread());
            let node = node.as_ref().get_ref();
            while_others_take(&lock, || {
                queue_up(&lock, node);
                let leaves = lock.look(node) != Some(Attempt::Acquired);
                if leaves {
                    assert!(!lock.leave(node));
                }
                leaves
            })
        };
        assert!((0..1_000).any(|_| leaves(true)));
        assert!(!(0..100).any(|_| leaves(false)), "newcomers are not passed by: the head takes what is free");
    }

    #[test]
    fn who_gives_way_takes_what_is_free_and_nothing_else() {
        let lock = RawLock::new();
        assert!(lock.give_way());
        assert!(lock.is_held() && !lock.give_way());
        lock.release();
        assert!(lock.give_way());
        assert_eq!(lock.policy.takes(), 2, "each was an acquisition");
    }

    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn who_gives_way_lets_an_owner_go_on_who_has_lost_his_cpu() {
        let test = "lock::thread::tests::who_gives_way_lets_an_owner_go_on_who_has_lost_his_cpu";
        if !os::is_on_one_cpu(test) {
            return;
        }
        let lock = RawLock::new();
        let (rounds, looks) = (100, AtomicU32::new(0));
        let got = thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=rounds {
                    lock.acquire();
                    while looks.load(Relaxed) < round {
                        thread::yield_now();
                    }
                    lock.release();
                    while looks.load(Relaxed) == round {
                        thread::yield_now();
                    }
                }
            });
            let one = |round| {
                while !lock.is_held() {
                    thread::yield_now();
                }
                looks.store(round, Relaxed);
                let got = lock.give_way();
                if !got {
                    lock.acquire();
                }
                lock.release();
                looks.store(0, Relaxed);
                got
            };
            (1..=rounds).filter(|round| one(*round)).count()
        });
        assert!(got > rounds as usize / 2, "{got} of {rounds}");
    }

    #[test]
    fn the_head_does_not_sleep_beside_a_free_lock() {
        if os::cpus() == 1 || cfg!(miri) {
            return;
        }
        for _ in 0..100 {
            let lock = RawLock::new();
            (0..100).for_each(|_| lock.newcomers.learn(true));
            let node = pin!(Node::of_this_thread());
            let node = node.as_ref().get_ref();
            assert!(while_others_take(&lock, || {
                queue_up(&lock, node);
                lock.go_to_sleep(node)
            }));
        }
    }

    /// What `act` does with a free lock that others seem to take all the time. A lock is used once: what was measured while it is
    /// counted for others makes it hot.
    fn while_others_take<R>(lock: &RawLock, act: impl FnOnce() -> R) -> R {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    lock.policy.count();
                }
            });
            while lock.policy.takes() == 0 {
                spin_loop();
            }
            let result = act();
            done.store(true, Relaxed);
            result
        })
    }

    /// As the head, who is awake.
    fn queue_up(lock: &RawLock, node: &Node) {
        let mut queue = lock.queue();
        // SAFETY: the node is pinned in its test and in no queue; there it leaves, or takes the lock, before it is dropped.
        assert!(unsafe { queue.push(node, lock.policy.now()) });
        queue.clear(ASLEEP);
    }
}
