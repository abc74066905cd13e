//! How a thread is to be.

use crate::ambient;
use crate::living::{self, Plan};
use crate::thread::Thread;
use crate::timer::Timer;
use std::io;
use std::time::Duration;
use sync::{CancelToken, JoinError, promise_cancelling, task::Promise};

/// What a thread is to be like. [`Thread::builder`](crate::Thread) gives one with nothing set.
///
/// # Examples
/// ```
/// let thread = threads::Thread::builder().name("counter").stack_size(256 * 1024).spawn(|| 6 * 7)?;
/// assert_eq!(thread.name(), "counter");
/// assert_eq!(thread.join()?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder starts nothing before `spawn`"]
#[derive(Clone, Debug, Default)]
pub struct Builder {
    plan: Plan,
}

impl Builder {
    /// Nothing set: a thread that is not a daemon, with a name and a stack as usual.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its name, for people: in panics, in debuggers, in [`enumerate`](crate::enumerate). The system may show only the
    /// beginning, Linux 15 bytes. `thread-N` if not set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.plan.name = Some(name.into());
        self
    }

    /// Whether the end of the program is not to wait for it. `false` if not set; see
    /// [`join_all_at_exit`](crate::join_all_at_exit).
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.plan.daemon = daemon;
        self
    }

    /// The size of its stack in bytes, at least; the system may round up. 2 MiB if not set, or what `RUST_MIN_STACK`
    /// says.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.plan.stack_bytes = Some(bytes);
        self
    }

    /// Starts a thread that runs `work`.
    ///
    /// # Errors
    /// Those of the system: there are too many threads, or no memory for the stack.
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the name has a zero byte in it.
    pub fn spawn<T, F>(self, work: F) -> io::Result<Thread<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.start(|promise, _| promise.run(work))
    }

    /// Starts a thread that runs `work` after `delay`, unless it is cancelled before.
    ///
    /// # Errors
    /// As [`spawn`](Builder::spawn).
    pub fn spawn_after<T, F>(self, delay: Duration, work: F) -> io::Result<Timer<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let thread = self.start(move |promise, token| match token.wait_timeout(delay) {
            Ok(()) => promise.finish(Err(JoinError::Cancelled)),
            Err(sync::TimedOut) => promise.run(work),
        })?;
        Ok(Timer::new(thread))
    }

    fn start<T, F>(self, body: F) -> io::Result<Thread<T>>
    where
        F: FnOnce(Promise<T>, &CancelToken) + Send + 'static,
        T: Send + 'static,
    {
        let token = CancelToken::new();
        let (promise, task) = promise_cancelling(token.clone());
        let (identity, handle) = living::start(self.plan, {
            let token = token.clone();
            move || {
                let _ambient = ambient::enter(token.clone());
                body(promise, &token);
            }
        })?;
        Ok(Thread::new(task, identity, token, handle))
    }
}
