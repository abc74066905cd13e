//! What several test programs use.

#![allow(dead_code, reason = "each test program uses a part of it")]

use proptest::test_runner::Config as ProptestConfig;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough to be seen on the clock.
pub(crate) const SHORT: Duration = Duration::from_millis(15);
/// A limit that no test reaches unless it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A future that is polled by hand, with a waker that counts.
pub(crate) struct ByHand<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    wakes: Arc<Wakes>,
    wakes_at_poll: usize,
}

#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl<'a, T> ByHand<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        ByHand { future: Some(Box::pin(future)), wakes: Arc::default(), wakes_at_poll: 0 }
    }

    /// A future that has been polled in vain and waits.
    #[track_caller]
    pub(crate) fn waiting(future: impl Future<Output = T> + 'a) -> Self {
        let mut waiting = Self::new(future);
        assert!(waiting.poll().is_none(), "it should wait");
        waiting
    }

    pub(crate) fn poll(&mut self) -> Option<T> {
        self.wakes_at_poll = self.wakes();
        let waker = Waker::from(Arc::clone(&self.wakes));
        let future = self.future.as_mut().expect("a future that has not ended");
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.future = None;
                Some(output)
            }
            Poll::Pending => None,
        }
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// Whether it was woken since it was polled.
    pub(crate) fn is_told(&self) -> bool {
        self.wakes() > self.wakes_at_poll
    }

    /// Whether it does not get what somebody else was told of at `since`, unless that one is late. It may have been woken all the
    /// same, by the patrol and for a lock of another test: then it looks in vain.
    pub(crate) fn is_not_next(&mut self, since: Instant) -> bool {
        !self.is_told() || others_may_be_woken(since) || self.poll().is_none()
    }
}

/// Whether so much time has passed since somebody was told that others may have been woken to see whether he comes.
pub(crate) fn others_may_be_woken(since: Instant) -> bool {
    since.elapsed() >= Duration::from_millis(1)
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Returns when so many wait at a queue, which says so.
pub(crate) fn await_waiters(queue: &impl Debug, count: usize) {
    while !format!("{queue:?} ").contains(&format!("waiting: {count} ")) {
        thread::yield_now();
    }
}

/// A waker that panics.
pub(crate) struct Bomb;

impl Bomb {
    pub(crate) fn waker() -> Waker {
        Waker::from(Arc::new(Bomb))
    }
}

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a panic that the test asked for");
    }
}

/// What a panic may throw: it panics again when it is dropped.
pub(crate) struct Sharp;

impl Drop for Sharp {
    fn drop(&mut self) {
        // A test that fails shall end alone.
        if !std::thread::panicking() {
            panic!("another panic that the test asked for");
        }
    }
}

impl Sharp {
    /// An answer for a condition that has it.
    pub(crate) fn says<T>(&self, answer: T) -> T {
        answer
    }
}

/// Says how many of its clones are left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted(Arc<()>);

impl Counted {
    pub(crate) fn others(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// How often a test does what must leave nothing behind: a million times where `TREFOIL_FULL=1` asks for it.
pub(crate) fn many() -> usize {
    if cfg!(miri) {
        return 50;
    }
    if std::env::var_os("TREFOIL_FULL").is_some_and(|full| full == "1") { 1_000_000 } else { 10_000 }
}

/// What a property is tried with: few cases under Miri, where each takes seconds.
pub(crate) fn property() -> ProptestConfig {
    let usual = ProptestConfig::default();
    if cfg!(miri) { ProptestConfig { cases: 4, failure_persistence: None, ..usual } } else { usual }
}
