//! `Mutex::when`: nobody has to announce a change, and a condition hurts nobody but whoever waits for it.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, Sharp};
use proptest::prelude::*;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::{Condvar, Mutex, MutexGuard, TimedOut};

/// No two tests at once. Locks that are watched share a few places: those of one test would be woken for nothing by another, or
/// a moment late, by a thread of another that has them told and has not come to wake them.
fn alone() -> impl Drop {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock()
}

#[test]
fn five_ways() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    assert!(mutex.try_when(|value| *value == 1).is_none());
    assert!(!mutex.is_locked(), "trying in vain must not keep the lock");
    for wait in [
        (|mutex| mutex.when_timeout(|value| *value == 1, SHORT).map(drop)) as fn(&Mutex<i32>) -> _,
        |mutex| block_on(mutex.when_async_timeout(|value| *value == 1, SHORT)).map(drop),
    ] {
        let begin = Instant::now();
        assert_eq!(wait(&mutex), Err(TimedOut));
        assert!(begin.elapsed() >= SHORT);
        assert!(!mutex.is_locked());
    }
    thread::scope(|scope| {
        let mutex = &mutex;
        scope.spawn(|| *mutex.when(|value| *value == 1) += 1);
        scope.spawn(|| *mutex.when_timeout(|value| *value == 2, LONG).unwrap() += 1);
        scope.spawn(|| *block_on(mutex.when_async(|value| *value == 3)) += 1);
        scope.spawn(|| *block_on(mutex.when_async_timeout(|value| *value == 4, LONG)).unwrap() += 1);
        *mutex.lock() = 1;
        drop(mutex.when(|value| *value == 5));
    });
    assert_eq!(*mutex.try_when(|value| *value == 5).unwrap(), 5);
}

#[test]
fn limits_of_nothing_and_of_for_ever() {
    let _alone = alone();
    let mutex = Mutex::new(1);
    drop(mutex.when_timeout(|value| *value == 1, Duration::ZERO).expect("it holds"));
    drop(block_on(mutex.when_async_timeout(|value| *value == 1, Duration::ZERO)).expect("it holds"));
    assert!(mutex.when_timeout(|value| *value == 2, Duration::ZERO).is_err());
    let guard = mutex.lock();
    assert!(mutex.when_timeout(|_| true, Duration::ZERO).is_err(), "the lock is not to be had");
    drop(guard);
    thread::scope(|scope| {
        scope.spawn(|| drop(mutex.when_timeout(|value| *value == 2, Duration::MAX).unwrap()));
        scope.spawn(|| drop(block_on(mutex.when_async_timeout(|value| *value == 2, Duration::MAX)).unwrap()));
        *mutex.lock() = 2;
    });
}

#[test]
fn every_way_to_release_tells_those_who_wait() {
    let _alone = alone();
    let condvar = Condvar::new();
    type Way = fn(&Arc<Mutex<i32>>, &Condvar);
    let ways: [Way; 7] = [
        |mutex, _| *mutex.lock() = 1,
        |mutex, _| *mutex.lock_arc() = 1,
        |mutex, _| *MutexGuard::map(mutex.lock(), |value| value) = 1,
        |mutex, _| {
            let mut guard = mutex.lock();
            *guard = 1;
            MutexGuard::hand_over(guard);
        },
        |mutex, _| {
            let mut guard = mutex.lock();
            *guard = 1;
            let _again = MutexGuard::unlocked(guard, || ());
        },
        |mutex, condvar| {
            let mut guard = mutex.lock();
            *guard = 1;
            let _again = condvar.wait_timeout(guard, Duration::ZERO);
        },
        |mutex, _| *mutex.when(|value| *value == 0) = 1,
    ];
    for way in ways {
        let mutex = Arc::new(Mutex::new(0));
        let mut waiting = ByHand::waiting(mutex.when_async(|value| *value == 1));
        way(&mutex, &condvar);
        assert!(waiting.is_told());
        assert!(waiting.poll().is_some());
    }
}

#[test]
fn who_hands_over_tells_those_who_wait_for_a_condition_too() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    let mut condition = ByHand::waiting(mutex.when_async(|value| *value == 1));
    let mut guard = mutex.lock();
    let mut next = ByHand::waiting(mutex.lock_async());
    *guard = 1;
    MutexGuard::hand_over(guard);
    assert!(next.is_told() && condition.is_told());
    drop(next.poll().expect("it was handed the lock"));
    assert!(condition.poll().is_some());
}

