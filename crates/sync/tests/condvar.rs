//! The condition variable: any guard, any number of mutexes, and a model that says who is told.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, Sharp};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::PoisonMutex;
use sync::park::block_on;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, TimedOut};

/// A task that whoever wakes it polls at once.
struct AtOnce(Mutex<Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        if let Some(task) = self.0.lock().as_mut() {
            assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
}

#[test]
fn who_is_told_and_waits_again_at_once_is_not_told_again() {
    static CONDVAR: Condvar = Condvar::new();
    static TOLD: Mutex<u32> = Mutex::new(0);
    let task = Arc::new(AtOnce(Mutex::new(Some(Box::pin(async {
        let mut told = TOLD.lock();
        loop {
            told = CONDVAR.wait_async(told).await;
            *told += 1;
        }
    })))));
    Arc::clone(&task).wake();
    for (count, due) in [(1, 1), (2, 2), (100, 3), (usize::MAX, 4)] {
        CONDVAR.notify(count);
        assert_eq!(*TOLD.lock(), due);
    }
    CONDVAR.notify_all();
    assert_eq!((*TOLD.lock(), CONDVAR.waiting()), (5, 1));
    drop(task.0.lock().take());
    assert_eq!(CONDVAR.waiting(), 0);
}

fn until_they_wait(condvar: &Condvar, count: usize) {
    while condvar.waiting() < count {
        thread::yield_now();
    }
}

#[test]
fn guards_of_every_kind_wait_together() {
    let (condvar, plain, poison) = (Condvar::new(), Mutex::new(0), PoisonMutex::new(0));
    let (shared, readable) = (Arc::new(Mutex::new(0)), RwLock::new(0));
    thread::scope(|scope| {
        scope.spawn(|| *condvar.wait(plain.lock()) += 1);
        scope.spawn(|| *condvar.wait(readable.write()) += 1);
        scope.spawn(|| *block_on(condvar.wait_async(readable.write())) += 1);
        scope.spawn(|| *condvar.wait(shared.lock_arc()) += 1);
        scope.spawn(|| *condvar.wait(poison.lock().unwrap()).unwrap() += 1);
        scope.spawn(|| *block_on(condvar.wait_async(plain.lock())) += 1);
        scope.spawn(|| *block_on(condvar.wait_async(shared.lock_arc())) += 1);
        scope.spawn(|| *block_on(condvar.wait_async(poison.lock().unwrap())).unwrap() += 1);
        until_they_wait(&condvar, 8);
        // They take their places first, and release their locks then.
        drop((plain.lock(), shared.lock(), poison.lock().unwrap(), readable.write()));
        condvar.notify_all();
    });
    assert_eq!((*plain.lock(), *shared.lock(), *poison.lock().unwrap(), *readable.read()), (2, 2, 2, 2));
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn guards_of_readers_wait_too() {
    let (condvar, lock) = (Condvar::new(), RwLock::new(0));
    let is_back = |guard: RwLockReadGuard<'_, i32>| {
        assert!(lock.try_write().is_none(), "it is back without its lock");
        assert_eq!(*guard, 1);
    };
    let upgrades = |guard| *RwLockUpgradableGuard::upgrade(guard) += 1;
    thread::scope(|scope| {
        scope.spawn(|| is_back(condvar.wait(lock.read())));
        scope.spawn(|| is_back(block_on(condvar.wait_async(lock.read()))));
        scope.spawn(|| is_back(condvar.wait_while(lock.read(), |guard| **guard == 0)));
        until_they_wait(&condvar, 3);
        *lock.write() = 1;
        condvar.notify_all();
    });
    thread::scope(|scope| {
        scope.spawn(|| upgrades(condvar.wait(lock.upgradable_read())));
        until_they_wait(&condvar, 1);
        scope.spawn(|| upgrades(block_on(condvar.wait_async(lock.upgradable_read()))));
        until_they_wait(&condvar, 2);
        drop(lock.write());
        condvar.notify_all();
    });
    assert_eq!(*lock.read(), 3);
}

#[test]
fn waiting_while_a_condition_holds() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let less = |most: i32| move |value: &mut i32| *value < most;
    thread::scope(|scope| {
        let (mutex, condvar) = (&mutex, &condvar);
        scope.spawn(move || *condvar.wait_while(mutex.lock(), less(1)) += 1);
        scope.spawn(move || *condvar.wait_while_timeout(mutex.lock(), less(1), LONG).0 += 1);
        scope.spawn(move || *block_on(condvar.wait_while_async(mutex.lock(), less(1))) += 1);
        scope.spawn(move || *block_on(condvar.wait_while_async_timeout(mutex.lock(), less(1), LONG)).0 += 1);
        until_they_wait(condvar, 4);
        condvar.notify_all();
        until_they_wait(condvar, 4);
        *mutex.lock() = 1;
        condvar.notify_all();
    });
    assert_eq!(*mutex.lock(), 5);
    let begin = Instant::now();
    let (guard, outcome) = block_on(condvar.wait_while_async_timeout(mutex.lock(), less(6), SHORT));
    assert_eq!((*guard, outcome), (5, Err(TimedOut)));
    assert!(begin.elapsed() >= SHORT);
    assert_eq!(condvar.wait_while_timeout(guard, less(5), Duration::ZERO).1, Ok(()));
}

