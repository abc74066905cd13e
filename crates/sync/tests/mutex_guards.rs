//! The mutex's guards: those that own a share of it, those of a part of its value, and letting the lock go for a while.

mod common;

use common::{ByHand, Counted, LONG, SHORT};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use sync::mutex::{ArcMutexGuard, MappedMutexGuard};
use sync::park::block_on;
use sync::{Mutex, MutexGuard, TimedOut};

#[test]
fn a_share_is_locked_in_five_ways() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock_arc();
    assert!(mutex.try_lock_arc().is_none());
    assert_eq!(mutex.lock_arc_timeout(SHORT).map(drop), Err(TimedOut));
    assert_eq!(block_on(mutex.lock_arc_async_timeout(SHORT)).map(drop), Err(TimedOut));
    assert!(mutex.is_locked(), "trying in vain must not release the lock");
    type Way = fn(&Arc<Mutex<i32>>) -> ArcMutexGuard<i32>;
    let ways: [Way; 4] = [
        |mutex| mutex.lock_arc(),
        |mutex| mutex.lock_arc_timeout(LONG).unwrap(),
        |mutex| block_on(mutex.lock_arc_async()),
        |mutex| block_on(mutex.lock_arc_async_timeout(LONG)).unwrap(),
    ];
    thread::scope(|scope| {
        let mutex = &mutex;
        for way in ways {
            scope.spawn(move || *way(mutex) += 1);
        }
        drop(guard);
    });
    assert_eq!(*mutex.try_lock_arc().unwrap(), 4);
    assert!(!mutex.is_locked());
    assert_eq!(Arc::strong_count(&mutex), 1, "nobody keeps a share");
}

#[test]
fn a_guard_with_the_last_share_drops_the_value_after_the_lock() {
    let value = Counted::default();
    let mutex = Arc::new(Mutex::new(value.clone()));
    let guard = mutex.lock_arc();
    assert!(Arc::ptr_eq(ArcMutexGuard::mutex(&guard), &mutex));
    drop(mutex);
    assert_eq!(value.others(), 1);
    drop(guard);
    assert_eq!(value.others(), 0);
}

#[test]
fn a_share_outlives_its_lock() {
    let guard = Arc::new(Mutex::new(1)).lock_arc();
    let mutex = ArcMutexGuard::unlock(guard);
    assert!(!mutex.is_locked());
    assert_eq!(
        Arc::try_unwrap(mutex).map(Mutex::into_inner).ok(),
        Some(1),
        "the share was moved, not copied"
    );
}

#[test]
fn a_future_that_waits_for_a_share_may_go_anywhere() {
    let mutex = Arc::new(Mutex::new(1));
    let guard = mutex.lock();
    let waiting: ByHand<'static, ArcMutexGuard<i32>> = ByHand::waiting(mutex.lock_arc_async());
    assert_eq!(Arc::strong_count(&mutex), 2);
    drop(waiting);
    assert_eq!(Arc::strong_count(&mutex), 1);
    assert!(!mutex.has_waiters());
    drop(guard);
}

#[test]
fn shares_of_a_value_of_unknown_size() {
    let mutex: Arc<Mutex<dyn Fn() -> i32 + Send>> = Arc::new(Mutex::new(|| 7));
    assert_eq!((mutex.lock_arc())(), 7);
    let slice: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    assert_eq!(*MutexGuard::map(slice.lock(), |all| &mut all[1..]), [2, 3]);
}

#[test]
fn a_part_holds_the_lock_of_the_whole() {
    let mutex = Mutex::new((1, [2, 3]));
    let part = MutexGuard::map(mutex.lock(), |whole| &mut whole.1);
    let mut part = MappedMutexGuard::map(part, |array| &mut array[1]);
    assert!(mutex.is_locked());
    *part = 4;
    assert_eq!(format!("{part} {part:?}"), "4 4");
    drop(part);
    assert!(!mutex.is_locked());
    assert_eq!(*mutex.lock(), (1, [2, 4]));
}

#[test]
fn a_part_that_is_not_there_gives_the_guard_back() {
    let mutex = Mutex::new(vec![1, 2]);
    let guard = MutexGuard::filter_map(mutex.lock(), |all| all.get_mut(5)).map(drop).expect_err("too short");
    let part = MutexGuard::filter_map(guard, |all| all.get_mut(0..2)).expect("long enough");
    let part = MappedMutexGuard::filter_map(part, |all| all.get_mut(9)).map(drop).expect_err("too short");
    let mut one = MappedMutexGuard::filter_map(part, |all| all.get_mut(1)).expect("long enough");
    *one = 7;
    drop(one);
    assert_eq!(*mutex.try_lock().expect("it was released"), [1, 7]);
}

#[test]
fn a_panic_while_a_part_is_picked_releases_the_lock() {
    let mutex = Mutex::new(1);
    for way in [
        (|mutex| drop(MutexGuard::map(mutex.lock(), asked_for))) as fn(&Mutex<i32>),
        |mutex| drop(MutexGuard::filter_map(mutex.lock(), |value| Some(asked_for(value)))),
        |mutex| drop(MappedMutexGuard::map(MutexGuard::map(mutex.lock(), |value| value), asked_for)),
        |mutex| drop(MutexGuard::unlocked(mutex.lock(), || panic!("a panic that the test asked for"))),
    ] {
        assert!(catch_unwind(AssertUnwindSafe(|| way(&mutex))).is_err());
        assert!(!mutex.is_locked());
    }
}

fn asked_for(_: &mut i32) -> &mut i32 {
    panic!("a panic that the test asked for")
}

#[test]
fn unlocked_lets_others_in() {
    let mutex = Mutex::new(1);
    let (guard, seen) = MutexGuard::unlocked(mutex.lock(), || {
        *mutex.lock() += 1;
        "seen"
    });
    assert_eq!((*guard, seen), (2, "seen"));
    assert!(mutex.is_locked());
}

#[test]
fn handing_over_gives_the_lock_to_whoever_waits() {
    let mutex = Mutex::new(());
    MutexGuard::hand_over(mutex.lock());
    assert!(!mutex.is_locked(), "with nobody there it is a release");
    let guard = mutex.lock();
    let mut first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    let since = Instant::now();
    MutexGuard::hand_over(guard);
    assert!(first.is_told() && second.is_not_next(since));
    let guard = first.poll().expect("nobody else can have it");
    assert!(second.poll().is_none());
    drop(guard);
    assert!(second.poll().is_some());

    let guard = mutex.lock();
    thread::scope(|scope| {
        let thread = scope.spawn(|| drop(mutex.lock()));
        while !mutex.has_waiters() {
            thread::yield_now();
        }
        MutexGuard::hand_over(guard);
        thread.join().unwrap();
    });
    assert!(!mutex.is_locked());
}

#[test]
fn guards_that_are_forgotten_keep_the_lock_and_break_nothing() {
    let mutex = Arc::new(Mutex::new(1));
    std::mem::forget(mutex.lock_arc());
    assert!(mutex.try_lock().is_none());
    let mutex = Mutex::new(1);
    std::mem::forget(MutexGuard::map(mutex.lock(), |value| value));
    assert!(mutex.lock_timeout(Duration::ZERO).is_err());
}
