//! The end that puts in.

use super::Ring;
use crate::lockfree::full::Full;
use crate::primitive::{Arc, Ordering};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The end of a ring that puts items in; see [`spsc_ring`](super::spsc_ring).
///
/// Never waits and allocates nothing.
///
/// Dropping it leaves what is inside to the consumer, who learns by
/// [`is_abandoned`](super::Consumer::is_abandoned) that no more will come.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
    /// As `ring.tail`, which only this end changes.
    tail: usize,
    /// `ring.head` as it was when it was last read.
    head_seen: usize,
}

/// An operation puts an item in whole or not at all, whatever panics.
impl<T> UnwindSafe for Producer<T> {}
impl<T> RefUnwindSafe for Producer<T> {}

impl<T> Producer<T> {
    pub(super) fn new(ring: Arc<Ring<T>>) -> Self {
        Producer { ring, tail: 0, head_seen: 0 }
    }

    /// Puts an item in. Wait-free; does not allocate.
    ///
    /// # Errors
    /// [`Full`] with the item, if there is no room.
    #[doc(alias = "append")]
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), Full<T>> {
        let capacity = self.ring.capacity;
        if self.tail.wrapping_sub(self.head_seen) == capacity && self.look() == 0 {
            return Err(Full::new(item, capacity));
        }
        // SAFETY: there is room, so the slot at `tail` is the producer's (invariant 2).
        unsafe { self.ring.slot(self.tail).write(item) };
        self.publish(1);
        Ok(())
    }

    /// Puts in as many of the items as there is room for, the first ones, and returns how many. One handing over for all.
    ///
    /// Wait-free: its steps are bounded by the number of items. Does not allocate.
    ///
    /// # Examples
    /// ```
    /// let (mut producer, mut consumer) = sync::lockfree::spsc_ring(3);
    /// assert_eq!(producer.push_slice(b"abcd"), 3);
    /// let mut block = [0; 8];
    /// assert_eq!(consumer.pop_slice(&mut block), 3);
    /// assert_eq!(&block[..3], b"abc");
    /// ```
    pub fn push_slice(&mut self, items: &[T]) -> usize
    where
        T: Copy,
    {
        let count = items.len().min(self.room_for(items.len()));
        let (first, second) = self.ring.slots(self.tail, count);
        for (slot, item) in first.iter().chain(second).zip(items) {
            // SAFETY: `count` slots from `tail` on are the producer's (invariant 2).
            unsafe { slot.write(*item) };
        }
        self.publish(count);
        count
    }

    /// Puts in items of an iterator until there is no more room or no more item, and returns how many. Takes no item out
    /// of the iterator that it cannot put in. One handing over for all.
    ///
    /// Does not allocate. Room that the consumer makes meanwhile is not used.
    ///
    /// # Panics
    /// If the iterator does. What it had given by then has been put in.
    pub fn push_iter(&mut self, items: &mut impl Iterator<Item = T>) -> usize {
        let room = self.room_for(usize::MAX);
        let mut batch = Batch { producer: self, count: 0 };
        while batch.count < room {
            let Some(item) = items.next() else { break };
            let position = batch.producer.tail.wrapping_add(batch.count);
            // SAFETY: `room` slots from `tail` on are the producer's (invariant 2), and this is the next of them.
            unsafe { batch.producer.ring.slot(position).write(item) };
            batch.count += 1;
        }
        batch.count
    }

    /// How many items can be put in now, at least: the consumer may make more room at any time.
    #[must_use]
    pub fn room(&self) -> usize {
        // Acquire: as in `look`.
        let head = self.ring.head.load(Ordering::Acquire);
        self.ring.capacity - self.tail.wrapping_sub(head)
    }

    /// How many items the ring can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.capacity
    }

    /// Whether the consumer has been dropped, so that nobody will take anything out.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        // Acquire: pairs with the consumer's drop. What it did before has been done.
        self.ring.consumer_gone.load(Ordering::Acquire)
    }

    /// The room that is known of, after another look if that is less than `wanted`.
    fn room_for(&mut self, wanted: usize) -> usize {
        let known = self.ring.capacity - self.tail.wrapping_sub(self.head_seen);
        if known < wanted { self.look() } else { known }
    }

    /// Reads the consumer's position; returns how much room there is.
    fn look(&mut self) -> usize {
        // Acquire: pairs with the consumer's release; it has finished with the slots before `head`.
        self.head_seen = self.ring.head.load(Ordering::Acquire);
        self.ring.capacity - self.tail.wrapping_sub(self.head_seen)
    }

    /// Hands the next `count` slots over to the consumer. They have been filled.
    #[inline(always)]
    fn publish(&mut self, count: usize) {
        self.tail = self.tail.wrapping_add(count);
        // Release: pairs with the consumer's acquire; the items are in their slots.
        self.ring.tail.store(self.tail, Ordering::Release);
    }
}

/// Publishes what has been put in, be it that the iterator panics.
struct Batch<'a, T> {
    producer: &'a mut Producer<T>,
    count: usize,
}

impl<T> Drop for Batch<'_, T> {
    fn drop(&mut self) {
        self.producer.publish(self.count);
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // Release: pairs with `Consumer::is_abandoned`; all items have been published.
        self.ring.producer_gone.store(true, Ordering::Release);
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("room", &self.room())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
