//! A mutex that is poisoned by a panic, and waiting under it.

mod common;

use common::{ByHand, LONG, SHORT, Sharp};
use corosensei::{ScopedCoroutine, Yielder};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, TryLockError};
use std::thread;
use sync::Condvar;
use sync::extra::{
    ArcPoisonMutexGuard, MappedPoisonMutexGuard, PoisonMutex, PoisonMutexGuard, TimedLockError,
};
use sync::park::block_on;

fn poison(mutex: &PoisonMutex<i32>) {
    let panics = AssertUnwindSafe(|| {
        let mut guard = mutex.lock().unwrap();
        *guard += 1;
        panic!("a panic that the test asked for");
    });
    assert!(catch_unwind(panics).is_err());
}

#[test]
fn five_ways_while_nothing_has_happened() {
    let mutex = PoisonMutex::new(0);
    let guard = mutex.lock().unwrap();
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    assert!(matches!(mutex.lock_timeout(SHORT), Err(TimedLockError::TimedOut)));
    assert!(matches!(block_on(mutex.lock_async_timeout(SHORT)), Err(TimedLockError::TimedOut)));
    thread::scope(|scope| {
        scope.spawn(|| *mutex.lock().unwrap() += 1);
        scope.spawn(|| *mutex.lock_timeout(LONG).unwrap() += 1);
        scope.spawn(|| *block_on(mutex.lock_async()).unwrap() += 1);
        scope.spawn(|| *block_on(mutex.lock_async_timeout(LONG)).unwrap() += 1);
        drop(guard);
    });
    assert_eq!(*mutex.try_lock().unwrap(), 4);
    assert_eq!(mutex.into_inner().unwrap(), 4);
}

#[test]
fn a_panic_poisons_every_way_and_the_guard_is_in_the_error() {
    let mut mutex = PoisonMutex::new(0);
    poison(&mutex);
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1);
    let Err(TryLockError::Poisoned(error)) = mutex.try_lock() else { panic!("it is poisoned") };
    drop(error);
    let Err(TimedLockError::Poisoned(error)) = mutex.lock_timeout(LONG) else { panic!("it is poisoned") };
    assert!(error.to_string().contains("poisoned"));
    assert_eq!(*error.into_inner(), 1);
    let Err(TimedLockError::Poisoned(error)) = block_on(mutex.lock_async_timeout(LONG)) else {
        panic!("it is poisoned")
    };
    drop(error);
    drop(block_on(mutex.lock_async()).unwrap_err());
    assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 1);
    mutex.clear_poison();
    assert!(!mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap(), 1);
    poison(&mutex);
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 2);
}

#[test]
fn a_guard_that_was_taken_in_a_panic_poisons_nothing() {
    struct Locks<'a>(&'a PoisonMutex<i32>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let mutex = PoisonMutex::new(0);
    let panics = AssertUnwindSafe(|| {
        let _locks = Locks(&mutex);
        panic!("a panic that the test asked for");
    });
    assert!(catch_unwind(panics).is_err());
    assert_eq!(*mutex.lock().unwrap(), 1);
}

