//! The runtime: what holds a backend, its tasks and its blocking threads together, and how it ends.

use crate::backend::Backend;
use crate::blocking::{Pool, spawn_blocking_on};
use crate::builder::{Builder, Options, StartError};
use crate::context::{self, Context, Place};
use crate::drivers::{AnyDriver, Driver, Wait, with_each};
use crate::primitive::{AtomicBool, Ordering};
use crate::spawn::spawn_on;
use crate::tasks::Tasks;
use executor::{Abilities, Argument, Executor, Ledger, Shutdown};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;
use sync::{Task, TimedOut};

/// Runs `future` as a task of a new runtime and returns its output. Blocks.
///
/// The runtime has the default settings; when `future` is done it is closed, as by dropping a [`Runtime`].
///
/// # Errors
/// [`StartError`] if there is no such runtime, for instance because its feature is off.
///
/// # Panics
/// If `future` does, with its payload.
///
/// # Examples
/// ```
/// let answer = async_rt::run(async_rt::Backend::Native, async { 6 * 7 })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), async_rt::StartError>(())
/// ```
#[doc(alias = "main")]
pub fn run<F>(backend: Backend, future: F) -> Result<F::Output, StartError>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Ok(Runtime::new(backend)?.run(future))
}

/// An event loop, its tasks and its blocking threads.
///
/// **Dropping it closes it**: nothing more can be started; functions that have not begun and tasks end with an error, a
/// task at the `.await` it waits in or reaches next, with its destructors run; functions that run, and tasks between two
/// `.await`s, are waited for; then the threads end. Dropped on one of its own threads, inside a task or a function or by a
/// callback that their end calls, it does the same without waiting.
///
/// [`shutdown`](Executor::shutdown) with [`Shutdown::Finish`] waits for tasks and functions to end by themselves.
///
/// Share it by reference or in an `Arc`. It is an [`Executor`]: what is [submitted](Runtime::submit) runs on its blocking
/// threads.
///
/// # Examples
/// ```
/// use async_rt::{Backend, Runtime};
///
/// let runtime = Runtime::builder(Backend::Native).workers(1).build()?;
/// let task = runtime.spawn(async { "from the loop" });
/// assert_eq!(task.join()?, "from the loop");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Runtime {
    pub(crate) core: Arc<Core>,
}

/// What tasks and functions share with their runtime.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) driver: AnyDriver,
    /// Who is inside: tasks and functions.
    pub(crate) ledger: Ledger,
    pub(crate) tasks: Tasks,
    pub(crate) pool: Pool,
    /// The runtime was dropped by somebody inside, who cannot wait until all have left: whoever leaves last stops it.
    dropped_inside: AtomicBool,
}

impl Runtime {
    /// A runtime with the default settings.
    ///
    /// # Errors
    /// See [`Builder::build`].
    pub fn new(backend: Backend) -> Result<Self, StartError> {
        Runtime::builder(backend).build()
    }

    /// Settings to begin with.
    pub fn builder(backend: Backend) -> Builder {
        Builder::new(backend)
    }

    pub(crate) fn start(options: &Options) -> Result<Self, StartError> {
        let core = Core {
            driver: AnyDriver::start(options.backend, options)?,
            ledger: Ledger::new(),
            tasks: Tasks::default(),
            pool: Pool::new(options.blocking_threads),
            dropped_inside: AtomicBool::new(false),
        };
        Ok(Runtime { core: Arc::new(core) })
    }

