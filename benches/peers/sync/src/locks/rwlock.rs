//! Readers and writers: two threads that only read, and two of which each writes one time in twenty.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, random, together};

use super::{is, keeps_out};

/// A number behind a lock that many may read at once.
pub trait ReadWrite: Send + Sync {
    /// A free lock around 0.
    fn new() -> Self;
    /// Waits until it may read, and calls `read` while it may. Blocks.
    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R;
    /// Waits until it may write, and calls `write` while it may. Blocks.
    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R;

    /// Waits until it may read, and reads. Blocks.
    fn read(&self) -> u64 {
        self.reading(|number| *number)
    }

    /// Waits until it may write, and adds one. Blocks.
    fn add(&self) {
        self.writing(|number| *number += 1);
    }
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
            in_two_threads::<sync::RwLock<u64>, WRITES>("sync"),
            in_two_threads::<std::sync::RwLock<u64>, WRITES>("std"),
            in_two_threads::<parking_lot::RwLock<u64>, WRITES>("parking_lot"),
            in_two_threads::<crossbeam_utils::sync::ShardedLock<u64>, WRITES>("crossbeam"),
            in_two_threads::<async_lock::RwLock<u64>, WRITES>("async-lock"),
        ],
    }
}

fn in_two_threads<L: ReadWrite + 'static, const WRITES: u64>(name: &'static str) -> Contestant {
    Contestant::timed(name, 2, two_threads::<L, WRITES>).checked_by(excludes::<L>)
}

/// What a lock for many readers costs one who writes alone.
fn alone() -> Row {
    Row {
        name: "rwlock/write-uncontended".into(),
        about: "one thread locks to write, adds one and unlocks".into(),
        cpus: Cpus::Free,
        measures: vec![Measure::NS],
        contestants: vec![
            writes_alone::<sync::RwLock<u64>>("sync"),
            writes_alone::<std::sync::RwLock<u64>>("std"),
            writes_alone::<parking_lot::RwLock<u64>>("parking_lot"),
            writes_alone::<crossbeam_utils::sync::ShardedLock<u64>>("crossbeam"),
            writes_alone::<async_lock::RwLock<u64>>("async-lock"),
        ],
    }
}

fn writes_alone<L: ReadWrite + 'static>(name: &'static str) -> Contestant {
    Contestant::timed(name, 1, |_, count| writes::<L>(count)).checked_by(excludes::<L>)
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

fn excludes<L: ReadWrite>() -> Result<(), String> {
    let lock = L::new();
    let add = || lock.add();
    keeps_out("one wrote beside one who read", |inside| lock.reading(|_| inside()), add)?;
    keeps_out("one read beside one who wrote", |inside| lock.writing(|_| inside()), || lock.reading(|_| ()))?;
    keeps_out("two wrote at once", |inside| lock.writing(|_| inside()), add)
}

impl ReadWrite for sync::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
        read(&self.read())
    }

    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
        write(&mut self.write())
    }
}

impl ReadWrite for std::sync::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
        read(&self.read().expect("nobody panics under it"))
    }

    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
        write(&mut self.write().expect("nobody panics under it"))
    }
}

impl ReadWrite for parking_lot::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
        read(&self.read())
    }

    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
        write(&mut self.write())
    }
}

impl ReadWrite for crossbeam_utils::sync::ShardedLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
        read(&self.read().expect("nobody panics under it"))
    }

    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
        write(&mut self.write().expect("nobody panics under it"))
    }
}

impl ReadWrite for async_lock::RwLock<u64> {
    fn new() -> Self {
        Self::new(0)
    }

    fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
        read(&self.read_blocking())
    }

    fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
        write(&mut self.write_blocking())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wrong;
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Condvar, Mutex};

    /// Right but for one thing.
    struct Lax<const LIE: u8> {
        inside: Mutex<Inside>,
        changed: Condvar,
        number: AtomicU64,
    }

    #[derive(Default)]
    struct Inside {
        readers: u64,
        writers: u64,
    }

    const NONE: u8 = 0;
    const WRITES_BESIDE_READERS: u8 = 1;
    const READS_BESIDE_WRITERS: u8 = 2;
    const WRITES_BESIDE_WRITERS: u8 = 3;

    impl<const LIE: u8> ReadWrite for Lax<LIE> {
        fn new() -> Self {
            Self { inside: Mutex::default(), changed: Condvar::new(), number: 0.into() }
        }

        fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
            let full = |inside: &mut Inside| inside.writers > 0 && LIE != READS_BESIDE_WRITERS;
            let inside = self.inside.lock().expect("nobody panics under it");
            self.changed.wait_while(inside, full).expect("nobody panics under it").readers += 1;
            let result = read(&self.number.load(Ordering::Relaxed));
            self.inside.lock().expect("nobody panics under it").readers -= 1;
            self.changed.notify_all();
            result
        }

        fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
            let full = |inside: &mut Inside| {
                (inside.readers > 0 && LIE != WRITES_BESIDE_READERS)
                    || (inside.writers > 0 && LIE != WRITES_BESIDE_WRITERS)
            };
            let inside = self.inside.lock().expect("nobody panics under it");
            self.changed.wait_while(inside, full).expect("nobody panics under it").writers += 1;
            let mut number = self.number.load(Ordering::Relaxed);
            let result = write(&mut number);
            self.number.store(number, Ordering::Relaxed);
            self.inside.lock().expect("nobody panics under it").writers -= 1;
            self.changed.notify_all();
            result
        }
    }

    #[test]
    fn a_lock_that_lets_one_in_beside_a_writer_is_found_out() {
        assert_eq!(excludes::<Lax<NONE>>(), Ok(()));
        let alone = [
            writes_alone::<Lax<WRITES_BESIDE_READERS>>("liar"),
            writes_alone::<Lax<READS_BESIDE_WRITERS>>("liar"),
            writes_alone::<Lax<WRITES_BESIDE_WRITERS>>("liar"),
        ];
        let only_readers = [
            in_two_threads::<Lax<WRITES_BESIDE_READERS>, 0>("liar"),
            in_two_threads::<Lax<READS_BESIDE_WRITERS>, 0>("liar"),
            in_two_threads::<Lax<WRITES_BESIDE_WRITERS>, 0>("liar"),
        ];
        let said = ["one wrote beside one who read", "one read beside one who wrote", "two wrote at once"];
        assert_eq!(alone.map(|contestant| wrong(&contestant)), said);
        assert_eq!(only_readers.map(|contestant| wrong(&contestant)), said);
    }

    /// Adds nothing, and goes back by so much each time that it is read.
    struct Forgetful<const BACK: u64>(AtomicU64);

    impl<const BACK: u64> ReadWrite for Forgetful<BACK> {
        fn new() -> Self {
            Self(1000.into())
        }

        fn reading<R>(&self, read: impl FnOnce(&u64) -> R) -> R {
            read(&self.0.fetch_sub(BACK, Ordering::Relaxed))
        }

        fn writing<R>(&self, write: impl FnOnce(&mut u64) -> R) -> R {
            write(&mut 0)
        }
    }

    #[test]
    fn lost_writes_and_a_number_that_goes_back_are_found_out() {
        assert_eq!(writes::<Forgetful<0>>(4), Err("writes: 1000, and it must be 4".into()));
        let lost = two_threads::<Forgetful<0>, 100>(&Place::free(), 4);
        assert_eq!(lost, Err("writes: 1000, and it must be 4".into()));
        let back = two_threads::<Forgetful<1>, 0>(&Place::free(), 8);
        assert_eq!(back, Err("a reader saw the number go back".into()));
    }
}
