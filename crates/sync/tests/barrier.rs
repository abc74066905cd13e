//! Barriers with an action, and broken ones.

mod common;

use common::ByHand;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use sync::{Barrier, Event, barrier::BarrierError, barrier::BarrierPlace, park};

#[test]
fn the_action_runs_once_before_anybody_goes_on() {
    let rounds = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rounds);
    let barrier = Barrier::with_action(3, move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    thread::scope(|scope| {
        for number in 0..3 {
            let (barrier, rounds) = (&barrier, &rounds);
            scope.spawn(move || {
                for round in 1..=200 {
                    match number {
                        0 => barrier.wait().unwrap(),
                        1 => park::block_on(barrier.wait_async()).unwrap(),
                        _ => barrier.wait_timeout(Duration::MAX).unwrap(),
                    };
                    // The next round begins when this one has come, too.
                    assert_eq!(rounds.load(Ordering::Relaxed), round);
                }
            });
        }
    });
}

#[test]
fn an_action_that_panics_breaks_the_barrier_for_the_others() {
    let barrier = Barrier::with_action(2, || panic!("the action"));
    let mut other = ByHand::waiting(barrier.wait_async());
    let panic = catch_unwind(AssertUnwindSafe(|| barrier.wait())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the action"));
    assert!(other.is_told());
    assert_eq!(other.poll(), Some(Err(BarrierError::Broken)));
    assert!(barrier.is_broken());
    assert_eq!(barrier.wait(), Err(BarrierError::Broken));
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn aborting_ends_every_wait_until_it_is_reset() {
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        let thread = scope.spawn(|| barrier.wait());
        let limited = scope.spawn(|| barrier.wait_timeout(Duration::MAX));
        let mut task = ByHand::waiting(barrier.wait_async());
        while barrier.arrived() < 3 {
            thread::yield_now();
        }
        barrier.abort();
        assert_eq!(thread.join().unwrap(), Err(BarrierError::Broken));
        assert_eq!(limited.join().unwrap(), Err(BarrierError::Broken));
        assert_eq!(task.poll(), Some(Err(BarrierError::Broken)));
    });
    assert_eq!(barrier.try_wait(), Err(BarrierError::Broken));
    assert_eq!(park::block_on(barrier.wait_async_timeout(Duration::MAX)), Err(BarrierError::Broken));
    barrier.reset();
    assert!(!barrier.is_broken());
    assert_eq!(barrier.wait_timeout(Duration::ZERO), Err(BarrierError::TimedOut));
    assert_eq!(barrier.try_wait(), Err(BarrierError::NotAll));
}

#[test]
fn a_reset_sends_away_who_waits_and_nobody_who_comes() {
    let barrier = Barrier::new(2);
    let mut first = ByHand::waiting(barrier.wait_async());
    barrier.reset();
    let mut second = ByHand::waiting(barrier.wait_async());
    assert_eq!(first.poll(), Some(Err(BarrierError::Broken)));
    assert_eq!(barrier.arrived(), 1);
    assert!(barrier.try_wait().unwrap().is_leader());
    assert!(second.poll().unwrap().is_ok());
}

/// More than the barrier is for: who comes while the last one runs the action belongs to the next round.
#[test]
fn nobody_comes_or_leaves_while_the_action_runs() {
    let (begun, go_on) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (says, waits) = (Arc::clone(&begun), Arc::clone(&go_on));
    let barrier = Barrier::with_action(2, move || {
        says.set();
        waits.wait();
    });
    thread::scope(|scope| {
        let mut gone = ByHand::waiting(barrier.wait_async());
        let leader = scope.spawn(|| barrier.wait());
        begun.wait();
        let mut early = ByHand::waiting(barrier.wait_async());
        let late = scope.spawn(|| barrier.wait_timeout(Duration::ZERO));
        assert_eq!(late.join().unwrap(), Err(BarrierError::TimedOut));
        assert_eq!(barrier.try_wait(), Err(BarrierError::NotAll));
        assert!(gone.poll().is_none());
        drop(gone);
        go_on.set();
        assert!(leader.join().unwrap().unwrap().is_leader());
        assert!(early.poll().is_none(), "it is the first of the next round now");
        assert_eq!(barrier.arrived(), 1);
        assert!(barrier.wait().unwrap().is_leader());
        assert!(early.poll().unwrap().is_ok());
    });
    assert_eq!(barrier.arrived(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Start,
    Try,
    Poll(usize),
    GoAway(usize),
    Abort,
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Start),
        1 => Just(Step::Try),
        4 => (0..8_usize).prop_map(Step::Poll),
        3 => (0..8_usize).prop_map(Step::GoAway),
        1 => Just(Step::Abort),
        1 => Just(Step::Reset),
    ];
    proptest::collection::vec(step, 0..60)
}

