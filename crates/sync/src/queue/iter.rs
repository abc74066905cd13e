//! Taking items one after the other.

use super::Queue;
use std::iter::FusedIterator;

/// Takes items until the queue is closed and empty; see [`Queue::iter`].
///
/// # Waiting
/// - **Blocks** in each `next`, as [`get`](Queue::get) does.
/// - **Allocates** nothing.
/// - **Order**: as `get`. For each item it queues up anew.
/// - **Dropped**, it leaves what it has not given where it is.
/// - **A waker that panics**: as [`Queue`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Self {
        Iter { queue }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.get().ok()
    }
}

impl<'a, T> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Takes items until there is none; see [`Queue::try_iter`]. Never waits.
#[derive(Debug)]
pub struct TryIter<'a, T> {
    queue: &'a Queue<T>,
}

impl<'a, T> TryIter<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Self {
        TryIter { queue }
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.queue.try_get().ok()
    }
}

/// The items that are left in a queue that nobody else has. Never waits. Dropping it drops what is left.
#[derive(Debug)]
pub struct IntoIter<T> {
    queue: Queue<T>,
    /// So many were inside. What futures that were forgotten hold in their hands is not.
    left: usize,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        self.queue.try_get().ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> IntoIterator for Queue<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    /// Takes what is left. Nobody else has the queue, so there is nothing to wait for.
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { left: self.len(), queue: self }
    }
}
