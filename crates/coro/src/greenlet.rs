//! Greenlets: coroutines that switch to each other by name.
//!
//! The stacks below are asymmetric: a coroutine can only go back to whoever resumed it. A switch from one greenlet to
//! another is therefore two steps. The first goes back to the **trampoline**, a loop in the code that first switched to
//! a greenlet, which is the *root* of all of them, and tells it where to go; the second goes there:
//!
//! ```text
//!    a: b.switch(x)                             a waits
//!        │ hop: "x to b"                           ▲ y
//!        ▼                                         │
//!    root: a.switch(..) ── the trampoline ─► resumes b with x ... b: a.switch(y)
//! ```
//!
//! So a hand-over costs what one resume and one suspend cost, about twice a switch that goes straight from stack to
//! stack. Stacks do not pile up: whoever waits, waits in the trampoline's sight and not below somebody else.
//!
//! Who is *current* is nowhere stored. It is the innermost greenlet of this type in the thread's chain of running
//! coroutines (see `frame`), so that whole families of greenlets can be suspended inside another coroutine, and another
//! family of the same type can run meanwhile.
#![forbid(unsafe_code)]

mod trampoline;

use crate::builder::Builder;
use crate::coroutine::{Coroutine, or_panic};
use crate::error::SwitchError;
use crate::stack::Stack;
use crate::thrown::{Exit, Thrown};
use crate::yielder::Yielder;
use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::rc::{Rc, Weak};
use trampoline::{Arrival, Hop, Load};

/// A coroutine that is switched to by name, from any other, and not back to a caller: Python's greenlet.
///
/// [`switch`](Greenlet::switch) suspends whoever calls it and lets this greenlet go on with a value. The caller goes on
/// when somebody switches back to it. A greenlet begins with the first value that it gets, and has a **parent**, the
/// greenlet that made it: when it ends, control goes to the parent, with the value that it returned. The code of the
/// thread that is in no greenlet is a greenlet too, the root, which has no parent and never ends.
///
/// All values that pass between greenlets of a family have the one type `T`.
///
/// This is a handle: clone it to give it to others. It stays on its thread:
/// ```compile_fail,E0277
/// let greenlet = coro::Greenlet::new(|(): ()| ());
/// std::thread::spawn(move || greenlet.switch(()));
/// ```
///
/// # Dropping
/// When the last handle of a suspended greenlet is dropped nobody can switch to it any more, so it is
/// [asked to end](crate::Coroutine#dropping) on the spot. Two greenlets whose closures or stacks hold handles of each
/// other keep each other alive: let them end, or [`throw`](Greenlet::throw) an [`Exit`] into one.
///
/// # Examples
/// ```
/// use coro::Greenlet;
///
/// let root = Greenlet::current();
/// let doubler = Greenlet::new(move |first: u32| {
///     let mut number = first;
///     while number < 100 {
///         number = root.switch(number * 2);
///     }
///     0
/// });
/// assert_eq!(doubler.switch(5), 10);
/// assert_eq!(doubler.switch(7), 14);
/// assert_eq!(doubler.switch(100), 0);
/// assert!(doubler.is_dead());
/// ```
pub struct Greenlet<T: 'static>(Place<T>);

enum Place<T: 'static> {
    Root,
    Made(Rc<Inner<T>>),
}

struct Inner<T: 'static> {
    /// Borrowed while it runs.
    body: RefCell<Coroutine<Arrival<T>, Hop<T>, T>>,
    parent: Greenlet<T>,
}

