//! Waiting until a condition holds for what a mutex protects.
//!
//! C. A. R. Hoare, "Monitors: An Operating System Structuring Concept" (CACM 17(10), 1974), with the meaning that B. Lampson and D.
//! Redell gave it in "Experience with Processes and Monitors in Mesa" (CACM 23(2), 1980): a notification is a hint, and who hears it
//! takes the lock again in competition with others, and looks. Hoare's, which hands the lock over with the notification, cannot
//! be had where the one who is notified may be a future that nobody polls.
//!
//! Decided here: it takes any of our [guards](Guard), and different locks at once, for it remembers nothing of them; parking_lot
//! panics there, since it moves those who wait onto the one lock, and `std` keeps the right to. A notification that is for one is passed on by whoever
//! goes away without using it. There are no spurious wake-ups of ours, but `wait_while` is still what to write.

mod guard;

use crate::catch::{Every, contain};
use crate::check::Site;
use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Told, Turn, Waiters};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant};

pub use guard::Guard;
pub(crate) use guard::Sealed;

/// A place to wait for a change of what a lock protects.
///
/// A wait takes a [guard](Guard), releases its lock, and takes the lock again after a notification, and only then; still, look at
/// the condition again, for somebody may have come first. [`wait_while`](Condvar::wait_while) does that. Notify with or without
/// the lock: what counts is that the change was made under it.
///
/// Those who wait may have locks of several kinds, and different locks: a notification is for whoever has waited longest, be his
/// lock which it may.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: those who wait are told in order of arrival. Taking the lock again afterwards is as fair as the lock is, so one
///   who is told again and again may find each time that somebody else has changed the condition back.
/// - **Dropped** while it waits, a future gives the notification that it had got, if it was for one, to the next. It does not
///   take the lock again.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`notify_one`](Condvar::notify_one) and its kin.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::{Condvar, Mutex};
///
/// let ready = Arc::new((Mutex::new(false), Condvar::new()));
/// let thread = std::thread::spawn({
///     let ready = Arc::clone(&ready);
///     move || {
///         *ready.0.lock() = true;
///         ready.1.notify_one();
///     }
/// });
/// let guard = ready.1.wait_while(ready.0.lock(), |ready| !*ready);
/// assert!(*guard);
/// # drop(guard);
/// # thread.join().map_err(|_| "it panicked")?;
/// # Ok::<(), &str>(())
/// ```
#[doc(alias = "Condition")]
pub struct Condvar {
    waiters: Guarded<Waiters>,
}

