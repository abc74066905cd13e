//! Some words that are read without being written.
//!
//! C. Lameter, "Effective Synchronization on Linux/NUMA Systems", Gelato Conference 2005, describes the lock of the Linux
//! kernel; H.-J. Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", MSPC 2012
//! ([doi:10.1145/2247684.2247688](https://doi.org/10.1145/2247684.2247688)), which orderings it needs. A reader may look
//! while the words are written, so they are atomics, each read and written by itself with `Relaxed`; what was read is used
//! only if the number has not changed. There is no unsafe code.
//!
//! ```text
//!   writer                                    reader
//!   number: even ── odd        (one wins)     before = number          (acquire; odd: try again)
//!   fence (release)                           words
//!   words                                     fence (acquire)
//!   number: odd ── even        (release)      number == before ?       (no: try again)
//! ```
//!
//! A reader that reads any word of a later write sees, by the two fences, that write's odd number or a later one. A reader
//! that sees an even number sees, by release and acquire, all words of that write. So what passes is one write's.
//!
//! The number is a `usize`: with 32 bits, a reader that sleeps for exactly 2^31 writes could be deceived.

use super::plain::{Plain, sealed::Stored};
use crate::primitive::{AtomicUsize, Backoff, Ordering, fence};
use std::fmt;

/// A few words of plain data that are read often and written seldom: a clock, a position, the last price.
///
/// Reading writes nothing shared, so any number of readers do not disturb each other or a writer. A reader that meets a
/// writer tries again; a writer that meets another waits for it. Both spin, then yield, and never park; a write is a few
/// stores, and no code of yours runs inside, so this is short unless the system puts the writer aside just there. That
/// makes it not lock-free, and readers under constant writing may wait for ever: [`RcuCell`](super::RcuCell) has neither
/// fault, at the price of an allocation for each write. Allocates nothing. Not fair.
///
/// # Examples
/// ```
/// use sync::lockfree::SeqLock;
///
/// let position = SeqLock::new([0.0, 0.0]);
/// std::thread::scope(|scope| {
///     scope.spawn(|| (0..100).for_each(|step| position.write([f64::from(step); 2])));
///     let [x, y] = position.read();
///     assert_eq!(x, y, "never half of one and half of another");
/// });
/// ```
pub struct SeqLock<T: Plain> {
    /// Odd while the words are written.
    number: AtomicUsize,
    words: <T::Words as Stored>::Cells,
}

impl<T: Plain> SeqLock<T> {
    /// A lock around that value.
    #[must_use]
    pub fn new(value: T) -> Self {
        SeqLock { number: AtomicUsize::new(0), words: value.to_words().into_cells() }
    }

    /// The value. Spins and yields while it is written.
    #[must_use]
    #[inline]
    pub fn read(&self) -> T {
        self.read_numbered().0
    }

    /// The value; `None` if it was written meanwhile. Wait-free.
    #[must_use]
    #[inline]
    pub fn try_read(&self) -> Option<T> {
        Some(T::from_words(self.try_read_words()?.0))
    }

    /// Replaces the value. Spins and yields while another thread writes.
    pub fn write(&self, value: T) {
        let words = value.to_words();
        let backoff = Backoff::new();
        loop {
            // Relaxed: a guess.
            let number = self.number.load(Ordering::Relaxed);
            if self.try_write(number, words) {
                return;
            }
            backoff.snooze();
        }
    }

    /// Replaces the value by one that is made from it. If another thread writes first, `change` is called again, with what
    /// that one has written, so that no change is lost. Spins and yields as [`write`](SeqLock::write) does.
    ///
    /// `change` must not write to this lock: each try would find that another wrote first, for ever.
    pub fn update(&self, mut change: impl FnMut(T) -> T) {
        let backoff = Backoff::new();
        loop {
            let (value, number) = self.read_numbered();
            if self.try_write(number, change(value).to_words()) {
                return;
            }
            backoff.snooze();
        }
    }

    /// The value, and the number under which it was written.
    #[inline]
    fn read_numbered(&self) -> (T, usize) {
        if let Some((words, number)) = self.try_read_words() {
            return (T::from_words(words), number);
        }
        self.read_again()
    }

    #[cold]
    fn read_again(&self) -> (T, usize) {
        let backoff = Backoff::new();
        loop {
            backoff.snooze();
            if let Some((words, number)) = self.try_read_words() {
                return (T::from_words(words), number);
            }
        }
    }

    #[inline]
    fn try_read_words(&self) -> Option<(T::Words, usize)> {
        // Acquire: pairs with the release at the end of `try_write`; all words of that write are seen.
        let before = self.number.load(Ordering::Acquire);
        if before % 2 == 1 {
            return None;
        }
        let mut words = T::Words::zero();
        for (word, cell) in words.as_mut().iter_mut().zip(self.words.as_ref()) {
            // Relaxed: ordered by the load above and the fence below.
            *word = cell.load(Ordering::Relaxed);
        }
        // Acquire: pairs with the fence in `try_write`. If a word of a later write was read, its odd number is seen below.
        fence(Ordering::Acquire);
        // Relaxed: ordered by the fence.
        (self.number.load(Ordering::Relaxed) == before).then_some((words, before))
    }

    /// Writes, if the number is still `number` and even.
    fn try_write(&self, number: usize, words: T::Words) -> bool {
        // Acquire: pairs with the last writer's release; its stores come before ours. Relaxed if it fails: nothing is read.
        if number % 2 == 1
            || self
                .number
                .compare_exchange(number, number.wrapping_add(1), Ordering::Acquire, Ordering::Relaxed)
                .is_err()
        {
            return false;
        }
        // Release: pairs with the readers' fence; whoever sees a word below sees the odd number.
        fence(Ordering::Release);
        for (word, cell) in words.as_ref().iter().zip(self.words.as_ref()) {
            // Relaxed: ordered by the fence above and the store below.
            cell.store(*word, Ordering::Relaxed);
        }
        // Release: publishes the words.
        self.number.store(number.wrapping_add(2), Ordering::Release);
        true
    }
}

impl<T: Plain + Default> Default for SeqLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SeqLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqLock").field(&self.read()).finish()
    }
}
