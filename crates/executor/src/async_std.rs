//! Tasks on the blocking threads of [`async_std`].

use crate::Ledger;
use crate::adapter::adapter;
use std::fmt;

/// The threads on which [`async_std`] runs what blocks (`task::spawn_blocking`) as an [`Executor`](crate::Executor).
///
/// There is one set of them in a program, which starts threads as needed and ends those that are idle. A shutdown is that
/// of this adapter alone. Dropping the adapter leaves its tasks alone.
///
/// # Examples
/// ```
/// use executor::{Executor, async_std::AsyncStd};
///
/// let pool = AsyncStd::new();
/// let task = pool.submit(|number: u64| number + 1, 41);
/// assert_eq!(async_std::task::block_on(task)?, 42);
/// # Ok::<(), executor::JoinError>(())
/// ```
pub struct AsyncStd {
    workers: usize,
    ledger: Ledger,
}

impl AsyncStd {
    /// Tasks go to the program's threads for what blocks.
    #[must_use]
    pub fn new() -> Self {
        AsyncStd { workers: BLOCKING_THREADS, ledger: Ledger::new() }
    }

    /// Says how many tasks run at the same time, where the program has changed the limit from 500. It only bounds what a
    /// `map` starts ahead.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        // The handle of async-std is not needed: ours learns of the end from the job.
        drop(::async_std::task::spawn_blocking(job));
    }

    fn concurrency(&self) -> usize {
        self.workers
    }
}

adapter!(AsyncStd);

impl Default for AsyncStd {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AsyncStd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncStd")
            .field("workers", &self.workers)
            .field("tasks", &self.ledger.inside())
            .finish_non_exhaustive()
    }
}

/// The limit of the crate `blocking`, on which async-std stands, unless the program changes it.
const BLOCKING_THREADS: usize = 500;
