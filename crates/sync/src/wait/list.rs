//! Those who wait, in order of arrival: a doubly linked list of nodes that lie in their own frames.
//!
//! A node is on the stack of a thread, or in the pinned future of a task or of a coroutine. Nothing is allocated, and leaving takes
//! constant time. Whoever owns a [`List`] keeps it under a lock of his own; *having the list* is holding that lock.
//!
//! # Telling
//! Each node has a state, which its waiter may read without having the list:
//!
//! | state | who changes it |
//! |---|---|
//! | `WAITING` | to `ASLEEP`: the thread itself, by compare-and-swap. To what he is told: whoever has the list |
//! | `ASLEEP` | to what he is told: whoever has the list, who then has to wake the thread. Back to `WAITING`: the thread, having the list |
//! | from `FIRST_TOLD` on | back to `WAITING`: the waiter, having the list |
//!
//! Telling is one swap. It is the last touch of the node that needs the node: the waiter may go on at once, and the frame be gone before
//! the wake is made. So the wake holds what it needs by value: a waker, or the address of the word, which the kernel takes
//! for a key and does not read.

use super::patience::Patience;
use crate::catch::contain;
use crate::os::clock;
use crate::os::{Rouse, Sleeper};
use crate::park::plain;
use crate::primitive::{AtomicU32, Ordering, UnsafeCell};
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::ptr::{self, NonNull};
use std::task::Waker;
use std::time::Instant;

/// A waiter.
///
/// # Invariants
/// 1. From [`List::push`] until it has left the list, a node neither moves nor goes away.
/// 2. `inner` is used by whoever has the list, or, while the node is in none, by the waiter.
#[repr(C)]
pub(crate) struct Node {
    state: AtomicU32,
    /// Of a thread. It does not change.
    sleeper: Option<Sleeper>,
    /// With a gap in front of `inner`, a node that is made and moved is written to the stack in pieces, and copied from there in others,
    /// for which the CPU waits: 12 ns for an item between tasks, of some 170.
    _no_gap: [u8; 3],
    inner: UnsafeCell<Inner>,
    /// Others point to it.
    _pinned: PhantomPinned,
}

// SAFETY: whatever is behind its pointers is used by whoever has the list, on any thread, and a `Waker` may be sent.
unsafe impl Send for Node {}

// SAFETY: what is shared is the state, an atomic, and `sleeper`, which does not change and may be looked at from any thread; the
// rest is used by one at a time (Invariant 2).
unsafe impl Sync for Node {}

/// In this order: what others read and write who pass something on is in one piece with the state, and the rest is the waiter's own.
#[repr(C)]
struct Inner {
    previous: *const Node,
    next: *const Node,
    /// Of the first alone: the last one.
    last: *const Node,
    /// Of a task, until it is told.
    waker: Option<Waker>,
    /// Whatever the list's owner counts by.
    ticket: u64,
    /// When he was told, if the list's owner cares. Of a thread that was [roused](Entry::rouse_once), anything but 0.
    told_at: u32,
}

impl Drop for Inner {
    #[inline]
    fn drop(&mut self) {
        if self.waker.is_some() {
            drop_waker(&mut self.waker);
        }
    }
}

/// Foreign, in the destructor of a future, which a panic may drop.
#[cold]
fn drop_waker(waker: &mut Option<Waker>) {
    let waker = waker.take();
    contain(|| drop(waker));
}

/// Is to wait until told; awake, or a task.
const WAITING: u32 = 0;
/// A thread that sleeps on its word, or is about to.
const ASLEEP: u32 = 1;
/// From here on: has been told something. What it is, the list's owner knows.
pub(crate) const FIRST_TOLD: u32 = 2;

impl Node {
    pub(crate) fn of_this_thread() -> Self {
        Self::new(Some(Sleeper::here()))
    }

    pub(crate) fn of_a_task() -> Self {
        Self::new(None)
    }

    fn new(sleeper: Option<Sleeper>) -> Self {
        let inner = Inner {
            previous: ptr::null(),
            next: ptr::null(),
            last: ptr::null(),
            waker: None,
            ticket: 0,
            told_at: 0,
        };
        Node {
            state: AtomicU32::new(WAITING),
            sleeper,
            _no_gap: [0; 3],
            inner: UnsafeCell::new(inner),
            _pinned: PhantomPinned,
        }
    }

    /// Whether the waiter is a thread, which looks when it is told.
    #[inline]
    pub(crate) fn is_of_a_thread(&self) -> bool {
        self.sleeper.is_some()
    }

