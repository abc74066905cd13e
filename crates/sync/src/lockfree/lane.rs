//! A number for each thread, by which threads choose different places to write to.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of this thread: 0 for the first that asks, then 1, and so on. It is a hint: nothing breaks if two threads
/// have the same one, as under loom, where all of a model's threads are one thread of the system.
#[inline]
pub(super) fn lane() -> usize {
    LANE.with(|lane| match lane.get() {
        UNKNOWN => choose(lane),
        known => known,
    })
}

#[cold]
fn choose(lane: &Cell<usize>) -> usize {
    // Relaxed: only the number itself matters. Numbers may come round after `usize::MAX` threads.
    let chosen = NEXT.fetch_add(1, Ordering::Relaxed) % UNKNOWN;
    lane.set(chosen);
    chosen
}

const UNKNOWN: usize = usize::MAX;

// The atomic of the standard library, not loom's: it outlives every model.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Needs no destructor, so it can be asked while a thread ends.
    static LANE: Cell<usize> = const { Cell::new(UNKNOWN) };
}
