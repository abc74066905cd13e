//! Queues between threads, coroutines and async tasks.

use crate::park;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A first-in, first-out queue that any number of producers and consumers share: threads, coroutines and async tasks of
/// any runtime, all at once.
///
/// Share it by reference, in an `Arc`, or as a `static`. A [bounded](Queue::bounded) queue makes producers wait when it
/// is full. After [`close`](Queue::close), nothing more goes in, and consumers get what is left and then an error.
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
    capacity: Option<usize>,
    state: Guarded<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    producers: Waiters,
    consumers: Waiters,
}

impl<T> Queue<T> {
    /// A queue that grows as needed: [`put`](Queue::put) never waits.
    #[must_use]
    pub const fn unbounded() -> Self {
        Queue { capacity: None, state: Guarded::new(State::new()) }
    }

    /// A queue that holds at most `capacity` items.
    ///
    /// # Panics
    /// If `capacity` is 0: such a queue would never have room.
    #[must_use]
    #[track_caller]
    pub const fn bounded(capacity: usize) -> Self {
        assert!(capacity > 0, "a bounded queue needs a capacity of at least 1; `Queue::unbounded` has none");
        Queue { capacity: Some(capacity), state: Guarded::new(State::new()) }
    }

    /// Waits for room and puts `item` at the end. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    #[doc(alias = "send")]
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        match self.try_put(item) {
            Err(PutError { why: Refusal::Full, item }) => {
                let mut item = Some(item);
                park::block_on(self.put_from(&mut item)).map_err(|why| why.with(item))
            }
            done => done,
        }
    }

    /// Puts `item` at the end if there is room.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is full or closed.
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        let done = self.state.with(|state, afterwards| state.put(&mut item, self.capacity, afterwards));
        done.unwrap_or(Err(Refusal::Full)).map_err(|why| why.with(item))
    }

    /// Waits for room, at most `limit`, and puts `item` at the end. Blocks.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        let done = park::block_on_timeout(self.put_from(&mut item), limit);
        done.unwrap_or(Err(Refusal::TimedOut)).map_err(|why| why.with(item))
    }

    /// Waits for room and puts `item` at the end.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed.
    ///
    /// # Cancel safety
    /// The item is in the queue, or it is dropped with the future.
    pub async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        self.put_from(&mut item).await.map_err(|why| why.with(item))
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
    /// # Cancel safety
    /// The item is in the queue, or, if the future is dropped, still in `item`.
    pub async fn put_from_async(&self, item: &mut Option<T>) -> Result<(), PutError<()>> {
        assert!(item.is_some(), "there is no item to put into the queue: `item` is `None`");
        self.put_from(item).await.map_err(|why| why.with(Some(())))
    }

    /// Waits for room, at most `limit`, and puts `item` at the end. Needs no runtime.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the queue is closed or there was no room by then.
    ///
    /// # Cancel safety
    /// As [`put_async`](Queue::put_async).
    pub async fn put_async_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        let done = timer::timeout(limit, self.put_from(&mut item)).await;
        done.unwrap_or(Err(Refusal::TimedOut)).map_err(|why| why.with(item))
    }

    /// Waits for an item and takes it from the front. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<T, GetError> {
        match self.try_get() {
            Err(GetError::Empty) => park::block_on(self.get_async()),
            done => done,
        }
    }

    /// Takes the item at the front if there is one.
    ///
    /// # Errors
    /// [`GetError::Empty`] if there is none, [`GetError::Closed`] if there will be none.
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.state.with(State::get).unwrap_or(Err(GetError::Empty))
    }

    /// Waits for an item, at most `limit`, and takes it from the front. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        park::block_on_timeout(self.get_async(), limit).unwrap_or(Err(GetError::TimedOut))
    }

    /// Waits for an item and takes it from the front.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the queue is closed and empty.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: an item is taken in the moment in which it is returned.
    pub async fn get_async(&self) -> Result<T, GetError> {
        let attempt = |state: &mut State<T>, _: Turn, afterwards: &mut Afterwards| state.get(afterwards);
        self.state.wait_for(|state| &mut state.consumers, attempt).await
    }

    /// Waits for an item, at most `limit`, and takes it from the front. Needs no runtime.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Cancel safety
    /// As [`get_async`](Queue::get_async).
    pub async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        timer::timeout(limit, self.get_async()).await.unwrap_or(Err(GetError::TimedOut))
    }

    /// Refuses every further item, and ends every wait that this makes hopeless. What is inside can still be taken.
    /// The second time, nothing happens.
    pub fn close(&self) {
        self.state.with(|state, afterwards| {
            state.closed = true;
            state.producers.tell_all(afterwards);
            state.consumers.tell_all(afterwards);
        });
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
        self.state.with(|state, _| state.closed)
    }

    /// How many items are inside now.
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.state.with(|state, _| state.items.len())
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
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }

    /// Waits for room and takes the item out of `item`; leaves it there if it is refused.
    async fn put_from(&self, item: &mut Option<T>) -> Result<(), Refusal> {
        let attempt = |state: &mut State<T>, _: Turn, afterwards: &mut Afterwards| {
            state.put(item, self.capacity, afterwards)
        };
        self.state.wait_for(|state| &mut state.producers, attempt).await
    }
}

