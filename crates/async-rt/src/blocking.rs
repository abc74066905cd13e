//! Functions that block or compute, away from the workers.
//!
//! One queue and one limit for each runtime; the threads come from the backend. A **runner** is lent a thread and runs
//! functions until there are none: it then gives a backend's thread back at once, and on the native loop, where nobody
//! else keeps threads, waits a while for more. So what cancelling, shutting down and the limit mean does not depend on
//! the backend.

use crate::context::{self, Context, Place};
use crate::drivers::{Wait, with_each};
use crate::runtime::Core;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use sync::{JoinError, Task};

/// Runs `f`, which may block or compute for long, on the blocking threads of the current runtime.
///
/// Returns at once; await the handle for the result. Dropping it detaches. [`Task::cancel`] takes back a function that
/// has not begun; one that runs goes on. Panics and a closed runtime are errors of the task, as with
/// [`spawn`](crate::spawn).
///
/// # Panics
/// Outside a runtime; [`Runtime::spawn_blocking`](crate::Runtime::spawn_blocking) works anywhere.
///
/// # Examples
/// ```
/// let text = async_rt::run(async_rt::Backend::Native, async {
///     async_rt::spawn_blocking(|| std::fs::read_to_string("Cargo.toml")).await
/// })?;
/// assert!(text??.contains("async-rt"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "run_in_executor")]
#[track_caller]
pub fn spawn_blocking<T, F>(f: F) -> Task<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_blocking_on(&context::expect("spawn_blocking"), f)
}

/// [`spawn_blocking`], under Python's name.
///
/// # Panics
/// Outside a runtime.
#[track_caller]
pub fn to_thread<T, F>(f: F) -> Task<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_blocking_on(&context::expect("to_thread"), f)
}

pub(crate) fn spawn_blocking_on<T, F>(core: &Arc<Core>, f: F) -> Task<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (task, job) = core.ledger.admit(f);
    let Some(job) = job else { return task };
    match submit_admitted(core, job) {
        Ok(()) => task,
        Err(why) => Task::ready(Err(why)),
    }
}

/// The runtime may have been closed since `job` was admitted, and its driver stops only when there is no such job.
fn submit_admitted(core: &Arc<Core>, job: impl FnOnce() + Send + 'static) -> Result<(), JoinError> {
    let context = Context { core: Arc::clone(core), place: Place::Function };
    let submitted = core.pool.submit(
        core,
        Box::new(move || {
            let core = Arc::clone(&context.core);
            // All of it inside the context, what is taken back too: a runtime that goes away with the function, its result
            // or a callback must know that it is on a thread of its own.
            context::enter(context, job);
            core.left();
        }),
    );
    if submitted.is_err() {
        core.left();
    }
    submitted
}

/// A function and its promise, which know by themselves whether to run.
type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Pool {
    state: Mutex<State>,
    /// There is something to do for one that rests, or the pool stops.
    changed: Condvar,
    limit: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    runners: usize,
    /// Runners that rest and that nobody has called.
    resting: usize,
    /// Runners that were called and have not come yet.
    called: usize,
    stopping: bool,
    /// Threads that were made for a runner, to be waited for.
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Self {
        Pool { state: Mutex::default(), changed: Condvar::new(), limit }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Puts `job` into the queue, and sees to it that there is a runner.
    fn submit(&self, core: &Arc<Core>, job: Job) -> Result<(), JoinError> {
        let mut state = self.lock();
        state.queue.push_back(job);
        if state.resting > 0 {
            state.resting -= 1;
            state.called += 1;
            drop(state);
            self.changed.notify_one();
            return Ok(());
        }
        if state.runners >= self.limit {
            return Ok(());
        }
        let runner = {
            let core = Arc::clone(core);
            let linger = core.driver.runners_linger();
            Box::new(move || core.pool.run(linger))
        };
        // Under the lock, so that `stop` knows every thread. A new runner waits for it.
        match with_each!(&core.driver, driver => crate::drivers::Driver::start_runner(driver, runner)) {
            Ok(thread) => {
                state.runners += 1;
                state.threads.retain(|thread| !thread.is_finished());
                state.threads.extend(thread);
            }
            // Another runner will come to it.
            Err(_) if state.runners > 0 => {}
            Err(why) => {
                let job = state.queue.pop_back();
                drop(state);
                // Outside the lock: what a function has captured may be anything.
                drop(job);
                return Err(JoinError::failed(format_args!("cannot start a blocking thread: {why}")));
            }
        }
        Ok(())
    }

    /// What a runner does on the thread that it was lent.
    fn run(&self, linger: Duration) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                // What the ledger makes does not panic, whatever the function throws.
                job();
                state = self.lock();
                continue;
            }
            if state.stopping || linger.is_zero() {
                break;
            }
            state.resting += 1;
            let resting = |state: &mut State| state.called == 0 && !state.stopping;
            state = self
                .changed
                .wait_timeout_while(state, linger, resting)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if state.called > 0 {
                state.called -= 1;
                continue;
            }
            state.resting -= 1;
            // Nobody has called: there is nothing in the queue.
            break;
        }
        state.runners -= 1;
    }

    /// Lets the runners end as soon as the queue is empty.
    pub(crate) fn stop(&self, wait: Wait) {
        let mut state = self.lock();
        state.stopping = true;
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.changed.notify_all();
        if wait == Wait::Yes {
            for thread in threads {
                // Runners catch what functions throw, so there is nothing to learn from how one ended.
                let _ = thread.join();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Pool")
            .field("queued", &state.queue.len())
            .field("runners", &state.runners)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(trefoil_loom)))]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::runtime::Runtime;

    /// As its namesake in `spawn`, for a function.
    fn spawned_during_a_drop_inside(backend: Backend) {
        let runtime = Runtime::new(backend).unwrap();
        let core = Arc::clone(&runtime.core);
        let (task, job) = core.ledger.admit(|| ());
        let (lend, lent) = std::sync::mpsc::channel::<Runtime>();
        let drops = runtime.spawn(async move { drop(lent.recv()) });
        lend.send(runtime).unwrap();
        drops.join().unwrap();
        submit_admitted(&core, job.unwrap()).unwrap();
        let ended = task.join_timeout(Duration::from_secs(30)).expect("the task ends");
        assert!(matches!(ended, Err(JoinError::ShutDown)), "{ended:?}");
    }

    #[test]
    fn spawned_during_a_drop_inside_native() {
        spawned_during_a_drop_inside(Backend::Native);
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn spawned_during_a_drop_inside_tokio() {
        spawned_during_a_drop_inside(Backend::Tokio);
    }

    #[test]
    #[cfg(feature = "async-std")]
    fn spawned_during_a_drop_inside_async_std() {
        spawned_during_a_drop_inside(Backend::AsyncStd);
    }

    #[test]
    #[cfg(feature = "smol")]
    fn spawned_during_a_drop_inside_smol() {
        spawned_during_a_drop_inside(Backend::Smol);
    }
}
