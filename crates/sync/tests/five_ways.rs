//! Every primitive can be waited for in five ways: blocking, without waiting, with a limit, awaited, and awaited with a
//! limit and without a runtime.

mod common;

use common::{ByHand, LONG, SHORT};
use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, NotExchanged, Notify, OnceCell, Owner, RLock, RLockGuard,
    WaitGroup,
};
use sync::park::block_on;
use sync::queue::GetError;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{
    Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, TimedOut, as_completed,
    barrier::BarrierError, barrier::BarrierPlace, promise, semaphore::AcquireError, timer,
};

/// The answer of `wait`, which must take at least `SHORT`.
#[track_caller]
fn late<R>(wait: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let answer = wait();
    assert!(begin.elapsed() >= SHORT, "it gave up after {:?} already", begin.elapsed());
    answer
}

#[test]
fn a_mutex() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    for _ in 0..3 {
        assert!(mutex.try_lock().is_none());
        assert!(mutex.is_locked(), "trying in vain must not release the lock");
    }
    assert_eq!(late(|| mutex.lock_timeout(SHORT).map(drop)), Err(TimedOut));
    assert_eq!(late(|| block_on(mutex.lock_async_timeout(SHORT)).map(drop)), Err(TimedOut));
    assert!(mutex.is_locked());
    thread::scope(|scope| {
        scope.spawn(|| *mutex.lock() += 1);
        scope.spawn(|| *mutex.lock_timeout(LONG).unwrap() += 1);
        scope.spawn(|| block_on(async { *mutex.lock_async().await += 1 }));
        scope.spawn(|| block_on(async { *mutex.lock_async_timeout(LONG).await.unwrap() += 1 }));
        drop(guard);
    });
    assert_eq!(*mutex.try_lock().unwrap(), 4);
    assert!(!mutex.is_locked());
}

#[test]
fn a_lock_that_is_taken_again() {
    let lock = RLock::new(Cell::new(0));
    let (outer, inner) = (lock.lock(), lock.lock_timeout(Duration::ZERO).unwrap());
    // The thread is the owner; tasks on it are not.
    let task = || Owner::new().task(lock.lock_async_timeout(SHORT));
    assert_eq!(late(|| block_on(task()).map(drop)), Err(TimedOut));
    let add = |guard: RLockGuard<'_, Cell<u32>>| {
        let again = lock.try_lock().unwrap();
        again.set(guard.get() + 1);
    };
    thread::scope(|scope| {
        let in_vain = scope.spawn(|| {
            assert!((0..3).all(|_| lock.try_lock().is_none()));
            assert!(lock.is_locked(), "trying in vain must not release the lock");
            assert_eq!(late(|| lock.lock_timeout(SHORT).map(drop)), Err(TimedOut));
        });
        in_vain.join().unwrap();
        scope.spawn(|| add(lock.lock()));
        scope.spawn(|| add(lock.lock_timeout(LONG).unwrap()));
        scope.spawn(|| block_on(Owner::new().task(async { add(lock.lock_async().await) })));
        scope.spawn(|| {
            block_on(Owner::new().task(async { add(lock.lock_async_timeout(LONG).await.unwrap()) }));
        });
        drop((outer, inner));
    });
    assert_eq!(lock.try_lock().unwrap().get(), 4);
    assert!(!lock.is_locked());
}

