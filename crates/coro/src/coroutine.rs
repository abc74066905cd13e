//! The asymmetric base: a function with a stack of its own that gives control back to whoever resumed it.
#![forbid(unsafe_code)]

use crate::builder::Builder;
use crate::error::{IgnoredExit, NotResumed, ResumeError};
use crate::frame;
use crate::stack::Stack;
use crate::step::Step;
use crate::thrown::{Exit, Thrown};
use crate::yielder::{Input, Yielder};
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

/// A function that can be suspended in the middle, with everything it has called, and resumed later.
///
/// [`resume`](Coroutine::resume) hands a value in and runs the body until it yields or returns. The body begins with the
/// first value. Nothing runs before the first resume.
///
/// It stays on the thread that made it, and so do thread-locals, `Rc`s and guards that are alive on its stack:
/// ```compile_fail,E0277
/// let coroutine = coro::Coroutine::<(), (), ()>::new(|_, ()| ());
/// std::thread::spawn(move || drop(coroutine));
/// ```
///
/// # Dropping
/// A suspended coroutine is asked to end: [`Exit`](crate::Exit) is raised at its yield and destructors run. A body that
/// catches it and goes on yielding is asked 100 times; then its stack is leaked with all that is on it, and a message
/// on standard error says so. A panic of a destructor comes out of the drop. In a program that is built with
/// `panic = "abort"` nothing can unwind, and the stack of a suspended coroutine is leaked.
///
/// # Examples
/// ```
/// use coro::{Coroutine, Step};
///
/// let mut echo = Coroutine::<&str, String, usize>::new(|y, first| {
///     let mut said = first;
///     let mut count = 0;
///     while said != "bye" {
///         count += 1;
///         said = y.yield_(said.to_uppercase());
///     }
///     count
/// });
/// assert_eq!(echo.resume("hello")?, Step::Yielded("HELLO".to_owned()));
/// assert_eq!(echo.resume("bye")?, Step::Returned(1));
/// assert!(echo.resume("anyone?").is_err_and(|error| error.is_finished()));
/// # Ok::<(), coro::ResumeError<&str>>(())
/// ```
pub struct Coroutine<In, Out, R = ()> {
    /// Gone when the body has ended, so that the stack serves someone else. Never dropped while the body is suspended:
    /// it would then be unwound behind the back of the chain of frames.
    raw: Option<ManuallyDrop<Raw<In, Out, R>>>,
    stack_bytes: usize,
    not_send: PhantomData<*const ()>,
}

type Raw<In, Out, R> = corosensei::Coroutine<Input<In>, Out, End<R>, Stack>;

/// What one resumption came to; [`Step`] without the panics raised.
pub(crate) enum Advance<Out, R> {
    Yielded(Out),
    Ended(End<R>),
}

/// How a body ended.
pub(crate) enum End<R> {
    Returned(R),
    /// It was asked to and let the request through.
    Exited,
    Threw(Thrown),
    Panicked(Box<dyn Any + Send>),
}

impl<In: 'static, Out: 'static, R: 'static> Coroutine<In, Out, R> {
    /// A coroutine with the default stack of 64 KiB. Takes a stack that was used before on this thread if there is one,
    /// otherwise maps one; allocates nothing else.
    ///
    /// # Panics
    /// If there is no memory for a stack. [`Builder::coroutine`] returns that as an error.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<Out, In>, In) -> R + 'static,
    {
        or_panic(Builder::new().coroutine(body))
    }

    /// The body gets no value if it is begun by [`Input::Start`].
    pub(crate) fn on(stack: Stack, body: impl FnOnce(&Yielder<Out, In>, Option<In>) -> R + 'static) -> Self {
        frame::tell_apart();
        let stack_bytes = stack.bytes();
        let raw = Raw::with_stack(stack, move |raw: &corosensei::Yielder<Input<In>, Out>, input| {
            let yielder = Yielder::new(raw);
            yielder.frame().enter();
            let name = yielder.frame().name();
            let end = match input {
                Input::Start => run(name, || body(&yielder, None)),
                Input::Value(value) => run(name, || body(&yielder, Some(value))),
                Input::Throw(thrown) => never_begin(name, body, thrown),
            };
            yielder.frame().end();
            end
        });
        Coroutine { raw: Some(ManuallyDrop::new(raw)), stack_bytes, not_send: PhantomData }
    }
}

