//! What is forgotten (`mem::forget`): pinned futures that wait, guards, permits and handles. A future keeps its memory and its place;
//! it is told like any other, and nobody looks. What a guard held is held for good. Nothing else is lost, nothing is touched that is
//! gone, and the object may move and go away.
//!
//! Mutexes, queues and what is waited for among several have tests of their own beside their others.

mod common;

use common::{ByHand, SHORT};
use std::future::Future;
use std::mem::forget;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::park::block_on;
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue, broadcast, oneshot, pubsub, watch,
};
use sync::rwlock::RwLockUpgradableGuard;
use sync::{Barrier, CancelToken, Event, JoinError, RwLock, Semaphore, as_completed, gather, promise, timer};

/// It waits, and nobody will ever poll or drop it.
#[track_caller]
fn forgotten<T>(future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending(), "it should wait");
    forget(future);
}

/// What was told late, and is passed by then.
fn a_while() {
    thread::sleep(SHORT);
}

#[test]
fn futures_that_wait_for_an_rwlock() {
    for moves in [false, true] {
        let lock = Box::new(RwLock::new(0));
        let written = lock.write();
        forgotten(lock.read_async());
        forgotten(lock.upgradable_read_async());
        forgotten(lock.write_async());
        forgotten(lock.read_async_timeout(common::LONG));
        drop(written);
        if moves {
            let moved = *lock;
            // None of them has anything but its place, and each is passed over.
            assert_eq!(*moved.read(), 0);
            *moved.write() += 1;
            assert_eq!(*moved.upgradable_read(), 1);
        }

        let lock = Box::new(RwLock::new(0));
        let (seen, read) = (lock.upgradable_read(), lock.read());
        forgotten(RwLockUpgradableGuard::upgrade_async(seen));
        drop(read);
        if moves {
            let moved = *lock;
            // Who upgrades has the guard, and so what it holds; readers are not in its way.
            assert!(moved.write_timeout(SHORT).is_err());
            assert_eq!(*moved.read(), 0);
        }
    }
}

#[test]
fn guards_of_an_rwlock() {
    let lock = RwLock::new(0);
    forget(lock.upgradable_read());
    assert_eq!(*lock.read(), 0);
    assert!(lock.try_upgradable_read().is_none() && lock.write_timeout(SHORT).is_err());
    assert_eq!(lock.into_inner(), 0);
    let lock = RwLock::new(0);
    forget(lock.write());
    assert!(lock.try_read().is_none() && lock.read_timeout(SHORT).is_err());
    assert_eq!(lock.into_inner(), 0);
}

#[test]
fn owners_and_those_who_poison() {
    for moves in [false, true] {
        let lock = Box::new(RLock::new(0));
        let held = lock.lock();
        forgotten(Owner::new().task(async { drop(lock.lock_async().await) }));
        drop(held);
        let poison = Box::new(PoisonMutex::new(0));
        let held = poison.lock();
        forgotten(poison.lock_async());
        drop(held);
        if moves {
            let (lock, poison) = (*lock, *poison);
            a_while();
            assert_eq!((*lock.lock(), *poison.lock().unwrap()), (0, 0));
        }
    }
    let poison = PoisonMutex::new(0);
    forget(poison.lock());
    assert!(poison.try_lock().is_err());
}