    /// So many bytes of a node are used by others than the waiter, if he counts by no ticket.
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(any(trefoil_loom, trefoil_shuttle))))]
    pub(crate) const SHARED: usize = mem::offset_of!(Node, inner) + mem::offset_of!(Inner, ticket);

    /// What the waiter has been told since he began to wait.
    pub(crate) fn told(&self) -> Option<u32> {
        // Acquire: pairs with `Entry::tell`, after which the node is the waiter's alone if it has left the list.
        let state = self.state.load(Ordering::Acquire);
        (state >= FIRST_TOLD).then_some(state)
    }

    /// Waits again. Called by the waiter, who has the list or is in none.
    pub(crate) fn begin(&self) {
        // Relaxed: whoever tells him has the list after this.
        self.state.store(WAITING, Ordering::Relaxed);
    }

    /// Blocks this thread, whose node it is, until he is told, or until the deadline, or a little less.
    pub(crate) fn rest(&self, patience: &Patience, deadline: Option<Instant>) {
        if !patience.wait(|| self.told().is_some()) {
            self.sleep(deadline);
        }
    }

    /// As [`rest`](Node::rest), without waiting awake first.
    pub(crate) fn sleep(&self, deadline: Option<Instant>) {
        // Relaxed, all three: what he is told is read by `told`. If he has been told meanwhile, or sleeps already and comes back
        // early, there is nothing to change.
        let _ = self.state.compare_exchange(WAITING, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);
        while self.told().is_none() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
            plain::sleep(&self.state, ASLEEP, deadline);
            // Under loom every deadline passes at once.
            if crate::primitive::IS_MODEL && deadline.is_some() {
                return;
            }
        }
    }
}

/// Those who wait. One pointer.
pub(crate) struct List {
    first: *const Node,
}

// SAFETY: the nodes may be used on any thread, by whoever has the list.
unsafe impl Send for List {}

/// A node in a list, while somebody has the list.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'l> {
    node: NonNull<Node>,
    _list: PhantomData<&'l List>,
}

impl List {
    pub(crate) const fn new() -> Self {
        List { first: ptr::null() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Who has waited longest.
    pub(crate) fn first(&self) -> Option<Entry<'_>> {
        Entry::of(self.first)
    }

    /// Puts a node at the end.
    ///
    /// # Safety
    /// The node is in no list. It neither moves nor goes away before it has left this one.
    pub(crate) unsafe fn push(&mut self, node: NonNull<Node>, ticket: u64) {
        let new = Entry::of_pushed(node);
        let last = match self.first() {
            None => ptr::null(),
            Some(first) => first.inner(|inner| mem::replace(&mut inner.last, node.as_ptr())),
        };
        new.inner(|inner| {
            (inner.previous, inner.next, inner.last) = (last, ptr::null(), node.as_ptr());
            inner.ticket = ticket;
        });
        match Entry::of(last) {
            None => self.first = node.as_ptr(),
            Some(last) => last.inner(|inner| inner.next = node.as_ptr()),
        }
    }

    /// Puts a node where it belongs by its ticket, from the front: for one that has been there before.
    ///
    /// # Safety
    /// As for [`push`](List::push).
    pub(crate) unsafe fn push_back_in(&mut self, node: NonNull<Node>, ticket: u64) {
        let mut after = self.first();
        while let Some(entry) = after.filter(|entry| entry.ticket() < ticket) {
            after = entry.next();
        }
        let Some(after) = after else {
            // SAFETY: as promised by the caller.
            return unsafe { self.push(node, ticket) };
        };
        let after_node = after.node;
        let (previous, last) =
            after.inner(|inner| (mem::replace(&mut inner.previous, node.as_ptr()), inner.last));
        let new = Entry::of_pushed(node);
        new.inner(|inner| {
            (inner.previous, inner.next, inner.last) = (previous, after_node.as_ptr(), last);
            inner.ticket = ticket;
        });
        match Entry::of(previous) {
            None => self.first = node.as_ptr(),
            Some(previous) => previous.inner(|inner| inner.next = node.as_ptr()),
        }
    }

    /// Takes a node out.
    ///
    /// # Safety
    /// The node is in this list.
    pub(crate) unsafe fn remove(&mut self, node: NonNull<Node>) {
        let (previous, next, last) =
            Entry::of_pushed(node).inner(|inner| (inner.previous, inner.next, inner.last));
        if let Some(next) = Entry::of(next) {
            next.inner(|inner| inner.previous = previous);
        }
        match Entry::of(previous) {
            Some(previous_entry) => {
                previous_entry.inner(|inner| inner.next = next);
                if next.is_null() {
                    if let Some(first) = self.first() {
                        first.inner(|inner| inner.last = previous);
                    }
                }
            }
            None => {
                self.first = next;
                if let Some(first) = self.first() {
                    first.inner(|inner| inner.last = last);
                }
            }
        }
    }

    /// Takes the first out and tells him `what`.
    pub(crate) fn tell_first(&mut self, what: u32) -> Wake {
        match self.first().map(Entry::as_ptr) {
            // SAFETY: it is the first of this list.
            Some(first) => unsafe { self.tell(first, what) },
            None => Wake::Nobody,
        }
    }

    /// Takes a node out and tells its waiter `what`.
    ///
    /// # Safety
    /// The node is in this list.
    pub(crate) unsafe fn tell(&mut self, node: NonNull<Node>, what: u32) -> Wake {
        // SAFETY: as promised by the caller.
        unsafe { self.remove(node) };
        Entry::of_pushed(node).tell(what)
    }
}

impl<'l> Entry<'l> {
    fn of(node: *const Node) -> Option<Self> {
        NonNull::new(node.cast_mut()).map(Self::of_pushed)
    }

