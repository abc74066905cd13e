//! Panics as values, with their place.
//!
//! A payload does not say where it was thrown; only the panic hook learns that. The first [`catch`] therefore puts a
//! hook in front of the program's own, once. It notes place and backtrace for the `catch` that is running on the
//! thread, if any, and calls the hook that was there before, so that what is printed does not change.

use crate::error::{JoinError, Panic};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

struct Note {
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
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // Taking a hook panics on a thread that panics; a task may be run by a destructor during one.
        if !std::thread::panicking() {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                note(info);
                previous(info);
            }));
        }
    });
    let _ = CATCHING.try_with(|catching| catching.set(catching.get() + 1));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let _ = CATCHING.try_with(|catching| catching.set(catching.get() - 1));
    result.map_err(|payload| {
        let note = NOTE.try_with(|note| note.borrow_mut().take()).ok().flatten();
        let (place, backtrace) = note.map_or((None, None), |note| (note.place, note.backtrace));
        JoinError::Panicked(Box::new(Panic::caught(payload, place.as_deref(), backtrace.as_deref())))
    })
}

/// Notes what the running `catch` will want to know. Threads that are going away, and panics that nobody of us catches,
/// leave no note.
fn note(info: &panic::PanicHookInfo<'_>) {
    if CATCHING.try_with(Cell::get).unwrap_or(0) == 0 {
        return;
    }
    let backtrace = Backtrace::capture();
    let note = Note {
        place: info.location().map(ToString::to_string),
        backtrace: (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string()),
    };
    let _ = NOTE.try_with(|place| {
        if let Ok(mut place) = place.try_borrow_mut() {
            *place = Some(note);
        }
    });
}
