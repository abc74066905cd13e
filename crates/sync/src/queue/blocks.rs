//! Where items lie: in a ring, or in a chain of blocks that grows at one end and goes away at the other.
//!
//! A ring is a block that is followed by itself, so both are used in the same way: at the end of a block, and only there, the
//! storage is asked where to go on. It is allocated by the first item. Spent blocks are kept for use again, a few of them.

use crate::lockfree::slot::Slot;
use crate::primitive::{AtomicPtr, Ordering, UnsafeCell};
use std::ptr;

/// A ring has at most so many bytes; beyond that, a bounded queue is a chain of blocks.
const RING_BYTES: usize = 256 << 10;
/// A ring has at most so many slots.
const RING_SLOTS: usize = 1 << 16;
/// A block has at most so many bytes, or one slot.
const BLOCK_BYTES: usize = 16 << 10;
/// A block has at most so many slots. More make the end of a block rarer, and an almost empty queue larger.
const BLOCK_SLOTS: usize = if crate::primitive::IS_MODEL { 2 } else { 2048 };
/// Slots so many bytes ahead are asked for before they are filled: some sixteen cache lines, of which CPUs fetch about as many at once.
const AHEAD_BYTES: usize = 1024;
/// So many bytes ahead they are asked for before they are emptied, if what is there is known to be filled: a line that is still written
/// to would be taken from the producer, which is put up with for the first ones of a block alone. In a small ring or block, so much is seldom
/// known, and looking whether it is costs more than it wins.
const READ_AHEAD_BYTES: usize = 512;
const SMALL_RING: usize = 128;
const LINE_BYTES: usize = 64;
/// So many spent blocks are kept.
const SPARE: usize = 4;

/// The storage, as both sides see it.
pub(super) struct Storage<T> {
    /// The number of slots of a block, less one.
    mask: usize,
    is_ring: bool,
    /// Written by the first producer before he publishes the first item.
    first: UnsafeCell<*mut Block<T>>,
    spare: [AtomicPtr<Block<T>>; SPARE],
}

// SAFETY: blocks go from thread to thread with the items in them, which needs `T: Send`.
unsafe impl<T: Send> Send for Storage<T> {}

// SAFETY: of the blocks, who may use what is said by the queue; the rest is atomic. No item is shared.
unsafe impl<T: Send> Sync for Storage<T> {}

/// How many slots so many bytes are, at least one.
const fn slots_in<T>(bytes: usize) -> usize {
    let size = if size_of::<T>() > 0 { size_of::<T>() } else { 1 };
    if size < bytes { bytes / size } else { 1 }
}

/// Of so many that are filled, the line that is read ahead is one: it ends in the last of them at most.
const fn slots_to_read_ahead<T>() -> usize {
    let (first, end) = (slots_in::<T>(READ_AHEAD_BYTES), slots_in::<T>(READ_AHEAD_BYTES + LINE_BYTES));
    if first < end { end } else { first + 1 }
}

struct Block<T> {
    /// Written by a producer before he publishes the first item of the next block.
    next: UnsafeCell<*mut Block<T>>,
    slots: Box<[Slot<T>]>,
}

/// Where a side is: the block, and its slots.
pub(super) struct Cursor<T> {
    slots: *const Slot<T>,
    block: *mut Block<T>,
}

impl<T> Cursor<T> {
    pub(super) const fn nowhere() -> Self {
        Cursor { slots: ptr::null(), block: ptr::null_mut() }
    }

    /// # Safety
    /// The block is there, and has more slots than `offset`.
    #[inline(always)]
    unsafe fn slot(&self, offset: usize) -> *const Slot<T> {
        // SAFETY: as promised by the caller.
        unsafe { self.slots.add(offset) }
    }

    /// # Safety
    /// The block is there.
    unsafe fn go_to(&mut self, block: *mut Block<T>) {
        self.block = block;
        // SAFETY: as promised by the caller.
        self.slots = unsafe { &*block }.slots.as_ptr();
    }
}

impl<T> Storage<T> {
    /// The storage of a queue for at most `capacity` items. Allocates nothing.
    #[cfg(not(trefoil_loom))]
    pub(super) const fn new(capacity: usize) -> Self {
        let (slots, is_ring) = slots::<T>(capacity);
        Storage {
            mask: slots - 1,
            is_ring,
            first: UnsafeCell::new(ptr::null_mut()),
            spare: [const { AtomicPtr::new(ptr::null_mut()) }; SPARE],
        }
    }

