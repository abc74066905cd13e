//! Readers and writers: two threads that only read, and two of which each writes one time in twenty.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, random, together};

use super::is;

/// A number behind a lock that many may read at once.
pub trait ReadWrite: Send + Sync {
    /// A free lock around 0.
    fn new() -> Self;
    /// Waits until it may read, and reads. Blocks.
    fn read(&self) -> u64;
    /// Waits until it may write, and adds one. Blocks.
    fn add(&self);
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![alone(), row::<0>("rwlock/read-only/two", "two threads read", Cpus::Two)];
    for cpus in [Cpus::Two, Cpus::One] {
        let name = format!("rwlock/95-5/{}", cpus.word());
        rows.push(row::<5>(&name, "two threads read, and write one time in twenty", cpus));
    }
    rows
}

fn row<const WRITES: u64>(name: &str, about: &str, cpus: Cpus) -> Row {
    Row {
        name: name.into(),
        about: about.into(),
        cpus,
        measures: vec![Measure::NS],
        contestants: vec![
            Contestant::timed("sync", 2, two_threads::<sync::RwLock<u64>, WRITES>),
            Contestant::timed("std", 2, two_threads::<std::sync::RwLock<u64>, WRITES>),
            Contestant::timed("parking_lot", 2, two_threads::<parking_lot::RwLock<u64>, WRITES>),
            Contestant::timed("crossbeam", 2, two_threads::<crossbeam_utils::sync::ShardedLock<u64>, WRITES>),
            Contestant::timed("async-lock", 2, two_threads::<async_lock::RwLock<u64>, WRITES>),
        ],
    }
}

/// What a lock for many readers costs one who writes alone.
fn alone() -> Row {
    Row {
        name: "rwlock/write-uncontended".into(),
        about: "one thread locks to write, adds one and unlocks".into(),
        cpus: Cpus::Free,
        measures: vec![Measure::NS],
        contestants: vec![
            Contestant::timed("sync", 1, |_, count| writes::<sync::RwLock<u64>>(count)),
            Contestant::timed("std", 1, |_, count| writes::<std::sync::RwLock<u64>>(count)),
            Contestant::timed("parking_lot", 1, |_, count| writes::<parking_lot::RwLock<u64>>(count)),
            Contestant::timed("crossbeam", 1, |_, count| {
                writes::<crossbeam_utils::sync::ShardedLock<u64>>(count)
            }),
            Contestant::timed("async-lock", 1, |_, count| writes::<async_lock::RwLock<u64>>(count)),
        ],
    }
}

/// One thread writes `count` times.
///
/// # Errors
/// If a write is lost.
pub fn writes<L: ReadWrite>(count: u64) -> Result<Duration, String> {
    let lock = L::new();
    let start = Instant::now();
    for _ in 0..count {
        black_box(&lock).add();
    }
    let took = start.elapsed();
    is("writes", lock.read(), count).map(|()| took)
}

/// Two threads do `count` operations, half of them each; of a hundred `WRITES` are writes, in an order that looks random
/// and is the same for everybody.
///
/// # Errors
/// If a write is lost, or a reader sees the number go back.
pub fn two_threads<L: ReadWrite, const WRITES: u64>(place: &Place, count: u64) -> Result<Duration, String> {
    let lock = CachePadded::new(L::new());
    let mut found = [CachePadded::new((0_u64, true)), CachePadded::new((0_u64, true))];
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (seed, found) in (1..).zip(&mut found) {
        let (lock, (written, forward)) = (&lock, &mut **found);
        jobs.push(Box::new(move || {
            let (mut state, mut seen) = (seed, 0);
            for _ in 0..count / 2 {
                if WRITES > 0 && random(&mut state) % 100 < WRITES {
                    lock.add();
                    *written += 1;
                } else {
                    let value = black_box(lock.read());
                    *forward &= value >= seen;
                    seen = value;
                }
            }
        }));
    }
    let took = together(place, jobs);
    if found.iter().any(|found| !found.1) {
        return Err("a reader saw the number go back".into());
    }
    is("writes", lock.read(), found.iter().map(|found| found.0).sum()).map(|()| took)
}

impl ReadWrite for sync::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn read(&self) -> u64 {
        *self.read()
    }

    fn add(&self) {
        *self.write() += 1;
    }
}

impl ReadWrite for std::sync::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn read(&self) -> u64 {
        *self.read().expect("nobody panics under it")
    }

    fn add(&self) {
        *self.write().expect("nobody panics under it") += 1;
    }
}

impl ReadWrite for parking_lot::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn read(&self) -> u64 {
        *self.read()
    }

    fn add(&self) {
        *self.write() += 1;
    }
}

impl ReadWrite for crossbeam_utils::sync::ShardedLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn read(&self) -> u64 {
        *self.read().expect("nobody panics under it")
    }

    fn add(&self) {
        *self.write().expect("nobody panics under it") += 1;
    }
}

impl ReadWrite for async_lock::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn read(&self) -> u64 {
        *self.read_blocking()
    }

    fn add(&self) {
        *self.write_blocking() += 1;
    }
}
