//! What is installed on a thread for as long as a guard lives.

use crate::catch::contain;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::thread::LocalKey;

/// One for each thread: what is installed there now.
pub(crate) type Slot<P> = LocalKey<RefCell<Option<P>>>;

/// Puts back what was in the slot before, when dropped.
pub(crate) struct Guard<P: 'static> {
    slot: &'static Slot<P>,
    previous: Option<P>,
    /// The slot is this thread's.
    not_send: PhantomData<*const ()>,
}

pub(crate) fn install<P>(slot: &'static Slot<P>, hook: P) -> Guard<P> {
    Guard { slot, previous: slot.replace(Some(hook)), not_send: PhantomData }
}

/// `None` also while the thread is going away, when the slot may be gone before others that still wait.
pub(crate) fn current<P: Clone>(slot: &'static Slot<P>) -> Option<P> {
    slot.try_with(|current| current.borrow().clone()).ok().flatten()
}

impl<P> Drop for Guard<P> {
    fn drop(&mut self) {
        let previous = self.previous.take();
        // A thread that is going away needs nothing back.
        let ours = self.slot.try_with(|current| current.replace(previous));
        // The destructor of what was installed is foreign, and a panic may drop this.
        contain(|| drop(ours));
    }
}

impl<P> fmt::Debug for Guard<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard(..)")
    }
}
