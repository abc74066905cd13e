//! No wait allocates, whoever waits for whatever and in whichever way: what a wait needs lies in the waiter's own frame.
//!
//! Each wait ends by its limit, so that it has waited for certain. What is allocated once and kept (a ring, a list that has grown) is
//! there before it is counted. Two of them keep something for each of those who wait, or leave, at once: see `a_second_crowd`.

mod common;
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
#[path = "common/counting.rs"]
mod counting;
#[path = "common/parker.rs"]
mod parker;

use common::LONG;
use counting::allocations;
use parker::OwnThread;
use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::error::Unfinished;
use sync::extra::{
    BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::park::{self, Parker, block_on};
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue, broadcast, mpsc, oneshot,
    pubsub::PubSub, spsc, watch,
};
use sync::rwlock::RwLockUpgradableGuard;
use sync::timer::timeout;
use sync::{
    Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, as_completed, gather, promise,
    select, select_async,
};

const LIMIT: Duration = Duration::from_micros(300);

/// `wait` waits in vain, and says so.
#[track_caller]
fn allocates_nothing(name: &str, mut wait: impl FnMut() -> bool) {
    for _ in 0..2 {
        assert!(wait(), "{name}: nobody ends this wait but the clock");
    }
    for _ in 0..3 {
        assert_eq!(allocations(&mut wait), (0, true), "{name}");
    }
}

/// As a coroutine waits: by the parker of whoever runs it, which is there before it is counted.
#[track_caller]
fn allocates_nothing_as_a_coroutine(name: &str, wait: impl FnMut() -> bool) {
    let parker = Rc::new(Counting::default());
    let _installed = park::install(Rc::<Counting>::clone(&parker));
    allocates_nothing(name, wait);
    assert!(parker.parks.get() > 0, "{name} waits beside the parker");
}

/// A parker that counts how often it was asked.
#[derive(Default)]
struct Counting {
    parks: Cell<usize>,
    own: OwnThread,
}

impl Parker for Counting {
    fn waker(&self) -> Waker {
        self.own.waker()
    }

    fn park(&self, deadline: Option<Instant>) {
        self.parks.set(self.parks.get() + 1);
        self.own.park(deadline);
    }

    fn cooperative(&self) -> bool {
        true
    }
}

/// A wait that blocks, of a thread and of a coroutine, and the same awaited.
macro_rules! both {
    ($name:literal, $blocking:expr, $awaited:expr) => {
        allocates_nothing(concat!($name, ", blocking"), || $blocking);
        allocates_nothing_as_a_coroutine(concat!($name, ", in a coroutine"), || $blocking);
        allocates_nothing(concat!($name, ", awaited"), || block_on($awaited));
    };
}

/// As [`both`], for what says by an error that it was late.
macro_rules! late {
    ($name:literal, $blocking:expr, $awaited:expr) => {
        both!($name, $blocking.is_err(), async { $awaited.await.is_err() })
    };
}

#[test]
fn locks() {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock();
    late!("Mutex", mutex.lock_timeout(LIMIT), mutex.lock_async_timeout(LIMIT));
    late!("Mutex, by a share", mutex.lock_arc_timeout(LIMIT), mutex.lock_arc_async_timeout(LIMIT));
    drop(guard);
    let never = |number: &i32| *number > 0;
    late!("Mutex::when", mutex.when_timeout(never, LIMIT), mutex.when_async_timeout(never, LIMIT));

    let poison = PoisonMutex::new(());
    let _held = poison.lock();
    late!("PoisonMutex", poison.lock_timeout(LIMIT), poison.lock_async_timeout(LIMIT));

    let again = RLock::new(());
    Owner::new().run(|| std::mem::forget(again.lock()));
    late!(
        "RLock",
        Owner::new().run(|| again.lock_timeout(LIMIT).map(drop)),
        Owner::new().task(again.lock_async_timeout(LIMIT))
    );

    let lock = RwLock::new(());
    let guard = lock.write();
    late!("RwLock, to read", lock.read_timeout(LIMIT), lock.read_async_timeout(LIMIT));
    late!("RwLock, to write", lock.write_timeout(LIMIT), lock.write_async_timeout(LIMIT));
    late!(
        "RwLock, to upgrade later",
        lock.upgradable_read_timeout(LIMIT),
        lock.upgradable_read_async_timeout(LIMIT)
    );
    drop(guard);
    let _reader = lock.read();
    let mut upgradable = Some(lock.upgradable_read());
    allocates_nothing("an upgrade, blocking", || {
        let guard = upgradable.take().unwrap();
        upgradable = RwLockUpgradableGuard::upgrade_timeout(guard, LIMIT).err();
        upgradable.is_some()
    });
    allocates_nothing("an upgrade, awaited", || {
        let guard = upgradable.take().unwrap();
        upgradable = block_on(RwLockUpgradableGuard::upgrade_async_timeout(guard, LIMIT)).err();
        upgradable.is_some()
    });

    let condvar = Condvar::new();
    both!("Condvar", condvar.wait_timeout(mutex.lock(), LIMIT).1.is_err(), async {
        condvar.wait_async_timeout(mutex.lock(), LIMIT).await.1.is_err()
    });
    both!("Condvar, while", condvar.wait_while_timeout(mutex.lock(), |_| true, LIMIT).1.is_err(), async {
        condvar.wait_while_async_timeout(mutex.lock(), |_| true, LIMIT).await.1.is_err()
    });
}

