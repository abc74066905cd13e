//! Who gives up leaves in constant time, however many wait: a test for each thing that many can wait for.
//!
//! What is counted is no time, but how many waiters are looked at while one future is dropped.

use crate::extra::{BoundedSemaphore, Latch, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup};
use crate::queue::{
    Buffer, DelayQueue, LifoQueue, Overflow, PriorityQueue, broadcast, oneshot, pubsub::PubSub, watch,
};
use crate::wait::steps;
use crate::{Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

/// How many wait. Ten times as many would take ten times as long to queue up, and be no other proof.
const MANY: usize = if cfg!(miri) { 200 } else { 10_000 };

/// His own place, those beside it and the ends of the queue are five or six; in strict order the first is looked at to see whether he is
/// told and late, which makes ten.
const FEW: usize = 16;

/// Many wait, and some of them leave: the last, one in the middle, one near the front, and the first.
#[track_caller]
fn leave_in_few_steps<F: Future>(what: &str, mut wait: impl FnMut() -> F) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut waiting: Vec<Option<Pin<Box<F>>>> = (0..MANY).map(|_| Some(Box::pin(wait()))).collect();
    for waiter in waiting.iter_mut().flatten() {
        assert!(waiter.as_mut().poll(&mut cx).is_pending(), "{what}: nobody ends this wait");
    }
    for who in [MANY - 1, MANY / 2, 1, 2, 0] {
        let steps = steps::taken_by(|| waiting[who] = None);
        assert!((1..=FEW).contains(&steps), "{what}: {steps} steps for number {who} of {MANY}");
    }
    // The others: in such an order that it would take a long time if any of them went through the rest.
    while waiting.pop().is_some() {}
}

#[test]
fn at_a_mutex() {
    let mutex = Arc::new(Mutex::new(0));
    let held = mutex.lock();
    leave_in_few_steps("Mutex", || mutex.lock_async());
    leave_in_few_steps("Mutex, by a share", || mutex.lock_arc_async());
    leave_in_few_steps("Mutex, for a value, while it is held", || mutex.when_async(|_| false));
    drop(held);
    leave_in_few_steps("Mutex, for a value", || mutex.when_async(|_| false));
    let poison = PoisonMutex::new(());
    let _held = poison.lock();
    leave_in_few_steps("PoisonMutex", || poison.lock_async());
}

#[test]
fn at_an_rlock() {
    let lock = RLock::new(());
    let _held = lock.lock();
    leave_in_few_steps("RLock", || Owner::new().task(lock.lock_async()));
}

#[test]
fn at_an_rwlock() {
    let lock = RwLock::new(());
    let written = lock.write();
    leave_in_few_steps("RwLock, to read", || lock.read_async());
    leave_in_few_steps("RwLock, to write", || lock.write_async());
    leave_in_few_steps("RwLock, to read and go on to write", || lock.upgradable_read_async());
    drop(written);
    let _read = lock.read();
    leave_in_few_steps("RwLock, to write while another reads", || lock.write_async());
}

#[test]
fn at_a_semaphore() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.try_acquire();
    leave_in_few_steps("Semaphore, for more than there are", || semaphore.acquire_many_async(2));
    let _all = (held, semaphore.try_acquire());
    leave_in_few_steps("Semaphore", || semaphore.acquire_async());
    let bounded = BoundedSemaphore::new(1);
    let _held = bounded.try_acquire();
    leave_in_few_steps("BoundedSemaphore", || bounded.acquire_async());
}

#[test]
fn at_signals() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    leave_in_few_steps("Condvar", || async {
        let guard = mutex.try_lock().expect("who waits has given it back");
        drop(condvar.wait_async(guard).await);
    });
    let event = Event::new();
    leave_in_few_steps("Event", || event.wait_async());
    let auto = Event::auto_reset();
    leave_in_few_steps("Event, of which one is told", || auto.wait_async());
    let notify = Notify::new();
    leave_in_few_steps("Notify", || notify.wait_async());
    let latch = Latch::new(1);
    leave_in_few_steps("Latch", || latch.wait_async());
    let group = WaitGroup::new();
    let _member = group.enter();
    leave_in_few_steps("WaitGroup", || group.wait_async());
    let token = CancelToken::new();
    leave_in_few_steps("CancelToken", || token.wait_async());
    let child = token.child();
    leave_in_few_steps("CancelToken, a child", || child.wait_async());
}

#[test]
fn at_a_barrier() {
    let barrier = Barrier::new(MANY + 1);
    leave_in_few_steps("Barrier", || barrier.wait_async());
}

#[test]
fn at_a_cell_that_somebody_fills() {
    let cell = OnceCell::<u8>::new();
    leave_in_few_steps("OnceCell", || cell.wait_async());
    let mut first = Box::pin(cell.get_or_init_async(pending()));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    leave_in_few_steps("OnceCell, to fill it", || cell.get_or_init_async(pending()));
}

#[test]
fn at_queues() {
    for (name, queue) in [
        ("Queue", Queue::<u8>::unbounded()),
        ("Queue of one", Queue::bounded(1)),
        ("Queue of many", Queue::bounded(1024)),
        ("Queue of none", Queue::rendezvous()),
    ] {
        leave_in_few_steps(name, || queue.get_async());
    }
    for (name, queue) in [
        ("Queue of one, full", Queue::bounded(1)),
        ("Queue of many, full", Queue::bounded(1024)),
        ("Queue of none, full", Queue::rendezvous()),
    ] {
        while queue.try_put(7).is_ok() {}
        leave_in_few_steps(name, || queue.put_async(7));
    }
    let unfinished = Queue::unbounded();
    unfinished.try_put(7).expect("there is room");
    leave_in_few_steps("Queue, for all to be done", || unfinished.join_async());
}

#[test]
fn at_queues_of_other_orders() {
    let lifo = LifoQueue::bounded(1);
    leave_in_few_steps("LifoQueue", || lifo.get_async());
    lifo.try_put(7).expect("there is room");
    leave_in_few_steps("LifoQueue, full", || lifo.put_async(7));
    let priority = PriorityQueue::<u8>::unbounded();
    leave_in_few_steps("PriorityQueue", || priority.get_async());
    let delay = DelayQueue::<u8>::unbounded();
    leave_in_few_steps("DelayQueue", || delay.get_async());
    let buffer = Buffer::new(1, Overflow::Block);
    leave_in_few_steps("Buffer", || buffer.get_async());
    buffer.try_put(7).expect("there is room");
    leave_in_few_steps("Buffer, full", || buffer.put_async(7));
}

#[test]
fn at_channels() {
    let (sender, _receiver) = broadcast::channel::<u8>(4);
    leave_in_few_steps("broadcast", || {
        let mut own = sender.subscribe();
        async move { own.get_async().await.is_ok() }
    });
    let (sender, _receiver) = watch::channel(7);
    leave_in_few_steps("watch", || {
        let mut own = sender.subscribe();
        async move { own.changed_async().await.is_ok() }
    });
    let topics = PubSub::<u8, u8>::new(4);
    leave_in_few_steps("PubSub", || {
        let mut own = topics.subscribe(1);
        async move { own.get_async().await.is_ok() }
    });
    let (_sender, receiver) = oneshot::channel::<u8>();
    leave_in_few_steps("oneshot", || receiver.get_async());
}
