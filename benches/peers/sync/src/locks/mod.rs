//! Locks and signals, a file for each piece of work.
//!
//! What several threads use lies on cache lines of its own, and so does what each of them writes: otherwise a row would
//! measure how large a contestant is, and what happens to lie beside it.

pub mod barrier;
pub mod condvar;
pub mod contended;
pub mod control;
pub mod mutex;
pub mod rwlock;
pub mod semaphore;

use peers_kit::Row;

/// The rows of all of them.
#[must_use]
pub fn rows() -> Vec<Row> {
    [mutex::rows(), contended::rows(), rwlock::rows(), semaphore::rows(), condvar::rows(), barrier::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether a count is what it must be; what is wrong with it otherwise.
fn is(what: &str, found: u64, expected: u64) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found}, and it must be {expected}")) }
}
