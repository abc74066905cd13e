//! Talking to an ordinary command: all input in, all output out, without deadlock.

#[cfg(target_os = "linux")]
mod exchange;

use std::fmt;
use std::io;
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

/// Runs `command`, gives it `input`, and collects what it writes to its standard output and standard error.
///
/// All three streams move at the same time, so input and output of any size cannot wait for each other. Blocks, or
/// suspends the coroutine. A command that does not read its input to the end is fine.
///
/// It returns when the command has ended **and** its streams are closed, which whatever it has left running in the
/// background may delay; `limits` bounds that too. When a limit is exceeded, the command and all that is still in its
/// process group is killed, and what was read until then is in the error. The command gets a group of its own for that,
/// so Ctrl-C in a terminal does not reach it.
///
/// Streams that were set on `command` before are replaced.
///
/// # Errors
/// [`CommunicateError`]. That the command fails is no error: see [`Output::status`].
///
/// # Examples
/// ```
/// use procs::{Limits, communicate};
/// use std::{process::Command, time::Duration};
///
/// let limits = Limits::none().timeout(Duration::from_secs(60)).output_bytes_max(1 << 20);
/// let sorted = communicate(&mut Command::new("sort"), "pear\napple\n", limits)?;
/// assert!(sorted.status.success());
/// assert_eq!(sorted.stdout, b"apple\npear\n");
/// # Ok::<(), procs::CommunicateError>(())
/// ```
pub fn communicate(
    command: &mut Command,
    input: impl Into<Vec<u8>>,
    limits: Limits,
) -> Result<Output, CommunicateError> {
    let input = input.into();
    #[cfg(target_os = "linux")]
    return exchange::run(command, &input, limits);
    #[cfg(not(target_os = "linux"))]
    {
        drop((input, limits));
        let why = io::Error::new(io::ErrorKind::Unsupported, "procs talks to commands on Linux alone as yet");
        Err(CommunicateError::start(command, why))
    }
}

/// How long a command may take, and how much it may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    timeout: Option<Duration>,
    output_bytes_max: Option<usize>,
}

impl Limits {
    /// As long and as much as it likes.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// At most so long, from the start on.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// At most so many bytes, on both streams together.
    #[must_use]
    pub fn output_bytes_max(mut self, bytes: usize) -> Self {
        self.output_bytes_max = Some(bytes);
        self
    }
}

/// Why a command was not talked to until its end.
#[non_exhaustive]
#[derive(Debug)]
pub enum CommunicateError {
    /// It could not be started.
    Start {
        /// The program's name.
        program: String,
        /// What the system says.
        why: io::Error,
    },
    /// It took longer than [`Limits::timeout`], and was killed.
    TimedOut {
        /// The limit.
        limit: Duration,
        /// What there was until then.
        partial: Partial,
    },
    /// It wrote more than [`Limits::output_bytes_max`], and was killed.
    TooMuchOutput {
        /// The limit.
        bytes_max: usize,
        /// As many bytes as were allowed.
        partial: Partial,
    },
    /// A stream failed, and it was killed.
    Stream {
        /// What the system says.
        why: io::Error,
        /// What there was until then.
        partial: Partial,
    },
}

/// What a command had written before it was killed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// On its standard output.
    pub stdout: Vec<u8>,
    /// On its standard error.
    pub stderr: Vec<u8>,
    /// How it ended: by itself before the limit, or by the signal that ended it for the limit.
    pub status: Option<ExitStatus>,
}

impl CommunicateError {
    fn start(command: &Command, why: io::Error) -> Self {
        CommunicateError::Start { program: command.get_program().to_string_lossy().into_owned(), why }
    }

    /// What there was until it was killed; `None` if it was not started.
    #[must_use]
    pub fn partial(&self) -> Option<&Partial> {
        match self {
            CommunicateError::Start { .. } => None,
            CommunicateError::TimedOut { partial, .. }
            | CommunicateError::TooMuchOutput { partial, .. }
            | CommunicateError::Stream { partial, .. } => Some(partial),
        }
    }

    /// Whether it took too long.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, CommunicateError::TimedOut { .. })
    }
}

impl fmt::Display for CommunicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommunicateError::Start { program, why } => write!(f, "cannot start `{program}`: {why}"),
            CommunicateError::TimedOut { limit, .. } => {
                write!(f, "the command did not end within {limit:?}, and was killed")
            }
            CommunicateError::TooMuchOutput { bytes_max, .. } => {
                write!(f, "the command wrote more than {bytes_max} bytes, and was killed")
            }
            CommunicateError::Stream { why, .. } => write!(f, "cannot talk to the command: {why}"),
        }
    }
}

impl std::error::Error for CommunicateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CommunicateError::Start { why, .. } | CommunicateError::Stream { why, .. } => Some(why),
            CommunicateError::TimedOut { .. } | CommunicateError::TooMuchOutput { .. } => None,
        }
    }
}
