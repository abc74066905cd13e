//! A door that opens once.

use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::time::{Duration, Instant};

/// A door that opens when it has been counted down to zero, and never closes again.
///
/// Who counts need not wait, and who waits need not count: that is the difference from a [`Barrier`](crate::Barrier), which can
/// also be used again. For a number that is not known beforehand, take a [`WaitGroup`](super::WaitGroup).
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: there is none. All who wait are woken when it opens.
/// - **Dropped** while it waits, a future loses nothing.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`count_down`](Latch::count_down).
///
/// # Examples
/// ```
/// use sync::extra::Latch;
///
/// let ready = Latch::new(2);
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| ready.count_down(1));
///     }
///     ready.wait();
/// });
/// assert!(ready.is_open());
/// ```
#[doc(alias = "CountDownLatch")]
pub struct Latch {
    state: Guarded<State>,
}

struct State {
    left: usize,
    waiters: Waiters,
}

impl Latch {
    /// A latch that opens when it has been counted down by `count`; at 0 it is open.
    #[must_use]
    pub const fn new(count: usize) -> Self {
        Latch { state: Guarded::new(State { left: count, waiters: Waiters::barging() }) }
    }

    /// Counts down by `count`, and opens the latch if nothing is left. Does not wait.
    ///
    /// # Panics
    /// If less than that is left: somebody is counted who was not counted on. The latch stays as it was. Also if a waker of
    /// somebody who waits does, once all the others are woken.
    #[track_caller]
    pub fn count_down(&self, count: usize) {
        if let Err(left) = self.take(count) {
            panic!(
                "a latch that has {left} left cannot be counted down by {count}: make it with a higher count"
            );
        }
    }

    /// Counts down by one, and waits until the others have. Blocks.
    ///
    /// With a limit or awaited, call [`count_down`](Latch::count_down) first and then wait in the way that you want: having
    /// counted is not taken back.
    ///
    /// # Panics
    /// As [`count_down`](Latch::count_down).
    #[track_caller]
    #[doc(alias = "arrive")]
    pub fn arrive_and_wait(&self) {
        self.count_down(1);
        self.wait();
    }

    /// Whether the latch is open. Does not wait.
    #[must_use]
    #[doc(alias = "try_wait")]
    pub fn is_open(&self) -> bool {
        self.left() == 0
    }

    /// How many times it has still to be counted down. Does not wait.
    #[must_use]
    pub fn left(&self) -> usize {
        self.state.with(|state, _| state.left)
    }

    /// Waits until the latch is open. Blocks.
    pub fn wait(&self) {
        self.state.wait(|state| &mut state.waiters, None, State::passing);
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not open by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        self.state.wait(|state| &mut state.waiters, deadline, State::passing).ok_or(TimedOut)
    }

    /// Waits until the latch is open.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async(&self) {
        self.state.wait_for(|state| &mut state.waiters, State::passing).await;
    }

    /// Waits at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not open by then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }

    /// The error says how many are left.
    fn take(&self, count: usize) -> Result<(), usize> {
        self.state.with(|state, afterwards| {
            let was_open = state.left == 0;
            state.left = state.left.checked_sub(count).ok_or(state.left)?;
            if state.left == 0 && !was_open {
                state.waiters.tell_all(afterwards);
            }
            Ok(())
        })
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt to go through.
    fn passing(&mut self, _: Turn, _: &mut Afterwards) -> Option<()> {
        (self.left == 0).then_some(())
    }
}

impl fmt::Debug for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, waiting) = self.state.with(|state, _| (state.left, state.waiters.len()));
        f.debug_struct("Latch").field("left", &left).field("waiting", &waiting).finish()
    }
}
