//! Tasks on the blocking threads of [`tokio`].

use crate::Ledger;
use crate::adapter::adapter;
use ::tokio::runtime::Handle;
use std::fmt;

/// The blocking threads of a [`tokio`] runtime as an [`Executor`](crate::Executor).
///
/// A shutdown is that of this adapter: the runtime is not ours and goes on. If the runtime goes away first, tasks that it
/// drops end with [`JoinError::Abandoned`](crate::JoinError::Abandoned). Dropping the adapter leaves its tasks alone.
///
/// # Examples
/// ```
/// use executor::{Executor, tokio::Tokio};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let pool = Tokio::new(runtime.handle().clone());
/// let task = pool.submit(|text: String| text.len(), "seven".into());
/// assert_eq!(runtime.block_on(task)?, 5);
/// # Ok(())
/// # }
/// ```
pub struct Tokio {
    handle: Handle,
    workers: usize,
    ledger: Ledger,
}

impl Tokio {
    /// Tasks go to the blocking threads of the runtime that `handle` belongs to.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Tokio { handle, workers: MAX_BLOCKING_THREADS, ledger: Ledger::new() }
    }

    /// Says how many tasks the runtime runs at the same time, where it was built with another `max_blocking_threads` than
    /// tokio's own 512: a handle does not tell. It only bounds what a `map` starts ahead.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        // The handle of tokio is not needed: ours learns of the end from the job.
        drop(self.handle.spawn_blocking(job));
    }

    fn concurrency(&self) -> usize {
        self.workers
    }
}

adapter!(Tokio);

impl fmt::Debug for Tokio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokio")
            .field("workers", &self.workers)
            .field("tasks", &self.ledger.inside())
            .finish_non_exhaustive()
    }
}

/// What tokio documents for `max_blocking_threads`.
const MAX_BLOCKING_THREADS: usize = 512;
