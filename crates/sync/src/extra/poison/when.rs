//! Taking the lock when a condition holds, or the value is spoiled.

use super::{PoisonMutex, PoisonMutexGuard, TimedLockError, warned};
use crate::check::Site;
use crate::timer;
use std::future::Future;
use std::sync::{LockResult, TryLockError, TryLockResult};
use std::time::Duration;

/// Taking the lock when a condition holds, as [`Mutex::when`](crate::Mutex::when) and its kin do. **A poisoned mutex ends the wait at once**, and the
/// condition is not evaluated: whoever was to make it hold may be who panicked. A condition that panics poisons the mutex.
impl<T: ?Sized> PoisonMutex<T> {
    /// As [`Mutex::when`](crate::Mutex::when). Blocks; allocates nothing.
    ///
    /// # Errors
    /// The guard is inside the error if the mutex is poisoned; the condition may not hold.
    ///
    /// # Examples
    /// ```
    /// use sync::extra::PoisonMutex;
    ///
    /// let numbers = PoisonMutex::new(Vec::new());
    /// std::thread::scope(|scope| {
    ///     let failed = scope.spawn(|| numbers.when(|numbers: &Vec<u32>| numbers.len() >= 3).is_err());
    ///     let panics = scope.spawn(|| {
    ///         numbers.lock().unwrap().push(0);
    ///         let _half_done = numbers.lock();
    ///         panic!("the other two are missing");
    ///     });
    ///     assert!(panics.join().is_err());
    ///     assert!(failed.join().unwrap(), "nobody waits for what will not come");
    /// });
    /// ```
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when(&self, mut condition: impl FnMut(&T) -> bool) -> LockResult<PoisonMutexGuard<'_, T>> {
        let mut poisoned = false;
        let guard = self.guard(self.mutex.when(|value| self.is_over(value, &mut condition, &mut poisoned)));
        // If its destructor panics, that is under the lock.
        drop(condition);
        warned(poisoned, guard)
    }

    /// As [`Mutex::try_when`](crate::Mutex::try_when).
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if the lock is not free or the condition does not hold. The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_when(&self, condition: impl FnOnce(&T) -> bool) -> TryLockResult<PoisonMutexGuard<'_, T>> {
        let mut poisoned = false;
        match self.mutex.try_when(|value| self.is_over(value, condition, &mut poisoned)) {
            Some(guard) => Ok(warned(poisoned, self.guard(guard))?),
            None => Err(TryLockError::WouldBlock),
        }
    }

    /// As [`Mutex::when_timeout`](crate::Mutex::when_timeout). Blocks.
    ///
    /// # Errors
    /// [`TimedLockError::TimedOut`] if the lock was not to be had by then, or the condition did not hold. The guard is inside the error if
    /// the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_timeout(
        &self,
        mut condition: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> Result<PoisonMutexGuard<'_, T>, TimedLockError<PoisonMutexGuard<'_, T>>> {
        let mut poisoned = false;
        let look = |value: &T| self.is_over(value, &mut condition, &mut poisoned);
        let guard = self.guard(self.mutex.when_timeout(look, limit)?);
        // As in `when`.
        drop(condition);
        Ok(warned(poisoned, guard)?)
    }

    /// As [`Mutex::when_async`](crate::Mutex::when_async).
    ///
    /// # Errors
    /// As [`when`](PoisonMutex::when).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_async(
        &self,
        mut condition: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = LockResult<PoisonMutexGuard<'_, T>>> {
        let site = Site::here();
        async move {
            let mut poisoned = false;
            let look = |value: &T| self.is_over(value, &mut condition, &mut poisoned);
            let guard = self.guard(self.mutex.when_async_at(site, look).await);
            // As in `when`.
            drop(condition);
            warned(poisoned, guard)
        }
    }

    /// As [`Mutex::when_async_timeout`](crate::Mutex::when_async_timeout). Needs no runtime.
    ///
    /// # Errors
    /// As [`when_timeout`](PoisonMutex::when_timeout).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn when_async_timeout(
        &self,
        condition: impl FnMut(&T) -> bool,
        limit: Duration,
    ) -> impl Future<Output = Result<PoisonMutexGuard<'_, T>, TimedLockError<PoisonMutexGuard<'_, T>>>> {
        let when = timer::timeout(limit, self.when_async(condition));
        async move { Ok(when.await??) }
    }

    /// Whether nobody has to wait any more; under the lock. `poisoned` becomes whether that is for the poison: it can be cleared
    /// without the lock, so who asked again would take what ended the wait for a condition that holds.
    fn is_over(&self, value: &T, condition: impl FnOnce(&T) -> bool, poisoned: &mut bool) -> bool {
        *poisoned = self.is_poisoned();
        if *poisoned {
            return true;
        }
        let _alarm = self.alarm();
        condition(value)
    }
}
