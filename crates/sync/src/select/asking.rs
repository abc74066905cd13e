//! Whether a select is asking its arms, on this thread, now.
//!
//! Of the arms of a select one wins, so what the others do between two looks must not happen. A future that would otherwise let
//! others act for it while it waits has to know that.

use crate::primitive::thread_local;
use std::cell::Cell;

thread_local! {
    #[allow(clippy::missing_const_for_thread_local, reason = "loom's do not know `const`")]
    static ASKING: Cell<bool> = Cell::new(false);
}

/// Whether the future that is being polled is an arm, or part of one.
pub(crate) fn is_arm() -> bool {
    ASKING.with(Cell::get)
}

/// Polls arms.
#[inline]
pub(super) fn asking<R>(poll: impl FnOnce() -> R) -> R {
    let _until_it_is_dropped = Outer(ASKING.with(|asking| asking.replace(true)));
    poll()
}

/// Waits in the middle of a poll, perhaps: others that run on this thread meanwhile are no arms of that select, and who waits like this
/// ends before the poll does, so that what he does is his own. To be dropped when the wait is over, on whichever thread.
pub(crate) fn set_aside() -> impl Drop {
    Outer(ASKING.with(|asking| asking.replace(false)))
}

/// What was so before, and is so again, be it by a panic.
struct Outer(bool);

impl Drop for Outer {
    fn drop(&mut self) {
        ASKING.with(|asking| asking.set(self.0));
    }
}
