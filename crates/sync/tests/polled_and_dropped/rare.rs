//! What is needed rarely, and the rarer ways to wait for the rest.

use super::{again_and_again, told_of_and_left};
use crate::common::{ByHand, Counted, LONG};
use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::sync::Arc;
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Order, Overflow, PriorityQueue, QueueOf, mpsc, spsc,
};
use sync::rwlock::RwLockUpgradableGuard;
use sync::select::Select;
use sync::{Event, Mutex, Queue, RwLock, timer};

#[test]
fn a_lock_that_its_owner_may_take_again() {
    let lock = RLock::new(0);
    again_and_again(|| {
        let guard = lock.lock();
        drop(ByHand::waiting(Owner::new().task(async { drop(lock.lock_async().await) })));
        drop(ByHand::waiting(Owner::new().task(async { drop(lock.lock_async_timeout(LONG).await) })));
        let task = || {
            Owner::new().task(async {
                let _guard = lock.lock_async().await;
                lock.depth()
            })
        };
        assert_eq!(told_of_and_left!(task(), task(), drop(guard)), 1);
    });
    assert!(!lock.is_locked());
}

#[test]
fn locks_in_rarer_ways() {
    let (mutex, poison, lock) = (Arc::new(Mutex::new(0)), Arc::new(PoisonMutex::new(0)), RwLock::new(0));
    again_and_again(|| {
        let guard = mutex.lock();
        drop(ByHand::waiting(mutex.lock_arc_async()));
        drop(ByHand::waiting(mutex.lock_arc_async_timeout(LONG)));
        drop(told_of_and_left!(mutex.lock_arc_async(), mutex.lock_arc_async(), drop(guard)));

        let guard = poison.lock().unwrap();
        drop(ByHand::waiting(poison.lock_async_timeout(LONG)));
        drop(told_of_and_left!(poison.lock_async(), poison.lock_async(), drop(guard)));
        let guard = poison.lock_arc().unwrap();
        drop(ByHand::waiting(poison.lock_arc_async_timeout(LONG)));
        drop(told_of_and_left!(poison.lock_arc_async(), poison.lock_arc_async(), drop(guard)));
        drop(ByHand::waiting(poison.when_async(|number| *number == 1)));
        drop(ByHand::waiting(poison.when_async_timeout(|number| *number == 1, LONG)));

        // Who upgrades gives up what he had, if he leaves.
        let reader = lock.read();
        drop(ByHand::waiting(RwLockUpgradableGuard::upgrade_async_timeout(lock.upgradable_read(), LONG)));
        let told = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(lock.upgradable_read()));
        let mut next = ByHand::waiting(lock.write_async());
        drop(reader);
        assert!(told.is_told());
        drop(told);
        assert!(next.is_told() && next.poll().is_some(), "the lock is lost with who upgrades");
    });
    assert_eq!((Arc::strong_count(&mutex), Arc::strong_count(&poison)), (1, 1));
    assert!(mutex.try_lock().is_some() && poison.try_lock().is_ok() && !lock.is_locked());
}

#[test]
fn counts() {
    let (bounded, group) = (BoundedSemaphore::new(1), WaitGroup::new());
    again_and_again(|| {
        let permit = bounded.acquire().unwrap();
        drop(ByHand::waiting(bounded.acquire_async_timeout(LONG)));
        drop(told_of_and_left!(bounded.acquire_async(), bounded.acquire_async(), drop(permit)).unwrap());

        let latch = Latch::new(1);
        drop(ByHand::waiting(latch.wait_async_timeout(LONG)));
        told_of_and_left!(latch.wait_async(), latch.wait_async(), latch.count_down(1));

        let member = group.enter();
        drop(ByHand::waiting(group.wait_async_timeout(LONG)));
        told_of_and_left!(group.wait_async(), group.wait_async(), drop(member));
    });
    assert_eq!(bounded.available(), 1);
    assert!(group.is_idle());
}

