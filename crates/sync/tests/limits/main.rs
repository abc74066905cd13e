//! Limits of nothing, of everything, and times that have passed: everything that can be waited for with a limit, in both ways.
//!
//! In vain, a limit of nothing ends the wait at once and as being late; where there is what is waited for, it is had; and a limit of
//! everything is none: who waits so is told like anybody else.

#[path = "../common/mod.rs"]
mod common;

use common::{ByHand, LONG, SHORT};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::park::{block_on, block_on_timeout, block_on_until};
use sync::rwlock::RwLockUpgradableGuard;
use sync::select::Select;
use sync::{
    Barrier, CancelToken, Condvar, Event, Mutex, RwLock, Semaphore, SemaphorePermit, When, as_completed,
    gather, gather_all, promise, select, select_async, timer, wait_timeout,
};

const NOTHING: Duration = Duration::ZERO;
const EVERYTHING: Duration = Duration::MAX;

/// Whether it was late, which it should be, and at once.
#[track_caller]
fn in_vain(mut wait: impl FnMut(Duration) -> bool) {
    let begin = Instant::now();
    assert!(!wait(NOTHING), "a wait in vain has ended well");
    assert!(begin.elapsed() < LONG / 4, "it has waited");
}

/// Somebody waits with all the time that there is, until `tell` has been called, once or more often.
#[track_caller]
fn told(wait: impl FnOnce(Duration) -> bool + Send, mut tell: impl FnMut()) {
    let ended = thread::scope(|scope| {
        let waits = scope.spawn(|| wait(EVERYTHING));
        // Mostly it waits by now.
        thread::sleep(Duration::from_millis(1));
        let begin = Instant::now();
        while !waits.is_finished() {
            assert!(begin.elapsed() < LONG / 2, "it is not told");
            tell();
            thread::yield_now();
        }
        waits.join().unwrap()
    });
    assert!(ended, "it was told, and says that it was late");
}

/// In both ways: in vain with nothing, told with everything, and then, where it is there, with both.
macro_rules! limits {
    ($limit:ident, $block:expr, $awaited:expr, $($tell:expr)?) => {{
        in_vain(|$limit| $block);
        in_vain(|$limit| block_on(async { $awaited }));
        $(
            told(|$limit| $block, || $tell);
            told(|$limit| block_on(async { $awaited }), || $tell);
        )?
    }};
}

/// What is there is had, whatever the limit.
macro_rules! there {
    ($limit:ident, $($had:expr),+) => {
        for $limit in [NOTHING, EVERYTHING] {
            $(assert!($had, "with {:?}, what is there is not had", $limit);)+
        }
    };
}

// Behind the macros, which it uses.
mod queues;

#[test]
fn locks() {
    // Its owner is the task, where that matters.
    macro_rules! awaited {
        ($lock:ident, $awaited:ident, $limit:ident) => {
            block_on(Owner::new().task(async { $lock.$awaited($limit).await.is_ok() }))
        };
    }
    macro_rules! lock {
        ($lock:expr, $hold:ident, $block:ident, $awaited:ident) => {{
            let lock = &$lock;
            {
                let held = lock.$hold();
                // Another thread, for some may be taken again by their owner.
                thread::scope(|scope| {
                    let other = || {
                        in_vain(|limit| lock.$block(limit).is_ok());
                        in_vain(|limit| awaited!(lock, $awaited, limit));
                    };
                    scope.spawn(other).join().unwrap();
                });
                drop(held);
            }
            for awaited in [false, true] {
                let mut held = Some(lock.$hold());
                let wait = |limit| match awaited {
                    true => awaited!(lock, $awaited, limit),
                    false => lock.$block(limit).is_ok(),
                };
                told(wait, || drop(held.take()));
            }
            there!(limit, lock.$block(limit).is_ok(), awaited!(lock, $awaited, limit));
        }};
    }
    lock!(Mutex::new(0), lock, lock_timeout, lock_async_timeout);
    lock!(std::sync::Arc::new(Mutex::new(0)), lock_arc, lock_arc_timeout, lock_arc_async_timeout);
    lock!(PoisonMutex::new(0), lock, lock_timeout, lock_async_timeout);
    lock!(std::sync::Arc::new(PoisonMutex::new(0)), lock_arc, lock_arc_timeout, lock_arc_async_timeout);
    lock!(RLock::new(0), lock, lock_timeout, lock_async_timeout);
    lock!(RwLock::new(0), write, read_timeout, read_async_timeout);
    lock!(RwLock::new(0), read, write_timeout, write_async_timeout);
    lock!(RwLock::new(0), write, write_timeout, write_async_timeout);
    lock!(RwLock::new(0), write, upgradable_read_timeout, upgradable_read_async_timeout);

    let lock = RwLock::new(0);
    let reads = lock.read();
    in_vain(|limit| RwLockUpgradableGuard::upgrade_timeout(lock.upgradable_read(), limit).is_ok());
    let upgrade = |limit| RwLockUpgradableGuard::upgrade_async_timeout(lock.upgradable_read(), limit);
    in_vain(|limit| block_on(upgrade(limit)).is_ok());
    let mut reads = Some(reads);
    told(|limit| block_on(upgrade(limit)).is_ok(), || drop(reads.take()));
    let mut reads = Some(lock.read());
    let blocks = |limit| RwLockUpgradableGuard::upgrade_timeout(lock.upgradable_read(), limit).is_ok();
    told(blocks, || drop(reads.take()));
    there!(limit, blocks(limit), block_on(upgrade(limit)).is_ok());
}

