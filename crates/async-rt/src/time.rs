//! Sleeping, and not waiting too long.

use crate::context;
use crate::drivers::AnySleep;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use sync::TimedOut;

/// Waits for `limit` from now on, never shorter.
///
/// By the timer of the current runtime; outside one, by the timer that [`sync::timer`] keeps for the program.
///
/// # Examples
/// ```
/// use std::time::{Duration, Instant};
///
/// let began = Instant::now();
/// async_rt::run(async_rt::Backend::Native, async_rt::sleep(Duration::from_millis(5)))?;
/// assert!(began.elapsed() >= Duration::from_millis(5));
/// # Ok::<(), async_rt::StartError>(())
/// ```
pub fn sleep(limit: Duration) -> Sleep {
    let core = context::current();
    Sleep { sleep: core.map_or_else(|| AnySleep::without_runtime(limit), |core| core.driver.sleep(limit)) }
}

/// Waits until `at`. As [`sleep`].
pub fn sleep_until(at: Instant) -> Sleep {
    sleep(at.saturating_duration_since(Instant::now()))
}

/// Waits for `future`, at most `limit` from now on.
///
/// The future is polled before the clock is looked at, so that a result that is there is never lost to the clock. When
/// the time has passed the future is dropped with the answer.
///
/// # Errors
/// [`TimedOut`] if it was not ready by then.
///
/// # Cancel safety
/// That of `future`, which lives in the answer.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let late = async_rt::run(async_rt::Backend::Native, async {
///     async_rt::timeout(Duration::from_millis(5), std::future::pending::<()>()).await
/// })?;
/// assert_eq!(late, Err(async_rt::TimedOut));
/// # Ok::<(), async_rt::StartError>(())
/// ```
#[doc(alias = "wait_for")]
pub fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    Timeout { future, end: sleep(limit) }
}

pin_project! {
    /// A point in time that can be awaited; see [`sleep`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping it; its wake-up is taken back.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Sleep {
        #[pin]
        sleep: AnySleep,
    }
}

pin_project! {
    /// A future with a limit; see [`timeout`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        end: Sleep,
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        this.end.poll(cx).map(|()| Err(TimedOut))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep(..)")
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timeout(..)")
    }
}
