//! Who was told and leaves, in the ways that the other files leave out: with a limit, with other guards, and where all are told at once.

use super::{again_and_again, told_of_and_left};
use crate::common::{ByHand, LONG};
use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue, mpsc, oneshot, spsc, watch,
};
use sync::rwlock::RwLockUpgradableGuard;
use sync::select::Select;
use sync::{
    Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, as_completed, promise, timer,
};

/// As `told_of_and_left`, of waits that end well or say that they are late.
macro_rules! in_time {
    ($told:expr, $next:expr, $tell:expr) => {{
        let _had = told_of_and_left!($told, $next, $tell).expect("it is told long before its limit");
    }};
}

#[test]
fn a_mutex_with_a_limit_or_a_condition() {
    let (mutex, poison, again) = (Arc::new(Mutex::new(0)), Arc::new(PoisonMutex::new(0)), RLock::new(0));
    again_and_again(|| {
        let guard = mutex.lock();
        in_time!(mutex.lock_async_timeout(LONG), mutex.lock_async_timeout(LONG), drop(guard));
        let guard = mutex.lock();
        in_time!(mutex.lock_arc_async_timeout(LONG), mutex.lock_arc_async_timeout(LONG), drop(guard));
        let guard = poison.lock().unwrap();
        in_time!(poison.lock_async_timeout(LONG), poison.lock_async_timeout(LONG), drop(guard));
        let guard = poison.lock_arc().unwrap();
        in_time!(poison.lock_arc_async_timeout(LONG), poison.lock_arc_async_timeout(LONG), drop(guard));
        let guard = again.lock();
        let task = || Owner::new().task(async { again.lock_async_timeout(LONG).await.map(drop) });
        in_time!(task(), task(), drop(guard));

        let is_set = |number: &i32| *number == 1;
        drop(told_of_and_left!(mutex.when_async(is_set), mutex.when_async(is_set), *mutex.lock() = 1));
        *mutex.lock() = 0;
        let when = || mutex.when_async_timeout(is_set, LONG);
        in_time!(when(), when(), *mutex.lock() = 1);
        *mutex.lock() = 0;

        let set = |number| *poison.lock().unwrap() = number;
        drop(told_of_and_left!(poison.when_async(is_set), poison.when_async(is_set), set(1)));
        set(0);
        let when = || poison.when_async_timeout(is_set, LONG);
        in_time!(when(), when(), set(1));
        set(0);
    });
    assert_eq!((Arc::strong_count(&mutex), Arc::strong_count(&poison)), (1, 1));
    assert!(mutex.try_lock().is_some() && poison.try_lock().is_ok() && !again.is_locked());
}

#[test]
fn an_rwlock_with_a_limit() {
    let lock = RwLock::new(0);
    again_and_again(|| {
        let guard = lock.write();
        in_time!(lock.write_async_timeout(LONG), lock.write_async_timeout(LONG), drop(guard));
        let guard = lock.write();
        in_time!(lock.read_async_timeout(LONG), lock.write_async_timeout(LONG), drop(guard));
        let guard = lock.write();
        let upgradable = || lock.upgradable_read_async_timeout(LONG);
        in_time!(upgradable(), upgradable(), drop(guard));
        let reader = lock.read();
        let upgrade = RwLockUpgradableGuard::upgrade_async_timeout(lock.upgradable_read(), LONG);
        in_time!(upgrade, lock.write_async_timeout(LONG), drop(reader));
    });
    assert!(!lock.is_locked());
}