#[test]
fn a_lock_to_read_and_to_write() {
    let lock = RwLock::new(0);
    let guard = lock.write();
    for _ in 0..3 {
        assert!(
            lock.try_read().is_none() && lock.try_write().is_none() && lock.try_upgradable_read().is_none()
        );
        assert!(lock.is_write_locked(), "trying in vain must not release the lock");
    }
    assert_eq!(late(|| lock.read_timeout(SHORT).map(drop)), Err(TimedOut));
    assert_eq!(late(|| lock.write_timeout(SHORT).map(drop)), Err(TimedOut));
    assert_eq!(late(|| lock.upgradable_read_timeout(SHORT).map(drop)), Err(TimedOut));
    assert_eq!(late(|| block_on(lock.read_async_timeout(SHORT)).map(drop)), Err(TimedOut));
    assert_eq!(late(|| block_on(lock.write_async_timeout(SHORT)).map(drop)), Err(TimedOut));
    assert_eq!(late(|| block_on(lock.upgradable_read_async_timeout(SHORT)).map(drop)), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| *lock.write() += 1);
        scope.spawn(|| *lock.write_timeout(LONG).unwrap() += 1);
        scope.spawn(|| *block_on(lock.write_async()) += 1);
        scope.spawn(|| *block_on(lock.write_async_timeout(LONG)).unwrap() += 1);
        scope.spawn(|| assert!(*lock.read() <= 8));
        scope.spawn(|| assert!(*lock.read_timeout(LONG).unwrap() <= 8));
        scope.spawn(|| assert!(*block_on(lock.read_async()) <= 8));
        scope.spawn(|| assert!(*block_on(lock.read_async_timeout(LONG)).unwrap() <= 8));
        scope.spawn(|| *RwLockUpgradableGuard::upgrade(lock.upgradable_read()) += 1);
        scope.spawn(|| {
            let guard = lock.upgradable_read_timeout(LONG).unwrap();
            *RwLockUpgradableGuard::upgrade_timeout(guard, LONG).unwrap() += 1;
        });
        scope.spawn(|| {
            block_on(async {
                let guard = lock.upgradable_read_async().await;
                *RwLockUpgradableGuard::upgrade_async(guard).await += 1;
            });
        });
        scope.spawn(|| {
            block_on(async {
                let guard = lock.upgradable_read_async_timeout(LONG).await.unwrap();
                *RwLockUpgradableGuard::upgrade_async_timeout(guard, LONG).await.unwrap() += 1;
            });
        });
        drop(guard);
    });
    assert_eq!(*lock.try_write().unwrap(), 8);
    let reader = lock.read();
    let guard = lock.upgradable_read();
    let guard = late(|| RwLockUpgradableGuard::upgrade_timeout(guard, SHORT)).unwrap_err();
    let guard = late(|| block_on(RwLockUpgradableGuard::upgrade_async_timeout(guard, SHORT))).unwrap_err();
    drop(reader);
    drop(RwLockUpgradableGuard::try_upgrade(guard).unwrap());
    assert!(!lock.is_locked());
}

#[test]
fn a_semaphore() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.acquire().unwrap();
    for _ in 0..3 {
        assert!(semaphore.try_acquire().is_err());
        assert_eq!(semaphore.available(), 0, "trying in vain must not give a permit back");
    }
    assert!(late(|| semaphore.acquire_timeout(SHORT)).is_err());
    assert!(late(|| block_on(semaphore.acquire_async_timeout(SHORT))).is_err());
    thread::scope(|scope| {
        scope.spawn(|| drop(semaphore.acquire().unwrap()));
        scope.spawn(|| drop(semaphore.acquire_many(1).unwrap()));
        scope.spawn(|| drop(semaphore.acquire_timeout(LONG).unwrap()));
        scope.spawn(|| drop(block_on(semaphore.acquire_async()).unwrap()));
        scope.spawn(|| drop(block_on(semaphore.acquire_async_timeout(LONG)).unwrap()));
        drop(permit);
    });
    assert_eq!(semaphore.try_acquire().unwrap().count(), 1);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_semaphore_that_has_no_more_than_it_began_with() {
    let semaphore = BoundedSemaphore::new(1);
    let permit = semaphore.acquire().unwrap();
    assert_eq!(semaphore.try_acquire().err(), Some(AcquireError::NoPermits));
    assert_eq!(late(|| semaphore.acquire_timeout(SHORT)).err(), Some(AcquireError::TimedOut));
    assert_eq!(late(|| block_on(semaphore.acquire_async_timeout(SHORT))).err(), Some(AcquireError::TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| drop(semaphore.acquire().unwrap()));
        scope.spawn(|| drop(semaphore.acquire_timeout(LONG).unwrap()));
        scope.spawn(|| drop(block_on(semaphore.acquire_async()).unwrap()));
        scope.spawn(|| drop(block_on(semaphore.acquire_async_timeout(LONG)).unwrap()));
        drop(permit);
    });
    assert!(semaphore.try_acquire().is_ok());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn permits_for_good_and_gone() {
    let semaphore = Semaphore::new(3);
    semaphore.try_acquire_many(2).unwrap().forget();
    assert_eq!(semaphore.available(), 1);
    semaphore.release(4);
    assert_eq!(semaphore.available(), 5);
    assert!(semaphore.try_acquire_many(6).is_err());
}

