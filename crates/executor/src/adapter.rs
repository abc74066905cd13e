//! What the adapters for other people's pools share: everything but how a job gets there.

use crate::contract::Abilities;

/// They run closures in this process: a task that has not begun can be taken back, one that runs cannot be stopped.
pub(crate) const ABILITIES: Abilities =
    Abilities { isolates: false, kills: false, cancels: true, captures: true };

/// Gives `$Pool`, which has a `ledger`, an `execute` and a `concurrency`, its methods and the contract.
///
/// A macro, because methods of a type's own cannot come from a trait: `spawn` and the looser `submit` should be there
/// without one.
macro_rules! adapter {
    ($Pool:ty) => {
        impl $Pool {
            /// Runs `f(argument)`; as [`Executor::submit`](crate::Executor::submit), and `f` may capture variables and the argument need not
            /// be serialized, for the work stays in this process.
            pub fn submit<F, A, R>(&self, f: F, argument: A) -> crate::Task<R>
            where
                F: FnOnce(A) -> R + Send + 'static,
                A: Send + 'static,
                R: Send + 'static,
            {
                self.spawn(move || f(argument))
            }

            /// Runs a closure and returns its handle at once. Dropping the handle detaches the task.
            ///
            /// The task's error is [`JoinError::ShutDown`](crate::JoinError::ShutDown) after a shutdown of this adapter.
            pub fn spawn<F, R>(&self, work: F) -> crate::Task<R>
            where
                F: FnOnce() -> R + Send + 'static,
                R: Send + 'static,
            {
                let (task, job) = self.ledger.admit(work);
                if let Some(job) = job {
                    self.execute(job);
                }
                task
            }
        }

        impl crate::Executor for $Pool {
            fn can(&self) -> crate::Abilities {
                crate::adapter::ABILITIES
            }

            fn workers(&self) -> usize {
                self.concurrency()
            }

            fn start<F, A, R>(&self, f: F, argument: A) -> crate::Task<R>
            where
                F: Fn(A) -> R + Copy + Send + 'static,
                A: crate::Argument,
                R: crate::Argument,
            {
                self.spawn(move || f(argument))
            }

            fn shut_down_until(
                &self,
                how: crate::Shutdown,
                deadline: Option<std::time::Instant>,
            ) -> Result<(), crate::TimedOut> {
                self.ledger.close(how);
                self.ledger.wait_until(deadline)
            }
        }
    };
}

pub(crate) use adapter;
