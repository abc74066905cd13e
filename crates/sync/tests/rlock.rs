//! A lock that its owner takes again: who the owner is, and who is kept out.

mod common;

use common::{ByHand, LONG, SHORT, many};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use sync::extra::{Owner, RLock, RLockGuard};
use sync::park::block_on;
use sync::{Condvar, Event, TimedOut};

/// The message of the panic that `work` ends with.
fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let panicked = sync::catch(AssertUnwindSafe(work)).err().expect("it should panic");
    panicked.to_string()
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn its_thread_takes_it_again_and_no_other_does() {
    static LOCK: RLock<Cell<u32>> = RLock::new(Cell::new(0));
    assert_eq!((LOCK.depth(), LOCK.is_owner(), LOCK.is_locked()), (0, false, false));
    let first = LOCK.lock();
    let second = LOCK.try_lock().expect("it is ours");
    let third = LOCK.lock_timeout(SHORT).expect("it is ours");
    third.set(third.get() + 1);
    assert_eq!((LOCK.depth(), LOCK.is_owner()), (3, true));
    // In any order.
    drop(first);
    drop(third);
    assert!(RLockGuard::rlock(&second).is_locked());
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!((LOCK.depth(), LOCK.is_owner(), LOCK.is_locked()), (0, false, true));
            assert!(LOCK.try_lock().is_none());
            assert_eq!(LOCK.lock_timeout(SHORT).map(drop), Err(TimedOut));
        });
    });
    assert_eq!((LOCK.depth(), second.get()), (1, 1));
    drop(second);
    assert_eq!((LOCK.depth(), LOCK.is_owner(), LOCK.is_locked()), (0, false, false));
    thread::spawn(|| drop(LOCK.try_lock().expect("it is free"))).join().unwrap();
}

#[test]
fn who_waits_gets_it_when_the_last_guard_goes() {
    let (lock, log) = (RLock::new(()), std::sync::Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let outer = lock.lock();
        let inner = lock.lock();
        scope.spawn(|| {
            let _mine = lock.lock();
            log.lock().unwrap().push("the other");
        });
        while !lock.has_waiters() {
            thread::yield_now();
        }
        drop(outer);
        assert!(lock.is_owner());
        log.lock().unwrap().push("the first");
        drop(inner);
    });
    assert_eq!(*log.lock().unwrap(), ["the first", "the other"]);
}

#[test]
fn many_threads_count_in_nested_calls() {
    const TURNS: u32 = if cfg!(miri) { 5 } else { 500 };
    let lock = RLock::new(Cell::new(0_u32));
    fn add(lock: &RLock<Cell<u32>>, depth: u32) {
        let guard = lock.lock();
        let seen = guard.get();
        if depth > 0 {
            add(lock, depth - 1);
            assert_eq!(guard.get(), seen + depth, "somebody else was here");
        }
        guard.set(guard.get() + 1);
    }
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| (0..TURNS).for_each(|_| add(&lock, 3)))));
    });
    assert_eq!(lock.into_inner().get(), 4 * TURNS * 4);
}

/// The bug of every lock that knows its owner by the thread: the second task is on the thread of the first.
#[test]
fn a_guard_that_is_held_over_an_await_lets_no_other_task_of_the_thread_in() {
    let steps = Rc::new(RLock::new(RefCell::new(Vec::new())));
    let (lock, is_half_done) = (Rc::clone(&steps), Rc::new(Event::new()));
    let half_done = Rc::clone(&is_half_done);
    let mut first = ByHand::new(Owner::new().task(async move {
        let steps = lock.lock_async().await;
        steps.borrow_mut().push("half");
        half_done.wait_async().await;
        // It comes in again itself.
        lock.lock_async().await.borrow_mut().push("done");
    }));
    let lock = Rc::clone(&steps);
    let mut second = ByHand::new(Owner::new().task(async move {
        assert!(lock.try_lock().is_none(), "the other task has it, on this very thread");
        assert_eq!((lock.depth(), lock.is_owner()), (0, false));
        let steps = lock.lock_async().await;
        assert_eq!(*steps.borrow(), ["half", "done"]);
    }));
    assert!(first.poll().is_none());
    assert!(second.poll().is_none());
    assert!(!steps.is_owner(), "the thread is neither of them");
    assert!(steps.try_lock().is_none());
    is_half_done.set();
    assert!(second.poll().is_none(), "nothing has changed for it");
    assert!(first.poll().is_some());
    assert!(second.poll().is_some());
    assert!(!steps.is_locked());
}