/// Who leaves does not take the lock again, and leaves the notification to the next.
#[test]
fn a_condition_variable_with_every_guard() {
    let (mutex, poison) = (Arc::new(Mutex::new(0)), Arc::new(PoisonMutex::new(0)));
    let (again, lock, condvar) = (RLock::new(Cell::new(0)), RwLock::new(0), Condvar::new());
    macro_rules! guard {
        ($take:expr) => {{
            drop(ByHand::waiting(condvar.wait_async($take)));
            drop(ByHand::waiting(condvar.wait_async_timeout($take, LONG)));
            drop(ByHand::waiting(condvar.wait_while_async($take, |_| true)));
            drop(ByHand::waiting(condvar.wait_while_async_timeout($take, |_| true, LONG)));
            assert_eq!(condvar.waiting(), 0);
            drop(told_of_and_left!(
                condvar.wait_async($take),
                condvar.wait_async($take),
                condvar.notify_one()
            ));
            let wait = || condvar.wait_async_timeout($take, LONG);
            let (_guard, told) = told_of_and_left!(wait(), wait(), condvar.notify_one());
            assert_eq!(told, Ok(()));
        }};
    }
    again_and_again(|| {
        guard!(mutex.lock());
        guard!(mutex.lock_arc());
        guard!(poison.lock().unwrap());
        guard!(poison.lock_arc().unwrap());
        guard!(lock.write());
        guard!(lock.read());
        guard!(lock.upgradable_read());
        // Its owner is the task.
        let task = || Owner::new().task(async { drop(condvar.wait_async(again.lock_async().await).await) });
        drop(ByHand::waiting(task()));
        told_of_and_left!(task(), task(), condvar.notify_one());
        let late = || {
            Owner::new().task(async { condvar.wait_async_timeout(again.lock_async().await, LONG).await.1 })
        };
        drop(ByHand::waiting(late()));
        in_time!(late(), late(), condvar.notify_one());

        // The condition has gone, and who is told of it.
        let is_unset = |number: &mut i32| *number == 0;
        let tell = || {
            *mutex.lock() = 1;
            condvar.notify_one();
        };
        let wait = || condvar.wait_while_async(mutex.lock(), is_unset);
        *told_of_and_left!(wait(), wait(), tell()) = 0;
        let wait = || condvar.wait_while_async_timeout(mutex.lock(), is_unset, LONG);
        let (mut guard, told) = told_of_and_left!(wait(), wait(), tell());
        assert_eq!(told, Ok(()));
        *guard = 0;
    });
    assert_eq!((condvar.waiting(), Arc::strong_count(&mutex)), (0, 1));
    assert!(mutex.try_lock().is_some() && poison.try_lock().is_ok() && !lock.is_locked());
    assert!(!again.is_locked());
}

#[test]
fn permits_with_a_limit() {
    let (semaphore, bounded) = (Semaphore::new(2), BoundedSemaphore::new(1));
    again_and_again(|| {
        let permits = semaphore.acquire_many(2).unwrap();
        in_time!(semaphore.acquire_async_timeout(LONG), semaphore.acquire_async_timeout(LONG), drop(permits));
        let permits = semaphore.acquire_many(2).unwrap();
        in_time!(semaphore.acquire_many_async(2), semaphore.acquire_many_async(2), drop(permits));
        let permits = semaphore.acquire_many(2).unwrap();
        let many = || semaphore.acquire_many_async_timeout(2, LONG);
        in_time!(many(), many(), drop(permits));
        let permit = bounded.acquire().unwrap();
        in_time!(bounded.acquire_async_timeout(LONG), bounded.acquire_async_timeout(LONG), drop(permit));
    });
    assert_eq!((semaphore.available(), bounded.available()), (2, 1));
}

#[test]
fn signals_with_a_limit() {
    let (event, one, group, notify) = (Event::new(), Event::auto_reset(), WaitGroup::new(), Notify::new());
    again_and_again(|| {
        in_time!(event.wait_async_timeout(LONG), event.wait_async_timeout(LONG), event.set());
        event.clear();
        in_time!(one.wait_async_timeout(LONG), one.wait_async_timeout(LONG), one.set());
        assert!(!one.is_set(), "one set let one through");
        in_time!(notify.wait_async_timeout(LONG), notify.wait_async_timeout(LONG), notify.notify_one());
        assert!(!notify.try_wait(), "one notification let one through");
        let member = group.enter();
        in_time!(group.wait_async_timeout(LONG), group.wait_async_timeout(LONG), drop(member));
        let latch = Latch::new(1);
        in_time!(latch.wait_async_timeout(LONG), latch.wait_async_timeout(LONG), latch.count_down(1));
        let token = CancelToken::new();
        told_of_and_left!(token.wait_async(), token.wait_async(), token.cancel());
        let token = CancelToken::new();
        in_time!(token.wait_async_timeout(LONG), token.wait_async_timeout(LONG), token.cancel());
    });
    assert!(group.is_idle());
}

