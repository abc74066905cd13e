//! How a pool is to be.

use super::Pool;
use super::room::Room;
use super::shared::{Plan, Shared};
use std::sync::Arc;
use std::thread::available_parallelism;

/// What a pool is to be like; see [`Pool::builder`].
///
/// # Examples
/// ```
/// let pool = threads::Pool::builder().workers(4).name("io").queue_bound(1000).build();
/// let name = pool.spawn(|| std::thread::current().name().map(String::from)).join()?;
/// assert_eq!(name.as_deref(), Some("io-1"));
/// # Ok::<(), threads::JoinError>(())
/// ```
#[must_use = "a builder makes nothing before `build`"]
#[derive(Clone, Debug)]
pub struct PoolBuilder {
    plan: Plan,
    max_threads: usize,
    bound: Option<usize>,
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        let workers = available_parallelism().map_or(1, usize::from);
        let plan = Plan { workers, max_threads: 0, name: "pool".into(), stack_bytes: None };
        PoolBuilder { plan, max_threads: MAX_THREADS, bound: None }
    }

    /// How many tasks run at a time: as many as the machine runs threads at a time, if not set.
    ///
    /// # Panics
    /// If it is 0.
    #[doc(alias = "max_workers")]
    #[track_caller]
    pub fn workers(mut self, workers: usize) -> Self {
        assert!(workers > 0, "a pool needs at least 1 worker; `Pool::default()` has as many as the machine");
        self.plan.workers = workers;
        self
    }

    /// How many threads there are at most, those included whose tasks wait; at least the number of workers. 256 if not
    /// set.
    ///
    /// More tasks that wait for tasks behind them in the queue do not get on. More threads cost an address range and a
    /// few pages each.
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = threads;
        self
    }

    /// What names of its threads begin with; `pool` if not set, which gives `pool-1`, `pool-2`.
    #[doc(alias = "thread_name_prefix")]
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        self.plan.name = prefix.into();
        self
    }

    /// The size of each thread's stack in bytes, at least. 2 MiB if not set, or what `RUST_MIN_STACK` says.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.plan.stack_bytes = Some(bytes);
        self
    }

    /// How many tasks wait in the queue at most, so that who submits more waits. There is no bound if not set.
    ///
    /// # Panics
    /// If it is 0: no task could ever be queued.
    #[track_caller]
    pub fn queue_bound(mut self, tasks: usize) -> Self {
        assert!(
            tasks > 0,
            "a queue needs room for at least 1 task; leave the bound out for a queue without one"
        );
        self.bound = Some(tasks);
        self
    }

    /// The pool. It starts its threads when it needs them.
    #[must_use]
    pub fn build(self) -> Pool {
        let max_threads = self.max_threads.max(self.plan.workers);
        let plan = Plan { max_threads, ..self.plan };
        Pool { shared: Arc::new(Shared::new(plan, Room::new(self.bound))), detached: false }
    }
}

/// Deep enough for tasks that wait for tasks that wait; small enough that a runaway recursion does not use up the
/// machine's threads. Java's pools stop at 256 spare ones, too.
const MAX_THREADS: usize = 256;
