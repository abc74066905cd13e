//! The inner end of a coroutine: what its body suspends itself with.
#![allow(unsafe_code, reason = "the switch's own handle lies on the stack that it switches away from")]

use crate::frame::{Frame, Mark, innermost_marked};
use crate::thrown::{Exit, Thrown};
use std::any::{Any, TypeId};
use std::fmt;
use std::ptr::NonNull;
use std::rc::Weak;

/// Suspends the coroutine that it was given to: yields values and takes those that are sent.
///
/// The body of a coroutine gets a reference to it and may pass it on to any function that it calls: the whole stack is
/// suspended, not just one function. Code that the body runs in *another* coroutine may use it as well: then both are
/// suspended together.
///
/// # Examples
/// ```
/// use coro::{Generator, Yielder};
///
/// /// A plain function that yields from the middle of its recursion.
/// fn countdown(y: &Yielder<u32, ()>, from: u32) {
///     if from > 0 {
///         y.yield_(from);
///         countdown(y, from - 1);
///     }
/// }
/// let numbers = Generator::<u32>::new(|y| countdown(y, 3));
/// assert_eq!(numbers.collect::<Vec<_>>(), [3, 2, 1]);
/// ```
pub struct Yielder<Out, In> {
    raw: NonNull<corosensei::Yielder<Input<In>, Out>>,
    frame: Frame,
}

/// What a coroutine is resumed with.
pub(crate) enum Input<In> {
    /// Begin, with nothing. Never comes up at a yield.
    Start,
    Value(In),
    Throw(Thrown),
}

impl<Out, In> Yielder<Out, In> {
    /// Called at the root of the coroutine's stack alone: both the yielder and what it refers to live there.
    pub(crate) fn new(raw: &corosensei::Yielder<Input<In>, Out>) -> Self {
        Yielder { raw: NonNull::from(raw), frame: Frame::new() }
    }

    pub(crate) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Suspends the coroutine: `out` is what its resumer gets, the answer is what it is resumed with.
    ///
    /// Does not allocate.
    ///
    /// # Panics
    /// An error that is thrown in, and the request to end, are raised here as a panic whose payload is [`Thrown`], so
    /// that destructors run. No panic hook is called for it. [`try_yield`](Yielder::try_yield) returns them instead.
    ///
    /// A real panic, and from a destructor therefore an abort, if the coroutine is unwinding: one cannot be suspended
    /// then. The same if it is not running here.
    #[doc(alias = "yield")]
    // Whatever returns after a switch returns to where the processor does not expect it, so the fewer calls the better.
    #[inline(always)]
    #[track_caller]
    pub fn yield_(&self, out: Out) -> In {
        match self.try_yield(out) {
            Ok(value) => value,
            Err(thrown) => thrown.raise_or_refuse(),
        }
    }

    /// As [`yield_`](Yielder::yield_), with whatever is thrown in as a value.
    ///
    /// # Errors
    /// [`Thrown`]: by `throw`; by `close` or a drop, which [`is_exit`](Thrown::is_exit) tells; or because the coroutine
    /// could not be suspended, which [`is_refused`](Thrown::is_refused) tells, and then `out` is dropped.
    #[inline(always)]
    pub fn try_yield(&self, out: Out) -> Result<In, Thrown> {
        self.frame.leave().map_err(Thrown::new)?;
        // SAFETY: what `raw` points to lies at the root of the stack that this yielder lies on, below it.
        let raw = unsafe { self.raw.as_ref() };
        let input = raw.suspend(out);
        self.frame.enter();
        match input {
            Input::Value(value) => Ok(value),
            Input::Throw(thrown) => {
                self.frame.note_thrown();
                Err(thrown.coming_up_in(self.frame.name()))
            }
            Input::Start => unreachable!("a coroutine starts once"),
        }
    }

