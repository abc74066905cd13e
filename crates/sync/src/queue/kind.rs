//! What the queues have in common that hand out their items in another order than that of arrival.
//!
//! # How it waits
//!
//! The items are under a real lock, a [`Mutex`], since comparing them may be anybody's code. Those who wait stand in the
//! queues of a [`Guarded`] beside it, under whose short lock nothing foreign runs. Every change of the items has a number, the
//! *stamp*. Who finds nothing remembers the stamp of what he saw, gives the lock back, and queues up **unless a later stamp
//! has been announced**. Who changes something gives the lock back, announces his stamp and tells whom it concerns.
//!
//! No wake-up is lost: between the look of the one who waits and the announcement of the one who changes, the lock has
//! changed hands. If the change came before the look, it was seen. If not, its stamp is later than what was seen: the
//! announcement came before the queueing up, which it prevents, or comes after it, and finds whom to tell.
//!
//! - An item is announced to one consumer, room to one producer. Who was told and goes away, be it by a panic in a
//!   comparison, has the next one told.
//! - Where items have a time, each consumer who waits does so until the first of them is due at the latest. So an item is
//!   announced only if it is before all others, and then to all.

mod attempts;
mod handles;
#[expect(unsafe_code, reason = "the wait for the next item is pinned where it is")]
mod stream;

use super::error::{GetError, PutError, Refusal};
use crate::catch::contain;
use crate::timer;
use crate::wait::Guarded;
use crate::{Mutex, TimedOut};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use self::attempts::{Next, Sealed};
pub use self::handles::{CloseOnDropOf, Drained, IterOf, TryIterOf};
pub use self::stream::StreamOf;

use self::attempts::{Changes, Inner, Offer, Take};

/// A queue between threads, coroutines and async tasks that hands out its items in the [order](Order) `O`: a
/// [`LifoQueue`](super::LifoQueue), a [`PriorityQueue`](super::PriorityQueue) or a [`DelayQueue`](super::DelayQueue).
///
/// Any number of producers and consumers share it by reference, in an `Arc`, or as a `static`. A
/// [bounded](QueueOf::bounded) one makes producers wait when it is full. After [`close`](QueueOf::close), nothing more
/// goes in, and consumers get what is left and then an error. Dropping it drops what is inside.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions
///   and comparisons.
/// - **Allocates** nothing. Putting does when the queue has never been so long.
/// - **Order**: those who wait are told in order of arrival, but whoever comes at the right moment may be first, again and again:
///   it is *not fair*. An operation holds a lock for as long as it takes to find an item's place, comparisons included, and
///   others wait for that, in all five ways.
/// - **Dropped** while it waits, a future loses nothing but the item that it was to put; if it had been told, the next one is.
/// - **A waker that panics** when it is woken is caught; the panic hook tells of it, and no item is lost to it.
pub struct QueueOf<O> {
    capacity: Option<usize>,
    inner: Mutex<Inner<O>>,
    changes: Guarded<Changes>,
}

/// In which order a [`QueueOf`] hands out its items: [`Lifo`](super::Lifo), [`Priority`](super::Priority) or
/// [`Delay`](super::Delay). Sealed: there are no others.
///
/// # Waiting
/// As [`QueueOf`].
pub trait Order: Sealed {
    /// What is put in and taken out.
    type Item;

    #[doc(hidden)]
    const EMPTY: Self;

    #[doc(hidden)]
    fn count(&self) -> usize;

    #[doc(hidden)]
    fn next(&self) -> Next;

    /// Takes the item out of `item`. All or nothing, even if it panics.
    #[doc(hidden)]
    fn push(&mut self, item: &mut Option<Self::Item>);

    /// All or nothing, even if it panics.
    #[doc(hidden)]
    fn pop(&mut self) -> Option<Self::Item>;
}

impl<O: Order> QueueOf<O> {
    /// A queue that grows as needed: [`put`](QueueOf::put) never waits for room.
    #[must_use]
    #[cfg(not(trefoil_loom))]
    pub const fn unbounded() -> Self {
        QueueOf { capacity: None, inner: Mutex::new(Inner::EMPTY), changes: Guarded::new(Changes::NONE) }
    }

    /// A queue that grows as needed.
    #[must_use]
    #[cfg(trefoil_loom)]
    pub fn unbounded() -> Self {
        QueueOf { capacity: None, inner: Mutex::new(Inner::EMPTY), changes: Guarded::new(Changes::NONE) }
    }

    /// A queue that holds at most `capacity` items.
    ///
    /// # Panics
    /// If `capacity` is 0: such a queue would never have room.
    #[must_use]
    #[track_caller]
    #[cfg(not(trefoil_loom))]
    pub const fn bounded(capacity: usize) -> Self {
        assert!(capacity > 0, "a bounded queue needs a capacity of at least 1; `unbounded` has none");
        let inner = Mutex::new(Inner::EMPTY);
        QueueOf { capacity: Some(capacity), inner, changes: Guarded::new(Changes::NONE) }
    }

