//! Those who wait for a lock, in order of arrival: a doubly linked list of nodes that lie in the waiters' own frames.

use super::{ASLEEP, DUE, FREE, RawLock, TASKS, WAITERS, policy};
use crate::catch::contain;
use crate::os::{Rouse, Sleeper};
use crate::primitive::{AtomicU32, Ordering, ShortGuard, UnsafeCell};
use crate::wait::patrol::{Beside, Call};
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::ptr::{self, NonNull};
use std::task::Waker;

/// A waiter.
///
/// # Invariants
/// 1. From [`Queue::push`] until it has left the queue, a node neither moves nor goes away, and its lock stays.
/// 2. All fields but `state` are used by whoever has the queue only.
/// 3. A thread whose node is `GRANTED` owns the lock, and nobody else uses the node from then on.
pub(super) struct Node {
    state: AtomicU32,
    inner: UnsafeCell<Inner>,
    /// Others point to it.
    _pinned: PhantomPinned,
}

// SAFETY: whatever is behind its pointers is used by whoever has the queue, on any thread, and a `Waker` may be sent.
unsafe impl Send for Node {}

// SAFETY: what is shared is the state, an atomic; the rest is used by one at a time (Invariant 2).
unsafe impl Sync for Node {}

struct Inner {
    previous: *const Node,
    next: *const Node,
    /// Of the head alone: the last one.
    tail: *const Node,
    who: Who,
    /// When he was told to try.
    told_at: u32,
}

enum Who {
    Thread(Sleeper),
    /// The waker, until he is told.
    Task(Option<Waker>),
}

impl Drop for Who {
    fn drop(&mut self) {
        if let Who::Task(waker) = self {
            let waker = waker.take();
            // Foreign, in the destructor of a future, which a panic may drop.
            contain(|| drop(waker));
        }
    }
}

/// Is to wait until told.
pub(super) const WAITING: u32 = 0;
/// Told to try. The head, and awake.
pub(super) const TOLD: u32 = 1;
/// Has the lock; a thread, and out of the queue.
pub(super) const GRANTED: u32 = 2;
/// A task that was told and did not come: out of the queue.
pub(super) const PASSED_OVER: u32 = 3;

impl Node {
    pub(super) fn of_this_thread() -> Self {
        Self::new(Who::Thread(Sleeper::here()))
    }

    pub(super) fn of_a_task() -> Self {
        Self::new(Who::Task(None))
    }

    fn new(who: Who) -> Self {
        let inner = Inner { previous: ptr::null(), next: ptr::null(), tail: ptr::null(), who, told_at: 0 };
        Node { state: AtomicU32::new(WAITING), inner: UnsafeCell::new(inner), _pinned: PhantomPinned }
    }

    pub(super) fn state(&self) -> u32 {
        // Acquire: pairs with `grant`, so that a new owner sees what the last one did.
        self.state.load(Ordering::Acquire)
    }

    /// Before it is queued up, the first time or again.
    pub(super) fn begin(&self) {
        self.state.store(WAITING, Ordering::Relaxed);
    }

    /// Asked by whoever has the queue: whether it is in it.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state(), WAITING | TOLD)
    }

    /// The word to sleep on.
    pub(super) fn word(&self) -> &AtomicU32 {
        &self.state
    }
}

/// The queue of a lock, for as long as this lives.
pub(super) struct Queue<'a> {
    lock: &'a RawLock,
    _turn: ShortGuard<'a>,
}

/// A node while somebody has its queue.
#[derive(Clone, Copy)]
pub(super) struct InQueue<'q> {
    node: NonNull<Node>,
    _queue: PhantomData<&'q ()>,
}

impl<'a> Queue<'a> {
    pub(super) fn of(lock: &'a RawLock) -> Self {
        Queue { lock, _turn: lock.queue_lock.lock() }
    }

    pub(super) fn flags(&self) -> u8 {
        // Relaxed, here and in the changes: whoever has the queue had it after the last change.
        self.lock.flags.load(Ordering::Relaxed)
    }

    pub(super) fn set(&mut self, flags: u8) {
        self.lock.flags.store(self.flags() | flags, Ordering::Relaxed);
    }

    pub(super) fn clear(&mut self, flags: u8) {
        self.lock.flags.store(self.flags() & !flags, Ordering::Relaxed);
    }

