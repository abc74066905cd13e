//! In which order arms are asked.

use std::task::Poll;

/// In which order arms are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Every order is as likely as any other, each time round.
    Random,
    /// As written.
    Written,
}

impl Order {
    /// Asks the arms whose numbers are in `numbers`, each once, until one is ready. The numbers may change places.
    #[inline]
    pub(super) fn ask<R>(self, numbers: &mut [usize], mut ask: impl FnMut(usize) -> Poll<R>) -> Poll<R> {
        for at in 0..numbers.len() {
            if self == Order::Random {
                // One step of a shuffle (Durstenfeld, "Algorithm 235", CACM 1964), for as long as it matters.
                let left = numbers.len() - at;
                if left > 1 {
                    numbers.swap(at, at + random_below(left));
                }
            }
            if let Poll::Ready(answer) = ask(numbers[at]) {
                return Poll::Ready(answer);
            }
        }
        Poll::Pending
    }
}

/// A number below `bound`, which is small: each as likely as the others, to within one in 2³².
#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
fn random_below(bound: usize) -> usize {
    use std::cell::Cell;
    use std::hash::{BuildHasher, RandomState};

    thread_local! {
        /// The state of a generator, which differs from thread to thread.
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
    }
    // A thread that is going away does without: whatever the order, the answer is right.
    let random = STATE.try_with(|state| {
        // Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14), 2003.
        let mut next = state.get();
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        state.set(next);
        next
    });
    // The upper bits are the better ones. Multiplying takes a number below 2³² to one below the bound.
    let scaled = (random.unwrap_or(0) >> 32) * bound as u64;
    usize::try_from(scaled >> 32).unwrap_or(0)
}

/// A model must do the same again: under loom the order is the written one, under shuttle it is drawn with the schedule.
#[cfg(any(trefoil_loom, trefoil_shuttle))]
fn random_below(bound: usize) -> usize {
    crate::primitive::random_below(bound)
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_three_is_drawn_about_as_often() {
        let mut counts = std::collections::BTreeMap::new();
        let mut numbers = [0, 1, 2];
        for _ in 0..6_000 {
            let mut order = Vec::new();
            let none: Poll<()> = Order::Random.ask(&mut numbers, |number| {
                order.push(number);
                Poll::Pending
            });
            assert!(none.is_pending());
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // A thousand each; the deviation is 29.
        assert!(counts.values().all(|count| (700..1_300).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_written_order_ends_with_the_first_that_is_ready() {
        let mut asked = Vec::new();
        let answer = Order::Written.ask(&mut [0, 1, 2], |number| {
            asked.push(number);
            if number == 1 { Poll::Ready("one") } else { Poll::Pending }
        });
        assert_eq!((answer, asked), (Poll::Ready("one"), vec![0, 1]));
    }
}
