//! A number of permits.

use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::time::{Duration, Instant};

/// Lets a limited number of threads, coroutines and async tasks through at a time.
///
/// Permits are given in order of arrival: who asks for many is not overtaken for ever by those who ask for few. A permit
/// is given back when its guard is dropped; [`forget`](SemaphorePermit::forget) and [`release`](Semaphore::release)
/// change the number for good.
///
/// # Examples
/// ```
/// let tables = sync::Semaphore::new(2);
/// let first = tables.acquire();
/// let second = tables.acquire();
/// assert!(tables.try_acquire().is_none());
/// drop(first);
/// assert!(tables.try_acquire().is_some());
/// # drop(second);
/// ```
pub struct Semaphore {
    state: Guarded<State>,
}

struct State {
    permits: usize,
    waiters: Waiters,
}

/// Some permits of a semaphore. Dropping it gives them back.
#[must_use = "the permits are given back when this is dropped"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

impl Semaphore {
    /// A semaphore with that many permits.
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        Semaphore { state: Guarded::new(State { permits, waiters: Waiters::strict() }) }
    }

    /// Waits for a permit. Blocks.
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Waits for `count` permits at once. Blocks; for ever, if there are never that many.
    pub fn acquire_many(&self, count: usize) -> SemaphorePermit<'_> {
        match self.try_acquire_many(count) {
            Some(permit) => permit,
            None => {
                self.state.wait(|state| &mut state.waiters, None, State::taking(count));
                SemaphorePermit { semaphore: self, count }
            }
        }
    }

    /// Takes a permit if one is free and nobody waits for it.
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `count` permits if they are free and nobody waits for them.
    pub fn try_acquire_many(&self, count: usize) -> Option<SemaphorePermit<'_>> {
        let taken = self.state.with(|state, _| state.waiters.is_empty() && state.take(count));
        // `then`, not `then_some`: a permit that is made is given back when dropped.
        taken.then(|| SemaphorePermit { semaphore: self, count })
    }

    /// Waits for a permit, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if there was none by then.
    pub fn acquire_timeout(&self, limit: Duration) -> Result<SemaphorePermit<'_>, TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        let taken = self.state.wait(|state| &mut state.waiters, deadline, State::taking(1));
        taken.map(|()| SemaphorePermit { semaphore: self, count: 1 }).ok_or(TimedOut)
    }

    /// Waits for a permit.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves the queue; who stood behind it moves up.
    pub async fn acquire_async(&self) -> SemaphorePermit<'_> {
        self.acquire_many_async(1).await
    }

    /// Waits for `count` permits at once.
    ///
    /// # Cancel safety
    /// As [`acquire_async`](Semaphore::acquire_async).
    pub async fn acquire_many_async(&self, count: usize) -> SemaphorePermit<'_> {
        self.state.wait_for(|state| &mut state.waiters, State::taking(count)).await;
        SemaphorePermit { semaphore: self, count }
    }

    /// Waits for a permit, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if there was none by then.
    ///
    /// # Cancel safety
    /// As [`acquire_async`](Semaphore::acquire_async).
    pub async fn acquire_async_timeout(&self, limit: Duration) -> Result<SemaphorePermit<'_>, TimedOut> {
        timer::timeout(limit, self.acquire_async()).await
    }

    /// Adds permits.
    ///
    /// # Panics
    /// If there would be more than `usize::MAX`.
    #[track_caller]
    pub fn release(&self, count: usize) {
        let fits = self.state.with(|state, afterwards| {
            let Some(permits) = state.permits.checked_add(count) else { return false };
            state.permits = permits;
            state.waiters.nudge_first(afterwards);
            true
        });
        assert!(fits, "a semaphore cannot have {count} permits more: that is more than usize::MAX");
    }

    /// How many permits are free now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.state.with(|state, _| state.permits)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (available, waiting) = self.state.with(|state, _| (state.permits, state.waiters.len()));
        f.debug_struct("Semaphore").field("available", &available).field("waiting", &waiting).finish()
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt to take that many, in turn.
    fn taking(count: usize) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<()> {
        move |state, turn, afterwards| {
            if !turn.first || !state.take(count) {
                return None;
            }
            // He who waits next may need no more than what is left.
            if state.permits > 0 {
                state.waiters.nudge_behind(turn, afterwards);
            }
            Some(())
        }
    }

    fn take(&mut self, count: usize) -> bool {
        match self.permits.checked_sub(count) {
            Some(left) => {
                self.permits = left;
                true
            }
            None => false,
        }
    }
}

impl SemaphorePermit<'_> {
    /// How many permits these are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps the permits for ever: the semaphore has so many fewer.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.release(self.count);
    }
}