#[test]
fn notifications_and_swaps() {
    let (notify, exchanger, counted) = (Notify::new(), Exchanger::new(), Counted::default());
    again_and_again(|| {
        drop(ByHand::waiting(notify.wait_async_timeout(LONG)));
        told_of_and_left!(notify.wait_async(), notify.wait_async(), notify.notify_one());
        assert!(!notify.try_wait(), "one notification let one through");

        drop(ByHand::waiting(exchanger.exchange_async(counted.clone())));
        drop(ByHand::waiting(exchanger.exchange_async_timeout(counted.clone(), LONG)));
        // Who was told has swapped, and drops what he got.
        let told = ByHand::waiting(exchanger.exchange_async(counted.clone()));
        drop(exchanger.try_exchange(counted.clone()).expect("somebody waits"));
        assert!(told.is_told());
        drop(told);
        assert_eq!(counted.others(), 0);
    });
}

#[test]
fn values_that_are_made_once() {
    let counted = Counted::default();
    let lazy = Lazy::new_async(|| async {
        pending::<()>().await;
        1
    });
    again_and_again(|| {
        drop(ByHand::waiting(lazy.force_async()));
        let cell = OnceCell::new();
        let held = counted.clone();
        let makes = ByHand::waiting(cell.get_or_init_async(async move {
            let _held = held;
            pending().await
        }));
        drop(ByHand::waiting(cell.wait_async_timeout(LONG)));
        drop(ByHand::waiting(cell.get_or_try_init_async(async { Err::<u32, ()>(()) })));
        // Who makes the value leaves, and whoever waits to make it is to make it: the first who is told leaves as well.
        let told = ByHand::waiting(cell.get_or_init_async(ready(1)));
        let mut next = ByHand::waiting(cell.get_or_init_async(ready(2)));
        drop(makes);
        assert!(told.is_told());
        drop(told);
        assert!(next.is_told(), "what the first was told of is lost with it");
        assert_eq!(next.poll(), Some(&2));

        let cell = OnceCell::new();
        told_of_and_left!(cell.wait_async(), cell.wait_async(), cell.set(1).unwrap());
        assert_eq!(counted.others(), 0);
    });
}

#[test]
fn queues_in_rarer_ways() {
    let queues: [Queue<Box<u32>>; 4] =
        [Queue::unbounded(), Queue::bounded(3), Queue::bounded(1), Queue::rendezvous()];
    let full = [Queue::bounded(2), Queue::bounded(1)];
    full.iter().for_each(|queue| while queue.try_put(Box::new(0)).is_ok() {});
    let nobody = Queue::rendezvous();
    again_and_again(|| {
        for queue in &queues {
            let mut stream = pin!(queue.stream());
            drop(ByHand::waiting(stream.as_mut().next()));
            drop(ByHand::waiting(poll_fn(|cx| stream.as_mut().poll_next(cx))));
        }
        for queue in &full {
            let mut item = Some(Box::new(1));
            drop(ByHand::waiting(queue.put_from_async(&mut item)));
            assert_eq!(item, Some(Box::new(1)), "who left has put nothing");
            let mut other = Some(Box::new(2));
            told_of_and_left!(
                queue.put_from_async(&mut item),
                queue.put_from_async(&mut other),
                drop(queue.get())
            )
            .unwrap();
            assert_eq!((item, other), (Some(Box::new(1)), None));
        }
        let mut item = Some(Box::new(1));
        drop(ByHand::waiting(nobody.put_from_async(&mut item)));
        assert!(item.is_some() && nobody.try_get().is_err());
    });
    assert!(queues.iter().all(Queue::is_empty));
    assert!(full.iter().all(|queue| queue.len() == queue.capacity().expect("a bound")));
}

#[test]
fn a_select_with_a_limit_and_anything_with_one() {
    let (event, mutex) = (Event::auto_reset(), Mutex::new(()));
    again_and_again(|| {
        let guard = mutex.lock();
        let select = || {
            let mut select = Select::new();
            select.arm(event.wait_async());
            select.arm(async { drop(mutex.lock_async().await) });
            select
        };
        drop(ByHand::waiting(select().wait_async_timeout(LONG)));
        drop(ByHand::waiting(timer::timeout(LONG, event.wait_async())));
        let (number, ()) = told_of_and_left!(
            select().wait_async(),
            async { select().wait_async_timeout(LONG).await.expect("a long limit") },
            event.set()
        );
        assert_eq!(number, 0);
        drop(guard);
    });
    assert!(!event.is_set() && mutex.try_lock().is_some());
}