    /// A queue that holds at most `capacity` items.
    #[must_use]
    #[cfg(trefoil_loom)]
    pub fn bounded(capacity: usize) -> Self {
        QueueOf { capacity: Some(capacity), ..Self::unbounded() }
    }

    /// Waits for room and puts `item` in. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    ///
    /// # Panics
    /// If comparing items does. The item is dropped then, and the queue is as before.
    #[doc(alias = "send")]
    pub fn put(&self, item: O::Item) -> Result<(), PutError<O::Item>> {
        self.put_until(item, None)
    }

    /// Puts `item` in if there is room.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is full or closed.
    ///
    /// # Panics
    /// As [`put`](QueueOf::put).
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, item: O::Item) -> Result<(), PutError<O::Item>> {
        let mut item = Some(item);
        match self.offer(&mut item) {
            Offer::Done => Ok(()),
            Offer::Closed => Err(Refusal::Closed.with(item)),
            Offer::Full { .. } => Err(Refusal::Full.with(item)),
        }
    }

    /// Waits for room, at most `limit`, and puts `item` in. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    ///
    /// # Panics
    /// As [`put`](QueueOf::put).
    pub fn put_timeout(&self, item: O::Item, limit: Duration) -> Result<(), PutError<O::Item>> {
        self.put_until(item, Instant::now().checked_add(limit))
    }

    /// Waits for room and puts `item` in.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    ///
    /// # Panics
    /// As [`put`](QueueOf::put).
    ///
    /// # Cancel safety
    /// The item is in the queue, or it is dropped with the future.
    pub async fn put_async(&self, item: O::Item) -> Result<(), PutError<O::Item>> {
        let mut item = Some(item);
        self.put_from(&mut item).await.map_err(|why| why.with(item))
    }

    /// Waits for room, takes the item out of `item`, and puts it in. For an item that must not be lost when something else comes
    /// first, as in [`select!`](crate::select!).
    ///
    /// # Errors
    /// [`PutError`] if the queue is closed; the item stays in `item`.
    ///
    /// # Panics
    /// When it is polled: if `item` is `None`, and if comparing items does. Then the queue is as before, and the item is still in `item`.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was put, and the item is in `item`.
    pub async fn put_from_async(&self, item: &mut Option<O::Item>) -> Result<(), PutError<()>> {
        assert!(item.is_some(), "there is no item to put into the queue: `item` is `None`");
        self.put_from(item).await.map_err(|why| PutError::new(why, ()))
    }

    /// Waits for room, at most `limit`, and puts `item` in. Needs no runtime.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    ///
    /// # Panics
    /// As [`put`](QueueOf::put).
    ///
    /// # Cancel safety
    /// As [`put_async`](QueueOf::put_async).
    pub async fn put_async_timeout(&self, item: O::Item, limit: Duration) -> Result<(), PutError<O::Item>> {
        let mut item = Some(item);
        let done = timer::timeout(limit, self.put_from(&mut item)).await;
        done.unwrap_or(Err(Refusal::TimedOut)).map_err(|why| why.with(item))
    }

    /// Waits for an item and takes the next one. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    ///
    /// # Panics
    /// If comparing items does. The queue is as before then.
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<O::Item, GetError> {
        self.get_until(None)
    }

    /// Takes the next item if there is one.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none, [`GetError::Closed`] if there will be none.
    ///
    /// # Panics
    /// As [`get`](QueueOf::get).
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<O::Item, GetError> {
        self.take().or(GetError::Empty)
    }

    /// Waits for an item, at most `limit`, and takes the next one. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Panics
    /// As [`get`](QueueOf::get).
    pub fn get_timeout(&self, limit: Duration) -> Result<O::Item, GetError> {
        self.get_until(Instant::now().checked_add(limit))
    }

    /// Waits for an item and takes the next one.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    ///
    /// # Panics
    /// As [`get`](QueueOf::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: an item is taken in the moment in which it is returned.
    pub async fn get_async(&self) -> Result<O::Item, GetError> {
        loop {
            let (seen, due) = match self.take() {
                Take::Item(item) => return Ok(item),
                Take::Closed => return Err(GetError::Closed),
                Take::Nothing { seen, due } => (seen, due),
            };
            let change = self.changes.wait_for(|changes| &mut changes.consumers, Changes::after(seen));
            match due {
                None => change.await,
                // Whether it is due or something has changed, the next look tells.
                Some(due) => {
                    let limit = due.saturating_duration_since(Instant::now());
                    timer::timeout(limit, change).await.unwrap_or(());
                }
            }
        }
    }

    /// Waits for an item, at most `limit`, and takes the next one. Needs no runtime.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Panics
    /// As [`get`](QueueOf::get).
    ///
    /// # Cancel safety
    /// As [`get_async`](QueueOf::get_async).
    pub async fn get_async_timeout(&self, limit: Duration) -> Result<O::Item, GetError> {
        timer::timeout(limit, self.get_async()).await.unwrap_or(Err(GetError::TimedOut))
    }

    /// Refuses every further item, and ends every wait that this makes hopeless. What is inside can still be taken.
    /// The second time, nothing happens.
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        let stamp = inner.change();
        drop(inner);
        self.announce(stamp, Changes::tell_everybody);
    }

    /// Closes the queue and takes out what is inside, which is dropped with what this returns, or kept. Consumers who
    /// wait get an error at once. The items count as [done](QueueOf::task_done).
    ///
    /// Python's `shutdown(immediate=True)`.
    pub fn close_now(&self) -> Drained<O> {
        let mut inner = self.inner.lock();
        inner.closed = true;
        let items = std::mem::replace(&mut inner.items, O::EMPTY);
        inner.unfinished -= items.count().min(inner.unfinished);
        let stamp = inner.change();
        drop(inner);
        let drained = Drained::of(items);
        contain(|| self.announce(stamp, Changes::tell_everybody));
        drained
    }

    /// Takes out all that is inside at once, due or not. The queue stays open. Each item is still to be
    /// [done](QueueOf::task_done), as if it had been got.
    pub fn drain(&self) -> Drained<O> {
        let mut inner = self.inner.lock();
        let items = std::mem::replace(&mut inner.items, O::EMPTY);
        let stamp = inner.change();
        drop(inner);
        let drained = Drained::of(items);
        // Consumers, too: in a closed queue they wait for what is not due yet, and there is nothing more.
        contain(|| self.announce(stamp, Changes::tell_everybody));
        drained
    }

    /// Says that an item that was got has been dealt with; see [`join`](QueueOf::join). Wakes who waits for that.
    ///
    /// # Panics
    /// If more items are done than were put in.
    #[track_caller]
    pub fn task_done(&self) {
        let mut inner = self.inner.lock();
        let left = inner.unfinished.checked_sub(1);
        inner.unfinished = left.unwrap_or(0);
        let stamp = inner.change();
        drop(inner);
        assert!(left.is_some(), "`task_done` was called more often than items were put in");
        if left == Some(0) {
            self.announce(stamp, |changes, afterwards| changes.joiners.tell_all(afterwards));
        }
    }

    /// Waits until [`task_done`](QueueOf::task_done) has been called for every item that was put in. Blocks.
    pub fn join(&self) {
        self.join_until(None).unwrap_or_else(|TimedOut| unreachable!("there is no limit"));
    }

    /// How many items were put in and are not done.
    #[must_use]
    #[doc(alias = "unfinished_tasks")]
    pub fn unfinished(&self) -> usize {
        self.inner.lock().unfinished
    }

    /// As [`join`](QueueOf::join), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not done by then.
    pub fn join_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        self.join_until(Instant::now().checked_add(limit))
    }

    /// As [`join`](QueueOf::join).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn join_async(&self) {
        while let Some(seen) = self.seen_unfinished() {
            self.changes.wait_for(|changes| &mut changes.joiners, Changes::after(seen)).await;
        }
    }

    /// As [`join`](QueueOf::join), at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not done by then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn join_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.join_async()).await
    }

    /// A handle to the queue that closes it when it is dropped, be it by a panic: where the queue ends with its only
    /// producer, or with its only consumer.
    pub fn close_on_drop(self: &Arc<Self>) -> CloseOnDropOf<O> {
        CloseOnDropOf::of(self)
    }

    /// Whether the queue was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// How many items are inside now, due or not.
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.inner.lock().items.count()
    }

    /// Whether nothing is inside now.
    #[must_use]
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items fit; `None` if there is no bound.
    #[must_use]
    #[doc(alias = "maxsize")]
    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Takes items, waiting for each, until the queue is closed and empty. Blocks.
    pub fn iter(&self) -> IterOf<'_, O> {
        IterOf::of(self)
    }

    /// Takes items until there is none, without waiting. What comes meanwhile is taken too.
    pub fn try_iter(&self) -> TryIterOf<'_, O> {
        TryIterOf::of(self)
    }

    /// Takes items, waiting for each, until the queue is closed and empty, in async code.
    pub fn stream(&self) -> StreamOf<'_, O> {
        StreamOf::of(self)
    }
}

impl<O: Order> fmt::Debug for QueueOf<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        let (len, closed, unfinished) = (inner.items.count(), inner.closed, inner.unfinished);
        drop(inner);
        f.debug_struct("QueueOf")
            .field("len", &len)
            .field("capacity", &self.capacity)
            .field("closed", &closed)
            .field("unfinished", &unfinished)
            .finish_non_exhaustive()
    }
}