impl<T> Queues for State<T> {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.producers);
        visit(&mut self.consumers);
    }
}

impl<T> State<T> {
    const fn new() -> Self {
        State {
            items: VecDeque::new(),
            closed: false,
            producers: Waiters::barging(),
            consumers: Waiters::barging(),
        }
    }

    /// `None` if there is no room now.
    fn put(
        &mut self,
        item: &mut Option<T>,
        capacity: Option<usize>,
        afterwards: &mut Afterwards,
    ) -> Option<Result<(), Refusal>> {
        if self.closed {
            return Some(Err(Refusal::Closed));
        }
        if capacity.is_some_and(|capacity| self.items.len() >= capacity) {
            return None;
        }
        self.items.extend(item.take());
        self.consumers.tell_one(afterwards);
        Some(Ok(()))
    }

    /// `None` if there is nothing now.
    fn get(&mut self, afterwards: &mut Afterwards) -> Option<Result<T, GetError>> {
        match self.items.pop_front() {
            Some(item) => {
                self.producers.tell_one(afterwards);
                Some(Ok(item))
            }
            None if self.closed => Some(Err(GetError::Closed)),
            None => None,
        }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, closed, waiting) = self.state.with(|state, _| {
            (state.items.len(), state.closed, state.producers.len() + state.consumers.len())
        });
        f.debug_struct("Queue")
            .field("len", &len)
            .field("capacity", &self.capacity)
            .field("closed", &closed)
            .field("waiting", &waiting)
            .finish()
    }
}

/// A [`Queue`] that is [closed](Queue::close) when this is dropped; see [`Queue::close_on_drop`].
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
        self.queue.close();
    }
}

/// Takes items until the queue is closed and empty; see [`Queue::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
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

/// Why an item was not taken into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Full,
    TimedOut,
    Closed,
}

impl Refusal {
    /// The error that gives the item back.
    fn with<T>(self, item: Option<T>) -> PutError<T> {
        match item {
            Some(item) => PutError { why: self, item },
            None => unreachable!("an item that was refused is still there"),
        }
    }
}

/// An item was not put into a queue; here it is again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T> {
    why: Refusal,
    item: T,
}

impl<T> PutError<T> {
    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        self.why == Refusal::Full
    }

    /// Whether there was no room until the time had passed.
    pub fn is_timeout(&self) -> bool {
        self.why == Refusal::TimedOut
    }

    /// Whether the queue is closed, so that trying again is in vain.
    pub fn is_closed(&self) -> bool {
        self.why == Refusal::Closed
    }

    /// The item.
    pub fn into_inner(self) -> T {
        self.item
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PutError({:?})", self.why)
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Refusal::Full => "the queue is full",
            Refusal::TimedOut => "the queue was full until the time limit passed",
            Refusal::Closed => "the queue is closed",
        })
    }
}

impl<T> std::error::Error for PutError<T> {}

/// Why there is no item.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetError {
    /// There is none now.
    Empty,
    /// There was none until the time had passed.
    TimedOut,
    /// There is none and will be none.
    Closed,
}

impl GetError {
    /// Whether the queue is closed and empty, so that trying again is in vain.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self == GetError::Closed
    }

    /// Whether the time had passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == GetError::TimedOut
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GetError::Empty => "the queue is empty",
            GetError::TimedOut => "the queue was empty until the time limit passed",
            GetError::Closed => "the queue is closed and empty",
        })
    }
}

impl std::error::Error for GetError {}
