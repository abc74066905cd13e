//! What a [`Queue`](super::Queue) is inside: one of a few designs, each the best for some capacities.
//!
//! - [`Ring`]: two sides that move along the same slots; for everything that has room.
//! - [`Hand`]: one line, and items that go from frame to frame; for one place and for none.

#![expect(
    unsafe_code,
    reason = "nothing is asked of the callers of a ring that many use at both ends; futures are pinned"
)]

use super::error::{GetError, PutError, Refusal};
use super::hand::{self, Hand};
use super::ring::{NO_BOUND, Ring};
use super::side::Many;
use super::waits::Get;
use crate::primitive::const_but_for_loom;
use crate::timer;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

#[expect(
    clippy::large_enum_variant,
    reason = "a queue is not moved, and boxing would cost each operation a line"
)]
pub(super) enum Flavour<T> {
    Ring(Ring<T, Many, Many>),
    Hand(Hand<T>),
}

/// The future of [`Flavour::next`].
pub(super) enum GetNext<'a, T> {
    Ring(Get<'a, T, Many, Many>),
    Hand(hand::Get<'a, T>),
}

impl<T> Flavour<T> {
    const_but_for_loom! {
        pub(super) fn unbounded() -> Self {
            Flavour::Ring(Ring::new(NO_BOUND))
        }
    }

    const_but_for_loom! {
        pub(super) fn bounded(capacity: usize) -> Self {
            match capacity {
                0 | 1 => Flavour::Hand(Hand::new(capacity == 1)),
                capacity => Flavour::Ring(Ring::new(capacity)),
            }
        }
    }

    #[inline]
    pub(super) fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.try_put(item) },
            Flavour::Hand(hand) => hand.try_put(item),
        }
    }

    #[inline]
    pub(super) fn put(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.put(item, deadline) },
            Flavour::Hand(hand) => hand.put(item, deadline),
        }
    }

    #[inline]
    pub(super) async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
        match self {
            Flavour::Ring(ring) => {
                // Mostly there is room, and no future is made.
                if let Some(found) = ring.room_at_hand() {
                    // SAFETY: this is where the room was found, and nobody is to be told.
                    unsafe { ring.fill_in_silence(&found, item) };
                    return Ok(());
                }
                // SAFETY: producers are many.
                let mut put = pin!(unsafe { ring.put_future(Some(item)) });
                let done = put.as_mut().await;
                put.with_item(done)
            }
            Flavour::Hand(hand) => hand.put_async(item).await,
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
            Flavour::Hand(hand) => hand.put_async_timeout(item, limit).await,
        }
    }

    /// As [`put_async`](Flavour::put_async); an item that is refused stays where it is.
    pub(super) async fn put_from_async(&self, item: &mut Option<T>) -> Result<(), Refusal> {
        match self {
            // SAFETY: producers are many.
            Flavour::Ring(ring) => unsafe { ring.put_future(item) }.await,
            Flavour::Hand(hand) => hand.offer(item).await,
        }
    }

    #[inline]
    pub(super) fn try_get(&self) -> Result<T, GetError> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.try_get() },
            Flavour::Hand(hand) => hand.try_get(),
        }
    }

    #[inline]
    pub(super) fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => unsafe { ring.get(deadline) },
            Flavour::Hand(hand) => hand.get(deadline),
        }
    }

    #[inline]
    pub(super) async fn get_async(&self) -> Result<T, GetError> {
        match self {
            Flavour::Ring(ring) => {
                // Mostly there is an item, and no future is made.
                if let Some(found) = ring.item_at_hand() {
                    // SAFETY: this is where the item was found, and nobody is to be told.
                    return Ok(unsafe { ring.take_in_silence(&found) });
                }
                // SAFETY: consumers are many.
                unsafe { ring.get_future() }.await
            }
            Flavour::Hand(hand) => hand.get_async().await,
        }
    }

    pub(super) async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        match self {
            Flavour::Ring(_) => {
                timer::timeout(limit, self.get_async()).await.unwrap_or(Err(GetError::TimedOut))
            }
            Flavour::Hand(hand) => hand.get_async_timeout(limit).await,
        }
    }

    /// As [`get_async`](Flavour::get_async), with a name.
    pub(super) fn next(&self) -> GetNext<'_, T> {
        match self {
            // SAFETY: consumers are many.
            Flavour::Ring(ring) => GetNext::Ring(unsafe { ring.get_future() }),
            Flavour::Hand(hand) => GetNext::Hand(hand.get_later()),
        }
    }

    pub(super) fn close(&self) {
        match self {
            Flavour::Ring(ring) => ring.close(),
            Flavour::Hand(hand) => hand.close(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Flavour::Ring(ring) => ring.is_closed(),
            Flavour::Hand(hand) => hand.is_closed(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.len(),
            Flavour::Hand(hand) => hand.len(),
        }
    }

    /// How many items were put, ever. It wraps.
    pub(super) fn put_count(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.put_count(),
            Flavour::Hand(hand) => hand.put_count(),
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        match self {
            Flavour::Ring(ring) => Some(ring.capacity()).filter(|capacity| *capacity < NO_BOUND),
            Flavour::Hand(hand) => Some(hand.capacity()),
        }
    }

    /// How many wait, at both ends.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Flavour::Ring(ring) => ring.waiting(),
            Flavour::Hand(hand) => hand.waiting(),
        }
    }
}

impl<T> Future for GetNext<'_, T> {
    type Output = Result<T, GetError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: whichever future it is stays where it is, as `self` does.
        match unsafe { self.get_unchecked_mut() } {
            // SAFETY: as above.
            GetNext::Ring(get) => unsafe { Pin::new_unchecked(get) }.poll(cx),
            // SAFETY: as above.
            GetNext::Hand(get) => unsafe { Pin::new_unchecked(get) }.poll(cx),
        }
    }
}