#[test]
fn limits_of_nothing_and_of_for_ever() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    assert_eq!(condvar.wait_timeout(mutex.lock(), Duration::ZERO).1, Err(TimedOut));
    assert_eq!(block_on(condvar.wait_async_timeout(mutex.lock(), Duration::ZERO)).1, Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| condvar.wait_timeout(mutex.lock(), Duration::MAX).1.unwrap());
        scope.spawn(|| block_on(condvar.wait_async_timeout(mutex.lock(), Duration::MAX)).1.unwrap());
        scope.spawn(|| {
            let wait = condvar.wait_while_async_timeout(mutex.lock(), |value| *value == 0, Duration::MAX);
            *block_on(wait).0 += 1;
        });
        until_they_wait(&condvar, 3);
        *mutex.lock() = 1;
        condvar.notify_all();
    });
    assert_eq!(*mutex.lock(), 2);
}

#[test]
fn so_many_are_told_and_no_more() {
    let count = 40;
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut waiting: Vec<_> = (0..count).map(|_| ByHand::waiting(condvar.wait_async(mutex.lock()))).collect();
    condvar.notify(0);
    condvar.notify(3);
    assert_eq!(condvar.waiting(), count - 3);
    condvar.notify(20);
    assert_eq!(condvar.waiting(), count - 23);
    let told = waiting.iter().map(ByHand::is_told).collect::<Vec<_>>();
    assert!(told[..23].iter().all(|told| *told) && !told[23..].iter().any(|told| *told));
    condvar.notify(usize::MAX);
    assert_eq!(condvar.waiting(), 0);
    assert!(waiting.iter_mut().all(|wait| wait.poll().is_some()));
    condvar.notify(1);
}

#[test]
fn a_condition_that_panics_releases_the_lock_and_takes_no_notification() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let bad = |value: &mut i32| *value == 0 || panic!("a panic that the test asked for");
    let mut dies = ByHand::waiting(condvar.wait_while_async(mutex.lock(), bad));
    let mut other = ByHand::waiting(condvar.wait_async(mutex.lock()));
    *mutex.lock() = 1;
    condvar.notify(2);
    assert!(catch_unwind(AssertUnwindSafe(|| dies.poll().is_some())).is_err());
    assert!(!mutex.is_locked());
    assert!(other.poll().is_some());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(condvar.wait_while(mutex.lock(), bad)))).is_err());
    assert!(!mutex.is_locked());
    assert_eq!(condvar.waiting(), 0);
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_told() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut bomb = Box::pin(condvar.wait_async(mutex.lock()));
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let mut other = ByHand::waiting(condvar.wait_async(mutex.lock()));
    assert!(catch_unwind(AssertUnwindSafe(|| condvar.notify_all())).is_err());
    assert!(other.poll().is_some());
}

#[test]
fn futures_go_away_in_every_state() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    // Not polled: the guard goes with it.
    drop(condvar.wait_async(mutex.lock()));
    assert!(!mutex.is_locked());
    // Waiting.
    drop(ByHand::waiting(condvar.wait_async(mutex.lock())));
    assert_eq!(condvar.waiting(), 0);
    // Told, and told and waiting for the lock: the notification goes on.
    let mut told = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let second = ByHand::waiting(condvar.wait_async(mutex.lock()));
    let mut third = ByHand::waiting(condvar.wait_async(mutex.lock()));
    condvar.notify_one();
    assert!(told.is_told() && !second.is_told());
    let guard = mutex.lock();
    assert!(told.poll().is_none());
    drop(told);
    assert!(second.is_told());
    drop(second);
    drop(guard);
    assert!(third.poll().is_some());
    assert!(!mutex.is_locked() && !mutex.has_waiters());
}

