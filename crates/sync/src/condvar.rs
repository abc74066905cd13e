//! Waiting until a condition holds for what a mutex protects.

use crate::error::TimedOut;
use crate::mutex::{Mutex, MutexGuard};
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Told, Turn, Waiters};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant};

/// A place to wait for a change of what a [`Mutex`] protects.
///
/// A wait ends after a notification, and only then; still, look at the condition again, for somebody may have come
/// first. [`wait_while`](Condvar::wait_while) does that.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::{Condvar, Mutex};
///
/// let ready = Arc::new((Mutex::new(false), Condvar::new()));
/// let thread = std::thread::spawn({
///     let ready = Arc::clone(&ready);
///     move || {
///         *ready.0.lock() = true;
///         ready.1.notify_one();
///     }
/// });
/// let guard = ready.1.wait_while(ready.0.lock(), |ready| !*ready);
/// assert!(*guard);
/// # drop(guard);
/// # thread.join().map_err(|_| "it panicked")?;
/// # Ok::<(), &str>(())
/// ```
#[doc(alias = "Condition")]
pub struct Condvar {
    waiters: Guarded<Waiters>,
}

/// A notification that somebody has got, until he has the lock again: if he goes away before, the next one gets it.
struct Received<'a> {
    condvar: &'a Condvar,
    told: Option<Told>,
}

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Condvar { waiters: Guarded::new(Waiters::barging()) }
    }

    /// Releases the lock, waits for a notification, and takes the lock again. Blocks.
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.wait_until(guard, None).0
    }

    /// As [`wait`](Condvar::wait), as long as `condition` holds.
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while condition(&mut guard) {
            guard = self.wait(guard);
        }
        guard
    }

    /// As [`wait`](Condvar::wait), for at most `limit`, after which the lock is taken all the same: taking it may last
    /// longer than the limit.
    ///
    /// The second half of the answer is [`TimedOut`] if nobody notified in time.
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, Result<(), TimedOut>) {
        self.wait_until(guard, Instant::now().checked_add(limit))
    }

    /// As [`wait_while`](Condvar::wait_while), for at most `limit` in all.
    ///
    /// The second half of the answer is [`TimedOut`] if the condition still held when the time had passed.
    pub fn wait_while_timeout<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, Result<(), TimedOut>) {
        let deadline = Instant::now().checked_add(limit);
        let mut late = false;
        loop {
            if !condition(&mut guard) {
                return (guard, Ok(()));
            }
            if late {
                return (guard, Err(TimedOut));
            }
            let outcome;
            (guard, outcome) = self.wait_until(guard, deadline);
            late = outcome.is_err();
        }
    }

    /// As [`wait`](Condvar::wait).
    ///
    /// # Cancel safety
    /// A future that is dropped does not take the lock again. If it had got the notification of a
    /// [`notify_one`](Condvar::notify_one), the next waiter gets it.
    pub async fn wait_async<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex = MutexGuard::mutex(&guard);
        let received = Received { condvar: self, told: Some(self.notified(guard).await) };
        let guard = mutex.lock_async().await;
        received.used();
        guard
    }

    /// As [`wait_timeout`](Condvar::wait_timeout). Needs no runtime.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Condvar::wait_async).
    pub async fn wait_async_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, Result<(), TimedOut>) {
        let mutex = MutexGuard::mutex(&guard);
        let told = timer::timeout(limit, self.notified(guard)).await;
        let received = Received { condvar: self, told: told.ok() };
        let guard = mutex.lock_async().await;
        received.used();
        (guard, told.map(drop))
    }

    /// Ends the wait of whoever has waited longest, if anybody waits.
    #[doc(alias = "notify")]
    pub fn notify_one(&self) {
        self.waiters.with(Waiters::tell_one);
    }

    /// Ends the wait of everybody who waits now.
    pub fn notify_all(&self) {
        self.waiters.with(Waiters::tell_all);
    }

    fn wait_until<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, T>, Result<(), TimedOut>) {
        let mutex: &Mutex<T> = MutexGuard::mutex(&guard);
        let told = self.waiters.wait_after(|waiters| waiters, deadline, when_told, || drop(guard));
        // A parker may unwind the wait for the lock, when its coroutine is dropped.
        let received = Received { condvar: self, told };
        let guard = mutex.lock();
        received.used();
        (guard, told.map(drop).ok_or(TimedOut))
    }

    /// Takes a place in the queue and only then releases the lock, so that no notification in between is missed.
    async fn notified<T: ?Sized>(&self, guard: MutexGuard<'_, T>) -> Told {
        let mut notified = pin!(self.waiters.wait_for(|waiters| waiters, when_told));
        let mut guard = Some(guard);
        poll_fn(move |cx| {
            let told = notified.as_mut().poll(cx);
            drop(guard.take());
            told
        })
        .await
    }
}

/// The attempt that succeeds after a notification.
fn when_told(_: &mut Waiters, turn: Turn, _: &mut Afterwards) -> Option<Told> {
    turn.told
}

impl Queues for Waiters {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(self);
    }
}

impl Received<'_> {
    fn used(mut self) {
        self.told = None;
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        if self.told == Some(Told::Alone) {
            self.condvar.notify_one();
        }
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiters.with(|waiters, _| waiters.len());
        f.debug_struct("Condvar").field("waiting", &waiting).finish()
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Condvar::new()
    }
}
