//! Two threads that take turns by a condition variable: a round trip is a wait and a wake-up of each.

use std::time::Duration;

use crossbeam_utils::CachePadded;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, together};

use super::{is, keeps_out};

/// A number under a mutex, and a condition variable.
pub trait Monitor: Send + Sync {
    /// Around 0.
    fn new() -> Self;
    /// Waits until the number is even or odd as `parity` (0 or 1) says, adds one, and wakes the other. Blocks.
    fn turn(&self, parity: u64);
    /// The number.
    fn value(&self) -> u64;
}

pub(crate) fn rows() -> Vec<Row> {
    let rows = [Cpus::Two, Cpus::One].map(|cpus| Row {
        name: format!("condvar/ping-pong/{}", cpus.word()),
        about: "two threads take turns by a condition variable; a round trip".into(),
        cpus,
        measures: vec![Measure::NS],
        contestants: vec![
            taking_turns::<Ours>("sync"),
            taking_turns::<Std>("std"),
            taking_turns::<ParkingLot>("parking_lot"),
        ],
    });
    rows.into()
}

fn taking_turns<M: Monitor + 'static>(name: &'static str) -> Contestant {
    Contestant::timed(name, 1, ping_pong::<M>).checked_by(waits_for_its_turn::<M>)
}

/// `count` round trips.
///
/// # Errors
/// If not every turn was taken.
pub fn ping_pong<M: Monitor>(place: &Place, count: u64) -> Result<Duration, String> {
    let monitor = CachePadded::new(M::new());
    let job = |parity: u64| {
        let monitor = &monitor;
        Box::new(move || (0..count).for_each(|_| monitor.turn(parity))) as Job<'_>
    };
    let took = together(place, vec![job(0), job(1)]);
    is("turns", monitor.value(), 2 * count).map(|()| took)
}

/// A count of turns is the same in whichever order they are taken.
fn waits_for_its_turn<M: Monitor>() -> Result<(), String> {
    let monitor = M::new();
    let first = |inside: &mut dyn FnMut()| {
        inside();
        // What came before the first turn would not wait for it again.
        if monitor.value() == 0 {
            monitor.turn(0);
        }
    };
    keeps_out("a turn was taken before the one that it waits for", first, || monitor.turn(1))
}

/// Ours.
#[derive(Debug)]
pub struct Ours {
    number: sync::Mutex<u64>,
    changed: sync::Condvar,
}

/// The standard library's.
#[derive(Debug)]
pub struct Std {
    number: std::sync::Mutex<u64>,
    changed: std::sync::Condvar,
}

/// parking_lot's.
#[derive(Debug)]
pub struct ParkingLot {
    number: parking_lot::Mutex<u64>,
    changed: parking_lot::Condvar,
}

impl Monitor for Ours {
    fn new() -> Self {
        Self { number: sync::Mutex::new(0), changed: sync::Condvar::new() }
    }

    fn turn(&self, parity: u64) {
        let mut number = self.changed.wait_while(self.number.lock(), |number| *number % 2 != parity);
        *number += 1;
        drop(number);
        self.changed.notify_one();
    }

    fn value(&self) -> u64 {
        *self.number.lock()
    }
}

impl Monitor for Std {
    fn new() -> Self {
        Self { number: 0.into(), changed: std::sync::Condvar::new() }
    }

    fn turn(&self, parity: u64) {
        let number = self.number.lock().expect("nobody panics under it");
        let number = self.changed.wait_while(number, |number| *number % 2 != parity);
        *number.expect("nobody panics under it") += 1;
        self.changed.notify_one();
    }

    fn value(&self) -> u64 {
        *self.number.lock().expect("nobody panics under it")
    }
}

impl Monitor for ParkingLot {
    fn new() -> Self {
        Self { number: 0.into(), changed: parking_lot::Condvar::new() }
    }

    fn turn(&self, parity: u64) {
        let mut number = self.number.lock();
        self.changed.wait_while(&mut number, |number| *number % 2 != parity);
        *number += 1;
        drop(number);
        self.changed.notify_one();
    }

    fn value(&self) -> u64 {
        *self.number.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wrong;
    use super::*;

    /// Its waits end without a notification.
    struct Hasty {
        number: std::sync::Mutex<u64>,
    }

    impl Monitor for Hasty {
        fn new() -> Self {
            Self { number: 0.into() }
        }

        fn turn(&self, _: u64) {
            *self.number.lock().expect("nobody panics under it") += 1;
        }

        fn value(&self) -> u64 {
            *self.number.lock().expect("nobody panics under it")
        }
    }

    #[test]
    fn a_wait_that_ends_without_a_notification_is_found_out() {
        assert!(ping_pong::<Hasty>(&Place::free(), 1000).is_ok(), "all turns were taken");
        assert!(wrong(&taking_turns::<Hasty>("liar")).contains("before the one that it waits for"));
    }

    /// Takes part, and does not count.
    struct Absent;

    impl Monitor for Absent {
        fn new() -> Self {
            Self
        }

        fn turn(&self, _: u64) {}

        fn value(&self) -> u64 {
            0
        }
    }

    #[test]
    fn turns_that_are_not_taken_are_found_out() {
        assert_eq!(ping_pong::<Absent>(&Place::free(), 4), Err("turns: 0, and it must be 8".into()));
    }
}
