//! Deadlines in async code, with and without a runtime's timer.

mod common;

use common::{ByHand, Counted, LONG, SHORT, Sharp};
use std::future::pending;
use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Instant;
use sync::park::block_on;
use sync::timer::{self, Scheduled, Timer};
use sync::{Event, TimedOut};

/// Keeps what it is asked for, and rings when told to.
#[derive(Clone, Default)]
struct ByOrder(Arc<Orders>);

#[derive(Default)]
struct Orders {
    wakers: Mutex<Vec<Option<Waker>>>,
    taken_back: AtomicUsize,
}

impl Timer for ByOrder {
    fn schedule(&self, _: Instant, waker: Waker) -> Scheduled {
        let mut wakers = self.0.wakers.lock().unwrap();
        wakers.push(Some(waker));
        let (orders, index) = (Arc::clone(&self.0), wakers.len() - 1);
        Scheduled::new(move || {
            orders.wakers.lock().unwrap()[index] = None;
            orders.taken_back.fetch_add(1, Ordering::SeqCst);
        })
    }
}

impl ByOrder {
    fn ring(&self) {
        let wakers: Vec<_> = self.0.wakers.lock().unwrap().iter().flatten().cloned().collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    fn asked(&self) -> usize {
        self.0.wakers.lock().unwrap().len()
    }

    fn taken_back(&self) -> usize {
        self.0.taken_back.load(Ordering::SeqCst)
    }
}

#[test]
fn sleep_is_never_early() {
    let begin = Instant::now();
    block_on(timer::sleep(SHORT));
    assert!(begin.elapsed() >= SHORT);
    let at = Instant::now() + SHORT;
    block_on(timer::sleep_until(at));
    assert!(Instant::now() >= at);
    block_on(timer::sleep_until(begin));
}

#[test]
fn many_deadlines_at_once_and_in_any_order() {
    thread::scope(|scope| {
        for number in (0..30_u32).rev() {
            scope.spawn(move || {
                let limit = SHORT * (number * 7 % 5);
                let begin = Instant::now();
                assert_eq!(block_on(timer::timeout(limit, pending::<()>())), Err(TimedOut));
                assert!(begin.elapsed() >= limit);
            });
        }
    });
}

#[test]
fn a_timeout_gives_what_came_in_time() {
    assert_eq!(block_on(timer::timeout(LONG, async { 5 })), Ok(5));
    let event = Event::new();
    thread::scope(|scope| {
        scope.spawn(|| event.set());
        block_on(timer::timeout(LONG, event.wait_async())).unwrap();
    });
}

#[test]
fn a_timeout_that_is_dropped_takes_its_wake_up_back() {
    let counted = Counted::default();
    struct Owner(#[expect(dead_code, reason = "held")] Counted);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let waker = Waker::from(Arc::new(Owner(counted.clone())));
    let scheduled = timer::schedule(Instant::now() + LONG, waker);
    assert_eq!(counted.others(), 1);
    drop(scheduled);
    assert_eq!(counted.others(), 0);
}

/// Tells that it was woken, and then does what else it is to do.
struct Tells(Event, fn());

impl Wake for Tells {
    fn wake(self: Arc<Self>) {
        self.0.set();
        (self.1)();
    }
}

/// Has the program's timer wake someone, who does `then`. The time limit is that of a parker, which needs no timer.
fn the_timer_wakes(then: fn()) -> bool {
    let tells = Arc::new(Tells(Event::new(), then));
    let _scheduled = timer::schedule(Instant::now() + SHORT, Waker::from(Arc::clone(&tells)));
    tells.0.wait_timeout(LONG).is_ok()
}

#[test]
fn a_waker_that_panics_takes_no_other_deadline_with_it() {
    assert!(the_timer_wakes(|| panic!("a panic that the test asked for")));
    assert!(the_timer_wakes(|| ()));
    assert!(the_timer_wakes(|| panic_any(Sharp)), "its payload panics again");
    assert!(the_timer_wakes(|| ()));
}

#[test]
fn an_installed_timer_is_asked_and_the_one_before_comes_back() {
    let (outer, inner) = (ByOrder::default(), ByOrder::default());
    let guard = timer::install(Arc::new(outer.clone()));
    {
        let _guard = timer::install(Arc::new(inner.clone()));
        drop(ByHand::waiting(timer::sleep(LONG)));
    }
    assert_eq!((outer.asked(), inner.asked()), (0, 1));
    drop(ByHand::waiting(timer::timeout(LONG, pending::<()>())));
    assert_eq!((outer.asked(), outer.taken_back()), (1, 1));
    drop(guard);
    block_on(timer::sleep(SHORT));
    assert_eq!(outer.asked(), 1);
}

#[test]
fn a_sleep_has_one_wake_up_outstanding_whoever_polls_it() {
    let orders = ByOrder::default();
    let _guard = timer::install(Arc::new(orders.clone()));
    let mut sleep = Box::pin(timer::sleep(LONG));
    let mut first = ByHand::waiting(sleep.as_mut());
    assert!(first.poll().is_none());
    assert_eq!(orders.asked() - orders.taken_back(), 1);
    drop(first);
    let second = ByHand::waiting(sleep.as_mut());
    assert_eq!(orders.asked() - orders.taken_back(), 1, "the old wake-up was taken back");
    orders.ring();
    assert_eq!(second.wakes(), 1);
    drop(second);
    drop(sleep);
    assert_eq!(orders.asked(), orders.taken_back());
}

#[test]
fn a_timer_that_comes_early_is_asked_again() {
    let orders = ByOrder::default();
    let _guard = timer::install(Arc::new(orders.clone()));
    let mut sleep = ByHand::waiting(timer::sleep(LONG));
    for round in 1..4 {
        orders.ring();
        assert_eq!(sleep.wakes(), round);
        assert!(sleep.poll().is_none(), "it is not time yet");
        assert_eq!((orders.asked(), orders.taken_back()), (round + 1, round));
    }
}

#[test]
fn a_timer_that_comes_in_time_ends_the_sleep() {
    let orders = ByOrder::default();
    let _guard = timer::install(Arc::new(orders.clone()));
    let at = Instant::now() + SHORT;
    let mut sleep = ByHand::new(timer::sleep_until(at));
    // On a machine that is slow enough it ends at the first poll.
    let mut ended = sleep.poll().is_some();
    thread::sleep(SHORT);
    if !ended {
        orders.ring();
        assert_eq!(sleep.wakes(), 1);
        ended = sleep.poll().is_some();
    }
    assert!(ended && Instant::now() >= at);
    assert_eq!(orders.asked(), orders.taken_back());
}

#[test]
fn a_time_beyond_the_clock_never_comes_and_nobody_is_asked() {
    let orders = ByOrder::default();
    let _guard = timer::install(Arc::new(orders.clone()));
    drop(ByHand::waiting(timer::sleep(std::time::Duration::MAX)));
    assert_eq!(orders.asked(), 0);
}
