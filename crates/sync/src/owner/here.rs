//! Where somebody acts, and as whom: the thread, or a coroutine that is told apart from it.
//!
//! The invariant that memory safety rests on: **a number stands for one owner on one thread**, and is never given again there; nor is a
//! thread's own number. So all the guards of one owner are on one thread, for a guard does not leave its thread. Numbers are counted by
//! the thread, in 64 bits, so that a task that goes from thread to thread at each poll never comes to an end of them, on 32 bits
//! neither.
//!
//! Nothing here has a destructor, so it is there for the destructors of other thread-locals.

use super::Owner;
use crate::primitive::thread_local;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who has a lock, or may have one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Identity {
    pub(crate) thread: usize,
    /// Zero for the thread itself.
    pub(crate) number: u64,
}

/// Whom somebody acts as, on this thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Acting {
    pub(super) number: u64,
    /// He is polled.
    pub(super) is_task: bool,
}

/// Calls back with the coroutine that runs, if one does.
pub(super) type Coroutines = fn(&mut dyn FnMut(&Owner));

#[derive(Default)]
struct Here {
    /// Zero until somebody asks.
    thread: Cell<usize>,
    /// The numbers that were given on this thread.
    last_number: Cell<u64>,
    /// The place where several take turns: where whoever has installed a parker that is cooperative did so.
    turns: Cell<Option<u64>>,
    /// Whom the thread acts as, where no coroutine runs.
    acting: Cell<Option<Acting>>,
}

/// The thread, as a place. A coroutine has its number.
const THE_THREAD: u64 = 0;

static COROUTINES: OnceLock<Coroutines> = OnceLock::new();
static LAST_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static HERE: Here = Here::default();
}

/// Whoever runs, and whether he is polled, if that is known.
pub(super) fn current() -> Option<(Identity, bool)> {
    let (number, is_task) = at_place(|place, acting| match acting.get() {
        Some(acting) => Some((acting.number, acting.is_task)),
        // Several take turns here, and nobody says which.
        None if HERE.with(|here| here.turns.get()) == Some(place) => None,
        None => Some((place, false)),
    })?;
    Some((Identity { thread: this_thread(), number }, is_task))
}

/// Where the caller runs: the place's number, and whom it acts as.
#[inline]
pub(super) fn at_place<R>(look: impl FnOnce(u64, &Cell<Option<Acting>>) -> R) -> R {
    let (mut look, mut seen) = (Some(look), None);
    if let Some(ask) = COROUTINES.get() {
        ask(&mut |owner| {
            if let Some(look) = look.take() {
                seen = Some(look(owner.number(), &owner.acting));
            }
        });
    }
    match look {
        Some(look) => HERE.with(|here| look(THE_THREAD, &here.acting)),
        None => seen.expect("whoever has looked has seen"),
    }
}

/// Whether nobody else has done so.
pub(super) fn tell_coroutines_apart(ask: Coroutines) -> bool {
    COROUTINES.set(ask).is_ok()
}

/// While it lives, the place acts as nobody: what runs there is not whoever acted before.
#[derive(Debug)]
pub(crate) struct SetAside {
    thread: usize,
    place: u64,
    before: Option<Acting>,
}

/// A parker is installed.
#[derive(Debug)]
pub(crate) struct Taking {
    thread: usize,
    turns: Option<u64>,
    /// If several take turns, none of them is whoever has installed it.
    _aside: Option<SetAside>,
}

impl SetAside {
    /// Whoever runs here is about to be suspended, and others to run instead.
    pub(crate) fn new() -> Self {
        let (place, before) = at_place(|place, acting| (place, acting.take()));
        SetAside { thread: this_thread(), place, before }
    }
}

impl Drop for SetAside {
    fn drop(&mut self) {
        // A hub that takes a coroutine to another thread takes along nobody that it acted as.
        if self.thread == this_thread() {
            at_place(|place, acting| {
                if place == self.place {
                    acting.set(self.before);
                }
            });
        }
    }
}

impl Taking {
    /// From now on several take turns in this place, or whoever runs here runs alone.
    pub(crate) fn turns(several: bool) -> Self {
        let aside = several.then(SetAside::new);
        let place = aside.as_ref().map(|aside| aside.place);
        Taking { thread: this_thread(), turns: HERE.with(|here| here.turns.replace(place)), _aside: aside }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if self.thread == this_thread() {
            HERE.with(|here| here.turns.set(self.turns));
        }
    }
}

/// The number of this thread.
#[inline]
pub(super) fn this_thread() -> usize {
    HERE.with(|here| match here.thread.get() {
        0 => {
            here.thread.set(next_thread());
            here.thread.get()
        }
        thread => thread,
    })
}

/// A number that nobody has had on this thread.
pub(super) fn next_number() -> u64 {
    HERE.with(|here| {
        let number = here.last_number.get().checked_add(1).expect("nobody counts to the end of 64 bits");
        here.last_number.set(number);
        number
    })
}

fn next_thread() -> usize {
    // Relaxed: a number, which stands for nothing but itself.
    let last = LAST_THREAD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1));
    match last {
        Ok(last) => last + 1,
        Err(_) => panic!("the program has used all {} numbers for threads that own locks", usize::MAX),
    }
}

/// How many threads have a number.
#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
pub(super) fn threads() -> usize {
    LAST_THREAD.load(Ordering::Relaxed)
}