    /// Which loop it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.core.driver.backend()
    }

    /// As the free function [`spawn`](crate::spawn), from anywhere.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_on(&self.core, future)
    }

    /// As the free function [`spawn_blocking`](crate::spawn_blocking), from anywhere.
    pub fn spawn_blocking<T, F>(&self, f: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        spawn_blocking_on(&self.core, f)
    }

    /// Runs `f(argument)` on the blocking threads. As [`Executor::submit`], for any function and argument that can be
    /// sent to a thread.
    pub fn submit<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: FnOnce(A) -> R + Send + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking(move || f(argument))
    }

    /// Runs `future` as a task and returns its output. Blocks.
    ///
    /// # Panics
    /// If `future` does, with its payload; if the runtime was shut down; on a thread that polls tasks of this runtime, and
    /// would wait for itself.
    #[track_caller]
    pub fn run<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.assert_outside_tasks("run");
        match self.spawn(future).join() {
            Ok(output) => output,
            Err(why) => panic!("the runtime cannot run the future: {}", why.resume_panic()),
        }
    }

    /// Waits for `future` on this thread, inside the runtime: it can spawn, sleep and use sockets. Blocks.
    ///
    /// The future need be neither `Send` nor `'static`. It is polled here and its events come from the runtime's threads;
    /// what should be quick is better [spawned](Runtime::spawn). If all of them are kept by tasks that never reach an
    /// `.await`, no event comes, a timeout neither.
    ///
    /// # Panics
    /// If `future` does; on a thread that polls tasks of this runtime, and would wait for itself.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.assert_outside_tasks("block_on");
        let context = Context { core: Arc::clone(&self.core), place: Place::Root };
        context::enter(context, || with_each!(&self.core.driver, driver => driver.block_on(future)))
    }

    #[track_caller]
    fn assert_outside_tasks(&self, what: &str) {
        let inside = context::is_inside(&self.core, |place| place == Place::Task);
        assert!(!inside, "`{what}` would block a task of this very runtime; `.await` the future there");
    }
}

impl Core {
    pub(crate) fn driver_spawn(&self, body: impl Future<Output = ()> + Send + 'static) {
        with_each!(&self.driver, driver => driver.spawn(body));
    }

    fn close(&self, how: Shutdown) {
        self.ledger.close(how);
        if how == Shutdown::CancelPending {
            self.tasks.cancel_all();
        }
    }

    /// A task or a function has given back its entry. Until all have, also those that are just being spawned, there must be
    /// somebody to run them.
    pub(crate) fn left(&self) {
        // Relaxed: it was stored before the ledger was asked. If somebody was inside then, his leaving came after it, under
        // the ledger's lock, and so does this load. If nobody was, this may be the second one to stop it, which is nothing.
        if self.dropped_inside.load(Ordering::Relaxed) && self.ledger.inside() == 0 {
            self.stop(Wait::No);
        }
    }

    fn stop(&self, wait: Wait) {
        with_each!(&self.driver, driver => driver.stop(wait));
        self.pool.stop(wait);
    }
}

impl Executor for Runtime {
    /// Tasks and functions share the process; a function that has not begun can be taken back; closures go to
    /// [`Runtime::spawn_blocking`].
    fn can(&self) -> Abilities {
        Abilities { isolates: false, kills: false, cancels: true, captures: true }
    }

    /// How many functions run at the same time, at most: the builder's [`blocking_threads`](Builder::blocking_threads).
    fn workers(&self) -> usize {
        self.core.pool.limit()
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        self.spawn_blocking(move || f(argument))
    }

    /// Refuses further functions and tasks, and waits for both. With [`Shutdown::CancelPending`], functions that have not
    /// begun end with an error, and tasks at the `.await` they wait in or reach next. With [`Shutdown::Finish`] it waits
    /// for tasks to end by themselves, which a server never does.
    ///
    /// Called by a function of this runtime, it waits for all others but those functions that wait here themselves.
    ///
    /// # Panics
    /// Inside a task of this runtime, if it would wait: it would hold up a worker that the others may need.
    /// [`close`](Executor::close) does not wait, and works there.
    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        let waits = deadline.is_none_or(|deadline| Instant::now() < deadline);
        assert!(
            !waits || !context::is_inside(&self.core, |place| place == Place::Task),
            "a task that waits for the shutdown of its own runtime holds up a worker that the others may need; \
             `close` or drop the runtime there, or wait in `spawn_blocking`"
        );
        self.core.close(how);
        self.core.ledger.wait_until(deadline)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.core.close(Shutdown::CancelPending);
        if context::is_inside(&self.core, |place| place != Place::Root) {
            self.core.dropped_inside.store(true, Ordering::Relaxed);
            return self.core.left();
        }
        if self.core.ledger.wait_until(None).is_err() {
            unreachable!("a wait without a deadline does not time out");
        }
        self.core.stop(Wait::Yes);
    }
}
