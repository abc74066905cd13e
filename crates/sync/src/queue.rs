//! Queues between threads, coroutines and async tasks.
//!
//! [`Queue`] is for any number of producers and consumers, and shared by reference. Where an end has one user only, a pair of
//! handles says so to the compiler, and that end needs no locked instruction: [`mpsc`] for one consumer, [`spsc`] for one
//! of each.
//!
//! - In another order: [`LifoQueue`], [`PriorityQueue`], [`DelayQueue`]; they are one type, [`QueueOf`], whose argument is in
//!   `queue/kind.rs`. With a policy for what is too much: [`Buffer`].
//! - One item, once: [`oneshot`]. The latest value: [`watch`]. Every item for every receiver: [`broadcast`], and by topic,
//!   [`pubsub`].
//!
//! How `Queue`, `mpsc` and `spsc` work, and why no wake-up is lost, is said in `queue/ring.rs`; what was measured, in `docs/design/queue.md`.

mod buffer;
mod ends;
mod error;
mod flavour;
mod heap;
mod iter;
mod kind;
mod orders;
mod pace;
mod unfinished;

#[expect(unsafe_code, reason = "the positions say in which block an item is, and when a block is spent")]
mod blocks;
#[expect(unsafe_code, reason = "who waits, waits in his own frame, and items go from frame to frame")]
pub(crate) mod hand;
#[expect(unsafe_code, reason = "a node lies in the frame of whoever waits")]
mod place;
#[expect(unsafe_code, reason = "the positions say who may touch a slot")]
mod ring;
#[expect(unsafe_code, reason = "whoever has a side uses what belongs to it")]
mod side;
#[expect(unsafe_code, reason = "the future of the next item is pinned where it is")]
mod stream;
#[expect(unsafe_code, reason = "futures are pinned; whoever is the only one at his end says so")]
mod waits;

pub mod broadcast;
pub mod oneshot;
pub mod pubsub;
pub mod watch;

#[expect(unsafe_code, reason = "the only receiver says that it is")]
pub mod mpsc;
#[expect(unsafe_code, reason = "the only sender and the only receiver say that they are")]
pub mod spsc;

pub use buffer::{Buffer, Overflow};
pub use error::{GetError, PutError};
pub use iter::{IntoIter, Iter, TryIter};
pub use kind::{CloseOnDropOf, Drained, IterOf, Order, QueueOf, StreamOf, TryIterOf};
pub use orders::{Delay, DelayQueue, Delayed, Fifo, Lifo, LifoQueue, Prioritized, Priority, PriorityQueue};
pub use stream::Stream;

use crate::catch::contain;
use crate::error::TimedOut;
use crate::primitive::const_but_for_loom;
use crate::timer;
use flavour::Flavour;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};
use unfinished::Unfinished;

/// A first-in, first-out queue that any number of producers and consumers share: threads, coroutines and async tasks of
/// any runtime, all at once.
///
/// Share it by reference, in an `Arc`, or as a `static`. A [bounded](Queue::bounded) queue makes producers wait when it
/// is full. After [`close`](Queue::close), nothing more goes in, and consumers get what is left and then an error.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing. Putting allocates the ring once, with the first item; without a bound, a block now and then. With a
///   capacity of 0 or 1 nothing is ever allocated.
/// - **Order**: items come out as they went in. Those who wait are told in order of arrival, but whoever comes at the right
///   moment is first, and may be again and again: it is *not fair*. Who was told in vain keeps his place. With a
///   capacity of 0 or 1, a thread that waits is handed its item: only a task can be overtaken, and a thread that waits behind one.
/// - **Dropped** while it waits, a future leaves in constant time; if it had been told, the next one is. No item is lost with a
///   [`get_async`](Queue::get_async); what becomes of one that is put is said at [`put_async`](Queue::put_async). Dropping the
///   queue drops what is inside.
/// - **A waker that panics** when it is woken is caught; the panic hook tells of it, and no item is lost to it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// let queue = Arc::new(sync::Queue::bounded(2));
/// let producer = std::thread::spawn({
///     let queue = Arc::clone(&queue);
///     move || {
///         for number in 0..5 {
///             queue.put(number).map_err(|error| error.to_string())?;
///         }
///         queue.close();
///         Ok::<(), String>(())
///     }
/// });
/// assert_eq!(queue.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
/// producer.join().map_err(|_| "it panicked")??;
/// # Ok::<(), String>(())
/// ```
pub struct Queue<T> {
    flavour: Flavour<T>,
    unfinished: Unfinished,
}

impl<T> Queue<T> {
    const_but_for_loom! {
        /// A queue without a bound. Allocates nothing until the first item comes.
        #[must_use]
        pub fn unbounded() -> Self {
            Queue { flavour: Flavour::unbounded(), unfinished: Unfinished::new() }
        }
    }

