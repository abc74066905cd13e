//! Why a coroutine did not go on.
#![forbid(unsafe_code)]

use crate::thrown::Thrown;
use std::error::Error;
use std::fmt;

/// A coroutine was not resumed; here is the value that was meant for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResumeError<V> {
    why: NotResumed,
    value: V,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotResumed {
    NotStarted,
    Started,
    Finished,
}

impl<V> ResumeError<V> {
    pub(crate) fn new(why: NotResumed, value: V) -> Self {
        ResumeError { why, value }
    }

    /// Whether the coroutine has ended, so that trying again is in vain.
    pub fn is_finished(&self) -> bool {
        self.why == NotResumed::Finished
    }

    /// Whether a value was sent to a generator that waits for none, because it was not started.
    pub fn is_not_started(&self) -> bool {
        self.why == NotResumed::NotStarted
    }

    /// Whether a generator was to be started that has been already.
    pub fn is_started(&self) -> bool {
        self.why == NotResumed::Started
    }

    /// The value.
    pub fn into_inner(self) -> V {
        self.value
    }
}

impl<V> fmt::Debug for ResumeError<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResumeError({:?})", self.why)
    }
}

impl<V> fmt::Display for ResumeError<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            NotResumed::NotStarted => {
                "the generator waits for no value yet: call `start` before the first `send`"
            }
            NotResumed::Started => "the generator has been started already: use `send`",
            NotResumed::Finished => "the coroutine has ended and takes no more values",
        })
    }
}

impl<V> Error for ResumeError<V> {}

/// A coroutine was asked to end and yielded once more instead. It is still suspended.
///
/// It caught [`Exit`](crate::Exit) and did not stop. Closing again asks again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IgnoredExit<Y> {
    yielded: Y,
}

impl<Y> IgnoredExit<Y> {
    pub(crate) fn new(yielded: Y) -> Self {
        IgnoredExit { yielded }
    }

    /// What it yielded.
    pub fn into_inner(self) -> Y {
        self.yielded
    }
}

impl<Y> fmt::Debug for IgnoredExit<Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IgnoredExit(..)")
    }
}

impl<Y> fmt::Display for IgnoredExit<Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the coroutine was asked to end and yielded instead: let `Exit` through where it is caught",
        )
    }
}

impl<Y> Error for IgnoredExit<Y> {}

/// Why a [`try_switch`](crate::Greenlet::try_switch) brought no value.
#[non_exhaustive]
pub enum SwitchError<T> {
    /// The greenlet has ended; here is the value that was meant for it.
    Dead(T),
    /// The greenlet runs, inside a coroutine that is suspended itself, and waits for nothing; here is the value.
    Busy(T),
    /// An error was thrown to this greenlet, or by a child of it that ended with the error.
    Thrown(Thrown),
    /// A child of this greenlet ended because it was asked to, and has no value.
    Exited,
}

impl<T> SwitchError<T> {
    /// Whether the target has ended, so that trying again is in vain.
    pub fn is_dead(&self) -> bool {
        matches!(self, SwitchError::Dead(_))
    }

    /// The error that was thrown, if one was.
    pub fn thrown(self) -> Option<Thrown> {
        match self {
            SwitchError::Thrown(thrown) => Some(thrown),
            _ => None,
        }
    }

    /// The value that was not delivered, if that is what happened.
    pub fn into_inner(self) -> Option<T> {
        match self {
            SwitchError::Dead(value) | SwitchError::Busy(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> fmt::Debug for SwitchError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SwitchError::Dead(_) => f.write_str("Dead(..)"),
            SwitchError::Busy(_) => f.write_str("Busy(..)"),
            SwitchError::Thrown(thrown) => thrown.fmt(f),
            SwitchError::Exited => f.write_str("Exited"),
        }
    }
}

impl<T> fmt::Display for SwitchError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SwitchError::Dead(_) => f.write_str("the greenlet has ended and takes no more values"),
            SwitchError::Busy(_) => f.write_str(
                "the greenlet runs inside another coroutine, which must go on before it can be switched to",
            ),
            SwitchError::Thrown(thrown) => thrown.fmt(f),
            SwitchError::Exited => f.write_str(
                "control came back without a value: a child of this greenlet was asked to end and did",
            ),
        }
    }
}

impl<T> Error for SwitchError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SwitchError::Thrown(thrown) => thrown.source(),
            _ => None,
        }
    }
}
