//! A mutex that nobody else wants: lock, add one, unlock; by a thread and by a task.

use std::hint::black_box;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Measure, Row};

use super::is;

/// A number behind a lock.
pub trait Lock: Send + Sync {
    /// A free lock around 0.
    fn new() -> Self;
    /// Waits for the lock and uses the number under it. Blocks.
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R;
}

/// A number behind a lock that a task awaits.
pub trait AsyncLock: Send + Sync {
    /// A free lock around 0.
    fn new() -> Self;
    /// Awaits the lock and adds one to the number under it.
    fn add(&self) -> impl Future<Output = ()> + Send;
    /// The number.
    fn value(&mut self) -> u64;
}

pub(crate) fn rows() -> Vec<Row> {
    let row = |name: &str, about: &str, contestants| Row {
        name: name.into(),
        about: about.into(),
        cpus: Cpus::Free,
        measures: vec![Measure::NS],
        contestants,
    };
    vec![
        row(
            "mutex/uncontended",
            "one thread locks, adds one and unlocks",
            vec![
                Contestant::timed("sync", 1, |_, count| uncontended::<sync::Mutex<u64>>(count)),
                Contestant::timed("std", 1, |_, count| uncontended::<std::sync::Mutex<u64>>(count)),
                Contestant::timed("parking_lot", 1, |_, count| uncontended::<parking_lot::Mutex<u64>>(count)),
            ],
        ),
        row(
            "mutex/async-uncontended",
            "one task awaits the lock, adds one and unlocks",
            vec![
                Contestant::timed("sync", 1, |_, count| async_uncontended::<sync::Mutex<u64>>(count)),
                Contestant::timed("tokio", 1, |_, count| async_uncontended::<tokio::sync::Mutex<u64>>(count)),
                Contestant::timed("async-lock", 1, |_, count| {
                    async_uncontended::<async_lock::Mutex<u64>>(count)
                }),
            ],
        ),
    ]
}

/// Locks and unlocks `count` times.
///
/// # Errors
/// If not every addition is there in the end.
pub fn uncontended<L: Lock>(count: u64) -> Result<Duration, String> {
    let lock = L::new();
    let start = Instant::now();
    for _ in 0..count {
        black_box(&lock).with(|value| *value += 1);
    }
    let took = start.elapsed();
    is("additions", lock.with(|value| *value), count).map(|()| took)
}

/// Awaits the lock and unlocks `count` times, in one task.
///
/// # Errors
/// If not every addition is there in the end.
pub fn async_uncontended<L: AsyncLock>(count: u64) -> Result<Duration, String> {
    let mut lock = L::new();
    let took = block_on(async {
        let start = Instant::now();
        for _ in 0..count {
            black_box(&lock).add().await;
        }
        start.elapsed()
    });
    is("additions", lock.value(), count).map(|()| took)
}

impl Lock for sync::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock())
    }
}

impl Lock for std::sync::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock().expect("nobody panics under it"))
    }
}

impl Lock for parking_lot::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
        f(&mut self.lock())
    }
}

impl AsyncLock for sync::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    async fn add(&self) {
        *self.lock_async().await += 1;
    }

    fn value(&mut self) -> u64 {
        *self.get_mut()
    }
}

impl AsyncLock for tokio::sync::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    async fn add(&self) {
        *self.lock().await += 1;
    }

    fn value(&mut self) -> u64 {
        *self.get_mut()
    }
}

impl AsyncLock for async_lock::Mutex<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    async fn add(&self) {
        *self.lock().await += 1;
    }

    fn value(&mut self) -> u64 {
        *self.get_mut()
    }
}
