//! Why there is no result.
//!
//! **One type for all kinds of work.** Who waits for a mix of threads, processes and tasks would otherwise need an enum around
//! theirs; so [`JoinError`] has the variants of all, those of processes too, and predicates ask about what several have in
//! common. It may grow, which `#[non_exhaustive]` keeps open.
//!
//! **The end of a limit is no failure of the work.** A wait that took too long gives the handle back ([`Unfinished`]), or says
//! [`TimedOut`], which has no other meaning. `JoinError::TimedOut` is of a task that had a limit of its own.
//!
//! **A panic is kept whole**: payload, message, place and backtrace ([`Panic`]). To know the place, [`catch`](crate::catch())
//! stands in front of the program's panic hook. The variant is boxed, so that a result is not as large as its rarest error.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Why a task has no result. The same type for threads, processes, coroutines and async tasks.
///
/// It can be sent and shared between threads.
#[non_exhaustive]
#[derive(Debug)]
pub enum JoinError {
    /// The work panicked.
    Panicked(Box<Panic>),
    /// The work was asked to stop by [`Task::cancel`](crate::Task::cancel) and did, or had not begun.
    Cancelled,
    /// The task's own deadline passed. (A limit on *waiting* is never this: see [`Unfinished`].)
    TimedOut,
    /// The process that did the work was ended by a signal.
    Killed {
        /// The process.
        pid: u32,
        /// The signal, such as 9 for `SIGKILL` and 11 for `SIGSEGV`.
        signal: i32,
    },
    /// The process that did the work was ended because memory ran out.
    OutOfMemory {
        /// The process.
        pid: u32,
    },
    /// The process that did the work ended by itself in the middle of it.
    Exited {
        /// The process.
        pid: u32,
        /// What it gave to `exit`.
        code: i32,
    },
    /// The pool no longer takes work: it was shut down before this task was submitted, or before it had begun.
    ShutDown,
    /// Whoever should have finished the task dropped it without a result.
    Abandoned,
    /// The work could not be started, or its argument or result not be carried between the two sides.
    Failed(Box<str>),
}

impl JoinError {
    /// A failure outside the work itself, in words: what failed, on what, and what helps.
    #[must_use]
    pub fn failed(why: impl fmt::Display) -> Self {
        JoinError::Failed(why.to_string().into())
    }

    /// Whether the work panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self, JoinError::Panicked(_))
    }

    /// Whether the work was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, JoinError::Cancelled)
    }

    /// Whether the process that did the work is gone: killed, out of memory, or ended by itself.
    #[must_use]
    pub fn is_process_lost(&self) -> bool {
        matches!(self, JoinError::Killed { .. } | JoinError::OutOfMemory { .. } | JoinError::Exited { .. })
    }

    /// What is known of the panic, if it was one.
    #[must_use]
    pub fn panic(&self) -> Option<&Panic> {
        match self {
            JoinError::Panicked(panic) => Some(panic),
            _ => None,
        }
    }

    /// Goes on with the panic on this thread, if it was one; otherwise returns the error.
    #[must_use]
    pub fn resume_panic(self) -> Self {
        match self {
            JoinError::Panicked(panic) => std::panic::resume_unwind(panic.into_payload()),
            other => other,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinError::Panicked(panic) => write!(f, "the task panicked: {panic}"),
            JoinError::Cancelled => f.write_str("the task was cancelled"),
            JoinError::TimedOut => f.write_str("the task's deadline passed"),
            JoinError::Killed { pid, signal } => {
                write!(f, "process {pid} was killed by signal {}", Signal(*signal))
            }
            JoinError::OutOfMemory { pid } => write!(f, "process {pid} was killed because memory ran out"),
            JoinError::Exited { pid, code } => {
                write!(f, "process {pid} exited with code {code} in the middle of the task")
            }
            JoinError::ShutDown => f.write_str("the pool was shut down before the task began"),
            JoinError::Abandoned => f.write_str("the task was dropped by whoever should have finished it"),
            JoinError::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for JoinError {}

/// What is known of a panic: its message and place as text, and the payload where it was thrown in this process.
pub struct Panic {
    message: Box<str>,
    place: Option<Box<str>>,
    backtrace: Option<Box<str>>,
    /// Under a lock only to be `Sync`; it is taken by value.
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    /// A panic that was described by text, as one in another process is.
    #[must_use]
    pub fn described(message: &str, place: Option<&str>, backtrace: Option<&str>) -> Self {
        Panic {
            message: message.into(),
            place: place.map(Into::into),
            backtrace: backtrace.map(Into::into),
            payload: Mutex::new(None),
        }
    }

    /// A panic that was caught in this process.
    #[must_use]
    pub fn caught(payload: Box<dyn Any + Send>, place: Option<&str>, backtrace: Option<&str>) -> Self {
        let message = crate::catch::message(&*payload).unwrap_or("a payload that is not text");
        let mut panic = Panic::described(message, place, backtrace);
        panic.payload = Mutex::new(Some(payload));
        panic
    }

    /// What `panic!` was given.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where: `file:line:column`. `None` if another panic hook has replaced ours.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The backtrace, where `RUST_BACKTRACE` asks for one.
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    /// The payload for [`std::panic::resume_unwind`]; the message, where the panic was in another process.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        let message = self.message;
        self.payload
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or_else(|| Box::new(String::from(message)))
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// The time is over, and what was waited for has not happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit passed")
    }
}

impl std::error::Error for TimedOut {}

/// The task goes on; here is its handle again.
pub struct Unfinished<H>(pub H);

impl<H> Unfinished<H> {
    /// The handle.
    pub fn into_inner(self) -> H {
        self.0
    }
}

impl<H> fmt::Debug for Unfinished<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unfinished(..)")
    }
}

impl<H> fmt::Display for Unfinished<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task has not finished yet")
    }
}

impl<H> std::error::Error for Unfinished<H> {}

/// A signal by number and, for the common ones, by name. The numbers are those of Linux and macOS that agree.
struct Signal(i32);

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            6 => "SIGABRT",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            13 => "SIGPIPE",
            15 => "SIGTERM",
            number => return write!(f, "{number}"),
        };
        write!(f, "{} ({name})", self.0)
    }
}
