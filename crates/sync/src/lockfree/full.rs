//! The error of a bounded queue.

use std::error::Error;
use std::fmt;

/// There was no room. Gives the item back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T> {
    item: T,
    capacity: usize,
}

impl<T> Full<T> {
    pub(super) fn new(item: T, capacity: usize) -> Self {
        Full { item, capacity }
    }

    /// The item that found no room.
    pub fn into_inner(self) -> T {
        self.item
    }

    /// How many items there were.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Full").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the queue is full: it holds {} items; take one out first", self.capacity)
    }
}

impl<T> Error for Full<T> {}