/// Of a queue with an order of its own: its streams, and an item that stays with who puts it.
fn in_rarer_ways<O: Order>(empty: &QueueOf<O>, full: &QueueOf<O>, item: impl Fn() -> O::Item) {
    while full.try_put(item()).is_ok() {}
    let places = full.len();
    again_and_again(|| {
        {
            // It waits until it is dropped itself.
            let mut stream = pin!(empty.stream());
            drop(ByHand::waiting(stream.as_mut().next()));
            drop(ByHand::waiting(poll_fn(|cx| stream.as_mut().poll_next(cx))));
        }
        let (mut one, mut other) = (Some(item()), Some(item()));
        drop(ByHand::waiting(full.put_from_async(&mut one)));
        assert!(one.is_some(), "who left has put nothing");
        told_of_and_left!(full.put_from_async(&mut one), full.put_from_async(&mut other), drop(full.get()))
            .unwrap();
        assert!(one.is_some() && other.is_none());
        // An item that somebody waits for in a stream is not his before he has it.
        let mut gone = Box::pin(empty.stream());
        let told = ByHand::waiting(gone.as_mut().next());
        empty.put(item()).unwrap();
        assert!(told.is_told());
        drop(told);
        drop(gone);
        assert!(empty.try_get().is_ok(), "an item is lost with a stream");
    });
    assert!(empty.is_empty());
    assert_eq!(full.len(), places);
}

#[test]
fn queues_with_an_order_in_rarer_ways() {
    in_rarer_ways(&LifoQueue::unbounded(), &LifoQueue::bounded(2), || Box::new(1));
    in_rarer_ways(&PriorityQueue::unbounded(), &PriorityQueue::bounded(1), || Box::new(1));
    let due = || Delayed::after(std::time::Duration::ZERO, Box::new(1));
    in_rarer_ways(&DelayQueue::unbounded(), &DelayQueue::bounded(1), due);
}

/// Who waits for an item that is there and not due waits for the clock.
#[test]
fn an_item_that_is_not_due() {
    let queue = DelayQueue::unbounded();
    queue.put(Delayed::after(LONG, Box::new(1))).unwrap();
    again_and_again(|| {
        drop(ByHand::waiting(queue.get_async()));
        drop(ByHand::waiting(queue.get_async_timeout(LONG / 2)));
        drop(ByHand::waiting(pin!(queue.stream()).as_mut().next()));
        // One that is due comes, and who is told of it leaves.
        let item = told_of_and_left!(
            queue.get_async(),
            queue.get_async(),
            queue.put(Delayed::after(std::time::Duration::ZERO, Box::new(2))).unwrap()
        );
        assert_eq!(item.map(|item| item.item), Ok(Box::new(2)));
    });
    assert_eq!(queue.len(), 1);
}

#[test]
fn a_buffer_in_rarer_ways() {
    let buffer = Buffer::new(1, Overflow::Block);
    again_and_again(|| {
        buffer.put(Box::new(1)).unwrap();
        drop(ByHand::waiting(buffer.join_async()));
        drop(ByHand::waiting(buffer.join_async_timeout(LONG)));
        let (mut one, mut other) = (Some(Box::new(2)), Some(Box::new(3)));
        drop(ByHand::waiting(buffer.put_from_async(&mut one)));
        let put = told_of_and_left!(
            buffer.put_from_async(&mut one),
            buffer.put_from_async(&mut other),
            drop(buffer.get())
        );
        assert_eq!((put, one, other), (Ok(None), Some(Box::new(2)), None));
        assert_eq!(buffer.get(), Ok(Box::new(3)));
        told_of_and_left!(buffer.join_async(), buffer.join_async(), {
            buffer.task_done();
            buffer.task_done();
        });
        drop(ByHand::waiting(pin!(buffer.stream()).as_mut().next()));
    });
    assert!(buffer.is_empty());
    assert_eq!(buffer.unfinished(), 0);
}

