//! Every item for every receiver, of which none holds up the others.
//!
//! # Waiting
//! - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
//! - **Allocates** nothing; each item is one allocation.
//! - **Order**: each receiver gets the items as they were sent. All who wait are woken for each.
//! - **Dropped** while it waits, a future loses nothing.
//! - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
//!   [`send`](Sender::send), when the item is there, but not of dropping the last sender.

use super::GetError;
use crate::catch::contain;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Waiters};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A sender and a first receiver, and room for `capacity` items between them.
///
/// Every receiver gets every item that is sent while it is there. Sending never waits: when there is no room, the oldest
/// item goes, and whoever has not got it yet is told [how many he lost](ReceiveError::Lagged). An item is dropped, or moved
/// to the last receiver instead of being cloned, as soon as all have got it.
///
/// # Panics
/// If `capacity` is 0.
///
/// # Examples
/// ```
/// use sync::queue::broadcast;
///
/// let (sender, mut first) = broadcast::channel(2);
/// let mut second = sender.subscribe();
/// assert_eq!(sender.send("a")?, 2);
/// assert_eq!(first.get()?, "a");
/// sender.send("b")?;
/// sender.send("c")?;
/// assert_eq!(second.get(), Err(broadcast::ReceiveError::Lagged(1)));
/// assert_eq!(second.get()?, "b");
/// assert_eq!(first.get()?, "b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast needs a capacity of at least 1");
    let shared = Arc::new(Shared {
        capacity,
        state: Guarded::new(State {
            items: VecDeque::new(),
            first: 0,
            senders: 1,
            receivers: 1,
            waiting: Waiters::barging(),
        }),
    });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared, next: 0 })
}

/// The end that items are sent from. Clones send to the same receivers; when the last is dropped, receivers get what is left
/// and then [`ReceiveError::Closed`].
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// One of the ends where every item arrives. A clone gets what the original has still to get. Dropping it leaves the others
/// as they are.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The number of the next item to get.
    next: u64,
}

struct Shared<T> {
    capacity: usize,
    state: Guarded<State<T>>,
}

struct State<T> {
    items: VecDeque<Slot<T>>,
    /// The number of the first of them.
    first: u64,
    senders: usize,
    receivers: usize,
    waiting: Waiters,
}

/// An item lies behind a pointer, so that it can be cloned and dropped, which is anybody's code, outside of the lock.
struct Slot<T> {
    /// Gone when nobody is to get it any more.
    item: Option<Arc<T>>,
    /// So many receivers are still to get it.
    left: usize,
}

impl<T> Sender<T> {
    /// Sends `item` to all receivers, and says how many they are. Never waits. One allocation.
    ///
    /// # Errors
    /// [`SendError`] with the item, if there is no receiver now.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken, or the destructor of the oldest item. The item is sent
    /// all the same.
    pub fn send(&self, item: T) -> Result<usize, SendError<T>> {
        let item = Arc::new(item);
        let (mut refused, mut lost) = (None, None);
        let receivers = self.shared.state.with(|state, afterwards| {
            if state.receivers == 0 {
                refused = Some(item);
                return 0;
            }
            if state.items.len() == self.shared.capacity {
                lost = state.items.pop_front();
                state.first += 1;
            }
            state.items.push_back(Slot { item: Some(item), left: state.receivers });
            state.waiting.tell_all(afterwards);
            state.receivers
        });
        drop(lost);
        match refused.and_then(Arc::into_inner) {
            Some(item) => Err(SendError(item)),
            None => Ok(receivers),
        }
    }