#[test]
fn polled_once_and_dropped_leaves_nothing_and_loses_no_notification() {
    let times = if cfg!(miri) { 100 } else { 10_000 };
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut last = ByHand::waiting(condvar.wait_async(mutex.lock()));
    for _ in 0..times {
        let before = last;
        last = ByHand::waiting(condvar.wait_async(mutex.lock()));
        condvar.notify_one();
        drop(before);
        // The notification has come to us; it goes on to the next.
        assert!(last.is_told());
        assert_eq!(condvar.waiting(), 0);
        assert!(last.poll().is_some());
        last = ByHand::waiting(condvar.wait_async(mutex.lock()));
    }
    assert_eq!(condvar.waiting(), 1);
}

#[test]
fn a_future_that_is_forgotten_takes_one_notification_and_breaks_nothing() {
    let pair: &'static (Mutex<()>, Condvar) = Box::leak(Box::default());
    let (mutex, condvar) = pair;
    std::mem::forget(ByHand::waiting(condvar.wait_async(mutex.lock())));
    let mut other = ByHand::waiting(condvar.wait_async(mutex.lock()));
    condvar.notify_one();
    condvar.notify_one();
    assert!(other.poll().is_some());
}

#[test]
fn a_condition_whose_destructor_panics_releases_the_lock() {
    let ways: [fn(&Condvar, MutexGuard<'_, i32>, Sharp); 6] = [
        |condvar, guard, sharp| drop(condvar.wait_while(guard, move |_| sharp.says(false))),
        |condvar, guard, sharp| drop(condvar.wait_while_timeout(guard, move |_| sharp.says(false), LONG)),
        |condvar, guard, sharp| {
            drop(condvar.wait_while_timeout(guard, move |_| sharp.says(true), Duration::ZERO));
        },
        |condvar, guard, sharp| drop(block_on(condvar.wait_while_async(guard, move |_| sharp.says(false)))),
        |condvar, guard, sharp| {
            drop(block_on(condvar.wait_while_async_timeout(guard, move |_| sharp.says(false), LONG)));
        },
        |condvar, guard, sharp| {
            drop(block_on(condvar.wait_while_async_timeout(
                guard,
                move |_| sharp.says(true),
                Duration::ZERO,
            )));
        },
    ];
    let condvar = Condvar::new();
    for way in ways {
        let mutex = Mutex::new(0);
        assert!(catch_unwind(AssertUnwindSafe(|| way(&condvar, mutex.lock(), Sharp))).is_err());
        assert!(!mutex.is_locked());
    }
}

#[test]
fn threads_take_turns() {
    const TURNS: u64 = if cfg!(miri) { 5 } else { 2_000 };
    let (mutex, condvar) = (Mutex::new(0_u64), Condvar::new());
    thread::scope(|scope| {
        for parity in 0..2 {
            let (mutex, condvar) = (&mutex, &condvar);
            scope.spawn(move || {
                for _ in 0..TURNS {
                    *condvar.wait_while(mutex.lock(), |turn| *turn % 2 != parity) += 1;
                    condvar.notify_one();
                }
            });
        }
    });
    assert_eq!(*mutex.lock(), 2 * TURNS);
}

#[test]
fn all_of_many_threads_come_back() {
    const THREADS: usize = if cfg!(miri) { 4 } else { 64 };
    for under_the_lock in [false, true] {
        let (mutex, condvar) = (Mutex::new((false, 0)), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| condvar.wait_while(mutex.lock(), |(go, _)| !*go).1 += 1);
            }
            until_they_wait(&condvar, THREADS);
            let mut guard = mutex.lock();
            guard.0 = true;
            if under_the_lock {
                condvar.notify_all();
                drop(guard);
            } else {
                drop(guard);
                condvar.notify_all();
            }
        });
        assert_eq!(mutex.lock().1, THREADS);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait,
    Notify(usize),
    NotifyAll,
    /// One of the futures goes away.
    Leave(usize),
    /// One of the futures is polled, while somebody has the lock or not.
    Poll(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Wait),
        3 => (0..4_usize).prop_map(Step::Notify),
        1 => Just(Step::NotifyAll),
        3 => any::<usize>().prop_map(Step::Leave),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, held)| Step::Poll(which, held)),
    ];
    prop::collection::vec(step, 1..60)
}

