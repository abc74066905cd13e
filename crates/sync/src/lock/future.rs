//! How a task takes the lock, and everything else that waits by a waker.

use super::queue::{Node, TOLD, Wake};
use super::{AWAKE, FENCED, HELD, RawLock, TASKS};
use crate::catch::contain;
use crate::primitive::Ordering;
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
}

impl<'a> Acquire<'a> {
    pub(super) fn new(lock: &'a RawLock) -> Self {
        Acquire { lock, node: Node::of_a_task(), queued: false }
    }
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the node is not moved, and `queued` is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let node = &this.node;
        if this.queued {
            match this.lock.try_as_queued_task(node, cx.waker().clone()) {
                Some(taken) => {
                    this.queued = !taken;
                    return ready_if(taken);
                }
                // Passed over: as at first.
                None => this.queued = false,
            }
        }
        if this.lock.try_acquire() {
            return Poll::Ready(());
        }
        // First, for it may panic.
        let waker = cx.waker().clone();
        this.queued = true;
        // SAFETY: the node is not in a queue. It is pinned with this future, which borrows the lock and takes the node out of the
        // queue when it is dropped.
        let taken = unsafe { this.lock.queue_up_as_task(node, waker) };
        this.queued = !taken;
        ready_if(taken)
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if self.queued {
            self.lock.leave_as_task(&self.node);
        }
    }
}

impl RawLock {
    /// Queues up; whether the lock is ours all the same, and the node is out of the queue again.
    ///
    /// # Safety
    /// As for [`Queue::push`](super::queue::Queue::push).
    unsafe fn queue_up_as_task(&self, node: &Node, waker: Waker) -> bool {
        let mut queue = self.queue();
        let flags = queue.flags();
        queue.set(FENCED | TASKS);
        node.begin();
        // SAFETY: as promised by the caller.
        let first = unsafe { queue.push(node, self.policy.now()) };
        let old = queue.find(node).set_waker(waker);
        drop(queue);
        contain(|| drop(old));
        // Who is not the first is woken by those before him.
        if !first {
            return false;
        }
        self.before_the_last_look(flags);
        self.seems_free() && self.take_as_waiter(node)
    }

    /// Tries to take the lock, and waits on if that fails; whether the lock is ours and the node is out of the queue. `None` if
    /// it was out of the queue before.
    fn try_as_queued_task(&self, node: &Node, waker: Waker) -> Option<bool> {
        let mut queue = self.queue();
        if !node.is_waiting() {
            drop(queue);
            return None;
        }
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
            return Some(true);
        }
        if told {
            // He sleeps again unless the look below is luckier, and that must be known before it.
            me.wait_again();
            queue.clear(AWAKE);
        }
        drop(queue);
        contain(|| drop(old));
        if told {
            self.before_the_last_look(flags);
        }
        Some(self.seems_free() && self.take_as_waiter(node))
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

fn ready_if(ready: bool) -> Poll<()> {
    match ready {
        true => Poll::Ready(()),
        false => Poll::Pending,
    }
}
