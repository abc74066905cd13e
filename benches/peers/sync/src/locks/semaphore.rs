//! Eight threads and three permits: take one, use it, give it back.
//!
//! Neither std nor parking_lot has a semaphore; theirs is the one that everybody writes, a number under a mutex and a
//! condition variable.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, together};

use super::{is, keeps_out};

/// So many at once.
pub trait Permits: Send + Sync {
    /// With `count` permits.
    fn new(count: usize) -> Self;
    /// Waits for a permit, holds it while `f` runs, and gives it back. Blocks.
    fn with(&self, f: impl FnOnce());
}

pub(crate) fn rows() -> Vec<Row> {
    let rows = [Cpus::Free, Cpus::One].map(|cpus| Row {
        name: format!("semaphore/3x8/{}", cpus.word()),
        about: "eight threads share three permits".into(),
        cpus,
        measures: vec![Measure::NS],
        contestants: vec![
            in_eight_threads::<sync::Semaphore>("sync"),
            in_eight_threads::<Std>("std"),
            in_eight_threads::<ParkingLot>("parking_lot"),
            in_eight_threads::<tokio::sync::Semaphore>("tokio"),
            in_eight_threads::<async_lock::Semaphore>("async-lock"),
        ],
    });
    rows.into()
}

fn in_eight_threads<P: Permits + 'static>(name: &'static str) -> Contestant {
    Contestant::timed(name, THREADS, eight_threads::<P>).checked_by(has_three::<P>)
}

/// Eight threads take and give back a permit `count` times all together, of three that there are.
///
/// # Errors
/// If more than three were held at once, or not all was done.
pub fn eight_threads<P: Permits>(place: &Place, count: u64) -> Result<Duration, String> {
    let permits = CachePadded::new(P::new(3));
    // In its upper half, how often somebody was inside; in the lower one, how many are now.
    let inside = CachePadded::new(AtomicU64::new(0));
    let most = CachePadded::new(AtomicU32::new(0));
    let job = || {
        let mut own_most = 0;
        for _ in 0..count / THREADS {
            permits.with(|| {
                // Relaxed: each is a number alone, and a semaphore need not order what its holders do.
                own_most = own_most.max(inside.fetch_add(ONCE | 1, Ordering::Relaxed) as u32 + 1);
                inside.fetch_sub(1, Ordering::Relaxed);
            });
        }
        most.fetch_max(own_most, Ordering::Relaxed);
    };
    let took = together(place, (0..THREADS).map(|_| Box::new(&job) as Job<'_>).collect());
    if most.load(Ordering::Relaxed) > 3 {
        return Err(format!("{} held one of three permits at once", most.load(Ordering::Relaxed)));
    }
    is("operations", inside.load(Ordering::Relaxed) / ONCE, count).map(|()| took)
}

/// On two CPUs, those who use a permit for as short a time as the eight do are hardly ever more than two at once.
fn has_three<P: Permits>() -> Result<(), String> {
    let permits = P::new(3);
    keeps_out(
        "a fourth had one of three permits",
        |inside| permits.with(|| permits.with(|| permits.with(inside))),
        || permits.with(|| ()),
    )
}

const THREADS: u64 = 8;

const ONCE: u64 = 1 << 32;

/// The one that everybody writes with std.
#[derive(Debug)]
pub struct Std {
    free: std::sync::Mutex<usize>,
    given_back: std::sync::Condvar,
}

/// The one that everybody writes with parking_lot.
#[derive(Debug)]
pub struct ParkingLot {
    free: parking_lot::Mutex<usize>,
    given_back: parking_lot::Condvar,
}

impl Permits for sync::Semaphore {
    fn new(count: usize) -> Self {
        Self::new(count)
    }

    fn with(&self, f: impl FnOnce()) {
        let _permit = self.acquire().expect("nobody closes it");
        f();
    }
}

impl Permits for Std {
    fn new(count: usize) -> Self {
        Self { free: count.into(), given_back: std::sync::Condvar::new() }
    }

    fn with(&self, f: impl FnOnce()) {
        let free = self.free.lock().expect("nobody panics under it");
        let mut free = self.given_back.wait_while(free, |free| *free == 0).expect("nobody panics under it");
        *free -= 1;
        drop(free);
        f();
        *self.free.lock().expect("nobody panics under it") += 1;
        self.given_back.notify_one();
    }
}

impl Permits for ParkingLot {
    fn new(count: usize) -> Self {
        Self { free: count.into(), given_back: parking_lot::Condvar::new() }
    }

    fn with(&self, f: impl FnOnce()) {
        let mut free = self.free.lock();
        self.given_back.wait_while(&mut free, |free| *free == 0);
        *free -= 1;
        drop(free);
        f();
        *self.free.lock() += 1;
        self.given_back.notify_one();
    }
}

impl Permits for tokio::sync::Semaphore {
    fn new(count: usize) -> Self {
        Self::new(count)
    }

    fn with(&self, f: impl FnOnce()) {
        let _permit = block_on(self.acquire()).expect("nobody closes it");
        f();
    }
}

impl Permits for async_lock::Semaphore {
    fn new(count: usize) -> Self {
        Self::new(count)
    }

    fn with(&self, f: impl FnOnce()) {
        let _permit = self.acquire_blocking();
        f();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wrong;
    use super::*;

    /// Has one more than it should.
    struct Generous(Std);

    impl Permits for Generous {
        fn new(count: usize) -> Self {
            Self(Std::new(count + 1))
        }

        fn with(&self, f: impl FnOnce()) {
            self.0.with(f);
        }
    }

    #[test]
    fn a_semaphore_with_a_permit_too_many_is_found_out() {
        assert!(wrong(&in_eight_threads::<Generous>("liar")).contains("one of three permits"));
    }

    /// Gives everybody a permit and lets nobody use it.
    struct Idle;

    impl Permits for Idle {
        fn new(_: usize) -> Self {
            Self
        }

        fn with(&self, _: impl FnOnce()) {}
    }

    #[test]
    fn work_that_is_not_done_is_found_out() {
        let idle = eight_threads::<Idle>(&Place::free(), 16);
        assert_eq!(idle, Err("operations: 0, and it must be 16".into()));
        assert!(has_three::<Idle>().is_err());
    }
}
