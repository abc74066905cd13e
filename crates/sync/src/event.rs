//! A flag to wait for.

use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::time::{Duration, Instant};

/// A flag that any number of threads, coroutines and async tasks can wait for.
///
/// It stays set until it is [cleared](Event::clear): who comes later does not wait.
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
    state: Guarded<State>,
}

struct State {
    set: bool,
    waiters: Waiters,
}

impl Event {
    /// A flag that is not set.
    #[must_use]
    pub const fn new() -> Self {
        Event { state: Guarded::new(State { set: false, waiters: Waiters::barging() }) }
    }

    /// Sets the flag and ends every wait.
    pub fn set(&self) {
        self.state.with(|state, afterwards| {
            state.set = true;
            state.waiters.tell_all(afterwards);
        });
    }

    /// Clears the flag. Who waited when it was set goes through all the same.
    pub fn clear(&self) {
        self.state.with(|state, _| state.set = false);
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.state.with(|state, _| state.set)
    }

    /// Waits until the flag is set. Blocks.
    pub fn wait(&self) {
        self.state.wait(|state| &mut state.waiters, None, State::passing);
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not set by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        self.state.wait(|state| &mut state.waiters, deadline, State::passing).ok_or(TimedOut)
    }

    /// Waits until the flag is set.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async(&self) {
        self.state.wait_for(|state| &mut state.waiters, State::passing).await;
    }

    /// Waits at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not set by then.
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt to go through. Whom a `set` has told goes through, even if a `clear` came before he looked.
    fn passing(&mut self, turn: Turn, _: &mut Afterwards) -> Option<()> {
        (self.set || turn.told.is_some()).then_some(())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (set, waiting) = self.state.with(|state, _| (state.set, state.waiters.len()));
        f.debug_struct("Event").field("set", &set).field("waiting", &waiting).finish()
    }
}

impl Default for Event {
    fn default() -> Self {
        Event::new()
    }
}
