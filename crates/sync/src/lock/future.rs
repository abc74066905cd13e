//! How a task takes the lock, and everything else that waits by a waker.

use super::queue::{Node, TOLD, Wake};
use super::{ASLEEP, FENCED, HELD, RawLock, TASKS};
use crate::catch::contain;
use crate::check::{Followed, Mode};
use crate::primitive::Ordering;
use crate::wait::patrol::{Bell, Beside, Call};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The future of [`RawLock::acquire_async`].
///
/// # Cancel safety
/// Dropping it leaves the queue; what it was told goes to the next one.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Acquire<'a> {
    lock: &'a RawLock,
    /// Is in the queue from the first look in vain until the wait is over, but for the time after it was passed over.
    node: Node,
    queued: bool,
    /// Hangs while there are others before it of whom one may be told and not come.
    bell: Bell,
    /// For the deadlock checker; of no size without it.
    followed: Followed,
}

impl<'a> Acquire<'a> {
    pub(super) fn new(lock: &'a RawLock, followed: Followed) -> Self {
        Acquire { lock, node: Node::of_a_task(), queued: false, bell: Bell::new(), followed }
    }

    fn look(&mut self, waker: &Waker) -> Look {
        if self.queued {
            // Passed over: as at first.
            if let Some(look) = self.lock.try_as_queued_task(&self.node, waker.clone()) {
                return look;
            }
            self.queued = false;
        }
        // That it was taken is said when the poll ends.
        if self.lock.attempt() {
            return Look::Taken;
        }
        // Relaxed: a hint, which mostly saves a second look.
        if self.lock.flags.load(Ordering::Relaxed) & TASKS != 0 {
            self.hang_up(waker);
        }
        // First, for it may panic.
        let waker = waker.clone();
        self.queued = true;
        // SAFETY: the node is not in a queue. It is pinned with this future, which borrows the lock and takes the node out of the
        // queue when it is dropped.
        unsafe { self.lock.queue_up_as_task(&self.node, waker) }
    }

    /// Sees to it that the bell hangs; whether it did not.
    fn hang_up(&mut self, waker: &Waker) -> bool {
        let call = Call::of(self.lock);
        // SAFETY: the bell is pinned with this future, whose lock does not change.
        unsafe { self.bell.hang_up(call, waker) }
    }
}

/// What came of a look.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    /// The lock is ours, and the node is out of the queue.
    Taken,
    /// The node is in the queue, behind these.
    Waits(Beside),
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: node and bell are not moved, and the rest is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        loop {
            match this.look(cx.waker()) {
                Look::Taken => {
                    this.queued = false;
                    this.bell.take_down();
                    this.followed.has(&this.lock.tag, Mode::Exclusive);
                    return Poll::Ready(());
                }
                Look::Waits(Beside::Nobody) => {}
                // Whoever was told before it hung may not have called.
                Look::Waits(_) if this.hang_up(cx.waker()) => continue,
                Look::Waits(Beside::Told) => {
                    Call::of(this.lock).now();
                    break;
                }
                Look::Waits(Beside::Others) => {}
            }
            this.bell.all_is_well();
            break;
        }
        this.followed.waits(&this.lock.tag, Mode::Exclusive, cx.waker());
        Poll::Pending
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        self.followed.over();
        if self.queued {
            self.lock.leave_as_task(&self.node);
        }
    }
}

impl RawLock {
    /// Queues up; the lock may be ours all the same.
    ///
    /// # Safety
    /// As for [`Queue::push`](super::queue::Queue::push).
    unsafe fn queue_up_as_task(&self, node: &Node, waker: Waker) -> Look {
        let mut queue = self.queue();
        let (flags, beside) = (queue.flags(), queue.behind_whom());
        queue.set(FENCED | TASKS);
        node.begin();
        // SAFETY: as promised by the caller.
        let first = unsafe { queue.push(node, self.policy.now()) };
        let old = queue.find(node).set_waker(waker);
        drop(queue);
        contain(|| drop(old));
        // Who is not the first is woken by those before him.
        if !first {
            return Look::Waits(beside);
        }
        self.before_the_last_look(flags);
        self.last_look(node, Beside::Nobody)
    }

    /// Tries to take the lock, and waits on if that fails. `None` if the node was out of the queue before.
    fn try_as_queued_task(&self, node: &Node, waker: Waker) -> Option<Look> {
        let mut queue = self.queue();
        if !node.is_waiting() {
            drop(queue);
            return None;
        }
        // Nobody else may come by. It may be this one who is told instead.
        let told_instead = match queue.is_head(node) {
            true => Wake::nobody(),
            false => queue.pass_over_the_late(self.policy.now()),
        };
        let me = queue.find(node);
        // Its destructor is foreign, and must not unwind between having the lock and saying so.
        let old = me.set_waker(waker);
        let (head, told) = (queue.is_head(node), node.state() == TOLD);
        let flags = queue.flags();
        if head && self.is_kept() {
            // Relaxed: only whoever has the queue takes it from there, and the last owner had it.
            self.held.store(HELD, Ordering::Relaxed);
            self.policy.count();
            queue.remove(node, self.policy.now());
            drop(queue);
            contain(|| drop(old));
            told_instead.now();
            return Some(Look::Taken);
        }
        let beside = if head { Beside::Nobody } else { queue.behind_whom() };
        if told {
            // He sleeps again unless the look below is luckier, and that must be known before it.
            me.wait_again();
            queue.set(ASLEEP);
            // An owner that is slow of late may look at the clock a thousand times more seldom than it should.
            if head {
                queue.call_head_if_due();
            }
        }
        drop(queue);
        contain(|| drop(old));
        told_instead.now();
        if told {
            self.before_the_last_look(flags);
        }
        Some(self.last_look(node, beside))
    }

    fn last_look(&self, node: &Node, beside: Beside) -> Look {
        match self.seems_free() && self.take_as_waiter(node) {
            true => Look::Taken,
            false => Look::Waits(beside),
        }
    }

    fn leave_as_task(&self, node: &Node) {
        let mut queue = self.queue();
        let wake = match node.is_waiting() {
            true => queue.leave(node, self.policy.now()),
            false => Wake::nobody(),
        };
        drop(queue);
        wake.now();
    }

    /// Tries to take the lock for a node in the queue, which is out of the queue then.
    pub(super) fn take_as_waiter(&self, node: &Node) -> bool {
        if !self.try_free() {
            return false;
        }
        let mut queue = self.queue();
        // A task may have been passed over since it had the queue.
        if node.is_waiting() {
            queue.remove(node, self.policy.now());
        }
        true
    }
}
