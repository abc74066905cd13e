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

    /// Asks for the slot's memory, to be written soon: where another CPU has used it last, it takes as long to come as dozens of
    /// slots take to be filled. A hint, of any address.
    #[inline(always)]
    pub(crate) fn will_be_written(slot: *const Self) {
        #[cfg(all(target_arch = "x86_64", not(miri), not(trefoil_loom)))]
        // SAFETY: the instruction changes nothing that a program can see, and no address makes it fail. The compiler's own
        // function for it asks for reading where it may not assume a newer CPU; older ones take this for no instruction at all.
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) slot, options(nostack, preserves_flags, readonly));
        }
        #[cfg(all(target_arch = "aarch64", not(miri), not(trefoil_loom)))]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!("prfm pstl1keep, [{}]", in(reg) slot, options(nostack, preserves_flags, readonly));
        }
        #[cfg(any(miri, trefoil_loom, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
        let _ = slot;
    }

    /// As [`will_be_written`](Slot::will_be_written), to be read.
    #[inline(always)]
    pub(crate) fn will_be_read(slot: *const Self) {
        #[cfg(all(target_arch = "x86_64", not(miri), not(trefoil_loom)))]
        // SAFETY: as above: it changes nothing that a program can see.
        unsafe {
            std::arch::asm!("prefetcht0 [{}]", in(reg) slot, options(nostack, preserves_flags, readonly));
        }
        #[cfg(all(target_arch = "aarch64", not(miri), not(trefoil_loom)))]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) slot, options(nostack, preserves_flags, readonly));
        }
        #[cfg(any(miri, trefoil_loom, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
        let _ = slot;
    }
}