    const_but_for_loom! {
        /// A queue that holds at most `capacity` items. Allocates nothing until the first item comes.
        ///
        /// With a capacity of 0 it is a [rendezvous](Queue::rendezvous).
        #[must_use]
        pub fn bounded(capacity: usize) -> Self {
            Queue { flavour: Flavour::bounded(capacity), unfinished: Unfinished::new() }
        }
    }

    const_but_for_loom! {
        /// A queue without places: an item goes from the hand of its producer to that of a consumer. Never allocates.
        ///
        /// [`put`](Queue::put) and its kin return when a consumer has taken the item, and give it back if none has in time.
        /// [`try_put`](Queue::try_put) succeeds if a consumer waits. If that is a task, which is then dropped before it is
        /// polled again, the item stays in the queue for whoever comes next: only then does such a queue hold one.
        ///
        /// # Examples
        /// ```
        /// static QUEUE: sync::Queue<u32> = sync::Queue::rendezvous();
        ///
        /// assert!(QUEUE.try_put(1).is_err());
        /// let consumer = std::thread::spawn(|| QUEUE.get());
        /// QUEUE.put(2)?;
        /// assert_eq!(consumer.join().map_err(|_| "it panicked"), Ok(Ok(2)));
        /// # Ok::<(), sync::queue::PutError<u32>>(())
        /// ```
        #[must_use]
        pub fn rendezvous() -> Self {
            Queue::bounded(0)
        }
    }

