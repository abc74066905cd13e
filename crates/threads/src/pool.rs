//! Workers that take tasks.

mod builder;
mod job;
mod parker;
mod room;
mod shared;
mod state;
mod worker;

pub use builder::PoolBuilder;
pub use room::Full;
pub use worker::blocking;

use executor::{Abilities, Argument, Executor, Shutdown};
use shared::Shared;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::{JoinError, Task, TimedOut};

/// Threads that run tasks, in the order in which they were submitted.
///
/// **Dropping the pool finishes all of its tasks and ends its threads**, and waits for that; dropped by a task of its own,
/// it does not wait, and the threads end by themselves. [`detach`](Pool::detach) is a drop that never waits, and
/// [`shutdown_timeout`](Executor::shutdown_timeout) one that waits so long and no longer.
///
/// Threads start when they are needed and sleep when they are not. **Tasks may wait for each other**: a task that waits by
/// `sync` (a `join`, a lock, a queue), or inside [`blocking`], lets another thread run what is queued, up to
/// [`max_threads`](PoolBuilder::max_threads). A panic in a task is an error of its handle and nothing else.
///
/// What `cancel` does: a task that has not begun ends with `Cancelled` at once, and its closure is dropped; one that runs
/// finds its [`cancel_token`](crate::cancel_token) cancelled, and gives what it returns.
///
/// # Examples
/// ```
/// use threads::{Executor, JoinError, Pool};
///
/// let pool = Pool::new(2);
/// let factor = 3;
/// let task = pool.spawn(move || 14 * factor);
/// let squares: Vec<u64> = pool.map(|number: u64| number * number, 0..4).collect::<Result<_, _>>()?;
/// assert_eq!((task.join()?, squares), (42, vec![0, 1, 4, 9]));
/// # Ok::<(), JoinError>(())
/// ```
#[doc(alias = "ThreadPoolExecutor")]
pub struct Pool {
    shared: Arc<Shared>,
    detached: bool,
}

impl Pool {
    /// A pool that runs `workers` tasks at a time. [`Pool::builder`] can do more, [`Pool::default`] has as many as the
    /// machine runs at a time.
    ///
    /// # Panics
    /// If `workers` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(workers: usize) -> Self {
        Self::builder().workers(workers).build()
    }

    /// What the pool is to be like.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    /// Runs `f(argument)` and returns its handle at once; as [`Executor::submit`], and `f` may capture variables and the
    /// argument need not be serialized, for the work stays in this process.
    ///
    /// Waits while a [bounded](PoolBuilder::queue_bound) queue is full. The task's error is [`JoinError::ShutDown`] after
    /// a shutdown, and [`JoinError::Failed`] if the system does not let the pool have its first thread.
    pub fn submit<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: FnOnce(A) -> R + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.spawn(move || f(argument))
    }

    /// As [`submit`](Pool::submit), never waiting.
    ///
    /// # Errors
    /// [`Full`] with the argument, if the queue is.
    pub fn try_submit<F, A, R>(&self, f: F, argument: A) -> Result<Task<R>, Full<A>>
    where
        F: FnOnce(A) -> R + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        match self.shared.room.try_enter() {
            Err(TimedOut) => Err(Full(argument)),
            Ok(entered) => Ok(self.enqueue(entered, move || f(argument))),
        }
    }

    /// As [`submit`](Pool::submit), waiting at most `limit`.
    ///
    /// # Errors
    /// [`Full`] with the argument, if the queue was full all the time.
    pub fn submit_timeout<F, A, R>(&self, f: F, argument: A, limit: Duration) -> Result<Task<R>, Full<A>>
    where
        F: FnOnce(A) -> R + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        match self.shared.room.enter_timeout(limit) {
            Err(TimedOut) => Err(Full(argument)),
            Ok(entered) => Ok(self.enqueue(entered, move || f(argument))),
        }
    }

    /// Runs a closure and returns its handle at once. Dropping the handle detaches the task.
    ///
    /// Waits and fails as [`submit`](Pool::submit).
    pub fn spawn<F, R>(&self, work: F) -> Task<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let entered = self.shared.room.enter();
        self.enqueue(entered, work)
    }

    /// As [`spawn`](Pool::spawn), never waiting.
    ///
    /// # Errors
    /// [`Full`] with the closure, if the queue is.
    pub fn try_spawn<F, R>(&self, work: F) -> Result<Task<R>, Full<F>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.try_submit(|work| work(), work)
    }

    /// As [`spawn`](Pool::spawn), waiting at most `limit`.
    ///
    /// # Errors
    /// [`Full`] with the closure, if the queue was full all the time.
    pub fn spawn_timeout<F, R>(&self, work: F, limit: Duration) -> Result<Task<R>, Full<F>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.submit_timeout(|work| work(), work, limit)
    }

    /// How many tasks have not begun.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.lock().queued()
    }

    /// How many threads it has now: those that work, those that wait, and those that sleep.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.lock().threads()
    }

    /// Lets go of the pool without waiting: what was submitted is run all the same, as long as the program lives, and then
    /// its threads end.
    pub fn detach(mut self) {
        self.detached = true;
        self.shared.close(Shutdown::Finish);
    }

    /// `entered` is the room that the task takes, or that there will be none.
    fn enqueue<F, R>(&self, entered: Result<(), room::Closed>, work: F) -> Task<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match entered {
            Err(room::Closed) => Task::ready(Err(JoinError::ShutDown)),
            Ok(()) => self.shared.enqueue(work),
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Executor for Pool {
    fn can(&self) -> Abilities {
        Abilities { isolates: false, kills: false, cancels: true, captures: true }
    }

    /// For the moment in which a task that waited goes on, there may be more.
    fn workers(&self) -> usize {
        self.shared.plan.workers
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        self.spawn(move || f(argument))
    }

    /// When it has succeeded, all threads of the pool have ended too, unless a task of the pool has called it.
    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.shared.close(how);
        self.shared.wait_until(deadline)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.detached {
            return;
        }
        self.shared.close(Shutdown::Finish);
        if !worker::is_of(&self.shared) && self.shared.wait_until(None).is_err() {
            unreachable!("a wait without a deadline does not time out");
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("plan", &self.shared.plan).field("state", &*self.shared.lock()).finish()
    }
}
