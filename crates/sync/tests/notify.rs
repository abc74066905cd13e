//! A notification ends one wait, or becomes the permit; none is lost and none counts twice.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, many};
use proptest::prelude::*;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;
use sync::extra::Notify;
use sync::park::block_on;
use sync::{TimedOut, catch};

#[test]
fn several_notifications_of_nobody_are_one() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    assert!(notify.try_wait());
    assert!(!notify.try_wait());
}

#[test]
fn one_notification_ends_the_wait_of_whoever_has_waited_longest() {
    let notify = Notify::new();
    let mut first = ByHand::waiting(notify.wait_async());
    let mut second = ByHand::waiting(notify.wait_async());
    notify.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert!(second.poll().is_none());
    assert!(!notify.try_wait(), "it was given to the first");
    assert!(first.poll().is_some());
    notify.notify_one();
    assert!(second.poll().is_some());
}

#[test]
fn a_notification_that_was_not_seen_goes_to_the_next_and_then_becomes_the_permit() {
    let notify = Notify::new();
    let first = ByHand::waiting(notify.wait_async());
    let second = ByHand::waiting(notify.wait_async());
    notify.notify_one();
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second);
    assert_eq!(format!("{notify:?}"), "Notify { permit: true, waiting: 0 }");
    assert!(notify.try_wait());
    assert!(!notify.try_wait());
}

#[test]
fn several_that_were_not_seen_become_one_permit() {
    let notify = Notify::new();
    let waiters = [ByHand::waiting(notify.wait_async()), ByHand::waiting(notify.wait_async())];
    notify.notify_one();
    notify.notify_one();
    notify.notify_one();
    drop(waiters);
    assert!(notify.try_wait());
    assert!(!notify.try_wait());
}

#[test]
fn notifying_all_reaches_futures_that_were_made_and_leaves_no_permit() {
    let notify = Notify::new();
    let mut polled = ByHand::waiting(notify.wait_async());
    let mut made = ByHand::new(notify.wait_async());
    notify.notify_waiters();
    let mut later = ByHand::waiting(notify.wait_async());
    assert!(polled.poll().is_some() && made.poll().is_some());
    assert!(later.poll().is_none());
    assert!(!notify.try_wait());
}

#[test]
fn a_future_that_ends_with_all_takes_no_permit() {
    let notify = Notify::new();
    let mut made = ByHand::new(notify.wait_async());
    notify.notify_waiters();
    notify.notify_one();
    assert!(made.poll().is_some());
    assert!(notify.try_wait());
}

#[test]
fn a_notification_for_all_is_nobody_elses_when_one_goes_away() {
    let notify = Notify::new();
    let gone = ByHand::waiting(notify.wait_async());
    notify.notify_waiters();
    let later = ByHand::waiting(notify.wait_async());
    drop(gone);
    assert_eq!(later.wakes(), 0);
    drop(later);
    assert!(!notify.try_wait());
}

#[test]
fn who_has_enabled_his_wait_is_told_before_who_polls_later() {
    let notify = Notify::new();
    let mut enabled = pin!(notify.wait_async());
    assert!(!enabled.as_mut().enable());
    let mut later = ByHand::waiting(notify.wait_async());
    notify.notify_one();
    assert!(later.poll().is_none());
    assert!(enabled.as_mut().enable());

    notify.notify_one();
    assert!(later.poll().is_some());
    notify.notify_one();
    assert!(pin!(notify.wait_async()).enable(), "with the permit");
}

