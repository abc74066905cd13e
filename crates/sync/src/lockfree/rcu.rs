//! A value that many read while it is replaced.
//!
//! P. E. McKenney and J. D. Slingwine, "Read-Copy Update: Using Execution History to Solve Concurrency Problems", PDCS
//! 1998, has the idea: who changes the value copies it, changes the copy and publishes that; the old one is freed when its
//! last reader has left. We differ in how the last reader is known: by hazard pointers ([`hazard`](super::hazard)) instead
//! of an execution history, so that a writer waits for nobody and a reader may stay as long as it likes.
//!
//! Invariant: `current` is never null, and whoever moves it away from a value retires that value.

use super::hazard::{Domain, Protected};
use crate::primitive::{AtomicPtr, Ordering};
use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

/// A value that is read often and replaced as a whole: a configuration, a routing table.
///
/// Readers never block and are never blocked: [`load`](RcuCell::load) is one read-modify-write and a few loads, more only
/// if a writer came in between or another reader has the same place, and gives a guard that keeps *its* value for as long
/// as it likes, on any thread and across any `.await`. Writers never wait for readers. All is lock-free, and not fair among
/// writers.
///
/// A value is dropped when it has been replaced and its last guard is gone, by a later write or by
/// [`collect`](RcuCell::collect), on the thread that does these; at the latest with the cell. A guard that is kept for ever
/// (or forgotten) keeps its own value and no other. Each guard takes one place of 128 bytes, which is used again; a
/// write looks at all places, so a thousand guards at one time make writes slow.
///
/// # Examples
/// ```
/// use sync::lockfree::RcuCell;
///
/// let limits = RcuCell::new(vec![10, 20]);
/// let before = limits.load();
/// limits.update(|limits| limits.iter().map(|limit| limit * 2).collect());
/// assert_eq!(*before, [10, 20]);
/// assert_eq!(*limits.load(), [20, 40]);
/// ```
#[doc(alias = "ArcSwap")]
pub struct RcuCell<T> {
    current: AtomicPtr<T>,
    values: Domain<T>,
}

// SAFETY: the values go with the cell, which needs `T: Send`; a guard borrows the cell, so none is left behind.
unsafe impl<T: Send> Send for RcuCell<T> {}

// SAFETY: a value is read by several threads, which needs `T: Sync`, and dropped by another than made it: `T: Send`.
unsafe impl<T: Send + Sync> Sync for RcuCell<T> {}

/// A value is replaced whole or not at all, whatever panics.
impl<T: RefUnwindSafe> UnwindSafe for RcuCell<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for RcuCell<T> {}

impl<T> RcuCell<T> {
    /// A cell with that value. Allocates.
    #[must_use]
    pub fn new(value: T) -> Self {
        RcuCell { current: AtomicPtr::new(Box::into_raw(Box::new(value))), values: Domain::new() }
    }

    /// The value as it is now. Does not block; allocates only when there are more guards at one time than ever before.
    #[doc(alias = "read")]
    #[inline]
    pub fn load(&self) -> RcuGuard<'_, T> {
        RcuGuard { value: self.protect() }
    }

    /// Replaces the value. Does not block; allocates. Old values that nobody reads any more are dropped here, as by
    /// [`collect`](RcuCell::collect).
    ///
    /// # Panics
    /// If the destructor of an old value does. The new one is in place then.
    #[doc(alias = "swap")]
    pub fn store(&self, value: T) {
        let new = Box::into_raw(Box::new(value));
        // SeqCst: as every change of `current`; publishes the new value and receives the old one.
        let old = self.current.swap(new, Ordering::SeqCst);
        let old = NonNull::new(old).expect("a cell always has a value");
        // SAFETY: values are made by `Box`, and `current` has just left this one, by this thread alone. The cell is shared
        // only if `T: Send`, so any thread that may call this may drop it.
        unsafe { self.values.retire(old) };
    }

    /// Replaces the value by one that is made from it. If another writer comes first, `change` is called again, with what
    /// that one has stored, so that no change is lost. Does not block; allocates.
    ///
    /// `change` must not write to this cell: each try would find that another came first, for ever.
    ///
    /// # Panics
    /// If `change` does, which leaves the value as it was; or as [`store`](RcuCell::store).
    pub fn update(&self, mut change: impl FnMut(&T) -> T) {
        loop {
            let old = self.protect();
            let new = Box::into_raw(Box::new(change(&old)));
            // The old value is protected, so no other can have come back to its address. SeqCst: as in `store`; relaxed
            // if it fails, for then the next try looks anew.
            match self.current.compare_exchange(old.as_ptr(), new, Ordering::SeqCst, Ordering::Relaxed) {
                // SAFETY: as in `store`.
                Ok(_) => return unsafe { old.retire() },
                // SAFETY: it was not published, so it is still the box that it was.
                Err(_) => drop(unsafe { Box::from_raw(new) }),
            }
        }
    }

    /// Drops replaced values whose last guard is gone. Every write does this, too.
    ///
    /// Those that another thread's write or `collect` is looking through at this moment are left to that thread, and a
    /// value may be left because a `load` that is under way has just looked at it; what neither drops stays until the
    /// next write or `collect`. So all such values are dropped if no other thread uses the cell meanwhile.
    pub fn collect(&self) {
        self.values.collect();
    }

    /// The value, for whoever has the cell for himself.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut T {
        // Relaxed: `&mut self` says that nobody else is there.
        let current = self.current.load(Ordering::Relaxed);
        // SAFETY: the value is in place, and a guard would borrow the cell.
        unsafe { &mut *current }
    }

    fn protect(&self) -> Protected<'_, T> {
        // SAFETY: a value is retired by whoever moves `current` away from it, and freed in no other way while the cell
        // lives; `current` is changed by `SeqCst` operations.
        let value = unsafe { self.values.protect(&self.current) };
        value.expect("a cell always has a value")
    }
}

impl<T> Drop for RcuCell<T> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` says that nobody else is there.
        let current = self.current.load(Ordering::Relaxed);
        // SAFETY: `current` holds a box, which was not retired because `current` holds it. Replaced values are dropped
        // with the domain, even if this panics.
        drop(unsafe { Box::from_raw(current) });
    }
}

impl<T: Default> Default for RcuCell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RcuCell<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for RcuCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RcuCell").field(&*self.load()).finish()
    }
}

/// A value of an [`RcuCell`], as it was when [`load`](RcuCell::load) was called.
///
/// Dropping it is one store; it drops no value.
#[must_use = "the value is kept until this is dropped"]
pub struct RcuGuard<'a, T> {
    value: Protected<'a, T>,
}

// SAFETY: it gives `&T`, which needs `T: Sync`; the cell is shared only if `T: Send`, too. A hazard may be given back by any
// thread.
unsafe impl<T: Send + Sync> Send for RcuGuard<'_, T> {}

// SAFETY: it gives `&T`, which needs `T: Sync`.
unsafe impl<T: Send + Sync> Sync for RcuGuard<'_, T> {}

impl<T: RefUnwindSafe> UnwindSafe for RcuGuard<'_, T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for RcuGuard<'_, T> {}

impl<T> Deref for RcuGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for RcuGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
