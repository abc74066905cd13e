//! The latest value, for all who want to know when it changes.
//!
//! # Waiting
//! - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
//! - **Allocates** nothing; each value is one allocation.
//! - **Order**: there is none. All who wait are woken for each value, and see the latest.
//! - **Dropped** while it waits, a future loses nothing: a value is seen in the moment in which it is returned.
//! - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
//!   [`send`](Sender::send), when the value is there, but not of dropping the last sender.

use super::GetError;
use crate::catch::contain;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A sender and a receiver of the latest value, which is `value` to begin with. One allocation, and one for each value.
///
/// Receivers see the latest value and none of those in between. A look gives an [`Arc`] of what was the latest then and holds
/// no lock: nobody can hold up a sender by looking, nor deadlock by looking twice. Values are never changed in place; a panic
/// in the middle of a [change](Sender::send_if_modified) leaves the old value.
///
/// # Examples
/// ```
/// use sync::queue::watch;
///
/// let (level, mut seen) = watch::channel(1);
/// let thread = std::thread::spawn(move || seen.wait_for(|level| *level >= 10));
/// level.send(5);
/// level.send(12);
/// let reached = thread.join().map_err(|_| "it panicked")??;
/// assert_eq!(*reached, 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Guarded::new(State {
        value: Arc::new(value),
        version: 0,
        senders: 1,
        receivers: 1,
        waiting: Waiters::barging(),
    }));
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared, seen: 0 })
}

/// The end that sets the value. Clones set the same; when the last is dropped, receivers who wait for a change get
/// [`GetError::Closed`], and can look at the last value all the same.
pub struct Sender<T> {
    shared: Arc<Guarded<State<T>>>,
}

/// An end that looks at the value and waits for it to change. A clone has seen what the original has.
pub struct Receiver<T> {
    shared: Arc<Guarded<State<T>>>,
    /// The version that it knows.
    seen: u64,
}

struct State<T> {
    value: Arc<T>,
    version: u64,
    senders: usize,
    receivers: usize,
    waiting: Waiters,
}

impl<T> Sender<T> {
    /// Sets the value and wakes all receivers that wait. Gives back the old value. Never waits. One allocation.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken. The value is set all the same.
    pub fn send(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.shared.with(|state, afterwards| state.set(value, afterwards))
    }

    /// Lets `modify` change a copy of the value, and sets it if it returns `true`; whether it did. Waits for nobody, holds
    /// no lock, and wakes nobody if it did not.
    ///
    /// If another sender was faster, `modify` is called again, with a copy of the newer value.
    ///
    /// # Panics
    /// If cloning the value or `modify` does; the value is as before.
    ///
    /// # Examples
    /// ```
    /// let (count, seen) = sync::queue::watch::channel(3);
    /// let is_odd = |count: &mut i32| {
    ///     *count += 1;
    ///     *count % 2 == 1
    /// };
    /// assert!(!count.send_if_modified(is_odd));
    /// assert_eq!(*seen.borrow(), 3);
    /// ```
    pub fn send_if_modified(&self, mut modify: impl FnMut(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        loop {
            let (current, version) = self.shared.with(|state, _| (Arc::clone(&state.value), state.version));
            let mut value = T::clone(&current);
            if !modify(&mut value) {
                return false;
            }
            let mut value = Some(Arc::new(value));
            let old = self.shared.with(|state, afterwards| {
                let value = if state.version == version { value.take() } else { None };
                value.map(|value| state.set(value, afterwards))
            });
            if old.is_some() {
                return true;
            }
        }
    }

    /// Lets `modify` change a copy of the value, and sets it. As [`send_if_modified`](Sender::send_if_modified).
    ///
    /// # Panics
    /// As there.
    pub fn send_modify(&self, mut modify: impl FnMut(&mut T))
    where
        T: Clone,
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// The value as it is now.
    #[must_use]
    pub fn borrow(&self) -> Arc<T> {
        self.shared.with(|state, _| Arc::clone(&state.value))
    }

    /// Another receiver, which has seen the value that is there now.
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.shared.with(|state, _| {
            state.receivers += 1;
            state.version
        });
        Receiver { shared: Arc::clone(&self.shared), seen }
    }

    /// How many receivers there are now.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.shared.with(|state, _| state.receivers)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.with(|state, _| state.senders += 1);
        Sender { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        contain(|| {
            self.shared.with(|state, afterwards| {
                state.senders -= 1;
                if state.senders == 0 {
                    state.waiting.tell_all(afterwards);
                }
            });
        });
    }
}

impl<T> Receiver<T> {
    /// The value as it is now. Whether it has [changed](Receiver::changed) is as before.
    #[must_use]
    pub fn borrow(&self) -> Arc<T> {
        self.shared.with(|state, _| Arc::clone(&state.value))
    }

    /// The value as it is now, which is seen with this.
    #[must_use]
    #[doc(alias = "borrow_and_update")]
    pub fn latest(&mut self) -> Arc<T> {
        let (value, version) = self.shared.with(|state, _| (Arc::clone(&state.value), state.version));
        self.seen = version;
        value
    }

