//! Waiting for threads before the program ends.

use crate::living;
use std::future::poll_fn;
use std::time::{Duration, Instant};
use sync::{TimedOut, park};

/// Waits until every thread that this crate has started has ended: daemons, a pool's workers, and this thread apart.
/// Blocks.
pub fn join_all() {
    park::block_on(poll_fn(|cx| living::poll_all_ended(cx)));
}

/// As [`join_all`], for at most `limit`.
///
/// # Errors
/// [`TimedOut`] if one lives still; [`enumerate`](crate::enumerate) says which.
pub fn join_all_timeout(limit: Duration) -> Result<(), TimedOut> {
    let deadline = Instant::now().checked_add(limit);
    park::block_on_until(poll_fn(|cx| living::poll_all_ended(cx)), deadline).ok_or(TimedOut)
}

/// Waits for all threads that are not daemons when `main` ends, as Python does: be it by its last line, by `?`, or by a
/// panic.
///
/// Make it the first line of `main`, so that it is dropped last. Without it the program ends with `main`, and all threads
/// with the program, as is usual in Rust. `std::process::exit` runs no destructor and waits for nobody, with it or
/// without it.
///
/// # Examples
/// ```
/// fn main() -> std::io::Result<()> {
///     let _exit = threads::join_all_at_exit();
///     // Detached, and done all the same.
///     drop(threads::spawn(|| println!("still here"))?);
///     Ok(())
/// }
/// ```
#[must_use = "the threads are waited for when the guard is dropped; `let _exit = ..` keeps it to the end of `main`"]
#[doc(alias = "atexit")]
pub fn join_all_at_exit() -> JoinAllAtExit {
    JoinAllAtExit { limit: None }
}

/// Waits for threads when it is dropped; see [`join_all_at_exit`].
#[must_use = "the threads are waited for when the guard is dropped; `let _exit = ..` keeps it to the end of `main`"]
#[derive(Debug)]
pub struct JoinAllAtExit {
    limit: Option<Duration>,
}

impl JoinAllAtExit {
    /// Waits at most so long; then the program ends, and with it the threads that live still.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl Drop for JoinAllAtExit {
    fn drop(&mut self) {
        match self.limit {
            None => join_all(),
            // Whoever sets a limit wants to go then.
            Some(limit) => drop(join_all_timeout(limit)),
        }
    }
}
