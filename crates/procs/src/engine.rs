//! Starting workers, and hearing from them. Everything that differs between systems is behind this.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod manager;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(target_os = "linux")]
pub(crate) use crate::start::hook::check;
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{Identity, Worker, check, is_manager, start};
#[cfg(target_os = "linux")]
pub(crate) use manager::{is_manager, start};
#[cfg(target_os = "linux")]
pub(crate) use worker::{Identity, Worker};

use ipc::Parcel;
use std::io;
use std::sync::Arc;
use sync::JoinError;

/// Whoever has started a worker, and wants to know what becomes of it.
///
/// All of this is called on the manager's thread, with no lock held, in this order: `started` or `not_started`, then any
/// number of `answered`, then `ended`. It must be short and must not panic.
pub(crate) trait Owner: Send + Sync {
    /// There is a process now. It is given its first job when this returns.
    fn started(&self, worker: &Arc<Worker>);

    /// There is none, and there will be none. Here is the job again.
    fn not_started(&self, why: NotStarted, first: Parcel);

    /// It has sent something.
    fn answered(&self, answer: Parcel);

    /// It has ended, there is nothing left of it, and `end` says what came of a job that it has not `answered`.
    fn ended(&self, end: End);
}

/// Why there is no process.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// The system refused.
    Refused(io::Error),
    /// The zygote had ended. Another one may do better.
    ZygoteLost,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) pid: u32,
    pub(crate) how: Exit,
    /// It has not read the job that it was sent last.
    pub(crate) unread: bool,
    /// The answer that it has left behind, or why it was ended: its job or its answer could not be carried.
    pub(crate) last: Option<Result<Parcel, JoinError>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Because memory ran out.
    OutOfMemory,
}

impl End {
    /// What came of the job that it had.
    pub(crate) fn outcome(self) -> Result<Parcel, JoinError> {
        let pid = self.pid;
        self.last.unwrap_or(Err(match self.how {
            Exit::Code(code) => JoinError::Exited { pid, code },
            Exit::Signal(signal) => JoinError::Killed { pid, signal },
            Exit::OutOfMemory => JoinError::OutOfMemory { pid },
        }))
    }
}

/// A signal that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "procs starts processes on Linux alone as yet; `threads::Pool` takes the same functions",
    )
}
