//! A signal that is not a state.

use crate::error::TimedOut;
use crate::timer;
use crate::wait::guarded::{Attempt, WaitFor};
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A signal for one, or for all who wait: what a [`Condvar`](crate::Condvar) is to a mutex, for a condition that is kept
/// elsewhere, in an atomic or in a structure without a lock.
///
/// - [`notify_one`](Notify::notify_one) ends the wait of whoever has waited longest. If nobody waits, it leaves a permit, with
///   which the next wait ends at once. There is at most one permit: several notifications of nobody are one.
/// - [`notify_waiters`](Notify::notify_waiters) ends every wait that has begun, and leaves no permit. An awaited wait has begun when
///   its future was [made](Notify::wait_async), even if nobody has polled it yet.
/// - A notification belongs to whom it was given. If he goes away without having looked (a dropped future, a limit that
///   passes), it goes to the next who waits, and if nobody does, it becomes the permit. Nothing is lost.
/// - Who waits for a condition looks at it after his wait has begun, and again after each notification; see
///   [`Notified::enable`].
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: waits end in order of arrival; who comes while there is a permit takes it, for then nobody else waits.
/// - **Dropped**, a future that has got a notification and not seen it passes it to the next, or leaves it as the permit.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`notify_one`](Notify::notify_one) and [`notify_waiters`](Notify::notify_waiters).
///
/// # Examples
/// ```
/// use sync::extra::Notify;
///
/// let changed = Notify::new();
/// changed.notify_one();
/// changed.wait();
/// assert!(!changed.try_wait());
/// ```
pub struct Notify {
    state: Guarded<State>,
}

struct State {
    permit: bool,
    /// How many times everybody was notified.
    rounds: u64,
    waiters: Waiters,
}

impl Notify {
    /// Nobody waits, and there is no permit.
    #[must_use]
    pub const fn new() -> Self {
        Notify { state: Guarded::new(State { permit: false, rounds: 0, waiters: Waiters::barging() }) }
    }

    /// Ends the wait of whoever has waited longest, or leaves a permit. Does not wait.
    ///
    /// # Panics
    /// If a waker of whom it tells does. The notification is his all the same.
    pub fn notify_one(&self) {
        self.state.with(|state, afterwards| {
            if !state.waiters.tell_one(afterwards) {
                state.permit = true;
            }
        });
    }

    /// Ends every wait that has begun. Does not wait, and leaves no permit.
    ///
    /// # Panics
    /// If a waker does, once all the others are woken.
    #[doc(alias = "notify_all")]
    pub fn notify_waiters(&self) {
        self.state.with(|state, afterwards| {
            state.rounds += 1;
            state.waiters.tell_all(afterwards);
        });
    }

    /// Takes the permit, if there is one. Does not wait.
    #[must_use]
    pub fn try_wait(&self) -> bool {
        self.state.with(|state, _| state.take_permit())
    }

    /// Waits for a notification. Blocks.
    pub fn wait(&self) {
        self.state.wait(|state| &mut state.waiters, None, State::notified);
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if there was none by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        self.state.wait(|state| &mut state.waiters, deadline, State::notified).ok_or(TimedOut)
    }

    /// Waits for a notification. For [`notify_waiters`](Notify::notify_waiters) the wait begins now, for
    /// [`notify_one`](Notify::notify_one) with the first poll or with [`Notified::enable`].
    ///
    /// # Cancel safety
    /// A notification that a dropped future was given and has not seen goes to the next who waits, or becomes the permit. A
    /// future that is forgotten keeps it.
    #[doc(alias = "notified")]
    pub fn wait_async(&self) -> Notified<'_> {
        let begun = Begun { rounds: self.state.with(|state, _| state.rounds) };
        Notified { wait: self.state.wait_by(|state| &mut state.waiters, begun) }
    }

    /// Waits at most `limit`. The wait begins with the first poll. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if there was no notification by then.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Notify::wait_async).
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }
}

/// A wait for a [`Notify`]; see [`Notify::wait_async`]. After its end it must not be polled again: it would wait anew.
///
/// # Waiting
/// As [`Notify`].
#[must_use = "futures do nothing unless awaited"]
pub struct Notified<'a> {
    wait: WaitFor<'a, State, Begun>,
}

/// The attempt of a wait that began after so many rounds.
struct Begun {
    rounds: u64,
}

impl Notified<'_> {
    /// Begins the wait without waiting: from now on a [`notify_one`](Notify::notify_one) counts for it, in its turn. `true` if it
    /// has ended already, with the permit or a notification; the future must not be polled then.
    ///
    /// # Examples
    /// Whoever looks at the condition between `enable` and the wait misses no change:
    /// ```
    /// use std::pin::pin;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use sync::extra::Notify;
    ///
    /// static ITEMS: AtomicU32 = AtomicU32::new(0);
    /// static CHANGED: Notify = Notify::new();
    ///
    /// async fn first_item() -> u32 {
    ///     loop {
    ///         let mut changed = pin!(CHANGED.wait_async());
    ///         let ended = changed.as_mut().enable();
    ///         let items = ITEMS.load(Ordering::SeqCst);
    ///         if items > 0 {
    ///             return items;
    ///         }
    ///         if !ended {
    ///             changed.await;
    ///         }
    ///     }
    /// }
    /// let other = std::thread::spawn(|| {
    ///     ITEMS.store(3, Ordering::SeqCst);
    ///     CHANGED.notify_one();
    /// });
    /// assert_eq!(sync::park::block_on(first_item()), 3);
    /// # other.join().map_err(|_| "it panicked")?;
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use = "a wait that has ended must not be polled"]
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `wait` is pinned whenever this is: nothing moves it out, and there is no `Drop` here that could.
        let wait = unsafe { self.map_unchecked_mut(|this| &mut this.wait) };
        wait.poll(cx)
    }
}

impl Attempt<State> for Begun {
    type Output = ();

    fn attempt(&mut self, state: &mut State, turn: Turn, afterwards: &mut Afterwards) -> Option<()> {
        if state.rounds != self.rounds {
            // If he was told alone as well, he has used that up too.
            return Some(());
        }
        state.notified(turn, afterwards)
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt that succeeds after a notification, or with the permit.
    fn notified(&mut self, turn: Turn, _: &mut Afterwards) -> Option<()> {
        (turn.told.is_some() || self.take_permit()).then_some(())
    }

    /// The permit may be one that a waiter left who went away.
    fn take_permit(&mut self) -> bool {
        let left_over = self.waiters.take_left_over();
        std::mem::take(&mut self.permit) || left_over
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (permit, waiting) =
            self.state.with(|state, _| (state.permit || state.waiters.has_left_over(), state.waiters.len()));
        f.debug_struct("Notify").field("permit", &permit).field("waiting", &waiting).finish()
    }
}

impl fmt::Debug for Notified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notified(..)")
    }
}

impl Default for Notify {
    fn default() -> Self {
        Notify::new()
    }
}
