//! The simplest pool there is: a task runs where and when it is submitted.

use executor::{Abilities, Argument, Executor, Ledger, Shutdown, Task, TimedOut};
use std::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Inline {
    ledger: Ledger,
}

impl Executor for Inline {
    fn can(&self) -> Abilities {
        Abilities { isolates: false, kills: false, cancels: false, captures: false }
    }

    fn workers(&self) -> usize {
        1
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        let (task, job) = self.ledger.admit(move || f(argument));
        job.into_iter().for_each(|job| job());
        task
    }

    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.ledger.close(how);
        self.ledger.wait_until(deadline)
    }
}
