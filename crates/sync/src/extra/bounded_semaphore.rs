//! A semaphore that never has more permits than it began with.

use crate::primitive::{AtomicUsize, Ordering, const_but_for_loom};
use crate::semaphore::{AcquireError, Semaphore, SemaphorePermit};
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// A [`Semaphore`] whose permits cannot become more: whoever gives back what nobody has taken gets an error, where a plain
/// semaphore would have one permit more from then on.
///
/// A permit is given back when its guard is dropped. Where no guard can be carried along, [`keep`](BoundedPermit::keep) it and give it
/// back by [`release`](BoundedSemaphore::release).
///
/// # Waiting
/// As [`Semaphore`].
///
/// # Examples
/// ```
/// use sync::extra::BoundedSemaphore;
///
/// let connections = BoundedSemaphore::new(2);
/// connections.acquire()?.keep();
/// connections.release(1)?;
/// assert_eq!(connections.release(1).map_err(|error| error.to_string()), Err("1 given back, but only 0 were out".into()));
/// assert_eq!(connections.available(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BoundedSemaphore {
    permits: Semaphore,
    /// Permits whose guards are gone, and that are out.
    kept: AtomicUsize,
}

/// Some permits of a [`BoundedSemaphore`]. Dropping it gives them back.
///
/// # Waiting
/// As [`Semaphore`]. Dropping it waits for nobody.
#[must_use = "the permits are given back when this is dropped"]
#[derive(Debug)]
pub struct BoundedPermit<'a> {
    permit: SemaphorePermit<'a>,
    kept: &'a AtomicUsize,
}

/// More permits were [given back](BoundedSemaphore::release) than were [kept](BoundedPermit::keep). None of them was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverRelease {
    given_back: usize,
    out: usize,
}

impl BoundedSemaphore {
    const_but_for_loom! {
        /// A semaphore with that many permits.
        ///
        /// # Panics
        /// If that is more than [`Semaphore::MAX_PERMITS`].
        #[must_use]
        pub fn new(permits: usize) -> Self {
            BoundedSemaphore { permits: Semaphore::new(permits), kept: AtomicUsize::new(0) }
        }
    }

    /// Waits for a permit. Blocks.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire(&self) -> Result<BoundedPermit<'_>, AcquireError> {
        self.permits.acquire().map(|permit| self.bounded(permit))
    }

    /// Takes a permit if one is free and nobody has waited for it for long.
    ///
    /// # Errors
    /// As [`Semaphore::try_acquire`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_acquire(&self) -> Result<BoundedPermit<'_>, AcquireError> {
        self.permits.try_acquire().map(|permit| self.bounded(permit))
    }

    /// Waits for a permit, at most `limit`. Blocks.
    ///
    /// # Errors
    /// As [`Semaphore::acquire_timeout`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_timeout(&self, limit: Duration) -> Result<BoundedPermit<'_>, AcquireError> {
        self.permits.acquire_timeout(limit).map(|permit| self.bounded(permit))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire_async`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_async(&self) -> impl Future<Output = Result<BoundedPermit<'_>, AcquireError>> {
        let acquire = self.permits.acquire_async();
        async move { acquire.await.map(|permit| self.bounded(permit)) }
    }

    /// Waits for a permit, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`Semaphore::acquire_timeout`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire_async`].
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<BoundedPermit<'_>, AcquireError>> {
        let acquire = self.permits.acquire_async_timeout(limit);
        async move { acquire.await.map(|permit| self.bounded(permit)) }
    }

    /// Gives back permits that were [kept](BoundedPermit::keep).
    ///
    /// # Errors
    /// [`OverRelease`] if fewer are out; then none is given back.
    pub fn release(&self, count: usize) -> Result<(), OverRelease> {
        // Relaxed: a number alone; what was done under the permits goes over by the semaphore.
        let taken = self
            .kept
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| kept.checked_sub(count))
            .map_err(|out| OverRelease { given_back: count, out });
        taken.map(|_| self.permits.release(count))
    }

    /// Refuses permits from now on, as [`Semaphore::close`].
    pub fn close(&self) {
        self.permits.close();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    /// How many permits are free now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.permits.available()
    }

    fn bounded<'a>(&'a self, permit: SemaphorePermit<'a>) -> BoundedPermit<'a> {
        BoundedPermit { permit, kept: &self.kept }
    }
}

impl BoundedPermit<'_> {
    /// Takes the permits out of their guard. They are given back by [`release`](BoundedSemaphore::release).
    pub fn keep(self) {
        self.kept.fetch_add(self.permit.count(), Ordering::Relaxed);
        self.permit.forget();
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.load(Ordering::Relaxed);
        f.debug_struct("BoundedSemaphore").field("available", &self.available()).field("kept", &kept).finish()
    }
}

impl fmt::Display for OverRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} given back, but only {} were out", self.given_back, self.out)
    }
}

impl std::error::Error for OverRelease {}
