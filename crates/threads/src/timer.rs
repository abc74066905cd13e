//! Something to be done later.

use crate::builder::Builder;
use crate::thread::Thread;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use sync::{JoinError, Task, completion::Wait, error::Unfinished, task::TaskId};

/// Work that a thread does after a while, unless it is cancelled before.
///
/// **Dropping the handle detaches**: the work is done all the same. Each timer is a thread that sleeps, as Python's is; for
/// thousands of deadlines, await `sync::timer::sleep` instead, which shares one.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let soon = threads::Timer::start(Duration::from_millis(1), || "done")?;
/// assert_eq!(soon.join()?, "done");
///
/// let never = threads::Timer::start(Duration::from_secs(3600), || "done")?;
/// never.cancel();
/// assert!(never.join().is_err_and(|error| error.is_cancelled()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a timer detaches it: its work is done all the same"]
#[derive(Debug)]
pub struct Timer<T> {
    thread: Thread<T>,
}

impl Timer<()> {
    /// Runs `work` after `delay`, or a little later, never earlier.
    /// [`Builder::spawn_after`](crate::Builder::spawn_after) does it with a name.
    ///
    /// # Errors
    /// Those of the system: there are too many threads, or no memory for the stack.
    pub fn start<T, F>(delay: Duration, work: F) -> io::Result<Timer<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Builder::new().spawn_after(delay, work)
    }
}

impl<T> Timer<T> {
    pub(crate) fn new(thread: Thread<T>) -> Self {
        Timer { thread }
    }

    /// Takes the work back if it has not begun: the timer ends with [`JoinError::Cancelled`]. Work that runs learns of it
    /// by [`cancel_token`](crate::cancel_token). Returns at once.
    pub fn cancel(&self) {
        self.thread.cancel();
    }

    /// Waits until the work is done or taken back. Blocks.
    ///
    /// # Errors
    /// [`JoinError::Cancelled`] if it was taken back, [`JoinError::Panicked`].
    pub fn join(self) -> Result<T, JoinError> {
        self.thread.join()
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if it has not ended by then. The inner result is that of [`join`](Timer::join).
    pub fn join_timeout(self, limit: Duration) -> Result<Result<T, JoinError>, Unfinished<Self>> {
        self.thread.join_timeout(limit).map_err(|Unfinished(thread)| Unfinished(Timer { thread }))
    }

    /// Whether the work is done or taken back.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// The thread that waits, and then works.
    pub fn into_thread(self) -> Thread<T> {
        self.thread
    }

    /// The handle of the work alone, for lists of tasks of different kinds.
    pub fn into_task(self) -> Task<T> {
        self.thread.into_task()
    }
}

impl<T> Wait for Timer<T> {
    fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    fn poll_finished(&mut self, cx: &Context<'_>) -> bool {
        self.thread.poll_finished(cx)
    }

    fn is_failed(&self) -> bool {
        self.thread.is_failed()
    }

    fn task_id(&self) -> Option<TaskId> {
        self.thread.task_id()
    }
}

/// The result of the work.
///
/// # Cancel safety
/// Dropping the future detaches the timer. To keep it, await `&mut timer`.
impl<T> Future for Timer<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.thread).poll(cx)
    }
}

impl<T> From<Timer<T>> for Task<T> {
    fn from(timer: Timer<T>) -> Self {
        timer.into_task()
    }
}
