//! A flag to wait for.

use crate::error::TimedOut;
use crate::primitive::{AtomicU8, Ordering, const_but_for_loom};
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::time::{Duration, Instant};

/// A flag that any number of threads, coroutines and async tasks can wait for.
///
/// It stays set until it is [cleared](Event::clear): who comes later does not wait. One that [resets
/// itself](Event::auto_reset) lets one through for each time that it is set. Looking at a set flag costs one load.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: all who wait for a flag that stays set are woken, the longest wait first. Of one that resets itself, those who wait
///   are told in order of arrival, but whoever comes at the right moment may be faster.
/// - **Dropped** while it waits, a future leaves the queue; if it had been told alone, the next one is, or the flag stays set.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`set`](Event::set).
///
/// # Examples
/// ```
/// static READY: sync::Event = sync::Event::new();
/// let thread = std::thread::spawn(|| READY.wait());
/// READY.set();
/// thread.join().map_err(|_| "it panicked")?;
/// # Ok::<(), &str>(())
/// ```
pub struct Event {
    /// `SET` is changed by anybody while `WAITERS` is not there, otherwise only cleared; the rest by whoever has `queue`.
    flags: AtomicU8,
    auto_reset: bool,
    queue: Guarded<Queue>,
}

const SET: u8 = 1 << 0;
/// Somebody waits: who sets the flag does it under the lock of those who wait, and tells them.
const WAITERS: u8 = 1 << 1;

struct Queue {
    waiters: Waiters,
    /// Of a flag that resets itself: how often it was set for somebody who waited and has not looked yet.
    granted: usize,
}

impl Event {
    const_but_for_loom! {
        /// A flag that is not set, and stays set once it is.
        #[must_use]
        pub fn new() -> Self {
            Event {
                flags: AtomicU8::new(0),
                auto_reset: false,
                queue: Guarded::new(Queue { waiters: Waiters::barging(), granted: 0 }),
            }
        }
    }

    const_but_for_loom! {
        /// A flag that is not set, and that whoever it lets through clears: each [`set`](Event::set) ends one wait, the longest
        /// one or, if nobody waits, the next one. Setting it twice while nobody waits lets one through. Whoever comes may be faster
        /// than the one who was told, who then waits on in his old place.
        ///
        /// # Examples
        /// ```
        /// let turn = sync::Event::auto_reset();
        /// turn.set();
        /// assert!(turn.try_wait());
        /// assert!(!turn.try_wait());
        /// ```
        #[must_use]
        pub fn auto_reset() -> Self {
            Event {
                flags: AtomicU8::new(0),
                auto_reset: true,
                queue: Guarded::new(Queue { waiters: Waiters::barging(), granted: 0 }),
            }
        }
    }

    /// Sets the flag and ends every wait; with [`auto_reset`](Event::auto_reset), one.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn set(&self) {
        // Relaxed: the exchange below sees what is there.
        let mut found = self.flags.load(Ordering::Relaxed);
        while found & WAITERS == 0 {
            // Release: pairs with `pass`, so that who goes through sees what was done before.
            match self.flags.compare_exchange_weak(found, found | SET, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => found = other,
            }
        }
        self.set_and_tell();
    }

    #[cold]
    fn set_and_tell(&self) {
        self.queue.with(|queue, afterwards| {
            if self.auto_reset && queue.waiters.tell_one(afterwards) {
                queue.granted += 1;
                return;
            }
            // Under the lock, so that nobody who comes after a `clear` is told of a `set` before it.
            self.flags.fetch_or(SET, Ordering::Release);
            queue.waiters.tell_all(afterwards);
            if queue.granted == 0 && queue.waiters.is_empty() {
                self.flags.fetch_and(!WAITERS, Ordering::Relaxed);
            }
        });
    }

    /// Clears the flag. Who waited when it was set goes through all the same; if he went away instead, with
    /// [`auto_reset`](Event::auto_reset) the next who comes does.
    pub fn clear(&self) {
        // Relaxed: it tells nobody anything.
        self.flags.fetch_and(!SET, Ordering::Relaxed);
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        // Acquire: as for `pass`.
        let found = self.flags.load(Ordering::Acquire);
        found & SET != 0
            || (self.auto_reset && found & WAITERS != 0 && self.queue.with(|queue, _| queue.granted > 0))
    }

    /// Goes through if the flag is set.
    #[must_use]
    pub fn try_wait(&self) -> bool {
        self.pass()
            || (self.auto_reset
                && self.flags.load(Ordering::Relaxed) & WAITERS != 0
                && self.queue.with(|queue, _| queue.take_granted()))
    }

    /// Waits until the flag is set. Blocks.
    pub fn wait(&self) {
        if !self.pass() {
            self.queue.wait(|queue| &mut queue.waiters, None, self.passing());
        }
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not set by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        if self.pass() {
            return Ok(());
        }
        // A time beyond what the clock can say is never reached.
        let deadline = Instant::now().checked_add(limit);
        self.queue.wait(|queue| &mut queue.waiters, deadline, self.passing()).ok_or(TimedOut)
    }

    /// Waits until the flag is set.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: what it was told goes to the next one.
    pub async fn wait_async(&self) {
        if !self.pass() {
            self.queue.wait_for(|queue| &mut queue.waiters, self.passing()).await;
        }
    }

    /// Waits at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not set by then.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Event::wait_async).
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }

    #[inline]
    fn pass(&self) -> bool {
        // Acquire: pairs with `set`.
        let is_set = self.flags.load(Ordering::Acquire) & SET != 0;
        is_set && (!self.auto_reset || self.flags.fetch_and(!SET, Ordering::Acquire) & SET != 0)
    }

    /// The attempt to go through. Whom a `set` has told goes through, even if a `clear` came before he looked.
    fn passing(&self) -> impl FnMut(&mut Queue, Turn, &mut Afterwards) -> Option<()> {
        move |queue, turn, _| {
            if !self.auto_reset && turn.told.is_some() {
                return Some(());
            }
            if self.auto_reset && queue.take_granted() {
                return Some(());
            }
            // In one step with the look, so that who sets the flag from now on tells whoever waits. Relaxed: `pass` looks again.
            let found = self.flags.fetch_or(WAITERS, Ordering::Relaxed);
            (found & SET != 0 && self.pass()).then_some(())
        }
    }
}

impl Queue {
    /// Takes what somebody was told of and has not taken. Anybody may, so that a future that nobody polls keeps it from nobody.
    fn take_granted(&mut self) -> bool {
        let there = self.granted > 0;
        self.granted -= usize::from(there);
        there
    }
}

impl Queues for Queue {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.with(|queue, _| queue.waiters.len());
        f.debug_struct("Event").field("set", &self.is_set()).field("waiting", &waiting).finish()
    }
}

impl Default for Event {
    fn default() -> Self {
        Event::new()
    }
}
