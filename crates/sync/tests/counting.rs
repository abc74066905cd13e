//! Latches and groups: what opens them, what does not, and who goes through.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, many};
use proptest::prelude::*;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;
use sync::TimedOut;
use sync::catch;
use sync::extra::{Latch, NobodyIsIn, WaitGroup};
use sync::park::block_on;

#[test]
fn a_latch_of_nothing_is_open() {
    let latch = Latch::new(0);
    latch.wait();
    latch.count_down(0);
    assert!(latch.is_open());
}

#[test]
fn a_latch_stays_open_for_those_who_come_later() {
    let latch = Latch::new(3);
    latch.count_down(2);
    assert_eq!((latch.left(), latch.is_open()), (1, false));
    latch.count_down(1);
    latch.wait();
    assert_eq!(latch.wait_timeout(Duration::ZERO), Ok(()));
    assert!(ByHand::new(latch.wait_async()).poll().is_some());
}

#[test]
#[should_panic(expected = "has 1 left cannot be counted down by 2")]
fn a_latch_counts_nobody_who_was_not_counted_on() {
    Latch::new(1).count_down(2);
}

#[test]
fn a_count_that_is_too_high_changes_nothing() {
    let latch = Latch::new(1);
    assert!(catch(|| latch.count_down(2)).is_err());
    assert_eq!(latch.left(), 1);
    latch.count_down(1);
    assert!(catch(|| latch.count_down(1)).is_err());
    assert!(latch.is_open());
}

#[test]
fn who_arrives_at_a_latch_sees_what_the_others_did_before() {
    let (latch, sum) = (Latch::new(4), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..4 {
            let (latch, sum) = (&latch, &sum);
            scope.spawn(move || {
                sum.fetch_add(number, Ordering::Relaxed);
                latch.arrive_and_wait();
                assert_eq!(sum.load(Ordering::Relaxed), 6);
            });
        }
    });
}

#[test]
fn a_group_can_be_used_again() {
    let group = Arc::new(WaitGroup::new());
    for round in 0..3 {
        group.wait();
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..4 {
            let (member, ended) = (group.enter_arc(), Arc::clone(&ended));
            thread::spawn(move || {
                ended.fetch_add(1, Ordering::Relaxed);
                drop(member);
            });
        }
        group.wait();
        assert_eq!(ended.load(Ordering::Relaxed), 4, "in round {round}");
    }
    assert!(group.is_idle());
}

#[test]
fn a_member_leaves_in_a_panic_too() {
    let group = WaitGroup::new();
    thread::scope(|scope| {
        let member = group.enter();
        let panics = scope.spawn(move || {
            let _member = member;
            panic!("a panic that the test asked for");
        });
        group.wait();
        assert!(panics.join().is_err());
    });
}

#[test]
fn what_was_never_begun_cannot_be_done() {
    let group = WaitGroup::new();
    assert_eq!(group.done(), Err(NobodyIsIn));
    group.add(2);
    assert_eq!(group.under_way(), 2);
    assert_eq!((group.done(), group.done(), group.done()), (Ok(()), Ok(()), Err(NobodyIsIn)));
    assert!(NobodyIsIn.to_string().contains("`add` comes before `done`"));
}

#[test]
fn more_than_can_be_counted_cannot_be_under_way() {
    let group = WaitGroup::new();
    group.add(usize::MAX);
    assert!(catch(|| group.add(1)).unwrap_err().panic().unwrap().message().contains("more than usize::MAX"));
    assert!(catch(|| drop(group.enter())).is_err());
    assert_eq!(group.under_way(), usize::MAX);
}

