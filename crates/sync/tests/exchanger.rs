//! Two meet and swap; nothing that was brought is lost or doubled.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, many};
use proptest::prelude::*;
use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;
use sync::catch;
use sync::extra::{Exchanger, NotExchanged};
use sync::park::block_on;

#[test]
fn they_pair_by_arrival() {
    let exchanger = Exchanger::new();
    let mut first = ByHand::waiting(exchanger.exchange_async(1));
    assert!(exchanger.is_awaited());
    assert_eq!(ByHand::new(exchanger.exchange_async(2)).poll(), Some(1));
    // The first has not looked yet; that keeps nobody else from swapping.
    let mut third = ByHand::waiting(exchanger.exchange_async(3));
    assert_eq!(exchanger.try_exchange(4), Ok(3));
    assert_eq!(exchanger.try_exchange(5), Err(NotExchanged(5)));
    assert_eq!((first.wakes(), third.wakes()), (1, 1));
    assert_eq!((third.poll(), first.poll()), (Some(4), Some(2)));
    assert_eq!(format!("{exchanger:?}"), "Exchanger { awaited: false, places_in_use: 0 }");
}

#[test]
fn a_limit_that_passes_gives_the_value_back() {
    let exchanger = Exchanger::new();
    assert_eq!(exchanger.exchange_timeout(1, SHORT), Err(NotExchanged(1)));
    assert_eq!(exchanger.exchange_timeout(1, Duration::ZERO), Err(NotExchanged(1)));
    let refused = block_on(exchanger.exchange_async_timeout(2, SHORT)).unwrap_err();
    assert_eq!(refused.into_inner(), 2);
    assert_eq!(exchanger.try_exchange(3), Err(NotExchanged(3)), "nobody is left");
}

#[test]
fn who_goes_away_before_somebody_has_come_takes_his_value_with_him() {
    let (exchanger, counted) = (Exchanger::new(), Counted::default());
    let first = ByHand::waiting(exchanger.exchange_async(Some(counted.clone())));
    assert_eq!(counted.others(), 1);
    drop(first);
    assert_eq!(counted.others(), 0);
    assert!(exchanger.try_exchange(None).is_err());
}

#[test]
fn who_goes_away_later_has_swapped_and_drops_what_he_has_got() {
    let (exchanger, mine, theirs) = (Exchanger::new(), Counted::default(), Counted::default());
    let first = ByHand::waiting(exchanger.exchange_async(mine.clone()));
    let got = exchanger.try_exchange(theirs.clone()).unwrap();
    // Somebody else waits by now, and is told for nothing.
    let mut third = ByHand::waiting(exchanger.exchange_async(mine.clone()));
    drop(first);
    assert_eq!((mine.others(), theirs.others()), (2, 0));
    assert!(third.poll().is_none());
    drop(got);
    drop(exchanger.try_exchange(theirs.clone()).unwrap());
    assert!(third.is_told());
    drop(third.poll().unwrap());
    drop(third);
    drop(exchanger);
    assert_eq!((mine.others(), theirs.others()), (0, 0));
}

