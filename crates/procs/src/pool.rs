//! A pool of processes.

mod board;
mod hiring;

use crate::engine;
use crate::job::{self, Initializer, Last};
use board::{Finish, Settings, Shared, Stop};
use executor::{Abilities, Argument, Executor, Shutdown};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use sync::{CancelToken, JoinError, Task, TimedOut};

/// Processes that run functions of this program, one task each at a time, in the order of submission.
///
/// **When a worker dies, only its task fails**, with the cause: killed by a signal, ended by `exit`, panicked (which the
/// worker survives). Another worker takes its place. A task can be cancelled while it runs.
///
/// **Dropping the pool stops it**: tasks that run are killed and end with [`JoinError::Cancelled`], those that wait end
/// with [`JoinError::ShutDown`], and the drop returns when all of them have ended, callbacks included, and no process is
/// left. To have them finished, call [`shutdown`](Executor::shutdown) first, or join them.
///
/// Workers are started when there is work for them, and stay until the pool ends.
///
/// # Examples
/// ```
/// use procs::{Executor, JoinError, Pool};
///
/// let pool = Pool::new(2)?;
/// let task = pool.submit(|(a, b): (u64, u64)| a * b, (6, 7));
/// let squares: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..4).collect();
/// assert_eq!((task.join()?, squares?), (42, vec![0, 1, 4, 9]));
///
/// let crash = pool.submit(|()| std::process::abort(), ());
/// let lost: Result<(), JoinError> = crash.join();
/// assert!(matches!(lost, Err(JoinError::Killed { signal: 6, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pool {
    shared: Arc<Shared>,
}

/// How a pool is to be; see [`Pool::builder`].
#[derive(Clone, Debug, Default)]
pub struct PoolBuilder {
    workers: Option<usize>,
    name: Option<String>,
    initializer: Option<InitializerOf>,
    task_timeout: Option<Duration>,
    tasks_per_worker: Option<NonZeroUsize>,
}

/// Finds out where an initializer is when the pool is built, so that the builder's methods cannot fail.
#[derive(Clone, Copy)]
struct InitializerOf(fn() -> io::Result<Initializer>);

impl Pool {
    /// A pool of at most `workers` processes. None is started yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for no workers; [`io::ErrorKind::Unsupported`] where this crate does nothing yet.
    pub fn new(workers: usize) -> io::Result<Pool> {
        Pool::builder().workers(workers).build()
    }

    /// To set more than the number of workers, which is that of the CPUs if it is not set.
    #[must_use]
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Runs `f(argument)` in a worker and returns its handle at once. Dropping the handle detaches the task.
    ///
    /// As [`Executor::submit`], and the argument need not be `Send`: only what serde makes of it goes anywhere.
    ///
    /// What is wrong shows in the task: [`JoinError::Failed`] if the argument cannot be written down or no process can be
    /// started, [`JoinError::ShutDown`] if the pool takes no more work.
    #[doc(alias = "apply_async")]
    pub fn submit<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned + Send + 'static,
    {
        let entry = match self.shared.tasks.enter() {
            Ok(entry) => entry,
            Err(executor::Closed) => return Task::ready(Err(JoinError::ShutDown)),
        };
        let job = match job::encode(f, &argument, Last::No) {
            Ok(job) => job,
            Err(why) => return Task::ready(Err(JoinError::failed(why))),
        };
        drop(argument);
        let token = CancelToken::new();
        let (promise, task) = sync::promise_cancelling(token.clone());
        let finish: Finish = Box::new(move |answer| {
            promise.finish(answer.and_then(job::decode));
            drop(entry);
        });
        let id = self.shared.submit(job, finish);
        let shared = Arc::downgrade(&self.shared);
        let on_cancel = token.on_cancel(move || {
            if let Some(shared) = Weak::upgrade(&shared) {
                shared.stop(id, Stop::Cancelled);
            }
        });
        self.shared.keep(id, on_cancel);
        task
    }

    /// The ids of the processes that there are now, busy or idle.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.shared.pids()
    }
}

impl PoolBuilder {
    /// How many processes there are at most.
    #[must_use]
    #[doc(alias = "processes")]
    #[doc(alias = "max_workers")]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// What `ps` and `top` show for the workers. The system keeps its first 15 bytes.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A function that every worker runs before its first task. If it panics, or the worker dies of it, so does that
    /// task, and the next task gets a new worker.
    #[must_use]
    pub fn initializer<F: Fn() + Copy + Send + 'static>(mut self, _: F) -> Self {
        self.initializer = Some(InitializerOf(Initializer::of::<F>));
        self
    }

    /// How long a task may take. One that takes longer ends with [`JoinError::TimedOut`], and its worker is killed.
    ///
    /// The clock starts when the task goes to a worker that is there: waiting for a worker, or for its start, does not count,
    /// but carrying and reading the argument does, and in a new worker the initializer.
    #[must_use]
    pub fn task_timeout(mut self, limit: Duration) -> Self {
        self.task_timeout = Some(limit);
        self
    }

    /// How many tasks a worker does before it is replaced: for libraries that leak. 0 is no limit.
    #[must_use]
    #[doc(alias = "maxtasksperchild")]
    #[doc(alias = "max_tasks_per_child")]
    pub fn tasks_per_worker(mut self, tasks: usize) -> Self {
        self.tasks_per_worker = NonZeroUsize::new(tasks);
        self
    }

    /// Makes the pool. No process is started yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for no workers; [`io::ErrorKind::Unsupported`] where this crate does nothing yet.
    pub fn build(self) -> io::Result<Pool> {
        engine::check()?;
        let workers = match self.workers {
            Some(workers) => NonZeroUsize::new(workers).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "a pool needs at least 1 worker, not 0")
            })?,
            None => std::thread::available_parallelism()?,
        };
        let settings = Settings {
            workers: workers.get(),
            name: self.name,
            initializer: self.initializer.map(|initializer| (initializer.0)()).transpose()?,
            task_timeout: self.task_timeout,
            tasks_per_worker: self.tasks_per_worker,
        };
        Ok(Pool { shared: Arc::new(Shared::new(settings)) })
    }
}

impl Executor for Pool {
    fn can(&self) -> Abilities {
        Abilities { isolates: true, kills: true, cancels: true, captures: false }
    }

    fn workers(&self) -> usize {
        self.shared.settings.workers
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        Pool::submit(self, f, argument)
    }

    /// Waits for the tasks, and then for the processes to end.
    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.shared.tasks.close(how);
        if how == Shutdown::CancelPending {
            self.shared.give_up_waiting();
        }
        self.shared.tasks.wait_until(deadline)?;
        self.shared.dismiss_all();
        self.shared.house.wait_until(deadline)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.tasks.close(Shutdown::CancelPending);
        self.shared.give_up_waiting();
        self.shared.kill_all();
        // In a callback on the thread that would hear of their end, they end a moment after the drop.
        if !engine::is_manager() && self.shared.house.wait_until(None).is_err() {
            unreachable!("a wait without a deadline does not time out");
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.shared.settings.workers)
            .field("tasks", &self.shared.tasks.inside())
            .field("pids", &self.pids())
            .finish()
    }
}

impl fmt::Debug for InitializerOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitializerOf(..)")
    }
}
