//! A pool of the test's own: a thread for each task.

use executor::{Abilities, Argument, Executor, Ledger, Shutdown, Task, TimedOut};
use std::time::Instant;

/// A thread for each task. Threads are let go when the task has ended.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    pub(crate) ledger: Ledger,
}

impl Executor for Threads {
    fn can(&self) -> Abilities {
        Abilities { isolates: false, kills: false, cancels: true, captures: false }
    }

    fn workers(&self) -> usize {
        3
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        let (task, job) = self.ledger.admit(move || f(argument));
        if let Some(job) = job {
            std::thread::spawn(job);
        }
        task
    }

    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.ledger.close(how);
        self.ledger.wait_until(deadline)
    }
}