    /// Waits for room and puts `item` at the end. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    #[doc(alias = "send")]
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.flavour.put(item, None)
    }

    /// Puts `item` at the end if there is room.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is full or closed.
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.flavour.try_put(item)
    }

    /// Waits for room, at most `limit`, and puts `item` at the end. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        match Instant::now().checked_add(limit) {
            // A time beyond what the clock can say is never reached.
            None => self.put(item),
            deadline => self.flavour.put(item, deadline),
        }
    }

    /// Waits for room and puts `item` at the end.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    ///
    /// In a select of this crate, it waits as [`put_from_async`](Queue::put_from_async) does, and a put that has lost has
    /// put nothing.
    ///
    /// # Cancel safety
    /// The item is in the queue, or it is dropped with the future. With one place or none, it may have gone to the queue or to
    /// a consumer while the future had not been polled again; `put_from_async` knows no such case.
    pub fn put_async(&self, item: T) -> impl Future<Output = Result<(), PutError<T>>> {
        self.flavour.put_async(item)
    }

    /// Waits for room, takes the item out of `item`, and puts it at the end. For an item that must not be lost when
    /// something else comes first, as in [`select!`](crate::select!).
    ///
    /// # Errors
    /// [`PutError`] if the queue is closed; the item stays in `item`.
    ///
    /// # Panics
    /// When it is polled, if `item` is `None`.
    ///
    /// Without places, it does so as soon as a consumer waits, as [`try_put`](Queue::try_put) does. Nobody takes the item
    /// out of `item` but the future itself, while it is polled: a `try_get`, which does not wait for that, finds nothing.
    /// With one place or none, those who wait in [`put`](Queue::put) or [`put_async`](Queue::put_async) go first.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was put, and the item is in `item`.
    pub async fn put_from_async(&self, item: &mut Option<T>) -> Result<(), PutError<()>> {
        assert!(item.is_some(), "there is no item to put into the queue: `item` is `None`");
        self.flavour.put_from_async(item).await.map_err(|why| PutError::new(why, ()))
    }

    /// Waits for room, at most `limit`, and puts `item` at the end. Needs no runtime.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    ///
    /// # Cancel safety
    /// As [`put_async`](Queue::put_async).
    pub async fn put_async_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        self.flavour.put_async_timeout(item, limit).await
    }

    /// Waits for an item and takes it from the front. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<T, GetError> {
        self.flavour.get(None)
    }

    /// Takes the item at the front if there is one.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none, [`GetError::Closed`] if there will be none.
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.flavour.try_get()
    }

    /// Waits for an item, at most `limit`, and takes it from the front. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.flavour.get(Instant::now().checked_add(limit))
    }

    /// Waits for an item and takes it from the front.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: an item is taken in the moment in which it is returned.
    pub fn get_async(&self) -> impl Future<Output = Result<T, GetError>> {
        self.flavour.get_async()
    }

    /// Waits for an item, at most `limit`, and takes it from the front. Needs no runtime.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Cancel safety
    /// As [`get_async`](Queue::get_async).
    pub async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.flavour.get_async_timeout(limit).await
    }

    /// Refuses every further item, and ends every wait that this makes hopeless. What is inside can still be taken.
    /// The second time, nothing happens.
    pub fn close(&self) {
        self.flavour.close();
    }

    /// [Closes](Queue::close) the queue and takes out what is left, as if it were [done](Queue::task_done): whoever waits for
    /// an item or in [`join`](Queue::join) goes on.
    ///
    /// The items are dropped with the answer, which is allocated a place for them. What other consumers have taken already is theirs
    /// to be done.
    #[doc(alias = "shutdown")]
    pub fn close_now(&self) -> Drained<Fifo<T>> {
        self.close();
        let left = Drained::of(Fifo::of(self.try_iter()));
        self.unfinished.done(left.len(), || self.flavour.put_count());
        left
    }

    /// Takes out what is inside now, in order. The queue stays open, and what comes meanwhile stays inside. Each item is still to be
    /// [done](Queue::task_done), as if it had been got.
    ///
    /// Waits for nobody; allocates a place for the items. Of a queue without places nothing is taken, whoever waits to put. To take
    /// items for as long as there are some, there is [`try_iter`](Queue::try_iter).
    pub fn drain(&self) -> Drained<Fifo<T>> {
        Drained::of(Fifo::of(self.try_iter().take(self.len())))
    }

    /// A handle to the queue that closes it when it is dropped, be it by a panic: where the queue ends with its only
    /// producer, or with its only consumer.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    ///
    /// let queue = Arc::new(sync::Queue::bounded(2));
    /// let producer = queue.close_on_drop();
    /// std::thread::spawn(move || (0..5).try_for_each(|number| producer.put(number)));
    /// assert_eq!(queue.iter().sum::<i32>(), 10);
    /// ```
    pub fn close_on_drop(self: &Arc<Self>) -> CloseOnDrop<T> {
        CloseOnDrop { queue: Arc::clone(self) }
    }

    /// Whether the queue was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.flavour.is_closed()
    }

    /// How many items are inside now.
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.flavour.len()
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
        self.flavour.capacity()
    }

    /// Takes items, waiting for each, until the queue is closed and empty. Blocks.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Takes items until there is none, without waiting. What comes meanwhile is taken too.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Takes items, waiting for each, until the queue is closed and empty, in async code.
    pub fn stream(&self) -> Stream<'_, T> {
        Stream::new(self)
    }

    /// Says that an item that was taken is done with. When it has been said of every item that was put,
    /// [`join`](Queue::join) ends.
    ///
    /// # Panics
    /// If it is said more often than items were put.
    #[track_caller]
    pub fn task_done(&self) {
        let in_order = self.unfinished.done(1, || self.flavour.put_count());
        assert!(
            in_order,
            "`task_done` was called more often than items were put; call it once for each item"
        );
    }

    /// How many items were put of which nobody has said that they are [done](Queue::task_done).
    #[must_use]
    #[doc(alias = "unfinished_tasks")]
    pub fn unfinished(&self) -> usize {
        self.unfinished.count(|| self.flavour.put_count())
    }

    /// Waits until every item that was put is [done](Queue::task_done). Blocks.
    pub fn join(&self) {
        self.unfinished.join(None, || self.flavour.put_count());
    }

    /// Waits until every item that was put is [done](Queue::task_done), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not by then.
    pub fn join_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        match Instant::now().checked_add(limit) {
            // A time beyond what the clock can say is never reached.
            None => self.join(),
            deadline => self.unfinished.join(deadline, || self.flavour.put_count()).ok_or(TimedOut)?,
        }
        Ok(())
    }

    /// Waits until every item that was put is [done](Queue::task_done).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn join_async(&self) {
        self.unfinished.join_async(|| self.flavour.put_count()).await;
    }

    /// Waits until every item that was put is [done](Queue::task_done), at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if some were not by then.
    ///
    /// # Cancel safety
    /// As [`join_async`](Queue::join_async).
    pub async fn join_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.join_async()).await
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .field("waiting", &self.flavour.waiting())
            .finish()
    }
}

/// A [`Queue`] that is [closed](Queue::close) when this is dropped; see [`Queue::close_on_drop`].
///
/// # Waiting
/// As [`Queue`]. Dropping it waits for nobody.
#[must_use = "the queue is closed when this is dropped"]
#[derive(Debug)]
pub struct CloseOnDrop<T> {
    queue: Arc<Queue<T>>,
}

impl<T> Deref for CloseOnDrop<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.queue
    }
}

impl<T> Drop for CloseOnDrop<T> {
    fn drop(&mut self) {
        // It may be a panic that drops it, in which a waker that panics would end the process.
        contain(|| self.queue.close());
    }
}
