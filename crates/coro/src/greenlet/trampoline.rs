//! The loop at the root that carries values from one greenlet to the next.
#![forbid(unsafe_code)]

use super::{Greenlet, Inner, Place};
use crate::coroutine::{Advance, End};
use crate::error::SwitchError;
use crate::frame;
use crate::thrown::Thrown;
use crate::yielder::{Input, Yielder};
use std::any::{Any, TypeId};
use std::panic;
use std::rc::Rc;

/// Where a greenlet that is being suspended wants control to go, and with what.
pub(super) struct Hop<T: 'static> {
    to: Greenlet<T>,
    load: Load<T>,
}

/// What goes from one greenlet to another.
pub(super) enum Load<T> {
    Value(T),
    Thrown(Thrown),
    /// A child has ended on request.
    Exited,
    /// A child has panicked.
    Panicked(Box<Payload>),
}

/// What a waiting greenlet is resumed with; an error is thrown into its coroutine instead.
pub(super) enum Arrival<T> {
    Value(T),
    Exited,
    Panicked(Box<Payload>),
}

/// Boxed once more where it is kept, because room for it passes through every switch.
type Payload = Box<dyn Any + Send>;

/// The innermost greenlet of this type that runs.
pub(super) fn current<T: 'static>() -> Option<Rc<Inner<T>>> {
    let owner =
        frame::innermost_marked(TypeId::of::<Yielder<Hop<T>, Arrival<T>>>(), |mark| mark.owner.upgrade())??;
    // Whoever runs is held by a handle: the trampoline's, or the one whose drop shuts it down.
    owner.downcast().ok()
}

/// Suspends the current greenlet and gives `load` to one that waits. Returns what comes back.
#[inline(always)]
pub(super) fn hop<T: 'static>(to: Greenlet<T>, load: Load<T>) -> Result<T, SwitchError<T>> {
    let load = match Yielder::<_, Arrival<T>>::try_yield_innermost(Hop { to, load }) {
        Ok(Ok(arrival)) => arrival.into_load(),
        Ok(Err(thrown)) => Load::Thrown(thrown),
        Err(hop) => run(hop),
    };
    match load {
        Load::Value(value) => Ok(value),
        Load::Thrown(thrown) => Err(SwitchError::Thrown(thrown)),
        Load::Exited => Err(SwitchError::Exited),
        Load::Panicked(payload) => panic::resume_unwind(*payload),
    }
}

/// The trampoline: carries out hops until one goes to the root, which is where this runs.
fn run<T: 'static>(mut hop: Hop<T>) -> Load<T> {
    loop {
        hop = match &hop.to.0 {
            Place::Root => return hop.load,
            Place::Made(greenlet) => greenlet.take(hop.load),
        };
    }
}

impl<T: 'static> Inner<T> {
    /// Lets the greenlet go on with `load` until it wants to go elsewhere, or has ended.
    #[inline(always)]
    fn take(&self, load: Load<T>) -> Hop<T> {
        let input = match load {
            Load::Value(value) => Input::Value(Arrival::Value(value)),
            Load::Thrown(thrown) => Input::Throw(thrown),
            Load::Exited => Input::Value(Arrival::Exited),
            Load::Panicked(payload) => Input::Value(Arrival::Panicked(payload)),
        };
        let advance = self.body.borrow_mut().advance(input);
        let load = match advance {
            Advance::Yielded(hop) => return hop,
            Advance::Ended(End::Returned(value)) => Load::Value(value),
            Advance::Ended(End::Exited) => Load::Exited,
            Advance::Ended(End::Threw(thrown)) => Load::Thrown(thrown),
            Advance::Ended(End::Panicked(payload)) => Load::Panicked(Box::new(payload)),
        };
        Hop { to: self.heir(), load }
    }

    /// The nearest ancestor that waits; the root always does.
    fn heir(&self) -> Greenlet<T> {
        let mut heir = &self.parent;
        while let Place::Made(inner) = &heir.0 {
            if inner.body.try_borrow().is_ok_and(|body| !body.is_finished()) {
                break;
            }
            heir = &inner.parent;
        }
        heir.clone()
    }
}

impl<T> Arrival<T> {
    fn into_load(self) -> Load<T> {
        match self {
            Arrival::Value(value) => Load::Value(value),
            Arrival::Exited => Load::Exited,
            Arrival::Panicked(payload) => Load::Panicked(payload),
        }
    }
}
