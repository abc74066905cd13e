//! A bounded queue that says what happens when it is full.

use super::kind::{Drained, IterOf, QueueOf, StreamOf, TryIterOf};
use super::orders::Fifo;
use super::{GetError, PutError};
use crate::TimedOut;
use std::fmt;
use std::time::Duration;

/// What a [`Buffer`] does with an item for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The producer waits for room.
    Block,
    /// The item takes the place of the oldest one, which the producer is given.
    DropOldest,
    /// The item is not taken in; the producer is given it back.
    DropNewest,
    /// The producer gets an error, with the item in it.
    Error,
}

/// A first-in, first-out queue with a bound and a [policy](Overflow) for what goes beyond it.
///
/// Any number of producers and consumers share it by reference, in an `Arc`, or as a `static`: threads, coroutines and async
/// tasks of any runtime. Nothing is dropped behind anybody's back: what does not stay is given to whoever put. After
/// [`close`](Buffer::close), nothing more goes in, and consumers get what is left and then an error. Dropping the buffer drops
/// what is inside.
///
/// # Waiting
/// As [`QueueOf`]; room for all that it may hold is made as it is needed.
///
/// # Examples
/// ```
/// use sync::queue::{Buffer, Overflow};
///
/// let last_two = Buffer::new(2, Overflow::DropOldest);
/// assert_eq!(last_two.put("a")?, None);
/// assert_eq!(last_two.put("b")?, None);
/// assert_eq!(last_two.put("c")?, Some("a"));
/// assert_eq!(last_two.drain().collect::<Vec<_>>(), ["b", "c"]);
/// # Ok::<(), sync::queue::PutError<&str>>(())
/// ```
#[doc(alias = "deque")]
pub struct Buffer<T> {
    queue: QueueOf<Fifo<T>>,
    overflow: Overflow,
}

impl<T> Buffer<T> {
    /// A buffer for at most `capacity` items.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[must_use]
    #[track_caller]
    #[cfg(not(trefoil_loom))]
    pub const fn new(capacity: usize, overflow: Overflow) -> Self {
        Buffer { queue: QueueOf::bounded(capacity), overflow }
    }

    /// A buffer for at most `capacity` items.
    #[must_use]
    #[cfg(trefoil_loom)]
    pub fn new(capacity: usize, overflow: Overflow) -> Self {
        Buffer { queue: QueueOf::bounded(capacity), overflow }
    }

    /// Puts `item` at the end; what has to go instead, if anything, is given back. Blocks while there is no room if the
    /// policy is [`Overflow::Block`].
    ///
    /// # Errors
    /// [`PutError`] with the item, if the buffer is closed, or full under [`Overflow::Error`].
    pub fn put(&self, item: T) -> Result<Option<T>, PutError<T>> {
        match self.overflow {
            Overflow::Block => self.queue.put(item).map(|()| None),
            _ => self.put_at_once(item),
        }
    }

    /// As [`put`](Buffer::put), without waiting.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the buffer is closed, or full under [`Overflow::Block`] or [`Overflow::Error`].
    pub fn try_put(&self, item: T) -> Result<Option<T>, PutError<T>> {
        self.put_at_once(item)
    }

