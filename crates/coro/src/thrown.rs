//! Errors that are raised inside a coroutine from outside.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;
use std::panic;

/// An error that was thrown into a coroutine and came up at its yield.
///
/// [`try_yield`](crate::Yielder::try_yield) returns it. A plain [`yield_`](crate::Yielder::yield_) raises it instead: the
/// stack of the coroutine unwinds as in a panic, destructors run, and `throw` returns the error to whoever threw it,
/// unless it is caught on the way. No panic hook is called and nothing is printed.
pub struct Thrown(Box<Inner>);

/// Behind one thin pointer, because room for it passes through every switch.
struct Inner {
    error: Box<dyn Error + Send + Sync>,
    /// Names the coroutine at whose yield it came up last: an exit is over when it has ended that one.
    came_up_in: usize,
}

/// The request to end, as an error: what `close` and the drop of a suspended coroutine throw.
///
/// Thrown into a greenlet that does not catch it, it ends the greenlet and is no error for the parent.
#[doc(alias = "GeneratorExit")]
#[doc(alias = "GreenletExit")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit;

/// Why a yield could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unwinding,
    Elsewhere,
}

impl Thrown {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Thrown(Box::new(Inner { error: error.into(), came_up_in: 0 }))
    }

    pub(crate) fn coming_up_in(mut self, coroutine: usize) -> Self {
        self.0.came_up_in = coroutine;
        self
    }

    pub(crate) fn is_exit_of(&self, coroutine: usize) -> bool {
        self.is_exit() && self.0.came_up_in == coroutine
    }

    /// Whether this is the request to end; see [`Exit`].
    #[must_use]
    pub fn is_exit(&self) -> bool {
        self.0.error.is::<Exit>()
    }

    /// Whether nothing was thrown and the yield itself was refused: the coroutine is unwinding, which cannot be
    /// interrupted, or the call does not come from inside it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.0.error.is::<Refused>()
    }

    /// The error that was thrown.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0.error
    }

    /// The error that was thrown, by value.
    #[must_use]
    pub fn into_error(self) -> Box<dyn Error + Send + Sync> {
        self.0.error
    }

    /// The error that was thrown, if it is an `E`.
    ///
    /// # Errors
    /// This, unchanged, if it is something else.
    pub fn downcast<E: Error + 'static>(self) -> Result<E, Thrown> {
        let Inner { error, came_up_in } = *self.0;
        error.downcast().map(|error| *error).map_err(|error| Thrown(Box::new(Inner { error, came_up_in })))
    }

    /// Lets the error go on from here: what a plain [`yield_`](crate::Yielder::yield_) does at once, after own cleaning
    /// up.
    ///
    /// # Panics
    /// Always: with this as the payload, without calling the panic hook.
    pub fn raise(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }
}

impl Thrown {
    /// What a plain yield does that has no value.
    #[cold]
    #[track_caller]
    pub(crate) fn raise_or_refuse(self) -> ! {
        // A refusal is the caller's mistake, so it is a panic that is seen.
        assert!(!self.is_refused(), "{self}");
        self.raise()
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Thrown").field(&self.0.error).finish()
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

/// Stands for the error that was thrown: same text, same source.
impl Error for Thrown {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error.source()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the coroutine was asked to end")
    }
}

impl Error for Exit {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Unwinding => {
                "a coroutine cannot be suspended while its stack unwinds: a destructor that yields must use `try_yield` \
                 or `try_switch` and accept a refusal"
            }
            Refused::Elsewhere => {
                "this coroutine is not running here: only code that runs inside a coroutine can suspend it"
            }
        })
    }
}

impl Error for Refused {}
