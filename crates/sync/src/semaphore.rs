//! A number of permits.
//!
//! E. W. Dijkstra, "Cooperating Sequential Processes" (1965); many permits at once after A. Vantilborgh and A. van Lamsweerde, "On
//! an extension of Dijkstra's semaphore primitives" (1972).
//!
//! The free permits are a word, and taking and giving back an exchange each, while nobody waits. The order is
//! decided as for the [mutex](crate::Mutex): strictly in order of arrival, each permit would go through a thread that has to be woken
//! first, and a semaphore would be as slow as waking is; without any order, who asks for many waits for ever. So newcomers may
//! take what is free until the first in the queue has waited for a bounded time. The price is that a release has to look
//! whether somebody waits, and that nobody can rely on his turn before that time.

use crate::catch::contain;
use crate::check::{Site, Tag};
use crate::primitive::{AtomicUsize, Ordering, const_but_for_loom};
use crate::timer;
use crate::wait::{Afterwards, Beside, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

/// Lets a limited number of threads, coroutines and async tasks through at a time.
///
/// A permit is given back when its guard is dropped; [`forget`](SemaphorePermit::forget) and [`release`](Semaphore::release)
/// change the number for good. After [`close`](Semaphore::close), nobody gets a permit.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: whoever comes while enough permits are free takes them (*barging*), even before those who wait; but once the one who
///   has waited longest has been first in the queue for a fraction of a millisecond, nobody is let past him, so that who asks for many
///   is not overtaken for ever by those who ask for few. A thread that was told and has no CPU yet is passed by until it looks. Those
///   who wait are served in order of arrival. A task that could have its permits and is not polled loses its turn after a
///   millisecond to whoever comes by or waits, and keeps its place.
/// - **Dropped** while it waits, a future leaves the queue in constant time, and who stood behind it moves up. Where futures before it were told
///   and have not been polled for a millisecond, they are gone through one by one, as they are by whoever acquires.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end,
///   and out of no permit that is dropped.
///
/// # Examples
/// ```
/// let tables = sync::Semaphore::new(2);
/// let first = tables.acquire()?;
/// let second = tables.acquire()?;
/// assert!(tables.try_acquire().is_err());
/// drop(first);
/// assert!(tables.try_acquire().is_ok());
/// # drop(second);
/// # Ok::<(), sync::semaphore::AcquireError>(())
/// ```
pub struct Semaphore {
    /// The free permits, from bit [`SHIFT`] on, and flags below.
    ///
    /// `WAITERS`, `DUE` and `CALLED` are changed by whoever has `queue`; they may stay for a while after the last waiter has gone. The
    /// rest by anybody, in one step each, so that all changes have one order: who says that he waits, or that he has come, sees the
    /// permits that were given back before, or is seen by whoever gives back the next.
    word: AtomicUsize,
    queue: Guarded<Queue>,
    /// For the deadlock checker; of no size without it.
    tag: Tag,
}

/// Somebody waits: who gives back looks after him.
const WAITERS: usize = 1 << 0;
/// The first has waited for long enough: newcomers queue up behind him.
const DUE: usize = 1 << 1;
/// Nobody gets a permit any more.
const CLOSED: usize = 1 << 2;
/// A thread has been told to look and has not done so, but will: who gives back need not look after those who wait. Cleared by every
/// attempt, so that one who has looked is told again. Tasks may never look, and are not meant.
const CALLED: usize = 1 << 3;
const SHIFT: u32 = 4;

struct Queue {
    waiters: Waiters,
    /// Whether something was free when somebody looked last, or was told.
    some_free: bool,
}

/// Some permits of a semaphore. Dropping it gives them back.
///
/// # Waiting
/// As [`Semaphore`]. Dropping it waits for nobody.
#[must_use = "the permits are given back when this is dropped"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

impl Semaphore {
    /// More permits than this cannot be.
    pub const MAX_PERMITS: usize = usize::MAX >> SHIFT;

    const_but_for_loom! {
        /// A semaphore with that many permits.
        ///
        /// # Panics
        /// If that is more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
        #[must_use]
        pub fn new(permits: usize) -> Self {
            assert!(permits <= Semaphore::MAX_PERMITS, "a semaphore has at most `Semaphore::MAX_PERMITS` permits");
            Semaphore {
                word: AtomicUsize::new(permits << SHIFT),
                queue: Guarded::new(Queue { waiters: Waiters::strict(), some_free: false }),
                tag: Tag::of_permits(permits),
            }
        }
    }

    /// Waits for a permit. Blocks.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many(1)
    }

    /// Waits for `count` permits at once. Blocks; until the semaphore is closed, if there are never that many.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_many(&self, count: usize) -> Result<SemaphorePermit<'_>, AcquireError> {
        let site = Site::here();
        self.tag.blocking_for_permits(
            count,
            site,
            || self.attempt(count).ok(),
            || self.acquire_until(count, None),
        )
    }

    /// Takes a permit if one is free and nobody has waited for it for long.
    ///
    /// # Errors
    /// [`AcquireError::NoPermits`] otherwise, [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `count` permits if they are free and nobody has waited for them for long.
    ///
    /// # Errors
    /// [`AcquireError::NoPermits`] otherwise, [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_acquire_many(&self, count: usize) -> Result<SemaphorePermit<'_>, AcquireError> {
        let permit = self.attempt(count)?;
        self.tag.permits_acquired(count, Site::here());
        Ok(permit)
    }

    #[inline]
    fn attempt(&self, count: usize) -> Result<SemaphorePermit<'_>, AcquireError> {
        match self.take_free(count, DUE | CLOSED) {
            Ok(permit) => Ok(permit),
            // `DUE` may have outlived those who waited, and one who is late may be passed by.
            Err(found) if found & DUE != 0 => {
                self.queue.with(|queue, _| match queue.waiters.is_newcomers_turn() {
                    true => self.take_free(count, CLOSED).map_err(AcquireError::now),
                    false => Err(AcquireError::now(found)),
                })
            }
            Err(found) => Err(AcquireError::now(found)),
        }
    }

    /// Waits for a permit, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`AcquireError::TimedOut`] if there was none by then, [`AcquireError::Closed`] if the semaphore is closed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_timeout(&self, limit: Duration) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.acquire_many_timeout(1, limit)
    }

    /// Waits for `count` permits at once, at most `limit`. Blocks.
    ///
    /// # Errors
    /// As [`acquire_timeout`](Semaphore::acquire_timeout).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_many_timeout(
        &self,
        count: usize,
        limit: Duration,
    ) -> Result<SemaphorePermit<'_>, AcquireError> {
        // A time beyond what the clock can say is never reached.
        let permit = self.acquire_until(count, Instant::now().checked_add(limit))?;
        self.tag.permits_acquired(count, Site::here());
        Ok(permit)
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    ///
    /// # Cancel safety
    /// A future that is dropped leaves the queue; who stood behind it moves up.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_async(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many_async(1)
    }

    /// Waits for `count` permits at once.
    ///
    /// # Errors
    /// [`AcquireError::Closed`] if the semaphore is closed.
    ///
    /// # Cancel safety
    /// As [`acquire_async`](Semaphore::acquire_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_many_async(
        &self,
        count: usize,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let site = Site::here();
        async move {
            let free = || self.take_free(count, DUE | CLOSED);
            match self.tag.taking_permits_in_task(count, site, free) {
                Ok(permit) => Ok(permit),
                Err(_) => {
                    let taken = move || self.queue.wait_for(|queue| &mut queue.waiters, self.taking(count));
                    self.tag.awaiting_permits(count, site, taken).await
                }
            }
        }
    }

    /// Waits for a permit, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`acquire_timeout`](Semaphore::acquire_timeout).
    ///
    /// # Cancel safety
    /// As [`acquire_async`](Semaphore::acquire_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many_async_timeout(1, limit)
    }

    /// Waits for `count` permits at once, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`acquire_timeout`](Semaphore::acquire_timeout).
    ///
    /// # Cancel safety
    /// As [`acquire_async`](Semaphore::acquire_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn acquire_many_async_timeout(
        &self,
        count: usize,
        limit: Duration,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let acquired = self.acquire_many_async(count);
        async move { timer::timeout(limit, acquired).await.unwrap_or(Err(AcquireError::TimedOut)) }
    }

    /// Adds permits.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS); then none is added. Also if a waker of somebody who
    /// waits does; then they are there all the same.
    #[inline]
    #[track_caller]
    pub fn release(&self, count: usize) {
        self.tag.permits_change();
        if self.give_back(count) {
            self.tell_the_first();
        }
    }

    /// Adds permits, and says whether somebody waits and is to be told.
    ///
    /// # Panics
    /// As [`release`](Semaphore::release); nothing is changed then.
    #[inline]
    #[track_caller]
    fn give_back(&self, count: usize) -> bool {
        // Relaxed: the exchange below sees what is there.
        let mut found = self.word.load(Ordering::Relaxed);
        loop {
            assert!(
                count <= Self::MAX_PERMITS && found >> SHIFT <= Self::MAX_PERMITS - count,
                "a semaphore cannot have {count} permits more: that is more than `Semaphore::MAX_PERMITS`"
            );
            // Release: pairs with `take_free`, so that who gets the permit sees what was done under it.
            let new = found + (count << SHIFT);
            match self.word.compare_exchange_weak(found, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return found & (WAITERS | CALLED) == WAITERS,
                Err(other) => found = other,
            }
        }
    }

    /// Refuses permits from now on, and ends every wait for some. Permits that are out can still be given back. The second time, nothing
    /// happens.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn close(&self) {
        self.queue.with(|queue, afterwards| {
            // Relaxed: under the lock of those who wait, and the others need nothing but the flag.
            self.word.fetch_or(CLOSED, Ordering::Relaxed);
            queue.waiters.tell_all(afterwards);
        });
    }

    /// What the deadlock checker knows the semaphore by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.word.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// How many permits are free now.
    #[must_use]
    pub fn available(&self) -> usize {
        // Relaxed: the answer may be out of date as soon as it is there.
        self.word.load(Ordering::Relaxed) >> SHIFT
    }

    #[inline]
    fn acquire_until(
        &self,
        count: usize,
        deadline: Option<Instant>,
    ) -> Result<SemaphorePermit<'_>, AcquireError> {
        match self.take_free(count, DUE | CLOSED) {
            Ok(permit) => Ok(permit),
            Err(_) => self.acquire_contended(count, deadline),
        }
    }

    #[cold]
    fn acquire_contended(
        &self,
        count: usize,
        deadline: Option<Instant>,
    ) -> Result<SemaphorePermit<'_>, AcquireError> {
        let taken = self.queue.wait(|queue| &mut queue.waiters, deadline, self.taking(count));
        taken.unwrap_or_else(|| {
            // We may have been told between our last look and going away. Relaxed: who told us had `queue` before us.
            if self.word.load(Ordering::Relaxed) & CALLED != 0 {
                self.tell_the_first();
            }
            Err(AcquireError::TimedOut)
        })
    }

    /// Takes permits if they are free and none of the flags `unless` is set; otherwise what was found.
    #[inline]
    fn take_free(&self, count: usize, unless: usize) -> Result<SemaphorePermit<'_>, usize> {
        // Relaxed: the exchange below sees what is there.
        let mut found = self.word.load(Ordering::Relaxed);
        loop {
            if found & unless != 0 || found >> SHIFT < count {
                return Err(found);
            }
            // Acquire: pairs with `give_back`.
            let new = found - (count << SHIFT);
            match self.word.compare_exchange_weak(found, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(SemaphorePermit { semaphore: self, count }),
                Err(other) => found = other,
            }
        }
    }

    /// The attempt to take that many, in turn.
    fn taking<'a>(
        &'a self,
        count: usize,
    ) -> impl FnMut(&mut Queue, Turn, &mut Afterwards) -> Option<Result<SemaphorePermit<'a>, AcquireError>>
    {
        move |queue, turn, afterwards| {
            // First, so that who gives back from now on looks after whoever waits. Relaxed: see `word`.
            let found = self.word.fetch_or(WAITERS, Ordering::Relaxed);
            if found & CALLED != 0 {
                // Before the look as well: it may be that of the one who was told.
                self.word.fetch_and(!CALLED, Ordering::Relaxed);
            }
            if found & CLOSED != 0 {
                return Some(Err(AcquireError::Closed));
            }
            queue.some_free = found >> SHIFT > 0;
            // Without `DUE`, a newcomer who does not wait yet may take what is free.
            let may_take = turn.first || (!turn.is_queued() && found & DUE == 0);
            let taken = if may_take { self.take_free(count, 0).ok() } else { None };
            match &taken {
                Some(_) => {
                    let others = queue.waiters.len() - usize::from(turn.is_queued());
                    let flags = if others == 0 { WAITERS | DUE } else { DUE };
                    let left = self.word.fetch_and(!flags, Ordering::Relaxed) >> SHIFT;
                    queue.some_free = left > 0;
                    // He who waits next may need no more than what is left.
                    if left > 0 && queue.waiters.nudge_behind(turn, afterwards) {
                        self.word.fetch_or(CALLED, Ordering::Relaxed);
                    }
                }
                None if turn.first && turn.is_overdue() => {
                    self.word.fetch_or(DUE, Ordering::Relaxed);
                }
                // What is free may be enough for somebody who has not been told, since others were who do not come.
                None if found >> SHIFT > 0 && queue.waiters.nudge_behind_the_late(turn, afterwards) => {
                    self.word.fetch_or(CALLED, Ordering::Relaxed);
                }
                None => {}
            }
            taken.map(Ok)
        }
    }

    #[cold]
    fn tell_the_first(&self) {
        self.queue.with(|queue, afterwards| {
            if queue.waiters.is_empty() {
                self.word.fetch_and(!(WAITERS | DUE | CALLED), Ordering::Relaxed);
                return;
            }
            queue.some_free = true;
            let called = if queue.waiters.nudge_first(afterwards) { CALLED } else { 0 };
            let due = if queue.waiters.is_first_overdue() { DUE } else { 0 };
            // Who was called has gone away, if that is set although it is not to be.
            self.word.fetch_and(called | !CALLED, Ordering::Relaxed);
            self.word.fetch_or(called | due, Ordering::Relaxed);
        });
    }
}