    pub(super) fn head(&self) -> Option<InQueue<'a>> {
        // SAFETY: the queue is ours.
        let head = self.lock.head.with(|head| unsafe { *head });
        InQueue::of(head)
    }

    pub(super) fn is_head(&self, node: &Node) -> bool {
        self.head().is_some_and(|head| ptr::eq(head.node.as_ptr(), node))
    }

    /// Puts a node at the end; whether it is the head now.
    ///
    /// # Safety
    /// The node is not in a queue. It is pinned, and it is removed before it or the lock goes away.
    pub(super) unsafe fn push(&mut self, node: &Node, now: u32) -> bool {
        let new = InQueue { node: NonNull::from(node), _queue: PhantomData };
        self.set(WAITERS);
        self.lock.policy.one_more();
        match self.head() {
            None => {
                new.inner(|inner| {
                    (inner.previous, inner.next, inner.tail) = (ptr::null(), ptr::null(), node);
                });
                self.set_head(node);
                self.set(ASLEEP);
                self.lock.policy.new_head(now);
                true
            }
            Some(head) => {
                let tail = head.inner(|inner| mem::replace(&mut inner.tail, node));
                new.inner(|inner| (inner.previous, inner.next) = (tail, ptr::null()));
                if let Some(tail) = InQueue::of(tail) {
                    tail.inner(|inner| inner.next = node);
                }
                false
            }
        }
    }

    /// A node that is in this queue.
    pub(super) fn find(&self, node: &Node) -> InQueue<'a> {
        debug_assert!(node.is_waiting());
        InQueue { node: NonNull::from(node), _queue: PhantomData }
    }

    /// Takes a node out. If it was the head, nobody is awake for the lock any more, but for whoever takes it out.
    pub(super) fn remove(&mut self, node: &Node, now: u32) {
        let node = self.find(node);
        self.unlink(node, now);
    }

    /// Takes out a node that goes away without the lock. If it was awake, the next one is told in its place.
    pub(super) fn leave(&mut self, node: &Node, now: u32) -> Wake {
        let awake = self.is_head(node) && self.flags() & ASLEEP == 0;
        self.remove(node, now);
        match awake {
            true => self.tell_the_next(now),
            false => Wake::nobody(),
        }
    }

    /// As [`remove`](Queue::remove), for the head.
    pub(super) fn remove_head(&mut self, head: InQueue<'a>, now: u32) {
        debug_assert!(self.head().is_some_and(|first| first.node == head.node));
        self.unlink(head, now);
    }

    /// For a head who is about to sleep: says that he is due, if he is.
    pub(super) fn call_head_if_due(&mut self) {
        let policy = &self.lock.policy;
        if policy.head_for(policy.now()) > policy.quantum() {
            self.set(DUE);
        }
    }

    fn unlink(&mut self, node: InQueue<'_>, now: u32) {
        let (previous, next, tail) = node.inner(|inner| (inner.previous, inner.next, inner.tail));
        let (before, after) = (InQueue::of(previous), InQueue::of(next));
        if let Some(after) = after {
            after.inner(|inner| inner.previous = previous);
        }
        if let Some(before) = before {
            before.inner(|inner| inner.next = next);
            if next.is_null() {
                if let Some(head) = self.head() {
                    head.inner(|inner| inner.tail = previous);
                }
            }
        } else {
            self.set_head(next);
            self.clear(DUE);
            if let Some(after) = after {
                after.inner(|inner| inner.tail = tail);
                self.set(ASLEEP);
                self.lock.policy.new_head(now);
            }
        }
        let none_left = self.head().is_none();
        if none_left {
            self.clear(WAITERS | ASLEEP | TASKS);
        }
        self.lock.policy.one_less(none_left);
    }

    fn set_head(&mut self, head: *const Node) {
        // SAFETY: the queue is ours.
        self.lock.head.with_mut(|place| unsafe { *place = head });
    }

    /// Tells the head, if there is one, that he is to try for the lock.
    #[must_use = "the wake is to be done when the queue is given back"]
    pub(super) fn tell_head(&mut self, now: u32) -> Wake {
        let Some(head) = self.head() else { return Wake::nobody() };
        self.clear(ASLEEP);
        head.inner(|inner| inner.told_at = now);
        let relied_on = head.is_task() && head.inner(|inner| !inner.next.is_null());
        let mut wake = head.tell(TOLD);
        // It may not come, and then somebody has to come by for those behind it.
        wake.call = relied_on.then(|| Call::of(self.lock));
        wake
    }

    /// What a task has to reckon with that is not the head, or comes now.
    pub(super) fn behind_whom(&self) -> Beside {
        match self.head() {
            Some(head) if head.is_told() => Beside::Told,
            Some(_) if self.flags() & TASKS != 0 => Beside::Others,
            _ => Beside::Nobody,
        }
    }

    /// Takes out the head if it is a task that was told and has not come in time, and tells the next one in its place.
    #[must_use = "the wake is to be done when the queue is given back"]
    pub(super) fn pass_over_the_late(&mut self, now: u32) -> Wake {
        match self.head() {
            Some(head) if head.is_late(&self.lock.policy, now) => self.pass_over(head, now),
            _ => Wake::nobody(),
        }
    }

    /// Takes out the head, a task that was told, and tells the next one in its place.
    pub(super) fn pass_over(&mut self, head: InQueue<'_>, now: u32) -> Wake {
        if !head.is_told() {
            return Wake::nobody();
        }
        self.unlink(head, now);
        head.node().state.store(PASSED_OVER, Ordering::Relaxed);
        self.tell_the_next(now)
    }

    /// The head was awake and has gone.
    fn tell_the_next(&mut self, now: u32) -> Wake {
        if self.lock.is_kept() {
            // Release: the last owner's work, which came here by the queue, goes on to the next.
            self.lock.held.store(FREE, Ordering::Release);
        }
        self.tell_head(now)
    }
}