#[test]
fn a_guard_that_was_taken_in_a_panic_poisons_by_a_panic_on_another_thread() {
    type Guard<'a> = Box<dyn Send + 'a>;
    struct Sends<'a>(&'a Share, fn(&Share) -> Guard<'_>);
    impl Drop for Sends<'_> {
        fn drop(&mut self) {
            let guard = (self.1)(self.0);
            thread::scope(|scope| {
                let panics = scope.spawn(move || {
                    let _guard = guard;
                    panic!("a panic that the test asked for");
                });
                assert!(panics.join().is_err());
            });
        }
    }
    let ways: [fn(&Share) -> Guard<'_>; 3] = [
        |mutex| Box::new(mutex.lock().unwrap()),
        |mutex| Box::new(mutex.lock_arc().unwrap()),
        |mutex| Box::new(PoisonMutexGuard::map(mutex.lock().unwrap(), |value| value)),
    ];
    for way in ways {
        let mutex = Arc::new(PoisonMutex::new(0));
        let panics = AssertUnwindSafe(|| {
            let _sends = Sends(&mutex, way);
            panic!("a panic that the test asked for");
        });
        assert!(catch_unwind(panics).is_err());
        assert!(mutex.is_poisoned());
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri knows no stacks but the thread's")]
fn a_coroutine_that_goes_away_with_the_guard_poisons_and_a_future_does_not() {
    let mutex = PoisonMutex::new(0);
    drop(ByHand::waiting(async {
        let _guard = mutex.lock_async().await;
        std::future::pending::<()>().await;
    }));
    assert!(mutex.try_lock().is_ok());
    let coroutine = ScopedCoroutine::new(|yielder: &Yielder<(), ()>, ()| {
        let _guard = mutex.lock();
        yielder.suspend(());
    });
    coroutine.scope(|mut coroutine| assert!(coroutine.resume(()).as_yield().is_some()));
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
}

#[test]
fn who_waits_learns_that_it_was_poisoned_meanwhile() {
    let (mutex, condvar) = (PoisonMutex::new(0), Condvar::new());
    let waits: [fn(&PoisonMutex<i32>, &Condvar) -> bool; 6] = [
        |mutex, condvar| condvar.wait(mutex.lock().unwrap()).is_err(),
        |mutex, condvar| condvar.wait_while(mutex.lock().unwrap(), |_| true).is_err(),
        |mutex, condvar| condvar.wait_timeout(mutex.lock().unwrap(), LONG).0.is_err(),
        |mutex, condvar| condvar.wait_while_timeout(mutex.lock().unwrap(), |_| true, LONG).0.is_err(),
        |mutex, condvar| block_on(condvar.wait_async(mutex.lock().unwrap())).is_err(),
        |mutex, condvar| {
            block_on(condvar.wait_while_async_timeout(mutex.lock().unwrap(), |_| true, LONG)).0.is_err()
        },
    ];
    for wait in waits {
        mutex.clear_poison();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&mutex, &condvar));
            while condvar.waiting() == 0 {
                thread::yield_now();
            }
            poison(&mutex);
            condvar.notify_all();
            assert!(waiter.join().unwrap());
        });
    }
}

type Share = Arc<PoisonMutex<i32>>;

#[test]
fn a_share_is_locked_in_five_ways() {
    let mutex = Arc::new(PoisonMutex::new(0));
    let guard = mutex.lock_arc().unwrap();
    assert!(matches!(mutex.try_lock_arc(), Err(TryLockError::WouldBlock)));
    assert!(matches!(mutex.lock_arc_timeout(SHORT), Err(TimedLockError::TimedOut)));
    assert!(matches!(block_on(mutex.lock_arc_async_timeout(SHORT)), Err(TimedLockError::TimedOut)));
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)), "trying in vain must not release it");
    let ways: [fn(&Share) -> ArcPoisonMutexGuard<i32>; 4] = [
        |mutex| mutex.lock_arc().unwrap(),
        |mutex| mutex.lock_arc_timeout(LONG).unwrap(),
        |mutex| block_on(mutex.lock_arc_async()).unwrap(),
        |mutex| block_on(mutex.lock_arc_async_timeout(LONG)).unwrap(),
    ];
    thread::scope(|scope| {
        let mutex = &mutex;
        for way in ways {
            scope.spawn(move || *way(mutex) += 1);
        }
        drop(guard);
    });
    let guard = mutex.try_lock_arc().unwrap();
    assert!(*guard == 4 && Arc::ptr_eq(ArcPoisonMutexGuard::mutex(&guard), &mutex));
    drop(guard);
    assert_eq!(Arc::strong_count(&mutex), 1, "nobody keeps a share");
    assert_eq!(Arc::into_inner(mutex).unwrap().into_inner().unwrap(), 4);
}