#[test]
#[should_panic(expected = "more than `Semaphore::MAX_PERMITS`")]
fn there_cannot_be_more_permits_than_can_be_counted() {
    Semaphore::new(Semaphore::MAX_PERMITS).release(1);
}

#[test]
fn an_event() {
    let event = Event::new();
    assert!(!event.is_set());
    assert_eq!(late(|| event.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(event.wait_async_timeout(SHORT))), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| event.wait());
        scope.spawn(|| event.wait_timeout(LONG).unwrap());
        scope.spawn(|| block_on(event.wait_async()));
        scope.spawn(|| block_on(event.wait_async_timeout(LONG)).unwrap());
        event.set();
    });
    assert!(event.is_set());
    event.wait();
    event.clear();
    assert!(!event.is_set());
}

#[test]
fn a_cancel_token() {
    let token = CancelToken::new();
    assert!(!token.is_cancelled());
    assert_eq!(late(|| token.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(token.wait_async_timeout(SHORT))), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| token.wait());
        scope.spawn(|| token.wait_timeout(LONG).unwrap());
        scope.spawn(|| block_on(token.wait_async()));
        scope.spawn(|| block_on(token.wait_async_timeout(LONG)).unwrap());
        token.cancel();
    });
    assert!(token.is_cancelled());
}

#[test]
fn a_barrier() {
    let barrier = Barrier::new(4);
    assert!(late(|| barrier.wait_timeout(SHORT)).is_err());
    assert!(late(|| block_on(barrier.wait_async_timeout(SHORT))).is_err());
    assert_eq!(barrier.try_wait(), Err(BarrierError::NotAll));
    assert_eq!(barrier.arrived(), 0, "who gave up has left");
    for _ in 0..3 {
        let mut places = thread::scope(|scope| {
            let others = [
                scope.spawn(|| barrier.wait().unwrap()),
                scope.spawn(|| barrier.wait_timeout(LONG).unwrap()),
                scope.spawn(|| block_on(barrier.wait_async()).unwrap()),
                scope.spawn(|| block_on(barrier.wait_async_timeout(LONG)).unwrap()),
            ];
            others.map(|other| other.join().unwrap())
        });
        places.sort_by_key(|place| place.index());
        assert_eq!(places.map(BarrierPlace::index), [0, 1, 2, 3]);
        assert_eq!(places.map(BarrierPlace::is_leader), [false, false, false, true]);
    }
    assert!(Barrier::new(0).wait().unwrap().is_leader());
    assert!(Barrier::new(1).try_wait().unwrap().is_leader());
}

#[test]
fn a_latch() {
    let latch = Latch::new(2);
    assert!(!latch.is_open());
    assert_eq!(late(|| latch.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(latch.wait_async_timeout(SHORT))), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| latch.wait());
        scope.spawn(|| latch.arrive_and_wait());
        scope.spawn(|| latch.wait_timeout(LONG).unwrap());
        scope.spawn(|| block_on(latch.wait_async()));
        scope.spawn(|| block_on(latch.wait_async_timeout(LONG)).unwrap());
        latch.count_down(1);
    });
    assert!(latch.is_open());
}

#[test]
fn a_wait_group() {
    let group = WaitGroup::new();
    let member = group.enter();
    assert!(!group.is_idle());
    assert_eq!(late(|| group.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(group.wait_async_timeout(SHORT))), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| group.wait());
        scope.spawn(|| group.wait_timeout(LONG).unwrap());
        scope.spawn(|| block_on(group.wait_async()));
        scope.spawn(|| block_on(group.wait_async_timeout(LONG)).unwrap());
        drop(member);
    });
    assert!(group.is_idle());
}

