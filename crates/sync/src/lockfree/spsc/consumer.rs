//! The end that takes out.

use super::Ring;
use crate::primitive::{Arc, Ordering};
use std::fmt;
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The end of a ring that takes items out; see [`spsc_ring`](super::spsc_ring).
///
/// Never waits and allocates nothing.
///
/// Dropping it tells the producer, by [`is_abandoned`](super::Producer::is_abandoned). What is inside is dropped when the
/// producer has gone, too.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
    /// As `ring.head`, which only this end changes; ahead of it while a [`Drain`] is at work, or after one was forgotten.
    head: usize,
    /// `ring.tail` as it was when it was last read.
    tail_seen: usize,
}

/// An operation takes an item out whole or not at all, whatever panics.
impl<T> UnwindSafe for Consumer<T> {}
impl<T> RefUnwindSafe for Consumer<T> {}

impl<T> Consumer<T> {
    pub(super) fn new(ring: Arc<Ring<T>>) -> Self {
        Consumer { ring, head: 0, tail_seen: 0 }
    }

    /// Takes the oldest item out; `None` if there is none. Wait-free.
    #[doc(alias = "popleft")]
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.head == self.tail_seen && self.look() == 0 {
            return None;
        }
        // SAFETY: the ring is not empty.
        let item = unsafe { self.take() };
        self.give_back();
        Some(item)
    }

    /// Takes out as many items as there are and as `into` has room for, into its beginning, and returns how many. The
    /// rest of `into` stays as it is. One handing over for all.
    ///
    /// Wait-free: its steps are bounded by the length of `into`. Does not allocate.
    pub fn pop_slice(&mut self, into: &mut [T]) -> usize
    where
        T: Copy,
    {
        let known = self.tail_seen.wrapping_sub(self.head);
        let there = if known < into.len() { self.look() } else { known };
        let count = there.min(into.len());
        let (first, second) = self.ring.slots(self.head, count);
        for (place, slot) in into.iter_mut().zip(first.iter().chain(second)) {
            // SAFETY: `count` slots from `head` on hold items (invariant 2); `head` moves behind them.
            *place = unsafe { slot.take() };
        }
        self.head = self.head.wrapping_add(count);
        self.give_back();
        count
    }

    /// Takes out what is there now, one by one. One handing over for all that were taken, when the iterator is dropped;
    /// what it has not given stays inside.
    ///
    /// If the iterator is forgotten, the producer gets no room for what it took until the next [`pop`](Consumer::pop)
    /// that finds an item, the next [`pop_slice`](Consumer::pop_slice) or `drain`, or until the consumer is dropped.
    ///
    /// # Examples
    /// ```
    /// let (mut producer, mut consumer) = sync::lockfree::spsc_ring(4);
    /// producer.push_iter(&mut ["a", "b", "c"].map(String::from).into_iter());
    /// assert_eq!(consumer.drain().take(2).collect::<String>(), "ab");
    /// assert_eq!(consumer.pop().as_deref(), Some("c"));
    /// ```
    pub fn drain(&mut self) -> Drain<'_, T> {
        let left = self.look();
        Drain { consumer: self, left }
    }

    /// How many items there are now, at least: the producer may put in more at any time.
    #[must_use]
    pub fn len(&self) -> usize {
        // Acquire: as in `look`.
        self.ring.tail.load(Ordering::Acquire).wrapping_sub(self.head)
    }

    /// Whether there is nothing inside now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items the ring can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.capacity
    }

    /// Whether the producer has been dropped. What it has put in is still there, and no more will come: once this was
    /// `true`, a `pop` that finds nothing will never find anything.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        // Acquire: pairs with the producer's drop, so that all it has put in is seen afterwards.
        self.ring.producer_gone.load(Ordering::Acquire)
    }

    /// Reads the producer's position; returns how many items there are.
    fn look(&mut self) -> usize {
        // Acquire: pairs with the producer's release; the slots before `tail` have been filled.
        self.tail_seen = self.ring.tail.load(Ordering::Acquire);
        self.tail_seen.wrapping_sub(self.head)
    }

    /// Takes the item at `head`, and moves behind it without telling the producer.
    ///
    /// # Safety
    /// There is one: the `tail` that was seen is not `head`.
    #[inline(always)]
    unsafe fn take(&mut self) -> T {
        let slot = self.ring.slot(self.head);
        // SAFETY: the slot at `head` holds an item that is the consumer's (invariant 2). It is taken once, because `head`
        // moves on here and now, whatever becomes of who called this.
        let item = unsafe { slot.take() };
        self.head = self.head.wrapping_add(1);
        item
    }

    /// Hands the slots before `head` back to the producer.
    #[inline(always)]
    fn give_back(&mut self) {
        // Release: pairs with the producer's acquire; the items have left their slots.
        self.ring.head.store(self.head, Ordering::Release);
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        // A `Drain` that was forgotten has taken items out without saying so, and the ring drops what is behind its `head`.
        self.give_back();
        // Release: pairs with `Producer::is_abandoned`.
        self.ring.consumer_gone.store(true, Ordering::Release);
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

/// Takes items out one by one; see [`Consumer::drain`].
///
/// Never waits and allocates nothing. What it has not given when it is dropped stays where it is.
pub struct Drain<'a, T> {
    consumer: &'a mut Consumer<T>,
    left: usize,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: there were at least that many items when the iterator was made, and it alone has taken any since.
        Some(unsafe { self.consumer.take() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}
impl<T> FusedIterator for Drain<'_, T> {}

impl<T> Drop for Drain<'_, T> {
    fn drop(&mut self) {
        self.consumer.give_back();
    }
}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("left", &self.left).finish_non_exhaustive()
    }
}
