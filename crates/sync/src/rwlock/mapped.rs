//! The rights to read and to write a part of the value.

use super::raw::{Place, RawRwLock};
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// The right to read a part of the value of an [`RwLock`](crate::RwLock), see [`map`](crate::RwLockReadGuard::map).
/// Dropping it gives it up.
///
/// # Waiting
/// As [`RwLock`](crate::RwLock). Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MappedReadGuard<'a, U: ?Sized> {
    lock: &'a RawRwLock,
    place: Place,
    /// Not a reference, which would have to be good until the end of a drop, in which the lock is released.
    part: NonNull<U>,
    _part: PhantomData<&'a U>,
}

/// The right to write a part of the value of an [`RwLock`](crate::RwLock), see [`map`](crate::RwLockWriteGuard::map).
/// Dropping it gives it up.
///
/// # Waiting
/// As [`RwLock`](crate::RwLock). Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MappedWriteGuard<'a, U: ?Sized> {
    lock: &'a RawRwLock,
    part: NonNull<U>,
    _part: PhantomData<&'a mut U>,
}

// SAFETY: it gives `&U` on whichever thread it is, which needs `U: Sync`; the lock may be released by any thread.
unsafe impl<U: ?Sized + Sync> Send for MappedReadGuard<'_, U> {}

// SAFETY: as above.
unsafe impl<U: ?Sized + Sync> Sync for MappedReadGuard<'_, U> {}

// SAFETY: it gives `&mut U` on whichever thread it is, which needs `U: Send`; the lock may be released by any thread.
unsafe impl<U: ?Sized + Send> Send for MappedWriteGuard<'_, U> {}

// SAFETY: a shared guard gives `&U`, which needs `U: Sync`.
unsafe impl<U: ?Sized + Sync> Sync for MappedWriteGuard<'_, U> {}

impl<'a, U: ?Sized> MappedReadGuard<'a, U> {
    pub(super) fn new(lock: &'a RawRwLock, place: Place, part: NonNull<U>) -> Self {
        MappedReadGuard { lock, place, part, _part: PhantomData }
    }

    /// The right to read a part of the part.
    pub fn map<V: ?Sized>(guard: Self, part: impl FnOnce(&U) -> &V) -> MappedReadGuard<'a, V> {
        let part = NonNull::from(part(&guard));
        let guard = mem::ManuallyDrop::new(guard);
        MappedReadGuard::new(guard.lock, guard.place, part)
    }
}

impl<'a, U: ?Sized> MappedWriteGuard<'a, U> {
    pub(super) fn new(lock: &'a RawRwLock, part: NonNull<U>) -> Self {
        MappedWriteGuard { lock, part, _part: PhantomData }
    }

    /// The right to write a part of the part.
    pub fn map<V: ?Sized>(mut guard: Self, part: impl FnOnce(&mut U) -> &mut V) -> MappedWriteGuard<'a, V> {
        let part = NonNull::from(part(&mut guard));
        let guard = mem::ManuallyDrop::new(guard);
        MappedWriteGuard::new(guard.lock, part)
    }
}

impl<U: ?Sized> Deref for MappedReadGuard<'_, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: it is a part of the value, which nobody writes while the guard lives.
        unsafe { self.part.as_ref() }
    }
}

impl<U: ?Sized> Deref for MappedWriteGuard<'_, U> {
    type Target = U;

    fn deref(&self) -> &U {
        // SAFETY: it is a part of the value, which the guard alone may use.
        unsafe { self.part.as_ref() }
    }
}

impl<U: ?Sized> DerefMut for MappedWriteGuard<'_, U> {
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: it is a part of the value, which the guard alone may use, and the guard is borrowed exclusively.
        unsafe { self.part.as_mut() }
    }
}

impl<U: ?Sized> Drop for MappedReadGuard<'_, U> {
    fn drop(&mut self) {
        self.lock.release_read(self.place);
    }
}

impl<U: ?Sized> Drop for MappedWriteGuard<'_, U> {
    fn drop(&mut self) {
        self.lock.release_write();
    }
}