impl InQueue<'_> {
    fn of(node: *const Node) -> Option<Self> {
        NonNull::new(node.cast_mut()).map(|node| InQueue { node, _queue: PhantomData })
    }

    fn node(&self) -> &Node {
        // SAFETY: it stays while it is in the queue (Invariant 1), and nobody takes it out but whoever has the queue.
        unsafe { self.node.as_ref() }
    }

    fn inner<R>(&self, access: impl FnOnce(&mut Inner) -> R) -> R {
        #[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
        crate::wait::steps::one();
        self.node().inner.with_mut(|inner| {
            // SAFETY: the queue is ours, and so are all its nodes (Invariant 2); no access is inside another.
            access(unsafe { &mut *inner })
        })
    }

    pub(super) fn is_task(&self) -> bool {
        self.inner(|inner| matches!(inner.who, Who::Task(_)))
    }

    fn is_told(&self) -> bool {
        self.is_task() && self.node().state.load(Ordering::Relaxed) == TOLD
    }

    fn is_late(&self, policy: &policy::Policy, now: u32) -> bool {
        self.is_told() && policy.is_late(self.inner(|inner| inner.told_at), now)
    }

    /// Where he is, he waits again.
    pub(super) fn wait_again(&self) {
        self.node().state.store(WAITING, Ordering::Relaxed);
    }

    /// The waker to tell the task by; the one before is to be dropped when the queue is given back.
    #[must_use = "its destructor is foreign code"]
    pub(super) fn set_waker(&self, waker: Waker) -> Option<Waker> {
        self.inner(|inner| match &mut inner.who {
            Who::Task(place) => place.replace(waker),
            Who::Thread(_) => Some(waker),
        })
    }

    /// Makes the thread the lock's owner. It has left the queue, and after this nobody but the thread uses the node.
    pub(super) fn grant(&self) -> Wake {
        self.tell(GRANTED)
    }

    pub(super) fn tell(&self, state: u32) -> Wake {
        let node = self.node();
        let whom = self.inner(|inner| match &mut inner.who {
            Who::Thread(sleeper) => Whom::Thread(sleeper.rouse(&node.state)),
            Who::Task(waker) => waker.take().map_or(Whom::Nobody, Whom::Task),
        });
        // Release: pairs with `Node::state`. It comes last, for the node may go away at once.
        node.state.store(state, Ordering::Release);
        Wake { whom, call: None }
    }
}

/// Somebody to be woken when the queue is given back.
#[must_use = "somebody waits for it"]
pub(super) struct Wake {
    whom: Whom,
    /// A task was told, and there are others behind it.
    call: Option<Call>,
}

enum Whom {
    Nobody,
    Thread(Rouse),
    Task(Waker),
}

impl Wake {
    pub(super) const fn nobody() -> Self {
        Wake { whom: Whom::Nobody, call: None }
    }

    pub(super) fn now(self) {
        // First: a waker may run its task at once, which may take long, or wait for those who rely on it.
        if let Some(call) = self.call {
            call.now();
        }
        match self.whom {
            Whom::Nobody => {}
            Whom::Thread(rouse) => rouse.now(),
            // Foreign: it must neither unwind past a node that is in the queue, nor leave the destructor of a guard or of a
            // future. The panic hook has spoken.
            Whom::Task(waker) => contain(|| waker.wake()),
        }
    }
}