#[test]
fn two_who_look_in_vain_do_not_wake_each_other() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    let mut first = ByHand::waiting(mutex.when_async(|value| *value == 1));
    let mut second = ByHand::waiting(mutex.when_async(|value| *value == 1));
    assert!(!first.is_told(), "the second has changed nothing");
    drop(mutex.lock());
    assert!(first.is_told() && second.is_told());
    assert!(first.poll().is_none() && second.poll().is_none());
    assert!(!first.is_told() && !second.is_told());
    drop(mutex.try_when(|_| true));
    assert!(first.is_told() && second.is_told());
}

#[test]
fn a_condition_that_panics_releases_the_lock_and_loses_nobody() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    let mut other = ByHand::waiting(mutex.when_async(|value| *value == 1));
    let bad = |value: &i32| *value == 0 || panic!("a panic that the test asked for");
    drop(mutex.when(bad));
    assert!(other.poll().is_none());
    let mut dies = ByHand::waiting(mutex.when_async(|value| *value == 2 || (*value == 1 && !bad(value))));
    *mutex.lock() = 1;
    let panics: [&mut dyn FnMut(); 4] = [
        &mut || drop(mutex.when(bad)),
        &mut || drop(mutex.try_when(bad)),
        &mut || drop(mutex.when_timeout(bad, LONG)),
        &mut || drop(dies.poll()),
    ];
    for panics in panics {
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert!(!mutex.is_locked());
    }
    assert!(other.is_told());
    assert!(other.poll().is_some());
}

#[test]
fn a_condition_whose_destructor_panics_releases_the_lock() {
    let _alone = alone();
    let ways: [fn(&Mutex<i32>, Sharp); 6] = [
        |mutex, sharp| drop(mutex.when(move |_| sharp.says(true))),
        |mutex, sharp| drop(mutex.try_when(move |_| sharp.says(true))),
        |mutex, sharp| drop(mutex.when_timeout(move |_| sharp.says(true), LONG)),
        |mutex, sharp| drop(mutex.when_timeout(move |_| sharp.says(false), Duration::ZERO)),
        |mutex, sharp| drop(block_on(mutex.when_async(move |_| sharp.says(true)))),
        |mutex, sharp| drop(block_on(mutex.when_async_timeout(move |_| sharp.says(true), LONG))),
    ];
    for way in ways {
        let mutex = Mutex::new(0);
        assert!(catch_unwind(AssertUnwindSafe(|| way(&mutex, Sharp))).is_err());
        assert!(!mutex.is_locked());
    }
}

#[test]
fn a_condition_that_is_slow_keeps_nobody_from_another_lock() {
    let _alone = alone();
    let (slow, quick) = (Mutex::new(0), Mutex::new(0));
    let (go_on, told_to) = mpsc::channel::<()>();
    let (looks, is_looking) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            drop(slow.when(move |_| {
                looks.send(()).expect("the test listens");
                told_to.recv().is_ok()
            }));
        });
        is_looking.recv().expect("it looks");
        scope.spawn(|| drop(quick.when(|value| *value == 1)));
        *quick.lock() = 1;
        drop(quick.when(|value| *value == 1));
        go_on.send(()).expect("it waits");
    });
}

#[test]
fn a_waker_that_panics_is_the_affair_of_nobody_who_releases() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    let mut bomb = Box::pin(mutex.when_async(|value| *value == 1));
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let mut other = ByHand::waiting(mutex.when_async(|value| *value == 1));
    *mutex.lock() = 1;
    assert!(other.is_told());
    assert!(other.poll().is_some());
}

