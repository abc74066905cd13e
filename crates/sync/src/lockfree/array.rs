//! A bounded queue for many producers and many consumers.
//!
//! D. Vyukov, "Bounded MPMC queue", 1024cores.net, 2010
//! ([page](https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue)): each slot has a stamp that says
//! whose turn it is, so the two ends meet only at the slots. We differ in that any capacity is kept exactly, 1 included,
//! and in that full and empty are told apart from a neighbour who is not ready, so that every answer is true at some
//! moment of the call (the queue is linearizable).
//!
//! ```text
//!   position = lap * stride + index       stride: a power of two above the capacity; index < capacity
//!
//!   a slot's stamp        says
//!   position              empty; a producer at this position may fill it
//!   position + 1          filled; a consumer at this position may empty it
//!   position + stride     empty again; the next lap's position
//! ```
//!
//! Invariants:
//!
//! 1. A position is taken by one producer, who moves `tail` behind it, and by one consumer, who moves `head`.
//! 2. Who has taken a position, and has seen the stamp that lets him, has the slot for himself until he changes the stamp.
//!
//! The stamp is released by one side and acquired by the other, and carries the item. `head` and `tail` carry nothing; their
//! `SeqCst` changes pair with the fences before an answer of "full" or "empty".
//!
//! A position is a `usize` that wraps around. With 32 bits it comes back after at least 2^31 items: a thread that the system
//! puts aside between seeing a slot's stamp and moving its end, and that goes on when exactly so many items have passed (or
//! a multiple), could move it although the slot is not as it was; an item would be overwritten, or taken twice. With 64
//! bits that takes 2^63 items.

use super::drop_all::drop_all;
use super::full::Full;
use super::slot::Slot;
use crate::primitive::{AtomicUsize, Backoff, Ordering, fence};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A bounded queue for any number of producers and consumers, first in, first out.
///
/// All memory is allocated when it is made; an operation is about one atomic instruction. Items that are still inside are
/// dropped with the queue.
///
/// **Progress.** Producers never wait for producers, nor consumers for consumers. But an operation has two steps, and a
/// thread that the system puts aside between them holds up whoever comes to the same slot: a consumer who finds the queue
/// not empty but its first item not ready, and a producer a whole lap later. They spin, then yield. Formally the queue is
/// therefore not lock-free; where that matters, [`SegmentedQueue`](super::SegmentedQueue) is. Not fair.
///
/// # Examples
/// ```
/// use sync::lockfree::ArrayQueue;
///
/// let queue = ArrayQueue::new(2);
/// queue.push("first")?;
/// queue.push("second")?;
/// let refused = queue.push("third").unwrap_err();
/// assert_eq!(refused.into_inner(), "third");
/// assert_eq!(queue.pop(), Some("first"));
/// # Ok::<(), sync::lockfree::Full<&str>>(())
/// ```
#[doc(alias = "Queue")]
pub struct ArrayQueue<T> {
    tail: CachePadded<AtomicUsize>,
    head: CachePadded<AtomicUsize>,
    slots: Box<[Stamped<T>]>,
    stride: usize,
}

struct Stamped<T> {
    stamp: AtomicUsize,
    slot: Slot<T>,
}

// SAFETY: an item goes from one thread to another, which needs `T: Send`; no item is shared (invariant 2).
unsafe impl<T: Send> Sync for ArrayQueue<T> {}

/// An operation is done whole or not at all, whatever panics.
impl<T> UnwindSafe for ArrayQueue<T> {}
impl<T> RefUnwindSafe for ArrayQueue<T> {}