#[test]
fn permits() {
    for moves in [false, true] {
        let semaphore = Box::new(Semaphore::new(3));
        let permit = semaphore.acquire_many(3).unwrap();
        forgotten(semaphore.acquire_async());
        forgotten(semaphore.acquire_many_async(3));
        forgotten(semaphore.acquire_async_timeout(common::LONG));
        let mut behind = ByHand::waiting(semaphore.acquire_async());
        drop(permit);
        // Each of those before it has a millisecond to come.
        let begin = std::time::Instant::now();
        while !behind.is_told() || behind.poll().is_none() {
            assert!(begin.elapsed() < common::LONG / 4, "those who were forgotten keep it");
            thread::yield_now();
        }
        drop(behind);
        if moves {
            let moved = *semaphore;
            drop(moved.acquire().unwrap());
            moved.release(1);
            assert_eq!(moved.acquire_many(4).unwrap().count(), 4);
            forget(moved.acquire().unwrap());
            assert_eq!(moved.available(), 3);
            moved.close();
            assert!(moved.acquire().is_err());
        }
    }
    let bounded = BoundedSemaphore::new(2);
    forget(bounded.acquire().unwrap());
    let other = bounded.acquire().unwrap();
    forgotten(bounded.acquire_async());
    drop(other);
    assert!(bounded.acquire_timeout(common::LONG).is_ok(), "who was forgotten keeps it");
    // A forgotten guard was not kept: its permit is out for good.
    assert!(bounded.release(1).is_err());
    assert_eq!(bounded.available(), 1);
}

#[test]
fn events_barriers_and_tokens() {
    for moves in [false, true] {
        let (event, one) = (Box::new(Event::new()), Box::new(Event::auto_reset()));
        forgotten(event.wait_async());
        forgotten(one.wait_async());
        event.set();
        one.set();
        // Told and not looked at is not used up: who comes first takes it.
        assert!(one.try_wait() && !one.try_wait());
        let barrier = Box::new(Barrier::new(2));
        forgotten(barrier.wait_async());
        // It has come, and is counted.
        assert_eq!(barrier.arrived(), 1);
        assert!(barrier.wait().is_ok());
        forgotten(barrier.wait_async());
        let token = CancelToken::new();
        forgotten(token.wait_async());
        forgotten(token.child().wait_async());
        if moves {
            let (event, one, barrier) = (*event, *one, *barrier);
            assert!(event.try_wait());
            one.set();
            one.wait();
            barrier.abort();
            assert!(barrier.is_broken());
        }
        token.cancel();
        assert!(token.is_cancelled());
    }
}

#[test]
fn rare_things() {
    for moves in [false, true] {
        let (latch, group, notify) =
            (Box::new(Latch::new(1)), Box::new(WaitGroup::new()), Box::new(Notify::new()));
        forget(group.enter());
        forgotten(latch.wait_async());
        forgotten(group.wait_async());
        forgotten(notify.wait_async());
        let cell = Box::new(OnceCell::new());
        forgotten(cell.wait_async());
        // Who makes the value does so for ever: then nobody else may.
        forgotten(cell.get_or_init_async(std::future::pending::<u8>()));
        forgotten(cell.get_or_init_async(async { 2 }));
        let lazy = Box::new(Lazy::new_async(std::future::pending::<u8>));
        forgotten(lazy.force_async());
        let exchanger = Box::new(Exchanger::new());
        forgotten(exchanger.exchange_async(Box::new(1)));
        if moves {
            let (latch, group, notify, cell) = (*latch, *group, *notify, *cell);
            latch.count_down(1);
            assert!(latch.is_open());
            // The member is in for good.
            assert!(group.wait_timeout(SHORT).is_err());
            notify.notify_one();
            notify.notify_one();
            notify.wait();
            assert!(cell.get().is_none() && cell.set(3).is_err());
            let (_lazy, exchanger) = (*lazy, *exchanger);
            // What it brought is there to be had: it lies in the place, not in the future.
            assert_eq!(exchanger.try_exchange(Box::new(2)).ok(), Some(Box::new(1)));
        }
    }
}