#[test]
fn permits_and_signals() {
    let semaphore = Semaphore::new(1);
    late!(
        "Semaphore",
        semaphore.acquire_many_timeout(2, LIMIT),
        semaphore.acquire_many_async_timeout(2, LIMIT)
    );
    let bounded = BoundedSemaphore::new(0);
    late!("BoundedSemaphore", bounded.acquire_timeout(LIMIT), bounded.acquire_async_timeout(LIMIT));
    let event = Event::new();
    late!("Event", event.wait_timeout(LIMIT), event.wait_async_timeout(LIMIT));
    let event = Event::auto_reset();
    late!("Event that resets itself", event.wait_timeout(LIMIT), event.wait_async_timeout(LIMIT));
    let token = CancelToken::new();
    late!("CancelToken", token.wait_timeout(LIMIT), token.wait_async_timeout(LIMIT));
    let barrier = Barrier::new(2);
    late!("Barrier", barrier.wait_timeout(LIMIT), barrier.wait_async_timeout(LIMIT));
    let latch = Latch::new(1);
    late!("Latch", latch.wait_timeout(LIMIT), latch.wait_async_timeout(LIMIT));
    let group = WaitGroup::new();
    group.add(1);
    late!("WaitGroup", group.wait_timeout(LIMIT), group.wait_async_timeout(LIMIT));
    let notify = Notify::new();
    late!("Notify", notify.wait_timeout(LIMIT), notify.wait_async_timeout(LIMIT));
    let cell = OnceCell::<u8>::new();
    late!("OnceCell", cell.wait_timeout(LIMIT), cell.wait_async_timeout(LIMIT));
    let lazy = Lazy::new_async(pending::<u8>);
    let mut makes = pin!(lazy.force_async());
    assert!(!is_over(makes.as_mut()));
    let (cell, one) = (lazy.cell(), ready(1));
    late!(
        "OnceCell, to make the value",
        cell.get_or_init_timeout(|| 1, LIMIT),
        cell.get_or_init_async_timeout(one.clone(), LIMIT)
    );
    late!("Lazy", lazy.force_timeout(LIMIT), lazy.force_async_timeout(LIMIT));
    let exchanger = Exchanger::new();
    late!("Exchanger", exchanger.exchange_timeout(1, LIMIT), exchanger.exchange_async_timeout(1, LIMIT));
}

/// So many come at once; the half of them meets the other.
const CROWD: usize = 40;

/// What grows with the number of those who wait, or leave, is kept: a second crowd of the same size finds it there.
#[test]
fn a_second_crowd() {
    let exchanger = Exchanger::new();
    let swap = || {
        let mut crowd: Vec<_> = (0..CROWD).map(|number| Box::pin(exchanger.exchange_async(number))).collect();
        counted(|| {
            let over = crowd.iter_mut().map(|swap| usize::from(is_over(swap.as_mut()))).sum::<usize>();
            assert_eq!(over, CROWD / 2);
            // All those who came first have had a partner, and look only now.
            assert!(crowd.iter_mut().step_by(2).all(|swap| is_over(swap.as_mut())));
        })
    };
    assert!(swap() > 0, "the first crowd has its places made");
    assert_eq!((swap(), by_threads(|| _ = exchanger.exchange(1))), (0, 0), "Exchanger");

    let barrier = Barrier::new(CROWD + 1);
    let come_and_leave = || {
        let mut crowd: Vec<_> = (0..CROWD).map(|_| Box::pin(barrier.wait_async())).collect();
        counted(|| {
            assert!(!crowd.iter_mut().any(|wait| is_over(wait.as_mut())));
            drop(crowd);
        })
    };
    assert!(come_and_leave() > 0, "the first crowd leaves a list of its places");
    let late = || assert!(barrier.wait_timeout(LIMIT).is_err());
    assert_eq!((come_and_leave(), by_threads(late)), (0, 0), "Barrier");
}

