//! The guards that can wait.

use crate::check::Site;
use crate::mutex::{ArcMutexGuard, Mutex, MutexGuard};
use crate::rwlock::{RwLock, RwLockReadGuard, RwLockUpgradableGuard, RwLockWriteGuard};
use std::future::Future;
use std::sync::Arc;

/// A guard whose lock a [`Condvar`](super::Condvar) can release and take again: that of a `Mutex` in its several forms, each of a
/// `RwLock`, and an owner's only one of an [`RLock`](crate::extra::RLock).
///
/// Guards of a part, such as [`MappedMutexGuard`](crate::mutex::MappedMutexGuard), are none of these: they do not know how the part was
/// found in the whole, and while the lock is released, others may move it or drop it. Wait with the guard of the whole, and map it
/// after that.
///
/// It cannot be implemented elsewhere: who waits relies on the lock being released, and being taken again.
///
/// # Waiting
/// As [`Condvar`](super::Condvar).
pub trait Guard: Sized + Sealed {
    /// What the lock protects; the guard itself where that gives a shared reference only.
    type Value: ?Sized;

    /// What comes back from a wait: the guard, or what says that the value was spoiled meanwhile and has the guard in it.
    type Back;

    /// What the lock can be taken again by.
    #[doc(hidden)]
    type Lock;

    /// What a condition looks at.
    #[doc(hidden)]
    fn value(&mut self) -> &mut Self::Value;

    /// Gives the lock up.
    #[doc(hidden)]
    fn release(self) -> Self::Lock;

    /// Takes the lock again. Blocks.
    #[doc(hidden)]
    #[cfg_attr(feature = "check", track_caller)]
    fn lock(lock: Self::Lock) -> Self;

    /// Takes the lock again, for a wait that began there. Its future may be dropped.
    #[doc(hidden)]
    fn lock_async(lock: Self::Lock, site: Site) -> impl Future<Output = Self>;

    /// The guard, to look at the value; or what comes back from the wait, where there is no use in looking.
    ///
    /// One answer, and not a question before `back`: poison can be cleared in between, and then `back` would not say why nobody
    /// looked.
    #[doc(hidden)]
    fn checked(self) -> Result<Self, Self::Back> {
        Ok(self)
    }

    #[doc(hidden)]
    fn back(self) -> Self::Back;
}

/// Has no name outside this crate.
pub trait Sealed {}

impl<T: ?Sized> Sealed for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> Guard for MutexGuard<'a, T> {
    type Value = T;
    type Back = Self;
    type Lock = &'a Mutex<T>;

    fn value(&mut self) -> &mut T {
        self
    }

    fn release(self) -> &'a Mutex<T> {
        MutexGuard::mutex(&self)
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock(mutex: &'a Mutex<T>) -> Self {
        mutex.lock()
    }

    fn lock_async(mutex: &'a Mutex<T>, site: Site) -> impl Future<Output = Self> {
        mutex.lock_async_at(site)
    }

    fn back(self) -> Self {
        self
    }
}

impl<T: ?Sized> Sealed for ArcMutexGuard<T> {}

impl<T: ?Sized> Guard for ArcMutexGuard<T> {
    type Value = T;
    type Back = Self;
    type Lock = Arc<Mutex<T>>;

    fn value(&mut self) -> &mut T {
        self
    }

    fn release(self) -> Arc<Mutex<T>> {
        ArcMutexGuard::unlock(self)
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock(mutex: Arc<Mutex<T>>) -> Self {
        ArcMutexGuard::lock(mutex)
    }

    fn lock_async(mutex: Arc<Mutex<T>>, site: Site) -> impl Future<Output = Self> {
        ArcMutexGuard::lock_async(mutex, site)
    }

    fn back(self) -> Self {
        self
    }
}

/// Readers have a shared reference only, so what a condition looks at is the guard itself.
macro_rules! of_a_rwlock {
    ($($guard:ident, $value:ty, $lock:ident, $lock_async_at:ident;)*) => {$(
        impl<T: ?Sized> Sealed for $guard<'_, T> {}

        impl<'a, T: ?Sized> Guard for $guard<'a, T> {
            type Value = $value;
            type Back = Self;
            type Lock = &'a RwLock<T>;

            fn value(&mut self) -> &mut $value {
                self
            }

            fn release(self) -> &'a RwLock<T> {
                $guard::rwlock(&self)
            }

            #[cfg_attr(feature = "check", track_caller)]
            fn lock(rwlock: &'a RwLock<T>) -> Self {
                rwlock.$lock()
            }

            fn lock_async(rwlock: &'a RwLock<T>, site: Site) -> impl Future<Output = Self> {
                rwlock.$lock_async_at(site)
            }

            fn back(self) -> Self {
                self
            }
        }
    )*};
}

of_a_rwlock! {
    RwLockWriteGuard, T, write, write_async_at;
    RwLockReadGuard, Self, read, read_async_at;
    RwLockUpgradableGuard, Self, upgradable_read, upgradable_read_async_at;
}
