//! A mutex that remembers a panic under it.

#[expect(unsafe_code, reason = "the value is used by whoever holds the lock")]
mod arc;
mod mapped;
mod when;

pub use arc::ArcPoisonMutexGuard;
pub use mapped::MappedPoisonMutexGuard;

use crate::check::Site;
use crate::condvar::{Guard, Sealed};
use crate::error::TimedOut;
use crate::mutex::{Mutex, MutexGuard, Shown};
use crate::primitive::{AtomicBool, Ordering, const_but_for_loom};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// A [`Mutex`] that is *poisoned* by a panic under it: whoever locks it afterwards gets an error with the guard in it, since the
/// value may be half changed.
///
/// It has all that a [`Mutex`] has to lock it by, a condition, guards of a part and guards with a share included. The ways that `std::sync::Mutex`
/// has too, and the errors, are the same, so a program can move from one to the other.
///
/// It is a mutex and a flag, and not a parameter of the mutex's type: what a lock returns, and what a panic does, would depend on the
/// parameter, and everyone who writes `Mutex<T>` would read about both. Locking it costs some nanoseconds more, to ask twice whether
/// the thread panics.
///
/// # Waiting
/// As [`Mutex`].
///
/// # Examples
/// ```
/// use sync::extra::PoisonMutex;
///
/// let balance = PoisonMutex::new(100);
/// let failed = sync::catch(|| {
///     let mut balance = balance.lock().unwrap();
///     *balance -= 30;
///     panic!("the other half of the transfer is missing");
/// });
/// assert!(failed.is_err());
/// let mut half_done = balance.lock().expect_err("poisoned").into_inner();
/// *half_done += 30;
/// drop(half_done);
/// balance.clear_poison();
/// assert_eq!(balance.lock().map(|balance| *balance).ok(), Some(100));
/// ```
pub struct PoisonMutex<T: ?Sized> {
    poisoned: AtomicBool,
    mutex: Mutex<T>,
}

/// The right to use the value of a [`PoisonMutex`]. Dropping it releases the lock; if that is by a panic that has begun since, the
/// mutex is poisoned.
///
/// Whether a panic has begun is asked of the thread. So a coroutine that is dropped while it is suspended with the guard poisons:
/// its frames are unwound as by a panic. A future that is dropped with the guard in it does not, for it has no frames. And a guard
/// that is sent to a thread which panics already, and dropped there, poisons.
///
/// # Waiting
/// As [`Mutex`]. Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct PoisonMutexGuard<'a, T: ?Sized> {
    whole: &'a PoisonMutex<T>,
    /// Dropped before the lock is released.
    alarm: Alarm<'a>,
    guard: MutexGuard<'a, T>,
}

/// Poisons the mutex if it is dropped by a panic that has begun since the lock was taken.
struct Alarm<'a>(Since<'a>);

/// What an alarm is set to.
#[derive(Clone, Copy)]
struct Since<'a> {
    poisoned: &'a AtomicBool,
    /// The thread that took the lock, if it was panicking already: that panic spoils nothing. On another thread it is another
    /// one; a later one on this thread is taken for it.
    panicking: Option<ThreadId>,
}

/// Why a lock was not to be had in time, or only with a warning.
#[derive(Debug)]
pub enum TimedLockError<G> {
    /// The lock is held, by the guard inside; somebody panicked under it before.
    Poisoned(PoisonError<G>),
    /// The lock was not free by then.
    TimedOut,
}

impl<T> PoisonMutex<T> {
    const_but_for_loom! {
        /// A free lock around `value`.
        pub fn new(value: T) -> Self {
            PoisonMutex { poisoned: AtomicBool::new(false), mutex: Mutex::new(value) }
        }
    }

    /// The value.
    ///
    /// # Errors
    /// It is inside the error if the mutex is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        warned(poisoned, self.mutex.into_inner())
    }
}

