//! How many waiters are looked at, for the tests to count.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Somebody looks at a waiter, his own place or another's.
pub(crate) fn one() {
    TAKEN.set(TAKEN.get() + 1);
}

/// How many this thread takes for `work`.
pub(crate) fn taken_by(work: impl FnOnce()) -> usize {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}
