//! An unbounded queue for many producers and many consumers, in blocks.
//!
//! P. Ramalhete and A. Correia, "FAAArrayQueue: MPMC lock-free queue", concurrencyfreaks.com, 2016
//! ([page](https://concurrencyfreaks.blogspot.com/2016/11/faaarrayqueue-mpmc-lock-free-queue-part.html)), which simplifies
//! A. Morrison and Y. Afek, "Fast Concurrent Queues for x86 Processors", PPoPP 2013. The list of blocks is that of
//! M. M. Michael and M. L. Scott, "Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue Algorithms",
//! PODC 1996. We differ in that items stand in the blocks and not behind pointers, in that a consumer who finds his item
//! ready needs no second atomic instruction, and in how blocks are freed ([`hazard`](super::hazard)).
//!
//! ```text
//!   head ─► block ─────────► block ─────────► block ◄─ tail
//!           taken 61         taken 0          taken 0
//!           given 70         given 64         given 12
//!           64 places        64 places        64 places
//! ```
//!
//! A producer draws a number from `given` and a consumer one from `taken`; those who draw the same number meet at that
//! place. Who draws 64 or more goes on to the next block, which a producer may have to add.
//!
//! | a place is | after which |
//! |---|---|
//! | `EMPTY` | the producer with its number may write the item and try to make it `FULL` |
//! | `FULL` | the item belongs to the consumer with its number |
//! | `VOID` | its consumer came first. Nobody uses it; the producer takes another number, and so does the consumer |
//!
//! Invariants:
//!
//! 1. Each number is drawn once on each side. Before `FULL` the slot belongs to the producer with its number, then to the
//!    consumer with its number.
//! 2. `head` and `tail` move along the links only, and `head` never passes `tail`: who moves `head` away from a block has
//!    seen that `tail` is not there any more. So a block that `head` has left can be reached from neither.
//! 3. A block is looked at only under a hazard that was taken from `head` or `tail`, and freed by whoever moved `head`
//!    away from it.

use super::drop_all::drop_all;
use super::hazard::{Domain, Protected};
use super::slot::Slot;
use crate::primitive::{AtomicPtr, AtomicUsize, Ordering};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;

/// A queue without a bound, for any number of producers and consumers, first in, first out.
///
/// Lock-free: a thread that stands still, wherever it does, holds up nobody. Allocates a block for every 64 items, and
/// gives it back as soon as they have been taken out and nobody looks at it any more: an empty queue holds one or two.
/// Items that are still inside are dropped with the queue. Not fair.
///
/// Nothing keeps it from growing while producers are quicker than consumers;
/// [`ArrayQueue`](super::ArrayQueue) has a bound, and [`Queue`](crate::Queue) lets producers wait.
///
/// # Examples
/// ```
/// let queue = sync::lockfree::SegmentedQueue::new();
/// std::thread::scope(|scope| {
///     for number in 1..=4 {
///         let queue = &queue;
///         scope.spawn(move || queue.push(number));
///     }
/// });
/// assert_eq!(std::iter::from_fn(|| queue.pop()).sum::<i32>(), 10);
/// ```
#[doc(alias = "SimpleQueue")]
pub struct SegmentedQueue<T> {
    head: CachePadded<AtomicPtr<Block<T>>>,
    tail: CachePadded<AtomicPtr<Block<T>>>,
    blocks: Domain<Block<T>>,
}

struct Block<T> {
    given: CachePadded<AtomicUsize>,
    taken: CachePadded<AtomicUsize>,
    next: AtomicPtr<Block<T>>,
    /// A box, so that a block of large items is never on the stack.
    places: Box<[Place<T>]>,
}

struct Place<T> {
    state: AtomicUsize,
    slot: Slot<T>,
}

const EMPTY: usize = 0;
const FULL: usize = 1;
const VOID: usize = 2;

/// How many items a block holds. More make allocating rarer, and an almost empty queue larger.
const PLACES: usize = if crate::primitive::IS_MODEL { 2 } else { 64 };

// SAFETY: the blocks are the queue's own, and go with it; items go with them, which needs `T: Send`.
unsafe impl<T: Send> Send for SegmentedQueue<T> {}

// SAFETY: an item goes from one thread to another, which needs `T: Send`; no item is shared (invariant 1).
unsafe impl<T: Send> Sync for SegmentedQueue<T> {}

/// An operation is done whole or not at all, whatever panics.
impl<T> UnwindSafe for SegmentedQueue<T> {}
impl<T> RefUnwindSafe for SegmentedQueue<T> {}

