//! What every pool can do.

use crate::hooked::Hooked;
use crate::map::{Map, MapUnordered};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use sync::{Task, TimedOut};

/// What a task of any model takes and gives: it can be moved to another thread, and written down for another process.
pub trait Argument: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Argument for T {}

/// Somewhere to run functions.
///
/// Code that is written against this trait runs on threads, in other processes, on the blocking threads of a runtime: it
/// changes from one to the other in one line. To make that possible a task is what all models can carry: a **function
/// without captured variables** and an argument that can be serialized. A tuple carries several arguments.
///
/// Pools have more to offer by themselves: a `submit` of the same shape for arguments that need not be serialized, where
/// the work stays in this process, and `spawn` for closures. [`Executor::can`] says what to expect of this one.
///
/// # Examples
/// ```
/// use executor::{Executor, JoinError};
///
/// fn squares(pool: &impl Executor) -> Result<Vec<u64>, JoinError> {
///     pool.map(|number: u64| number * number, 0..5).collect()
/// }
/// ```
pub trait Executor: Sized {
    /// What tasks of this pool can do and suffer.
    fn can(&self) -> Abilities;

    /// How many tasks run at the same time, at most.
    fn workers(&self) -> usize;

    /// Starts a task whose function is known to capture nothing. Callers use [`submit`](Executor::submit).
    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument;

    /// Refuses further tasks and waits for those that there are, at most until `deadline`.
    ///
    /// The second time it waits again, and [`Shutdown::CancelPending`] still takes back what has not begun. Called by a
    /// task of this pool, it waits for all tasks but those that wait here themselves.
    ///
    /// # Errors
    /// [`TimedOut`]: some still run; they go on, and waiting again is possible.
    ///
    /// # Panics
    /// In a future that `async_rt::Runtime` runs beside the tasks of this contract, if it would wait for its own runtime: it
    /// would hold up a thread that the others may need. [`close`](Executor::close) works there.
    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut>;

    /// Runs `f(argument)` and returns its handle at once. Dropping the handle detaches the task.
    ///
    /// `f` is a function or a closure that captures nothing; one that captures does not compile:
    ///
    /// ```compile_fail,E0080
    /// # use executor::{Executor, JoinError};
    /// fn scaled(pool: &impl Executor, factor: u64) -> Result<u64, JoinError> {
    ///     pool.submit(move |number: u64| number * factor, 7).join()
    /// }
    /// # // The two examples differ in that one line, so the first fails for its capture alone.
    /// # struct Here;
    /// # impl Executor for Here {
    /// #     fn can(&self) -> executor::Abilities { unreachable!() }
    /// #     fn workers(&self) -> usize { 1 }
    /// #     fn start<F, A, R>(&self, f: F, argument: A) -> executor::Task<R>
    /// #     where F: Fn(A) -> R + Copy + Send + 'static, A: executor::Argument, R: executor::Argument {
    /// #         executor::Task::ready(Ok(f(argument)))
    /// #     }
    /// #     fn shut_down_until(
    /// #         &self, _: executor::Shutdown, _: Option<std::time::Instant>
    /// #     ) -> Result<(), executor::TimedOut> { Ok(()) }
    /// # }
    /// # assert_eq!(scaled(&Here, 2).unwrap(), 14);
    /// ```
    ///
    /// The variable goes into the argument instead:
    ///
    /// ```
    /// # use executor::{Executor, JoinError};
    /// fn scaled(pool: &impl Executor, factor: u64) -> Result<u64, JoinError> {
    ///     pool.submit(|(number, factor): (u64, u64)| number * factor, (7, factor)).join()
    /// }
    /// # // The two examples differ in that one line, so the first fails for its capture alone.
    /// # struct Here;
    /// # impl Executor for Here {
    /// #     fn can(&self) -> executor::Abilities { unreachable!() }
    /// #     fn workers(&self) -> usize { 1 }
    /// #     fn start<F, A, R>(&self, f: F, argument: A) -> executor::Task<R>
    /// #     where F: Fn(A) -> R + Copy + Send + 'static, A: executor::Argument, R: executor::Argument {
    /// #         executor::Task::ready(Ok(f(argument)))
    /// #     }
    /// #     fn shut_down_until(
    /// #         &self, _: executor::Shutdown, _: Option<std::time::Instant>
    /// #     ) -> Result<(), executor::TimedOut> { Ok(()) }
    /// # }
    /// # assert_eq!(scaled(&Here, 2).unwrap(), 14);
    /// ```
    ///
    /// The task's error is [`JoinError::ShutDown`](sync::JoinError::ShutDown) if the pool takes no more work.
    fn submit<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        no_captures::<F>();
        self.start(f, argument)
    }

    /// Runs `f` on every item and yields the results in the order of the items.
    ///
    /// Lazy: an item is taken when there is room for its task, so that endless inputs work and memory is bounded; see
    /// [`Map::window`]. A task that failed is an error in its place and ends nothing. Dropping the iterator cancels what
    /// it has not yielded, the last one first: where one that runs can be stopped, none begins in its place.
    #[doc(alias = "imap")]
    fn map<F, I, R>(&self, f: F, items: I) -> Map<'_, Self, F, I::IntoIter, R>
    where
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        I: IntoIterator,
        I::Item: Argument,
        R: Argument,
    {
        no_captures::<F>();
        Map::new(self, f, items.into_iter())
    }

    /// As [`map`](Executor::map), yielding each result as soon as it is there, with the index of its item.
    #[doc(alias = "imap_unordered")]
    fn map_unordered<F, I, R>(&self, f: F, items: I) -> MapUnordered<'_, Self, F, I::IntoIter, R>
    where
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        I: IntoIterator,
        I::Item: Argument,
        R: Argument,
    {
        no_captures::<F>();
        MapUnordered::new(self, f, items.into_iter())
    }

    /// Refuses further tasks, and waits for nothing: those that there are go on.
    fn close(&self) {
        // A deadline that has passed; whether any still run is not asked.
        let _some_still_run = self.shut_down_until(Shutdown::Finish, Some(Instant::now()));
    }

    /// Refuses further tasks and waits for those that there are. Blocks. The second time it only waits.
    ///
    /// # Panics
    /// As [`shut_down_until`](Executor::shut_down_until).
    fn shutdown(&self, how: Shutdown) {
        if self.shut_down_until(how, None).is_err() {
            unreachable!("a wait without a deadline does not time out");
        }
    }

    /// As [`shutdown`](Executor::shutdown), waiting at most `limit`.
    ///
    /// # Errors
    /// [`TimedOut`]: some still run; they go on, and waiting again is possible.
    ///
    /// # Panics
    /// As [`shut_down_until`](Executor::shut_down_until).
    fn shutdown_timeout(&self, how: Shutdown, limit: Duration) -> Result<(), TimedOut> {
        self.shut_down_until(how, Instant::now().checked_add(limit))
    }

    /// The same pool, with a function to be run before each task and one after it, where the task runs: in its thread, in
    /// its process. `after` runs also when the task panics; it does not when the task's process dies. A panic in a hook
    /// is a panic of the task: after one in `before`, nothing else is run; one in `after` takes the place of the result.
    ///
    /// Hooks capture nothing, for the same reason as tasks. To keep the pool, hook a reference: `(&pool).hooked(..)`.
    fn hooked<B, A>(self, before: B, after: A) -> Hooked<Self, B, A>
    where
        B: Fn() + Copy + Send + 'static,
        A: Fn() + Copy + Send + 'static,
    {
        no_captures::<B>();
        no_captures::<A>();
        Hooked::new(self, before, after)
    }
}