#[test]
fn conditions() {
    let mutex = Mutex::new(0);
    limits!(
        limit,
        mutex.when_timeout(|value| *value == 1, limit).is_ok(),
        mutex.when_async_timeout(|value| *value == 1, limit).await.is_ok(),
    );
    told(|limit| mutex.when_timeout(|value| *value == 1, limit).is_ok(), || *mutex.lock() = 1);
    told(
        |limit| block_on(mutex.when_async_timeout(|value| *value == 2, limit)).is_ok(),
        || *mutex.lock() = 2,
    );
    there!(
        limit,
        mutex.when_timeout(|value| *value == 2, limit).is_ok(),
        block_on(mutex.when_async_timeout(|value| *value == 2, limit)).is_ok()
    );

    let poison = PoisonMutex::new(0);
    let set = |value| *poison.lock().unwrap() = value;
    limits!(
        limit,
        poison.when_timeout(|value| *value == 1, limit).is_ok(),
        poison.when_async_timeout(|value| *value == 1, limit).await.is_ok(),
    );
    told(|limit| poison.when_timeout(|value| *value == 1, limit).is_ok(), || set(1));
    told(|limit| block_on(poison.when_async_timeout(|value| *value == 2, limit)).is_ok(), || set(2));
    there!(
        limit,
        poison.when_timeout(|value| *value == 2, limit).is_ok(),
        block_on(poison.when_async_timeout(|value| *value == 2, limit)).is_ok()
    );

    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    limits!(
        limit,
        condvar.wait_timeout(mutex.lock(), limit).1.is_ok(),
        condvar.wait_async_timeout(mutex.lock(), limit).await.1.is_ok(),
        condvar.notify_all()
    );
    limits!(
        limit,
        condvar.wait_while_timeout(mutex.lock(), |value| *value == 0, limit).1.is_ok(),
        condvar.wait_while_async_timeout(mutex.lock(), |value| *value == 0, limit).await.1.is_ok(),
    );
    let tell = || {
        *mutex.lock() = 1;
        condvar.notify_all();
    };
    told(|limit| condvar.wait_while_timeout(mutex.lock(), |value| *value == 0, limit).1.is_ok(), tell);
    *mutex.lock() = 0;
    let awaited =
        |limit| block_on(condvar.wait_while_async_timeout(mutex.lock(), |value| *value == 0, limit)).1;
    told(|limit| awaited(limit).is_ok(), tell);
    there!(limit, awaited(limit).is_ok());
}