impl<T: 'static> Greenlet<T> {
    /// A greenlet whose parent is the current one, with the default stack of 64 KiB. One allocation, and a stack if none
    /// is left from before. The body does not begin yet.
    ///
    /// # Panics
    /// If there is no memory for a stack. [`Builder::greenlet`] returns that as an error.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(T) -> T + 'static,
    {
        or_panic(Builder::new().greenlet(body))
    }

    pub(crate) fn on(stack: Stack, body: impl FnOnce(T) -> T + 'static) -> Self {
        let parent = Greenlet::current();
        Greenlet(Place::Made(Rc::new_cyclic(|me: &Weak<Inner<T>>| {
            let me: Weak<dyn Any> = me.clone();
            let body = move |y: &Yielder<Hop<T>, Arrival<T>>, first| {
                y.mark(me);
                match first {
                    Some(Arrival::Value(value)) => body(value),
                    _ => unreachable!("nothing but a value is sent to a greenlet that waits for nobody"),
                }
            };
            Inner { body: RefCell::new(Coroutine::on(stack, body)), parent }
        })))
    }

    /// The greenlet that runs now, of those with values of type `T`; the root, if none does.
    #[doc(alias = "getcurrent")]
    #[must_use]
    pub fn current() -> Self {
        Greenlet(trampoline::current().map_or(Place::Root, Place::Made))
    }

    /// Suspends the current greenlet and lets this one go on with `value`. Returns what comes back to the current one:
    /// whatever somebody switches to it with, or the result of a child that ended.
    ///
    /// Switching to itself returns `value` at once. Does not allocate.
    ///
    /// # Panics
    /// - With a [`Thrown`] as the payload, so that destructors run, if an error comes back: somebody threw it here, or it
    ///   ended a child. [`try_switch`](Greenlet::try_switch) returns it instead.
    /// - With the payload of a child that panicked.
    /// - If this greenlet is dead or busy, if a child ended on request and left no value, or if the current greenlet is
    ///   unwinding and cannot be suspended.
    #[inline(always)]
    #[track_caller]
    pub fn switch(&self, value: T) -> T {
        match self.try_switch(value) {
            Ok(value) => value,
            Err(SwitchError::Thrown(thrown)) => thrown.raise_or_refuse(),
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`switch`](Greenlet::switch), with all that is not a value as an error.
    ///
    /// # Errors
    /// [`SwitchError`]. The value comes back if it could not be delivered; it is dropped if the current greenlet could
    /// not be suspended, which [`Thrown::is_refused`] tells.
    ///
    /// # Panics
    /// With the payload of a child that panicked.
    #[inline(always)]
    pub fn try_switch(&self, value: T) -> Result<T, SwitchError<T>> {
        match self.readiness() {
            Readiness::Current => Ok(value),
            Readiness::Dead => Err(SwitchError::Dead(value)),
            Readiness::Busy => Err(SwitchError::Busy(value)),
            Readiness::Waiting => trampoline::hop(self.clone(), Load::Value(value)),
        }
    }

    /// Suspends the current greenlet and raises `error` in this one, where it waits.
    ///
    /// If it does not catch the error it ends, and its parent gets the error; one that has not begun ends without having
    /// run. If `error` is an [`Exit`], ending because of it is no error for the parent. Returns what comes back to the
    /// current greenlet, as [`switch`](Greenlet::switch) does.
    ///
    /// # Errors
    /// [`Thrown`] if an error comes back, an [`Exit`] if a child of the current greenlet has ended on request: this one,
    /// mostly. At once, with the error itself, if this greenlet is dead, or is the current one.
    ///
    /// # Panics
    /// With the payload of a child that panicked. If this greenlet is busy.
    #[doc(alias = "kill")]
    #[track_caller]
    pub fn throw(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Result<T, Thrown> {
        let thrown = Thrown::new(error);
        match self.readiness() {
            Readiness::Current | Readiness::Dead => Err(thrown),
            Readiness::Busy => panic!("{}", SwitchError::Busy(())),
            Readiness::Waiting => match trampoline::hop(self.clone(), Load::Thrown(thrown)) {
                Ok(value) => Ok(value),
                Err(SwitchError::Thrown(thrown)) => Err(thrown),
                Err(_) => Err(Thrown::new(Exit)),
            },
        }
    }

    /// Where control goes when this one ends; nothing for the root.
    ///
    /// If the parent has ended by then it is the parent's parent, and so on. The same if the parent is busy.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match &self.0 {
            Place::Root => None,
            Place::Made(inner) => Some(inner.parent.clone()),
        }
    }

    /// Whether it has ended. The root never does.
    #[doc(alias = "dead")]
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.readiness(), Readiness::Dead)
    }

    /// Whether its body has begun.
    #[must_use]
    pub fn is_started(&self) -> bool {
        match &self.0 {
            Place::Root => true,
            // What is borrowed runs.
            Place::Made(inner) => inner.body.try_borrow().map_or(true, |body| body.is_started()),
        }
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        let running = match &self.0 {
            Place::Root => {
                return if Self::current() == *self { Readiness::Current } else { Readiness::Waiting };
            }
            Place::Made(inner) => match inner.body.try_borrow() {
                Ok(body) if body.is_finished() => return Readiness::Dead,
                Ok(_) => return Readiness::Waiting,
                Err(_) => self,
            },
        };
        if Self::current() == *running { Readiness::Current } else { Readiness::Busy }
    }
}

/// What a greenlet is to whoever would switch to it.
#[derive(Debug)]
enum Readiness {
    Current,
    Waiting,
    /// It runs below another coroutine that is suspended, or is being dropped.
    Busy,
    Dead,
}

impl<T: 'static> Drop for Greenlet<T> {
    fn drop(&mut self) {
        let Place::Made(inner) = &self.0 else { return };
        if Rc::strong_count(inner) == 1 {
            // Here and not in a drop of its own, so that the handle is whole while destructors use it. A borrowed body
            // runs, and then it is a clone's turn.
            if let Ok(mut body) = inner.body.try_borrow_mut() {
                body.shut_down();
            }
        }
    }
}

impl<T: 'static> Clone for Greenlet<T> {
    fn clone(&self) -> Self {
        Greenlet(match &self.0 {
            Place::Root => Place::Root,
            Place::Made(inner) => Place::Made(Rc::clone(inner)),
        })
    }
}

/// Whether they are the same greenlet.
impl<T: 'static> PartialEq for Greenlet<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Root, Place::Root) => true,
            (Place::Made(one), Place::Made(other)) => Rc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl<T: 'static> Eq for Greenlet<T> {}

impl<T: 'static> fmt::Debug for Greenlet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place::Made(inner) = &self.0 else { return f.write_str("Greenlet(root)") };
        match inner.body.try_borrow() {
            Ok(body) => f.debug_struct("Greenlet").field("state", &body.state()).finish(),
            Err(_) => f.debug_struct("Greenlet").field("state", &self.readiness()).finish(),
        }
    }
}