impl<T> SegmentedQueue<T> {
    /// An empty queue. Allocates the first block.
    #[must_use]
    pub fn new() -> Self {
        let first = Box::into_raw(Block::empty());
        SegmentedQueue {
            head: CachePadded::new(AtomicPtr::new(first)),
            tail: CachePadded::new(AtomicPtr::new(first)),
            blocks: Domain::new(),
        }
    }

    /// Puts an item in. Does not block; allocates for every 64th item.
    #[doc(alias = "put")]
    pub fn push(&self, mut item: T) {
        // A block that another producer made superfluous, for the next try.
        let mut spare = None;
        loop {
            let block = self.protect(&self.tail);
            // SeqCst: pairs with the load in `is_drained`, so that nobody who looks later finds nothing. It publishes
            // nothing else; the place's state carries the item.
            let number = block.given.fetch_add(1, Ordering::SeqCst);
            if let Some(place) = block.places.get(number) {
                match place.fill(item) {
                    Ok(()) => return,
                    Err(refused) => item = refused,
                }
                continue;
            }
            // Acquire: the next block is looked at by whoever takes it from `tail`, where it is published again.
            let mut next = block.next.load(Ordering::Acquire);
            if next.is_null() {
                match block.append(item, spare.take()) {
                    Ok(appended) => {
                        self.move_tail(&block, appended);
                        return;
                    }
                    Err(Refused { item: refused, spare: unused, next: other }) => {
                        (item, spare, next) = (refused, Some(unused), other);
                    }
                }
            }
            self.move_tail(&block, next);
        }
    }

    /// Takes the oldest item out; `None` if there was none at some moment of the call. Does not block or allocate, but
    /// may free blocks.
    #[doc(alias = "get_nowait")]
    pub fn pop(&self) -> Option<T> {
        loop {
            let block = self.protect(&self.head);
            if block.is_drained() {
                return None;
            }
            // The number is the same to all, and the place's state carries the item. AcqRel: who finds that all numbers are
            // drawn, here or in `is_drained` and `is_used_up`, knows of every push that those who drew them knew of.
            let number = block.taken.fetch_add(1, Ordering::AcqRel);
            if let Some(place) = block.places.get(number) {
                if let Some(item) = place.empty() {
                    return Some(item);
                }
                continue;
            }
            // Acquire: see `push`. SeqCst, for null is an answer: as in `is_drained`.
            let next = block.next.load(Ordering::SeqCst);
            if next.is_null() {
                return None;
            }
            self.move_head(block, next);
        }
    }

