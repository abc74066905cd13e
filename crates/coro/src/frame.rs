//! Which coroutines run on this thread, one inside the other.
//!
//! A coroutine may resume another, and code inside the inner one may suspend the outer one: a generator that runs in a
//! greenlet waits for a queue, and the greenlet is what must be suspended, with the generator on it. So each thread has
//! a chain of the coroutines that are running now, from the innermost outwards, and a suspended coroutine remembers the
//! piece of the chain that it takes with it:
//!
//! ```text
//!   running:    innermost ─► generator ─► greenlet ─► (the thread)
//!   greenlet is suspended:   innermost ─► (the thread)
//!                            greenlet.inside ─► generator ─► greenlet
//! ```
//!
//! The chain is what makes suspending safe. A switch away from a stack that is not the one the processor is on would
//! corrupt both, and no lifetime forbids it: a reference to a yielder can be smuggled out by a scoped thread-local. So
//! every suspension asks [`Frame::leave`], which refuses.
//!
//! Invariants:
//! 1. A frame lives in the [`Yielder`](crate::Yielder) at the root of its coroutine's stack. It is entered before
//!    any of the coroutine's code runs and ended after all of it, and is not moved in between.
//! 2. The frames that are reachable from `INNERMOST` are those of the coroutines that run here now; their stacks are in
//!    use, so they are alive.
//! 3. A thread's frames are touched by that thread alone.
#![allow(
    unsafe_code,
    reason = "the chain links frames on different stacks, whose lifetimes no type can tell"
)]

use crate::thrown::Refused;
use std::any::{Any, TypeId};
use std::cell::{Cell, OnceCell};
use std::ptr;
use std::rc::Weak;
use std::sync::OnceLock;
use std::thread;
use sync::extra::{AlreadyToldApart, Owner};

thread_local! {
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// A coroutine's place in the chain.
pub(crate) struct Frame {
    /// The coroutine that resumed this one; null if the thread's own code did.
    outer: Cell<*const Frame>,
    /// While suspended: the innermost of those that run again when this one does. Null until it was suspended.
    inside: Cell<*const Frame>,
    /// Whether the thread was unwinding already when it resumed this.
    resumed_in_panic: Cell<bool>,
    /// Whether an error came up at the last yield, which may be unwinding the stack since.
    thrown: Cell<bool>,
    /// What locks know the coroutine by.
    owner: Owner,
    mark: OnceCell<Mark>,
}

/// What a frame stands for, for those who look for it in the chain.
pub(crate) struct Mark {
    pub(crate) kind: TypeId,
    pub(crate) yielder: *const (),
    pub(crate) owner: Weak<dyn Any>,
}

impl Frame {
    pub(crate) fn new() -> Self {
        Frame {
            outer: Cell::new(ptr::null()),
            inside: Cell::new(ptr::null()),
            resumed_in_panic: Cell::new(false),
            thrown: Cell::new(false),
            owner: Owner::new(),
            mark: OnceCell::new(),
        }
    }

    /// The coroutine was started or resumed.
    #[inline]
    pub(crate) fn enter(&self) {
        self.resumed_in_panic.set(thread::panicking());
        let inside = self.inside.replace(ptr::null());
        INNERMOST.with(|innermost| {
            self.outer.set(innermost.get());
            innermost.set(if inside.is_null() { self } else { inside });
        });
    }

    /// The coroutine is about to be suspended, if that is possible.
    #[inline]
    pub(crate) fn leave(&self) -> Result<(), Refused> {
        if !thread::panicking() {
            self.thrown.set(false);
        } else if self.thrown.get() || !self.resumed_in_panic.get() {
            // The count of panics is the thread's: gone from here, the thread would panic for ever.
            return Err(Refused::Unwinding);
        }
        INNERMOST.with(|innermost| {
            if innermost.get() != ptr::from_ref(self) && !self.encloses(innermost.get()) {
                return Err(Refused::Elsewhere);
            }
            self.inside.set(innermost.get());
            innermost.set(self.outer.get());
            Ok(())
        })
    }

    /// The coroutine's code has ended.
    pub(crate) fn end(&self) {
        INNERMOST.with(|innermost| {
            debug_assert!(ptr::eq(innermost.get(), self), "what ends is what runs");
            innermost.set(self.outer.get());
        });
    }

    /// An error comes up at the yield that is being resumed.
    pub(crate) fn note_thrown(&self) {
        self.thrown.set(true);
    }

    /// What this coroutine is told apart by, as long as it is alive.
    pub(crate) fn name(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    pub(crate) fn set_mark(&self, mark: Mark) {
        let fresh = self.mark.set(mark).is_ok();
        debug_assert!(fresh, "a frame stands for one thing");
    }

    #[cold]
    fn encloses(&self, innermost: *const Frame) -> bool {
        running(innermost).any(|frame| ptr::eq(frame, self))
    }
}

/// Reads the mark of the innermost running coroutine that is of this kind.
#[inline]
pub(crate) fn innermost_marked<R>(kind: TypeId, read: impl FnOnce(&Mark) -> R) -> Option<R> {
    let mark =
        running(INNERMOST.get()).find_map(|frame| frame.mark.get().filter(|mark| mark.kind == kind))?;
    Some(read(mark))
}

/// Has locks that know their owner ask here which coroutine runs.
///
/// # Panics
/// If they ask somebody else: each would then take coroutines of this crate for the thread, and let one in where another is.
pub(crate) fn tell_apart() {
    static TOLD: OnceLock<Result<(), AlreadyToldApart>> = OnceLock::new();
    if TOLD.get_or_init(|| Owner::tell_coroutines_apart(show_innermost)).is_err() {
        panic!(
            "another crate tells its coroutines apart already, be it another version of `coro`: a program can have one such crate"
        );
    }
}

/// Shows the innermost running coroutine, if there is one, as the owner of locks.
fn show_innermost(look: &mut dyn FnMut(&Owner)) {
    if let Some(frame) = running(INNERMOST.get()).next() {
        look(&frame.owner);
    }
}

/// The chain from `innermost`, which is `INNERMOST`, outwards. For use before anything is suspended or resumed.
#[inline]
fn running<'a>(innermost: *const Frame) -> impl Iterator<Item = &'a Frame> {
    let mut next = innermost;
    std::iter::from_fn(move || {
        // SAFETY: null or a frame of the chain, which is alive and not moved (invariants 1 and 2).
        let frame = unsafe { next.as_ref() }?;
        next = frame.outer.get();
        Some(frame)
    })
}
