//! One item, once.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, Sharp, many};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use sync::catch;
use sync::park::block_on;
use sync::queue::GetError;
use sync::queue::oneshot::{Receiver, channel};

type Way = fn(&Receiver<u32>) -> Result<u32, GetError>;

#[test]
fn five_ways_to_get() {
    let ways: [Way; 5] = [
        |receiver| receiver.get(),
        |receiver| receiver.get_timeout(LONG),
        |receiver| receiver.get_timeout(Duration::MAX),
        |receiver| block_on(receiver.get_async()),
        |receiver| block_on(receiver.get_async_timeout(LONG)),
    ];
    for way in ways {
        let (sender, receiver) = channel();
        assert_eq!(receiver.try_get(), Err(GetError::Empty));
        let waiter = thread::spawn(move || (way(&receiver), way(&receiver)));
        sender.send(7).unwrap();
        assert_eq!(waiter.join().unwrap(), (Ok(7), Err(GetError::Closed)), "once and no more");

        let (sender, receiver) = channel();
        sender.send(8).unwrap();
        assert_eq!(way(&receiver), Ok(8), "what is there is taken at once");

        let (sender, receiver) = channel();
        let waiter = thread::spawn(move || way(&receiver));
        drop(sender);
        assert_eq!(waiter.join().unwrap(), Err(GetError::Closed));
    }
    let (sender, receiver) = channel();
    sender.send(9).unwrap();
    assert_eq!(receiver.try_get(), Ok(9));
    assert_eq!(receiver.try_get(), Err(GetError::Closed));
}

#[test]
fn a_limit() {
    let (sender, receiver) = channel::<u32>();
    let ways: [Way; 2] =
        [|receiver| receiver.get_timeout(SHORT), |receiver| block_on(receiver.get_async_timeout(SHORT))];
    for way in ways {
        let begin = Instant::now();
        assert_eq!(way(&receiver), Err(GetError::TimedOut));
        assert!(begin.elapsed() >= SHORT);
    }
    sender.send(1).unwrap();
    assert_eq!(receiver.get_timeout(Duration::ZERO), Ok(1), "what is there is taken, late or not");
}

#[test]
fn five_ways_to_see_the_receiver_go() {
    let (sender, receiver) = channel::<u32>();
    assert!(!sender.is_closed());
    assert!(sender.closed_timeout(SHORT).is_err());
    assert!(block_on(sender.closed_async_timeout(SHORT)).is_err());
    thread::scope(|scope| {
        scope.spawn(|| sender.closed());
        scope.spawn(|| sender.closed_timeout(LONG).unwrap());
        scope.spawn(|| block_on(sender.closed_async()));
        scope.spawn(|| block_on(sender.closed_async_timeout(LONG)).unwrap());
        drop(receiver);
    });
    assert!(sender.is_closed());
    let refused = sender.send(5).unwrap_err();
    assert!(refused.is_closed());
    assert_eq!(refused.into_inner(), 5);
}

#[test]
fn a_receiver_that_closes_still_takes_what_was_sent() {
    let (sender, receiver) = channel();
    sender.send(1).unwrap();
    receiver.close();
    assert_eq!(receiver.get(), Ok(1));

    let (sender, receiver) = channel();
    receiver.close();
    assert_eq!(receiver.get(), Err(GetError::Closed));
    assert_eq!(sender.send(2).unwrap_err().into_inner(), 2);
}

#[test]
fn an_item_that_nobody_takes_is_dropped_with_the_receiver() {
    let items = Counted::default();
    let (sender, receiver) = channel();
    sender.send(items.clone()).unwrap();
    assert_eq!(items.others(), 1);
    drop(receiver);
    assert_eq!(items.others(), 0);
}

#[test]
fn polled_once_and_dropped() {
    let (sender, receiver) = channel();
    for _ in 0..many() {
        drop(ByHand::waiting(receiver.get_async()));
        drop(ByHand::waiting(sender.closed_async()));
    }
    let mut waiting = ByHand::waiting(receiver.get_async());
    std::mem::forget(Box::pin(receiver.get_async()));
    sender.send(1).unwrap();
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(waiting.poll(), Some(Ok(1)));
}

#[test]
fn a_future_that_was_told_and_is_dropped_leaves_the_item() {
    let (sender, receiver) = channel();
    let waiting = ByHand::waiting(receiver.get_async());
    sender.send(1).unwrap();
    assert!(waiting.is_told());
    drop(waiting);
    assert_eq!(receiver.get(), Ok(1));
}

#[test]
fn a_waker_that_panics_loses_nothing() {
    let (sender, receiver) = channel();
    let mut bomb = Box::pin(receiver.get_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    assert!(catch(|| sender.send(1)).is_err());
    drop(bomb);
    assert_eq!(receiver.get(), Ok(1));

    let (sender, receiver) = channel::<u32>();
    let mut bomb = Box::pin(sender.closed_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    drop(receiver);
    drop(bomb);
    assert!(sender.is_closed());
}

#[test]
fn a_destructor_that_panics_leaves_the_sender_able_to_see_it() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic_any(Sharp);
        }
    }
    let (sender, receiver) = channel();
    sender.send(Bad).unwrap_or_else(|_| unreachable!("the receiver is there"));
    let payload = catch_unwind(AssertUnwindSafe(|| drop(receiver))).unwrap_err();
    assert!(payload.is::<Sharp>());
    std::mem::forget(payload);
}
