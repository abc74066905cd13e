//! One function in one process.

use crate::engine::{self, End, Exit, Identity, NotStarted, Owner, Signal, Worker};
use crate::job::{self, Last};
use ipc::Parcel;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use sync::{
    CancelToken, JoinError, Task, cancel::OnCancel, completion::Wait, error::Unfinished, task::Promise,
};

/// A process of this program that runs one function, and the handle of its result.
///
/// It is a [`Task`] with a process id: wait for it by [`join`](Process::join), or `.await` it on any runtime. **Dropping
/// the handle detaches**: the process goes on, at most as long as this one. To stop it, [`kill`](Process::kill) it first.
///
/// The result is there when the process has ended and nothing is left of it.
///
/// # Examples
/// ```
/// let process = procs::Process::spawn(|(a, b): (u64, u64)| a * b, (6, 7))?;
/// assert_ne!(process.pid(), std::process::id());
/// assert_eq!(process.join()?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cancel safety
/// Dropping the future detaches. To wait with a limit and keep the process, await `&mut process`.
#[must_use = "dropping a process detaches it; wait for it with `join` or `.await`"]
pub struct Process<R> {
    task: Task<R>,
    identity: Arc<Identity>,
}

/// How a process is to be started; see [`Process::builder`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Process<()> {
    /// To set more than the function.
    ///
    /// # Examples
    /// ```
    /// let process = procs::Process::builder().name("counter").spawn(|n: u32| n + 1, 1)?;
    /// assert_eq!(process.join()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl<R: Send + 'static> Process<R> {
    /// Starts a process that calls `f(argument)`.
    ///
    /// `f` is a function or a closure that captures nothing; what it needs is in `argument`, which serde writes down here
    /// and reads there. A tuple carries several values, and ends of `ipc` may be among them.
    ///
    /// Waits, cooperatively, until the process is there: some hundred microseconds. The first start in a while begins
    /// with the zygote, which costs as much as starting this program.
    ///
    /// # Errors
    /// The argument cannot be written down ([`io::ErrorKind::InvalidInput`]); the system refuses another process;
    /// [`io::ErrorKind::Unsupported`] where this crate does nothing yet; [`io::ErrorKind::Deadlock`] in a callback that
    /// runs on the thread that looks after all processes.
    #[doc(alias = "start")]
    pub fn spawn<F, A>(f: F, argument: A) -> io::Result<Process<R>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        Builder::default().spawn(f, argument)
    }
}

impl Builder {
    /// What `ps` and `top` show. The system keeps its first 15 bytes.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Starts a process that calls `f(argument)`; see [`Process::spawn`].
    ///
    /// # Errors
    /// As [`Process::spawn`].
    pub fn spawn<F, A, R>(&self, f: F, argument: A) -> io::Result<Process<R>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        if engine::is_manager() {
            let why = "this callback runs on the thread of all processes, which cannot wait for a new one";
            return Err(io::Error::new(io::ErrorKind::Deadlock, why));
        }
        let mut job = job::encode(f, &argument, Last::Yes)?;
        drop(argument);
        let mut attempts = ATTEMPTS_MAX;
        loop {
            attempts -= 1;
            match start(self.name.as_deref(), job)? {
                Start::Begun(process) => return Ok(process),
                Start::Not(NotStarted::Refused(why), _) => return Err(why),
                Start::Not(NotStarted::ZygoteLost, _) if attempts == 0 => {
                    let why = "the zygote ended before it could fork, several times; something kills it, or it cannot \
                               start (it says why on standard error)";
                    return Err(io::Error::other(why));
                }
                Start::Not(NotStarted::ZygoteLost, again) => job = again,
            }
        }
    }
}

/// A zygote that is lost in just the moment of a start is bad luck once, and a pattern after that.
const ATTEMPTS_MAX: u32 = 3;

enum Start<R> {
    Begun(Process<R>),
    Not(NotStarted, Parcel),
}

fn start<R: DeserializeOwned + Send + 'static>(name: Option<&str>, job: Parcel) -> io::Result<Start<R>> {
    let token = CancelToken::new();
    let (promise, task) = sync::promise_cancelling(token.clone());
    let (begun, beginning) = sync::promise();
    let solo = Arc::new(Solo {
        state: Mutex::new(State { promise: Some(promise), begun: Some(begun), ..State::default() }),
    });
    let owner: Arc<dyn Owner> = Arc::clone(&solo) as _;
    engine::start(name, &owner, job).map_err(|(why, _)| why)?;
    match beginning.join().map_err(io::Error::other)? {
        Begun::Started(identity) => {
            let killed = Arc::clone(&identity);
            let on_cancel = token.on_cancel(move || {
                let _ = killed.signal(Signal::Kill);
            });
            solo.keep(on_cancel);
            Ok(Start::Begun(Process { task, identity }))
        }
        Begun::Not(why, job) => Ok(Start::Not(why, job)),
    }
}

