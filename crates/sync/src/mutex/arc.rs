//! Guards that own a share of their mutex, for those that cannot borrow it: a task's state, a struct without a lifetime.

use super::Mutex;
use crate::check::Site;
use crate::error::TimedOut;
use std::fmt;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// As [`MutexGuard`](super::MutexGuard), with a share of the mutex in the place of a borrow. Dropping it releases the lock,
/// and then the share.
///
/// # Waiting
/// As [`Mutex`]. Dropping it waits for nobody.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::Mutex;
///
/// let mutex = Arc::new(Mutex::new(1));
/// let mut guard = mutex.lock_arc();
/// std::thread::spawn(move || *guard += 1).join().map_err(|_| "it panicked")?;
/// assert_eq!(*mutex.lock(), 2);
/// # Ok::<(), &str>(())
/// ```
///
/// Sharing it shares the value:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sync::mutex::ArcMutexGuard<std::cell::Cell<u8>>>();
/// ```
#[must_use = "the lock is released when the guard is dropped"]
pub struct ArcMutexGuard<T: ?Sized> {
    mutex: Arc<Mutex<T>>,
}

// SAFETY: a shared guard gives `&T`, which needs `T: Sync`, and a share of the mutex, which needs `T: Send`.
unsafe impl<T: ?Sized + Send + Sync> Sync for ArcMutexGuard<T> {}

/// The lock with guards that own a share of the mutex.
impl<T: ?Sized> Mutex<T> {
    /// As [`lock`](Mutex::lock). Blocks.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<T> {
        ArcMutexGuard::lock(Arc::clone(self))
    }

    /// As [`try_lock`](Mutex::try_lock).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<T>> {
        self.lock.try_acquire().then(|| ArcMutexGuard { mutex: Arc::clone(self) })
    }

    /// As [`lock_timeout`](Mutex::lock_timeout). Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not free by then; the lock is not held.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_timeout(self: &Arc<Self>, limit: Duration) -> Result<ArcMutexGuard<T>, TimedOut> {
        self.lock_timeout(limit).map(|guard| {
            mem::forget(guard);
            ArcMutexGuard { mutex: Arc::clone(self) }
        })
    }

    /// As [`lock_async`](Mutex::lock_async). The future owns a share of the mutex as well.
    ///
    /// # Cancel safety
    /// As [`lock_async`](Mutex::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_async(self: &Arc<Self>) -> impl Future<Output = ArcMutexGuard<T>> + use<T> {
        ArcMutexGuard::lock_async(Arc::clone(self), Site::here())
    }

    /// As [`lock_async_timeout`](Mutex::lock_async_timeout). The future owns a share of the mutex as well.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not free by then; the lock is not held.
    ///
    /// # Cancel safety
    /// As [`lock_async`](Mutex::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_arc_async_timeout(
        self: &Arc<Self>,
        limit: Duration,
    ) -> impl Future<Output = Result<ArcMutexGuard<T>, TimedOut>> + use<T> {
        crate::timer::timeout(limit, self.lock_arc_async())
    }
}

impl<T: ?Sized> ArcMutexGuard<T> {
    /// The mutex that the guard holds.
    #[must_use]
    pub fn mutex(guard: &Self) -> &Arc<Mutex<T>> {
        &guard.mutex
    }

    /// Releases the lock and keeps the share.
    pub fn unlock(guard: Self) -> Arc<Mutex<T>> {
        let guard = ManuallyDrop::new(guard);
        // SAFETY: the guard is not used again and its destructor does not run, so this is the one who owns the share.
        let mutex = unsafe { ptr::read(&guard.mutex) };
        mutex.lock.release();
        mutex
    }

    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn lock(mutex: Arc<Mutex<T>>) -> Self {
        mutex.lock.acquire();
        ArcMutexGuard { mutex }
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn lock_async(mutex: Arc<Mutex<T>>, site: Site) -> impl Future<Output = Self> {
        async move {
            if !mutex.lock.try_acquire_in_task(site) {
                mutex.lock.acquire_in_task(site).await;
            }
            ArcMutexGuard { mutex }
        }
    }
}

impl<T: ?Sized> Deref for ArcMutexGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody writes the value while the guard is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for ArcMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed exclusively, so nobody else uses the value.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for ArcMutexGuard<T> {
    fn drop(&mut self) {
        self.mutex.lock.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ArcMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ArcMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