#[test]
fn a_notify() {
    let notify = Notify::new();
    assert!(!notify.try_wait());
    assert_eq!(late(|| notify.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(notify.wait_async_timeout(SHORT))), Err(TimedOut));
    let ended = Semaphore::new(0);
    thread::scope(|scope| {
        let ways: [fn(&Notify); 4] = [
            |notify| notify.wait(),
            |notify| notify.wait_timeout(LONG).unwrap(),
            |notify| block_on(notify.wait_async()),
            |notify| block_on(notify.wait_async_timeout(LONG)).unwrap(),
        ];
        for way in ways {
            let (notify, ended) = (&notify, &ended);
            scope.spawn(move || {
                way(notify);
                ended.release(1);
            });
        }
        // One at a time, for only one permit is kept.
        for _ in 0..4 {
            notify.notify_one();
            ended.acquire().unwrap().forget();
        }
    });
    assert!(!notify.try_wait());
}

#[test]
fn a_once_cell() {
    let cell = OnceCell::new();
    assert_eq!(cell.get(), None);
    assert_eq!(late(|| cell.wait_timeout(SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(cell.wait_async_timeout(SHORT))), Err(TimedOut));
    let makes = ByHand::waiting(cell.get_or_init_async(pending()));
    assert_eq!(late(|| cell.get_or_init_timeout(|| 0, SHORT)), Err(TimedOut));
    assert_eq!(late(|| block_on(cell.get_or_init_async_timeout(ready(0), SHORT))), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(cell.wait(), &1));
        scope.spawn(|| assert_eq!(cell.wait_timeout(LONG), Ok(&1)));
        scope.spawn(|| assert_eq!(block_on(cell.wait_async()), &1));
        scope.spawn(|| assert_eq!(block_on(cell.wait_async_timeout(LONG)), Ok(&1)));
        scope.spawn(|| assert_eq!(cell.get_or_init(|| 1), &1));
        scope.spawn(|| assert_eq!(cell.get_or_init_timeout(|| 1, LONG), Ok(&1)));
        scope.spawn(|| assert_eq!(block_on(cell.get_or_init_async(ready(1))), &1));
        scope.spawn(|| assert_eq!(block_on(cell.get_or_init_async_timeout(ready(1), LONG)), Ok(&1)));
        drop(makes);
    });
    assert_eq!(cell.get(), Some(&1));
}

/// Made by a function, and by a future, while somebody else makes it in his own way and leaves.
#[test]
fn a_lazy_value() {
    macro_rules! five_ways {
        ($lazy:expr) => {{
            let lazy = $lazy;
            let makes = ByHand::waiting(lazy.cell().get_or_init_async(pending()));
            assert_eq!(lazy.get(), None);
            assert_eq!(late(|| lazy.force_timeout(SHORT)), Err(TimedOut));
            assert_eq!(late(|| block_on(lazy.force_async_timeout(SHORT))), Err(TimedOut));
            thread::scope(|scope| {
                scope.spawn(|| assert_eq!(lazy.force(), &1));
                scope.spawn(|| assert_eq!(lazy.force_timeout(LONG), Ok(&1)));
                scope.spawn(|| assert_eq!(block_on(lazy.force_async()), &1));
                scope.spawn(|| assert_eq!(block_on(lazy.force_async_timeout(LONG)), Ok(&1)));
                drop(makes);
            });
            assert_eq!(lazy.get(), Some(&1));
        }};
    }
    five_ways!(Lazy::new(|| 1));
    five_ways!(Lazy::new_async(|| ready(1)));
}

#[test]
fn an_exchanger() {
    let exchanger = Exchanger::new();
    assert!(exchanger.try_exchange(0).is_err());
    assert_eq!(late(|| exchanger.exchange_timeout(1, SHORT)), Err(NotExchanged(1)));
    assert_eq!(late(|| block_on(exchanger.exchange_async_timeout(2, SHORT))), Err(NotExchanged(2)));
    thread::scope(|scope| {
        let ways = [
            scope.spawn(|| exchanger.exchange(1)),
            scope.spawn(|| exchanger.exchange_timeout(2, LONG).unwrap()),
            scope.spawn(|| block_on(exchanger.exchange_async(3))),
            scope.spawn(|| block_on(exchanger.exchange_async_timeout(4, LONG)).unwrap()),
        ];
        let got = ways.map(|way| way.join().unwrap());
        for (mine, theirs) in (1..).zip(got) {
            assert_eq!(got[theirs - 1], mine);
        }
    });
}

