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

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

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

/// Whether `enter`, on another thread, waits until `hold` is over, which calls what it is given; `wrong` if it does not.
///
/// While an operation is timed nobody looks who is inside with whom: what is looked at would cost more than most locks do. So it
/// is asked after each sample.
fn keeps_out(
    wrong: &str,
    hold: impl FnOnce(&mut dyn FnMut()),
    enter: impl Fn() + Sync,
) -> Result<(), String> {
    let (begins, has_begun) = mpsc::channel();
    let (ends, has_ended) = mpsc::channel();
    let (enter, mut came_in) = (&enter, None);
    thread::scope(|scope| {
        hold(&mut || {
            let (begins, ends) = (begins.clone(), ends.clone());
            scope.spawn(move || {
                begins.send(()).expect("it is waited for");
                enter();
                // Nobody waits for it any more.
                let _ = ends.send(());
            });
            has_begun.recv().expect("it is sent first");
            came_in = Some(has_ended.recv_timeout(LONG_ENOUGH).is_ok());
        });
    });
    match came_in {
        None => Err("who had it was not asked to do anything".into()),
        Some(true) => Err(wrong.into()),
        Some(false) => Ok(()),
    }
}

/// Within this, one whom nothing keeps out has come in. Who is kept out has all the time there is, so nobody is wronged.
const LONG_ENOUGH: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;
    use peers_kit::{Contestant, Order, Place};

    /// What is wrong with the work of one who lies. In the first sample, or a later one: the machine may be so busy that who is let in
    /// does not come in time.
    pub(super) fn wrong(contestant: &Contestant) -> String {
        let order = Order { least: Duration::ZERO, seed: 1, place: Place::free() };
        let mut samples = (0..100).map(|_| (contestant.run)(&order));
        samples.find_map(Result::err).expect("it lies")
    }

    #[test]
    fn whoever_is_measured_does_the_work() {
        let order = Order { least: Duration::ZERO, seed: 1, place: Place::free() };
        let rows = [mutex::rows(), rwlock::rows(), semaphore::rows(), condvar::rows(), barrier::rows()];
        for row in rows.iter().flatten() {
            for contestant in &row.contestants {
                let sample = (contestant.run)(&order);
                assert!(sample.is_ok(), "{} in {}: {sample:?}", contestant.name, row.name);
            }
        }
    }
}
