//! An item that is there or not.

use std::mem::{self, MaybeUninit};
use std::ptr;

/// As an `Option`, but what moves is the item alone. An `Option` of 64 bytes is copied with its tag, in steps that lie otherwise than those by
/// which the item was written, and then the CPU waits for each of them: 10 ns at each of four places that an item comes by.
pub(super) struct Held<T> {
    item: MaybeUninit<T>,
    /// Whether `item` is one.
    is_there: bool,
}

/// An item that is there or not, the two of which may lie apart.
pub(super) struct HeldMut<'h, T> {
    item: &'h mut MaybeUninit<T>,
    is_there: &'h mut bool,
}

impl<T> Held<T> {
    #[inline]
    pub(super) const fn nothing() -> Self {
        Held { item: MaybeUninit::uninit(), is_there: false }
    }

    #[inline]
    pub(super) const fn new(item: T) -> Self {
        Held { item: MaybeUninit::new(item), is_there: true }
    }

    #[inline]
    pub(super) const fn is_there(&self) -> bool {
        self.is_there
    }

    #[inline]
    pub(super) fn as_mut(&mut self) -> HeldMut<'_, T> {
        HeldMut { item: &mut self.item, is_there: &mut self.is_there }
    }

    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        self.as_mut().take()
    }

    /// The item, which is there.
    #[inline]
    pub(super) fn take_surely(&mut self) -> T {
        match self.take() {
            Some(item) => item,
            None => unreachable!("an item that was refused, or got, is there"),
        }
    }
}

impl<'h, T> HeldMut<'h, T> {
    /// # Safety
    /// If `is_there`, then `item` is one.
    #[inline]
    pub(super) unsafe fn new(item: &'h mut MaybeUninit<T>, is_there: &'h mut bool) -> Self {
        HeldMut { item, is_there }
    }

    #[inline]
    pub(super) fn take(self) -> Option<T> {
        if !mem::take(self.is_there) {
            return None;
        }
        // SAFETY: there was an item, and now it counts as gone.
        Some(unsafe { self.item.assume_init_read() })
    }

    /// Moves the item to where there is none.
    #[inline]
    pub(super) fn move_to(self, other: HeldMut<'_, T>) {
        let HeldMut { item, is_there } = other;
        debug_assert!(*self.is_there && !*is_there, "an item would be lost");
        // SAFETY: both are places of that size, and two borrows that exclude each other. The item counts as gone here, if there was
        // one, and as there where there was none.
        unsafe { ptr::copy_nonoverlapping(self.item, item, 1) };
        *is_there = mem::take(self.is_there);
    }
}

impl<T> Drop for Held<T> {
    #[inline]
    fn drop(&mut self) {
        if mem::needs_drop::<T>() {
            drop(self.take());
        }
    }
}
