//! The token of the work that runs on this thread.

use std::cell::RefCell;
use sync::CancelToken;

thread_local! {
    static CURRENT: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

/// The token that is cancelled when somebody cancels the work that runs here: the task of a [`Pool`](crate::Pool), the
/// [`Thread`](crate::Thread).
///
/// Work that lasts should look at it now and then, or wait with it, and return early. Elsewhere, as in `main`, it is a
/// token that nobody has cancelled, so that the same function can be called there. Never blocks.
///
/// # Examples
/// ```
/// let counting = threads::spawn(|| {
///     let mut rounds = 0_u64;
///     while !threads::cancel_token().is_cancelled() {
///         rounds += 1;
///     }
///     rounds
/// })?;
/// counting.cancel();
/// // Cancelled before it began, or told to stop while it ran.
/// let outcome = counting.join();
/// assert!(outcome.is_ok() || outcome.is_err_and(|error| error.is_cancelled()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn cancel_token() -> CancelToken {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten().unwrap_or_default()
}

/// Makes `token` the ambient one until the guard is dropped.
pub(crate) fn enter(token: CancelToken) -> Entered {
    Entered { previous: CURRENT.try_with(|current| current.replace(Some(token))).ok().flatten() }
}

/// Puts back the token that was there before, when dropped.
pub(crate) struct Entered {
    previous: Option<CancelToken>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = self.previous.take();
        // A thread that is going away needs no token back.
        let _ = CURRENT.try_with(|current| current.replace(previous));
    }
}