/// A notification that somebody has got, until he has the lock again: if he goes away before, the next one gets it.
struct Received<'a> {
    condvar: &'a Condvar,
    told: Option<Told>,
}

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Condvar { waiters: Guarded::new(Waiters::barging()) }
    }

    /// Releases the lock, waits for a notification, and takes the lock again. Blocks.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait<G: Guard>(&self, guard: G) -> G::Back {
        self.wait_until(guard, None).0.back()
    }

    /// As [`wait`](Condvar::wait), as long as `condition` holds. Blocks.
    ///
    /// If `condition` panics, the lock is released.
    #[doc(alias = "wait_for")]
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_while<G: Guard>(&self, guard: G, condition: impl FnMut(&mut G::Value) -> bool) -> G::Back {
        self.wait_while_until(guard, condition, None).0
    }

    /// As [`wait`](Condvar::wait), for at most `limit`, after which the lock is taken all the same: taking it may last
    /// longer than the limit. Blocks.
    ///
    /// The second half of the answer is [`TimedOut`] if nobody notified in time.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_timeout<G: Guard>(&self, guard: G, limit: Duration) -> (G::Back, Result<(), TimedOut>) {
        let (guard, told) = self.wait_until(guard, Instant::now().checked_add(limit));
        (guard.back(), told)
    }

    /// As [`wait_while`](Condvar::wait_while), for at most `limit` in all. Blocks.
    ///
    /// The second half of the answer is [`TimedOut`] if the condition still held when the time had passed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_while_timeout<G: Guard>(
        &self,
        guard: G,
        condition: impl FnMut(&mut G::Value) -> bool,
        limit: Duration,
    ) -> (G::Back, Result<(), TimedOut>) {
        self.wait_while_until(guard, condition, Instant::now().checked_add(limit))
    }

    /// As [`wait`](Condvar::wait).
    ///
    /// # Cancel safety
    /// A future that is dropped does not take the lock again. If it had got the notification of a
    /// [`notify_one`](Condvar::notify_one), the next waiter gets it.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_async<G: Guard>(&self, guard: G) -> impl Future<Output = G::Back> {
        let site = Site::here();
        async move { self.wait_for(guard, site).await.back() }
    }

    /// As [`wait_while`](Condvar::wait_while).
    ///
    /// # Cancel safety
    /// As [`wait_async`](Condvar::wait_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_while_async<G: Guard>(
        &self,
        guard: G,
        mut condition: impl FnMut(&mut G::Value) -> bool,
    ) -> impl Future<Output = G::Back> {
        let site = Site::here();
        async move {
            let mut look = look(guard, Ok(()), &mut condition);
            let (back, _) = loop {
                look = match look {
                    Ok(guard) => look_again(self.wait_for(guard, site).await, Ok(()), &mut condition),
                    Err(over) => break over,
                };
            };
            // As in `wait_while_until`.
            drop(condition);
            back
        }
    }

    /// As [`wait_timeout`](Condvar::wait_timeout). Needs no runtime.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Condvar::wait_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_async_timeout<G: Guard>(
        &self,
        guard: G,
        limit: Duration,
    ) -> impl Future<Output = (G::Back, Result<(), TimedOut>)> {
        let site = Site::here();
        async move {
            let (guard, told) = self.wait_for_at_most(guard, limit, site).await;
            (guard.back(), told)
        }
    }

    /// As [`wait_while_timeout`](Condvar::wait_while_timeout). Needs no runtime.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Condvar::wait_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn wait_while_async_timeout<G: Guard>(
        &self,
        guard: G,
        mut condition: impl FnMut(&mut G::Value) -> bool,
        limit: Duration,
    ) -> impl Future<Output = (G::Back, Result<(), TimedOut>)> {
        let site = Site::here();
        async move {
            let deadline = Instant::now().checked_add(limit);
            let mut look = look(guard, Ok(()), &mut condition);
            let back = loop {
                let guard = match look {
                    Ok(guard) => guard,
                    Err(over) => break over,
                };
                let left = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
                let (guard, told) = self.wait_for_at_most(guard, left, site).await;
                look = look_again(guard, told, &mut condition);
            };
            // As in `wait_while_until`.
            drop(condition);
            back
        }
    }

    /// Ends the wait of whoever has waited longest, if anybody waits.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn notify_one(&self) {
        self.waiters.with(Waiters::tell_one);
    }

    /// Ends the wait of the `count` who have waited longest, or of all if they are fewer. Whoever comes meanwhile waits on.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn notify(&self, count: usize) {
        let (mut left, mut last) = (count, None);
        // A waker that panics must not keep those of the next batch from being told.
        let mut every = Every::default();
        while left > 0 {
            let mut told = 0;
            every.run(|| {
                self.waiters
                    .with(|waiters, afterwards| told = waiters.tell_some(left, &mut last, afterwards));
            });
            // Fewer than that only if nobody is left who was there, or not all can be woken at once.
            left = if told == 0 { 0 } else { left - told };
        }
        every.resume();
    }

    /// Ends the wait of everybody who waits now.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn notify_all(&self) {
        self.waiters.with(Waiters::tell_all);
    }

    /// How many wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.with(|waiters, _| waiters.len())
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn wait_while_until<G: Guard>(
        &self,
        guard: G,
        mut condition: impl FnMut(&mut G::Value) -> bool,
        deadline: Option<Instant>,
    ) -> (G::Back, Result<(), TimedOut>) {
        let mut look = look(guard, Ok(()), &mut condition);
        let back = loop {
            let guard = match look {
                Ok(guard) => guard,
                Err(over) => break over,
            };
            let (guard, told) = self.wait_until(guard, deadline);
            look = look_again(guard, told, &mut condition);
        };
        // While the guard is here: a destructor that panics later would keep it from being dropped.
        drop(condition);
        back
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn wait_until<G: Guard>(&self, guard: G, deadline: Option<Instant>) -> (G, Result<(), TimedOut>) {
        let mut lock = None;
        let release = || lock = Some(guard.release());
        let told = self.waiters.wait_after(|waiters| waiters, deadline, when_told, release);
        // A parker may unwind the wait for the lock, when its coroutine is dropped.
        let received = Received { condvar: self, told };
        let guard = G::lock(released(lock));
        received.used();
        (guard, told.map(drop).ok_or(TimedOut))
    }

    async fn wait_for<G: Guard>(&self, guard: G, site: Site) -> G {
        let mut lock = None;
        let told = self.notified(guard, &mut lock).await;
        let received = Received { condvar: self, told: Some(told) };
        let guard = G::lock_async(released(lock), site).await;
        received.used();
        guard
    }

    async fn wait_for_at_most<G: Guard>(
        &self,
        guard: G,
        limit: Duration,
        site: Site,
    ) -> (G, Result<(), TimedOut>) {
        let mut lock = None;
        let told = timer::timeout(limit, self.notified(guard, &mut lock)).await;
        let received = Received { condvar: self, told: told.ok() };
        let guard = G::lock_async(released(lock), site).await;
        received.used();
        (guard, told.map(drop))
    }

    /// Takes a place in the queue and only then releases the lock, so that no notification in between is missed.
    async fn notified<G: Guard>(&self, guard: G, lock: &mut Option<G::Lock>) -> Told {
        let mut notified = pin!(self.waiters.wait_for(|waiters| waiters, when_told));
        let mut guard = Some(guard);
        poll_fn(move |cx| {
            let told = notified.as_mut().poll(cx);
            if let Some(guard) = guard.take() {
                *lock = Some(guard.release());
            }
            told
        })
        .await
    }
}