type Outcome = Result<BarrierPlace, BarrierError>;

/// Somebody who has come, and what is to become of him: nothing yet, the round in which he goes through, or that it is broken.
struct Party<'a> {
    future: ByHand<'a, Outcome>,
    fate: Option<Result<usize, ()>>,
}

proptest! {
    #![proptest_config(common::property())]

    /// The plain model: who is here, and whether it is broken.
    #[test]
    fn as_a_plain_model(parties in 1..4_usize, steps in steps()) {
        let barrier = Barrier::new(parties);
        let mut here: Vec<Party<'_>> = Vec::new();
        let mut broken = false;
        let mut round = 0;
        let mut indexes: Vec<BTreeSet<usize>> = vec![BTreeSet::new()];
        for step in steps {
            let waiting = here.iter().filter(|party| party.fate.is_none()).count();
            match step {
                Step::Start | Step::Try => {
                    let (answer, future) = match step {
                        Step::Try => (Some(barrier.try_wait()), None),
                        _ => {
                            let mut future = ByHand::new(barrier.wait_async());
                            (future.poll(), Some(future))
                        }
                    };
                    let expected_last = waiting + 1 == parties;
                    match answer {
                        Some(Ok(place)) => {
                            prop_assert!(!broken && expected_last && place.is_leader());
                            prop_assert!(indexes[round].insert(place.index()));
                            for party in here.iter_mut().filter(|party| party.fate.is_none()) {
                                party.fate = Some(Ok(round));
                            }
                            round += 1;
                            indexes.push(BTreeSet::new());
                        }
                        Some(Err(BarrierError::Broken)) => prop_assert!(broken),
                        Some(Err(why)) => prop_assert!(why == BarrierError::NotAll && !broken && !expected_last),
                        None => {
                            prop_assert!(!broken && !expected_last);
                            here.extend(future.map(|future| Party { future, fate: None }));
                        }
                    }
                }
                Step::Poll(index) if !here.is_empty() => {
                    let index = index % here.len();
                    let answer = here[index].future.poll();
                    match (answer, here[index].fate) {
                        (None, None) => continue,
                        (Some(Ok(place)), Some(Ok(of))) => {
                            prop_assert!(!place.is_leader() && place.index() < parties);
                            prop_assert!(indexes[of].insert(place.index()), "an index twice in a round");
                        }
                        (Some(Err(BarrierError::Broken)), Some(Err(()))) => {}
                        (answer, fate) => prop_assert!(false, "{answer:?} where {fate:?} was expected"),
                    }
                    here.remove(index);
                }
                Step::GoAway(index) if !here.is_empty() => drop(here.remove(index % here.len())),
                Step::Abort | Step::Reset => {
                    broken = matches!(step, Step::Abort);
                    match step {
                        Step::Abort => barrier.abort(),
                        _ => barrier.reset(),
                    }
                    for party in here.iter_mut().filter(|party| party.fate.is_none()) {
                        party.fate = Some(Err(()));
                    }
                }
                Step::Poll(_) | Step::GoAway(_) => {}
            }
            prop_assert_eq!(barrier.arrived(), here.iter().filter(|party| party.fate.is_none()).count());
            prop_assert_eq!(barrier.is_broken(), broken);
            // No wake-up is lost.
            prop_assert!(here.iter().all(|party| party.fate.is_none() || party.future.is_told()));
        }
    }
}