    /// Makes this yielder known to [`innermost_marked`], with its owner.
    pub(crate) fn mark(&self, owner: Weak<dyn Any>)
    where
        Out: 'static,
        In: 'static,
    {
        let yielder = std::ptr::from_ref(self).cast();
        self.frame.set_mark(Mark { kind: TypeId::of::<Self>(), yielder, owner });
    }

    /// Suspends the innermost running coroutine that has a marked yielder of this type. Without one, `out` comes back.
    ///
    /// # Errors
    /// The inner one is that of [`try_yield`](Yielder::try_yield).
    #[inline(always)]
    pub(crate) fn try_yield_innermost(out: Out) -> Result<Result<In, Thrown>, Out>
    where
        Out: 'static,
        In: 'static,
    {
        let Some(yielder) = innermost_marked(TypeId::of::<Self>(), |mark| mark.yielder) else {
            return Err(out);
        };
        // SAFETY: the mark's kind says that it was made by `mark` of this very type. Its frame is in the chain, so its
        // coroutine runs and the yielder, which the frame is part of, is alive and not moved.
        let yielder = unsafe { &*yielder.cast::<Self>() };
        Ok(yielder.try_yield(out))
    }
}

impl<In> Input<In> {
    pub(crate) fn exit() -> Self {
        Input::Throw(Thrown::new(Exit))
    }
}

impl<Out, In> fmt::Debug for Yielder<Out, In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Yielder(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Yielder;
    use crate::Generator;
    use std::cell::Cell;
    use std::ptr;
    use std::rc::Rc;

    type Smuggled = Rc<Cell<*const Yielder<u32, ()>>>;

    /// Suspends a generator from code that does not run in it, as a scoped thread-local allows it to.
    fn yield_from_outside(smuggled: &Smuggled) -> bool {
        // SAFETY: the generator is suspended and not dropped, so its yielder is alive.
        let yielder = unsafe { &*smuggled.get() };
        yielder.try_yield(99).is_err_and(|thrown| thrown.is_refused())
    }

    fn smuggling(smuggled: &Smuggled) -> Generator<u32> {
        let place = Rc::clone(smuggled);
        Generator::new(move |y| {
            place.set(ptr::from_ref(y));
            y.yield_(1);
            y.yield_(2);
        })
    }

    #[test]
    fn a_suspended_coroutine_cannot_be_suspended_from_the_threads_own_code() {
        let smuggled = Smuggled::default();
        let mut generator = smuggling(&smuggled);
        assert_eq!(generator.next(), Some(1));
        assert!(yield_from_outside(&smuggled));
        assert_eq!(generator.next(), Some(2));
        assert_eq!(generator.next(), None);
    }

    #[test]
    fn a_suspended_coroutine_cannot_be_suspended_from_within_another() {
        let smuggled = Smuggled::default();
        let mut generator = smuggling(&smuggled);
        generator.next();
        let inside = Rc::clone(&smuggled);
        let mut other = Generator::<bool>::new(move |y| {
            y.yield_(yield_from_outside(&inside));
        });
        assert_eq!(other.next(), Some(true));
        assert_eq!(generator.next(), Some(2));
        assert_eq!(other.next(), None);
    }

    #[test]
    fn a_coroutine_that_resumed_others_can_be_suspended_from_within_them() {
        let smuggled = Smuggled::default();
        let place = Rc::clone(&smuggled);
        let mut outer = Generator::<u32>::new(move |y| {
            place.set(ptr::from_ref(y));
            let inside = Rc::clone(&place);
            let inner = Generator::<u32>::new(move |y| {
                // SAFETY: the outer generator resumed this one and is on the way, so its yielder is alive.
                unsafe { &*inside.get() }.yield_(1);
                y.yield_(2);
            });
            for n in inner {
                y.yield_(10 * n);
            }
        });
        assert_eq!(outer.next(), Some(1), "from the inner one's stack");
        assert_eq!(Generator::<u32>::new(|y| y.yield_(7)).next(), Some(7), "others run meanwhile");
        assert_eq!(outer.next(), Some(20));
        assert_eq!(outer.next(), None);
    }
}