#[test]
fn a_share_is_poisoned_by_every_way_and_says_so_in_every_way() {
    let ways: [fn(&Share) -> ArcPoisonMutexGuard<i32>; 5] = [
        |mutex| mutex.lock_arc().unwrap(),
        |mutex| mutex.try_lock_arc().unwrap(),
        |mutex| mutex.lock_arc_timeout(LONG).unwrap(),
        |mutex| block_on(mutex.lock_arc_async()).unwrap(),
        |mutex| block_on(mutex.lock_arc_async_timeout(LONG)).unwrap(),
    ];
    let mutex = Arc::new(PoisonMutex::new(0));
    for way in ways {
        let panics = AssertUnwindSafe(|| {
            let _guard = way(&mutex);
            panic!("a panic that the test asked for");
        });
        assert!(catch_unwind(panics).is_err());
        assert!(mutex.lock_arc().is_err());
        assert!(matches!(mutex.try_lock_arc(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(mutex.lock_arc_timeout(LONG), Err(TimedLockError::Poisoned(_))));
        assert!(block_on(mutex.lock_arc_async()).is_err());
        assert!(matches!(block_on(mutex.lock_arc_async_timeout(LONG)), Err(TimedLockError::Poisoned(_))));
        mutex.clear_poison();
        drop(way(&mutex));
    }
    assert_eq!(Arc::strong_count(&mutex), 1, "nobody keeps a share");
}

#[test]
fn who_waits_with_a_share_learns_that_it_was_poisoned_meanwhile() {
    let (mutex, condvar) = (Arc::new(PoisonMutex::new(0)), Condvar::new());
    let waits: [fn(&Share, &Condvar) -> bool; 2] = [
        |mutex, condvar| condvar.wait_while(mutex.lock_arc().unwrap(), |_| true).is_err(),
        |mutex, condvar| block_on(condvar.wait_async(mutex.lock_arc().unwrap())).is_err(),
    ];
    for wait in waits {
        mutex.clear_poison();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&mutex, &condvar));
            while condvar.waiting() == 0 {
                thread::yield_now();
            }
            poison(&mutex);
            condvar.notify_all();
            assert!(waiter.join().unwrap());
        });
    }
}

#[test]
fn a_condition_is_waited_for_in_five_ways() {
    let mutex = PoisonMutex::new(0);
    let is = |wanted| move |value: &i32| *value == wanted;
    assert!(matches!(mutex.try_when(is(1)), Err(TryLockError::WouldBlock)));
    assert!(matches!(mutex.when_timeout(is(1), SHORT), Err(TimedLockError::TimedOut)));
    assert!(matches!(block_on(mutex.when_async_timeout(is(1), SHORT)), Err(TimedLockError::TimedOut)));
    assert!(mutex.try_lock().is_ok(), "trying in vain must not keep the lock");
    thread::scope(|scope| {
        scope.spawn(|| *mutex.when(is(1)).unwrap() += 1);
        scope.spawn(|| *mutex.when_timeout(is(2), LONG).unwrap() += 1);
        scope.spawn(|| *block_on(mutex.when_async(is(3))).unwrap() += 1);
        scope.spawn(|| *block_on(mutex.when_async_timeout(is(4), LONG)).unwrap() += 1);
        *mutex.lock().unwrap() = 1;
    });
    assert_eq!(*mutex.try_when(is(5)).unwrap(), 5);
}

#[test]
fn who_waits_for_a_condition_learns_that_nobody_may_make_it_hold() {
    fn never(_: &i32) -> bool {
        false
    }
    let waits: [fn(&PoisonMutex<i32>) -> bool; 4] = [
        |mutex| mutex.when(never).is_err(),
        |mutex| matches!(mutex.when_timeout(never, LONG), Err(TimedLockError::Poisoned(_))),
        |mutex| block_on(mutex.when_async(never)).is_err(),
        |mutex| matches!(block_on(mutex.when_async_timeout(never, LONG)), Err(TimedLockError::Poisoned(_))),
    ];
    for wait in waits {
        let mutex = PoisonMutex::new(0);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&mutex));
            poison(&mutex);
            assert!(waiter.join().unwrap());
        });
        assert!(wait(&mutex), "a wait that begins then ends as well");
        assert!(matches!(mutex.try_when(never), Err(TryLockError::Poisoned(_))));
    }
}