#[test]
fn lone_ends_of_rings() {
    let ((mut to_ring, mut ring), (to_shared_ring, mut shared_ring)) = (spsc::bounded(3), mpsc::bounded(3));
    (0..3).for_each(|item| to_ring.try_put(Box::new(item)).unwrap());
    (0..3).for_each(|item| to_shared_ring.try_put(Box::new(item)).unwrap());
    again_and_again(|| {
        drop(ByHand::waiting(to_ring.put_async(Box::new(3))));
        drop(ByHand::waiting(to_ring.put_async_timeout(Box::new(3), LONG)));
        // The only one who puts is told of room, leaves, and comes back.
        let told = ByHand::waiting(to_ring.put_async(Box::new(3)));
        drop(ring.get());
        assert!(told.is_told());
        drop(told);
        to_ring.try_put(Box::new(3)).expect("the room is lost with who was told of it");
        let mut item = Some(Box::new(3));
        drop(ByHand::waiting(to_ring.put_from_async(&mut item)));
        let told = ByHand::waiting(to_ring.put_from_async(&mut item));
        drop(ring.get());
        assert!(told.is_told());
        drop(told);
        to_ring.try_put(item.take().expect("who left has put nothing")).expect("there is room");

        drop(ByHand::waiting(to_shared_ring.put_async_timeout(Box::new(3), LONG)));
        told_of_and_left!(
            to_shared_ring.put_async(Box::new(3)),
            to_shared_ring.put_async(Box::new(4)),
            drop(shared_ring.get())
        )
        .unwrap();
        let (mut one, mut other) = (Some(Box::new(5)), Some(Box::new(6)));
        drop(ByHand::waiting(to_shared_ring.put_from_async(&mut one)));
        told_of_and_left!(
            to_shared_ring.put_from_async(&mut one),
            to_shared_ring.put_from_async(&mut other),
            drop(shared_ring.get())
        )
        .unwrap();
        assert!(one.is_some() && other.is_none(), "who left has put nothing");
    });
    assert_eq!((ring.len(), shared_ring.len()), (3, 3));
}

#[test]
fn lone_ends_of_blocks() {
    macro_rules! ends {
        ($sender:ident, $receiver:ident) => {
            again_and_again(|| {
                drop(ByHand::waiting($receiver.get_async_timeout(LONG)));
                let told = ByHand::waiting($receiver.get_async());
                $sender.put(Box::new(5)).unwrap();
                assert!(told.is_told());
                drop(told);
                assert_eq!($receiver.try_get(), Ok(Box::new(5)), "the item is lost with who was told of it");
                let mut stream = Box::pin($receiver.stream());
                let told = ByHand::waiting(stream.as_mut().next());
                $sender.put(Box::new(6)).unwrap();
                assert!(told.is_told());
                drop(told);
                drop(stream);
                assert_eq!($receiver.try_get(), Ok(Box::new(6)), "the item is lost with the stream");
            });
        };
    }
    let (mut sender, mut receiver) = spsc::unbounded();
    ends!(sender, receiver);
    let (sender, mut receiver) = mpsc::unbounded();
    ends!(sender, receiver);
}

/// A value that is made by a function: others wait only while it is being made, so the function is where they are looked at.
static LAZY: Lazy<u32> = Lazy::new(|| {
    again_and_again(|| drop(ByHand::waiting(LAZY.force_async())));
    7
});

#[test]
fn a_value_that_a_function_makes() {
    assert_eq!(LAZY.force(), &7);
    assert_eq!(ByHand::new(LAZY.force_async()).poll(), Some(&7));
}

/// Readers, whose turn comes with others'.
#[test]
fn a_read_that_was_told_and_left() {
    let lock = RwLock::new(0);
    again_and_again(|| {
        let guard = lock.write();
        let told = ByHand::waiting(lock.upgradable_read_async());
        let mut next = ByHand::waiting(lock.upgradable_read_async());
        let reader = ByHand::waiting(lock.read_async());
        drop(guard);
        assert!(told.is_told());
        drop((told, reader));
        assert!(next.is_told() && next.poll().is_some(), "the right to upgrade is lost with who was told");

        let guard = lock.write();
        let told = ByHand::waiting(lock.read_async());
        let mut writer = ByHand::waiting(lock.write_async());
        drop(guard);
        assert!(told.is_told());
        drop(told);
        assert!(writer.is_told() && writer.poll().is_some(), "the lock is lost with a reader");
    });
    assert!(!lock.is_locked());
}
