//! The handle of a thread.

use crate::builder::Builder;
use crate::living::Identity;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;
use sync::{CancelToken, JoinError, Task, completion::Wait, error::Unfinished, task::TaskId};

/// A thread of the operating system: a [`Task`] with an identity.
///
/// **Dropping the handle detaches**: the thread goes on, and its result is dropped when it is there. Wait for it with
/// [`join`](Thread::join), or `.await` it on any runtime. A panic in it is an error of `join` and nothing else.
///
/// # Examples
/// ```
/// let thread = threads::Thread::builder().name("adder").spawn(|| 1 + 1)?;
/// assert_eq!(thread.join()?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a thread's handle detaches it; wait for it with `join` or `.await`"]
pub struct Thread<T> {
    task: Task<T>,
    identity: Identity,
    token: CancelToken,
    handle: JoinHandle<()>,
}

/// Starts a thread that runs `work`. [`Thread::builder`] can give it a name.
///
/// # Errors
/// Those of the system: there are too many threads, or no memory for the stack.
pub fn spawn<T, F>(work: F) -> io::Result<Thread<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(work)
}

impl Thread<()> {
    /// What the thread is to be like.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl<T> Thread<T> {
    pub(crate) fn new(task: Task<T>, identity: Identity, token: CancelToken, handle: JoinHandle<()>) -> Self {
        Thread { task, identity, token, handle }
    }

    /// Waits until the thread is gone and returns the result of its work. Blocks.
    ///
    /// # Errors
    /// [`JoinError::Panicked`], [`JoinError::Cancelled`] if it was cancelled before it began, and
    /// [`JoinError::Failed`] if a thread waits for itself.
    pub fn join(self) -> Result<T, JoinError> {
        if thread::current().id() == self.handle.thread().id() {
            let name = self.name();
            return Err(JoinError::failed(format_args!(
                "thread `{name}` waits for its own end; let another thread join it, or drop the handle"
            )));
        }
        let result = self.task.join();
        // The result is there, so this is over soon. A panic here is one of a destructor after the work.
        let _ = self.handle.join();
        result
    }

    /// Waits at most `limit` for the result. Blocks. The thread itself may end a little later than its work.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if the work has not ended by then: it goes on and can be waited for again. The
    /// inner result is that of [`join`](Thread::join).
    pub fn join_timeout(self, limit: Duration) -> Result<Result<T, JoinError>, Unfinished<Self>> {
        let Thread { task, identity, token, handle } = self;
        task.join_timeout(limit)
            .map_err(|Unfinished(task)| Unfinished(Thread { task, identity, token, handle }))
    }

    /// Takes the result if the work has ended. Never blocks.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if it has not.
    pub fn try_join(self) -> Result<Result<T, JoinError>, Unfinished<Self>> {
        let Thread { task, identity, token, handle } = self;
        task.try_join().map_err(|Unfinished(task)| Unfinished(Thread { task, identity, token, handle }))
    }

    /// Whether the result is there.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Asks the work to stop: it never begins if it has not, and otherwise learns of it by
    /// [`cancel_token`](crate::cancel_token), where it looks. Returns at once.
    pub fn cancel(&self) {
        self.task.cancel();
    }

    /// The token that [`cancel`](Thread::cancel) cancels, to be cancelled by others or made a parent.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.token.clone()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.identity.name()
    }

    /// The identity that `std::thread` knows it by.
    #[must_use]
    #[doc(alias = "ident")]
    pub fn id(&self) -> ThreadId {
        self.handle.thread().id()
    }

    /// The number that the system knows it by; see [`Identity::native_id`].
    #[must_use]
    pub fn native_id(&self) -> Option<u64> {
        self.identity.native_id()
    }

    /// Whether the end of the program does not wait for it.
    #[must_use]
    #[doc(alias = "daemon")]
    pub fn is_daemon(&self) -> bool {
        self.identity.is_daemon()
    }

    /// Who it is, to be kept when the handle goes.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// The handle of the work alone, for lists of tasks of different kinds.
    pub fn into_task(self) -> Task<T> {
        self.task
    }
}

impl<T> Wait for Thread<T> {
    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    fn poll_finished(&mut self, cx: &Context<'_>) -> bool {
        self.task.poll_finished(cx)
    }

    fn is_failed(&self) -> bool {
        self.task.is_failed()
    }

    fn task_id(&self) -> Option<TaskId> {
        Some(self.task.id())
    }
}

/// The result of the work; the thread itself may end a little later.
///
/// # Cancel safety
/// Dropping the future detaches the thread, as dropping any handle does. To keep it, await `&mut thread`.
impl<T> Future for Thread<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}

impl<T> From<Thread<T>> for Task<T> {
    fn from(thread: Thread<T>) -> Self {
        thread.into_task()
    }
}

impl<T> fmt::Debug for Thread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("identity", &self.identity)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