    #[cfg(trefoil_loom)]
    pub(super) fn new(capacity: usize) -> Self {
        let (slots, is_ring) = slots::<T>(capacity);
        Storage {
            mask: slots - 1,
            is_ring,
            first: UnsafeCell::new(ptr::null_mut()),
            spare: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }

    /// The slot for the next item.
    ///
    /// # Safety
    /// The caller has the producers' side, with its cursor, at this index, and it is among the slots that
    /// [`go_on_to_fill`](Storage::go_on_to_fill) told of.
    #[inline(always)]
    pub(super) unsafe fn slot_to_fill(&self, cursor: &Cursor<T>, index: usize) -> *const Slot<T> {
        let offset = index & self.mask;
        if offset % const { slots_in::<T>(LINE_BYTES) } == 0 {
            // In a small ring this comes round to the line itself, and does no harm.
            let ahead = (offset + const { slots_in::<T>(AHEAD_BYTES) }) & self.mask;
            Slot::will_be_written(cursor.slots.wrapping_add(ahead));
        }
        // SAFETY: the block is there, and has more slots than `offset`.
        unsafe { cursor.slot(offset) }
    }

    /// The slot of the oldest item, of `known` ones.
    ///
    /// # Safety
    /// The caller has the consumers' side, with its cursor, at this index, and it is among the slots that
    /// [`go_on_to_empty`](Storage::go_on_to_empty) told of.
    #[inline(always)]
    pub(super) unsafe fn slot_to_empty(
        &self,
        cursor: &Cursor<T>,
        index: usize,
        known: usize,
    ) -> *const Slot<T> {
        let offset = index & self.mask;
        if offset % const { slots_in::<T>(LINE_BYTES) } == 0
            && self.mask >= SMALL_RING
            && known >= const { slots_to_read_ahead::<T>() }
        {
            let ahead = (offset + const { slots_in::<T>(READ_AHEAD_BYTES) }) & self.mask;
            Slot::will_be_read(cursor.slots.wrapping_add(ahead));
        }
        // SAFETY: the block is there, and has more slots than this.
        unsafe { cursor.slot(offset) }
    }

    /// How many slots there are from this index on, of the block where the next item belongs, which is allocated if it is not there.
    ///
    /// # Safety
    /// The caller has the producers' side, with its cursor, at this index, and there is room.
    pub(super) unsafe fn go_on_to_fill(&self, cursor: &mut Cursor<T>, index: usize) -> usize {
        if index & self.mask == 0 {
            // SAFETY: as promised by the caller.
            unsafe { self.begin_block(cursor) };
        }
        self.slots_from(index)
    }

    /// How many slots there are from this index on, of the block where the oldest item lies.
    ///
    /// # Safety
    /// The caller has the consumers' side, with its cursor, at this index, and has seen that there is an item.
    pub(super) unsafe fn go_on_to_empty(&self, cursor: &mut Cursor<T>, index: usize) -> usize {
        if index & self.mask == 0 {
            // SAFETY: as promised by the caller.
            unsafe { self.follow_block(cursor) };
            if !self.is_ring {
                // From the last block, nobody could ask for them: it takes as long for all of them as for one.
                for ahead in (0..READ_AHEAD_BYTES + LINE_BYTES).step_by(LINE_BYTES) {
                    Slot::will_be_read(cursor.slots.wrapping_byte_add(ahead));
                }
            }
        }
        self.slots_from(index)
    }

    fn slots_from(&self, index: usize) -> usize {
        // A ring is followed by itself.
        if self.is_ring { usize::MAX } else { self.mask + 1 - (index & self.mask) }
    }

    /// # Safety
    /// As for [`go_on_to_fill`](Storage::go_on_to_fill), at the first slot of a block.
    unsafe fn begin_block(&self, cursor: &mut Cursor<T>) {
        let last = cursor.block;
        if self.is_ring && !last.is_null() {
            return;
        }
        let block = self.spare_or_new();
        // SAFETY: the block is new, or was given back.
        unsafe { cursor.go_to(block) };
        if last.is_null() {
            // SAFETY: nobody reads it before there is an item.
            self.first.with_mut(|first| unsafe { *first = block });
        } else {
            // SAFETY: the last block is given back by a consumer who has gone on to the next, so it is still there.
            let next = unsafe { &(*last).next };
            // SAFETY: nobody reads it before there is an item in the new block.
            next.with_mut(|next| unsafe { *next = block });
        }
    }

    /// # Safety
    /// As for [`go_on_to_empty`](Storage::go_on_to_empty), at the first slot of a block.
    unsafe fn follow_block(&self, cursor: &mut Cursor<T>) {
        let spent = cursor.block;
        if spent.is_null() {
            // SAFETY: it was written before the first item was published, which the caller has seen.
            let first = self.first.with(|first| unsafe { *first });
            // SAFETY: it is freed by consumers, or with the storage.
            return unsafe { cursor.go_to(first) };
        }
        if self.is_ring {
            return;
        }
        // SAFETY: it is freed below.
        let next = unsafe { &(*spent).next };
        // SAFETY: it was written before the next block's first item was published, which the caller has seen.
        let next = next.with(|next| unsafe { *next });
        // SAFETY: it is freed by consumers, or with the storage.
        unsafe { cursor.go_to(next) };
        self.give_back(spent);
    }

    fn spare_or_new(&self) -> *mut Block<T> {
        for place in &self.spare {
            // Relaxed: a look that saves a swap.
            if !place.load(Ordering::Relaxed).is_null() {
                // Acquire: pairs with `give_back`; what the consumers did in the block is done.
                let block = place.swap(ptr::null_mut(), Ordering::Acquire);
                if !block.is_null() {
                    return block;
                }
            }
        }
        Box::into_raw(Block::new(self.mask + 1))
    }

    /// Nobody uses `block` any more.
    fn give_back(&self, mut block: *mut Block<T>) {
        for place in &self.spare {
            if place.load(Ordering::Relaxed).is_null() {
                // Release: pairs with `spare_or_new`. Acquire: another one that was put there meanwhile is now ours.
                block = place.swap(block, Ordering::AcqRel);
                if block.is_null() {
                    return;
                }
            }
        }
        // SAFETY: it came from `Box::into_raw`, and nobody else has it.
        drop(unsafe { Box::from_raw(block) });
    }

    /// Frees all blocks. Items that are still in them are forgotten.
    ///
    /// # Safety
    /// `producers` and `consumers` are the cursors of the two sides, and nobody uses them any more.
    pub(super) unsafe fn free(&mut self, producers: &Cursor<T>, consumers: &Cursor<T>) {
        let mut block = match consumers.block.is_null() {
            // SAFETY: nobody else uses the storage.
            true => self.first.with(|first| unsafe { *first }),
            false => consumers.block,
        };
        while !block.is_null() {
            // SAFETY: the chain from the consumers' block to the producers' was made by `Box::into_raw`, and each is freed once.
            let freed = unsafe { Box::from_raw(block) };
            let is_last = block == producers.block;
            // SAFETY: nobody else uses the block. In a ring it has no next one.
            block = if is_last { ptr::null_mut() } else { freed.next.with(|next| unsafe { *next }) };
        }
        for place in &self.spare {
            let spare = place.swap(ptr::null_mut(), Ordering::Relaxed);
            if !spare.is_null() {
                // SAFETY: it came from `Box::into_raw`, and was given back.
                drop(unsafe { Box::from_raw(spare) });
            }
        }
    }
}

impl<T> Block<T> {
    fn new(slots: usize) -> Box<Self> {
        let slots = (0..slots).map(|_| Slot::empty()).collect();
        Box::new(Block { next: UnsafeCell::new(ptr::null_mut()), slots })
    }
}

/// How many slots a block has, a power of two, and whether one is all there is.
const fn slots<T>(capacity: usize) -> (usize, bool) {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    if capacity <= RING_SLOTS && capacity <= RING_BYTES / size {
        return (capacity.next_power_of_two(), true);
    }
    let mut slots = BLOCK_SLOTS;
    while slots > 1 && slots > BLOCK_BYTES / size {
        slots /= 2;
    }
    (slots, false)
}