/// What comes back from a wait for a condition, and whether the time had passed.
type Over<G> = (<G as Guard>::Back, Result<(), TimedOut>);

/// One look at the value: the guard, to wait on with; or what comes back, where the condition does not hold or the time has passed.
fn look<G: Guard>(
    mut guard: G,
    told: Result<(), TimedOut>,
    condition: &mut impl FnMut(&mut G::Value) -> bool,
) -> Result<G, Over<G>> {
    if !condition(guard.value()) {
        return Err((guard.back(), Ok(())));
    }
    if told.is_err() {
        return Err((guard.back(), told));
    }
    Ok(guard)
}

/// As [`look`], after a wait, in which the value may have been spoiled.
fn look_again<G: Guard>(
    guard: G,
    told: Result<(), TimedOut>,
    condition: &mut impl FnMut(&mut G::Value) -> bool,
) -> Result<G, Over<G>> {
    guard.checked().map_or_else(|spoiled| Err((spoiled, Ok(()))), |guard| look(guard, told, condition))
}

/// The lock of a guard that waits: it was released when the wait began.
fn released<L>(lock: Option<L>) -> L {
    match lock {
        Some(lock) => lock,
        None => unreachable!("a wait begins before it ends"),
    }
}

/// The attempt that succeeds after a notification.
fn when_told(_: &mut Waiters, turn: Turn, _: &mut Afterwards) -> Option<Told> {
    turn.told
}

impl Queues for Waiters {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(self);
    }
}

impl Received<'_> {
    fn used(mut self) {
        self.told = None;
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        if self.told == Some(Told::Alone) {
            // A waker's panic must not leave a destructor, which may run in another panic.
            contain(|| self.condvar.notify_one());
        }
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").field("waiting", &self.waiting()).finish()
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Condvar::new()
    }
}
