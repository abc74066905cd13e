//! Many readers or one writer.
//!
//! P. Courtois, F. Heymans, D. Parnas, "Concurrent Control with 'Readers' and 'Writers'" (CACM 14(10), 1971) has the two
//! classical answers, of which one starves writers and the other readers. Here they take turns once somebody has waited for
//! long: phase-fair, after B. Brandenburg and J. Anderson (2009), see `rwlock/state.rs`. Readers that meet on several CPUs
//! stop sharing a cache line: BRAVO, after D. Dice and A. Kogan (2019), see `rwlock/raw.rs`. What that costs, and how it is
//! learned when it pays, is said in `docs/design/rwlock.md`: a lock is large, and the first write after many reads is slow.

mod bias;
mod guards;
mod index;
mod mapped;
pub(crate) mod raw;

mod slots;
mod state;
pub(crate) mod word;

use crate::check::Site;
use crate::error::TimedOut;
use crate::primitive::const_but_for_loom;
use crate::timer;
use raw::RawRwLock;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};
use word::Want;

pub use guards::{RwLockReadGuard, RwLockUpgradableGuard, RwLockWriteGuard};
pub use mapped::{MappedReadGuard, MappedWriteGuard};

/// A value that many threads, coroutines and async tasks read at once, or one of them writes.
///
/// # Who gets it
/// Whoever comes while it can be had takes it, until somebody has waited for 100 µs: then those who come now queue up
/// behind him. Readers and writers take turns: after a writer come all the readers that have waited, and after them a
/// writer. So neither starves. A task that has been told that it is its turn and is not polled keeps the others out for a
/// millisecond; where all who wait are tasks that sleep, one of them is woken for that, a little later.
///
/// # Reading while one reads
/// Whoever reads and calls [`read`](RwLock::read) again may wait for a writer that waits for him, and then both wait for
/// ever. [`read_recursive`](RwLock::read_recursive) goes before all who wait, which starves writers if it is used by
/// everybody.
///
/// # Upgrading
/// Of those who read, one at a time may hold an *upgradable* read, from which [`upgrade`](RwLockUpgradableGuard::upgrade)
/// leads to writing with nobody writing in between. Two plain readers who both waited to write would wait for each other;
/// there is no way to ask for that.
///
/// # What it costs
/// While readers on different CPUs meet at the lock and nobody writes, each of them notes in a cache line of its own that
/// it reads: some 4 ns for a read and its end, on as many CPUs as there are. The first writer after that waits for a
/// barrier on all CPUs, up to 16 µs, and how soon the lock goes back to that is so chosen that this is a thousandth of the
/// time where times of reading are short, and some hundredths at worst. The lines, 128 bytes each, four for each CPU and at most
/// 128, are allocated once, when a lock first needs them; nothing else allocates.
///
/// It is not poisoned: a panic while writing releases it, and the next one sees what the panic left. Guards may be sent to
/// another thread and held across an `.await`. A guard that is forgotten holds the lock for ever.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions,
///   and [`try_write`](RwLock::try_write) for a barrier on all CPUs.
/// - **Allocates** nothing. The lines above are allocated by a reader, once.
/// - **Order**: as said [above](#who-gets-it).
/// - **Dropped** while it waits, a future leaves the queue in constant time; if it had been told, the next one is.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end, and
///   out of no guard and no future that is dropped; the lock is as it should be.
///
/// # Examples
/// ```
/// use sync::RwLock;
/// use sync::rwlock::RwLockUpgradableGuard;
///
/// let words = RwLock::new(vec!["one"]);
/// assert_eq!(*words.read(), ["one"]);
/// words.write().push("two");
/// let seen = words.upgradable_read();
/// if !seen.contains(&"three") {
///     RwLockUpgradableGuard::upgrade(seen).push("three");
/// }
/// assert_eq!(*words.read(), ["one", "two", "three"]);
/// ```
#[doc(alias = "SharedMutex")]
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value goes from thread to thread with the lock, which needs `T: Send`.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}

