//! A ring for one producer and one consumer.
//!
//! L. Lamport, "Specifying Concurrent Program Modules", ACM TOPLAS 5(2), 1983, has the ring with an index on each side;
//! P. P. C. Lee, T. Bu and G. Chandranmenon, "A Lock-Free, Cache-Efficient Multi-Core Synchronization Mechanism for
//! Line-Rate Network Traffic Monitoring", IPDPS 2010, keep a copy of the other side's index and read it again only when the
//! copy says that there is nothing to do.
//!
//! ```text
//!            head                tail            capacity 6 in 8 slots
//!             │                   │              tail - head items
//!   [ ][ ][ ][a][b][c][d][ ]  ... where positions only grow, and a slot is its position modulo 8
//!             consumer ►          producer ►
//! ```
//!
//! Invariants:
//!
//! 1. `tail` is changed by the producer alone and `head` by the consumer alone; both only grow (and wrap), and
//!    `tail - head` is at most the capacity.
//! 2. The slots of the positions from `head` to `tail` hold items and belong to the consumer. All others are empty and
//!    belong to the producer.
//!
//! A side hands slots over by a release store of its own position, which the other reads with acquire. A position that was
//! read is at worst old, which means fewer slots than there are and never more.

mod consumer;
mod producer;

pub use consumer::{Consumer, Drain};
pub use producer::Producer;

use super::drop_all::drop_all;
use super::slot::Slot;
use crate::primitive::{Arc, AtomicBool, AtomicUsize, Ordering};
use crossbeam_utils::CachePadded;

/// A bounded queue for one producer and one consumer, which may be on different threads.
///
/// First in, first out. Wait-free: no operation waits, blocks or tries again. All memory is allocated here; it is given
/// back when both ends have been dropped, and items that are still inside are dropped then.
///
/// Neither end can be cloned, and both need `&mut`, so that there is only one of each at a time. To wait for an item or for
/// room, use [`Queue`](crate::Queue).
///
/// Takes time in proportion to `capacity`, rounded up to a power of two. For items without a size no memory bounds it, so
/// a huge `capacity` of them may take for ever.
///
/// # Panics
/// If `capacity` is 0, or larger than any memory.
///
/// # Examples
/// ```
/// let (mut producer, mut consumer) = sync::lockfree::spsc_ring(4);
/// let recorder = std::thread::spawn(move || (1..=3).try_for_each(|sample| producer.push(sample)));
/// recorder.join().unwrap()?;
/// assert!(consumer.is_abandoned());
/// assert_eq!(consumer.drain().collect::<Vec<_>>(), [1, 2, 3]);
/// # Ok::<(), sync::lockfree::Full<i32>>(())
/// ```
#[doc(alias = "ring buffer")]
#[doc(alias = "deque")]
#[track_caller]
pub fn spsc_ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity > 0, "a ring of capacity 0 holds nothing; ask for 1 or more");
    let slots = capacity.checked_next_power_of_two();
    let slots =
        slots.unwrap_or_else(|| panic!("a ring of capacity {capacity} fits into no memory; ask for less"));
    let ring = Arc::new(Ring {
        tail: CachePadded::new(AtomicUsize::new(0)),
        head: CachePadded::new(AtomicUsize::new(0)),
        producer_gone: AtomicBool::new(false),
        consumer_gone: AtomicBool::new(false),
        capacity,
        slots: (0..slots).map(|_| Slot::empty()).collect(),
    });
    (Producer::new(Arc::clone(&ring)), Consumer::new(ring))
}

/// What both ends share. The two positions have cache lines of their own; what is behind them is seldom written.
struct Ring<T> {
    tail: CachePadded<AtomicUsize>,
    head: CachePadded<AtomicUsize>,
    producer_gone: AtomicBool,
    consumer_gone: AtomicBool,
    capacity: usize,
    /// A power of two of them, so that a position's slot is found by masking.
    slots: Box<[Slot<T>]>,
}

// SAFETY: items go from the producer's thread to the consumer's, which needs `T: Send`. Of the slots, each belongs to one
// of the two (invariant 2), so no item is shared.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    #[inline(always)]
    fn slot(&self, position: usize) -> &Slot<T> {
        &self.slots[position & (self.slots.len() - 1)]
    }

    /// The slots of `count` positions, in order; the second part is what is behind the ring's end.
    fn slots(&self, position: usize, count: usize) -> (&[Slot<T>], &[Slot<T>]) {
        let start = position & (self.slots.len() - 1);
        let (before, from) = self.slots.split_at(start);
        match from.get(..count) {
            Some(slots) => (slots, &[]),
            None => (from, &before[..count - from.len()]),
        }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // Relaxed: both ends have gone, and the last of them has synchronized with the other.
        let (mut head, tail) = (self.head.load(Ordering::Relaxed), self.tail.load(Ordering::Relaxed));
        drop_all(|| {
            if head == tail {
                return None;
            }
            let slot = self.slot(head);
            head = head.wrapping_add(1);
            // SAFETY: the slot was between head and tail, and the consumer has handed back all that it took, so it holds an
            // item (invariant 2), which is taken out once.
            Some(unsafe { slot.take() })
        });
    }
}
