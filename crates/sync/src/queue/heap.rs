//! A binary heap that a comparison which panics leaves as it was.
//!
//! Each change is planned first, with all its comparisons, and then made, by swaps that cannot fail. Equal items come out in
//! the order in which they went in, for each carries the number of its arrival.
//!
//! Source: J. W. J. Williams, "Algorithm 232: Heapsort", Communications of the ACM 7 (6), 1964.

use std::cmp::Ordering;

pub(super) struct Heap<T> {
    /// No entry comes before its parent, which is at half its index.
    entries: Vec<Entry<T>>,
    arrivals: u64,
}

struct Entry<T> {
    item: T,
    arrival: u64,
}

/// A heap that fits into memory is not deeper.
const DEPTH: usize = usize::BITS as usize;

impl<T> Heap<T> {
    pub(super) const EMPTY: Self = Heap { entries: Vec::new(), arrivals: 0 };

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.entries.first().map(|entry| &entry.item)
    }

    /// Takes the item out of `item`. O(log n) comparisons. If one panics, both are as they were.
    pub(super) fn push(&mut self, item: &mut Option<T>, compare: impl Fn(&T, &T) -> Ordering) {
        let Some(new) = item.as_ref() else { return };
        let mut place = self.entries.len();
        // It came last, so an equal parent stays before it.
        while place > 0 && compare(new, &self.entries[parent(place)].item).is_lt() {
            place = parent(place);
        }
        let Some(item) = item.take() else { return };
        let mut from = self.entries.len();
        self.entries.push(Entry { item, arrival: self.arrivals });
        self.arrivals += 1;
        while from != place {
            self.entries.swap(from, parent(from));
            from = parent(from);
        }
    }

    /// Takes the first item. O(log n) comparisons. If one panics, the heap is as it was.
    pub(super) fn pop(&mut self, compare: impl Fn(&T, &T) -> Ordering) -> Option<T> {
        let last = self.entries.len().checked_sub(1)?;
        let is_before = |one: usize, other: usize| {
            let (one, other) = (&self.entries[one], &self.entries[other]);
            compare(&one.item, &other.item).then(one.arrival.cmp(&other.arrival)).is_lt()
        };
        // The last entry takes the first one's place and sinks from there; these move up to make room for it.
        let (mut path, mut depth, mut place) = ([0; DEPTH], 0, 0);
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            if left >= last {
                break;
            }
            let child = if right < last && is_before(right, left) { right } else { left };
            if !is_before(child, last) {
                break;
            }
            path[depth] = child;
            depth += 1;
            place = child;
        }
        let first = self.entries.swap_remove(0);
        let mut place = 0;
        for &child in &path[..depth] {
            self.entries.swap(place, child);
            place = child;
        }
        Some(first.item)
    }
}

fn parent(place: usize) -> usize {
    (place - 1) / 2
}

impl<T> std::fmt::Debug for Heap<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heap").field("len", &self.len()).finish_non_exhaustive()
    }
}