impl Queues for Queue {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }

    fn sleep_most(&self) -> Option<Duration> {
        self.waiters.patience_with_tasks()
    }

    fn beside(&self) -> Beside {
        self.waiters.beside(self.some_free)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.with(|queue, _| queue.waiters.len());
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("waiting", &waiting)
            .field("closed", &self.is_closed())
            .finish()
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
        // They are nobody's from now on, and so neither held nor to be waited for.
        self.semaphore.tag.permits_released(self.count);
        self.semaphore.tag.permits_change();
        std::mem::forget(self);
    }
}

impl Drop for SemaphorePermit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.tag.permits_released(self.count);
        if self.semaphore.give_back(self.count) {
            // A waker's panic must not leave a destructor, which may run in another panic.
            contain(|| self.semaphore.tell_the_first());
        }
    }
}

/// Why there is no permit.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcquireError {
    /// Not as many are free now, or somebody else has waited for them for long.
    NoPermits,
    /// There were none until the time had passed.
    TimedOut,
    /// The semaphore is closed.
    Closed,
}

impl AcquireError {
    fn now(found: usize) -> Self {
        if found & CLOSED != 0 { AcquireError::Closed } else { AcquireError::NoPermits }
    }

    /// Whether the semaphore is closed, so that trying again is in vain.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self == AcquireError::Closed
    }

    /// Whether the time had passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == AcquireError::TimedOut
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AcquireError::NoPermits => "the semaphore has not as many free permits",
            AcquireError::TimedOut => {
                "the semaphore had not as many free permits until the time limit passed"
            }
            AcquireError::Closed => "the semaphore is closed",
        })
    }
}

impl std::error::Error for AcquireError {}
