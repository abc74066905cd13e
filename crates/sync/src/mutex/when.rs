//! Taking the lock when a condition holds for the value.

use super::{Mutex, MutexGuard};
use crate::check::Site;
use crate::error::TimedOut;
use crate::timer;
use std::future::Future;
use std::time::{Duration, Instant};

/// Taking the lock when a condition holds, which nobody has to announce.
///
/// Whoever waits is told to look each time the lock is released, and evaluates his condition himself, under the lock. So a condition
/// that panics or is slow is his own affair, but for the time that he has the lock; and each release costs a wake-up per waiter, so
/// for many waiters, or a lock that is released often, a [`Condvar`](crate::Condvar) is cheaper. While nobody waits so, it costs
/// the lock nothing. A condition that holds only for a moment may be missed.
impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is ours and `condition` holds. Blocks; allocates nothing.
    ///
    /// If `condition` panics, the lock is released. It must not take the lock itself.
    ///
    /// # Examples
    /// ```
    /// use sync::Mutex;
    ///
    /// let numbers = Mutex::new(Vec::new());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let three = numbers.when(|numbers: &Vec<u32>| numbers.len() >= 3);
    ///         assert_eq!(*three, [0, 1, 2]);
    ///     });
    ///     for number in 0..3 {
    ///         numbers.lock().push(number);
    ///     }
    /// });
    /// ```
    #[doc(alias = "wait_for")]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when(&self, mut condition: impl FnMut(&T) -> bool) -> MutexGuard<'_, T> {
        loop {
            let guard = self.lock();
            if condition(&guard) {
                // While the guard is here: a destructor that panics later would keep it from being dropped.
                drop(condition);
                return guard;
            }
            self.lock.release_and_watch(guard, None);
        }
    }

    /// Takes the lock if it is free and `condition` holds.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_when(&self, condition: impl FnOnce(&T) -> bool) -> Option<MutexGuard<'_, T>> {
        self.try_lock().filter(|guard| condition(guard))
    }

    /// As [`when`](Mutex::when), at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if the lock was not to be had by then, or the condition did not hold; the lock is not held. The condition is
    /// evaluated at least once if the lock is free, and once more when the time has passed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_timeout(
        &self,
        mut condition: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> Result<MutexGuard<'_, T>, TimedOut> {
        // A time beyond what the clock can say is never reached.
        let deadline = Instant::now().checked_add(limit);
        let mut late = false;
        loop {
            let guard = self.lock_until(deadline).ok_or(TimedOut)?;
            if condition(&guard) {
                // As in `when`.
                drop(condition);
                return Ok(guard);
            }
            if late {
                return Err(TimedOut);
            }
            late = !self.lock.release_and_watch(guard, deadline);
        }
    }

    /// As [`when`](Mutex::when).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_async(&self, condition: impl FnMut(&T) -> bool) -> impl Future<Output = MutexGuard<'_, T>> {
        self.when_async_at(Site::here(), condition)
    }

    /// As [`when_async`](Mutex::when_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn when_async_at(
        &self,
        site: Site,
        mut condition: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = MutexGuard<'_, T>> {
        async move {
            loop {
                if !self.lock.try_acquire_in_task(site) {
                    self.lock.acquire_in_task(site).await;
                }
                let guard = MutexGuard { mutex: self };
                if condition(&guard) {
                    // As in `when`.
                    drop(condition);
                    return guard;
                }
                self.lock.release_and_watch_async(guard).await;
            }
        }
    }

    /// As [`when_timeout`](Mutex::when_timeout). Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if the lock was not to be had by then, or the condition did not hold; the lock is not held.
    ///
    /// # Cancel safety
    /// As [`when_async`](Mutex::when_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_async_timeout(
        &self,
        condition: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> impl Future<Output = Result<MutexGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.when_async(condition))
    }
}
