//! Something to do before and after each task.

use crate::contract::{Abilities, Argument, Executor, Shutdown};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;
use sync::{Task, TimedOut};

/// A pool with hooks around each task; see [`Executor::hooked`].
///
/// It wraps the function, not the pool: hooks and function capture nothing, so what wraps them captures nothing either
/// and goes wherever the function goes.
pub struct Hooked<E, B, A> {
    pool: E,
    before: B,
    after: A,
}

impl<E, B, A> Hooked<E, B, A> {
    pub(crate) fn new(pool: E, before: B, after: A) -> Self {
        Hooked { pool, before, after }
    }

    /// The pool without hooks.
    pub fn into_inner(self) -> E {
        self.pool
    }
}

impl<E, B, A> Executor for Hooked<E, B, A>
where
    E: Executor,
    B: Fn() + Copy + Send + 'static,
    A: Fn() + Copy + Send + 'static,
{
    fn can(&self) -> Abilities {
        self.pool.can()
    }

    fn workers(&self) -> usize {
        self.pool.workers()
    }

    fn start<F, T, R>(&self, f: F, argument: T) -> Task<R>
    where
        F: Fn(T) -> R + Copy + Send + 'static,
        T: Argument,
        R: Argument,
    {
        let (before, after) = (self.before, self.after);
        self.pool.submit(
            move |argument| {
                before();
                // Caught rather than left to a destructor: `after` may panic too, and a second panic during the first
                // one's unwinding would end the program. So would the destructor of what the task has left.
                let result = catch_unwind(AssertUnwindSafe(|| f(argument)));
                if let Err(payload) = catch_unwind(AssertUnwindSafe(after)) {
                    sync::contain(|| drop(result));
                    resume_unwind(payload);
                }
                result.unwrap_or_else(|payload| resume_unwind(payload))
            },
            argument,
        )
    }

    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.pool.shut_down_until(how, deadline)
    }
}

impl<E: fmt::Debug, B, A> fmt::Debug for Hooked<E, B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooked").field(&self.pool).finish()
    }
}
