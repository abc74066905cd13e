//! The lock under [`Mutex`](crate::Mutex): as cheap as a lock can be while nobody waits, and fair while somebody does.
//!
//! Waiters stand in a queue of [nodes](queue) in their own frames: on the stack of a thread that sleeps, in the pinned future
//! of a task or of a coroutine. Waiting allocates nothing, and leaving the queue takes constant time.
//!
//! # Who gets the lock
//!
//! Whoever comes while it is free (*barging*): a lock that is only ever passed on makes every acquisition wait for a
//! thread to wake up, which takes many times longer than the work under most locks. But only for a time: once the head of the
//! queue has been head for a *quantum* (50 to 200 µs, on one CPU twice that, see [`policy`]), the owner hands the lock to him.
//!
//! - A **thread** is *granted* the lock: he has it from then on, wherever he is woken.
//! - A **task** may never be polled again: its future may lie in a `select` that has gone on to something else, or be
//!   forgotten (*futurelock*: Oxide's request for discussion 609, 2025). So the lock is only *kept* for it: nobody else takes
//!   it. A task that was told and does not come within a millisecond is *passed over*: it leaves the queue, and the next one is
//!   told; when it does come, it queues up anew. Whoever comes by sees to that: who releases the lock, who wants it, every
//!   thread that waits, which looks again and again while there are tasks in the queue, and every task that is woken meanwhile.
//!
//! # The state
//!
//! | field | who changes it |
//! |---|---|
//! | `held` | `FREE` to `HELD`: anybody, by compare-and-swap. `HELD` to something else: the owner. `KEPT` to something else: whoever has the queue |
//! | `flags` | whoever has the queue |
//! | `head`, the nodes' links, their state | whoever has the queue; a node's state is read by its waiter without it |
//! | `policy` | the owner, or whoever has the queue; others read it as a hint |
//! | `newcomers` | anybody; a hint |
//!
//! *Having the queue* is holding `queue_lock`, for some instructions, during which nothing foreign runs.
//!
//! # No wake-up is lost
//!
//! The invariant: **whenever the lock is free and the queue is not empty, some waiter is awake for it** (`ASLEEP` is not set,
//! and the head is told, or competes, or has just taken the lock), **or some thread is on its way to wake one.** Every change
//! that could break it, in turn:
//!
//! 1. *A waiter becomes head of an empty queue.* A thread clears `ASLEEP` in the same step and competes. A task
//!    leaves it set and looks once more, as in 2.
//! 2. *An awake head goes to sleep.* He sets `ASLEEP` (W1), then looks whether the lock is free (W2). An owner who
//!    releases stores `FREE` (O1), then looks at the flags (O2). Were both looks to miss the other's change, W1, W2, O1, O2
//!    would have to be ordered in a circle: O2 before W1 and W2 before O1. A full barrier between the two steps on each
//!    side forbids that. Where the kernel offers it, the owner does without: the waiter makes the barrier for both
//!    ([`heavy_barrier`]), since he is about to sleep and the owner is in a hurry. So one of the two sees the other: the
//!    waiter tries again, or the owner sees `ASLEEP` and wakes the head.
//! 3. *Somebody takes the free lock.* He will release it, and then 2 holds for his release.
//! 4. *The head takes the lock.* He leaves and sets `ASLEEP`, for the next head sleeps. He owns the lock: see 3.
//! 5. *An awake or told head leaves without the lock* (deadline, dropped future). The next one is told in his place.
//! 6. *A sleeping waiter leaves.* Nothing was asked of him. If he was the head, the next one sleeps as he did: the looks in 2
//!    are about the queue's flags, not about who is first in it.
//! 7. *Somebody queues up behind the head.* He is woken by those before him: each of them leaves by 4 or 5, or is handed the
//!    lock and will release it.
//! 8. *The lock is handed over.* It is never free in between. A task that does not take what is kept for it is passed over, which
//!    is 5.
//!
//! An awake head may doze: he leaves the lock alone for a part of his turn, by the clock, with `ASLEEP` clear. Nobody wakes him meanwhile,
//! and at the end of it he looks, or is handed the lock before. So a free lock may stay free for as long, some hundred microseconds.
//!
//! What the invariant cannot promise is that a task which is awake does look. If it does not, whoever comes by passes it over. If
//! nobody comes by, because all others are tasks that wait for it and nobody else wants the lock, the
//! [patrol](crate::wait::patrol) wakes one of them.
//!
//! `FENCED` spares tasks the barrier of 2, for they go to sleep often: while it is set, owners use a full barrier of
//! their own. An owner who had looked at the flags before it was set may still be about to release without one, so others rely on it
//! only when a later owner has seen it and said so (`SURE`).
//!
//! Sources: barging with hand-off after a time, J. Gosling's and D. Vyukov's `sync.Mutex` of Go 1.9 (golang/go#13086) and
//! `parking_lot`'s fair unlock by A. d'Antras; hand-off to the head only, measured from when he became head, as discussed
//! in golang/go#33747; the one-sided barrier, D. Dice, H. Huang, M. Yang, "Asymmetric Dekker synchronization", 2001.