#[test]
fn permits_and_signals() {
    let semaphore = Semaphore::new(0);
    limits!(
        limit,
        semaphore.acquire_timeout(limit).map(SemaphorePermit::forget).is_ok(),
        semaphore.acquire_async_timeout(limit).await.map(SemaphorePermit::forget).is_ok(),
        semaphore.release(usize::from(semaphore.available() == 0))
    );
    limits!(
        limit,
        semaphore.acquire_many_timeout(20_000, limit).is_ok(),
        semaphore.acquire_many_async_timeout(20_000, limit).await.is_ok(),
        semaphore.release(1_000)
    );
    there!(
        limit,
        semaphore.acquire_timeout(limit).is_ok(),
        block_on(semaphore.acquire_async_timeout(limit)).is_ok()
    );

    let bounded = BoundedSemaphore::new(1);
    let mut held = Some(bounded.acquire().unwrap());
    in_vain(|limit| bounded.acquire_timeout(limit).is_ok());
    in_vain(|limit| block_on(bounded.acquire_async_timeout(limit)).is_ok());
    told(|limit| bounded.acquire_timeout(limit).is_ok(), || drop(held.take()));
    let mut held = Some(bounded.acquire().unwrap());
    told(|limit| block_on(bounded.acquire_async_timeout(limit)).is_ok(), || drop(held.take()));
    there!(
        limit,
        bounded.acquire_timeout(limit).is_ok(),
        block_on(bounded.acquire_async_timeout(limit)).is_ok()
    );

    for event in [Event::new(), Event::auto_reset()] {
        in_vain(|limit| event.wait_timeout(limit).is_ok());
        in_vain(|limit| block_on(event.wait_async_timeout(limit)).is_ok());
        told(|limit| event.wait_timeout(limit).is_ok(), || event.set());
        event.clear();
        told(|limit| block_on(event.wait_async_timeout(limit)).is_ok(), || event.set());
        event.set();
        assert!(event.wait_timeout(NOTHING).is_ok());
        event.set();
        assert!(block_on(event.wait_async_timeout(NOTHING)).is_ok());
    }

    let notify = Notify::new();
    limits!(
        limit,
        notify.wait_timeout(limit).is_ok(),
        notify.wait_async_timeout(limit).await.is_ok(),
        notify.notify_waiters()
    );

    let token = CancelToken::new();
    in_vain(|limit| token.wait_timeout(limit).is_ok());
    in_vain(|limit| block_on(token.wait_async_timeout(limit)).is_ok());
    let child = token.child();
    told(|limit| token.wait_timeout(limit).is_ok(), || token.cancel());
    told(|limit| block_on(child.wait_async_timeout(limit)).is_ok(), || ());
    there!(limit, token.wait_timeout(limit).is_ok(), block_on(child.wait_async_timeout(limit)).is_ok());
}

#[test]
fn parties() {
    let barrier = Barrier::new(2);
    limits!(
        limit,
        barrier.wait_timeout(limit).is_ok(),
        barrier.wait_async_timeout(limit).await.is_ok(),
        // Nobody else waits for it, and who has gone through is not counted again.
        _ = barrier.try_wait()
    );
    assert_eq!(barrier.arrived(), 0);

    for awaited in [false, true] {
        let (latch, group) = (Latch::new(1), WaitGroup::new());
        let mut member = Some(group.enter());
        in_vain(|limit| latch.wait_timeout(limit).is_ok() || group.wait_timeout(limit).is_ok());
        in_vain(|limit| block_on(latch.wait_async_timeout(limit)).is_ok());
        in_vain(|limit| block_on(group.wait_async_timeout(limit)).is_ok());
        let open = AtomicUsize::new(0);
        let tell = || {
            if open.swap(1, Ordering::Relaxed) == 0 {
                latch.count_down(1);
            }
        };
        let wait = |limit| match awaited {
            true => block_on(latch.wait_async_timeout(limit)).is_ok(),
            false => latch.wait_timeout(limit).is_ok(),
        };
        told(wait, tell);
        let wait_for_all = |limit| match awaited {
            true => block_on(group.wait_async_timeout(limit)).is_ok(),
            false => group.wait_timeout(limit).is_ok(),
        };
        told(wait_for_all, || drop(member.take()));
        there!(limit, wait(limit), wait_for_all(limit));
    }

    let exchanger = Exchanger::new();
    limits!(
        limit,
        exchanger.exchange_timeout(1, limit).is_ok(),
        exchanger.exchange_async_timeout(1, limit).await.is_ok(),
        _ = exchanger.try_exchange(2)
    );

    for awaited in [false, true] {
        let cell = OnceCell::new();
        let wait = |limit| match awaited {
            true => block_on(cell.wait_async_timeout(limit)).is_ok(),
            false => cell.wait_timeout(limit).is_ok(),
        };
        in_vain(wait);
        told(wait, || _ = cell.set(1));
        there!(limit, wait(limit));

        // Somebody makes the value, and leaves that to the next one.
        let cell = OnceCell::new();
        let mut makes = Some(ByHand::waiting(cell.get_or_init_async(pending())));
        let make = |limit| match awaited {
            true => block_on(cell.get_or_init_async_timeout(async { 1 }, limit)).is_ok(),
            false => cell.get_or_init_timeout(|| 1, limit).is_ok(),
        };
        in_vain(make);
        told(make, || drop(makes.take()));
        there!(limit, make(limit));
    }
    let lazy = Lazy::new(|| 1);
    assert_eq!(lazy.force(), &1);
    there!(limit, lazy.force_timeout(limit).is_ok(), block_on(lazy.force_async_timeout(limit)).is_ok());
}

