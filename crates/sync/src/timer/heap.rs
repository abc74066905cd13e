//! Deadlines in order of time: a heap of nodes that lie in the frames of those who wait.
//!
//! A leftist heap, of nodes that know their parent. No child is earlier than its parent. The *rank* of a node is the length of the
//! shortest way down out of its tree, and no right child has a higher one than the left: so the way down by right children is
//! the shortest, and no longer than log2(n + 1). All work is done along such ways, and nothing is allocated:
//!
//! - putting in melds the tree with one node, and taking out melds the two below the one that goes: down the right, O(log n);
//! - taking out changes the ranks of those above, as far as their ranks depend on it. The ranks on that way grow by one at
//!   each step, so that it has O(log n) steps as well.
//!
//! These are the most that one operation costs, not a mean: others wait for the lock meanwhile.
//!
//! C. A. Crane, "Linear lists and priority queues as balanced binary trees", 1972; D. E. Knuth, "The Art of Computer Programming",
//! volume 3, section 5.2.3.

use crate::primitive::{AtomicBool, Ordering, UnsafeCell};
use std::marker::PhantomPinned;
use std::mem;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Instant;

/// A wake-up that may be asked for.
///
/// # Invariants
/// 1. From [`Heap::insert`] until it is out of the heap, a node neither moves nor goes away.
/// 2. `inner` is used by whoever has the heap, or, while the node is in none, by its owner.
pub(crate) struct Node {
    /// Changed by whoever has the heap: to `false` as the last touch of a node that is taken out.
    is_in: AtomicBool,
    inner: UnsafeCell<Inner>,
    /// Others point to it.
    _pinned: PhantomPinned,
}

// SAFETY: whatever is behind its pointers is used by whoever has the heap, on any thread, and a `Waker` may be sent.
unsafe impl Send for Node {}

// SAFETY: what is shared is an atomic; the rest is used by one at a time (Invariant 2).
unsafe impl Sync for Node {}

struct Inner {
    at: Option<Instant>,
    rank: u32,
    parent: Link,
    left: Link,
    right: Link,
    waker: Option<Waker>,
}

/// A node that is in the heap, or about to be, while somebody has that.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place(NonNull<Node>);

type Link = Option<Place>;

/// The wake-ups that are asked for. Whoever has the lock around it *has the heap*.
pub(crate) struct Heap {
    root: Link,
}

// SAFETY: the nodes may be used on any thread, by whoever has the heap.
unsafe impl Send for Heap {}

impl Node {
    pub(crate) fn new() -> Self {
        Node { is_in: AtomicBool::new(false), inner: UnsafeCell::new(Inner::alone()), _pinned: PhantomPinned }
    }

    /// Whether it is in the heap. `false` holds until its owner puts it in; then nobody else is at it any more.
    pub(crate) fn is_in(&self) -> bool {
        // Acquire: pairs with `Heap::remove`, after which the node is its owner's alone.
        self.is_in.load(Ordering::Acquire)
    }
}

/// A model notices who is still at a node that goes away.
#[cfg(trefoil_loom)]
impl Drop for Node {
    fn drop(&mut self) {
        self.inner.with_mut(|_| ());
    }
}

impl Heap {
    pub(crate) const fn new() -> Self {
        Heap { root: None }
    }

    /// The time of the first.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.root.and_then(Place::at)
    }

    /// Puts a node in.
    ///
    /// # Safety
    /// It is in no heap. It neither moves nor goes away before it is out of this one.
    pub(crate) unsafe fn insert(&mut self, node: &Node, at: Instant, waker: Waker) {
        let place = Place(NonNull::from(node));
        place.inner(|inner| *inner = Inner { at: Some(at), waker: Some(waker), ..Inner::alone() });
        // Relaxed: only its owner asks, or whoever has the heap.
        node.is_in.store(true, Ordering::Relaxed);
        self.root = meld(self.root, Some(place));
    }

    /// Gives a node another waker, and gives back the one it had.
    ///
    /// # Safety
    /// It is in this heap.
    pub(crate) unsafe fn exchange(&mut self, node: &Node, waker: Waker) -> Option<Waker> {
        Place(NonNull::from(node)).inner(|inner| inner.waker.replace(waker))
    }

    /// Takes out the first, if its time has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Waker> {
        let first = self.root.filter(|root| root.at() <= Some(now))?;
        // SAFETY: it is in this heap, and stays until it is out (Invariant 1).
        let node = unsafe { first.0.as_ref() };
        // SAFETY: as above.
        unsafe { self.remove(node) }
    }

    /// Takes a node out. Its owner may be gone with it as soon as this is done.
    ///
    /// # Safety
    /// It is in this heap.
    pub(crate) unsafe fn remove(&mut self, node: &Node) -> Option<Waker> {
        let place = Place(NonNull::from(node));
        let gone = place.inner(|inner| mem::replace(inner, Inner::alone()));
        let heir = meld(gone.left, gone.right);
        if let Some(heir) = heir {
            heir.inner(|heir| heir.parent = gone.parent);
        }
        match gone.parent {
            None => self.root = heir,
            Some(parent) => parent.replace_child(place, heir),
        }
        // Release: pairs with `is_in`.
        node.is_in.store(false, Ordering::Release);
        gone.waker
    }
}

/// Makes one tree of two. The parent of its top is up to the caller.
///
/// Calls itself for each step down: no oftener than the sum of both ranks, which is below 128.
fn meld(one: Link, other: Link) -> Link {
    let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
    let (top, below) = if other.at() < one.at() { (other, one) } else { (one, other) };
    let right = meld(top.inner(|top| top.right), Some(below));
    top.inner(|top| top.right = right);
    if let Some(right) = right {
        right.inner(|right| right.parent = Some(top));
    }
    top.settle();
    Some(top)
}

impl Inner {
    fn alone() -> Self {
        Inner { at: None, rank: 1, parent: None, left: None, right: None, waker: None }
    }
}

impl Place {
    fn inner<R>(self, access: impl FnOnce(&mut Inner) -> R) -> R {
        // SAFETY: it stays while it is in the heap (Invariant 1).
        let node = unsafe { self.0.as_ref() };
        node.inner.with_mut(|inner| {
            // SAFETY: the heap is ours, and so are all its nodes (Invariant 2); no access is inside another.
            access(unsafe { &mut *inner })
        })
    }

    fn at(self) -> Option<Instant> {
        self.inner(|inner| inner.at)
    }

    fn rank(link: Link) -> u32 {
        link.map_or(0, |place| place.inner(|inner| inner.rank))
    }

    /// Puts an heir in the place of a child.
    fn replace_child(self, gone: Place, heir: Link) {
        self.inner(|inner| {
            let child = if inner.left == Some(gone) { &mut inner.left } else { &mut inner.right };
            *child = heir;
        });
        let mut above = Some(self);
        while let Some(changed) = above.filter(|place| place.settle()) {
            above = changed.inner(|inner| inner.parent);
        }
    }

    /// Puts the children in order of their ranks; says whether this has changed its own.
    fn settle(self) -> bool {
        #[cfg(test)]
        STEPS.set(STEPS.get() + 1);
        let (left, right) = self.inner(|inner| (inner.left, inner.right));
        let (left, right) = (Place::rank(left), Place::rank(right));
        let rank = left.min(right) + 1;
        self.inner(|inner| {
            if left < right {
                mem::swap(&mut inner.left, &mut inner.right);
            }
            mem::replace(&mut inner.rank, rank) != rank
        })
    }
}

#[cfg(test)]
std::thread_local! {
    /// How many nodes were settled on this thread.
    static STEPS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests;
