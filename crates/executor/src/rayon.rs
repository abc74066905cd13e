//! Tasks on a pool of [`rayon`].

use crate::Ledger;
use crate::adapter::adapter;
use ::rayon::ThreadPool;
use std::fmt;
use std::sync::Arc;

/// A pool of [`rayon`] as an [`Executor`](crate::Executor), with results, cancelling and an end that can be awaited.
///
/// A shutdown is that of this adapter: the pool is not ours, works on for others, and may serve another adapter. Dropping
/// the adapter leaves its tasks alone, as dropping their handles does.
///
/// A task that waits for another one keeps its worker: that can deadlock where all of them wait.
///
/// # Examples
/// ```
/// use executor::{Executor, Shutdown, rayon::Rayon};
///
/// let pool = Rayon::global();
/// let sum: u64 = pool.map(|number: u64| number * number, 0..10).sum::<Result<_, _>>()?;
/// assert_eq!(sum, 285);
/// pool.shutdown(Shutdown::Finish);
/// # Ok::<(), executor::JoinError>(())
/// ```
pub struct Rayon {
    /// `None` is the global one.
    pool: Option<Arc<ThreadPool>>,
    ledger: Ledger,
}

impl Rayon {
    /// Tasks go to `pool`.
    #[must_use]
    pub fn new(pool: Arc<ThreadPool>) -> Self {
        Rayon { pool: Some(pool), ledger: Ledger::new() }
    }

    /// Tasks go to rayon's global pool; submitted on a worker of another pool of rayon, they go to that one, as
    /// everything of rayon does.
    #[must_use]
    pub fn global() -> Self {
        Rayon { pool: None, ledger: Ledger::new() }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        match &self.pool {
            Some(pool) => pool.spawn(job),
            None => ::rayon::spawn(job),
        }
    }

    fn concurrency(&self) -> usize {
        self.pool.as_ref().map_or_else(::rayon::current_num_threads, |pool| pool.current_num_threads())
    }
}

adapter!(Rayon);

impl fmt::Debug for Rayon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rayon")
            .field("global", &self.pool.is_none())
            .field("tasks", &self.ledger.inside())
            .finish_non_exhaustive()
    }
}