#[test]
fn a_condvar() {
    let shared = (Mutex::new(0), Condvar::new());
    let (mutex, condvar) = &shared;
    let (guard, outcome) = late(|| condvar.wait_timeout(mutex.lock(), SHORT));
    assert_eq!(outcome, Err(TimedOut));
    let (guard, outcome) = late(|| block_on(condvar.wait_async_timeout(guard, SHORT)));
    assert_eq!(outcome, Err(TimedOut));
    let (guard, outcome) = late(|| condvar.wait_while_timeout(guard, |number| *number == 0, SHORT));
    assert_eq!((*guard, outcome), (0, Err(TimedOut)));
    drop(guard);

    let waiting = Semaphore::new(0);
    thread::scope(|scope| {
        // Each says that it waits while it holds the lock, so that the notification cannot come before the wait.
        let lock = || {
            let guard = mutex.lock();
            waiting.release(1);
            guard
        };
        scope.spawn(move || *condvar.wait(lock()) += 1);
        scope.spawn(move || {
            let (mut guard, outcome) = condvar.wait_timeout(lock(), LONG);
            outcome.unwrap();
            *guard += 1;
        });
        scope.spawn(move || *block_on(condvar.wait_async(lock())) += 1);
        scope.spawn(move || {
            let (mut guard, outcome) = block_on(condvar.wait_async_timeout(lock(), LONG));
            outcome.unwrap();
            *guard += 1;
        });
        waiting.acquire_many(4).unwrap().forget();
        drop(mutex.lock());
        condvar.notify_one();
        condvar.notify_one();
        condvar.notify_all();
    });
    assert_eq!(*mutex.lock(), 4);

    thread::scope(|scope| {
        scope.spawn(|| {
            *mutex.lock() = 0;
            condvar.notify_all();
        });
        assert_eq!(*condvar.wait_while(mutex.lock(), |number| *number != 0), 0);
    });
}

#[test]
fn a_queue_that_is_empty() {
    let queue = Arc::new(Queue::<u32>::unbounded());
    assert_eq!(queue.try_get(), Err(GetError::Empty));
    assert_eq!(late(|| queue.get_timeout(SHORT)), Err(GetError::TimedOut));
    assert_eq!(late(|| block_on(queue.get_async_timeout(SHORT))), Err(GetError::TimedOut));
    thread::scope(|scope| {
        let getters = [
            scope.spawn(|| queue.get()),
            scope.spawn(|| queue.get_timeout(LONG)),
            scope.spawn(|| block_on(queue.get_async())),
            scope.spawn(|| block_on(queue.get_async_timeout(LONG))),
        ];
        for number in 0..4 {
            queue.put(number).unwrap();
        }
        let mut numbers = getters.map(|getter| getter.join().unwrap().unwrap());
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3]);
    });
}

#[test]
fn a_queue_that_is_full() {
    let queue = Queue::bounded(1);
    queue.put(0).unwrap();
    let refused = queue.try_put(1).unwrap_err();
    assert!(refused.is_full() && !refused.is_timeout() && !refused.is_closed());
    assert_eq!(refused.into_inner(), 1);
    let refused = late(|| queue.put_timeout(2, SHORT)).unwrap_err();
    assert!(refused.is_timeout());
    assert_eq!(refused.into_inner(), 2);
    let refused = late(|| block_on(queue.put_async_timeout(3, SHORT))).unwrap_err();
    assert!(refused.is_timeout());
    assert_eq!(refused.into_inner(), 3);
    thread::scope(|scope| {
        scope.spawn(|| queue.put(1).unwrap());
        scope.spawn(|| queue.put_timeout(2, LONG).unwrap());
        scope.spawn(|| block_on(queue.put_async(3)).unwrap());
        scope.spawn(|| block_on(queue.put_async_timeout(4, LONG)).unwrap());
        let mut numbers: Vec<_> = queue.iter().take(5).collect();
        assert_eq!(numbers[0], 0);
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    });
    assert!(queue.is_empty());
    assert_eq!(queue.capacity(), Some(1));
}

