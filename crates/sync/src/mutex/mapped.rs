//! Guards of a part of a mutex's value, and what a guard can do but give the value.

use super::{Mutex, MutexGuard};
use crate::lock::RawLock;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};

/// The right to use a part of a mutex's value. Dropping it releases the lock of the whole.
///
/// Made by [`MutexGuard::map`]. It cannot wait on a [`Condvar`](crate::Condvar): while the lock is released the part may go away.
///
/// # Waiting
/// As [`Mutex`](super::Mutex). Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MappedMutexGuard<'a, U: ?Sized> {
    lock: &'a RawLock,
    /// Points into the value of the mutex that `lock` belongs to, which it holds.
    value: *mut U,
    _exclusive: PhantomData<&'a mut U>,
}

// SAFETY: it is `&mut U` and a lock, which may be released on any thread.
unsafe impl<U: ?Sized + Send> Send for MappedMutexGuard<'_, U> {}

// SAFETY: shared, it gives `&U` and nothing else.
unsafe impl<U: ?Sized + Sync> Sync for MappedMutexGuard<'_, U> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that the guard holds.
    #[must_use]
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }

    /// A guard of the part of the value that `part` picks. If that panics, the lock is released.
    ///
    /// # Examples
    /// ```
    /// use sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new((1, String::from("one")));
    /// let mut name = MutexGuard::map(mutex.lock(), |(_, name)| name);
    /// name.push('!');
    /// drop(name);
    /// assert_eq!(mutex.lock().1, "one!");
    /// ```
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&mut T) -> &mut U) -> MappedMutexGuard<'a, U> {
        MappedMutexGuard::map(MappedMutexGuard::whole(guard), part)
    }

    /// As [`map`](MutexGuard::map), if there is such a part.
    ///
    /// # Errors
    /// The guard itself if there is not.
    pub fn filter_map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        match part(&mut guard).map(|part| part as *mut U) {
            None => Err(guard),
            Some(part) => Ok(MappedMutexGuard::whole(guard).narrowed(part)),
        }
    }

    /// Releases the lock, does something else, and takes the lock again. Blocks as [`lock`](Mutex::lock).
    ///
    /// The value may be another by then. If `meanwhile` panics, the lock stays released.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn unlocked<R>(guard: Self, meanwhile: impl FnOnce() -> R) -> (Self, R) {
        let mutex = guard.mutex;
        drop(guard);
        let result = meanwhile();
        (mutex.lock(), result)
    }

    /// Releases the lock and hands it to whoever has waited longest, if anybody waits, even if he has not waited for long.
    ///
    /// Dropping the guard lets whoever comes first have it, which is faster; who has waited for some time is handed it all the
    /// same. This is for an owner that will not be back soon, or takes the lock again at once and wants the others to come in between.
    #[doc(alias = "unlock_fair")]
    pub fn hand_over(guard: Self) {
        let guard = mem::ManuallyDrop::new(guard);
        guard.mutex.lock.release_to_the_first();
    }
}

impl<'a, U: ?Sized> MappedMutexGuard<'a, U> {
    /// As [`MutexGuard::map`].
    pub fn map<V: ?Sized>(mut guard: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedMutexGuard<'a, V> {
        let part = part(&mut guard) as *mut V;
        guard.narrowed(part)
    }

    /// As [`MutexGuard::filter_map`].
    ///
    /// # Errors
    /// The guard itself if there is no such part.
    pub fn filter_map<V: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<MappedMutexGuard<'a, V>, Self> {
        match part(&mut guard).map(|part| part as *mut V) {
            None => Err(guard),
            Some(part) => Ok(guard.narrowed(part)),
        }
    }

    fn whole(guard: MutexGuard<'a, U>) -> Self {
        let mutex = mem::ManuallyDrop::new(guard).mutex;
        MappedMutexGuard { lock: &mutex.lock, value: mutex.value.get(), _exclusive: PhantomData }
    }

    /// The same lock with another pointer, which was made from the one before.
    fn narrowed<V: ?Sized>(self, value: *mut V) -> MappedMutexGuard<'a, V> {
        let lock = mem::ManuallyDrop::new(self).lock;
        MappedMutexGuard { lock, value, _exclusive: PhantomData }
    }
}

impl<U: ?Sized> Deref for MappedMutexGuard<'_, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: it points into a value whose lock is held, so nobody writes it while the guard is borrowed.
        unsafe { &*self.value }
    }
}

impl<U: ?Sized> DerefMut for MappedMutexGuard<'_, U> {
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as above; the guard is borrowed exclusively, so nobody else uses the value.
        unsafe { &mut *self.value }
    }
}

impl<U: ?Sized> Drop for MappedMutexGuard<'_, U> {
    fn drop(&mut self) {
        self.lock.release();
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for MappedMutexGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for MappedMutexGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