    fn of_pushed(node: NonNull<Node>) -> Self {
        Entry { node, _list: PhantomData }
    }

    fn node(&self) -> &Node {
        // SAFETY: it stays while it is in the list (Invariant 1), and nobody takes it out but whoever has the list.
        unsafe { self.node.as_ref() }
    }

    fn inner<R>(&self, access: impl FnOnce(&mut Inner) -> R) -> R {
        #[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
        super::steps::one();
        self.node().inner.with_mut(|inner| {
            // SAFETY: the list is ours, and so are all its nodes (Invariant 2); no access is inside another.
            access(unsafe { &mut *inner })
        })
    }

    /// The pointer that the list was given.
    pub(crate) fn as_ptr(self) -> NonNull<Node> {
        self.node
    }

    pub(crate) fn next(self) -> Option<Entry<'l>> {
        Entry::of(self.inner(|inner| inner.next))
    }

    pub(crate) fn ticket(self) -> u64 {
        self.inner(|inner| inner.ticket)
    }

    /// Whether a thread waits there, which looks when it is told.
    pub(crate) fn is_thread(self) -> bool {
        self.node().is_of_a_thread()
    }

    /// As [`tell`](Entry::tell), once; notes the time.
    pub(crate) fn tell_once(self, what: u32, now: u32) -> Wake {
        if self.node().told().is_some() {
            return Wake::Nobody;
        }
        self.inner(|inner| inner.told_at = now);
        self.tell(what)
    }

    /// As [`tell`](Entry::tell), if it is a thread that waits to be told, and only the first time since the node was made.
    pub(crate) fn rouse_once(self, what: u32) -> Wake {
        if !self.is_thread() || self.is_told() || self.inner(|inner| mem::replace(&mut inner.told_at, 1)) != 0
        {
            return Wake::Nobody;
        }
        self.tell(what)
    }

    /// For how long a task has been told by [`tell_once`](Entry::tell_once) and has not looked, in ticks. Threads do look.
    pub(crate) fn task_told_for(self, now: u32) -> Option<u32> {
        self.node().told()?;
        (!self.is_thread()).then(|| self.inner(|inner| clock::passed(inner.told_at, now)))
    }

    pub(crate) fn is_told(self) -> bool {
        self.node().told().is_some()
    }

    /// Whether it is a task, and has been told. Threads do look.
    pub(crate) fn is_told_task(self) -> bool {
        self.node().told().is_some() && !self.is_thread()
    }

    /// Tells him `what`. If he is in no list after this, the node may be gone.
    pub(crate) fn tell(self, what: u32) -> Wake {
        debug_assert!(what >= FIRST_TOLD);
        let node = self.node();
        let wake = match &node.sleeper {
            Some(sleeper) => Wake::Thread(sleeper.rouse(&node.state)),
            None => self.inner(|inner| inner.waker.take()).map_or(Wake::Nobody, Wake::Task),
        };
        // Release: pairs with `Node::told`; whoever is told uses what was written to the node before. Acquire: the thread
        // that says that it sleeps does so before it is told.
        let before = node.state.swap(what, Ordering::AcqRel);
        match wake {
            Wake::Thread(_) if before != ASLEEP => Wake::Nobody,
            wake => wake,
        }
    }
}

/// A node's waker, which its waiter sets while he has the list, or is in none.
///
/// # Safety
/// The caller has the list that `node` is in, or is its waiter and it is in none.
pub(crate) unsafe fn set_waker(node: &Node, waker: Waker) -> Option<Waker> {
    match node.is_of_a_thread() {
        true => Some(waker),
        false => Entry::of_pushed(NonNull::from(node)).inner(|inner| inner.waker.replace(waker)),
    }
}

/// Somebody to be woken when the list is given back.
#[derive(Default)]
#[must_use = "somebody waits for it"]
pub(crate) enum Wake {
    #[default]
    Nobody,
    Thread(Rouse),
    Task(Waker),
}

impl Wake {
    pub(crate) fn now(self) {
        match self {
            Wake::Nobody => {}
            Wake::Thread(rouse) => rouse.now(),
            Wake::Task(waker) => waker.wake(),
        }
    }
}