#[test]
fn what_a_task_calls_and_joins_is_the_task() {
    let lock = RLock::new(());
    let owner = Owner::new();
    block_on(owner.task(async {
        let _guard = lock.lock_async().await;
        drop(lock.lock());
        drop(lock.try_lock().expect("it is ours"));
        let (mut one, mut other) = (
            pin!(lock.lock_async()),
            pin!(async {
                yield_once().await;
                lock.depth()
            }),
        );
        let one = poll_fn(|cx| one.as_mut().poll(cx)).await;
        let depth = poll_fn(|cx| other.as_mut().poll(cx)).await;
        drop(one);
        assert_eq!((depth, lock.depth()), (2, 1));
        // What it polls as another is another.
        let mut other = ByHand::new(Owner::new().task(lock.lock_async()));
        assert!(other.poll().is_none());
        assert!(lock.is_owner());
    }));
    assert!(!lock.is_locked());
}

#[test]
fn a_task_that_moves_to_another_thread_can_lock_there() {
    let lock = Arc::new(RLock::new(Cell::new(0)));
    let shared = Arc::clone(&lock);
    let mut task = Box::pin(Owner::new().task(async move {
        for _ in 0..2 {
            {
                let number = shared.lock_async().await;
                number.set(number.get() + 1);
                assert_eq!(shared.depth(), 1);
            }
            yield_once().await;
        }
    }));
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    thread::spawn(move || while task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {})
        .join()
        .unwrap();
    assert_eq!(lock.lock().get(), 2);
}

/// A guard that was forgotten stays on its thread, so the owner does not get one beside it on another.
#[test]
fn an_owner_that_has_forgotten_a_guard_has_none_on_another_thread() {
    let lock: &'static RLock<Cell<u32>> = Box::leak(Box::new(RLock::new(Cell::new(0))));
    let owner = Owner::new();
    let kept = owner.run(|| lock.lock());
    thread::spawn(move || {
        owner.run(|| {
            assert!(lock.try_lock().is_none());
            assert!(!lock.is_owner());
        });
    })
    .join()
    .unwrap();
    drop(kept);
    assert!(!lock.is_locked(), "a guard needs not be dropped as its owner");
}

#[test]
fn a_future_that_is_not_run_as_a_task_is_told_what_to_do() {
    let lock = RLock::new(());
    assert!(panic_of(|| block_on(lock.lock_async())).contains("extra::Owner::new().task(future)"));
    let _guard = lock.lock();
    assert!(
        panic_of(|| block_on(lock.lock_async_timeout(SHORT))).contains("extra::Owner::new().task(future)")
    );
    // A hub says which coroutine runs; it does not know what that polls.
    let message = Owner::new().run(|| panic_of(|| block_on(lock.lock_async())));
    assert!(message.contains("extra::Owner::new().task(future)"));
}

#[test]
fn a_wait_that_goes_on_outside_of_its_task_releases_the_lock() {
    let lock = RLock::new(());
    let mut waiting = Box::pin(lock.lock_async());
    let guard = lock.lock();
    let look = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending()));
    assert!(block_on(Owner::new().task(look)), "it should wait");
    drop(guard);
    assert!(panic_of(|| block_on(waiting)).contains("run the task"));
    assert!(!lock.is_locked());
}

#[test]
fn a_wait_that_is_dropped_keeps_nobody_out() {
    let lock = RLock::new(());
    let task = || ByHand::waiting(Owner::new().task(async { drop(lock.lock_async().await) }));
    let guard = lock.lock();
    for _ in 0..many() {
        drop(task());
    }
    let (first, mut second) = (task(), task());
    drop(guard);
    assert!(first.is_told());
    drop(first);
    assert!(second.poll().is_some());
    assert!(!lock.is_locked() && !lock.has_waiters());
}

