//! Awaited limits: the timer fires while the future that asked is dropped, or polled again, or while another one leaves.
//!
//! Loom knows no time: the time has passed when the timer's thread says so. A node that goes away while somebody is still at
//! it is noticed by its cell.

use crate::timer::deadlines::Deadlines;
use crate::timer::entry::Entry;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc as Plain;
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// The waker owns this; loom complains if it is never dropped.
struct Tells {
    told: AtomicBool,
    _token: Arc<()>,
}

impl Tells {
    fn new() -> Plain<Self> {
        Plain::new(Tells { told: AtomicBool::new(false), _token: Arc::new(()) })
    }

    fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl Wake for Tells {
    fn wake(self: Plain<Self>) {
        self.told.store(true, Ordering::Relaxed);
    }
}

/// A thread that serves them is there: each model plays it.
fn deadlines() -> Arc<Deadlines> {
    Arc::new(Deadlines::new(|| true))
}

/// The timer's thread, when all times have come.
fn ring(deadlines: &Deadlines, now: Instant) {
    drop(deadlines.ring(deadlines.lock(), || now));
}

#[test]
fn a_future_that_is_dropped_while_the_timer_fires_is_touched_no_more() {
    loom::model(|| {
        let (deadlines, at) = (deadlines(), Instant::now());
        let served = Arc::clone(&deadlines);
        let timer = thread::spawn(move || ring(&served, at));
        let tells = Tells::new();
        {
            // In the heap, so that what touches it later is seen.
            let entry = Box::pin(Entry::new(&deadlines));
            assert!(entry.as_ref().ask(at, &Waker::from(Plain::clone(&tells))));
        }
        timer.join().unwrap();
        assert_eq!(Plain::strong_count(&tells), 1, "nobody has the waker any more");
        assert!(deadlines.lock().heap.first().is_none());
    });
}

#[test]
fn a_future_that_is_polled_while_the_timer_fires_is_woken_by_its_last_waker() {
    loom::model(|| {
        let (deadlines, at) = (deadlines(), Instant::now());
        let (served, has_passed) = (Arc::clone(&deadlines), Arc::new(AtomicBool::new(false)));
        let finished = Arc::new(AtomicBool::new(false));
        let (now_passes, is_finished) = (Arc::clone(&has_passed), Arc::clone(&finished));
        let timer = thread::spawn(move || {
            now_passes.store(true, Ordering::Relaxed);
            while !is_finished.load(Ordering::Relaxed) {
                ring(&served, at);
                thread::yield_now();
            }
        });
        let early = Tells::new();
        {
            let entry = Box::pin(Entry::new(&deadlines));
            assert!(entry.as_ref().ask(at, &Waker::from(Plain::clone(&early))));
            block_on(poll_fn(|cx| {
                if has_passed.load(Ordering::Relaxed) {
                    return Poll::Ready(());
                }
                if !entry.is_to_wake(cx.waker()) {
                    assert!(entry.as_ref().ask(at, cx.waker()));
                }
                Poll::Pending
            }));
        }
        finished.store(true, Ordering::Relaxed);
        timer.join().unwrap();
        assert_eq!(Plain::strong_count(&early), 1, "nobody has the waker any more");
    });
}

#[test]
fn one_that_leaves_the_middle_keeps_no_other_from_being_woken() {
    super::model_of_three(|| {
        let (deadlines, begin) = (deadlines(), Instant::now());
        let time = move |number: u64| begin + Duration::from_millis(number);
        let (stays, tells) = (pin!(Entry::new(&deadlines)), Tells::new());
        assert!(stays.as_ref().ask(time(1), &Waker::from(Plain::clone(&tells))));
        let other = Arc::clone(&deadlines);
        let other = thread::spawn(move || {
            // Above the first in the heap, and then below.
            for number in [0, 2] {
                let leaves = Box::pin(Entry::new(&other));
                assert!(leaves.as_ref().ask(time(number), Waker::noop()));
            }
        });
        let served = Arc::clone(&deadlines);
        let timer = thread::spawn(move || ring(&served, time(3)));
        timer.join().unwrap();
        other.join().unwrap();
        assert!(tells.is_told());
        assert!(deadlines.lock().heap.first().is_none());
        stays.take_back();
    });
}