/// Who was told has gone through, be it that he does not see it: the others count on it, and nobody is counted twice.
#[test]
fn a_barrier_that_has_opened() {
    let barrier = Barrier::new(3);
    again_and_again(|| {
        let open = || _ = barrier.try_wait().expect("the others wait");
        in_time!(barrier.wait_async(), barrier.wait_async(), open());
        assert_eq!(barrier.arrived(), 0);
        in_time!(barrier.wait_async_timeout(LONG), barrier.wait_async_timeout(LONG), open());
        assert_eq!(barrier.arrived(), 0);
        // Told that it is broken.
        let broken = told_of_and_left!(barrier.wait_async(), barrier.wait_async(), barrier.abort());
        assert!(broken.is_err());
        barrier.reset();
    });
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn values_that_are_made_with_a_limit() {
    again_and_again(|| {
        let cell = OnceCell::new();
        in_time!(cell.wait_async_timeout(LONG), cell.wait_async_timeout(LONG), cell.set(1).unwrap());

        let cell = OnceCell::new();
        let makes = ByHand::waiting(cell.get_or_init_async_timeout(pending(), LONG));
        drop(ByHand::waiting(cell.get_or_init_async_timeout(ready(1), LONG)));
        let make = |value| cell.get_or_init_async_timeout(ready(value), LONG);
        assert_eq!(told_of_and_left!(make(1), make(2), drop(makes)), Ok(&2));

        macro_rules! lazy {
            ($lazy:expr) => {{
                let lazy = $lazy;
                let makes = ByHand::waiting(lazy.cell().get_or_init_async(pending()));
                drop(ByHand::waiting(lazy.force_async_timeout(LONG)));
                in_time!(lazy.force_async_timeout(LONG), lazy.force_async_timeout(LONG), drop(makes));
                let lazy = $lazy;
                let makes = ByHand::waiting(lazy.cell().get_or_init_async(pending()));
                told_of_and_left!(lazy.force_async(), lazy.force_async(), drop(makes));
            }};
        }
        lazy!(Lazy::new(|| 1));
        lazy!(Lazy::new_async(|| ready(1)));
    });
}

#[test]
fn a_swap_with_a_limit() {
    let exchanger = Exchanger::new();
    again_and_again(|| {
        // Who was told has swapped, and drops what he got.
        let told = ByHand::waiting(exchanger.exchange_async_timeout(Box::new(1), LONG));
        drop(exchanger.try_exchange(Box::new(2)).expect("somebody waits"));
        assert!(told.is_told());
        drop(told);
        assert!(!exchanger.is_awaited());
    });
}

/// Of what has places: items, room, and that all is done.
macro_rules! queue {
    ($name:ident: $empty:expr, $full:expr, $item:expr) => {
        #[test]
        fn $name() {
            let (empty, full) = ($empty, $full);
            while full.try_put($item).is_ok() {}
            let places = full.len();
            again_and_again(|| {
                let get = || empty.get_async_timeout(LONG);
                in_time!(get(), get(), _ = empty.put($item).unwrap());
                in_time!(empty.join_async_timeout(LONG), empty.join_async_timeout(LONG), empty.task_done());
                empty.put($item).unwrap();
                drop(empty.get());
                told_of_and_left!(empty.join_async(), empty.join_async(), empty.task_done());
                let put = || full.put_async_timeout($item, LONG);
                in_time!(put(), put(), drop(full.get()));
            });
            assert!(empty.is_empty());
            assert_eq!((empty.unfinished(), full.len()), (0, places));
        }
    };
}

queue!(a_ring_with_a_limit: Queue::bounded(3), Queue::bounded(3), Box::new(1));
queue!(blocks_with_a_limit: Queue::unbounded(), Queue::bounded(2), Box::new(1));
queue!(one_place_with_a_limit: Queue::bounded(1), Queue::bounded(2), Box::new(1));
queue!(last_in_first_out_with_a_limit: LifoQueue::unbounded(), LifoQueue::bounded(2), Box::new(1));
queue!(by_priority_with_a_limit: PriorityQueue::unbounded(), PriorityQueue::bounded(2), Box::new(1));
queue!(
    by_time_with_a_limit:
    DelayQueue::unbounded(), DelayQueue::bounded(2), Delayed::after(Duration::ZERO, Box::new(1))
);
queue!(
    a_buffer_with_a_limit:
    Buffer::new(1, Overflow::Block), Buffer::new(1, Overflow::Block), Box::new(1)
);

/// From hand to hand: who was told has handed his item over, and leaves without it. Nobody is told in his place.
#[test]
fn items_that_were_handed_over_with_a_limit() {
    let (queue, full) = (Queue::rendezvous(), Queue::bounded(1));
    full.put(Box::new(0)).unwrap();
    again_and_again(|| {
        macro_rules! handed_over {
            ($put:ident $(, $limit:expr)?) => {
                let told = ByHand::waiting(queue.$put(Box::new(1) $(, $limit)?));
                assert_eq!(queue.try_get(), Ok(Box::new(1)));
                assert!(told.is_told());
                drop(told);
                assert!(queue.try_get().is_err());

                let told = ByHand::waiting(full.$put(Box::new(1) $(, $limit)?));
                assert!(full.try_get().is_ok() && told.is_told());
                let next = ByHand::waiting(full.$put(Box::new(2) $(, $limit)?));
                drop(told);
                drop(next);
                assert_eq!(full.try_get(), Ok(Box::new(1)), "the item is lost with who has put it");
                full.try_put(Box::new(0)).expect("who was not told has put nothing");
            };
        }
        handed_over!(put_async);
        handed_over!(put_async_timeout, LONG);
    });
    assert_eq!((queue.len(), full.len()), (0, 1));
}

#[test]
fn lone_ends_with_a_limit() {
    macro_rules! ends {
        ($sender:ident, $receiver:ident, $to_full:ident, $full:ident) => {
            $to_full.try_put(Box::new(1)).unwrap();
            again_and_again(|| {
                let told = ByHand::waiting($receiver.get_async_timeout(LONG));
                $sender.put(Box::new(1)).unwrap();
                assert!(told.is_told());
                drop(told);
                assert_eq!($receiver.try_get(), Ok(Box::new(1)), "the item is lost with who was told of it");
                let told = ByHand::waiting($to_full.put_async_timeout(Box::new(2), LONG));
                drop($full.get());
                assert!(told.is_told());
                drop(told);
                $to_full.try_put(Box::new(1)).expect("the room is lost with who was told of it");
            });
        };
    }
    for capacity in [1, 3] {
        let ((mut sender, mut receiver), (mut to_full, mut full)) =
            (spsc::bounded(capacity), spsc::bounded(1));
        ends!(sender, receiver, to_full, full);
        let ((sender, mut receiver), (to_full, mut full)) = (mpsc::bounded(capacity), mpsc::bounded(1));
        ends!(sender, receiver, to_full, full);
        let put = || to_full.put_async_timeout(Box::new(2), LONG);
        again_and_again(|| in_time!(put(), put(), drop(full.get())));
    }
}

#[test]
fn the_way_for_one_item_with_a_limit() {
    again_and_again(|| {
        let (sender, receiver) = oneshot::channel();
        let get = || receiver.get_async_timeout(LONG);
        in_time!(get(), get(), sender.send(Box::new(1)).unwrap());
        let (sender, receiver) = oneshot::channel::<Box<u32>>();
        told_of_and_left!(sender.closed_async(), sender.closed_async(), drop(receiver));
        let (sender, receiver) = oneshot::channel::<Box<u32>>();
        in_time!(sender.closed_async_timeout(LONG), sender.closed_async_timeout(LONG), drop(receiver));
    });
}

#[test]
fn what_is_told_to_all_who_want_it() {
    let (board, mut eyes) = watch::channel(Box::new(0));
    let mut others = eyes.clone();
    again_and_again(|| {
        // With and without a limit, of the same receivers.
        macro_rules! wanted {
            ($wait_for:ident $(, $limit:expr)?) => {
                drop(board.send(Box::new(1)));
                in_time!(
                    eyes.$wait_for(|value| **value == 2 $(, $limit)?),
                    others.$wait_for(|value| **value == 2 $(, $limit)?),
                    drop(board.send(Box::new(2)))
                );
                assert!(eyes.try_wait_for(|value| **value == 2).is_ok());
            };
        }
        wanted!(wait_for_async);
        wanted!(wait_for_async_timeout, LONG);
    });
}

#[test]
fn times_tasks_and_a_select_with_a_limit() {
    let (event, at) = (Event::auto_reset(), Instant::now() + LONG);
    again_and_again(|| {
        drop(ByHand::waiting(timer::sleep_until(at)));
        drop(ByHand::waiting(timer::timeout(LONG, timer::sleep_until(at + LONG))));
        let wait = || timer::timeout(LONG, event.wait_async());
        in_time!(wait(), wait(), event.set());
        let wait = || {
            let mut select = Select::new();
            select.arm(event.wait_async());
            select
        };
        in_time!(wait().wait_async_timeout(LONG), wait().wait_async_timeout(LONG), event.set());

        let (quick, ends) = promise();
        let mut all = as_completed([ends]);
        let told = ByHand::waiting(all.next_async_timeout(LONG));
        quick.finish(Ok(Box::new(1)));
        assert!(told.is_told());
        drop(told);
        let next = ByHand::new(all.next_async_timeout(LONG)).poll().expect("it has ended");
        assert_eq!(next.unwrap().expect("a task").expect("it has ended"), Box::new(1));
    });
    assert!(!event.is_set());
}