#[test]
fn what_a_forgotten_future_has_brought_is_swapped_all_the_same() {
    let exchanger: &Exchanger<u32> = Box::leak(Box::default());
    let mut forgotten = Box::pin(exchanger.exchange_async(1));
    assert!(forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(forgotten);
    assert_eq!(exchanger.exchange(2), 1);
    let mut third = ByHand::waiting(exchanger.exchange_async(3));
    assert_eq!(exchanger.exchange(4), 3);
    assert_eq!(third.poll(), Some(4));
}

#[test]
fn a_waker_that_panics_loses_nobodys_value() {
    let exchanger = Exchanger::new();
    let mut first = pin!(exchanger.exchange_async(1));
    assert!(first.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    assert_eq!(catch(|| exchanger.exchange(2)).unwrap(), 1);
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_destructor_that_panics_leaves_the_exchanger_whole() {
    let exchanger = Exchanger::new();
    let first = ByHand::waiting(exchanger.exchange_async(Some(common::Sharp)));
    assert!(catch(|| drop(first)).is_err());
    let mut second = ByHand::waiting(exchanger.exchange_async(None));
    assert!(exchanger.exchange(None).is_none());
    assert!(second.poll().is_some());
}

#[test]
fn futures_that_are_polled_once_and_dropped_leave_nothing_behind() {
    let (exchanger, counted) = (Exchanger::new(), Counted::default());
    let mut cx = Context::from_waker(Waker::noop());
    for round in 0..many() {
        let mut first = Box::pin(exchanger.exchange_async(counted.clone()));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        if round % 2 == 0 {
            drop(exchanger.try_exchange(counted.clone()).unwrap());
        }
    }
    assert_eq!(counted.others(), 0);
    assert_eq!(format!("{exchanger:?}"), "Exchanger { awaited: false, places_in_use: 0 }");
}

#[test]
fn many_threads_swap_in_all_ways_and_everything_finds_a_new_owner() {
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 300 };
    const THREADS: usize = 4;
    let (exchanger, got) = (Exchanger::new(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (exchanger, got) = (&exchanger, &got);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let mut mine = thread * ROUNDS + round;
                    let theirs = loop {
                        let limit = Duration::from_micros((round % 60) as u64);
                        let answer = match thread % 4 {
                            0 => exchanger.exchange_timeout(mine, limit),
                            1 => block_on(exchanger.exchange_async_timeout(mine, limit)),
                            2 => exchanger.try_exchange(mine),
                            _ => exchanger.exchange_timeout(mine, Duration::from_millis(1)),
                        };
                        match answer {
                            Ok(theirs) => break Some(theirs),
                            // The last ones may be alone.
                            Err(_) if got.lock().unwrap().len() >= ROUNDS => break None,
                            Err(NotExchanged(back)) => mine = back,
                        }
                    };
                    match theirs {
                        Some(theirs) => got.lock().unwrap().push((mine, theirs)),
                        None => return,
                    }
                }
            });
        }
    });
    let got = got.into_inner().unwrap();
    assert!(got.len() >= ROUNDS && got.len() % 2 == 0);
    let pairs: HashSet<_> = got.iter().copied().collect();
    assert_eq!(pairs.len(), got.len(), "nothing was got twice");
    for (mine, theirs) in got {
        assert!(pairs.contains(&(theirs, mine)), "{mine} got {theirs}, which got something else");
    }
}

#[test]
fn limits_of_everything() {
    let exchanger = Exchanger::new();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(exchanger.exchange_timeout(1, Duration::MAX), Ok(2)));
        assert_eq!(exchanger.exchange(2), 1);
        scope.spawn(|| assert_eq!(block_on(exchanger.exchange_async_timeout(3, Duration::MAX)), Ok(4)));
        assert_eq!(exchanger.exchange_timeout(4, LONG), Ok(3));
    });
}

#[derive(Clone, Debug)]
enum Step {
    Start,
    Try,
    Poll(usize),
    GoAway(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Start),
        3 => Just(Step::Try),
        5 => (0..8_usize).prop_map(Step::Poll),
        3 => (0..8_usize).prop_map(Step::GoAway),
    ];
    proptest::collection::vec(step, 0..60)
}

/// Someone who has waited, what he has brought, and what he has got for it.
struct Waiter<'a> {
    future: ByHand<'a, usize>,
    brought: usize,
    got: Option<usize>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_swap_as_the_plain_model_does(steps in steps()) {
        let exchanger = Exchanger::new();
        let mut waiters: Vec<Waiter<'_>> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let partner = waiters.iter_mut().find(|waiter| waiter.got.is_none());
            match step {
                Step::Start => {
                    let mut future = ByHand::new(exchanger.exchange_async(number));
                    let theirs = future.poll();
                    match partner {
                        Some(partner) => {
                            prop_assert_eq!(theirs, Some(partner.brought));
                            partner.got = Some(number);
                        }
                        None => {
                            prop_assert_eq!(theirs, None);
                            waiters.push(Waiter { future, brought: number, got: None });
                        }
                    }
                }
                Step::Try => {
                    let theirs = exchanger.try_exchange(number);
                    match partner {
                        Some(partner) => {
                            prop_assert_eq!(theirs, Ok(partner.brought));
                            partner.got = Some(number);
                        }
                        None => prop_assert_eq!(theirs, Err(NotExchanged(number))),
                    }
                }
                Step::Poll(index) if !waiters.is_empty() => {
                    let index = index % waiters.len();
                    let theirs = waiters[index].future.poll();
                    prop_assert_eq!(theirs, waiters[index].got);
                    if theirs.is_some() {
                        waiters.remove(index);
                    }
                }
                Step::GoAway(index) if !waiters.is_empty() => drop(waiters.remove(index % waiters.len())),
                Step::Poll(_) | Step::GoAway(_) => {}
            }
            prop_assert_eq!(exchanger.is_awaited(), waiters.iter().any(|waiter| waiter.got.is_none()));
            for waiter in &waiters {
                prop_assert!(waiter.got.is_none() || waiter.future.is_told(), "one who has swapped was not told");
            }
        }
    }
}