    /// Another receiver, which gets what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let next = self.shared.state.with(|state, _| {
            state.receivers += 1;
            state.end()
        });
        Receiver { shared: Arc::clone(&self.shared), next }
    }

    /// How many receivers there are now.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.shared.state.with(|state, _| state.receivers)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.state.with(|state, _| state.senders += 1);
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        contain(|| {
            self.shared.state.with(|state, afterwards| {
                state.senders -= 1;
                if state.senders == 0 {
                    state.waiting.tell_all(afterwards);
                }
            });
        });
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next item. Blocks.
    ///
    /// # Errors
    /// [`ReceiveError::Lagged`] if items were lost before it, once; [`ReceiveError::Closed`] if there will be none.
    ///
    /// # Panics
    /// If cloning the item does; it counts as got.
    #[doc(alias = "recv")]
    pub fn get(&mut self) -> Result<T, ReceiveError> {
        self.get_until(None)
    }

    /// The next item if it is there.
    ///
    /// # Errors
    /// As [`get`](Receiver::get), and [`ReceiveError::Empty`] if there is none now.
    ///
    /// # Panics
    /// As [`get`](Receiver::get).
    pub fn try_get(&mut self) -> Result<T, ReceiveError> {
        let next = &mut self.next;
        let taken = self.shared.state.with(|state, _| state.get(next));
        taken.unwrap_or(Err(ReceiveError::Empty)).map(Arc::unwrap_or_clone)
    }

    /// Waits for the next item, at most `limit`. Blocks.
    ///
    /// # Errors
    /// As [`get`](Receiver::get), and [`ReceiveError::TimedOut`] if there was none by then.
    ///
    /// # Panics
    /// As [`get`](Receiver::get).
    pub fn get_timeout(&mut self, limit: Duration) -> Result<T, ReceiveError> {
        self.get_until(Instant::now().checked_add(limit))
    }

    /// Waits for the next item.
    ///
    /// # Errors
    /// As [`get`](Receiver::get).
    ///
    /// # Panics
    /// As [`get`](Receiver::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async(&mut self) -> Result<T, ReceiveError> {
        let next = &mut self.next;
        let attempt = |state: &mut State<T>, _, _: &mut Afterwards| state.get(next);
        self.shared.state.wait_for(|state| &mut state.waiting, attempt).await.map(Arc::unwrap_or_clone)
    }

    /// Waits for the next item, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`get_timeout`](Receiver::get_timeout).
    ///
    /// # Panics
    /// As [`get`](Receiver::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async_timeout(&mut self, limit: Duration) -> Result<T, ReceiveError> {
        timer::timeout(limit, self.get_async()).await.unwrap_or(Err(ReceiveError::TimedOut))
    }

    fn get_until(&mut self, deadline: Option<Instant>) -> Result<T, ReceiveError> {
        let next = &mut self.next;
        let attempt = |state: &mut State<T>, _, _: &mut Afterwards| state.get(next);
        let taken = self.shared.state.wait(|state| &mut state.waiting, deadline, attempt);
        taken.unwrap_or(Err(ReceiveError::TimedOut)).map(Arc::unwrap_or_clone)
    }
}

impl<T> Receiver<T> {
    /// How many items it is still to get; those that it has lost do not count.
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.shared.state.with(|state, _| state.items.len() - state.index(self.next))
    }

    /// Whether there is nothing to get now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.state.with(|state, _| {
            state.receivers += 1;
            let index = state.index(self.next);
            state.items.iter_mut().skip(index).for_each(|slot| slot.left += 1);
        });
        Receiver { shared: Arc::clone(&self.shared), next: self.next }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // What is sent from now on is not for this one. Otherwise it would have to keep up with whoever sends, be it a destructor.
        let end = self.shared.state.with(|state, _| {
            state.receivers -= 1;
            state.end()
        });
        // One at a time, so that destructors run outside of the lock; nobody else's position is touched.
        while self.next < end {
            let next = &mut self.next;
            let unread = self.shared.state.with(|state, _| state.get(next));
            contain(|| drop(unread));
        }
    }
}

impl<T> Queues for State<T> {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiting);
    }
}

impl<T> State<T> {
    /// The number of the item that is sent next.
    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Where the item of that number is, or the first that is left behind it.
    fn index(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.items.len())
    }

    /// Gets the item of that number, and goes on to the next. `None` if it is still to come.
    fn get(&mut self, next: &mut u64) -> Option<Result<Arc<T>, ReceiveError>> {
        if *next < self.first {
            let lost = self.first - *next;
            *next = self.first;
            return Some(Err(ReceiveError::Lagged(lost)));
        }
        let index = self.index(*next);
        let Some(slot) = self.items.get_mut(index) else {
            return (self.senders == 0).then_some(Err(ReceiveError::Closed));
        };
        *next += 1;
        slot.left -= 1;
        let item = if slot.left == 0 { slot.item.take() } else { slot.item.clone() };
        // Nobody is to get these any more, so nobody's position is before them.
        while self.items.front().is_some_and(|slot| slot.left == 0) {
            self.items.pop_front();
            self.first += 1;
        }
        let Some(item) = item else { unreachable!("an item stays until all have got it") };
        Some(Ok(item))
    }
}

/// There is no receiver; here is the item again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(T);

impl<T> SendError<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no receiver; subscribe before sending")
    }
}

impl<T> std::error::Error for SendError<T> {}

/// Why a receiver has got no item.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// There is none now.
    Empty,
    /// There was none until the time had passed.
    TimedOut,
    /// There is none and will be none: all senders are gone.
    Closed,
    /// So many items had to go before this receiver got them. It goes on with the oldest that is left.
    Lagged(u64),
}

impl ReceiveError {
    /// Whether all senders are gone and everything has been got.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self == ReceiveError::Closed
    }

    /// Whether the time had passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == ReceiveError::TimedOut
    }

    /// How many items were lost, if that is it.
    #[must_use]
    pub fn lost(self) -> Option<u64> {
        match self {
            ReceiveError::Lagged(lost) => Some(lost),
            _ => None,
        }
    }
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReceiveError::Empty => write!(f, "{}", GetError::Empty),
            ReceiveError::TimedOut => write!(f, "{}", GetError::TimedOut),
            ReceiveError::Closed => write!(f, "{}", GetError::Closed),
            ReceiveError::Lagged(lost) => {
                write!(
                    f,
                    "the receiver was too slow and lost {lost} items; get more often, or have a greater capacity"
                )
            }
        }
    }
}

impl std::error::Error for ReceiveError {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("receivers", &self.receivers()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).finish_non_exhaustive()
    }
}