impl<In, Out, R> Coroutine<In, Out, R> {
    /// Hands `value` in and runs the body until it yields or returns.
    ///
    /// # Errors
    /// [`ResumeError`] with the value if the body has ended.
    ///
    /// # Panics
    /// With the body's own payload if the body panics; it has ended then.
    // See `Yielder::yield_` on calls around a switch.
    #[inline(always)]
    pub fn resume(&mut self, value: In) -> Result<Step<Out, R>, ResumeError<In>> {
        if self.is_finished() {
            return Err(ResumeError::new(NotResumed::Finished, value));
        }
        Ok(self.advance(Input::Value(value)).into_step())
    }

    /// Raises `error` inside the body, where it is suspended, and runs it until it yields or returns.
    ///
    /// See [`Thrown`] for how the body sees it. A body that has not begun ends without having run.
    ///
    /// # Errors
    /// [`Thrown`], with the error, if the body did not catch it, or has ended before.
    ///
    /// # Panics
    /// If the body panics.
    pub fn throw(&mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Result<Step<Out, R>, Thrown> {
        self.throw_on(Thrown::new(error))
    }

    /// Asks the body to end: raises [`Exit`](crate::Exit) where it is suspended.
    ///
    /// Returns what the body returned, or nothing if it did not catch the request, had not begun or had ended before.
    ///
    /// # Errors
    /// [`IgnoredExit`] if it yielded once more. It can still be resumed, closed again or dropped.
    ///
    /// # Panics
    /// If the body panics, and with a [`Thrown`] as the payload if it ends with another error than the request.
    pub fn close(&mut self) -> Result<Option<R>, IgnoredExit<Out>> {
        if self.is_finished() {
            return Ok(None);
        }
        match self.advance(Input::exit()) {
            Advance::Yielded(value) => Err(IgnoredExit::new(value)),
            Advance::Ended(End::Returned(value)) => Ok(Some(value)),
            Advance::Ended(End::Exited) => Ok(None),
            Advance::Ended(end) => Ok(Some(end.into_value())),
        }
    }

    /// Whether the body has begun.
    #[inline]
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.raw.as_ref().is_none_or(|raw| raw.started())
    }

    /// Whether the body has ended: it returned, panicked, or was closed.
    #[inline]
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.raw.is_none()
    }

    pub(crate) fn throw_on(&mut self, thrown: Thrown) -> Result<Step<Out, R>, Thrown> {
        if self.is_finished() {
            return Err(thrown);
        }
        match self.advance(Input::Throw(thrown)) {
            Advance::Ended(End::Threw(thrown)) => Err(thrown),
            Advance::Ended(End::Exited) => Err(Thrown::new(Exit)),
            other => Ok(other.into_step()),
        }
    }

    /// Runs the body until it yields or ends. It must not have ended.
    #[inline(always)]
    pub(crate) fn advance(&mut self, input: Input<In>) -> Advance<Out, R> {
        let Some(raw) = &mut self.raw else {
            unreachable!("whoever resumes a body has seen that it has not ended")
        };
        match raw.resume(input) {
            corosensei::CoroutineResult::Yield(value) => Advance::Yielded(value),
            corosensei::CoroutineResult::Return(end) => {
                drop(self.raw.take().map(ManuallyDrop::into_inner));
                Advance::Ended(end)
            }
        }
    }

    /// Brings the body to its end, as dropping does.
    pub(crate) fn shut_down(&mut self) {
        let cannot_unwind = cfg!(panic = "abort") && self.is_started();
        if self.is_finished() || cannot_unwind {
            return;
        }
        self.shut_down_by_exit();
    }

    fn shut_down_by_exit(&mut self) {
        for _ in 0..EXITS_MAX {
            match self.advance(Input::exit()) {
                Advance::Yielded(_) => {}
                Advance::Ended(End::Returned(_) | End::Exited) => return,
                Advance::Ended(end) => {
                    // A destructor that panics during a panic would abort the program.
                    if !thread::panicking() {
                        end.into_value();
                    } else if let End::Threw(thrown) = end {
                        eprintln!(
                            "coro: a coroutine that was dropped during a panic ended with an error: {thrown}"
                        );
                    }
                    return;
                }
            }
        }
        eprintln!(
            "coro: a coroutine that was dropped went on yielding after it was asked {EXITS_MAX} times to end: its stack \
             of {} bytes is leaked, with all that is on it; let `Exit` through where it is caught",
            self.stack_bytes
        );
        // Not dropped, and forgotten.
        self.raw = None;
    }
}