#[test]
fn queues_with_an_order() {
    macro_rules! queue {
        ($make:expr, $item:expr) => {
            for moves in [false, true] {
                let (empty, full) = (Box::new($make), Box::new($make));
                while full.try_put($item).is_ok() {}
                let places = full.len();
                forgotten(empty.get_async());
                forgotten(full.put_async($item));
                let mut stream = Box::pin(empty.stream());
                assert!(ByHand::new(stream.as_mut().next()).poll().is_none());
                forget(stream);
                empty.put($item).unwrap();
                if moves {
                    let (empty, full) = (*empty, *full);
                    assert!(empty.get().is_ok());
                    empty.put($item).unwrap();
                    assert!(empty.get().is_ok());
                    full.get().unwrap();
                    full.put($item).unwrap();
                    assert_eq!(full.len(), places);
                    empty.close();
                    assert!(empty.get().is_err());
                }
            }
        };
    }
    queue!(LifoQueue::bounded(2), Box::new(1));
    queue!(PriorityQueue::bounded(2), Box::new(1));
    queue!(DelayQueue::bounded(2), Delayed::after(std::time::Duration::ZERO, Box::new(1)));
    queue!(Buffer::new(2, Overflow::Block), Box::new(1));
}

#[test]
fn channels() {
    let (sender, receiver) = oneshot::channel();
    forgotten(receiver.get_async());
    sender.send(Box::new(1)).unwrap();
    assert_eq!(receiver.get(), Ok(Box::new(1)));
    let (sender, receiver) = oneshot::channel::<Box<u8>>();
    forgotten(sender.closed_async());
    drop(receiver);
    assert!(sender.send(Box::new(1)).is_err());

    let (shouts, mut ears) = broadcast::channel(1);
    let mut deaf = shouts.subscribe();
    forgotten(deaf.get_async());
    // Who never comes is told what he missed, and keeps nobody.
    forget(deaf);
    forgotten(ears.get_async());
    for item in 0..3 {
        shouts.send(Box::new(item)).unwrap();
    }
    assert_eq!(ears.get().unwrap_err().lost(), Some(2));
    assert_eq!(ears.get(), Ok(Box::new(2)));

    let (board, mut eyes) = watch::channel(Box::new(0));
    forgotten(eyes.changed_async());
    forgotten(eyes.wait_for_async(|value| **value == 2));
    drop(board.send(Box::new(1)));
    assert_eq!(**eyes.changed().unwrap(), 1);

    let topics = pubsub::PubSub::new(1);
    let mut all = topics.subscribe("all");
    forgotten(all.get_async());
    assert_eq!(topics.publish("all", Box::new(1)), 1);
    assert_eq!(all.get(), Ok(Box::new(1)));
    forget(all);
    assert_eq!(topics.publish("all", Box::new(2)), 1);
}

#[test]
fn tasks() {
    // The handle: the other side ends all the same.
    let (promise_of, mut task) = promise();
    assert!(ByHand::new(&mut task).poll().is_none());
    forget(task);
    promise_of.finish(Ok(Box::new(1)));
    // The promise: nobody will keep it, and nobody says so.
    let (promise_of, task) = promise::<Box<u8>>();
    forget(promise_of);
    let task = task.join_timeout(SHORT).unwrap_err().into_inner();
    assert!(!task.is_finished());
    // Those who wait for several.
    let (one, first) = promise();
    let (other, second) = promise();
    forgotten(gather([first, second]));
    let (third, last) = promise();
    let mut completed = Box::new(as_completed([last]));
    assert!(pin!(completed.next_async()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    forget(completed);
    one.finish(Ok(Box::new(1)));
    third.finish(Ok(Box::new(3)));
    drop(other);
    let (promise_of, task) = promise::<u8>();
    drop(promise_of);
    assert!(matches!(block_on(task), Err(JoinError::Abandoned)));
}

/// A wait with a limit is the timer's as well, which fires for nobody.
#[test]
fn limits() {
    let event = Box::new(Event::new());
    // Not over before the first look, where the CPU has others to serve.
    let limit = SHORT * 20;
    forgotten(event.wait_async_timeout(limit));
    forgotten(timer::timeout(limit, event.wait_async()));
    forgotten(timer::sleep(limit));
    let event = *event;
    thread::sleep(limit + SHORT);
    event.set();
    assert!(block_on(timer::timeout(SHORT, event.wait_async())).is_ok());
}
