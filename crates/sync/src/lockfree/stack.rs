//! A stack for many threads.
//!
//! R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM Almaden Research Center, RJ 5118, 1986: one pointer to
//! a list of nodes, changed by compare-and-exchange. Treiber needs a counter beside the pointer, lest a node that was freed
//! and came back be taken for the old one. Here a node cannot come back while somebody looks at it
//! ([`hazard`](super::hazard)), so there is no counter that could wrap around.
//!
//! Invariants:
//!
//! 1. A node's `next` is set before the node is published, and never changed.
//! 2. Whoever moves `head` away from a node has its item, and retires it. The others may still read `next`.
//!
//! `next` is an address and not a pointer. For `push` does not look at the node that it finds on top, so it does not
//! protect it: that node may be taken and freed, and another come to its address, before the exchange of `push` succeeds.
//! The address is right then, but a pointer to the first node must not be followed to the second. So `push` exposes where
//! its node is (`expose_provenance`), and whoever follows `next` makes a pointer to the node that is there.

use super::drop_all::drop_all;
use super::hazard::Domain;
use super::slot::Slot;
use crate::primitive::{AtomicPtr, Ordering, const_but_for_loom};
use std::fmt;
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::{self, NonNull};

/// A stack without a bound, for any number of threads: last in, first out.
///
/// Lock-free. Each item is in a node of its own, which is allocated by [`push`](Stack::push) and given back when the item
/// has been taken and nobody looks at the node any more. Items that are still inside are dropped with the stack. Not
/// fair: whoever comes at the right moment takes what was put in last, and what is at the bottom may stay for ever.
///
/// Threads meet at one pointer, so it does not become quicker with their number. To hand many items over at once, use
/// [`take_all`](Stack::take_all).
///
/// # Examples
/// ```
/// let stack = sync::lockfree::Stack::new();
/// stack.push("first");
/// stack.push("second");
/// assert_eq!(stack.pop(), Some("second"));
/// stack.push("third");
/// assert_eq!(stack.take_all().collect::<Vec<_>>(), ["third", "first"]);
/// assert!(stack.is_empty());
/// ```
#[doc(alias = "LifoQueue")]
#[doc(alias = "Treiber")]
pub struct Stack<T> {
    head: AtomicPtr<Node<T>>,
    nodes: Domain<Node<T>>,
}

struct Node<T> {
    /// The address of the node below, or 0.
    next: usize,
    slot: Slot<T>,
}

// SAFETY: the nodes are the stack's own, and go with it; items go with them, which needs `T: Send`.
unsafe impl<T: Send> Send for Stack<T> {}

// SAFETY: an item goes from one thread to another, which needs `T: Send`; no item is shared (invariant 2).
unsafe impl<T: Send> Sync for Stack<T> {}

/// An operation is done whole or not at all, whatever panics.
impl<T> UnwindSafe for Stack<T> {}
impl<T> RefUnwindSafe for Stack<T> {}

impl<T> Stack<T> {
    const_but_for_loom! {
        /// An empty stack. Allocates nothing yet.
        #[must_use]
        pub fn new() -> Self {
            Stack { head: AtomicPtr::new(ptr::null_mut()), nodes: Domain::new() }
        }
    }

    /// Puts an item on top. Does not block; allocates.
    #[doc(alias = "put")]
    pub fn push(&self, item: T) {
        let node = Box::into_raw(Box::new(Node { next: 0, slot: Slot::filled(item) }));
        // For whoever comes to the node by the `next` of one above it.
        node.expose_provenance();
        // Relaxed: the node behind is not looked at here.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the node has not been published, so it is ours alone.
            unsafe { (*node).next = head.addr() };
            // SeqCst, as every change of `head`: publishes the node. Those behind it stay published, because every change
            // is one step of reading and writing. Relaxed if it fails: see above.
            match self.head.compare_exchange_weak(head, node, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the topmost item; `None` if there was none at some moment of the call. Does not block; gives memory back, and allocates
    /// [places for those who look](super) where there are none.
    #[doc(alias = "get_nowait")]
    pub fn pop(&self) -> Option<T> {
        loop {
            // SAFETY: a node is retired by whoever moves `head` away from it, and freed by nothing else; `head` is changed
            // by `SeqCst` operations.
            let node = unsafe { self.nodes.protect(&self.head) }?;
            let moved = self.head.compare_exchange(
                node.as_ptr(),
                node.next(),
                Ordering::SeqCst,
                // Relaxed: the next try looks anew.
                Ordering::Relaxed,
            );
            if moved.is_ok() {
                // SAFETY: this thread has moved `head` away from the node, so the item is its own (invariant 2).
                let item = unsafe { node.slot.take() };
                // SAFETY: `head` has left it, by this thread alone; its item, which might be bound to a thread, is out.
                unsafe { node.retire() };
                return Some(item);
            }
        }
    }

    /// Takes all items at once, the topmost first. Items that the iterator has not given are dropped with it.
    ///
    /// One atomic instruction takes them, and nobody else sees them any more. Does not block or allocate.
    pub fn take_all(&self) -> TakeAll<'_, T> {
        // SeqCst: as every change of `head`; it also receives the nodes.
        TakeAll { stack: self, next: self.head.swap(ptr::null_mut(), Ordering::SeqCst) }
    }

    /// Whether there was nothing inside at some moment of the call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // SeqCst, as every change of `head`: there was nothing when it was read, in the one order of all. Acquire, too:
        // what was done before the last item was taken is seen by who finds the stack empty.
        self.head.load(Ordering::SeqCst).is_null()
    }
}

impl<T> Node<T> {
    /// The node below, or null. It is there as long as this one has not left the stack, or is in a list that was taken and
    /// has not gone on.
    #[inline(always)]
    fn next(&self) -> *mut Node<T> {
        ptr::with_exposed_provenance_mut(self.next)
    }
}

impl<T> Drop for Stack<T> {
    fn drop(&mut self) {
        drop(self.take_all());
    }
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<T> for Stack<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T> fmt::Debug for Stack<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("is_empty", &self.is_empty()).finish_non_exhaustive()
    }
}

/// All items that a stack had at one moment; see [`Stack::take_all`].
///
/// Never waits and allocates nothing; each item gives its memory back. What it has not given is dropped with it.
pub struct TakeAll<'a, T> {
    stack: &'a Stack<T>,
    /// The first node of a list that no `head` reaches. The list is ours; those who looked at its first node before may
    /// still read that node's `next`.
    next: *mut Node<T>,
}

// SAFETY: it owns items, and frees nodes in the stack's domain as any thread may; this needs `T: Send`.
unsafe impl<T: Send> Send for TakeAll<'_, T> {}

// SAFETY: through `&TakeAll` nothing can be reached.
unsafe impl<T: Send> Sync for TakeAll<'_, T> {}

impl<T> Iterator for TakeAll<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let first = NonNull::new(self.next)?;
        // SAFETY: the node is in our list, so nobody frees it before we do.
        let node = unsafe { first.as_ref() };
        self.next = node.next();
        // SAFETY: the item is ours with the list, and the list goes on behind it.
        let item = unsafe { node.slot.take() };
        // SAFETY: `head` left the whole list by our swap, and each node is retired when the list goes on.
        unsafe { self.stack.nodes.retire(first) };
        Some(item)
    }
}

impl<T> FusedIterator for TakeAll<'_, T> {}

impl<T> Drop for TakeAll<'_, T> {
    fn drop(&mut self) {
        drop_all(|| self.next());
    }
}

impl<T> fmt::Debug for TakeAll<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeAll").field("is_empty", &self.next.is_null()).finish_non_exhaustive()
    }
}
