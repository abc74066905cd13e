//! What a queue gives out: an iterator, what was drained, and the handle that closes it.

use super::{Order, QueueOf};
use crate::catch::contain;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Takes items until the queue is closed and empty; see [`QueueOf::iter`].
///
/// # Waiting
/// - **Blocks** in each `next`, as [`get`](QueueOf::get) does.
/// - **Allocates** nothing.
/// - **Order**: as `get`. For each item it queues up anew.
/// - **Dropped**, it leaves what it has not given where it is.
/// - **A waker that panics**: as [`QueueOf`].
#[derive(Debug)]
pub struct IterOf<'a, O: Order> {
    queue: &'a QueueOf<O>,
}

impl<'a, O: Order> IterOf<'a, O> {
    pub(super) fn of(queue: &'a QueueOf<O>) -> Self {
        IterOf { queue }
    }
}

impl<O: Order> Iterator for IterOf<'_, O> {
    type Item = O::Item;

    fn next(&mut self) -> Option<O::Item> {
        self.queue.get().ok()
    }
}

impl<'a, O: Order> IntoIterator for &'a QueueOf<O> {
    type Item = O::Item;
    type IntoIter = IterOf<'a, O>;

    fn into_iter(self) -> IterOf<'a, O> {
        self.iter()
    }
}

/// Takes items until there is none; see [`QueueOf::try_iter`]. Never waits.
#[derive(Debug)]
pub struct TryIterOf<'a, O: Order> {
    queue: &'a QueueOf<O>,
}

impl<'a, O: Order> TryIterOf<'a, O> {
    pub(super) fn of(queue: &'a QueueOf<O>) -> Self {
        TryIterOf { queue }
    }
}

impl<O: Order> Iterator for TryIterOf<'_, O> {
    type Item = O::Item;

    fn next(&mut self) -> Option<O::Item> {
        self.queue.try_get().ok()
    }
}

impl<O: Order> IntoIterator for QueueOf<O> {
    type Item = O::Item;
    type IntoIter = Drained<O>;

    /// Takes what is left, due or not. Nobody else has the queue, so there is nothing to wait for.
    fn into_iter(self) -> Drained<O> {
        self.drain()
    }
}

/// What was taken out of a queue at once, in the order in which it would have been got; see [`QueueOf::drain`], and `close_now` of each
/// queue. Never waits. Dropping it drops what is left.
pub struct Drained<O> {
    items: O,
}

impl<O> Drained<O> {
    pub(in crate::queue) fn of(items: O) -> Self {
        Drained { items }
    }
}

impl<O: Order> Iterator for Drained<O> {
    type Item = O::Item;

    fn next(&mut self) -> Option<O::Item> {
        self.items.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.items.count(), Some(self.items.count()))
    }
}

impl<O: Order> ExactSizeIterator for Drained<O> {}

impl<O: Order> fmt::Debug for Drained<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drained").field("len", &self.items.count()).finish()
    }
}

/// A queue that is [closed](QueueOf::close) when this is dropped; see [`QueueOf::close_on_drop`].
///
/// # Waiting
/// As [`QueueOf`]. Dropping it waits for nobody.
#[must_use = "the queue is closed when this is dropped"]
#[derive(Debug)]
pub struct CloseOnDropOf<O: Order> {
    queue: Arc<QueueOf<O>>,
}

impl<O: Order> CloseOnDropOf<O> {
    pub(super) fn of(queue: &Arc<QueueOf<O>>) -> Self {
        CloseOnDropOf { queue: Arc::clone(queue) }
    }
}

impl<O: Order> Deref for CloseOnDropOf<O> {
    type Target = QueueOf<O>;

    fn deref(&self) -> &QueueOf<O> {
        &self.queue
    }
}

impl<O: Order> Drop for CloseOnDropOf<O> {
    fn drop(&mut self) {
        // It may be a panic that drops it, in which a waker that panics would end the process.
        contain(|| self.queue.close());
    }
}
