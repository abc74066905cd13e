//! Deadlines for async code, on any runtime.
//!
//! A future cannot look at the clock by itself: somebody has to wake it. A runtime that has a timer installs it on its
//! threads by [`install`], and every deadline that is awaited there uses it. Where none is installed, one thread named
//! `trefoil-timer` serves the whole program; it starts with the first deadline and ends when it has had none for a while.
//! (Blocking calls do not need it: they park with a deadline.)

mod thread;

use crate::catch::contain;
use crate::error::TimedOut;
use crate::hook::{self, Guard};
use crate::primitive::{AtomicBool, Ordering};
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

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
pub fn schedule(at: Instant, waker: Waker) -> Scheduled {
    match hook::current(&CURRENT) {
        Some(timer) => timer.schedule(at, waker),
        None => thread::schedule(at, waker.clone()).unwrap_or_else(|| {
            waker.wake();
            Scheduled::new(|| ())
        }),
    }
}

/// Waits until `at`. The future needs no runtime.
pub fn sleep_until(at: Instant) -> Sleep {
    Sleep { at: Some(at), scheduled: None }
}

/// Waits for `limit` from now on. The future needs no runtime.
pub fn sleep(limit: Duration) -> Sleep {
    Sleep {
        // A time beyond what the clock can say is never reached.
        at: Instant::now().checked_add(limit),
        scheduled: None,
    }
}

/// A point in time that can be awaited. See [`sleep`].
///
/// # Cancel safety
/// Nothing is lost by dropping it.
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Sleep {
    at: Option<Instant>,
    scheduled: Option<(Arc<Alarm>, Scheduled)>,
}

/// The waker that a timer is given: wakes the real one, and shows that it did.
#[derive(Debug)]
struct Alarm {
    rung: AtomicBool,
    waker: Waker,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the load in `Sleep::poll`. Waking comes second, so that the poll it leads to sees the mark.
        self.rung.store(true, Ordering::Release);
        self.waker.wake_by_ref();
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if Instant::now() >= at {
            self.scheduled = None;
            return Poll::Ready(());
        }
        let still_to_come = self.scheduled.as_ref().is_some_and(|(alarm, _)| {
            // Acquire: pairs with the store in `Alarm`. A timer that came early is asked again.
            !alarm.rung.load(Ordering::Acquire) && alarm.waker.will_wake(cx.waker())
        });
        if !still_to_come {
            // The old wake-up is taken back before the new one is asked for.
            self.scheduled = None;
            let alarm = Arc::new(Alarm { rung: AtomicBool::new(false), waker: cx.waker().clone() });
            let scheduled = schedule(at, Waker::from(Arc::clone(&alarm)));
            self.scheduled = Some((alarm, scheduled));
        }
        Poll::Pending
    }
}

/// Waits for `future`, at most `limit` from the first poll on. Needs no runtime. All `.._async_timeout` of this crate are
/// made of it.
///
/// Never early; how late, is up to the timer. While it waits, it holds a wake-up of that [timer](install), which may
/// allocate: the one of this crate does.
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
    let mut end = sleep(limit);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut end).poll(cx).map(|()| Err(TimedOut))
    })
    .await
}
