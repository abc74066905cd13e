//! The latest value.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, many};
use proptest::prelude::*;
use std::future::Future;
use std::sync::Arc;
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use sync::catch;
use sync::park::block_on;
use sync::queue::GetError;
use sync::queue::watch::{Receiver, channel};

type Way = fn(&mut Receiver<u32>) -> Result<Arc<u32>, GetError>;

#[test]
fn five_ways_to_see_a_change_and_to_wait_for_a_value() {
    let ways: [Way; 8] = [
        |receiver| receiver.changed(),
        |receiver| receiver.changed_timeout(LONG),
        |receiver| block_on(receiver.changed_async()),
        |receiver| block_on(receiver.changed_async_timeout(Duration::MAX)),
        |receiver| receiver.wait_for(|value| *value == 7),
        |receiver| receiver.wait_for_timeout(|value| *value == 7, LONG),
        |receiver| block_on(receiver.wait_for_async(|value| *value == 7)),
        |receiver| block_on(receiver.wait_for_async_timeout(|value| *value == 7, Duration::MAX)),
    ];
    let (sender, receiver) = channel(1);
    let waiters = ways.map(|way| {
        let mut receiver = receiver.clone();
        thread::spawn(move || way(&mut receiver).map(|value| *value))
    });
    assert_eq!(*sender.send(7), 1);
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), Ok(7));
    }
    drop(sender);
    for (index, way) in ways.into_iter().enumerate() {
        let mut receiver = receiver.clone();
        assert_eq!(way(&mut receiver), Ok(Arc::new(7)), "the last value can be seen");
        // What is there is wanted again, but has not changed.
        assert_eq!(way(&mut receiver).is_ok(), index >= 4);
    }
    let mut receiver = receiver.clone();
    assert_eq!(receiver.wait_for(|value| *value == 8), Err(GetError::Closed));
    assert_eq!(receiver.try_wait_for(|value| *value == 8), Err(GetError::Closed));
    assert_eq!(receiver.try_changed(), Err(GetError::Closed));
}

#[test]
fn a_limit() {
    let (sender, mut receiver) = channel(1);
    let ways: [Way; 4] = [
        |receiver| receiver.changed_timeout(SHORT),
        |receiver| block_on(receiver.changed_async_timeout(SHORT)),
        |receiver| receiver.wait_for_timeout(|value| *value == 2, SHORT),
        |receiver| block_on(receiver.wait_for_async_timeout(|value| *value == 2, SHORT)),
    ];
    for way in ways {
        let begin = Instant::now();
        assert_eq!(way(&mut receiver), Err(GetError::TimedOut));
        assert!(begin.elapsed() >= SHORT);
    }
    assert_eq!(receiver.try_changed(), Err(GetError::Empty));
    assert_eq!(receiver.try_wait_for(|value| *value == 2), Err(GetError::Empty));
    sender.send(2);
    assert_eq!(
        receiver.changed_timeout(Duration::ZERO),
        Ok(Arc::new(2)),
        "what is there is seen, late or not"
    );
    assert_eq!(receiver.wait_for_timeout(|value| *value == 2, Duration::ZERO), Ok(Arc::new(2)));
}

#[test]
fn a_look_holds_up_nobody() {
    let values = Counted::default();
    let (sender, mut receiver) = channel(values.clone());
    let look = receiver.borrow();
    drop(sender.send(values.clone()));
    assert_eq!(values.others(), 2, "whoever looks keeps what he sees");
    drop(look);
    assert_eq!(values.others(), 1);
    assert!(receiver.has_changed());
    drop(receiver.latest());
    assert!(!receiver.has_changed());
    drop((sender, receiver));
    assert_eq!(values.others(), 0);
}

/// Panics when it is dropped, if it is to.
#[derive(Clone)]
struct Bad(bool);

impl Drop for Bad {
    fn drop(&mut self) {
        // A second panic would end the process.
        assert!(!self.0 || thread::panicking(), "a panic that the test asked for");
    }
}

#[test]
fn a_value_whose_destructor_panics_leaves_its_place_to_the_next() {
    let (sender, mut receiver) = channel(Bad(true));
    let waiting = ByHand::waiting(receiver.changed_async());
    assert!(catch(|| sender.send_modify(|value| value.0 = false)).is_err(), "the panic goes on");
    assert!(waiting.is_told(), "who waits hears nothing of the change");
    drop(waiting);
    assert!(receiver.changed().is_ok_and(|value| !value.0));
    assert_eq!(receiver.version(), 1);
}

#[test]
fn a_change_that_panics_or_is_none_leaves_the_value() {
    let (sender, mut receiver) = channel(vec![1]);
    let panicked = catch(|| {
        sender.send_modify(|value| {
            value.push(2);
            panic!("a panic that the test asked for");
        });
    });
    assert!(panicked.is_err());
    let waiting = ByHand::waiting(receiver.changed_async());
    assert!(!sender.send_if_modified(|value| {
        value.push(3);
        false
    }));
    assert!(!waiting.is_told());
    assert_eq!(*sender.borrow(), [1]);
    sender.send_modify(|value| value.push(4));
    assert!(waiting.is_told());
    drop(waiting);
    assert_eq!(*receiver.changed().unwrap(), [1, 4]);
    assert!(catch(|| receiver.wait_for(|_| panic!("a panic that the test asked for"))).is_err());
    assert_eq!(receiver.version(), 1);
}