mod future;
mod policy;
mod queue;
mod thread;
mod watch;

use crate::check::{Followed, Kind, Mode, Site, Tag};
use crate::os::{ask_for_the_barrier, heavy_barrier, is_asymmetric};
use crate::park;
use crate::primitive::{
    AtomicU8, Ordering, ShortLock, UnsafeCell, const_but_for_loom, fence, fence_for_loom,
};
use policy::{Newcomers, Policy};
use queue::{Node, Queue, Wake};
use std::ptr;
use std::sync::atomic::compiler_fence;
use std::time::Instant;

pub(crate) use future::Acquire;
pub(crate) use policy::quantum;

/// Nobody has the lock, and whoever comes may take it.
const FREE: u8 = 0;
const HELD: u8 = 1;
/// Nobody has the lock, and only the head of the queue, a task, may take it.
const KEPT: u8 = 2;

/// The queue is not empty.
const WAITERS: u8 = 1 << 0;
/// The queue is not empty, and its head is not awake for the lock, nor told to be: whoever releases wakes him.
const ASLEEP: u8 = 1 << 1;
/// The head has been head for long enough: the next owner who releases hands the lock to him.
const DUE: u8 = 1 << 2;
/// Owners release with a full barrier. Stays for a while after the queue is empty.
const FENCED: u8 = 1 << 3;
/// With `FENCED`: an owner that has the lock since it was set has said so, so nobody releases without a barrier any more.
const SURE: u8 = 1 << 4;
/// There has been a task in the queue since it was last empty. It may be told and not come, so others look after it.
const TASKS: u8 = 1 << 5;
/// Somebody waits for a change of the value: who releases tells him. Set and cleared by owners, see [`watch`].
const WATCHED: u8 = 1 << 6;

/// A lock without a value.
pub(crate) struct RawLock {
    held: AtomicU8,
    flags: AtomicU8,
    queue_lock: ShortLock,
    policy: Policy,
    newcomers: Newcomers,
    head: UnsafeCell<*const Node>,
    /// For the deadlock checker; of no size without it.
    tag: Tag,
}

// SAFETY: `head` is used by whoever has the queue only, and what it points to stays until it has left the queue.
unsafe impl Send for RawLock {}

// SAFETY: as above.
unsafe impl Sync for RawLock {}

impl RawLock {
    const_but_for_loom! {
        pub(crate) fn new() -> Self {
            RawLock::of_kind(Kind::Mutex)
        }
    }

    const_but_for_loom! {
        pub(crate) fn of_kind(kind: Kind) -> Self {
            RawLock {
                held: AtomicU8::new(FREE),
                flags: AtomicU8::new(0),
                queue_lock: ShortLock::new(),
                policy: Policy::new(),
                newcomers: Newcomers::new(),
                head: UnsafeCell::new(ptr::null()),
                tag: Tag::new(kind),
            }
        }
    }

