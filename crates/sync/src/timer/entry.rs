//! A wake-up by the program's own timer, in the future that waits for it.

use super::deadlines::Deadlines;
use super::heap::Node;
use crate::catch::contain;
use std::cell::Cell;
use std::pin::Pin;
use std::ptr;
use std::task::Waker;
use std::time::Instant;

/// Dropping it takes the wake-up back.
///
/// # Invariant
/// Its node is in the heap of its `deadlines`, or in none. It is put there only when the entry is pinned, and is out when the
/// entry has been dropped.
pub(crate) struct Entry<'d> {
    deadlines: &'d Deadlines,
    node: Node,
    /// Whose wake-up was asked for last.
    name: Cell<Option<Name>>,
}

/// What tells a waker from all others that are there at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    data: usize,
    table: usize,
}

impl Name {
    fn of(waker: &Waker) -> Self {
        Name { data: waker.data().addr(), table: ptr::from_ref(waker.vtable()).addr() }
    }
}

impl<'d> Entry<'d> {
    pub(crate) fn new(deadlines: &'d Deadlines) -> Self {
        Entry { deadlines, node: Node::new(), name: Cell::new(None) }
    }

    /// Whether `waker` is still to be woken. Does not take the lock.
    pub(crate) fn is_to_wake(&self, waker: &Waker) -> bool {
        // While the node is in, the waker of that name is there, so the name means no other.
        self.name.get() == Some(Name::of(waker)) && self.node.is_in()
    }

    /// Asks for a wake-up at `at`. If one is to come, it is for the same time, and wakes `waker` from now on instead. `false` if
    /// there is no thread for it, and the machine refuses one.
    pub(crate) fn ask(self: Pin<&Self>, at: Instant, waker: &Waker) -> bool {
        // Foreign: outside of the lock.
        let waker = waker.clone();
        let name = Name::of(&waker);
        let mut state = self.deadlines.lock();
        let (is_served, old) = if self.node.is_in() {
            // SAFETY: it is in the heap of these deadlines (Invariant).
            (true, unsafe { state.heap.exchange(&self.node, waker) })
        } else if self.deadlines.is_served_at(&mut state, at) {
            // SAFETY: it is in no heap. It is pinned, and taken out when it is dropped.
            unsafe { state.heap.insert(&self.node, at, waker) };
            (true, None)
        } else {
            (false, Some(waker))
        };
        drop(state);
        self.name.set(Some(name));
        // Foreign, as above.
        contain(|| drop(old));
        is_served
    }

    /// Takes the wake-up back, if one is to come. Nobody else is at the node after this.
    pub(crate) fn take_back(&self) {
        if !self.node.is_in() {
            return;
        }
        let mut state = self.deadlines.lock();
        // The timer may have come first.
        let old = match self.node.is_in() {
            // SAFETY: it is in the heap of these deadlines (Invariant).
            true => unsafe { state.heap.remove(&self.node) },
            false => None,
        };
        drop(state);
        // Foreign: outside of the lock, and in a destructor.
        contain(|| drop(old));
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.take_back();
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::time::Duration;

    #[test]
    fn without_a_thread_nothing_is_promised() {
        let deadlines = Deadlines::new(|| false);
        let entry = pin!(Entry::new(&deadlines));
        assert!(!entry.as_ref().ask(Instant::now() + Duration::from_millis(1), Waker::noop()));
        assert!(!entry.is_to_wake(Waker::noop()));
        let state = deadlines.lock();
        assert!(state.heap.first().is_none(), "an entry that nobody serves would wait for ever");
        assert!(!state.is_served);
    }
}