#[test]
fn a_panic_releases_what_it_passes() {
    let lock = RLock::new(Cell::new(1));
    let outer = lock.lock();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _inner = (lock.lock(), lock.lock());
        std::panic::resume_unwind(Box::new("a panic that the test asked for"));
    }));
    assert!(panicked.is_err());
    assert_eq!(lock.depth(), 1);
    drop(outer);
    assert_eq!(lock.try_lock().map(|value| value.get()), Some(1));
}

#[test]
fn a_task_is_dropped_as_its_owner() {
    struct LocksWhenDropped<'a>(&'a RLock<()>, &'a Cell<usize>);

    impl Drop for LocksWhenDropped<'_> {
        fn drop(&mut self) {
            let _again = self.0.lock();
            self.1.set(self.0.depth());
        }
    }

    let (lock, depth) = (RLock::new(()), Cell::new(0));
    let waiting = ByHand::waiting(Owner::new().task(async {
        let _guard = lock.lock_async().await;
        let _under_it = LocksWhenDropped(&lock, &depth);
        std::future::pending::<()>().await;
    }));
    drop(waiting);
    assert_eq!(depth.get(), 2);
    assert!(!lock.is_locked());
}

#[test]
fn a_forgotten_guard_keeps_the_lock_with_its_owner() {
    let lock = RLock::new(());
    std::mem::forget(lock.lock());
    drop(lock.lock());
    assert_eq!(lock.depth(), 1);
    thread::scope(|scope| {
        scope.spawn(|| assert!(lock.lock_timeout(SHORT).is_err()));
    });
}

#[test]
fn it_shows_its_value_to_its_owner() {
    let mut lock = RLock::from(5);
    assert_eq!(format!("{lock:?}"), "RLock { value: 5 }");
    let guard = lock.lock();
    assert_eq!(format!("{lock:?} {guard:?} {guard}"), "RLock { value: 5 } 5 5");
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(format!("{lock:?}"), "RLock { <locked> }"));
    });
    drop(guard);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 6);
    assert_eq!(RLock::<u8>::default().into_inner(), 0);
}

#[test]
fn its_guard_waits_on_a_condvar() {
    let (lock, condvar) = (RLock::new(Cell::new(0)), Condvar::new());
    let add = |guard: RLockGuard<'_, Cell<u32>>| {
        let again = lock.try_lock().expect("its owner has it again");
        again.set(guard.get() + 1);
    };
    let none = |guard: &mut RLockGuard<'_, Cell<u32>>| guard.get() == 0;
    thread::scope(|scope| {
        scope.spawn(|| add(condvar.wait_while(lock.lock(), none)));
        scope.spawn(|| {
            let (guard, outcome) = condvar.wait_timeout(lock.lock(), LONG);
            outcome.unwrap();
            add(guard);
        });
        scope.spawn(|| {
            block_on(Owner::new().task(async {
                add(condvar.wait_while_async(lock.lock_async().await, none).await);
            }));
        });
        scope.spawn(|| {
            block_on(Owner::new().task(async {
                let (guard, outcome) = condvar.wait_async_timeout(lock.lock_async().await, LONG).await;
                outcome.unwrap();
                add(guard);
            }));
        });
        while condvar.waiting() < 4 {
            thread::yield_now();
        }
        lock.lock().set(1);
        condvar.notify_all();
    });
    assert!(!lock.is_locked());
    assert_eq!(lock.into_inner().get(), 5);
}

#[test]
fn a_wait_on_a_condvar_that_would_not_release_it_is_refused() {
    let (lock, condvar) = (RLock::new(()), Condvar::new());
    let first = lock.lock();
    let wait = || condvar.wait_timeout(lock.lock(), SHORT).1;
    assert!(panic_of(wait).contains("2 guards"), "it keeps everybody out while it waits");
    assert_eq!((lock.depth(), condvar.waiting()), (1, 0));
    drop(first);
    assert_eq!(wait(), Err(TimedOut));
    assert!(!lock.is_locked());
}