impl<T: ?Sized> PoisonMutex<T> {
    /// As [`Mutex::lock`]. Blocks.
    ///
    /// # Errors
    /// The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock(&self) -> LockResult<PoisonMutexGuard<'_, T>> {
        self.holding(self.mutex.lock())
    }

    /// As [`Mutex::try_lock`].
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if the lock is not free. The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_lock(&self) -> TryLockResult<PoisonMutexGuard<'_, T>> {
        match self.mutex.try_lock() {
            Some(guard) => Ok(self.holding(guard)?),
            None => Err(TryLockError::WouldBlock),
        }
    }

    /// As [`Mutex::lock_timeout`]. Blocks.
    ///
    /// # Errors
    /// [`TimedLockError::TimedOut`] if it was not free by then. The guard is inside the error if the mutex is poisoned.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_timeout(
        &self,
        limit: Duration,
    ) -> Result<PoisonMutexGuard<'_, T>, TimedLockError<PoisonMutexGuard<'_, T>>> {
        Ok(self.holding(self.mutex.lock_timeout(limit)?)?)
    }

    /// As [`Mutex::lock_async`].
    ///
    /// # Errors
    /// The guard is inside the error if the mutex is poisoned.
    ///
    /// # Cancel safety
    /// As [`Mutex::lock_async`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async(&self) -> impl Future<Output = LockResult<PoisonMutexGuard<'_, T>>> {
        let lock = self.mutex.lock_async();
        async move { self.holding(lock.await) }
    }

    /// As [`Mutex::lock_async_timeout`]. Needs no runtime.
    ///
    /// # Errors
    /// As [`lock_timeout`](PoisonMutex::lock_timeout).
    ///
    /// # Cancel safety
    /// As [`Mutex::lock_async`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<PoisonMutexGuard<'_, T>, TimedLockError<PoisonMutexGuard<'_, T>>>> {
        let lock = self.mutex.lock_async_timeout(limit);
        async move { Ok(self.holding(lock.await?)?) }
    }

    /// As [`Mutex::is_locked`].
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.mutex.is_locked()
    }

    /// As [`Mutex::has_waiters`].
    #[must_use]
    pub fn has_waiters(&self) -> bool {
        self.mutex.has_waiters()
    }

    /// Whether somebody has panicked under the lock.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        // Relaxed: it is set before the lock is released, so whoever has the lock sees it.
        self.poisoned.load(Ordering::Relaxed)
    }

    /// Says that the value is in order again.
    pub fn clear_poison(&self) {
        self.poisoned.store(false, Ordering::Relaxed);
    }

    /// The value, without locking: this is the only reference.
    ///
    /// # Errors
    /// It is inside the error if the mutex is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        warned(poisoned, self.mutex.get_mut())
    }

    fn holding<'a>(&'a self, guard: MutexGuard<'a, T>) -> LockResult<PoisonMutexGuard<'a, T>> {
        self.guard(guard).back()
    }

    fn guard<'a>(&'a self, guard: MutexGuard<'a, T>) -> PoisonMutexGuard<'a, T> {
        PoisonMutexGuard { whole: self, alarm: self.alarm(), guard }
    }

    fn alarm(&self) -> Alarm<'_> {
        Alarm(Since { poisoned: &self.poisoned, panicking: panicking_thread() })
    }
}

impl<'a> Alarm<'a> {
    /// To be set again: what is done between may panic, and must poison before it releases the lock.
    fn off(self) -> Since<'a> {
        self.0
    }
}