#[test]
fn a_limit_that_passes_loses_no_notification() {
    const WAITS: usize = if cfg!(miri) { 5 } else { 500 };
    let (notify, waits) = (Notify::new(), AtomicUsize::new(0));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            while waits.load(Ordering::Acquire) < WAITS {
                let limit = Duration::from_micros((waits.load(Ordering::Relaxed) % 50) as u64);
                if notify.wait_timeout(limit).is_ok() {
                    waits.fetch_add(1, Ordering::Release);
                }
            }
        });
        for round in 0..WAITS {
            notify.notify_one();
            // Unless it was lost, it will be seen.
            while waits.load(Ordering::Acquire) <= round {
                thread::yield_now();
            }
        }
        waiter.join().unwrap();
    });
    assert!(!notify.try_wait());
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_waiting() {
    let notify = Notify::new();
    let mut bomb = pin!(notify.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let mut other = ByHand::waiting(notify.wait_async());
    assert!(catch(|| notify.notify_waiters()).is_err());
    assert!(other.poll().is_some());
    assert!(bomb.as_mut().enable());
}

#[test]
fn futures_that_are_polled_once_and_dropped_leave_nothing_behind_and_lose_nothing() {
    let notify = Notify::new();
    let mut cx = Context::from_waker(Waker::noop());
    for round in 0..many() {
        let mut wait = Box::pin(notify.wait_async());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        if round % 2 == 0 {
            notify.notify_one();
        }
        drop(wait);
        assert_eq!(notify.try_wait(), round % 2 == 0);
    }
    assert_eq!(format!("{notify:?}"), "Notify { permit: false, waiting: 0 }");
}

#[test]
fn a_future_that_is_forgotten_keeps_the_one_notification_that_it_was_given() {
    let notify: &Notify = Box::leak(Box::new(Notify::new()));
    let mut forgotten = Box::pin(notify.wait_async());
    assert!(!forgotten.as_mut().enable());
    std::mem::forget(forgotten);
    let mut other = ByHand::waiting(notify.wait_async());
    notify.notify_one();
    assert!(other.poll().is_none());
    notify.notify_one();
    assert!(other.poll().is_some());
}

#[test]
fn limits_of_nothing_and_of_everything() {
    let notify = Notify::new();
    assert_eq!(notify.wait_timeout(Duration::ZERO), Err(TimedOut));
    assert_eq!(block_on(notify.wait_async_timeout(SHORT)), Err(TimedOut));
    notify.notify_one();
    assert_eq!(notify.wait_timeout(Duration::ZERO), Ok(()));
    notify.notify_one();
    assert_eq!(block_on(notify.wait_async_timeout(Duration::ZERO)), Ok(()));
    thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| notify.wait_timeout(Duration::MAX)),
            scope.spawn(|| block_on(notify.wait_async_timeout(Duration::MAX))),
            scope.spawn(|| notify.wait_timeout(LONG)),
        ];
        let mut ended = 0;
        while ended < 3 {
            // A permit serves one; who has not begun to wait yet takes a later one.
            notify.notify_one();
            thread::yield_now();
            ended = waiters.iter().filter(|waiter| waiter.is_finished()).count();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap().unwrap());
    });
}

#[derive(Clone, Debug)]
enum Step {
    One,
    All,
    TryWait,
    /// Makes a future, and does not poll it.
    Make,
    Poll(usize),
    GoAway(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::One),
        1 => Just(Step::All),
        2 => Just(Step::TryWait),
        5 => Just(Step::Make),
        8 => (0..8_usize).prop_map(Step::Poll),
        3 => (0..8_usize).prop_map(Step::GoAway),
    ];
    proptest::collection::vec(step, 0..80)
}

/// The plain model of one who waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Made,
    /// In the queue since that moment.
    Queued(usize),
    Alone,
    WithAll,
}

struct Waiter<'a> {
    future: ByHand<'a, ()>,
    place: Place,
}

/// Gives a notification to whoever has waited longest; `false` if nobody waits.
fn give(waiters: &mut [Waiter<'_>]) -> bool {
    let queued = waiters.iter_mut().filter(|waiter| matches!(waiter.place, Place::Queued(_)));
    let first = queued.min_by_key(|waiter| match waiter.place {
        Place::Queued(since) => since,
        _ => usize::MAX,
    });
    first.map(|first| first.place = Place::Alone).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn notifications_go_where_the_plain_model_says(steps in steps()) {
        let notify = Notify::new();
        let (mut permit, mut moment) = (false, 0);
        let mut waiters: Vec<Waiter<'_>> = Vec::new();
        for step in steps {
            moment += 1;
            match step {
                Step::One => {
                    notify.notify_one();
                    permit |= !give(&mut waiters);
                }
                Step::All => {
                    notify.notify_waiters();
                    for waiter in &mut waiters {
                        if waiter.place != Place::Alone {
                            waiter.place = Place::WithAll;
                        }
                    }
                }
                Step::TryWait => prop_assert_eq!(notify.try_wait(), std::mem::take(&mut permit)),
                Step::Make => {
                    waiters.push(Waiter { future: ByHand::new(notify.wait_async()), place: Place::Made });
                }
                Step::Poll(index) if !waiters.is_empty() => {
                    let index = index % waiters.len();
                    let waiter = &mut waiters[index];
                    let ends = match waiter.place {
                        Place::Made => std::mem::take(&mut permit),
                        Place::Queued(_) => false,
                        Place::Alone | Place::WithAll => true,
                    };
                    prop_assert_eq!(waiter.future.poll().is_some(), ends);
                    if ends {
                        waiters.remove(index);
                    } else if waiter.place == Place::Made {
                        waiter.place = Place::Queued(moment);
                    }
                }
                Step::GoAway(index) if !waiters.is_empty() => {
                    let gone = waiters.remove(index % waiters.len());
                    let was_told = gone.place == Place::Alone;
                    drop(gone);
                    if was_told {
                        permit |= !give(&mut waiters);
                    }
                }
                Step::Poll(_) | Step::GoAway(_) => {}
            }
            for waiter in &waiters {
                prop_assert!(waiter.place != Place::Alone || waiter.future.is_told(), "one who may go on was not told");
            }
        }
    }
}