/// What to do with tasks that have not begun when a pool shuts down. Those that run are waited for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// They are run.
    Finish,
    /// They end with [`JoinError::ShutDown`](sync::JoinError::ShutDown).
    CancelPending,
}

/// What tasks of a pool can do and suffer.
///
/// What [`Task::cancel`](sync::Task::cancel) does follows from it, the same for every pool:
///
/// | the task | `cancels` | `kills` | what happens |
/// |---|---|---|---|
/// | has not begun | yes | | it never begins, and ends with `Cancelled` |
/// | has not begun | no | | it runs all the same |
/// | runs | | yes | it is stopped where it stands, and ends with `Cancelled` |
/// | runs | | no | it goes on; what it gives is its result |
/// | has ended | | | nothing |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// A crash in a task (an abort, a segmentation fault, `exit`) ends this task alone.
    pub isolates: bool,
    /// A task that runs can be stopped.
    pub kills: bool,
    /// A task that has not begun can be taken back.
    pub cancels: bool,
    /// The pool has a `spawn` that takes closures with captured variables.
    pub captures: bool,
}

impl<E: Executor> Executor for &E {
    fn can(&self) -> Abilities {
        (**self).can()
    }

    fn workers(&self) -> usize {
        (**self).workers()
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        (**self).start(f, argument)
    }

    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        (**self).shut_down_until(how, deadline)
    }
}

/// Fails to compile where `F` captures a variable.
///
/// For implementors of [`Executor`] that have a `submit` of their own.
pub const fn no_captures<F>() {
    const { demand_no_captures::<F>() }
}

/// What a function without captures has is its type alone.
#[track_caller]
const fn demand_no_captures<F>() {
    assert!(
        size_of::<F>() == 0,
        "this function captures a variable, which another process would not have: \
         pass it in the argument, `submit(|(x, captured)| .., (x, captured))`, \
         or use the pool's `spawn`, which takes closures"
    );
}

#[cfg(test)]
mod tests {
    use super::demand_no_captures;

    fn demand<F>(_: &F) {
        demand_no_captures::<F>();
    }

    #[test]
    fn functions_and_closures_that_capture_nothing_pass() {
        demand(&|number: u64| number + 1);
        // A function's pointer is a value that another process would not have; its own type is not.
        demand(&str::len);
    }

    #[test]
    #[should_panic(expected = "pass it in the argument, `submit(|(x, captured)| .., (x, captured))`")]
    fn the_compilers_message_names_the_remedy() {
        let captured = 1;
        demand(&move |number: u64| number + captured);
    }

    #[test]
    #[should_panic(expected = "captures a variable")]
    fn function_pointers_do_not_pass() {
        demand(&(str::len as fn(&str) -> usize));
    }
}
