//! What a [`Queue`](super::Queue) is inside: one of a few designs, each the best for some capacities.
//!
//! - [`Ring`]: two sides that move along the same slots; for everything that has room.

#![expect(unsafe_code, reason = "nothing is asked of the callers of a ring that many use at both ends")]

use super::error::{GetError, PutError, Refusal};
use super::ring::{NO_BOUND, Ring};
use super::side::Many;
use super::waits::Get;
use crate::primitive::const_but_for_loom;
use crate::timer;
use std::pin::pin;
use std::time::{Duration, Instant};

pub(super) enum Flavour<T> {
    Ring(Ring<T, Many, Many>),
}

/// The future of [`Flavour::next`].
pub(super) type GetNext<'a, T> = Get<'a, T, Many, Many>;

impl<T> Flavour<T> {
    const_but_for_loom! {
        pub(super) fn unbounded() -> Self {
            Flavour::Ring(Ring::new(NO_BOUND))
        }
    }

    const_but_for_loom! {
        pub(super) fn bounded(capacity: usize) -> Self {
            Flavour::Ring(Ring::new(capacity))
        }
    }

    #[inline]
    pub(super) fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.try_put(item) },
        }
    }

    #[inline]
    pub(super) fn put(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.put(item, deadline) },
        }
    }

    #[inline]
    pub(super) async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
        match self {
            Flavour::Ring(ring) => {
                // SAFETY: producers are many.
                let mut put = pin!(unsafe { ring.put_future(Some(item)) });
                let done = put.as_mut().await;
                put.with_item(done)
            }
        }
    }

    pub(super) async fn put_async_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        match self {
            Flavour::Ring(ring) => {
                // SAFETY: producers are many.
                let mut put = pin!(unsafe { ring.put_future(Some(item)) });
                let done = timer::timeout(limit, put.as_mut()).await;
                put.with_item(done.unwrap_or(Err(Refusal::TimedOut)))
            }
        }
    }

    /// As [`put_async`](Flavour::put_async); an item that is refused stays where it is.
    pub(super) async fn put_from_async(&self, item: &mut Option<T>) -> Result<(), Refusal> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.put_future(item) }.await,
        }
    }

    #[inline]
    pub(super) fn try_get(&self) -> Result<T, GetError> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.try_get() },
        }
    }

    #[inline]
    pub(super) fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.get(deadline) },
        }
    }

    #[inline]
    pub(super) async fn get_async(&self) -> Result<T, GetError> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.get_future() }.await,
        }
    }

    /// As [`get_async`](Flavour::get_async), with a name.
    pub(super) fn next(&self) -> GetNext<'_, T> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.get_future() },
        }
    }

    pub(super) fn close(&self) {
        match self {
            Flavour::Ring(ring) => ring.close(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Flavour::Ring(ring) => ring.is_closed(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.len(),
        }
    }

    /// How many items were put, ever. It wraps.
    pub(super) fn put_count(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.put_count(),
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match self {
            Flavour::Ring(ring) => Some(ring.capacity()).filter(|capacity| *capacity < NO_BOUND),
        }
    }

    /// How many wait, at both ends.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.waiting(),
        }
    }
}
