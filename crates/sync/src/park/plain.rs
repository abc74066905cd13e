//! How a plain thread waits: one on which no [`Parker`](super::Parker) is installed.
//!
//! A thread that waits for a lock, a state or a queue sleeps on a word of its own node, which is cheaper than a waker and a parker.
//! All such sleeps are made here, and only where [`is_here`] has said so. So whoever installs a parker on a thread has every wait of
//! it: nothing sleeps beside it. A scheduler that replays a program has to take over no more than that.

use super::CURRENT;
use crate::os::Sleeper;
use crate::primitive::AtomicU32;
use std::time::{Duration, Instant};

/// Whether nothing is installed, so that waiting is nothing but putting the thread to sleep.
pub(crate) fn is_plain_thread() -> bool {
    // A thread that is going away has no parker any more.
    CURRENT.try_with(|current| current.borrow().is_none()).unwrap_or(true)
}

/// Whether a wait on this thread is to sleep on a word. Otherwise it waits as a task does, by `block_on_until`.
pub(crate) fn is_here() -> bool {
    Sleeper::AVAILABLE && is_plain_thread()
}

/// Sleeps while `word` has the value `expected`, at most until `deadline`. May return early.
pub(crate) fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Instant>) {
    Sleeper::sleep(word, expected, deadline);
}

/// As [`sleep`], for a time.
pub(crate) fn sleep_for(word: &AtomicU32, expected: u32, limit: Duration) {
    Sleeper::sleep_for(word, expected, Some(limit));
}