#[test]
fn no_change_is_lost_to_another_sender() {
    const EACH: u64 = if cfg!(miri) { 20 } else { 1_000 };
    let (sender, mut receiver) = channel(0);
    let senders = [sender.clone(), sender];
    let threads = senders
        .map(|sender| thread::spawn(move || (0..EACH).for_each(|_| sender.send_modify(|value| *value += 1))));
    assert_eq!(*receiver.wait_for(|value| *value == 2 * EACH).unwrap(), 2 * EACH);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((receiver.version(), receiver.changed()), (2 * EACH, Err(GetError::Closed)));
}

#[test]
fn polled_once_and_dropped() {
    let (sender, mut receiver) = channel(0);
    for _ in 0..many() {
        drop(ByHand::waiting(receiver.changed_async()));
    }
    let waiting = ByHand::waiting(receiver.changed_async());
    sender.send(1);
    assert!(waiting.is_told());
    drop(waiting);
    assert_eq!(receiver.try_changed(), Ok(Arc::new(1)), "nothing is lost by dropping the future");
    assert_eq!(sender.receivers(), 1);
    drop(receiver);
    assert_eq!(sender.receivers(), 0);
    sender.send(2);
    assert_eq!(*sender.subscribe().borrow(), 2);
}

#[test]
fn a_waker_that_panics_keeps_the_value_from_nobody() {
    let (sender, mut receiver) = channel(0);
    let mut other = sender.subscribe();
    {
        let mut bomb = Box::pin(receiver.changed_async());
        assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
        let waiting = ByHand::waiting(other.changed_async());
        assert!(catch(|| sender.send(1)).is_err());
        assert!(waiting.is_told());
    }
    assert_eq!((receiver.try_changed(), other.try_changed()), (Ok(Arc::new(1)), Ok(Arc::new(1))));
}

#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    /// Adds, unless that gives an odd number.
    Add(u8),
    TryChanged(usize),
    Latest(usize),
    Subscribe,
    Clone(usize),
    Leave(usize),
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn a_plain_value_and_a_number(steps in proptest::collection::vec(prop_oneof![
        (0..9_u8).prop_map(Step::Send),
        (0..9_u8).prop_map(Step::Add),
        (0..4_usize).prop_map(Step::TryChanged),
        (0..4_usize).prop_map(Step::Latest),
        Just(Step::Subscribe),
        (0..4_usize).prop_map(Step::Clone),
        (0..4_usize).prop_map(Step::Leave),
    ], 0..60)) {
        let (sender, first) = channel(0_u8);
        let mut receivers = vec![(first, 0_u64)];
        let (mut value, mut version) = (0_u8, 0);
        for step in steps {
            match step {
                Step::Send(new) => {
                    prop_assert_eq!(*sender.send(new), value);
                    (value, version) = (new, version + 1);
                }
                Step::Add(more) => {
                    let even = |value: &mut u8| {
                        *value = value.wrapping_add(more);
                        *value % 2 == 0
                    };
                    let mut expected = value;
                    let changes = even(&mut expected);
                    prop_assert_eq!(sender.send_if_modified(even), changes);
                    if changes {
                        (value, version) = (expected, version + 1);
                    }
                }
                Step::Subscribe => receivers.push((sender.subscribe(), version)),
                Step::TryChanged(index) | Step::Latest(index) | Step::Clone(index) | Step::Leave(index)
                    if index >= receivers.len() => {}
                Step::TryChanged(index) => {
                    let (receiver, seen) = &mut receivers[index];
                    let expected = if *seen == version { Err(GetError::Empty) } else { Ok(Arc::new(value)) };
                    prop_assert_eq!(receiver.try_changed(), expected);
                    *seen = version;
                }
                Step::Latest(index) => {
                    let (receiver, seen) = &mut receivers[index];
                    prop_assert_eq!(receiver.has_changed(), *seen != version);
                    prop_assert_eq!(*receiver.latest(), value);
                    *seen = version;
                }
                Step::Clone(index) => {
                    let (receiver, seen) = &receivers[index];
                    let clone = (receiver.clone(), *seen);
                    receivers.push(clone);
                }
                Step::Leave(index) => drop(receivers.remove(index)),
            }
            prop_assert_eq!(sender.receivers(), receivers.len());
            prop_assert_eq!(*sender.borrow(), value);
        }
    }
}

#[test]
fn who_panics_over_a_value_has_seen_it_and_disturbs_nobody() {
    let ways: [Way; 4] = [
        |receiver| receiver.wait_for(|_| panic!("meant")),
        |receiver| receiver.try_wait_for(|_| panic!("meant")),
        |receiver| receiver.wait_for_timeout(|_| panic!("meant"), LONG),
        |receiver| block_on(receiver.wait_for_async_timeout(|_| panic!("meant"), LONG)),
    ];
    for way in ways {
        let (sender, mut receiver) = channel(1);
        let mut other = receiver.clone();
        sender.send(2);
        assert!(catch(|| way(&mut receiver)).is_err());
        assert_eq!(receiver.try_changed().err(), Some(GetError::Empty), "it is seen");
        assert_eq!(other.try_changed().map(|value| *value), Ok(2));
        sender.send(3);
        assert_eq!([receiver, other].map(|mut one| one.changed().map(|value| *value)), [Ok(3); 2]);
    }
}
