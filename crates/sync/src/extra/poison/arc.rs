//! Guards that own a share of their mutex.

use super::{Alarm, PoisonMutex, Since, TimedLockError, panicking_thread, warned};
use crate::check::Site;
use crate::condvar::{Guard, Sealed};
use crate::timer;
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::RefUnwindSafe;
use std::sync::{Arc, LockResult, TryLockError, TryLockResult};
use std::thread::ThreadId;
use std::time::Duration;

/// As [`PoisonMutexGuard`](super::PoisonMutexGuard), with a share of the mutex in the place of a borrow. Dropping it releases the lock,
/// and then the share.
///
/// # Waiting
/// As [`Mutex`](crate::Mutex). Dropping it waits for nobody.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::extra::PoisonMutex;
///
/// let mutex = Arc::new(PoisonMutex::new(1));
/// let mut guard = mutex.lock_arc().unwrap();
/// std::thread::spawn(move || *guard += 1).join().map_err(|_| "it panicked")?;
/// assert_eq!(*mutex.lock().unwrap(), 2);
/// # Ok::<(), &str>(())
/// ```
///
/// Sharing it shares the value:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sync::extra::ArcPoisonMutexGuard<std::cell::Cell<u8>>>();
/// ```
#[must_use = "the lock is released when the guard is dropped"]
pub struct ArcPoisonMutexGuard<T: ?Sized> {
    /// Its lock is held, from `of_a_held` on until `drop`.
    whole: Arc<PoisonMutex<T>>,
    /// As in [`Since`].
    panicking: Option<ThreadId>,
}

// SAFETY: a shared guard gives `&T`, which needs `T: Sync`, and a share of the mutex, which needs `T: Send`.
unsafe impl<T: ?Sized + Send + Sync> Sync for ArcPoisonMutexGuard<T> {}

// As `PoisonMutexGuard`. The mutex alone would make it so for every `T`.
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for ArcPoisonMutexGuard<T> {}

/// The lock with guards that own a share of the mutex.
impl<T: ?Sized> PoisonMutex<T> {
    /// As [`lock`](PoisonMutex::lock). Blocks.
    ///
    /// # Errors
    /// The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc(self: &Arc<Self>) -> LockResult<ArcPoisonMutexGuard<T>> {
        ArcPoisonMutexGuard::locked(Arc::clone(self)).back()
    }

    /// As [`try_lock`](PoisonMutex::try_lock).
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if the lock is not free. The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_lock_arc(self: &Arc<Self>) -> TryLockResult<ArcPoisonMutexGuard<T>> {
        let (lock, _) = self.mutex.parts();
        if !lock.try_acquire() {
            return Err(TryLockError::WouldBlock);
        }
        Ok(ArcPoisonMutexGuard::of_a_held(Arc::clone(self)).back()?)
    }

    /// As [`lock_timeout`](PoisonMutex::lock_timeout). Blocks.
    ///
    /// # Errors
    /// As [`lock_timeout`](PoisonMutex::lock_timeout).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_timeout(
        self: &Arc<Self>,
        limit: Duration,
    ) -> Result<ArcPoisonMutexGuard<T>, TimedLockError<ArcPoisonMutexGuard<T>>> {
        mem::forget(self.mutex.lock_timeout(limit)?);
        Ok(ArcPoisonMutexGuard::of_a_held(Arc::clone(self)).back()?)
    }

    /// As [`lock_async`](PoisonMutex::lock_async). The future owns a share of the mutex as well.
    ///
    /// # Errors
    /// The guard is inside the error if the mutex is poisoned.
    ///
    /// # Cancel safety
    /// As [`lock_async`](PoisonMutex::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_async(
        self: &Arc<Self>,
    ) -> impl Future<Output = LockResult<ArcPoisonMutexGuard<T>>> + use<T> {
        let lock = ArcPoisonMutexGuard::locked_async(Arc::clone(self), Site::here());
        async move { lock.await.back() }
    }

    /// As [`lock_async_timeout`](PoisonMutex::lock_async_timeout). The future owns a share of the mutex as well.
    ///
    /// # Errors
    /// As [`lock_timeout`](PoisonMutex::lock_timeout).
    ///
    /// # Cancel safety
    /// As [`lock_async`](PoisonMutex::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_async_timeout(
        self: &Arc<Self>,
        limit: Duration,
    ) -> impl Future<Output = Result<ArcPoisonMutexGuard<T>, TimedLockError<ArcPoisonMutexGuard<T>>>> + use<T>
    {
        let lock = timer::timeout(limit, self.lock_arc_async());
        async move { Ok(lock.await??) }
    }
}

impl<T: ?Sized> ArcPoisonMutexGuard<T> {
    /// The mutex that the guard holds.
    #[must_use]
    pub fn mutex(guard: &Self) -> &Arc<PoisonMutex<T>> {
        &guard.whole
    }

    /// Releases the lock and keeps a share.
    pub fn unlock(guard: Self) -> Arc<PoisonMutex<T>> {
        let whole = Arc::clone(&guard.whole);
        drop(guard);
        whole
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn locked(whole: Arc<PoisonMutex<T>>) -> Self {
        let (lock, _) = whole.mutex.parts();
        lock.acquire();
        ArcPoisonMutexGuard::of_a_held(whole)
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    fn locked_async(whole: Arc<PoisonMutex<T>>, site: Site) -> impl Future<Output = Self> {
        async move {
            let (lock, _) = whole.mutex.parts();
            if !lock.try_acquire_in_task(site) {
                lock.acquire_in_task(site).await;
            }
            ArcPoisonMutexGuard::of_a_held(whole)
        }
    }

    /// The lock is held, and by no other guard.
    fn of_a_held(whole: Arc<PoisonMutex<T>>) -> Self {
        ArcPoisonMutexGuard { whole, panicking: panicking_thread() }
    }
}

impl<T: ?Sized> Sealed for ArcPoisonMutexGuard<T> {}

impl<T: ?Sized> Guard for ArcPoisonMutexGuard<T> {
    type Value = T;
    type Back = LockResult<Self>;
    type Lock = Arc<PoisonMutex<T>>;

    fn value(&mut self) -> &mut T {
        self
    }

    fn release(self) -> Arc<PoisonMutex<T>> {
        ArcPoisonMutexGuard::unlock(self)
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock(whole: Arc<PoisonMutex<T>>) -> Self {
        ArcPoisonMutexGuard::locked(whole)
    }

    fn lock_async(whole: Arc<PoisonMutex<T>>, site: Site) -> impl Future<Output = Self> {
        ArcPoisonMutexGuard::locked_async(whole, site)
    }

    fn checked(self) -> Result<Self, LockResult<Self>> {
        self.back().map_err(Err)
    }

    fn back(self) -> LockResult<Self> {
        warned(self.whole.is_poisoned(), self)
    }
}

impl<T: ?Sized> Deref for ArcPoisonMutexGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let (_, value) = self.whole.mutex.parts();
        // SAFETY: the guard holds the lock, so nobody writes the value while the guard is borrowed.
        unsafe { &*value }
    }
}

impl<T: ?Sized> DerefMut for ArcPoisonMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        let (_, value) = self.whole.mutex.parts();
        // SAFETY: the guard holds the lock and is borrowed exclusively, so nobody else uses the value.
        unsafe { &mut *value }
    }
}

impl<T: ?Sized> Drop for ArcPoisonMutexGuard<T> {
    fn drop(&mut self) {
        drop(Alarm(Since { poisoned: &self.whole.poisoned, panicking: self.panicking }));
        let (lock, _) = self.whole.mutex.parts();
        lock.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ArcPoisonMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ArcPoisonMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
