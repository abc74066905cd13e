//! A number in several places.
//!
//! D. Lea's `LongAdder` (java.util.concurrent.atomic, JDK 8, 2014) and P. E. McKenney, "Is Parallel Programming Hard, And, If
//! So, What Can You Do About It?", chapter 5, 2011–: threads add to different cache lines, and who wants the number sums
//! them up. We differ in that the places are all made at once and never grow, so that adding is one instruction.

use super::lane::lane;
use crate::primitive::{AtomicI64, Ordering};
use crossbeam_utils::CachePadded;
use std::fmt;
use std::thread;

/// A number that many threads add to and that is read seldom: requests served, bytes written.
///
/// Adding is one atomic instruction on a cache line that few threads share: wait-free, about as quick with many threads
/// as with one. Reading looks at all places: as many as the process may run threads at a time, rounded up to a power
/// of two (at most 4096), at 128 bytes each; they are allocated when the counter is made. It wraps around at 64 bits.
///
/// **What is read.** [`sum`](Counter::sum) counts everything that was added before it was called, and of what is added
/// meanwhile some or nothing: the result need not be what the number was at any one moment. To draw distinct numbers
/// or to compare and act, use one atomic.
///
/// # Examples
/// ```
/// let served = sync::lockfree::Counter::new();
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| (0..100).for_each(|_| served.add(1)));
///     }
/// });
/// assert_eq!(served.sum(), 400);
/// ```
#[doc(alias = "LongAdder")]
pub struct Counter {
    /// A power of two of them.
    places: Box<[CachePadded<AtomicI64>]>,
}

impl Counter {
    /// A counter at 0, with places enough for this machine.
    #[must_use]
    pub fn new() -> Self {
        // Not known: four are better than one, whatever the machine.
        let threads = thread::available_parallelism().map_or(4, usize::from);
        Counter::with_places(threads)
    }

    /// A counter at 0, with that many places, rounded up to a power of two, at least 1 and at most 4096: more keep more
    /// threads apart and make reading slower.
    #[must_use]
    pub fn with_places(places: usize) -> Self {
        let places = places.clamp(1, MOST_PLACES).next_power_of_two();
        Counter { places: (0..places).map(|_| CachePadded::new(AtomicI64::new(0))).collect() }
    }

    /// Adds `amount`, which may be negative. Wait-free; does not allocate.
    #[inline]
    pub fn add(&self, amount: i64) {
        let place = &self.places[lane() & (self.places.len() - 1)];
        // Relaxed: the number publishes no other data.
        place.fetch_add(amount, Ordering::Relaxed);
    }

    /// The sum of all that was added. Wait-free.
    #[must_use]
    pub fn sum(&self) -> i64 {
        // Relaxed: what was added before, in the sense of the memory model, is seen all the same.
        self.places.iter().fold(0, |sum, place| sum.wrapping_add(place.load(Ordering::Relaxed)))
    }

    /// The sum of all that was added since the last `take`, which is nothing afterwards: what is added meanwhile counts
    /// now or the next time, and never twice. Wait-free.
    #[doc(alias = "sumThenReset")]
    pub fn take(&self) -> i64 {
        // Relaxed: as in `sum`.
        self.places.iter().fold(0, |sum, place| sum.wrapping_add(place.swap(0, Ordering::Relaxed)))
    }
}

/// More would hardly keep more threads apart, for few machines run as many at a time; and a number that is not meant must
/// not fill the memory.
const MOST_PLACES: usize = 4096;

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.sum()).finish()
    }
}