#[test]
fn futures_go_away_in_every_state_and_nobody_is_lost() {
    let _alone = alone();
    let mutex = Mutex::new(0);
    // Not polled; waiting for the lock; waiting for a change; told; told and waiting for the lock.
    drop(mutex.when_async(|_| true));
    let guard = mutex.lock();
    drop(ByHand::waiting(mutex.when_async(|_| true)));
    drop(guard);
    drop(ByHand::waiting(mutex.when_async(|_| false)));
    let told = ByHand::waiting(mutex.when_async(|_| false));
    let mut told_and_waiting = ByHand::waiting(mutex.when_async(|value| *value == 1));
    let mut survivor = ByHand::waiting(mutex.when_async(|value| *value == 1));
    let mut guard = mutex.lock();
    drop(mutex.try_lock());
    *guard = 1;
    drop(guard);
    assert!(told.is_told());
    drop(told);
    let guard = mutex.lock();
    assert!(told_and_waiting.poll().is_none());
    drop(told_and_waiting);
    drop(guard);
    assert!(survivor.poll().is_some());
    assert!(!mutex.is_locked() && !mutex.has_waiters());
}

#[test]
fn polled_once_and_dropped_leaves_nothing() {
    let _alone = alone();
    let times = if cfg!(miri) { 100 } else { 10_000 };
    let mutex = Mutex::new(0);
    let mut waits = ByHand::waiting(mutex.when_async(|value| *value == 1));
    for _ in 0..times {
        drop(ByHand::waiting(mutex.when_async(|value| *value == 1)));
    }
    assert_eq!(waits.wakes(), 0);
    *mutex.lock() = 1;
    assert_eq!(waits.wakes(), 1);
    assert!(waits.poll().is_some());
}

#[test]
fn a_lock_may_go_away_before_a_future_that_was_forgotten() {
    let _alone = alone();
    let mutex = Box::new(Mutex::new(0));
    std::mem::forget(ByHand::waiting(mutex.when_async(|value| *value == 1)));
    let moved = *mutex;
    *moved.lock() = 1;
    drop(moved.when(|value| *value == 1));
}

#[test]
fn threads_take_turns_without_telling_each_other() {
    let _alone = alone();
    const TURNS: u64 = if cfg!(miri) { 3 } else { 300 };
    const THREADS: u64 = 4;
    let turn = Mutex::new(0);
    thread::scope(|scope| {
        for mine in 0..THREADS {
            let turn = &turn;
            scope.spawn(move || {
                for _ in 0..TURNS {
                    match mine % 2 {
                        0 => *turn.when(|turn| turn % THREADS == mine) += 1,
                        _ => *block_on(turn.when_async(|turn| turn % THREADS == mine)) += 1,
                    }
                }
            });
        }
    });
    assert_eq!(*turn.lock(), TURNS * THREADS);
}

#[derive(Clone, Debug)]
enum Step {
    /// One more waits for this value.
    Wait(u8),
    /// The value becomes this.
    Set(u8),
    /// The waiter goes away.
    Leave(usize),
    /// All who were told look, from the back or from the front.
    Look(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_u8).prop_map(Step::Wait),
        3 => (0..4_u8).prop_map(Step::Set),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => any::<bool>().prop_map(Step::Look),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever waits for what the value is has been told, and whoever looks goes through exactly if it is so.
    #[test]
    fn as_a_model_says(steps in steps()) {
        let _alone = alone();
        let mutex = Mutex::new(0_u8);
        let mut value = 0;
        let mut waiting: Vec<(u8, ByHand<'_, MutexGuard<'_, u8>>)> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(wanted) => {
                    let mut wait = ByHand::new(mutex.when_async(move |value| *value == wanted));
                    let done = wait.poll().is_some();
                    prop_assert_eq!(done, wanted == value);
                    if !done {
                        waiting.push((wanted, wait));
                    }
                }
                Step::Set(new) => {
                    value = new;
                    *mutex.lock() = new;
                    prop_assert!(waiting.iter().all(|(_, wait)| wait.is_told()));
                }
                Step::Leave(index) => {
                    if !waiting.is_empty() {
                        drop(waiting.swap_remove(index % waiting.len()));
                    }
                }
                Step::Look(reversed) => {
                    if reversed {
                        waiting.reverse();
                    }
                    waiting.retain_mut(|(wanted, wait)| {
                        let done = wait.is_told() && wait.poll().is_some();
                        assert!(!done || *wanted == value, "it went through for nothing");
                        !done
                    });
                    prop_assert!(waiting.iter().all(|(wanted, _)| *wanted != value), "somebody was not told");
                }
            }
            prop_assert!(!mutex.is_locked());
        }
    }
}
