//! What an event that resets itself promises.

mod common;

use common::{ByHand, LONG};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use sync::{Event, TimedOut, park};

#[test]
fn each_set_lets_one_through() {
    let event = Event::auto_reset();
    let passed = AtomicUsize::new(0);
    let turns = Event::auto_reset();
    thread::scope(|scope| {
        for number in 0..8 {
            let (event, passed, turns) = (&event, &passed, &turns);
            scope.spawn(move || {
                match number % 4 {
                    0 => event.wait(),
                    1 => park::block_on(event.wait_async()),
                    2 => park::block_on(event.wait_async_timeout(LONG)).unwrap(),
                    _ => event.wait_timeout(LONG).unwrap(),
                }
                passed.fetch_add(1, Ordering::Relaxed);
                turns.set();
            });
        }
        for number in 1..=8 {
            event.set();
            turns.wait();
            assert_eq!(passed.load(Ordering::Relaxed), number);
        }
    });
    assert!(!event.is_set());
    assert_eq!(event.wait_timeout(Duration::ZERO), Err(TimedOut));
}

#[test]
fn two_who_wait_need_two_sets_and_get_both() {
    let event = Event::auto_reset();
    let (mut first, mut second) = (ByHand::waiting(event.wait_async()), ByHand::waiting(event.wait_async()));
    event.set();
    event.set();
    assert!(first.is_told() && second.is_told());
    assert!(second.poll().is_some() && first.poll().is_some());
    assert!(!event.is_set() && !event.try_wait());
}

#[test]
fn who_is_told_and_goes_away_leaves_it_to_the_next() {
    let event = Event::auto_reset();
    let (first, mut second) = (ByHand::waiting(event.wait_async()), ByHand::waiting(event.wait_async()));
    event.set();
    drop(first);
    assert!(second.is_told() && second.poll().is_some());
    let last = ByHand::waiting(event.wait_async());
    event.set();
    drop(last);
    assert!(event.is_set() && event.try_wait() && !event.try_wait(), "nobody was there, so it stays set");
}

/// Futurelock: the one who was told is a future that nobody polls.
#[test]
fn who_is_told_and_does_not_look_keeps_nobody_out() {
    let event = Event::auto_reset();
    let mut forgotten = ByHand::waiting(event.wait_async());
    event.set();
    event.wait();
    assert!(forgotten.poll().is_none());
    event.set();
    assert!(forgotten.poll().is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Set,
    Clear,
    Try,
    Start,
    Poll(usize),
    GoAway(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Set),
        1 => Just(Step::Clear),
        1 => Just(Step::Try),
        3 => Just(Step::Start),
        3 => (0..8_usize).prop_map(Step::Poll),
        2 => (0..8_usize).prop_map(Step::GoAway),
    ];
    proptest::collection::vec(step, 0..50)
}

/// Takes the flag, or else what others were told of.
fn newcomer(flag: &mut bool, granted: &mut usize) -> bool {
    std::mem::take(flag) || take_one(granted)
}

fn waiter(flag: &mut bool, granted: &mut usize) -> bool {
    take_one(granted) || std::mem::take(flag)
}

fn take_one(granted: &mut usize) -> bool {
    let there = *granted > 0;
    *granted -= usize::from(there);
    there
}

proptest! {
    #![proptest_config(common::property())]

    /// The plain model: a flag, and a number of sets that found somebody waiting. As many pass as were let.
    #[test]
    fn as_many_pass_as_were_let(steps in steps()) {
        let event = Event::auto_reset();
        let (mut flag, mut granted) = (false, 0_usize);
        let mut waiting: Vec<ByHand<'_, ()>> = Vec::new();
        for step in steps {
            match step {
                Step::Set => {
                    // Whoever was told and has not looked is no longer in the queue.
                    match waiting.iter().any(|waiter| !waiter.is_told()) {
                        true => granted += 1,
                        false => flag = true,
                    }
                    event.set();
                }
                Step::Clear => {
                    event.clear();
                    flag = false;
                }
                Step::Try => prop_assert_eq!(event.try_wait(), newcomer(&mut flag, &mut granted)),
                Step::Start => {
                    let mut future = ByHand::new(event.wait_async());
                    if future.poll().is_some() {
                        prop_assert!(newcomer(&mut flag, &mut granted));
                    } else {
                        prop_assert!(!flag && granted == 0);
                        waiting.push(future);
                    }
                }
                Step::Poll(index) if !waiting.is_empty() => {
                    let index = index % waiting.len();
                    if waiting[index].poll().is_some() {
                        prop_assert!(waiter(&mut flag, &mut granted));
                        waiting.remove(index);
                    } else {
                        prop_assert!(!flag && granted == 0);
                    }
                }
                Step::GoAway(index) if !waiting.is_empty() => drop(waiting.remove(index % waiting.len())),
                Step::Poll(_) | Step::GoAway(_) => {}
            }
            prop_assert_eq!(event.is_set(), flag || granted > 0);
            // No wake-up is lost: while it is set, whoever waits has been told, or somebody before him.
            let told = waiting.iter().filter(|waiter| waiter.is_told()).count();
            prop_assert!(told >= granted.min(waiting.len()));
        }
    }
}

#[test]
fn what_was_set_for_one_who_went_away_is_the_next_ones() {
    let event = Event::auto_reset();
    let waiting = ByHand::waiting(event.wait_async());
    event.set();
    assert!(waiting.is_told());
    drop(waiting);
    event.clear();
    assert!(event.try_wait(), "it was not set for nobody");
    assert!(!event.try_wait());
}
