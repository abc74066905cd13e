//! Panics as values, with their place.
//!
//! A payload does not say where it was thrown; only the panic hook learns that. The first [`catch`] therefore puts a
//! hook in front of the program's own, once. It notes place and backtrace for the `catch` that is running on the
//! thread, if any, and calls the hook that was there before, so that what is printed does not change.

use crate::error::{JoinError, Panic};
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

struct Note {
    /// Tells whether the note is about the payload that was caught: one thrown by `resume_unwind` leaves no note.
    message: Option<String>,
    place: Option<String>,
    backtrace: Option<String>,
}

thread_local! {
    /// How many `catch` are running on this thread, one inside the other.
    static CATCHING: Cell<usize> = const { Cell::new(0) };
    static NOTE: RefCell<Option<Note>> = const { RefCell::new(None) };
}

/// Runs `work` and returns its result, or how it panicked: message, place, and a backtrace where `RUST_BACKTRACE` asks
/// for one.
///
/// `work` need not be unwind safe: what it leaves half done is the business of whoever shares it.
///
/// The first call puts a panic hook in front of the program's own, which learns the place and then calls the other. Where
/// the program replaces the hook later on, place and backtrace are missing.
///
/// Never waits for anybody but `work`. Allocates at the first call, and for a panic.
///
/// # Errors
/// [`JoinError::Panicked`].
///
/// # Examples
/// ```
/// let error = sync::catch(|| -> u32 { panic!("no such thing as {}", 7) }).unwrap_err();
/// let panic = error.panic().ok_or("not a panic")?;
/// assert_eq!(panic.message(), "no such thing as 7");
/// assert!(panic.place().ok_or("no place")?.contains(".rs:"));
/// # Ok::<(), &str>(())
/// ```
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, JoinError> {
    install_hook();
    // A destructor that catches during a panic must leave that panic's note to the outer `catch`.
    let outer = exchange_note(None);
    CATCHING.set(CATCHING.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    // A coroutine may have gone to another thread in the middle.
    CATCHING.set(CATCHING.get().saturating_sub(1));
    let note = exchange_note(outer);
    result.map_err(|payload| {
        let note = note.filter(|note| note.message.as_deref() == message(&*payload));
        let (place, backtrace) = note.map_or((None, None), |note| (note.place, note.backtrace));
        JoinError::Panicked(Box::new(Panic::caught(payload, place.as_deref(), backtrace.as_deref())))
    })
}

/// Runs what is not ours on a thread that others depend on: a callback, a waker, the destructor of a result that nobody
/// wants. If it panics, the panic hook has said so, and the caller goes on.
///
/// A payload may panic in its own destructor, and so may what that throws: then the last one is leaked.
///
/// Never waits for anybody but `foreign`, and allocates nothing.
///
/// # Examples
/// ```
/// sync::contain(|| panic!("somebody else's mistake"));
/// ```
pub fn contain(foreign: impl FnOnce()) {
    let Err(payload) = panic::catch_unwind(AssertUnwindSafe(foreign)) else { return };
    if let Err(another) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// Runs several things that are not ours on the thread of whoever caused them: one that panics keeps no other from being
/// run, and the first panic goes on when all have been.
#[derive(Default)]
pub(crate) struct Every {
    panicked: Option<Box<dyn Any + Send>>,
}

impl Every {
    pub(crate) fn run(&mut self, foreign: impl FnOnce()) {
        let Err(payload) = panic::catch_unwind(AssertUnwindSafe(foreign)) else { return };
        match self.panicked {
            None => self.panicked = Some(payload),
            Some(_) => contain(|| drop(payload)),
        }
    }

    /// To be called when everything has been run.
    pub(crate) fn resume(self) {
        if let Some(payload) = self.panicked {
            panic::resume_unwind(payload);
        }
    }
}

/// What `panic!` was given, if it is text.
pub(crate) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

fn install_hook() {
    static HOOK: Once = Once::new();
    // Changing the hook is forbidden on a thread that panics, where a destructor may run a task: the next call does it.
    if std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() > 0 {
                exchange_note(Some(Note::of(info)));
            }
            previous(info);
        }));
    });
}

/// A thread that is going away has no place for notes.
fn exchange_note(new: Option<Note>) -> Option<Note> {
    NOTE.try_with(|note| note.replace(new)).ok().flatten()
}

impl Note {
    fn of(info: &panic::PanicHookInfo<'_>) -> Self {
        let backtrace = Backtrace::capture();
        Note {
            message: message(info.payload()).map(str::to_owned),
            place: info.location().map(ToString::to_string),
            backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
        }
    }
}