#[test]
fn whoever_waited_when_a_group_was_idle_goes_through_although_more_has_begun() {
    let group = WaitGroup::new();
    let first = group.enter();
    let mut early = ByHand::waiting(group.wait_async());
    drop(first);
    let _second = group.enter();
    let mut later = ByHand::waiting(group.wait_async());
    assert!(early.poll().is_some());
    assert!(later.poll().is_none());
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_from_going_through() {
    let (latch, group) = (Latch::new(1), WaitGroup::new());
    group.add(1);
    let (mut at_latch, mut at_group) = (pin!(latch.wait_async()), pin!(group.wait_async()));
    let bomb = Bomb::waker();
    assert!(at_latch.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
    assert!(at_group.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
    let mut others = [ByHand::waiting(latch.wait_async()), ByHand::waiting(latch.wait_async())];
    let mut another = ByHand::waiting(group.wait_async());
    assert!(catch(|| latch.count_down(1)).is_err());
    assert!(catch(|| group.done()).is_err());
    assert!(others.iter_mut().all(|other| other.is_told() && other.poll().is_some()));
    assert!(another.is_told() && another.poll().is_some());
}

#[test]
fn futures_that_are_polled_once_and_dropped_leave_nothing_behind() {
    let (latch, group) = (Latch::new(1), WaitGroup::new());
    let _member = group.enter();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..many() {
        assert!(pin!(latch.wait_async()).poll(&mut cx).is_pending());
        assert!(pin!(group.wait_async()).poll(&mut cx).is_pending());
    }
    assert_eq!(format!("{latch:?}"), "Latch { left: 1, waiting: 0 }");
    assert_eq!(format!("{group:?}"), "WaitGroup { under_way: 1, waiting: 0 }");
}

#[test]
fn futures_that_are_forgotten_while_they_wait_keep_nobody_out() {
    // What is forgotten stays in memory, pinned, for ever; so must the objects.
    let (latch, group): (&Latch, &WaitGroup) =
        (Box::leak(Box::new(Latch::new(1))), Box::leak(Box::new(WaitGroup::new())));
    let member = group.enter();
    let (mut at_latch, mut at_group) = (Box::pin(latch.wait_async()), Box::pin(group.wait_async()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(at_latch.as_mut().poll(&mut cx).is_pending() && at_group.as_mut().poll(&mut cx).is_pending());
    std::mem::forget((at_latch, at_group));
    let mut others = (ByHand::waiting(latch.wait_async()), ByHand::waiting(group.wait_async()));
    latch.count_down(1);
    drop(member);
    assert!(others.0.poll().is_some() && others.1.poll().is_some());
}

#[test]
fn limits_of_nothing_and_of_everything() {
    let (latch, group) = (Latch::new(1), WaitGroup::new());
    let member = group.enter();
    assert_eq!(latch.wait_timeout(Duration::ZERO), Err(TimedOut));
    assert_eq!(block_on(latch.wait_async_timeout(Duration::ZERO)), Err(TimedOut));
    assert_eq!(group.wait_timeout(Duration::ZERO), Err(TimedOut));
    assert_eq!(block_on(group.wait_async_timeout(SHORT)), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| latch.wait_timeout(Duration::MAX).unwrap());
        scope.spawn(|| block_on(latch.wait_async_timeout(Duration::MAX)).unwrap());
        scope.spawn(|| group.wait_timeout(Duration::MAX).unwrap());
        scope.spawn(|| block_on(group.wait_async_timeout(LONG)).unwrap());
        latch.count_down(1);
        drop(member);
    });
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize),
    Done,
    CountDown(usize),
    /// Begins to wait: for the latch, or for the group.
    Start(bool),
    Poll(usize),
    GoAway(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..3_usize).prop_map(Step::Add),
        5 => Just(Step::Done),
        2 => (0..3_usize).prop_map(Step::CountDown),
        5 => any::<bool>().prop_map(Step::Start),
        4 => (0..8_usize).prop_map(Step::Poll),
        2 => (0..8_usize).prop_map(Step::GoAway),
    ];
    proptest::collection::vec(step, 0..60)
}

/// Someone who waits, and whether what he waits for has come about since.
struct Waiter<'a> {
    future: ByHand<'a, ()>,
    at_latch: bool,
    passes: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_open_as_plain_numbers_do(count in 0..5_usize, steps in steps()) {
        let (latch, group) = (Latch::new(count), WaitGroup::new());
        let (mut left, mut under_way) = (count, 0_usize);
        let mut waiters: Vec<Waiter<'_>> = Vec::new();
        for step in steps {
            match step {
                Step::Add(more) => {
                    group.add(more);
                    under_way += more;
                }
                Step::Done => {
                    prop_assert_eq!(group.done().is_ok(), under_way > 0);
                    if under_way == 1 {
                        waiters.iter_mut().filter(|waiter| !waiter.at_latch).for_each(|waiter| waiter.passes = true);
                    }
                    under_way = under_way.saturating_sub(1);
                }
                Step::CountDown(by) => {
                    let by = by.min(left);
                    latch.count_down(by);
                    left -= by;
                    if left == 0 {
                        waiters.iter_mut().filter(|waiter| waiter.at_latch).for_each(|waiter| waiter.passes = true);
                    }
                }
                Step::Start(at_latch) => {
                    let mut future =
                        if at_latch { ByHand::new(latch.wait_async()) } else { ByHand::new(group.wait_async()) };
                    let open = if at_latch { left == 0 } else { under_way == 0 };
                    let passed = future.poll().is_some();
                    prop_assert_eq!(passed, open);
                    if !passed {
                        waiters.push(Waiter { future, at_latch, passes: false });
                    }
                }
                Step::Poll(index) if !waiters.is_empty() => {
                    let index = index % waiters.len();
                    let passed = waiters[index].future.poll().is_some();
                    prop_assert_eq!(passed, waiters[index].passes);
                    if passed {
                        waiters.swap_remove(index);
                    }
                }
                Step::GoAway(index) if !waiters.is_empty() => drop(waiters.swap_remove(index % waiters.len())),
                Step::Poll(_) | Step::GoAway(_) => {}
            }
            prop_assert_eq!((latch.left(), group.under_way()), (left, under_way));
            for waiter in &waiters {
                prop_assert!(!waiter.passes || waiter.future.is_told(), "one who may go on was not told");
            }
        }
    }
}