impl<R> Process<R> {
    /// The id of the process. The system may give it to another one once this has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.identity.pid()
    }

    /// Waits until the process has ended, and returns the function's result. Blocks, or suspends the coroutine.
    ///
    /// # Errors
    /// [`JoinError`]: `Panicked` with message, place and, if `RUST_BACKTRACE` is set, backtrace; `Killed` by a signal;
    /// `Exited` before the function returned; `Cancelled`; `Failed` if the argument or the result could not be carried.
    pub fn join(self) -> Result<R, JoinError> {
        self.task.join()
    }

    /// Waits at most `limit`.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if it has not ended by then. The inner result is that of [`join`](Process::join).
    pub fn join_timeout(self, limit: Duration) -> Result<Result<R, JoinError>, Unfinished<Self>> {
        let Process { task, identity } = self;
        task.join_timeout(limit).map_err(|Unfinished(task)| Unfinished(Process { task, identity }))
    }

    /// The result, if the process has ended. Never blocks.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if it has not.
    pub fn try_join(self) -> Result<Result<R, JoinError>, Unfinished<Self>> {
        let Process { task, identity } = self;
        task.try_join().map_err(|Unfinished(task)| Unfinished(Process { task, identity }))
    }

    /// Whether the process has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Whether the process has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.is_finished()
    }

    /// Ends the process where it stands (`SIGKILL`). It does not wait for that; [`join`](Process::join) does, and gives
    /// [`JoinError::Killed`]. Nothing happens to a process that has ended, or to another one that has got its number.
    ///
    /// # Errors
    /// What the system says, such as that the process has changed its user.
    pub fn kill(&self) -> io::Result<()> {
        self.identity.signal(Signal::Kill)
    }

    /// Asks the process to end (`SIGTERM`), which ends it unless the function has arranged otherwise.
    ///
    /// # Errors
    /// As [`kill`](Process::kill).
    pub fn terminate(&self) -> io::Result<()> {
        self.identity.signal(Signal::Terminate)
    }

    /// Ends the process where it stands, as [`Task::cancel`] does. [`join`](Process::join) gives
    /// [`JoinError::Cancelled`], or the result if that was faster.
    pub fn cancel(&self) {
        self.task.cancel();
    }

    /// The handle without the identity. Cancelling it still kills the process.
    pub fn into_task(self) -> Task<R> {
        self.task
    }
}

/// The descriptor of the process, which can be read once it has ended: for programs with an event loop of their own.
#[cfg(target_os = "linux")]
impl<R> std::os::fd::AsFd for Process<R> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.identity.pidfd()
    }
}

impl<R> From<Process<R>> for Task<R> {
    fn from(process: Process<R>) -> Self {
        process.task
    }
}

impl<R> Wait for Process<R> {
    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    fn poll_finished(&mut self, cx: &Context<'_>) -> bool {
        Wait::poll_finished(&mut self.task, cx)
    }

    fn is_failed(&self) -> bool {
        self.task.is_failed()
    }
}

impl<R> Future for Process<R> {
    type Output = Result<R, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("pid", &self.pid()).field("task", &self.task).finish()
    }
}

/// The owner of a worker with a single job.
struct Solo<R: Send + 'static> {
    state: Mutex<State<R>>,
}

struct State<R: Send + 'static> {
    begun: Option<Promise<Begun>>,
    promise: Option<Promise<R>>,
    answer: Option<Result<R, JoinError>>,
    /// Kept as long as there is something to cancel.
    on_cancel: Option<OnCancel>,
}

enum Begun {
    Started(Arc<Identity>),
    Not(NotStarted, Parcel),
}

impl<R: Send + 'static> Default for State<R> {
    fn default() -> Self {
        State { begun: None, promise: None, answer: None, on_cancel: None }
    }
}

impl<R: Send + 'static> Solo<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // What runs under the lock moves values and calls nobody.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, on_cancel: OnCancel) {
        let mut state = self.lock();
        if state.promise.is_some() {
            state.on_cancel = Some(on_cancel);
        }
    }

    fn begin(&self, begun: Begun) {
        let promise = self.lock().begun.take();
        if let Some(promise) = promise {
            // The waker of whoever waits for the beginning may be anybody's.
            sync::contain(|| promise.finish(Ok(begun)));
        }
    }
}

impl<R: DeserializeOwned + Send + 'static> Owner for Solo<R> {
    fn started(&self, worker: &Arc<Worker>) {
        if let Some(identity) = worker.process() {
            self.begin(Begun::Started(Arc::clone(identity)));
        }
    }

    fn not_started(&self, why: NotStarted, first: Parcel) {
        self.begin(Begun::Not(why, first));
    }

    fn answered(&self, answer: Parcel) {
        let answer = job::decode(answer);
        self.lock().answer = Some(answer);
    }

    fn ended(&self, end: End) {
        let State { promise, answer, on_cancel, .. } = std::mem::take(&mut *self.lock());
        drop(on_cancel);
        let Some(promise) = promise else { return };
        let how = end.how;
        let result = answer.unwrap_or_else(|| match end.outcome() {
            Ok(answer) => job::decode(answer),
            Err(_) if how == Exit::Signal(9) && promise.is_cancelled() => Err(JoinError::Cancelled),
            Err(why) => Err(why),
        });
        sync::contain(|| promise.finish(result));
    }
}