    /// Whether there is nothing inside now. An item that is just being put in may count already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        loop {
            let block = self.protect(&self.head);
            if !block.is_used_up() {
                return block.is_drained();
            }
            // Acquire: see `push`. SeqCst, for null is an answer: as in `is_drained`.
            let next = block.next.load(Ordering::SeqCst);
            if next.is_null() {
                return true;
            }
            self.move_head(block, next);
        }
    }

    fn protect(&self, end: &AtomicPtr<Block<T>>) -> Protected<'_, Block<T>> {
        // SAFETY: blocks are freed by `move_head` alone, which retires them when neither end points to them any more; both
        // ends are changed by `SeqCst` exchanges.
        let block = unsafe { self.blocks.protect(end) };
        block.expect("both ends always have a block")
    }

    /// Moves `tail` from `block` to the next one, if nobody has done so. The address cannot mean another block, because
    /// `block` is protected.
    fn move_tail(&self, block: &Protected<'_, Block<T>>, next: *mut Block<T>) {
        let block = block.as_ptr();
        // SeqCst if it fails, too: somebody else has moved `tail` then, and `move_head`, which may retire the block next,
        // must come after that in the one order of all `SeqCst` operations (invariant 2 of `hazard`, step 3 before 4).
        let _ = self.tail.compare_exchange(block, next, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Moves `head` from `block`, whose numbers have all been drawn, to the next one, if nobody has done so.
    fn move_head(&self, block: Protected<'_, Block<T>>, next: *mut Block<T>) {
        // `tail` goes first (invariant 2). SeqCst, be it the load or the exchange in `move_tail`, won or lost: whichever
        // sees that `tail` has left the block comes after that, and before `retire` looks at the hazards.
        if self.tail.load(Ordering::SeqCst) == block.as_ptr() {
            self.move_tail(&block, next);
        }
        let exchanged =
            self.head.compare_exchange(block.as_ptr(), next, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        if exchanged {
            // SAFETY: `head` has just left the block, by this thread alone, and `tail` before (invariant 2).
            unsafe { block.retire() };
        }
    }
}

impl<T> Block<T> {
    fn empty() -> Box<Self> {
        Box::new(Block {
            given: CachePadded::new(AtomicUsize::new(0)),
            taken: CachePadded::new(AtomicUsize::new(0)),
            next: AtomicPtr::new(ptr::null_mut()),
            places: (0..PLACES)
                .map(|_| Place { state: AtomicUsize::new(EMPTY), slot: Slot::empty() })
                .collect(),
        })
    }

    /// Links a block behind this one, in which `item` already has the first place: so whoever links has done his work,
    /// and however quick consumers are to make places void, somebody gets on.
    fn append(&self, item: T, spare: Option<Box<Self>>) -> Result<*mut Self, Refused<T>> {
        let fresh = spare.unwrap_or_else(Self::empty);
        // Relaxed, both: the exchange below publishes the block.
        fresh.given.store(1, Ordering::Relaxed);
        fresh.places[0].state.store(FULL, Ordering::Relaxed);
        // SAFETY: the block has not been published, so its slots are ours.
        unsafe { fresh.places[0].slot.write(item) };
        let fresh = Box::into_raw(fresh);
        // Release: publishes the block; SeqCst: pairs with the load in `is_drained`. Acquire: see `SegmentedQueue::push`.
        match self.next.compare_exchange(ptr::null_mut(), fresh, Ordering::SeqCst, Ordering::Acquire) {
            Ok(_) => Ok(fresh),
            Err(next) => {
                // SAFETY: it was not published, so it is still the box that it was.
                let spare = unsafe { Box::from_raw(fresh) };
                // SAFETY: it was written a few lines above, and its state is set again before the block is published.
                let item = unsafe { spare.places[0].slot.take() };
                Err(Refused { item, spare, next })
            }
        }
    }

    /// Whether nothing was left to take at the moment at which `given` is read: a consumer has been found for every
    /// number that a producer has drawn, and there is no other block.
    fn is_drained(&self) -> bool {
        // Acquire: pairs with the drawing in `pop`; `given` is read after it, and only grows.
        let taken = self.taken.load(Ordering::Acquire);
        // SeqCst, both: as the changes in `push` and `append`. So a push that was over when `given` was read, in the one
        // order of all, is seen here or has found its consumer. Acquire, too: `next` is read after `given`, and stays when
        // it is set.
        taken >= self.given.load(Ordering::SeqCst) && self.next.load(Ordering::SeqCst).is_null()
    }

    /// Whether all places have found a consumer.
    fn is_used_up(&self) -> bool {
        // Acquire: pairs with the drawing in `pop`; `next` is read after it.
        self.taken.load(Ordering::Acquire) >= PLACES
    }
}

impl<T> Place<T> {
    /// Gives the item to the consumer with this number, or back if he has gone. Called by the producer with this number.
    fn fill(&self, item: T) -> Result<(), T> {
        // SAFETY: the number was drawn once, and before `FULL` the slot is its producer's (invariant 1).
        unsafe { self.slot.write(item) };
        // Release: pairs with the acquire in `empty`; the item is in its slot.
        match self.state.compare_exchange(EMPTY, FULL, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            // SAFETY: the item was written just now, and nobody else looks into a void place.
            Err(_) => Err(unsafe { self.slot.take() }),
        }
    }

    /// Takes the item, or makes the place void if there is none yet. Called by the consumer with this number.
    fn empty(&self) -> Option<T> {
        // Acquire, both: pair with the release in `fill`.
        let full =
            self.state.load(Ordering::Acquire) == FULL || self.state.swap(VOID, Ordering::Acquire) == FULL;
        // SAFETY: it was `FULL`, so the item is there and this consumer's, who calls this once (invariant 1).
        full.then(|| unsafe { self.slot.take() })
    }
}

/// Another producer was quicker to add the next block.
struct Refused<T> {
    item: T,
    spare: Box<Block<T>>,
    next: *mut Block<T>,
}

impl<T> Drop for SegmentedQueue<T> {
    fn drop(&mut self) {
        // Dropped when the items are, which are taken out through it.
        let last = LastBlock(self);
        drop_all(|| last.0.pop());
    }
}

/// Frees the block that is left when all items are gone, be it that a destructor panics.
struct LastBlock<'a, T>(&'a SegmentedQueue<T>);

impl<T> Drop for LastBlock<'_, T> {
    fn drop(&mut self) {
        // Relaxed: nobody else is left.
        let block = self.0.head.load(Ordering::Relaxed);
        // SAFETY: `pop` found nothing more, so the block that `head` points to has no successor; it was made by `Box`, and
        // was not retired, because `head` still points to it.
        drop(unsafe { Box::from_raw(block) });
    }
}

impl<T> Default for SegmentedQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for SegmentedQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentedQueue").field("is_empty", &self.is_empty()).finish_non_exhaustive()
    }
}