#[test]
fn tasks() {
    let (first, task) = promise();
    let mut task = Some(task);
    in_vain(|limit| match task.take().unwrap().join_timeout(limit) {
        Ok(_) => true,
        Err(unfinished) => {
            task = Some(unfinished.into_inner());
            false
        }
    });
    let mut task = task.unwrap();
    in_vain(|limit| !wait_timeout(&mut [&mut task], When::AllCompleted, limit).done.is_empty());
    in_vain(|limit| block_on(timer::timeout(limit, &mut task)).is_ok());
    let mut completed = as_completed([task]);
    in_vain(|limit| completed.next_timeout(limit).is_ok());
    in_vain(|limit| block_on(completed.next_async_timeout(limit)).is_ok());
    let mut first = Some(first);
    let finish = || _ = first.take().map(|promise| promise.finish(Ok(1)));
    told(|limit| completed.next_timeout(limit).is_ok(), finish);

    macro_rules! gathered_in_vain {
        ($gather:ident) => {
            let (_promise, task) = promise::<u32>();
            let mut all = Some($gather([task]));
            in_vain(|limit| match all.take().unwrap().join_timeout(limit) {
                Ok(_) => true,
                Err(unfinished) => {
                    all = Some(unfinished.into_inner());
                    false
                }
            });
        };
    }
    gathered_in_vain!(gather);
    gathered_in_vain!(gather_all);

    macro_rules! told_by_a_task {
        (|$tasks:ident, $limit:ident| $wait:expr) => {{
            let (promise, $tasks) = promise::<u32>();
            let mut promise = Some(promise);
            let finish = || _ = promise.take().map(|promise| promise.finish(Ok(1)));
            told(move |$limit| $wait, finish);
        }};
    }
    told_by_a_task!(|task, limit| task.join_timeout(limit).is_ok());
    told_by_a_task!(|task, limit| block_on(timer::timeout(limit, task)).is_ok());
    told_by_a_task!(|task, limit| block_on(as_completed([task]).next_async_timeout(limit)).is_ok());
    told_by_a_task!(|task, limit| gather([task]).join_timeout(limit).is_ok());
    told_by_a_task!(|task, limit| gather_all([task]).join_timeout(limit).is_ok());
    told_by_a_task!(|task, limit| {
        let mut task = task;
        !wait_timeout(&mut [&mut task], When::FirstCompleted, limit).done.is_empty()
    });
}

#[test]
fn any_future_and_the_first_of_several() {
    let event = Event::new();
    in_vain(|limit| block_on_timeout(event.wait_async(), limit).is_ok());
    in_vain(|limit| block_on(timer::timeout(limit, event.wait_async())).is_ok());
    in_vain(|limit| select! { () = event.wait_async() => true, after(limit) => false });
    in_vain(|limit| {
        block_on(async {
            select_async! { () = event.wait_async() => true, after(limit) => false }
        })
    });
    let many = || {
        let mut select = Select::new();
        select.arm(event.wait_async());
        select
    };
    in_vain(|limit| many().wait_timeout(limit).is_ok());
    in_vain(|limit| block_on(many().wait_async_timeout(limit)).is_ok());
    told(|limit| block_on_timeout(event.wait_async(), limit).is_ok(), || event.set());
    event.clear();
    told(|limit| many().wait_timeout(limit).is_ok(), || event.set());
    event.clear();
    told(|limit| block_on(many().wait_async_timeout(limit)).is_ok(), || event.set());
    there!(
        limit,
        block_on_timeout(event.wait_async(), limit).is_ok(),
        block_on(timer::timeout(limit, event.wait_async())).is_ok(),
        select! { () = event.wait_async() => true, after(limit) => false },
        many().wait_timeout(limit).is_ok()
    );
}

#[test]
fn times_that_have_passed() {
    let event = Event::new();
    let now = Instant::now();
    for past in [Some(now), now.checked_sub(SHORT), now.checked_sub(LONG)].into_iter().flatten() {
        assert_eq!(block_on_until(pending::<()>(), Some(past)), None);
        assert_eq!(block_on_until(async { 1 }, Some(past)), Some(1));
        assert!(ByHand::new(timer::sleep_until(past)).poll().is_some());
        assert!(select! { () = event.wait_async() => false, until(past) => true });
        assert!(block_on(async {
            select_async! { () = event.wait_async() => false, until(past) => true }
        }));
        event.set();
        assert!(select! { () = event.wait_async() => true, until(past) => false }, "it is there");
        event.clear();
    }
}