/// How often a crowd of threads allocates, each of which waits once.
fn by_threads(wait: impl Fn() + Sync) -> usize {
    thread::scope(|scope| {
        let one = || {
            // A thread allocates for itself at its first wait.
            assert!(Event::new().wait_timeout(LIMIT).is_err());
            counted(&wait)
        };
        let threads: Vec<_> = (0..CROWD).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn counted(work: impl FnOnce()) -> usize {
    allocations(work).0
}

fn is_over(future: Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn queues() {
    for capacity in [0, 1, 16] {
        let queue = Queue::bounded(capacity);
        late!("Queue, to get", queue.get_timeout(LIMIT), queue.get_async_timeout(LIMIT));
        (0..capacity).for_each(|_| queue.try_put(1).unwrap());
        late!("Queue, to put", queue.put_timeout(1, LIMIT), queue.put_async_timeout(1, LIMIT));
    }
    let queue = Queue::unbounded();
    late!("Queue without a bound", queue.get_timeout(LIMIT), queue.get_async_timeout(LIMIT));
    allocates_nothing("Queue's stream", || {
        block_on(async {
            let mut stream = pin!(queue.stream());
            timeout(LIMIT, stream.as_mut().next()).await.is_err()
        })
    });
    queue.put(1).unwrap();
    late!("Queue, until all is done", queue.join_timeout(LIMIT), queue.join_async_timeout(LIMIT));

    let stack = LifoQueue::bounded(1);
    late!("LifoQueue, to get", stack.get_timeout(LIMIT), stack.get_async_timeout(LIMIT));
    stack.put(1).unwrap();
    late!("LifoQueue, to put", stack.put_timeout(1, LIMIT), stack.put_async_timeout(1, LIMIT));
    late!("LifoQueue, until all is done", stack.join_timeout(LIMIT), stack.join_async_timeout(LIMIT));
    let first = PriorityQueue::<u8>::unbounded();
    late!("PriorityQueue", first.get_timeout(LIMIT), first.get_async_timeout(LIMIT));
    let later = DelayQueue::unbounded();
    later.put(Delayed::after(LONG, 1)).unwrap();
    late!("DelayQueue", later.get_timeout(LIMIT), later.get_async_timeout(LIMIT));
    let buffer = Buffer::new(1, Overflow::Block);
    late!("Buffer, to get", buffer.get_timeout(LIMIT), buffer.get_async_timeout(LIMIT));
    buffer.put(1).unwrap();
    late!("Buffer, to put", buffer.put_timeout(1, LIMIT), buffer.put_async_timeout(1, LIMIT));
}

#[test]
fn channels() {
    let (sender, mut receiver) = mpsc::bounded(1);
    late!("mpsc, to get", receiver.get_timeout(LIMIT), receiver.get_async_timeout(LIMIT));
    sender.put(1).unwrap();
    late!("mpsc, to put", sender.put_timeout(1, LIMIT), sender.put_async_timeout(1, LIMIT));
    let (mut sender, mut receiver) = spsc::bounded(1);
    late!("spsc, to get", receiver.get_timeout(LIMIT), receiver.get_async_timeout(LIMIT));
    sender.put(1).unwrap();
    late!("spsc, to put", sender.put_timeout(1, LIMIT), sender.put_async_timeout(1, LIMIT));

    let (sender, receiver) = oneshot::channel::<u8>();
    late!("oneshot", receiver.get_timeout(LIMIT), receiver.get_async_timeout(LIMIT));
    late!("oneshot's sender", sender.closed_timeout(LIMIT), sender.closed_async_timeout(LIMIT));
    let (_sender, mut receiver) = broadcast::channel::<u8>(1);
    late!("broadcast", receiver.get_timeout(LIMIT), receiver.get_async_timeout(LIMIT));
    let topics = PubSub::<u8, u8>::new(1);
    let mut subscription = topics.subscribe(1);
    late!("pubsub", subscription.get_timeout(LIMIT), subscription.get_async_timeout(LIMIT));
    let (_sender, mut receiver) = watch::channel(1);
    late!("watch", receiver.changed_timeout(LIMIT), receiver.changed_async_timeout(LIMIT));
    let never = |number: &i32| *number > 1;
    late!(
        "watch, for a value",
        receiver.wait_for_timeout(never, LIMIT),
        receiver.wait_for_async_timeout(never, LIMIT)
    );
}

#[test]
fn several_at_once_and_results() {
    let (queue, mutex, event) = (Queue::<u8>::unbounded(), Mutex::new(()), Event::new());
    let _held = mutex.lock();
    both!(
        "select",
        select! {
            _ = queue.get_async() => false,
            _guard = mutex.lock_async() => false,
            () = event.wait_async() => false,
            after(LIMIT) => true,
        },
        async {
            select_async! {
                _ = queue.get_async() => false,
                _guard = mutex.lock_async() => false,
                () = event.wait_async() => false,
                after(LIMIT) => true,
            }
        }
    );

    let (_promise, task) = promise::<()>();
    let mut task = Some(task);
    both!(
        "Task",
        {
            task = task.take().unwrap().join_timeout(LIMIT).err().map(Unfinished::into_inner);
            task.is_some()
        },
        async { timeout(LIMIT, task.as_mut().unwrap()).await.is_err() }
    );
    let (_promise, task) = promise::<()>();
    let mut ended = as_completed([task]);
    late!("as_completed", ended.next_timeout(LIMIT), ended.next_async_timeout(LIMIT));
    let (_promise, task) = promise::<()>();
    let mut all = Some(gather([task]));
    both!(
        "gather",
        {
            all = all.take().unwrap().join_timeout(LIMIT).err().map(Unfinished::into_inner);
            all.is_some()
        },
        async { timeout(LIMIT, all.as_mut().unwrap()).await.is_err() }
    );
}