impl<In, Out, R> Drop for Coroutine<In, Out, R> {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl<In, Out, R> fmt::Debug for Coroutine<In, Out, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("state", &self.state())
            .field("stack_bytes", &self.stack_bytes)
            .finish()
    }
}

impl<In, Out, R> Coroutine<In, Out, R> {
    /// The state in a word, for people.
    pub(crate) fn state(&self) -> State {
        match &self.raw {
            None => State::Finished,
            Some(raw) if raw.started() => State::Suspended,
            Some(_) => State::NotStarted,
        }
    }

    pub(crate) fn stack_bytes(&self) -> usize {
        self.stack_bytes
    }
}

#[derive(Debug)]
pub(crate) enum State {
    NotStarted,
    Suspended,
    Finished,
}

impl<Out, R> Advance<Out, R> {
    /// Raises what is to be raised.
    #[inline(always)]
    pub(crate) fn into_step(self) -> Step<Out, R> {
        match self {
            Advance::Yielded(value) => Step::Yielded(value),
            Advance::Ended(end) => Step::Returned(end.into_value()),
        }
    }
}

impl<R> End<R> {
    fn into_value(self) -> R {
        match self {
            End::Returned(value) => value,
            End::Exited => Thrown::new(Exit).raise(),
            End::Threw(thrown) => thrown.raise(),
            End::Panicked(payload) => panic::resume_unwind(payload),
        }
    }
}

/// Runs the body of the coroutine of this name. Nothing may unwind out of the root of a stack.
fn run<R>(name: usize, body: impl FnOnce() -> R) -> End<R> {
    match panic::catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => End::Returned(value),
        Err(payload) => match payload.downcast::<Thrown>() {
            // Another coroutine's exit only passes through: it came up on this stack because that one was suspended
            // from here, and it has further to go.
            Ok(thrown) if thrown.is_exit_of(name) => End::Exited,
            Ok(thrown) => End::Threw(*thrown),
            Err(payload) => End::Panicked(payload),
        },
    }
}

/// The end of a body that gets an error before it has begun. What it has captured is dropped, and that may panic; so may
/// what is dropped then of errors, hence the outer `run`.
fn never_begin<R>(name: usize, body: impl Sized, thrown: Thrown) -> End<R> {
    let end = run(name, || match run(name, || drop(body)) {
        End::Panicked(payload) => End::Panicked(payload),
        _ if thrown.is_exit() => End::Exited,
        _ => End::Threw(thrown),
    });
    match end {
        End::Returned(end) => end,
        End::Exited => End::Exited,
        End::Threw(thrown) => End::Threw(thrown),
        End::Panicked(payload) => End::Panicked(payload),
    }
}

#[track_caller]
pub(crate) fn or_panic<T>(made: io::Result<T>) -> T {
    match made {
        Ok(made) => made,
        Err(error) => panic!("{error}"),
    }
}

/// How often a coroutine that is dropped is asked to end. Each time ends one level of a body that catches it, so a body
/// that means to end needs as many as it has levels; one that does not must not keep the dropping thread for ever.
const EXITS_MAX: usize = 100;
