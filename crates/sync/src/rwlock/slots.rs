//! Where readers say that they read while the lock is biased to them: each thread in a cache line of its own.
//!
//! A slot belongs to the thread whose [number](index) it has; the others, which come when there are more threads than slots
//! or when a guard is dropped by another thread than it was made by, use the second of its two counts. The readers in a
//! slot are the sum of the two, either of which may be negative.

use super::index;
use crate::os;
use crate::primitive::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use crossbeam_utils::CachePadded;
use std::ptr;

/// The slots of one lock, which are made when they are first needed: 128 bytes for each, four for each CPU.
pub(super) struct Slots {
    /// Null, or the first of `mask + 1`.
    first: AtomicPtr<CachePadded<Slot>>,
    /// Written before `first`.
    mask: AtomicU32,
}

pub(super) struct Slot {
    /// Written by the thread whose number the slot has, and by no other at the same time.
    own: AtomicUsize,
    others: AtomicUsize,
}

const SLOTS_PER_CPU: u32 = 4;
const SLOTS_MOST: u32 = 128;
/// So many readers in one slot, of which all but a few have been forgotten. Far from where a count would wrap.
const READERS_MOST: usize = usize::MAX / 4;

impl Slots {
    crate::primitive::const_but_for_loom! {
        pub(super) fn new() -> Self {
            Slots { first: AtomicPtr::new(ptr::null_mut()), mask: AtomicU32::new(0) }
        }
    }

    /// Makes the slots if there are none. Called by one at a time.
    pub(super) fn make(&self) {
        // Relaxed: whoever made them was here before us.
        if !self.first.load(Ordering::Relaxed).is_null() {
            return;
        }
        let count = match crate::primitive::IS_MODEL {
            true => 2,
            false => (os::cpus() * SLOTS_PER_CPU).next_power_of_two().min(SLOTS_MOST),
        };
        let slots: Box<[_]> = (0..count).map(|_| CachePadded::new(Slot::new())).collect();
        // Relaxed: `first` is stored after it.
        self.mask.store(count - 1, Ordering::Relaxed);
        // Release: pairs with the loads in `all`.
        self.first.store(Box::into_raw(slots).cast(), Ordering::Release);
    }

    fn all(&self) -> &[CachePadded<Slot>] {
        // Acquire: pairs with the store in `make`.
        let first = self.first.load(Ordering::Acquire);
        if first.is_null() {
            return &[];
        }
        let count = self.mask.load(Ordering::Relaxed) as usize + 1;
        // SAFETY: `make` has stored so many, and they stay until this is dropped.
        unsafe { std::slice::from_raw_parts(first, count) }
    }

    /// Counts a reader in; the slot where he is. `None` if there is no room.
    #[inline]
    pub(super) fn enter(&self) -> Option<u32> {
        let index = index::here();
        let slots = self.all();
        let place = index & (slots.len() as u32).wrapping_sub(1);
        slots.get(place as usize)?.add(index == place).then_some(place)
    }

    /// Counts out a reader who is in that slot.
    #[inline]
    pub(super) fn leave(&self, place: u32) {
        let slot = &self.all()[place as usize];
        if index::here() == place {
            let count = slot.own.load(Ordering::Relaxed);
            // Release: pairs with `is_empty`, after which somebody writes what has been read.
            slot.own.store(count.wrapping_sub(1), Ordering::Release);
        } else {
            slot.others.fetch_sub(1, Ordering::Release);
        }
    }

    /// Whether no reader is in any slot. Exact if nobody can enter any more; those who try for a moment may be counted.
    pub(super) fn are_empty(&self) -> bool {
        self.all().iter().all(|slot| slot.is_empty())
    }
}

impl Slot {
    fn new() -> Self {
        Slot { own: AtomicUsize::new(0), others: AtomicUsize::new(0) }
    }

    #[inline(always)]
    fn add(&self, own: bool) -> bool {
        if own {
            let count = self.own.load(Ordering::Relaxed);
            // As a signed number it may be negative.
            if count.wrapping_add(READERS_MOST) > 2 * READERS_MOST {
                return false;
            }
            // Relaxed, and below: a barrier comes next.
            self.own.store(count.wrapping_add(1), Ordering::Relaxed);
        } else {
            let count = self.others.fetch_add(1, Ordering::Relaxed);
            if count.wrapping_add(READERS_MOST) > 2 * READERS_MOST {
                self.others.fetch_sub(1, Ordering::Relaxed);
                return false;
            }
        }
        true
    }

    /// When nobody enters any more, each of the counts may still fall, by those who leave. The first is read first, so that
    /// the sum is never less than there are readers at the second look.
    fn is_empty(&self) -> bool {
        // Acquire, both: pair with the stores in `leave`.
        let own = self.own.load(Ordering::Acquire);
        own.wrapping_add(self.others.load(Ordering::Acquire)) == 0
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        let first = self.first.load(Ordering::Relaxed);
        if first.is_null() {
            return;
        }
        let slots = ptr::slice_from_raw_parts_mut(first, self.mask.load(Ordering::Relaxed) as usize + 1);
        // SAFETY: it was a box of so many, and nobody else has the lock any more.
        drop(unsafe { Box::from_raw(slots) });
    }
}
