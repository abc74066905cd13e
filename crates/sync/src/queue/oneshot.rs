//! One item, once, from one place to another.
//!
//! # Waiting
//! - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
//! - **Allocates** nothing; the channel is one allocation.
//! - **Order**: one waits at each end.
//! - **Dropped** while it waits, a future loses nothing: the item is taken in the moment in which it is returned.
//! - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
//!   [`send`](Sender::send), when the item is there, and of [`close`](Receiver::close), but not of dropping an end.

use super::error::{GetError, PutError, Refusal};
use crate::catch::contain;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The two ends of a way for one item. One allocation.
///
/// # Examples
/// ```
/// use sync::queue::oneshot;
///
/// let (sender, receiver) = oneshot::channel();
/// let thread = std::thread::spawn(move || sender.send("done"));
/// assert_eq!(receiver.get()?, "done");
/// # assert!(thread.join().is_ok());
/// # Ok::<(), sync::queue::GetError>(())
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Guarded::new(State {
        item: None,
        sender: true,
        receiver: true,
        getting: Waiters::barging(),
        closing: Waiters::barging(),
    }));
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// The end that an item is put into, once. Sending never waits.
///
/// Dropped without having sent, it ends the receiver's wait with [`GetError::Closed`].
///
/// ```compile_fail,E0382
/// let (sender, receiver) = sync::queue::oneshot::channel();
/// sender.send(1);
/// sender.send(2);
/// # drop(receiver);
/// ```
pub struct Sender<T> {
    shared: Arc<Guarded<State<T>>>,
}

/// The end that the item is taken from, once. Dropping it drops an item that was sent and not taken, and tells the sender.
pub struct Receiver<T> {
    shared: Arc<Guarded<State<T>>>,
}

struct State<T> {
    item: Option<T>,
    /// The sender is there, and has not sent.
    sender: bool,
    receiver: bool,
    getting: Waiters,
    closing: Waiters,
}

impl<T> Sender<T> {
    /// Sends the item. Never waits.
    ///
    /// # Errors
    /// [`PutError`] with the item, if the receiver is gone.
    ///
    /// # Panics
    /// If the waker of the receiver does. The item is sent all the same.
    #[doc(alias = "put")]
    pub fn send(self, item: T) -> Result<(), PutError<T>> {
        let mut item = Some(item);
        self.shared.with(|state, afterwards| {
            if state.receiver {
                state.item = item.take();
                state.sender = false;
                state.getting.tell_all(afterwards);
            }
        });
        match item {
            None => Ok(()),
            refused => Err(Refusal::Closed.with(refused)),
        }
    }

    /// Whether the receiver is gone, so that there is nobody to send to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.with(|state, _| !state.receiver)
    }

    /// Waits until the receiver is gone. Blocks.
    pub fn closed(&self) {
        self.shared.wait(|state| &mut state.closing, None, State::gone);
    }

    /// As [`closed`](Sender::closed), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`](crate::TimedOut) if it was still there then.
    pub fn closed_timeout(&self, limit: Duration) -> Result<(), crate::TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        let gone = self.shared.wait(|state| &mut state.closing, deadline, State::gone);
        gone.ok_or(crate::TimedOut)
    }

    /// As [`closed`](Sender::closed): what work whose result nobody wants any more can be raced against.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn closed_async(&self) {
        self.shared.wait_for(|state| &mut state.closing, State::gone).await;
    }

    /// As [`closed_timeout`](Sender::closed_timeout). Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`](crate::TimedOut) if it was still there then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn closed_async_timeout(&self, limit: Duration) -> Result<(), crate::TimedOut> {
        timer::timeout(limit, self.closed_async()).await
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // After `send`, whoever waits has been told already.
        contain(|| {
            self.shared.with(|state, afterwards| {
                if std::mem::take(&mut state.sender) {
                    state.getting.tell_all(afterwards);
                }
            });
        });
    }
}

impl<T> Receiver<T> {
    /// Waits for the item and takes it. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the sender is gone without having sent, or the item was taken before.
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<T, GetError> {
        self.get_until(None)
    }

    /// Takes the item if it is there.
    ///
    /// # Errors
    /// [`GetError::Empty`] if it is not, [`GetError::Closed`] if it will not be.
    pub fn try_get(&self) -> Result<T, GetError> {
        self.shared.with(|state, _| state.get()).unwrap_or(Err(GetError::Empty))
    }

    /// Waits for the item, at most `limit`, and takes it. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if it was not there by then, [`GetError::Closed`] if it will not be.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetError> {
        self.get_until(Instant::now().checked_add(limit))
    }

    /// Waits for the item and takes it.
    ///
    /// # Errors
    /// As [`get`](Receiver::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: the item is taken in the moment in which it is returned.
    pub async fn get_async(&self) -> Result<T, GetError> {
        self.shared.wait_for(|state| &mut state.getting, |state, _, _| state.get()).await
    }

    /// Waits for the item, at most `limit`, and takes it. Needs no runtime.
    ///
    /// # Errors
    /// As [`get_timeout`](Receiver::get_timeout).
    ///
    /// # Cancel safety
    /// As [`get_async`](Receiver::get_async).
    pub async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        timer::timeout(limit, self.get_async()).await.unwrap_or(Err(GetError::TimedOut))
    }

    /// Refuses what is not sent yet. What was sent can still be taken.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn close(&self) {
        self.shared.with(State::leave);
    }

    fn get_until(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        let item = self.shared.wait(|state| &mut state.getting, deadline, |state, _, _| state.get());
        item.unwrap_or(Err(GetError::TimedOut))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // The item goes when the lock has been given back.
        let mut unread = None;
        // A waker that panics does not keep the item's destructor from running outside of a panic.
        contain(|| {
            self.shared.with(|state, afterwards| {
                unread = state.item.take();
                state.leave(afterwards);
            });
        });
    }
}

impl<T> Queues for State<T> {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.getting);
        visit(&mut self.closing);
    }
}

impl<T> State<T> {
    /// `None` if the item is still to come.
    fn get(&mut self) -> Option<Result<T, GetError>> {
        match self.item.take() {
            Some(item) => Some(Ok(item)),
            None if self.sender && self.receiver => None,
            None => Some(Err(GetError::Closed)),
        }
    }

    /// The attempt of a sender that waits for the receiver to go.
    fn gone(&mut self, _: Turn, _: &mut Afterwards) -> Option<()> {
        (!self.receiver).then_some(())
    }

    /// The receiver leaves, or takes nothing more.
    fn leave(&mut self, afterwards: &mut Afterwards) {
        self.receiver = false;
        self.closing.tell_all(afterwards);
        self.getting.tell_all(afterwards);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, closed) = self.shared.with(|state, _| (state.item.is_some(), !state.sender));
        f.debug_struct("Receiver").field("sent", &sent).field("closed", &closed).finish_non_exhaustive()
    }
}