    /// As [`put`](Buffer::put), and waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// As for `put`, and if there was no room by then.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<Option<T>, PutError<T>> {
        match self.overflow {
            Overflow::Block => self.queue.put_timeout(item, limit).map(|()| None),
            _ => self.put_at_once(item),
        }
    }

    /// As [`put`](Buffer::put).
    ///
    /// # Errors
    /// As for `put`.
    ///
    /// # Cancel safety
    /// The item is in the buffer, or it is dropped with the future.
    pub async fn put_async(&self, item: T) -> Result<Option<T>, PutError<T>> {
        match self.overflow {
            Overflow::Block => self.queue.put_async(item).await.map(|()| None),
            _ => self.put_at_once(item),
        }
    }

    /// As [`put`](Buffer::put), and takes the item out of `item` only where it does not fail. For an item that must not be lost when
    /// something else comes first, as in [`select!`](crate::select!).
    ///
    /// # Errors
    /// As for `put`; the item stays in `item`.
    ///
    /// # Panics
    /// When it is polled, if `item` is `None`.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was put, and the item is in `item`.
    pub async fn put_from_async(&self, item: &mut Option<T>) -> Result<Option<T>, PutError<()>> {
        if self.overflow == Overflow::Block {
            return self.queue.put_from_async(item).await.map(|()| None);
        }
        let taken = item.take().expect("there is no item to put into the buffer: `item` is `None`");
        self.put_at_once(taken).map_err(|refused| {
            let (why, taken) = refused.into_parts();
            *item = Some(taken);
            PutError::new(why, ())
        })
    }

    /// As [`put_timeout`](Buffer::put_timeout). Needs no runtime.
    ///
    /// # Errors
    /// As for `put_timeout`.
    ///
    /// # Cancel safety
    /// As [`put_async`](Buffer::put_async).
    pub async fn put_async_timeout(&self, item: T, limit: Duration) -> Result<Option<T>, PutError<T>> {
        match self.overflow {
            Overflow::Block => self.queue.put_async_timeout(item, limit).await.map(|()| None),
            _ => self.put_at_once(item),
        }
    }

    fn put_at_once(&self, item: T) -> Result<Option<T>, PutError<T>> {
        match self.overflow {
            Overflow::Block | Overflow::Error => self.queue.try_put(item).map(|()| None),
            Overflow::DropOldest => self.queue.displace(item),
            Overflow::DropNewest => match self.queue.try_put(item) {
                Ok(()) => Ok(None),
                Err(refused) if refused.is_full() => Ok(Some(refused.into_inner())),
                Err(refused) => Err(refused),
            },
        }
    }

    /// Waits for an item and takes the oldest. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the buffer is closed and empty.
    pub fn get(&self) -> Result<T, GetError> {
        self.queue.get()
    }

    /// Takes the oldest item if there is one.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none, [`GetError::Closed`] if there will be none.
    pub fn try_get(&self) -> Result<T, GetError> {
        self.queue.try_get()
    }

    /// Waits for an item, at most `limit`, and takes the oldest. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.queue.get_timeout(limit)
    }

    /// Waits for an item and takes the oldest.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the buffer is closed and empty.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async(&self) -> Result<T, GetError> {
        self.queue.get_async().await
    }

    /// Waits for an item, at most `limit`, and takes the oldest. Needs no runtime.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.queue.get_async_timeout(limit).await
    }

    /// Refuses every further item, and ends every wait that this makes hopeless. What is inside can still be taken.
    pub fn close(&self) {
        self.queue.close();
    }

    /// [Closes](Buffer::close) the buffer and takes out what is left, as if it were [done](Buffer::task_done): whoever waits for an item or
    /// in [`join`](Buffer::join) goes on.
    #[doc(alias = "shutdown")]
    pub fn close_now(&self) -> Drained<Fifo<T>> {
        self.queue.close_now()
    }

    /// Takes out all that is inside at once, the oldest first. The buffer stays open.
    pub fn drain(&self) -> Drained<Fifo<T>> {
        self.queue.drain()
    }

    /// Takes items, waiting for each, until the buffer is closed and empty. Blocks.
    pub fn iter(&self) -> IterOf<'_, Fifo<T>> {
        self.queue.iter()
    }

    /// Takes items until there is none, without waiting. What comes meanwhile is taken too.
    pub fn try_iter(&self) -> TryIterOf<'_, Fifo<T>> {
        self.queue.try_iter()
    }

    /// Takes items, waiting for each, until the buffer is closed and empty, in async code.
    pub fn stream(&self) -> StreamOf<'_, Fifo<T>> {
        self.queue.stream()
    }

    /// Says that an item that was got has been dealt with. When that has been said of every item that went in and was not given back to
    /// whoever put, [`join`](Buffer::join) ends.
    ///
    /// # Panics
    /// If it is said more often.
    #[track_caller]
    pub fn task_done(&self) {
        self.queue.task_done();
    }

    /// How many items went in and are not [done](Buffer::task_done).
    #[must_use]
    #[doc(alias = "unfinished_tasks")]
    pub fn unfinished(&self) -> usize {
        self.queue.unfinished()
    }

    /// Waits until every item that went in is [done](Buffer::task_done). Blocks.
    pub fn join(&self) {
        self.queue.join();
    }

    /// As [`join`](Buffer::join), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not done by then.
    pub fn join_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        self.queue.join_timeout(limit)
    }

    /// As [`join`](Buffer::join).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn join_async(&self) {
        self.queue.join_async().await;
    }

    /// As [`join`](Buffer::join), at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not done by then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn join_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        self.queue.join_async_timeout(limit).await
    }

    /// What it does when it is full.
    #[must_use]
    pub fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Whether the buffer was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// How many items are inside now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing is inside now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many items fit.
    #[must_use]
    #[doc(alias = "maxlen")]
    pub fn capacity(&self) -> usize {
        self.queue.capacity().unwrap_or(usize::MAX)
    }
}

impl<'a, T> IntoIterator for &'a Buffer<T> {
    type Item = T;
    type IntoIter = IterOf<'a, Fifo<T>>;

    fn into_iter(self) -> IterOf<'a, Fifo<T>> {
        self.iter()
    }
}

impl<T> IntoIterator for Buffer<T> {
    type Item = T;
    type IntoIter = Drained<Fifo<T>>;

    /// Takes what is left. Nobody else has the buffer, so there is nothing to wait for.
    fn into_iter(self) -> Drained<Fifo<T>> {
        self.drain()
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("overflow", &self.overflow)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