impl<T> ArrayQueue<T> {
    /// A queue that holds at most `capacity` items. Allocates all that it will ever need.
    ///
    /// # Panics
    /// If `capacity` is 0, or larger than any memory.
    #[must_use]
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a queue of capacity 0 holds nothing; ask for 1 or more");
        let stride = capacity.checked_add(1).and_then(usize::checked_next_power_of_two);
        let stride = stride
            .unwrap_or_else(|| panic!("a queue of capacity {capacity} fits into no memory; ask for less"));
        ArrayQueue {
            tail: CachePadded::new(AtomicUsize::new(0)),
            head: CachePadded::new(AtomicUsize::new(0)),
            slots: (0..capacity)
                .map(|index| Stamped { stamp: AtomicUsize::new(index), slot: Slot::empty() })
                .collect(),
            stride,
        }
    }

    /// Puts an item in. Does not block or allocate.
    ///
    /// # Errors
    /// [`Full`] with the item, if there is no room.
    #[doc(alias = "put_nowait")]
    pub fn push(&self, item: T) -> Result<(), Full<T>> {
        let backoff = Backoff::new();
        // Relaxed, here and below: a guess. The exchange and the stamp decide.
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            let place = self.place(tail);
            // Acquire: pairs with the release in `pop`; the slot's item has been taken out.
            let stamp = place.stamp.load(Ordering::Acquire);
            if stamp == tail {
                let after = self.after(tail);
                match self.tail.compare_exchange_weak(tail, after, Ordering::SeqCst, Ordering::Relaxed) {
                    Ok(_) => {
                        // SAFETY: this producer has taken the position, and the stamp says that it is empty (invariant 2).
                        unsafe { place.slot.write(item) };
                        // Release: pairs with the acquire in `pop`; the item is in its slot.
                        place.stamp.store(tail.wrapping_add(1), Ordering::Release);
                        return Ok(());
                    }
                    Err(now) => {
                        tail = now;
                        backoff.spin();
                    }
                }
                continue;
            }
            // It still holds the last lap's item. Full, if that has not been claimed: then `tail` was a lap ahead of `head`
            // when `head` was read, for it is never more.
            if stamp == tail.wrapping_sub(self.stride).wrapping_add(1) && self.is_full_at(tail) {
                return Err(Full::new(item, self.capacity()));
            }
            // Another producer was quicker, or a consumer is in the middle.
            backoff.snooze();
            tail = self.tail.load(Ordering::Relaxed);
        }
    }

    /// Takes the oldest item out; `None` if there is none. Does not block or allocate.
    #[doc(alias = "get_nowait")]
    pub fn pop(&self) -> Option<T> {
        let backoff = Backoff::new();
        // Relaxed, here and below: a guess. The exchange and the stamp decide.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let place = self.place(head);
            // Acquire: pairs with the release in `push`; the item is in its slot.
            let stamp = place.stamp.load(Ordering::Acquire);
            if stamp == head.wrapping_add(1) {
                let after = self.after(head);
                match self.head.compare_exchange_weak(head, after, Ordering::SeqCst, Ordering::Relaxed) {
                    Ok(_) => {
                        // SAFETY: this consumer has taken the position, and the stamp says that an item is in the slot
                        // (invariant 2), which no other consumer takes (invariant 1).
                        let item = unsafe { place.slot.take() };
                        // Release: pairs with the acquire in `push`; the item has been taken out.
                        place.stamp.store(head.wrapping_add(self.stride), Ordering::Release);
                        return Some(item);
                    }
                    Err(now) => {
                        head = now;
                        backoff.spin();
                    }
                }
                continue;
            }
            // Not filled. Empty, if no producer has claimed it: then `tail` was at `head`, for it is never behind.
            if stamp == head && self.is_empty_at(head) {
                return None;
            }
            // Another consumer was quicker, or a producer is in the middle.
            backoff.snooze();
            head = self.head.load(Ordering::Relaxed);
        }
    }

    /// How many items there were at some moment of the call, counting those that are being put in.
    #[must_use]
    pub fn len(&self) -> usize {
        loop {
            let tail = self.tail.load(Ordering::SeqCst);
            let head = self.head.load(Ordering::SeqCst);
            // `tail` has not moved, so both were so when `head` was read.
            if self.tail.load(Ordering::SeqCst) == tail {
                let (head_index, tail_index) = (self.index(head), self.index(tail));
                return if head == tail {
                    0
                } else if head_index < tail_index {
                    tail_index - head_index
                } else {
                    self.capacity() - head_index + tail_index
                };
            }
        }
    }

    /// Whether there was nothing inside at some moment of the call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_empty_at(self.head.load(Ordering::Relaxed))
    }

    /// Whether there was no room at some moment of the call.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full_at(self.tail.load(Ordering::Relaxed))
    }

    /// How many items the queue can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    fn is_full_at(&self, tail: usize) -> bool {
        // SeqCst: a consumer that has finished before is seen.
        fence(Ordering::SeqCst);
        self.head.load(Ordering::Relaxed).wrapping_add(self.stride) == tail
    }

    fn is_empty_at(&self, head: usize) -> bool {
        // SeqCst: a producer that has finished before is seen.
        fence(Ordering::SeqCst);
        self.tail.load(Ordering::Relaxed) == head
    }

    #[inline(always)]
    fn place(&self, position: usize) -> &Stamped<T> {
        &self.slots[self.index(position)]
    }

    #[inline(always)]
    fn index(&self, position: usize) -> usize {
        position & (self.stride - 1)
    }

    /// The position behind another one.
    #[inline(always)]
    fn after(&self, position: usize) -> usize {
        let index = self.index(position);
        if index + 1 < self.capacity() { position + 1 } else { (position - index).wrapping_add(self.stride) }
    }
}

impl<T> Drop for ArrayQueue<T> {
    fn drop(&mut self) {
        drop_all(|| self.pop());
    }
}

impl<T> fmt::Debug for ArrayQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayQueue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