#[test]
fn a_queue_that_is_closed() {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    thread::scope(|scope| {
        let putters = [
            scope.spawn(|| queue.put(2)),
            scope.spawn(|| queue.put_timeout(2, LONG)),
            scope.spawn(|| block_on(queue.put_async(2))),
            scope.spawn(|| block_on(queue.put_async_timeout(2, LONG))),
        ];
        queue.close();
        for putter in putters {
            let refused = putter.join().unwrap().unwrap_err();
            assert!(refused.is_closed());
            assert_eq!(refused.into_inner(), 2);
        }
    });
    assert!(queue.is_closed());
    assert!(queue.try_put(3).unwrap_err().is_closed());
    assert_eq!(queue.try_get(), Ok(1), "what is inside can still be taken");
    assert_eq!(queue.get(), Err(GetError::Closed));
    assert_eq!(queue.try_get(), Err(GetError::Closed));
    assert_eq!(queue.get_timeout(LONG), Err(GetError::Closed));
    assert_eq!(block_on(queue.get_async()), Err(GetError::Closed));
    assert_eq!(block_on(queue.get_async_timeout(LONG)), Err(GetError::Closed));
    assert_eq!(queue.iter().next(), None);
}

#[test]
fn a_queue_that_a_panicking_producer_closes() {
    let queue = Arc::new(Queue::bounded(1));
    let producer = queue.close_on_drop();
    let producer = thread::spawn(move || {
        producer.put(1).unwrap();
        panic!("a panic that the test asked for");
    });
    assert_eq!(queue.iter().collect::<Vec<_>>(), [1]);
    assert!(producer.join().is_err());
    assert!(queue.is_closed());
}

#[test]
fn a_queue_that_is_closed_while_consumers_wait() {
    let queue = Queue::<u32>::unbounded();
    thread::scope(|scope| {
        let getters = [
            scope.spawn(|| queue.get()),
            scope.spawn(|| queue.get_timeout(LONG)),
            scope.spawn(|| block_on(queue.get_async())),
            scope.spawn(|| block_on(queue.get_async_timeout(LONG))),
        ];
        queue.close();
        for getter in getters {
            assert!(getter.join().unwrap().unwrap_err().is_closed());
        }
    });
}

#[test]
fn a_task() {
    let (finish, mut task) = promise();
    task = task.try_join().unwrap_err().into_inner();
    task = late(|| task.join_timeout(SHORT)).unwrap_err().into_inner();
    assert!(late(|| block_on(timer::timeout(SHORT, &mut task))).is_err());
    assert!(!task.is_finished());
    finish.finish(Ok(1));
    assert!(task.is_finished());
    assert_eq!(task.try_join().unwrap().unwrap(), 1);

    let ways: [fn(sync::Task<u32>) -> u32; 4] = [
        |task| task.join().unwrap(),
        |task| task.join_timeout(LONG).unwrap().unwrap(),
        |task| block_on(task).unwrap(),
        |task| block_on(timer::timeout(LONG, task)).unwrap().unwrap(),
    ];
    for way in ways {
        let (finish, task) = promise();
        let waiter = thread::spawn(move || way(task));
        finish.finish(Ok(7));
        assert_eq!(waiter.join().unwrap(), 7);
    }
}

#[test]
fn the_next_of_several_tasks() {
    let (finish, task) = promise();
    let mut results = as_completed([task]);
    assert!(late(|| results.next_timeout(SHORT)).is_err());
    assert!(late(|| block_on(results.next_async_timeout(SHORT))).is_err());
    finish.finish(Ok(1));
    assert_eq!(results.next_timeout(LONG).unwrap().unwrap().unwrap(), 1);
    assert!(results.next().is_none());
    assert!(block_on(results.next_async()).is_none());
    assert!(block_on(results.next_async_timeout(LONG)).unwrap().is_none());
}

#[test]
fn a_limit_beyond_the_clock_is_none() {
    let event = Event::new();
    thread::scope(|scope| {
        scope.spawn(|| event.wait_timeout(Duration::MAX).unwrap());
        scope.spawn(|| block_on(event.wait_async_timeout(Duration::MAX)).unwrap());
        event.set();
    });
}

#[test]
fn a_limit_of_nothing_still_takes_what_is_there() {
    let queue = Queue::unbounded();
    queue.put(1).unwrap();
    queue.put(2).unwrap();
    assert_eq!(queue.get_timeout(Duration::ZERO), Ok(1));
    assert_eq!(block_on(queue.get_async_timeout(Duration::ZERO)), Ok(2));
    assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::TimedOut));
    assert_eq!(block_on(queue.get_async_timeout(Duration::ZERO)), Err(GetError::TimedOut));
}
