//! Deadlines for async code, on any runtime.
//!
//! A future cannot look at the clock by itself: somebody has to wake it. A runtime that has a timer installs it on its
//! threads by [`install`], and every deadline that is awaited there uses it. Where none is installed, one thread named
//! `trefoil-timer` serves the whole program; it starts with the first deadline and ends when it has had none for a while.
//! There, waiting allocates nothing: what the thread knows of a wait lies in the future that waits.
//! It calls the wakers one after the other: while one of them blocks, or runs its task at once, no awaited limit of the program comes
//! that has no other timer. An executor whose wakers do that should install a timer of its own.
//! (Blocking calls do not need it: they park with a deadline.)
//!
//! # Waiting
//! As [`Sleep`]. Nothing else here waits: [`install`] sets what the thread uses, and [`schedule`] asks for a wake-up and returns.

pub(crate) mod deadlines;
#[expect(unsafe_code, reason = "nodes lie in the futures that wait")]
pub(crate) mod entry;
#[expect(unsafe_code, reason = "nodes lie in the futures that wait")]
mod heap;
#[expect(unsafe_code, reason = "a pinned field of a future")]
mod sleep;
mod thread;

use crate::catch::contain;
use crate::error::TimedOut;
use crate::hook::{self, Guard};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use entry::Entry;
pub use sleep::Sleep;
use thread::DEADLINES;

/// Wakes a waker at a given time.
pub trait Timer: Send + Sync {
    /// Arranges that `waker` is woken at `at` or a little later, never earlier, unless the answer is dropped before.
    ///
    /// The answer may go to another thread. A timer that ends while wake-ups are outstanding wakes them all, early: who
    /// waits looks at the clock and asks the next timer.
    fn schedule(&self, at: Instant, waker: Waker) -> Scheduled;
}

/// A wake-up that was asked for. Dropping it takes it back.
#[must_use = "dropping it takes the wake-up back"]
pub struct Scheduled {
    cancel: Option<Box<dyn FnOnce() + Send>>,
}

impl Scheduled {
    /// `cancel` is called once, when the wake-up is no longer wanted, be it that it has happened.
    pub fn new(cancel: impl FnOnce() + Send + 'static) -> Self {
        Scheduled { cancel: Some(Box::new(cancel)) }
    }
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            // A timer, and the waker that it drops, may be anybody's, and a panic may drop this.
            contain(cancel);
        }
    }
}

impl fmt::Debug for Scheduled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scheduled(..)")
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Timer>>> = const { RefCell::new(None) };
}

/// Puts back the timer that was there before, when dropped. Guards must be dropped in reverse order, on their thread.
///
/// It cannot leave its thread:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<sync::timer::Installed>();
/// ```
#[must_use = "the timer is installed only as long as the guard lives"]
#[derive(Debug)]
pub struct Installed {
    _guard: Guard<Arc<dyn Timer>>,
}

/// Makes `timer` the one that deadlines awaited on this thread use, until the guard is dropped.
pub fn install(timer: Arc<dyn Timer>) -> Installed {
    Installed { _guard: hook::install(&CURRENT, timer) }
}

/// Asks this thread's timer, or the program's, for a wake-up.
///
/// It may come early in one case: where there is no timer and the machine refuses even one thread, `waker` is woken at
/// once, so that nobody waits for ever. Look at the clock, and ask again.
///
/// Allocates, whichever timer it is; [`sleep`] need not.
pub fn schedule(at: Instant, waker: Waker) -> Scheduled {
    match hook::current(&CURRENT) {
        Some(timer) => timer.schedule(at, waker),
        None => {
            let entry = Box::pin(Entry::new(&DEADLINES));
            if !entry.as_ref().ask(at, &waker) {
                waker.wake();
            }
            Scheduled::new(move || drop(entry))
        }
    }
}

/// Has the program's own timer walk the [patrol](crate::wait::patrol) in a while; `false` if there is no thread for it. It is
/// never a runtime's timer: that may be what does not go on.
pub(crate) fn start_patrol() -> bool {
    thread::DEADLINES.is_patrolled_at(Instant::now() + thread::PATROL)
}

/// Waits until `at`. The future needs no runtime.
///
/// # Waiting
/// As [`Sleep`].
pub fn sleep_until(at: Instant) -> Sleep {
    Sleep::new(Some(at))
}

/// Waits for `limit` from now on, and not from the first poll on. The future needs no runtime.
///
/// # Waiting
/// As [`Sleep`].
pub fn sleep(limit: Duration) -> Sleep {
    // A time beyond what the clock can say is never reached.
    Sleep::new(Instant::now().checked_add(limit))
}

/// Waits for `future`, at most `limit` from the first poll on. Needs no runtime. All `.._async_timeout` of this crate are
/// made of it.
///
/// Never early; how late, is up to the timer.
///
/// # Waiting
/// - **Blocks** nobody; what polling `future` does is its own affair.
/// - **Allocates** nothing, as [`Sleep`], but for what a [timer](install) of a runtime does.
/// - **Order**: that of `future`, which is polled before the clock is looked at.
/// - **Dropped**, it drops `future`, which it also does when the time has passed, and takes its wake-up back.
/// - **A waker that panics**: as [`Sleep`], and as `future` says.
///
/// # Errors
/// [`TimedOut`] if it was not ready by then. The future is polled before the clock is looked at, so that a result that
/// is there is never lost to the clock.
///
/// # Cancel safety
/// That of `future`, which lives in the answer.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use sync::{park, timer};
///
/// let event = sync::Event::new();
/// let late = park::block_on(timer::timeout(Duration::from_millis(5), event.wait_async()));
/// assert_eq!(late, Err(sync::TimedOut));
/// ```
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Result<F::Output, TimedOut> {
    let mut future = std::pin::pin!(future);
    let mut end = std::pin::pin!(sleep(limit));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        end.as_mut().poll(cx).map(|()| Err(TimedOut))
    })
    .await
}
