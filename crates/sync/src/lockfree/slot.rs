//! A place for an item. Whether one is in it, and whose it is, is known elsewhere.

use crate::primitive::UnsafeCell;
use std::mem::MaybeUninit;

/// Room for an item, which dropping the slot does not drop.
#[repr(transparent)]
pub(crate) struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Slot<T> {
    pub(crate) fn empty() -> Self {
        Slot(UnsafeCell::new(MaybeUninit::uninit()))
    }

    pub(crate) fn filled(item: T) -> Self {
        Slot(UnsafeCell::new(MaybeUninit::new(item)))
    }

    /// Puts an item in. One that was there is forgotten.
    ///
    /// # Safety
    /// Nobody else touches the slot during the call.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, item: T) {
        self.0.with_mut(|place| {
            // SAFETY: the place is valid for writes, and the caller has it for itself.
            unsafe { place.cast::<T>().write(item) };
        });
    }

    /// Moves the item out.
    ///
    /// # Safety
    /// There is one, it is taken out once, and nobody else touches the slot during the call.
    #[inline(always)]
    pub(crate) unsafe fn take(&self) -> T {
        self.0.with_mut(|place| {
            // SAFETY: the caller says that the place holds an item, and has it for itself.
            unsafe { place.cast::<T>().read() }
        })
    }
}
