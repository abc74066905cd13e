//! Guards of a part of the value.

use super::{Alarm, PoisonMutexGuard};
use crate::mutex::{MappedMutexGuard, MutexGuard};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// The right to use a part of the value of a [`PoisonMutex`](super::PoisonMutex). Dropping it releases the lock of the whole; if that is
/// by a panic that has begun since the lock was taken, the mutex is poisoned.
///
/// Made by [`PoisonMutexGuard::map`]. It cannot wait on a [`Condvar`](crate::Condvar): while the lock is released the part may go away.
///
/// # Waiting
/// As [`Mutex`](crate::Mutex). Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MappedPoisonMutexGuard<'a, U: ?Sized> {
    /// Dropped before the lock is released.
    alarm: Alarm<'a>,
    guard: MappedMutexGuard<'a, U>,
}

impl<'a, T: ?Sized> PoisonMutexGuard<'a, T> {
    /// A guard of the part of the value that `part` picks. If that panics, the mutex is poisoned and the lock released.
    ///
    /// # Examples
    /// ```
    /// use sync::extra::{PoisonMutex, PoisonMutexGuard};
    ///
    /// let mutex = PoisonMutex::new((1, String::from("one")));
    /// let mut name = PoisonMutexGuard::map(mutex.lock().unwrap(), |(_, name)| name);
    /// name.push('!');
    /// drop(name);
    /// assert_eq!(mutex.lock().unwrap().1, "one!");
    /// ```
    pub fn map<U: ?Sized>(guard: Self, part: impl FnOnce(&mut T) -> &mut U) -> MappedPoisonMutexGuard<'a, U> {
        let PoisonMutexGuard { alarm, guard, .. } = guard;
        let since = alarm.off();
        let guard = MutexGuard::map(guard, |value| {
            let _alarm = Alarm(since);
            part(value)
        });
        MappedPoisonMutexGuard { alarm: Alarm(since), guard }
    }

    /// As [`map`](PoisonMutexGuard::map), if there is such a part.
    ///
    /// # Errors
    /// The guard itself if there is not.
    pub fn filter_map<U: ?Sized>(
        guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedPoisonMutexGuard<'a, U>, Self> {
        let PoisonMutexGuard { whole, alarm, guard } = guard;
        let since = alarm.off();
        let part = MutexGuard::filter_map(guard, |value| {
            let _alarm = Alarm(since);
            part(value)
        });
        match part {
            Ok(guard) => Ok(MappedPoisonMutexGuard { alarm: Alarm(since), guard }),
            Err(guard) => Err(PoisonMutexGuard { whole, alarm: Alarm(since), guard }),
        }
    }
}

impl<'a, U: ?Sized> MappedPoisonMutexGuard<'a, U> {
    /// As [`PoisonMutexGuard::map`].
    pub fn map<V: ?Sized>(guard: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedPoisonMutexGuard<'a, V> {
        let MappedPoisonMutexGuard { alarm, guard } = guard;
        let since = alarm.off();
        let guard = MappedMutexGuard::map(guard, |value| {
            let _alarm = Alarm(since);
            part(value)
        });
        MappedPoisonMutexGuard { alarm: Alarm(since), guard }
    }

    /// As [`PoisonMutexGuard::filter_map`].
    ///
    /// # Errors
    /// The guard itself if there is no such part.
    pub fn filter_map<V: ?Sized>(
        guard: Self,
        part: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<MappedPoisonMutexGuard<'a, V>, Self> {
        let MappedPoisonMutexGuard { alarm, guard } = guard;
        let since = alarm.off();
        let part = MappedMutexGuard::filter_map(guard, |value| {
            let _alarm = Alarm(since);
            part(value)
        });
        match part {
            Ok(guard) => Ok(MappedPoisonMutexGuard { alarm: Alarm(since), guard }),
            Err(guard) => Err(MappedPoisonMutexGuard { alarm: Alarm(since), guard }),
        }
    }
}

// As the guard of the whole.
impl<U: ?Sized> UnwindSafe for MappedPoisonMutexGuard<'_, U> {}
impl<U: ?Sized + RefUnwindSafe> RefUnwindSafe for MappedPoisonMutexGuard<'_, U> {}

impl<U: ?Sized> Deref for MappedPoisonMutexGuard<'_, U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.guard
    }
}

impl<U: ?Sized> DerefMut for MappedPoisonMutexGuard<'_, U> {
    fn deref_mut(&mut self) -> &mut U {
        &mut self.guard
    }
}

impl<U: ?Sized + fmt::Debug> fmt::Debug for MappedPoisonMutexGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<U: ?Sized + fmt::Display> fmt::Display for MappedPoisonMutexGuard<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
