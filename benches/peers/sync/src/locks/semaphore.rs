//! Eight threads and three permits: take one, use it, give it back.
//!
//! Neither std nor parking_lot has a semaphore; theirs is the one that everybody writes, a number under a mutex and a
//! condition variable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, together};

use super::is;

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
            Contestant::timed("sync", THREADS, eight_threads::<sync::Semaphore>),
            Contestant::timed("std", THREADS, eight_threads::<Std>),
            Contestant::timed("parking_lot", THREADS, eight_threads::<ParkingLot>),
            Contestant::timed("tokio", THREADS, eight_threads::<tokio::sync::Semaphore>),
            Contestant::timed("async-lock", THREADS, eight_threads::<async_lock::Semaphore>),
        ],
    });
    rows.into()
}

/// Eight threads take and give back a permit `count` times all together, of three that there are.
///
/// # Errors
/// If more than three were held at once, or not all was done.
pub fn eight_threads<P: Permits>(place: &Place, count: u64) -> Result<Duration, String> {
    let permits = CachePadded::new(P::new(3));
    let [inside, most, done] = [(); 3].map(|()| CachePadded::new(AtomicU64::new(0)));
    let job = || {
        let mut own_most = 0;
        for _ in 0..count / THREADS {
            permits.with(|| {
                // Relaxed: each is a number alone, and a semaphore need not order what its holders do.
                own_most = own_most.max(inside.fetch_add(1, Ordering::Relaxed) + 1);
                inside.fetch_sub(1, Ordering::Relaxed);
            });
        }
        most.fetch_max(own_most, Ordering::Relaxed);
        done.fetch_add(count / THREADS, Ordering::Relaxed);
    };
    let took = together(place, (0..THREADS).map(|_| Box::new(&job) as Job<'_>).collect());
    if most.load(Ordering::Relaxed) > 3 {
        return Err(format!("{} held one of three permits at once", most.load(Ordering::Relaxed)));
    }
    is("operations", done.load(Ordering::Relaxed), count).map(|()| took)
}

const THREADS: u64 = 8;

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