    /// The number of the value that is there now. It grows by one with each value.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.shared.with(|state, _| state.version)
    }

    /// Whether there is a value that it has not seen.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.version() != self.seen
    }

    /// Waits for a value that it has not seen, and sees it. Blocks.
    ///
    /// # Errors
    /// [`GetError::Closed`] if there will be none.
    pub fn changed(&mut self) -> Result<Arc<T>, GetError> {
        self.changed_until(None)
    }

    /// The value, if it has not seen it, which it has now.
    ///
    /// # Errors
    /// [`GetError::Empty`] if it has, [`GetError::Closed`] if there will be no other.
    pub fn try_changed(&mut self) -> Result<Arc<T>, GetError> {
        let seen = &mut self.seen;
        self.shared.with(|state, _| state.newer_than(seen)).unwrap_or(Err(GetError::Empty))
    }

    /// Waits for a value that it has not seen, at most `limit`, and sees it. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    pub fn changed_timeout(&mut self, limit: Duration) -> Result<Arc<T>, GetError> {
        self.changed_until(Instant::now().checked_add(limit))
    }

    /// Waits for a value that it has not seen, and sees it.
    ///
    /// # Errors
    /// [`GetError::Closed`] if there will be none.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: the value is seen in the moment in which it is returned.
    pub async fn changed_async(&mut self) -> Result<Arc<T>, GetError> {
        let attempt = State::newer(&mut self.seen);
        self.shared.wait_for(|state| &mut state.waiting, attempt).await
    }

    /// Waits for a value that it has not seen, at most `limit`, and sees it. Needs no runtime.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
    ///
    /// # Cancel safety
    /// As [`changed_async`](Receiver::changed_async).
    pub async fn changed_async_timeout(&mut self, limit: Duration) -> Result<Arc<T>, GetError> {
        timer::timeout(limit, self.changed_async()).await.unwrap_or(Err(GetError::TimedOut))
    }

    /// Waits until the value is as wanted, which it may be already, and sees it. Blocks. `wanted` is called with no lock
    /// held, on the values that this receiver comes to see; it may miss some.
    ///
    /// # Errors
    /// [`GetError::Closed`] if the last value is not as wanted.
    ///
    /// # Panics
    /// If `wanted` does, as all of these ways: the value that it was looking at is seen, and nobody else learns of it.
    pub fn wait_for(&mut self, wanted: impl FnMut(&T) -> bool) -> Result<Arc<T>, GetError> {
        self.wait_for_until(wanted, None)
    }

    /// The value, if it is as wanted.
    ///
    /// # Errors
    /// [`GetError::Empty`] if it is not, [`GetError::Closed`] if it will not be.
    pub fn try_wait_for(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<Arc<T>, GetError> {
        let value = self.latest();
        if wanted(&value) {
            return Ok(value);
        }
        let closed = self.shared.with(|state, _| state.senders == 0 && state.version == self.seen);
        Err(if closed { GetError::Closed } else { GetError::Empty })
    }

    /// As [`wait_for`](Receiver::wait_for), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`GetError::TimedOut`] if it was not by then, [`GetError::Closed`] if it will not be.
    pub fn wait_for_timeout(
        &mut self,
        wanted: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> Result<Arc<T>, GetError> {
        self.wait_for_until(wanted, Instant::now().checked_add(limit))
    }

    /// As [`wait_for`](Receiver::wait_for).
    ///
    /// # Errors
    /// [`GetError::Closed`] if the last value is not as wanted.
    ///
    /// # Cancel safety
    /// Values that `wanted` has looked at are seen. Waiting for the same again looks at the latest again.
    pub async fn wait_for_async(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<Arc<T>, GetError> {
        let mut value = self.latest();
        while !wanted(&value) {
            value = self.changed_async().await?;
        }
        Ok(value)
    }

    /// As [`wait_for_timeout`](Receiver::wait_for_timeout). Needs no runtime.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As [`wait_for_async`](Receiver::wait_for_async).
    pub async fn wait_for_async_timeout(
        &mut self,
        wanted: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> Result<Arc<T>, GetError> {
        timer::timeout(limit, self.wait_for_async(wanted)).await.unwrap_or(Err(GetError::TimedOut))
    }

    fn changed_until(&mut self, deadline: Option<Instant>) -> Result<Arc<T>, GetError> {
        let attempt = State::newer(&mut self.seen);
        let value = self.shared.wait(|state| &mut state.waiting, deadline, attempt);
        value.unwrap_or(Err(GetError::TimedOut))
    }

    fn wait_for_until(
        &mut self,
        mut wanted: impl FnMut(&T) -> bool,
        deadline: Option<Instant>,
    ) -> Result<Arc<T>, GetError> {
        let mut value = self.latest();
        while !wanted(&value) {
            value = self.changed_until(deadline)?;
        }
        Ok(value)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.with(|state, _| state.receivers += 1);
        Receiver { shared: Arc::clone(&self.shared), seen: self.seen }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.with(|state, _| state.receivers -= 1);
    }
}

impl<T> Queues for State<T> {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiting);
    }
}

impl<T> State<T> {
    /// Gives back the old value, to be dropped outside of the lock.
    fn set(&mut self, value: Arc<T>, afterwards: &mut Afterwards) -> Arc<T> {
        self.version += 1;
        self.waiting.tell_all(afterwards);
        std::mem::replace(&mut self.value, value)
    }

    /// The attempt to see a newer value than the one seen.
    fn newer(
        seen: &mut u64,
    ) -> impl FnMut(&mut State<T>, Turn, &mut Afterwards) -> Option<Result<Arc<T>, GetError>> {
        move |state, _, _| state.newer_than(seen)
    }

    fn newer_than(&self, seen: &mut u64) -> Option<Result<Arc<T>, GetError>> {
        if self.version != *seen {
            *seen = self.version;
            return Some(Ok(Arc::clone(&self.value)));
        }
        (self.senders == 0).then_some(Err(GetError::Closed))
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("value", &self.borrow()).finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, changed) = (self.borrow(), self.has_changed());
        f.debug_struct("Receiver").field("value", &value).field("changed", &changed).finish_non_exhaustive()
    }
}
