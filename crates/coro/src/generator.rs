//! Generators, as Python has them, with a stack of their own.
#![forbid(unsafe_code)]

use crate::builder::Builder;
use crate::coroutine::{Advance, Coroutine, or_panic};
use crate::error::{IgnoredExit, NotResumed, ResumeError};
use crate::stack::Stack;
use crate::step::Step;
use crate::thrown::Thrown;
use crate::yielder::{Input, Yielder};
use std::any::Any;
use std::error::Error;
use std::fmt;
use std::iter::FusedIterator;

/// A function that yields values one by one, and runs no further than it is asked to.
///
/// `Y` is what it yields, `R` what it returns in the end, `S` what it is sent. One that is sent nothing (`S = ()`) is an
/// [`Iterator`]. The yield may be anywhere below the body, in plain functions that it calls.
///
/// Like its [`Coroutine`] it stays on its thread; what dropping does is [described there](Coroutine#dropping).
/// ```compile_fail,E0277
/// let numbers = coro::Generator::<u32>::new(|y| y.yield_(1));
/// std::thread::spawn(move || numbers.count());
/// ```
///
/// # Examples
/// ```
/// use coro::{Generator, Step};
///
/// let squares = Generator::<u64>::new(|y| (0..).for_each(|n| y.yield_(n * n)));
/// assert_eq!(squares.take(4).collect::<Vec<_>>(), [0, 1, 4, 9]);
///
/// // A running average: each value that is sent gives the next one that is yielded.
/// let mut average = Generator::<f64, (), f64>::new(|y| {
///     let (mut sum, mut count) = (0.0, 0.0);
///     let mut mean = 0.0;
///     loop {
///         sum += y.yield_(mean);
///         count += 1.0;
///         mean = sum / count;
///     }
/// });
/// average.start()?;
/// average.send(10.0)?;
/// assert_eq!(average.send(20.0)?, Step::Yielded(15.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Generator<Y, R = (), S = ()> {
    coroutine: Coroutine<S, Y, R>,
    /// What the body returned while nobody but `next` looked.
    returned: Option<R>,
}

impl<Y: 'static, R: 'static, S: 'static> Generator<Y, R, S> {
    /// A generator with the default stack of 64 KiB. Takes a stack that was used before on this thread if there is one,
    /// otherwise maps one; allocates nothing else. The body does not begin yet.
    ///
    /// # Panics
    /// If there is no memory for a stack. [`Builder::generator`] returns that as an error.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<Y, S>) -> R + 'static,
    {
        or_panic(Builder::new().generator(body))
    }

    pub(crate) fn on(stack: Stack, body: impl FnOnce(&Yielder<Y, S>) -> R + 'static) -> Self {
        Generator { coroutine: Coroutine::on(stack, |y, _| body(y)), returned: None }
    }
}

impl<Y, R, S> Generator<Y, R, S> {
    /// Runs the body from its beginning to its first yield, or its end.
    ///
    /// # Errors
    /// [`ResumeError`] if it has begun already.
    ///
    /// # Panics
    /// With the body's own payload if the body panics; it has ended then.
    #[inline(always)]
    pub fn start(&mut self) -> Result<Step<Y, R>, ResumeError<()>> {
        if self.is_finished() {
            return Err(ResumeError::new(NotResumed::Finished, ()));
        }
        if self.is_started() {
            return Err(ResumeError::new(NotResumed::Started, ()));
        }
        Ok(self.coroutine.advance(Input::Start).into_step())
    }

    /// Makes `value` the result of the yield that the body waits at, and runs it to its next yield, or its end.
    ///
    /// # Errors
    /// [`ResumeError`] with the value if the body has not begun, and so waits for none, or has ended.
    ///
    /// # Panics
    /// If the body panics.
    #[inline(always)]
    pub fn send(&mut self, value: S) -> Result<Step<Y, R>, ResumeError<S>> {
        if !self.is_started() {
            return Err(ResumeError::new(NotResumed::NotStarted, value));
        }
        self.coroutine.resume(value)
    }

    /// Raises `error` at the yield that the body waits at, and runs it to its next yield, or its end.
    ///
    /// See [`Thrown`] for how the body sees it. A body that has not begun ends without having run.
    ///
    /// # Errors
    /// [`Thrown`], with the error, if the body did not catch it, or has ended before.
    ///
    /// # Panics
    /// If the body panics.
    ///
    /// # Examples
    /// ```
    /// use coro::{Generator, Step};
    ///
    /// let mut patient = Generator::<u32>::new(|y| {
    ///     if let Err(thrown) = y.try_yield(1) {
    ///         assert_eq!(thrown.to_string(), "too late");
    ///         y.yield_(2);
    ///     }
    /// });
    /// assert_eq!(patient.next(), Some(1));
    /// assert_eq!(patient.throw("too late")?, Step::Yielded(2));
    /// assert!(patient.throw("far too late").is_err());
    /// assert!(patient.is_finished());
    /// # Ok::<(), coro::Thrown>(())
    /// ```
    pub fn throw(&mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Result<Step<Y, R>, Thrown> {
        self.coroutine.throw(error)
    }

    /// Asks the body to end: raises [`Exit`](crate::Exit) at its yield, so that destructors run.
    ///
    /// Returns what the body returned, or nothing if it did not catch the request, had not begun or had ended before.
    ///
    /// # Errors
    /// [`IgnoredExit`] if it yielded once more. It can still be used, closed again or dropped.
    ///
    /// # Panics
    /// If the body panics, and with a [`Thrown`] as the payload if it ends with another error than the request.
    pub fn close(&mut self) -> Result<Option<R>, IgnoredExit<Y>> {
        self.coroutine.close()
    }

    /// Whether the body has begun.
    #[inline]
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.coroutine.is_started()
    }

