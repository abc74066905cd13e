//! The rights to read and to write.

use super::RwLock;
use super::mapped::{MappedReadGuard, MappedWriteGuard};
use super::raw::Place;
use super::word::Want;
use super::{after, timer};
use crate::check::Site;
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// The right to read the value of an [`RwLock`]. Dropping it gives it up.
///
/// # Waiting
/// As [`RwLock`]. Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    place: Place,
}

/// The right to read the value of an [`RwLock`], and to go on to write. One at a time has it. Dropping it gives it up.
///
/// # Waiting
/// As [`RwLock`]. Who upgrades goes before all who wait to write. A future that is dropped drops the guard with it.
#[must_use = "the lock is released when the guard is dropped"]
pub struct RwLockUpgradableGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
}

/// The right to write the value of an [`RwLock`]. Dropping it gives it up.
///
/// # Waiting
/// As [`RwLock`]. Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>, place: Place) -> Self {
        RwLockReadGuard { lock, place }
    }

    /// The lock that the guard holds.
    #[must_use]
    pub fn rwlock(guard: &Self) -> &'a RwLock<T> {
        guard.lock
    }

    /// The right to read a part of the value. If `part` panics, the lock is released.
    ///
    /// # Examples
    /// ```
    /// use sync::{RwLock, RwLockReadGuard};
    ///
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.read(), |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// ```
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&T) -> &U) -> MappedReadGuard<'a, U> {
        let part = std::ptr::NonNull::from(part(&guard));
        let guard = mem::ManuallyDrop::new(guard);
        MappedReadGuard::new(&guard.lock.raw, guard.place, part)
    }
}

impl<'a, T: ?Sized> RwLockUpgradableGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        RwLockUpgradableGuard { lock }
    }

    /// The lock that the guard holds.
    #[must_use]
    pub fn rwlock(guard: &Self) -> &'a RwLock<T> {
        guard.lock
    }

    /// Waits until all others have stopped to read, and writes; nobody has written in between. Blocks; deadlocks if this
    /// thread holds another read of the lock.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgrade(guard: Self) -> RwLockWriteGuard<'a, T> {
        guard.lock.raw.acquire(Want::Upgrade);
        guard.upgraded()
    }

    /// Writes, if nobody else reads.
    ///
    /// # Errors
    /// The guard, if somebody does.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        match guard.lock.raw.try_acquire(Want::Upgrade) {
            Some(_) => Ok(guard.upgraded()),
            None => Err(guard),
        }
    }

    /// Waits until all others have stopped to read, at most `limit`. Blocks.
    ///
    /// # Errors
    /// The guard, if somebody still did by then.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgrade_timeout(guard: Self, limit: Duration) -> Result<RwLockWriteGuard<'a, T>, Self> {
        match guard.lock.raw.acquire_until(Want::Upgrade, after(limit)) {
            Some(_) => Ok(guard.upgraded()),
            None => Err(guard),
        }
    }

    /// Waits until all others have stopped to read.
    ///
    /// # Cancel safety
    /// A future that is dropped drops the guard with it: the upgradable read is given up.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgrade_async(guard: Self) -> impl Future<Output = RwLockWriteGuard<'a, T>> {
        let site = Site::here();
        async move {
            guard.lock.raw.acquire_async(Want::Upgrade, site).await;
            guard.upgraded()
        }
    }

    /// Waits until all others have stopped to read, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// The guard, if somebody still did by then.
    ///
    /// # Cancel safety
    /// As [`upgrade_async`](RwLockUpgradableGuard::upgrade_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn upgrade_async_timeout(
        guard: Self,
        limit: Duration,
    ) -> impl Future<Output = Result<RwLockWriteGuard<'a, T>, Self>> {
        let site = Site::here();
        async move {
            match timer::timeout(limit, guard.lock.raw.acquire_async(Want::Upgrade, site)).await {
                Ok(_) => Ok(guard.upgraded()),
                Err(_) => Err(guard),
            }
        }
    }

    /// Goes on as a plain reader, so that another may upgrade. Does not wait.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let guard = mem::ManuallyDrop::new(guard);
        RwLockReadGuard::new(guard.lock, guard.lock.raw.upgradable_to_read())
    }

    /// The word says that we write.
    fn upgraded(self) -> RwLockWriteGuard<'a, T> {
        let guard = mem::ManuallyDrop::new(self);
        RwLockWriteGuard::new(guard.lock)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(lock: &'a RwLock<T>) -> Self {
        RwLockWriteGuard { lock }
    }

    /// The lock that the guard holds.
    #[must_use]
    pub fn rwlock(guard: &Self) -> &'a RwLock<T> {
        guard.lock
    }

    /// Goes on as a reader; nobody writes in between. Does not wait.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let guard = mem::ManuallyDrop::new(guard);
        RwLockReadGuard::new(guard.lock, guard.lock.raw.write_to_read())
    }

    /// Goes on as a reader who may upgrade; nobody writes in between. Does not wait.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableGuard<'a, T> {
        let guard = mem::ManuallyDrop::new(guard);
        guard.lock.raw.write_to_upgradable();
        RwLockUpgradableGuard::new(guard.lock)
    }

    /// The right to write a part of the value. If `part` panics, the lock is released.
    pub fn map<U: ?Sized>(mut guard: Self, part: impl FnOnce(&mut T) -> &mut U) -> MappedWriteGuard<'a, U> {
        let part = std::ptr::NonNull::from(part(&mut guard));
        let guard = mem::ManuallyDrop::new(guard);
        MappedWriteGuard::new(&guard.lock.raw, part)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard reads, so nobody writes the value while it lives.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockUpgradableGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard reads, so nobody writes the value while it lives.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard alone has the lock, and while it is borrowed nobody writes by it.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard alone has the lock, and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.release_read(self.place);
    }
}

impl<T: ?Sized> Drop for RwLockUpgradableGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.raw.release_upgradable();
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.release_write();
    }
}

macro_rules! shows_its_value {
    ($($guard:ident),*) => {$(
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}

shows_its_value!(RwLockReadGuard, RwLockUpgradableGuard, RwLockWriteGuard, MappedReadGuard, MappedWriteGuard);