/// A future, and what the model says of it.
struct Waiter<'a> {
    number: usize,
    future: ByHand<'a, MutexGuard<'a, ()>>,
}

impl Waiter<'_> {
    /// Whether it has its guard when it is polled. If it should, it may have to be polled for a moment: where another has
    /// waited for long, the lock is kept for that one.
    fn is_done(&mut self, mutex: &Mutex<()>, gets_it: bool) -> bool {
        let deadline = Instant::now() + LONG;
        loop {
            let done = self.future.poll().is_some();
            if done || !gets_it || !mutex.is_locked() || Instant::now() > deadline {
                return done;
            }
            thread::yield_now();
        }
    }
}

#[derive(Default)]
struct Model {
    waiting: VecDeque<usize>,
    told_alone: Vec<usize>,
    told_with_all: Vec<usize>,
}

impl Model {
    fn notify(&mut self) {
        self.told_alone.extend(self.waiting.pop_front());
    }

    fn leave(&mut self, number: usize) {
        self.waiting.retain(|waiting| *waiting != number);
        let told = self.told_alone.iter().position(|told| *told == number);
        if let Some(told) = told {
            self.told_alone.remove(told);
            self.notify();
        }
    }

    fn is_told(&self, number: usize) -> bool {
        self.told_alone.contains(&number) || self.told_with_all.contains(&number)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_told_is_as_a_model_says(steps in steps()) {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut model = Model::default();
        let mut waiters: Vec<Waiter<'_>> = Vec::new();
        let mut come = 0;
        for step in steps {
            match step {
                Step::Wait => {
                    let future = ByHand::waiting(condvar.wait_async(mutex.lock()));
                    waiters.push(Waiter { number: come, future });
                    model.waiting.push_back(come);
                    come += 1;
                }
                Step::Notify(count) => {
                    condvar.notify(count);
                    (0..count).for_each(|_| model.notify());
                }
                Step::NotifyAll => {
                    condvar.notify_all();
                    model.told_with_all.extend(model.waiting.drain(..));
                }
                Step::Leave(which) if !waiters.is_empty() => {
                    let gone = waiters.swap_remove(which % waiters.len());
                    drop(gone.future);
                    model.leave(gone.number);
                }
                Step::Poll(which, held) if !waiters.is_empty() => {
                    let which = which % waiters.len();
                    let guard = held.then(|| mutex.lock());
                    let gets_it = !held && model.is_told(waiters[which].number);
                    let done = waiters[which].is_done(&mutex, gets_it);
                    prop_assert_eq!(done, gets_it);
                    drop(guard);
                    if done {
                        let done = waiters.swap_remove(which);
                        model.told_alone.retain(|told| *told != done.number);
                    }
                }
                Step::Leave(_) | Step::Poll(..) => {}
            }
            prop_assert_eq!(condvar.waiting(), model.waiting.len());
        }
        for mut waiter in waiters {
            let gets_it = model.is_told(waiter.number);
            prop_assert_eq!(waiter.is_done(&mutex, gets_it), gets_it);
            // Else it has the lock for a task that is not polled.
            model.told_alone.retain(|told| *told != waiter.number);
            model.leave(waiter.number);
        }
    }
}

/// More wait than are woken at once, and one who is woken first notifies more than are left.
#[test]
fn a_notification_in_the_middle_of_another_ends() {
    struct Notifies(Arc<Condvar>);
    impl Wake for Notifies {
        fn wake(self: Arc<Self>) {
            self.0.notify(usize::MAX);
        }
    }
    let (ended, ends) = mpsc::channel();
    // If it does not end, it is not to be waited for.
    let thread = thread::spawn(move || {
        let (condvar, mutex) = (Arc::new(Condvar::new()), Mutex::new(()));
        let waker = Waker::from(Arc::new(Notifies(Arc::clone(&condvar))));
        let mut first = Box::pin(condvar.wait_async(mutex.lock()));
        assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let others: Vec<_> = (0..20).map(|_| ByHand::waiting(condvar.wait_async(mutex.lock()))).collect();
        condvar.notify_all();
        ended.send(others.iter().filter(|other| other.is_told()).count()).unwrap();
    });
    assert_eq!(ends.recv_timeout(LONG), Ok(20));
    thread.join().unwrap();
}