    /// Whether the body has ended: it returned, panicked, or was closed.
    #[inline]
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.coroutine.is_finished()
    }

    /// What the body returned, if that was during [`next`](Iterator::next), as in a `for` loop. The second time nothing.
    pub fn take_returned(&mut self) -> Option<R> {
        self.returned.take()
    }
}

impl<Y, R> Generator<Y, R> {
    /// Begins the body or lets it go on, to its next yield or its end: [`next`](Iterator::next) that tells what the end
    /// was.
    ///
    /// # Errors
    /// [`ResumeError`] if the body has ended.
    ///
    /// # Panics
    /// If the body panics.
    #[inline(always)]
    pub fn resume(&mut self) -> Result<Step<Y, R>, ResumeError<()>> {
        if self.is_started() { self.send(()) } else { self.start() }
    }
}

/// # Panics
/// `next` panics with the body's own payload if the body panics. After that, as after every end, it gives `None`.
impl<Y, R> Iterator for Generator<Y, R> {
    type Item = Y;

    #[inline(always)]
    fn next(&mut self) -> Option<Y> {
        match self.resume().ok()? {
            Step::Yielded(value) => Some(value),
            Step::Returned(value) => {
                self.returned = Some(value);
                None
            }
        }
    }
}

impl<Y, R> FusedIterator for Generator<Y, R> {}

impl<Y, R, S> fmt::Debug for Generator<Y, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("state", &self.coroutine.state())
            .field("stack_bytes", &self.coroutine.stack_bytes())
            .finish()
    }
}

impl<Y, S: 'static> Yielder<Y, S> {
    /// Lets `inner` take this generator's place until it ends, and returns what it returned.
    ///
    /// What `inner` yields is yielded here; what is sent or thrown here goes to `inner`; closing this generator closes
    /// `inner` first. An `inner` that has begun goes on from where it is, if it is sent nothing (`S = ()`).
    ///
    /// # Panics
    /// As [`yield_`](Yielder::yield_), and if `inner` panics. If `inner` has ended before, or waits for a value that
    /// nobody has sent.
    ///
    /// # Examples
    /// ```
    /// use coro::Generator;
    ///
    /// let mut outer = Generator::<u32, u32>::new(|y| {
    ///     let mut inner = Generator::new(|y| {
    ///         y.yield_(1);
    ///         y.yield_(2);
    ///         40
    ///     });
    ///     y.yield_from(&mut inner) + 2
    /// });
    /// assert_eq!(outer.by_ref().collect::<Vec<_>>(), [1, 2]);
    /// assert_eq!(outer.take_returned(), Some(42));
    /// ```
    #[doc(alias = "yield from")]
    #[track_caller]
    pub fn yield_from<R>(&self, inner: &mut Generator<Y, R, S>) -> R {
        let mut step = begin_or_go_on(inner);
        loop {
            let value = match step {
                Step::Yielded(value) => value,
                Step::Returned(value) => return value,
            };
            step = match self.try_yield(value) {
                Ok(sent) => inner.coroutine.advance(Input::Value(sent)).into_step(),
                Err(refused) if refused.is_refused() => refused.raise_or_refuse(),
                Err(thrown) if thrown.is_exit() => match inner.close() {
                    Ok(_) => thrown.raise(),
                    // Whoever closes this generator learns that it was not obeyed.
                    Err(ignored) => Step::Yielded(ignored.into_inner()),
                },
                Err(thrown) => match inner.coroutine.throw_on(thrown) {
                    Ok(step) => step,
                    Err(thrown) => thrown.raise(),
                },
            };
        }
    }
}

#[track_caller]
fn begin_or_go_on<Y, R, S: 'static>(inner: &mut Generator<Y, R, S>) -> Step<Y, R> {
    assert!(!inner.is_finished(), "`yield_from` needs a generator that has not ended");
    let input = if inner.is_started() {
        match unit() {
            Some(unit) => Input::Value(unit),
            None => panic!(
                "`yield_from` needs a generator that has not begun: this one waits for a value to be sent"
            ),
        }
    } else {
        Input::Start
    };
    let advance: Advance<Y, R> = inner.coroutine.advance(input);
    advance.into_step()
}

/// `()` as an `S`, where `S` is `()`.
fn unit<S: 'static>() -> Option<S> {
    let mut unit = Some(());
    let unit: &mut dyn Any = &mut unit;
    unit.downcast_mut::<Option<S>>()?.take()
}