// SAFETY: as above; and readers share it, which needs `T: Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    const_but_for_loom! {
        /// A free lock around `value`. Allocates nothing.
        pub fn new(value: T) -> Self {
            RwLock { raw: RawRwLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// The value. Nobody can hold the lock, for this is the only reference.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// Reading.
impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes. Blocks this thread, or this coroutine only; deadlocks if that writes, and may if it
    /// [reads](RwLock#reading-while-one-reads).
    #[inline]
    #[doc(alias = "rdlock")]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(self, self.raw.read())
    }

    /// Reads if nobody writes and nobody has waited to write for too long.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.try_acquire(Want::Read).map(|place| RwLockReadGuard::new(self, place))
    }

    /// Waits until nobody writes, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still did by then.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn read_timeout(&self, limit: Duration) -> Result<RwLockReadGuard<'_, T>, TimedOut> {
        let place = self.raw.acquire_until(Want::Read, after(limit)).ok_or(TimedOut)?;
        Ok(RwLockReadGuard::new(self, place))
    }

    /// Waits until nobody writes.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves the queue; what it was told goes to the others.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn read_async(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        self.read_async_at(Site::here())
    }

    /// As [`read_async`](RwLock::read_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn read_async_at(&self, site: Site) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        async move { RwLockReadGuard::new(self, self.raw.acquire_async(Want::Read, site).await) }
    }

    /// Waits until nobody writes, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still did by then.
    ///
    /// # Cancel safety
    /// As [`read_async`](RwLock::read_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn read_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<RwLockReadGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.read_async())
    }

    /// As [`read`](RwLock::read), before all who wait, for those who read already. Blocks while somebody writes.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(self, self.raw.acquire(Want::ReadAgain))
    }

    /// As [`try_read`](RwLock::try_read), before all who wait: fails only while somebody writes.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.try_acquire(Want::ReadAgain).map(|place| RwLockReadGuard::new(self, place))
    }
}

/// Reading in order to write.
impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes and nobody else may upgrade. Others may read meanwhile. Blocks this thread, or this
    /// coroutine only.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgradable_read(&self) -> RwLockUpgradableGuard<'_, T> {
        self.raw.acquire(Want::Upgradable);
        RwLockUpgradableGuard::new(self)
    }

    /// Takes the upgradable read, if it can be had at once.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableGuard<'_, T>> {
        self.raw.try_acquire(Want::Upgradable).map(|_| RwLockUpgradableGuard::new(self))
    }

    /// Waits for the upgradable read, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it could not be had by then.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgradable_read_timeout(&self, limit: Duration) -> Result<RwLockUpgradableGuard<'_, T>, TimedOut> {
        let taken = self.raw.acquire_until(Want::Upgradable, after(limit));
        taken.map(|_| RwLockUpgradableGuard::new(self)).ok_or(TimedOut)
    }

    /// Waits for the upgradable read.
    ///
    /// # Cancel safety
    /// As [`read_async`](RwLock::read_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgradable_read_async(&self) -> impl Future<Output = RwLockUpgradableGuard<'_, T>> {
        self.upgradable_read_async_at(Site::here())
    }

    /// As [`upgradable_read_async`](RwLock::upgradable_read_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn upgradable_read_async_at(
        &self,
        site: Site,
    ) -> impl Future<Output = RwLockUpgradableGuard<'_, T>> {
        async move {
            self.raw.acquire_async(Want::Upgradable, site).await;
            RwLockUpgradableGuard::new(self)
        }
    }

    /// Waits for the upgradable read, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it could not be had by then.
    ///
    /// # Cancel safety
    /// As [`read_async`](RwLock::read_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgradable_read_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<RwLockUpgradableGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.upgradable_read_async())
    }
}

/// Writing.
impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody reads or writes. Blocks this thread, or this coroutine only; deadlocks if that reads or writes.
    #[inline]
    #[doc(alias = "wrlock")]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.raw.write();
        RwLockWriteGuard::new(self)
    }

    /// Writes if nobody reads or writes. Waits for nobody; where readers have met lately, it makes a barrier on all CPUs, up to
    /// 16 µs.
    #[inline]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.raw.try_acquire(Want::Write).map(|_| RwLockWriteGuard::new(self))
    }

    /// Waits until nobody reads or writes, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still did by then.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn write_timeout(&self, limit: Duration) -> Result<RwLockWriteGuard<'_, T>, TimedOut> {
        let taken = self.raw.acquire_until(Want::Write, after(limit));
        taken.map(|_| RwLockWriteGuard::new(self)).ok_or(TimedOut)
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Cancel safety
    /// As [`read_async`](RwLock::read_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn write_async(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        self.write_async_at(Site::here())
    }

    /// As [`write_async`](RwLock::write_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(crate) fn write_async_at(&self, site: Site) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        async move {
            self.raw.acquire_async(Want::Write, site).await;
            RwLockWriteGuard::new(self)
        }
    }

    /// Waits until nobody reads or writes, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still did by then.
    ///
    /// # Cancel safety
    /// As [`read_async`](RwLock::read_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn write_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<RwLockWriteGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.write_async())
    }

    /// The value, without locking: this is the only reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

/// Asking.
impl<T: ?Sized> RwLock<T> {
    /// What the deadlock checker knows the lock by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &crate::check::Tag {
        self.raw.tag()
    }

    /// Whether somebody reads or writes now.
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.raw.is_held_now()
    }

    /// Whether somebody writes now.
    #[must_use]
    pub fn is_write_locked(&self) -> bool {
        self.raw.is_written_now()
    }
}

/// A time beyond what the clock can say is never reached.
fn after(limit: Duration) -> Option<Instant> {
    Instant::now().checked_add(limit)
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            Some(guard) => f.debug_struct("RwLock").field("value", &&*guard).finish(),
            None => f.write_str("RwLock { <locked> }"),
        }
    }
}