    /// Takes the lock if it is free, or kept for a task that is late.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn try_acquire(&self) -> bool {
        self.tag.taking(Mode::Exclusive, Site::here(), || self.attempt().then_some(())).is_some()
    }

    /// As [`try_acquire`](RawLock::try_acquire), of a future, which may go on on another thread.
    #[inline]
    pub(crate) fn try_acquire_in_task(&self, site: Site) -> bool {
        self.tag.taking_in_task(Mode::Exclusive, site, || self.attempt().then_some(())).is_some()
    }

    #[inline]
    fn attempt(&self) -> bool {
        self.try_free() || (self.is_kept() && self.try_kept())
    }

    #[cold]
    fn try_kept(&self) -> bool {
        self.wake_head();
        self.try_free()
    }

    /// Takes the lock if it is free.
    #[inline]
    fn try_free(&self) -> bool {
        // Acquire: pairs with the release of the last owner.
        let taken = self.held.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if taken {
            self.policy.count();
        }
        taken
    }

    /// Waits for the lock. Blocks this thread, or this coroutine only.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn acquire(&self) {
        let acquire = || {
            if !self.try_free() {
                self.acquire_contended(None);
            }
        };
        self.tag.blocking(Mode::Exclusive, Site::here(), || self.attempt().then_some(()), acquire);
    }

    /// Waits for the lock until `deadline`; whether it is ours. Blocks this thread, or this coroutine only.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn acquire_until(&self, deadline: Option<Instant>) -> bool {
        let attempt = || (self.try_free() || self.acquire_contended(deadline)).then_some(());
        self.tag.taking(Mode::Exclusive, Site::here(), attempt).is_some()
    }

    /// The future that ends when the lock is ours.
    pub(crate) fn acquire_async(&self) -> Acquire<'_> {
        Acquire::new(self, Followed::not())
    }

    /// As [`acquire_async`](RawLock::acquire_async), watched by the deadlock checker.
    pub(crate) fn acquire_in_task(&self, site: Site) -> Acquire<'_> {
        Acquire::new(self, Followed::from(site))
    }

    /// What the deadlock checker knows the lock by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    pub(crate) fn is_held(&self) -> bool {
        // Relaxed: the answer may be out of date as soon as it is there.
        self.held.load(Ordering::Relaxed) != FREE
    }

    pub(crate) fn has_waiters(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & WAITERS != 0
    }

    /// Gives the lock up. Only its owner may.
    #[inline]
    pub(crate) fn release(&self) {
        self.tag.released(Mode::Exclusive);
        // Relaxed: a sleeper whom this look misses, the one after the release sees, by the barrier between them. What else it misses is
        // for the next owner, who sees it: a due head who is awake takes the free lock himself, and `FENCED` is relied on when `SURE`.
        let flags = self.flags.load(Ordering::Relaxed);
        let nothing_is_due = flags == 0 || (flags == WAITERS && self.policy.skips_the_clock());
        if !(nothing_is_due && is_asymmetric()) {
            return self.release_in_full(flags);
        }
        self.set_free(false);
    }

    /// Stores `FREE` (O1), looks at the flags (O2), and wakes whoever is to be woken.
    #[inline(always)]
    fn set_free(&self, fenced: bool) {
        let flags = if fenced {
            // SeqCst, both: with the fence of the waiter, who stores and looks the other way round. Release, to the
            // next owner.
            self.held.swap(FREE, Ordering::SeqCst);
            fence_for_loom();
            let flags = self.flags.load(Ordering::SeqCst);
            // The lock is free by now. Once in the program's life, whoever sleeps is woken later for this.
            ask_for_the_barrier();
            flags
        } else {
            self.held.store(FREE, Ordering::Release);
            // The CPU may still exchange the two; the waiter's heavy barrier is against that.
            compiler_fence(Ordering::SeqCst);
            self.flags.load(Ordering::Relaxed)
        };
        if flags & (ASLEEP | TASKS) != 0 {
            self.wake_head();
        }
    }

    #[cold]
    #[inline(never)]
    fn acquire_contended(&self, deadline: Option<Instant>) -> bool {
        if self.is_kept() && self.try_kept() {
            return true;
        }
        match park::plain::is_here() {
            true => self.acquire_as_thread(deadline),
            false => park::block_on_until(self.acquire_async(), deadline).is_some(),
        }
    }

    /// As the owner: gives the lock up to the head of the queue, if anybody waits.
    pub(crate) fn release_to_the_first(&self) {
        // Relaxed: who queues up just now has not waited yet.
        if self.has_waiters() {
            self.tag.released(Mode::Exclusive);
            let flags = self.flags.load(Ordering::Relaxed);
            let _told_after = self.watchers(flags);
            if !self.hand_over() {
                self.release_queued(flags);
            }
        } else {
            self.release();
        }
    }

    /// As the owner, whatever there is to be done for others.
    #[cold]
    #[inline(never)]
    fn release_in_full(&self, flags: u8) {
        if flags == 0 {
            // So this is because owners have a barrier of their own here.
            self.set_free(true);
        } else {
            self.release_beside_others(flags);
        }
    }

    /// Apart, so that the one above saves no registers.
    #[inline(never)]
    fn release_beside_others(&self, flags: u8) {
        let _told_after = self.watchers(flags);
        self.release_queued(flags);
    }

    /// As the owner. Tells none of those who watch.
    fn release_queued(&self, flags: u8) {
        let due = flags & DUE != 0
            || (flags & WAITERS != 0 && !self.policy.skips_the_clock() && self.policy.look_at_the_clock());
        if due && self.hand_over() {
            return;
        }
        if flags & FENCED != 0 {
            self.keep_or_drop_the_fence(flags);
        }
        self.set_free(!is_asymmetric() || flags & FENCED != 0);
    }

    /// As the owner: gives the lock to the head of the queue. False if there is none.
    fn hand_over(&self) -> bool {
        let mut queue = self.queue();
        // Not before: whoever had the queue meanwhile may have told somebody, who would seem to be late.
        let now = self.policy.now();
        // Whoever is told in its place is about to be handed the lock.
        let told = queue.pass_over_the_late(now);
        let Some(head) = queue.head() else { return false };
        if head.is_task() {
            // Relaxed: only whoever has the queue takes it from there.
            self.held.store(KEPT, Ordering::Relaxed);
            queue.clear(DUE);
            let wake = queue.tell_head(now);
            drop(queue);
            told.now();
            wake.now();
        } else {
            queue.remove_head(head, now);
            let wake = head.grant();
            // The one who hands over wakes the next as well: he is likely to sleep soon, his CPU is free then, and the new
            // owner is spared the wake-up and being interrupted by it. A task could do nothing but look and sleep again.
            let next = match queue.head() {
                Some(next) if !next.is_task() => queue.tell_head(now),
                _ => Wake::nobody(),
            };
            drop(queue);
            // None of these is foreign: `told` was about this thread.
            wake.now();
            next.now();
        }
        true
    }

    /// Wakes the head, unless he is awake; if he should be and is late, the next one.
    #[cold]
    #[inline(never)]
    fn wake_head(&self) {
        let mut queue = self.queue();
        // As in `hand_over`.
        let now = self.policy.now();
        let wake = match queue.flags() & ASLEEP {
            0 => queue.pass_over_the_late(now),
            _ => queue.tell_head(now),
        };
        drop(queue);
        wake.now();
    }

    /// As the owner: says that the fence can be relied on, and drops it when nobody has waited for long.
    fn keep_or_drop_the_fence(&self, flags: u8) {
        if flags & SURE == 0 {
            self.queue().set(SURE);
        } else if flags & WAITERS == 0 && self.policy.has_been_calm() {
            let mut queue = self.queue();
            if queue.flags() & WAITERS == 0 {
                queue.clear(FENCED | SURE);
            }
        }
    }

    /// The barrier between saying that one sleeps and the last look: the step between W1 and W2.
    fn before_the_last_look(&self, flags: u8) {
        match flags & SURE {
            0 => heavy_barrier(),
            _ => fence(Ordering::SeqCst),
        }
    }

    /// Whether the lock seems to be free: the step W2, and a look that saves a compare-and-swap.
    fn seems_free(&self) -> bool {
        // Relaxed: it is taken by an acquire, if at all.
        self.held.load(Ordering::Relaxed) == FREE
    }

    /// Whether it is for the head alone. Only whoever has the queue can rely on the answer.
    #[inline]
    fn is_kept(&self) -> bool {
        self.held.load(Ordering::Relaxed) == KEPT
    }

    /// Hands the lock over at every release.
    #[cfg(all(test, trefoil_loom))]
    pub(crate) fn make_impatient(&self) {
        self.policy.impatient.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Passes over the head if he was told and has not come, as the timer's thread does after a time.
    #[cfg(all(test, trefoil_loom))]
    pub(crate) fn pass_over_the_head(&self) {
        let mut queue = self.queue();
        let wake = match queue.head() {
            Some(head) => queue.pass_over(head, 0),
            None => Wake::nobody(),
        };
        drop(queue);
        wake.now();
    }

    /// Whether nobody is in the queue, and no flag says anything of somebody who is.
    #[cfg(all(test, trefoil_loom))]
    pub(crate) fn has_an_empty_queue(&self) -> bool {
        let queue = self.queue();
        queue.head().is_none() && queue.flags() & (WAITERS | ASLEEP | DUE | TASKS) == 0
    }

    fn queue(&self) -> Queue<'_> {
        Queue::of(self)
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;
    use policy::SKIP_MOST;
    use queue::{GRANTED, TOLD, WAITING};
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::{thread, time::Duration};

    #[test]
    fn a_lock_is_small() {
        let most = if cfg!(feature = "check") { 48 } else { 32 };
        assert!(size_of::<RawLock>() <= most, "{}", size_of::<RawLock>());
    }

    #[test]
    fn a_release_beside_a_waiter_leaves_out_nothing_that_is_due() {
        let after_a_release_with = |flag| {
            beside_an_awake_head(|lock, node| {
                lock.queue().set(flag);
                lock.release();
                (lock.held.load(Ordering::Relaxed), node.state(), lock.queue().flags())
            })
        };
        assert_eq!(after_a_release_with(0), (FREE, WAITING, WAITERS));
        assert_eq!(after_a_release_with(ASLEEP), (FREE, TOLD, WAITERS));
        assert_eq!(after_a_release_with(DUE), (HELD, GRANTED, 0));
        assert_eq!(after_a_release_with(FENCED), (FREE, WAITING, WAITERS | FENCED | SURE));
        assert_eq!(after_a_release_with(TASKS), (FREE, WAITING, WAITERS | TASKS));
        assert_eq!(after_a_release_with(WATCHED), (FREE, WAITING, WAITERS));
    }

    #[test]
    fn a_head_who_does_not_say_that_he_is_due_is_handed_the_lock_after_some_releases() {
        let releases = beside_an_awake_head(|lock, node| {
            // Several quanta.
            thread::sleep(Duration::from_millis(1));
            let releases = (1..2 * SKIP_MOST).take_while(|_| {
                lock.release();
                node.state() != GRANTED && lock.try_acquire()
            });
            releases.count() + 1
        });
        assert!(releases <= SKIP_MOST as usize, "{releases}");
    }

    #[test]
    fn a_task_that_waits_for_slow_owners_is_handed_the_lock() {
        let lock = RawLock::new();
        assert!(lock.try_acquire());
        let mut wait = pin!(lock.acquire_async());
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(cx).is_pending());
        // At the last look, owners were quick.
        while !lock.policy.skips_the_clock() {
            (0..1_001).for_each(|_| lock.policy.count());
            lock.policy.look_at_the_clock();
        }
        let slow_ones = (0..SKIP_MOST).take_while(|_| {
            // Several quanta.
            thread::sleep(Duration::from_millis(1));
            lock.release();
            lock.try_acquire() && wait.as_mut().poll(cx).is_pending()
        });
        assert!(slow_ones.count() <= 2);
        assert!(wait.as_mut().poll(cx).is_ready());
        lock.release();
    }

    /// What `act` does with a lock that is held, whose first waiter is an awake thread, and whose releases need not look at the clock now.
    fn beside_an_awake_head<R>(act: impl FnOnce(&RawLock, &Node) -> R) -> R {
        let lock = RawLock::new();
        // By its first release the program learns whether there is a short way.
        assert!(lock.try_acquire());
        lock.release();
        assert!(lock.try_acquire());
        let node = pin!(Node::of_this_thread());
        let node = node.as_ref().get_ref();
        let mut queue = lock.queue();
        // SAFETY: the node is pinned here and in no queue. It leaves below, or is granted the lock before; if `act` panics, nobody
        // uses the queue any more.
        assert!(unsafe { queue.push(node, lock.policy.now()) });
        queue.clear(ASLEEP);
        drop(queue);
        while !lock.policy.skips_the_clock() {
            (0..1_001).for_each(|_| lock.policy.count());
            lock.policy.look_at_the_clock();
        }
        let result = act(&lock, node);
        assert_eq!(lock.leave(node), node.state() == GRANTED);
        result
    }
}
