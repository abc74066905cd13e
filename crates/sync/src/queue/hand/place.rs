//! Where somebody stands who waits, and what he has in his hand.

use super::pace::Pace;
use crate::catch::{Every, contain};
use crate::primitive::UnsafeCell;
use crate::wait::list::{Entry, FIRST_TOLD, Node, Wake, set_waker};
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Instant;

/// A receiver that is a thread: the item is in the place. He is out of the list.
pub(super) const HANDED: u32 = FIRST_TOLD;
/// A sender: the item was taken out of the place. He is out of the list.
pub(super) const TAKEN: u32 = FIRST_TOLD + 1;
/// A receiver, or one who offers an item: look again. He is out of the list.
pub(super) const LOOK: u32 = FIRST_TOLD + 2;
/// A sender: the queue is closed, and the item still in the place. He is out of the list.
pub(super) const REFUSED: u32 = FIRST_TOLD + 3;

/// Who waits.
pub(super) enum Who {
    Thread,
    Task(Waker),
}

/// One who waits, in his own frame.
///
/// # Invariants
/// 1. Lists of a [`Hand`](super::Hand) hold places only, each by the pointer that [`Place::node`] gives: the node is the first field.
/// 2. From the push until it has left the list, a place neither moves nor goes away.
/// 3. `item` is used by whoever has the lock of the queue while the place is in a list, and by the waiter while it is in none.
#[repr(C, align(64))]
pub(super) struct Place<T> {
    node: Node,
    item: UnsafeCell<Option<T>>,
    is_of_a_thread: bool,
}

// SAFETY: the item may be sent, and so may the rest.
unsafe impl<T: Send> Send for Place<T> {}

// SAFETY: the item is used by one at a time (Invariant 3), and `Node` can be shared.
unsafe impl<T: Send> Sync for Place<T> {}

impl<T> Place<T> {
    #[inline]
    pub(super) fn new(who: Who, item: Option<T>) -> Self {
        let item = UnsafeCell::new(item);
        match who {
            Who::Thread => Place { node: Node::of_this_thread(), item, is_of_a_thread: true },
            Who::Task(waker) => {
                let place = Place { node: Node::of_a_task(), item, is_of_a_thread: false };
                // SAFETY: it is in no list, and nobody else knows of it. It had no waker.
                let _none = unsafe { set_waker(&place.node, waker) };
                place
            }
        }
    }

    /// Notes the new waker of a task, and gives the old one, or a new one that is of no use, to be dropped without the lock.
    ///
    /// # Safety
    /// The caller is the waiter, and has the lock of the queue.
    pub(super) unsafe fn renew(&self, who: Who) -> Option<Waker> {
        match who {
            Who::Thread => None,
            // SAFETY: as promised by the caller.
            Who::Task(waker) => unsafe { set_waker(&self.node, waker) },
        }
    }

    /// The place of one who stands in a list.
    #[inline]
    pub(super) fn of<'l>(entry: Entry<'l>) -> &'l Self {
        // SAFETY: it is a place (Invariant 1), and stays while it is in the list (Invariant 2), which is borrowed.
        unsafe { entry.as_ptr().cast::<Self>().as_ref() }
    }

    /// What a list takes, with the right to use the whole place.
    #[inline]
    pub(super) fn as_node(&self) -> NonNull<Node> {
        NonNull::from(self).cast()
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Waits awake on this thread, whose place it is, for as long as has paid; `false` if it is time to sleep.
    #[inline]
    pub(super) fn wait_awake(&self, pace: &Pace, puts: usize) -> bool {
        pace.wait(puts, || self.node.told().is_some())
    }

    /// Blocks this thread, whose place it is, until it is told, or until the deadline, or a little less.
    pub(super) fn sleep(&self, deadline: Option<Instant>) {
        self.node.sleep(deadline);
    }

    #[inline]
    pub(super) fn is_of_a_thread(&self) -> bool {
        self.is_of_a_thread
    }

    /// By whoever may use the item (Invariant 3).
    #[inline]
    pub(super) fn fill(&self, item: T) {
        self.item.with_mut(|place| {
            // SAFETY: one at a time (Invariant 3). There was nothing in it: nobody is handed two items, and so nothing is dropped.
            unsafe { place.write(Some(item)) }
        });
    }

    /// By whoever may use the item (Invariant 3).
    #[inline]
    pub(super) fn take(&self) -> Option<T> {
        self.item.with_mut(|place| {
            // SAFETY: one at a time (Invariant 3).
            unsafe { (*place).take() }
        })
    }
}

/// Who is to be woken when the lock is released: no operation tells more than three, of each list one.
#[derive(Default)]
pub(super) struct Wakes([Option<Wake>; 3]);

impl Wakes {
    #[inline]
    pub(super) fn add(&mut self, wake: Wake) {
        if matches!(wake, Wake::Nobody) {
            return;
        }
        let place = self.0.iter_mut().find(|place| place.is_none());
        *place.expect("no operation tells more than three") = Some(wake);
    }

    /// A waker that panics takes no item with it that was given or taken: the panic hook has spoken.
    #[inline]
    pub(super) fn run(self) {
        for wake in self.0.into_iter().flatten() {
            match wake {
                Wake::Task(waker) => contain(|| waker.wake()),
                wake => wake.now(),
            }
        }
    }

    pub(super) fn run_each(self, every: &mut Every) {
        for wake in self.0.into_iter().flatten() {
            every.run(|| wake.now());
        }
    }
}
