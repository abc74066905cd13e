//! A mutex that nobody else wants: lock, add one, unlock; by a thread and by a task.

use std::hint::black_box;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Measure, Row};

use super::{is, keeps_out};

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
    /// Waits for the lock and calls `f` under it. Blocks.
    fn hold(&self, f: impl FnOnce());
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
                by_a_thread::<sync::Mutex<u64>>("sync"),
                by_a_thread::<std::sync::Mutex<u64>>("std"),
                by_a_thread::<parking_lot::Mutex<u64>>("parking_lot"),
            ],
        ),
        row(
            "mutex/async-uncontended",
            "one task awaits the lock, adds one and unlocks",
            vec![
                by_a_task::<sync::Mutex<u64>>("sync"),
                by_a_task::<tokio::sync::Mutex<u64>>("tokio"),
                by_a_task::<async_lock::Mutex<u64>>("async-lock"),
            ],
        ),
    ]
}

fn by_a_thread<L: Lock + 'static>(name: &'static str) -> Contestant {
    Contestant::timed(name, 1, |_, count| uncontended::<L>(count)).checked_by(excludes::<L>)
}

fn by_a_task<L: AsyncLock + 'static>(name: &'static str) -> Contestant {
    Contestant::timed(name, 1, |_, count| async_uncontended::<L>(count)).checked_by(async_excludes::<L>)
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

fn excludes<L: Lock>() -> Result<(), String> {
    let lock = L::new();
    keeps_out(TWO, |inside| lock.with(|_| inside()), || lock.with(|_| ()))
}

fn async_excludes<L: AsyncLock>() -> Result<(), String> {
    let lock = L::new();
    keeps_out(TWO, |inside| lock.hold(inside), || block_on(lock.add()))
}

const TWO: &str = "two had the lock at once";

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

    fn hold(&self, f: impl FnOnce()) {
        let _guard = block_on(self.lock_async());
        f();
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

    fn hold(&self, f: impl FnOnce()) {
        let _guard = block_on(self.lock());
        f();
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

    fn hold(&self, f: impl FnOnce()) {
        let _guard = block_on(self.lock());
        f();
    }

    fn value(&mut self) -> u64 {
        *self.get_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::wrong;
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Keeps nobody out.
    struct Open(AtomicU64);

    impl Lock for Open {
        fn new() -> Self {
            Self(0.into())
        }

        fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
            let mut copy = self.0.load(Ordering::Relaxed);
            let result = f(&mut copy);
            self.0.store(copy, Ordering::Relaxed);
            result
        }
    }

    impl AsyncLock for Open {
        fn new() -> Self {
            Self(0.into())
        }

        async fn add(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn hold(&self, f: impl FnOnce()) {
            f();
        }

        fn value(&mut self) -> u64 {
            *self.0.get_mut()
        }
    }

    #[test]
    fn a_lock_that_keeps_nobody_out_is_found_out() {
        assert!(uncontended::<Open>(1000).is_ok(), "alone, one has it alone");
        assert_eq!(wrong(&by_a_thread::<Open>("liar")), TWO);
        assert_eq!(wrong(&by_a_task::<Open>("liar")), TWO);
    }

    /// Does one addition in two.
    struct Lazy(Open, AtomicU64);

    impl Lock for Lazy {
        fn new() -> Self {
            Self(Lock::new(), 0.into())
        }

        fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
            match self.1.fetch_add(1, Ordering::Relaxed) % 2 {
                1 => self.0.with(f),
                _ => f(&mut self.0.0.load(Ordering::Relaxed)),
            }
        }
    }

    impl AsyncLock for Lazy {
        fn new() -> Self {
            Self(Lock::new(), 0.into())
        }

        async fn add(&self) {
            self.with(|value| *value += 1);
        }

        fn hold(&self, f: impl FnOnce()) {
            f();
        }

        fn value(&mut self) -> u64 {
            self.0.value()
        }
    }

    #[test]
    fn a_lock_that_does_not_do_what_it_is_asked_is_found_out() {
        assert_eq!(uncontended::<Lazy>(4), Err("additions: 2, and it must be 4".into()));
        assert_eq!(async_uncontended::<Lazy>(4), Err("additions: 2, and it must be 4".into()));
        assert!(wrong(&by_a_thread::<Lazy>("liar")).starts_with("additions"));
        assert!(wrong(&by_a_task::<Lazy>("liar")).starts_with("additions"));
    }
}
