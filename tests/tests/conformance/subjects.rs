//! The executors that the suite runs on, each with two workers.

use executor::async_std::AsyncStd;
use executor::rayon::Rayon;
use executor::smol::Smol;
use executor::tokio::Tokio;
use executor::{Abilities, Argument, Executor, JoinError, Shutdown, Task, TimedOut};
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[path = "../../../crates/executor/tests/common/inline.rs"]
mod inline;

use self::inline::Inline;

/// An executor as the suite meets it.
pub(crate) trait Subject: Executor + Sized + 'static {
    /// One of its kind, with two workers.
    fn start_two() -> Self;

    /// Kept during a test where all of a kind share their threads: tests that fill them would wait for each other.
    fn alone() -> Option<MutexGuard<'static, ()>> {
        None
    }

    /// Whether a task goes on while its submitter does. If not, the cases that need it say so and end.
    fn is_concurrent() -> bool {
        true
    }

    /// A task that submits `number + 1` to its own pool, waits for it, and gives it; `None` where tasks do not reach
    /// their pool.
    fn nest(_pool: &Arc<Self>, _number: u32) -> Option<Task<Result<u32, JoinError>>> {
        None
    }
}

/// For the reader of the log: a case that does not apply, and why.
pub(crate) fn skip<S>(why: &str) {
    println!("skipped for {}: {why}", std::any::type_name::<S>());
}

macro_rules! nest_by_spawn {
    () => {
        fn nest(pool: &Arc<Self>, number: u32) -> Option<Task<Result<u32, JoinError>>> {
            let inner = Arc::clone(pool);
            Some(pool.spawn(move || inner.submit(|number: u32| number + 1, number).join()))
        }
    };
}

impl Subject for threads::Pool {
    fn start_two() -> Self {
        threads::Pool::new(2)
    }

    nest_by_spawn!();
}

impl Subject for Rayon {
    fn start_two() -> Self {
        Rayon::new(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap()))
    }

    nest_by_spawn!();
}

impl Subject for Tokio {
    fn start_two() -> Self {
        // The runtime stays for the whole program: it is not the adapter's.
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(2).build().unwrap();
        let runtime = Box::leak(Box::new(runtime));
        Tokio::new(runtime.handle().clone()).with_workers(2)
    }

    nest_by_spawn!();
}

/// `smol` and async-std use the same threads.
static BLOCKING: LazyLock<Mutex<()>> = LazyLock::new(|| {
    blocking::set_max_blocking_threads(NonZero::new(2).unwrap());
    Mutex::new(())
});

fn alone_on_blocking() -> MutexGuard<'static, ()> {
    // A test that failed leaves nothing that the next one minds.
    BLOCKING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subject for Smol {
    fn start_two() -> Self {
        Smol::new().with_workers(2)
    }

    fn alone() -> Option<MutexGuard<'static, ()>> {
        Some(alone_on_blocking())
    }

    nest_by_spawn!();
}

impl Subject for AsyncStd {
    fn start_two() -> Self {
        AsyncStd::new().with_workers(2)
    }

    fn alone() -> Option<MutexGuard<'static, ()>> {
        Some(alone_on_blocking())
    }

    nest_by_spawn!();
}

impl Subject for procs::Pool {
    fn start_two() -> Self {
        procs::Pool::new(2).unwrap()
    }
}

impl Subject for async_rt::Runtime {
    fn start_two() -> Self {
        async_rt::Runtime::builder(async_rt::Backend::Native).blocking_threads(2).build().unwrap()
    }

    fn nest(pool: &Arc<Self>, number: u32) -> Option<Task<Result<u32, JoinError>>> {
        let inner = Arc::clone(pool);
        Some(pool.spawn_blocking(move || inner.submit(|number: u32| number + 1, number).join()))
    }
}

/// The simplest executor, with hooks around it.
#[derive(Default)]
pub(crate) struct InlineHooked {
    pool: Inline,
}

impl InlineHooked {
    fn hooked(&self) -> impl Executor {
        (&self.pool).hooked(|| (), || ())
    }
}

impl Executor for InlineHooked {
    fn can(&self) -> Abilities {
        self.hooked().can()
    }

    fn workers(&self) -> usize {
        self.hooked().workers()
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Argument,
        R: Argument,
    {
        self.hooked().start(f, argument)
    }

    fn shut_down_until(&self, how: Shutdown, deadline: Option<Instant>) -> Result<(), TimedOut> {
        self.hooked().shut_down_until(how, deadline)
    }
}

impl Subject for InlineHooked {
    fn start_two() -> Self {
        Self::default()
    }

    fn is_concurrent() -> bool {
        false
    }
}
