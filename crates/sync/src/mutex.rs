//! Mutual exclusion: the [`Mutex`], and its guards that borrow it, own a share of it, or are of a part of its value.

mod arc;
mod mapped;
mod when;

use crate::check::Site;
#[cfg(feature = "check")]
use crate::check::Tag;
use crate::error::TimedOut;
use crate::lock::RawLock;
use crate::primitive::const_but_for_loom;
use crate::timer;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

pub use arc::ArcMutexGuard;
pub use mapped::MappedMutexGuard;

/// A value that one thread, coroutine or async task uses at a time.
///
/// It is not poisoned: a panic under the lock releases it, and the next one sees what the panic left. The guard may be sent to
/// another thread and held across an `.await`. While nobody waits, taking and releasing it costs about 6 ns.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: whoever comes while the lock is free takes it, even before those who were woken for it; but who has been first
///   in the queue for 50 to 200 µs, on one CPU twice as long, is handed it at one of the next releases. Before a thread queues up, it may look for a microsecond or
///   two, and without a deadline it may let other threads of its CPU run, up to four times. A task that has been told to take the
///   lock and is not polled loses its place after a millisecond, to whoever comes by or waits.
/// - **Dropped** while it waits, a future leaves the queue in constant time; if it had been told, the next one is.
/// - **A waker that panics** when it is woken is caught; the panic hook tells of it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::{Mutex, park};
///
/// let sum = Arc::new(Mutex::new(0));
/// let thread = std::thread::spawn({
///     let sum = Arc::clone(&sum);
///     move || *sum.lock() += 1
/// });
/// park::block_on(async { *sum.lock_async().await += 1 });
/// thread.join().map_err(|_| "it panicked")?;
/// assert_eq!(*sum.lock(), 2);
/// # Ok::<(), &str>(())
/// ```
#[doc(alias = "Lock")]
pub struct Mutex<T: ?Sized> {
    lock: RawLock,
    value: UnsafeCell<T>,
}

/// The right to use a mutex's value. Dropping it releases the lock.
///
/// Sharing it shares the value, so a value that cannot be shared keeps its guard from it:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sync::MutexGuard<'static, std::cell::Cell<u8>>>();
/// ```
///
/// # Waiting
/// As [`Mutex`]. Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
}

// SAFETY: the value goes from thread to thread, one at a time, which needs `T: Send`.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

// SAFETY: as above; sharing the mutex gives access to one thread at a time.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// SAFETY: a shared guard gives `&T`, which needs `T: Sync`; and the mutex itself, which can outlive the guard and whose value
// can then be taken on that thread, which needs `T: Send`. (So does sending a guard, by way of `&Mutex<T>`.)
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    const_but_for_loom! {
        /// A free lock around `value`.
        pub fn new(value: T) -> Self {
            Mutex { lock: RawLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// The value. Nobody can hold the lock, for this is the only reference.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock. Blocks this thread, or this coroutine only; deadlocks if that holds the lock already.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.lock.acquire();
        MutexGuard { mutex: self }
    }

    /// Takes the lock if it is free.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        // `then`, not `then_some`: a guard that is made releases the lock when dropped.
        self.lock.try_acquire().then(|| MutexGuard { mutex: self })
    }

    /// Waits for the lock, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not free by then; the lock is not held.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_timeout(&self, limit: Duration) -> Result<MutexGuard<'_, T>, TimedOut> {
        if let Some(guard) = self.try_lock() {
            return Ok(guard);
        }
        // A time beyond what the clock can say is never reached.
        self.lock_until(Instant::now().checked_add(limit)).ok_or(TimedOut)
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock_until(&self, deadline: Option<Instant>) -> Option<MutexGuard<'_, T>> {
        self.lock.acquire_until(deadline).then(|| MutexGuard { mutex: self })
    }

    /// Waits for the lock.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: a wake-up that it had got goes to the next in the queue.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.lock_async_at(Site::here())
    }

    /// As [`lock_async`](Mutex::lock_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn lock_async_at(&self, site: Site) -> impl Future<Output = MutexGuard<'_, T>> {
        async move {
            if !self.lock.try_acquire_in_task(site) {
                self.lock.acquire_in_task(site).await;
            }
            MutexGuard { mutex: self }
        }
    }

    /// Waits for the lock, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not free by then; the lock is not held.
    ///
    /// # Cancel safety
    /// As [`lock_async`](Mutex::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<MutexGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.lock_async())
    }

    /// Whether somebody holds the lock now, or it is kept for a task that has been told to take it.
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.lock.is_held()
    }

    /// Whether somebody waits for it now.
    #[must_use]
    pub fn has_waiters(&self) -> bool {
        self.lock.has_waiters()
    }

    /// The lock, and where the value is: for a guard of another kind.
    ///
    /// Whoever acquires the lock by this, or forgets a guard that holds it, releases it once and by this; he releases nothing else,
    /// for it may be somebody's who has a guard. Between the two he may use the value, and at no other time.
    pub(crate) fn parts(&self) -> (&RawLock, *mut T) {
        (&self.lock, self.value.get())
    }

    /// What the deadlock checker knows the lock by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &Tag {
        self.lock.tag()
    }

    /// The value, without locking: this is the only reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, so nobody writes the value while the guard is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed exclusively, so nobody else uses the value.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.lock.release();
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.try_lock()).fmt(f)
    }
}

/// A mutex as it is shown to whoever has got a guard, or none.
pub(crate) struct Shown<G>(pub(crate) Option<G>);

impl<G: Deref<Target: fmt::Debug>> fmt::Debug for Shown<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(guard) => f.debug_struct("Mutex").field("value", &&**guard).finish(),
            None => f.write_str("Mutex { <locked> }"),
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