impl<'a, T: ?Sized> PoisonMutexGuard<'a, T> {
    /// The mutex that the guard holds.
    #[must_use]
    pub fn mutex(guard: &Self) -> &'a PoisonMutex<T> {
        guard.whole
    }

    /// As [`MutexGuard::unlocked`]. Blocks as [`lock`](PoisonMutex::lock), whose answer is the first half of this one. A panic in
    /// `meanwhile` poisons nothing.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn unlocked<R>(guard: Self, meanwhile: impl FnOnce() -> R) -> (LockResult<Self>, R) {
        let whole = guard.whole;
        drop(guard);
        let result = meanwhile();
        (whole.lock(), result)
    }

    /// As [`MutexGuard::hand_over`].
    #[doc(alias = "unlock_fair")]
    pub fn hand_over(guard: Self) {
        let PoisonMutexGuard { alarm, guard, .. } = guard;
        drop(alarm);
        MutexGuard::hand_over(guard);
    }
}

/// This thread, if it is panicking.
fn panicking_thread() -> Option<ThreadId> {
    thread::panicking().then(|| thread::current().id())
}

fn warned<V>(poisoned: bool, value: V) -> LockResult<V> {
    if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
}

// What a panic leaves half done is not seen by accident: the mutex is poisoned, and says so to whoever takes it. `std`'s is alike.
impl<T: ?Sized> UnwindSafe for PoisonMutex<T> {}
impl<T: ?Sized> RefUnwindSafe for PoisonMutex<T> {}

// A panic that it is moved into drops it, and poisons. Of one that it is lent to, nothing is known but what is known of its value.
impl<T: ?Sized> UnwindSafe for PoisonMutexGuard<'_, T> {}
impl<T: ?Sized + RefUnwindSafe> RefUnwindSafe for PoisonMutexGuard<'_, T> {}

impl<T: ?Sized> Sealed for PoisonMutexGuard<'_, T> {}

impl<'a, T: ?Sized> Guard for PoisonMutexGuard<'a, T> {
    type Value = T;
    type Back = LockResult<Self>;
    type Lock = &'a PoisonMutex<T>;

    fn value(&mut self) -> &mut T {
        self
    }

    fn release(self) -> &'a PoisonMutex<T> {
        self.whole
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock(mutex: &'a PoisonMutex<T>) -> Self {
        mutex.guard(mutex.mutex.lock())
    }

    async fn lock_async(mutex: &'a PoisonMutex<T>, site: Site) -> Self {
        mutex.guard(mutex.mutex.lock_async_at(site).await)
    }

    fn checked(self) -> Result<Self, LockResult<Self>> {
        self.back().map_err(Err)
    }

    fn back(self) -> LockResult<Self> {
        warned(self.whole.is_poisoned(), self)
    }
}

impl<T: ?Sized> Deref for PoisonMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: ?Sized> DerefMut for PoisonMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let panicking = panicking_thread();
        if panicking.is_some() && panicking != self.0.panicking {
            // Relaxed: the release of the lock, which follows, carries it to the next owner.
            self.0.poisoned.store(true, Ordering::Relaxed);
        }
    }
}

impl<T: Default> Default for PoisonMutex<T> {
    fn default() -> Self {
        PoisonMutex::new(T::default())
    }
}

impl<T> From<T> for PoisonMutex<T> {
    fn from(value: T) -> Self {
        PoisonMutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for PoisonMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let poisoned = self.is_poisoned();
        // With an alarm: to show the value may panic.
        let guard = self.mutex.try_lock().map(|guard| self.guard(guard));
        f.debug_struct("PoisonMutex").field("poisoned", &poisoned).field("mutex", &Shown(guard)).finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for PoisonMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for PoisonMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<G> From<PoisonError<G>> for TimedLockError<G> {
    fn from(error: PoisonError<G>) -> Self {
        TimedLockError::Poisoned(error)
    }
}

impl<G> From<TimedOut> for TimedLockError<G> {
    fn from(_: TimedOut) -> Self {
        TimedLockError::TimedOut
    }
}

impl<G> fmt::Display for TimedLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimedLockError::Poisoned(error) => error.fmt(f),
            TimedLockError::TimedOut => TimedOut.fmt(f),
        }
    }
}

impl<G: fmt::Debug> Error for TimedLockError<G> {}
