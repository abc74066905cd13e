//! Tasks on the blocking threads of `smol`.

use crate::Ledger;
use crate::adapter::adapter;
use std::fmt;

/// The threads on which `smol` runs what blocks (`smol::unblock`) as an [`Executor`](crate::Executor).
///
/// There is one set of them in a program, which starts threads as needed and ends those that are idle. A shutdown is that
/// of this adapter alone. Dropping the adapter leaves its tasks alone.
///
/// # Examples
/// ```
/// use executor::{Executor, smol::Smol};
///
/// let pool = Smol::new();
/// let squares: Vec<u64> = pool.map(|number: u64| number * number, 0..4).collect::<Result<_, _>>()?;
/// assert_eq!(squares, [0, 1, 4, 9]);
/// # Ok::<(), executor::JoinError>(())
/// ```
pub struct Smol {
    workers: usize,
    ledger: Ledger,
}

impl Smol {
    /// Tasks go to the program's threads for what blocks.
    #[must_use]
    pub fn new() -> Self {
        Smol { workers: BLOCKING_THREADS, ledger: Ledger::new() }
    }

    /// Says how many tasks run at the same time, where the program has changed the limit from 500. It only bounds what a
    /// `map` starts ahead.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        blocking::unblock(job).detach();
    }

    fn concurrency(&self) -> usize {
        self.workers
    }
}

adapter!(Smol);

impl Default for Smol {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Smol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smol")
            .field("workers", &self.workers)
            .field("tasks", &self.ledger.inside())
            .finish_non_exhaustive()
    }
}

/// The limit of the crate `blocking`, on which smol stands, unless the program changes it.
const BLOCKING_THREADS: usize = 500;
