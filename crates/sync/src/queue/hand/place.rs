//! Where somebody stands who waits, and what he has in his hand.

use super::held::Held;
use super::pace::{Pace, Wait};
use crate::catch::{Every, contain};
use crate::primitive::UnsafeCell;
use crate::wait::list::{Entry, FIRST_TOLD, Node, Wake, set_waker};
use std::mem::{self, ManuallyDrop, offset_of};
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

/// One who waits, in his own frame.
///
/// # Invariants
/// 1. Lists of a [`Hand`](super::Hand) hold places only, each by the pointer that [`Place::as_node`] gives.
/// 2. From the push until it has left the list, a place neither moves nor goes away.
/// 3. `item` is used by whoever has the lock of the queue while the place is in a list, and by the waiter while it is in none.
///
/// An item of a word and all that others use of the node are one cache line: of two, each would go to the other CPU and back.
#[repr(C, align(64))]
pub(super) struct Place<T> {
    item: UnsafeCell<Held<T>>,
    node: Node,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(any(trefoil_loom, trefoil_shuttle))))]
const _: () = assert!(offset_of!(Place<u64>, node) + Node::SHARED == 64);

// SAFETY: the item may be sent, and so may the rest.
unsafe impl<T: Send> Send for Place<T> {}

// SAFETY: the item is used by one at a time (Invariant 3), and `Node` can be shared.
unsafe impl<T: Send> Sync for Place<T> {}

impl<T> Place<T> {
    #[inline]
    pub(super) fn of_this_thread(item: Held<T>) -> Self {
        Place { item: UnsafeCell::new(item), node: Node::of_this_thread() }
    }

    /// Without a waker so far.
    #[inline]
    pub(super) fn of_a_task(item: Held<T>) -> Self {
        Place { item: UnsafeCell::new(item), node: Node::of_a_task() }
    }

    /// Notes the waker of a task, if there is one in `waker`, which gets the old one, to be dropped without the lock.
    ///
    /// # Safety
    /// The caller is the waiter, and has the lock of the queue, or the place is in no list.
    #[inline]
    pub(super) unsafe fn exchange(&self, waker: &mut Option<Waker>) {
        if let Some(new) = waker.take() {
            // SAFETY: as promised by the caller.
            *waker = unsafe { set_waker(&self.node, new) };
        }
    }

    /// The place of one who stands in a list.
    ///
    /// # Safety
    /// It is a list of a [`Hand`](super::Hand) for these items.
    #[inline]
    pub(super) unsafe fn of<'l>(entry: Entry<'l>) -> &'l Self {
        // SAFETY: it is in a place (Invariant 1), and the pointer is good for all of that.
        let place = unsafe { entry.as_ptr().byte_sub(offset_of!(Self, node)) };
        // SAFETY: the place stays while it is in the list (Invariant 2), which is borrowed.
        unsafe { place.cast::<Self>().as_ref() }
    }

    /// What a list takes, with the right to use the whole place.
    #[inline]
    pub(super) fn as_node(&self) -> NonNull<Node> {
        // SAFETY: the node is in the place.
        unsafe { NonNull::from(self).byte_add(offset_of!(Self, node)) }.cast()
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Waits awake on this thread, whose place it is, for as long as has paid; `false` if it is time to sleep.
    #[inline]
    pub(super) fn wait_awake(&self, pace: &Pace, wait: Wait, puts: impl Fn() -> usize) -> bool {
        pace.wait(wait, || self.node.told().is_some(), puts)
    }

    /// Blocks this thread, whose place it is, until it is told, or until the deadline, or a little less.
    pub(super) fn sleep(&self, deadline: Option<Instant>) {
        self.node.sleep(deadline);
    }

    #[inline]
    pub(super) fn is_of_a_thread(&self) -> bool {
        self.node.is_of_a_thread()
    }

    /// # Safety
    /// The caller may use the item (Invariant 3), and no access to the same place is inside another.
    #[inline]
    pub(super) unsafe fn with_item<R>(&self, access: impl FnOnce(&mut Held<T>) -> R) -> R {
        self.item.with_mut(|place| {
            // SAFETY: as promised by the caller, nobody else uses it.
            access(unsafe { &mut *place })
        })
    }
}

/// Who is to be woken when the lock is released: no operation tells more than three. Mostly nobody: who waits is awake.
#[must_use = "somebody waits for them"]
pub(super) struct Wakes {
    count: usize,
    /// Nobody is left in it once they are run, which takes place where they are: to move them, or to look for somebody to be dropped,
    /// would cost more than all the rest.
    wakes: ManuallyDrop<[Wake; 3]>,
}

impl Wakes {
    #[inline]
    pub(super) const fn new() -> Self {
        Wakes { count: 0, wakes: ManuallyDrop::new([const { Wake::Nobody }; 3]) }
    }

    #[inline]
    pub(super) fn add(&mut self, wake: Wake) {
        if !matches!(wake, Wake::Nobody) {
            self.wakes[self.count] = wake;
            self.count += 1;
        }
    }

    /// A waker that panics takes no item with it that was given or taken: the panic hook has spoken.
    #[inline]
    pub(super) fn run(&mut self) {
        if self.count > 0 {
            self.run_some();
        }
    }

    #[cold]
    fn run_some(&mut self) {
        for wake in &mut self.wakes[..mem::take(&mut self.count)] {
            match mem::take(wake) {
                Wake::Task(waker) => contain(|| waker.wake()),
                wake => wake.now(),
            }
        }
    }

    pub(super) fn run_each(&mut self, every: &mut Every) {
        for wake in &mut self.wakes[..mem::take(&mut self.count)] {
            let wake = mem::take(wake);
            every.run(|| wake.now());
        }
    }
}