/// Clears the poison when the condition that has it is dropped.
struct Clears<'a>(&'a PoisonMutex<i32>);

impl Clears<'_> {
    fn never(&self) -> bool {
        false
    }
}

impl Drop for Clears<'_> {
    fn drop(&mut self) {
        self.0.clear_poison();
    }
}

#[test]
fn a_wait_that_poison_ended_says_so_although_it_is_cleared_meanwhile() {
    let waits: [fn(&PoisonMutex<i32>, Clears<'_>) -> bool; 5] = [
        |mutex, clears| mutex.when(move |_| clears.never()).is_err(),
        |mutex, clears| mutex.try_when(move |_| clears.never()).is_err(),
        |mutex, clears| mutex.when_timeout(move |_| clears.never(), LONG).is_err(),
        |mutex, clears| block_on(mutex.when_async(move |_| clears.never())).is_err(),
        |mutex, clears| block_on(mutex.when_async_timeout(move |_| clears.never(), LONG)).is_err(),
    ];
    let mutex = PoisonMutex::new(0);
    for wait in waits {
        poison(&mutex);
        assert!(wait(&mutex, Clears(&mutex)), "its condition does not hold");
        assert!(!mutex.is_poisoned());
    }
}

#[test]
fn a_condition_that_panics_poisons() {
    let waits: [fn(&PoisonMutex<i32>); 5] = [
        |mutex| drop(mutex.when(|_| panic!("a panic that the test asked for"))),
        |mutex| drop(mutex.try_when(|_| panic!("a panic that the test asked for"))),
        |mutex| drop(mutex.when_timeout(|_| panic!("a panic that the test asked for"), LONG)),
        |mutex| drop(block_on(mutex.when_async(|_| panic!("a panic that the test asked for")))),
        |mutex| drop(block_on(mutex.when_async_timeout(|_| panic!("a panic that the test asked for"), LONG))),
    ];
    for wait in waits {
        let mutex = PoisonMutex::new(0);
        assert!(catch_unwind(AssertUnwindSafe(|| wait(&mutex))).is_err());
        assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    }
}

#[test]
fn a_condition_whose_destructor_panics_poisons() {
    let waits: [fn(&PoisonMutex<i32>, Sharp); 6] = [
        |mutex, sharp| drop(mutex.when(move |_| sharp.says(true))),
        |mutex, sharp| drop(mutex.try_when(move |_| sharp.says(true))),
        |mutex, sharp| drop(mutex.when_timeout(move |_| sharp.says(true), LONG)),
        |mutex, sharp| drop(block_on(mutex.when_async(move |_| sharp.says(true)))),
        |mutex, sharp| drop(block_on(mutex.when_async_timeout(move |_| sharp.says(true), LONG))),
        |mutex, sharp| drop(Condvar::new().wait_while(mutex.lock().unwrap(), move |_| sharp.says(false))),
    ];
    for wait in waits {
        let mutex = PoisonMutex::new(0);
        assert!(catch_unwind(AssertUnwindSafe(|| wait(&mutex, Sharp))).is_err());
        assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    }
}

type Two = (i32, Option<i32>);
type Pair = PoisonMutex<Two>;

#[test]
fn a_guard_of_a_part_holds_the_lock_of_the_whole() {
    let mutex: Pair = PoisonMutex::new((1, None));
    let guard = mutex.lock().unwrap();
    assert!(std::ptr::eq(PoisonMutexGuard::mutex(&guard), &mutex));
    let Err(guard) = PoisonMutexGuard::filter_map(guard, |(_, second)| second.as_mut()) else {
        panic!("there is no such part")
    };
    let mut both = PoisonMutexGuard::map(guard, |both| both);
    both.1 = Some(2);
    let second = MappedPoisonMutexGuard::filter_map(both, |(_, second)| second.as_mut()).ok().unwrap();
    let mut second = MappedPoisonMutexGuard::map(second, |second| second);
    *second += 1;
    assert_eq!(format!("{second} {second:?}"), "3 3");
    let Err(second) = MappedPoisonMutexGuard::filter_map(second, |_| None::<&mut i32>) else {
        panic!("there is no such part")
    };
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    drop(second);
    assert_eq!(*mutex.lock().unwrap(), (1, Some(3)));
}

/// Each panics on its way, or when it has a guard of a part. Somebody waits for the lock: he must not come in before it is poisoned.
#[test]
fn a_panic_beside_a_guard_of_a_part_poisons_before_the_lock_is_released() {
    fn part(guard: PoisonMutexGuard<'_, Two>) -> MappedPoisonMutexGuard<'_, i32> {
        PoisonMutexGuard::map(guard, |(first, _)| first)
    }
    fn panics() -> ! {
        panic!("a panic that the test asked for")
    }
    let ways: [fn(PoisonMutexGuard<'_, Two>); 5] = [
        |guard| drop(PoisonMutexGuard::map::<i32>(guard, |_| panics())),
        |guard| drop(PoisonMutexGuard::filter_map::<i32>(guard, |_| panics())),
        |guard| drop(MappedPoisonMutexGuard::map::<i32>(part(guard), |_| panics())),
        |guard| drop(MappedPoisonMutexGuard::filter_map::<i32>(part(guard), |_| panics())),
        |guard| {
            let _part = part(guard);
            panics();
        },
    ];
    for way in ways {
        for _ in 0..if cfg!(miri) { 1 } else { 20 } {
            let mutex: Pair = PoisonMutex::new((1, None));
            let guard = mutex.lock().unwrap();
            thread::scope(|scope| {
                let next = scope.spawn(|| mutex.lock().is_err());
                assert!(catch_unwind(AssertUnwindSafe(|| way(guard))).is_err());
                assert!(next.join().unwrap(), "it came in before the mutex was poisoned");
            });
            mutex.clear_poison();
            drop(part(mutex.lock().unwrap()));
            assert!(!mutex.is_poisoned());
        }
    }
}

#[test]
fn the_lock_is_given_up_in_the_middle_and_handed_over() {
    let mutex = &Arc::new(PoisonMutex::new(0));
    let (guard, was_free) = PoisonMutexGuard::unlocked(mutex.lock().unwrap(), || !mutex.is_locked());
    assert!(was_free && mutex.is_locked() && !mutex.has_waiters());
    let mut next = ByHand::waiting(mutex.lock_async());
    assert!(mutex.has_waiters());
    PoisonMutexGuard::hand_over(guard.unwrap());
    assert!(next.is_told() && next.poll().unwrap().is_ok() && !mutex.is_poisoned());
    let (guard, ()) = PoisonMutexGuard::unlocked(mutex.lock().unwrap(), || poison(mutex));
    assert!(guard.is_err(), "it was poisoned meanwhile");
    drop(guard);
    mutex.clear_poison();
    let guard = mutex.lock().unwrap();
    let panics = AssertUnwindSafe(|| {
        PoisonMutexGuard::unlocked(guard, || panic!("a panic that the test asked for")).1
    });
    assert!(catch_unwind(panics).is_err());
    assert!(mutex.try_lock().is_ok(), "nobody had the lock");
    let unlocked = ArcPoisonMutexGuard::unlock(mutex.lock_arc().unwrap());
    assert!(Arc::ptr_eq(&unlocked, mutex) && !mutex.is_locked());
}

#[test]
fn a_panic_in_showing_the_value_poisons() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a panic that the test asked for")
        }
    }
    let mutex = PoisonMutex::new(Panics);
    assert!(catch_unwind(AssertUnwindSafe(|| format!("{mutex:?}"))).is_err());
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
}

#[test]
fn it_is_shown() {
    let mutex = PoisonMutex::new(5);
    assert_eq!(format!("{mutex:?}"), "PoisonMutex { poisoned: false, mutex: Mutex { value: 5 } }");
    let guard = mutex.lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "PoisonMutex { poisoned: false, mutex: Mutex { <locked> } }");
    assert_eq!(format!("{guard} {guard:?}"), "5 5");
    let unsized_one: &PoisonMutex<[i32]> = &PoisonMutex::new([1, 2]);
    assert_eq!(unsized_one.lock().unwrap().len(), 2);
}
