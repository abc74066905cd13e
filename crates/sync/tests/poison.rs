//! A mutex that is poisoned by a panic, and waiting under it.

mod common;

use common::{LONG, SHORT};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::TryLockError;
use std::thread;
use sync::Condvar;
use sync::extra::{PoisonMutex, TimedLockError};
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

#[test]
fn it_is_shown() {
    let mutex = PoisonMutex::new(5);
    assert_eq!(format!("{mutex:?}"), "PoisonMutex { poisoned: false, mutex: Mutex { value: 5 } }");
    let guard = mutex.lock().unwrap();
    assert_eq!(format!("{guard} {guard:?}"), "5 5");
    let unsized_one: &PoisonMutex<[i32]> = &PoisonMutex::new([1, 2]);
    assert_eq!(unsized_one.lock().unwrap().len(), 2);
}
