//! What can be made where it is `static`, in a `const`, before the program begins: all but what must allocate to be made.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::thread;
use sync::barrier::BarrierPlace;
use sync::extra::{
    Awaited, BoundedSemaphore, Exchanger, Latch, Lazy, Notify, OnceCell, Owner, PoisonMutex, RLock, WaitGroup,
};
use sync::lockfree::Stack;
use sync::park::block_on;
use sync::queue::{Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue};
use sync::{Barrier, Condvar, Event, Mutex, Queue, RwLock, Semaphore};

static MUTEX: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static POISON: PoisonMutex<u32> = PoisonMutex::new(1);
static AGAIN: RLock<Cell<u32>> = RLock::new(Cell::new(2));
static LOCK: RwLock<u32> = RwLock::new(3);
static CHANGED: Condvar = Condvar::new();
static PERMITS: Semaphore = Semaphore::new(4);
static BOUNDED: BoundedSemaphore = BoundedSemaphore::new(5);
static HAPPENED: Event = Event::new();
static TURN: Event = Event::auto_reset();
static TOGETHER: Barrier = Barrier::new(1);
static OPEN: Latch = Latch::new(1);
static GROUP: WaitGroup = WaitGroup::new();
static NOTIFY: Notify = Notify::new();
static ONCE: OnceCell<u32> = OnceCell::new();
static MADE: Lazy<u32> = Lazy::new(|| 6);
type Future = Awaited<fn() -> Ready<u32>>;
static AWAITED: Lazy<u32, Future> = Lazy::new_async(|| ready(7));
static SWAP: Exchanger<u32> = Exchanger::new();
static QUEUES: [Queue<u32>; 3] = [Queue::unbounded(), Queue::bounded(2), Queue::rendezvous()];
static STACKS: [LifoQueue<u32>; 2] = [LifoQueue::unbounded(), LifoQueue::bounded(2)];
static FIRST: [PriorityQueue<u32>; 2] = [PriorityQueue::unbounded(), PriorityQueue::bounded(2)];
static LATER: [DelayQueue<u32>; 2] = [DelayQueue::unbounded(), DelayQueue::bounded(2)];
static NODES: Stack<u32> = Stack::new();
static BUFFER: Buffer<u32> = Buffer::new(1, Overflow::DropOldest);

thread_local! {
    static SOMEBODY_ELSE: Owner = const { Owner::new() };
}

#[test]
fn what_is_static_works() {
    MUTEX.lock().push(1);
    assert_eq!((MUTEX.lock().len(), POISON.lock().map(|value| *value).ok()), (1, Some(1)));
    assert_eq!((AGAIN.lock().get(), *LOCK.read(), CHANGED.waiting()), (2, 3, 0));
    assert_eq!((PERMITS.available(), BOUNDED.available()), (4, 5));
    HAPPENED.set();
    assert!(HAPPENED.try_wait() && HAPPENED.try_wait(), "it stays set");
    TURN.set();
    assert!(TURN.try_wait() && !TURN.try_wait(), "it resets itself");
    assert!(TOGETHER.wait().is_ok_and(BarrierPlace::is_leader));
    OPEN.count_down(1);
    assert!(OPEN.is_open() && GROUP.is_idle() && !NOTIFY.try_wait());
    assert_eq!((ONCE.get_or_init(|| 5), *MADE, *block_on(AWAITED.force_async())), (&5, 6, 7));
    thread::scope(|scope| {
        let other = scope.spawn(|| SWAP.exchange(8));
        assert_eq!((SWAP.exchange(9), other.join().ok()), (8, Some(9)));
    });
    assert!(SOMEBODY_ELSE.with(|owner| owner.run(|| AGAIN.try_lock().is_some())));
}

#[test]
fn queues_that_are_static_work() {
    assert_eq!(QUEUES.each_ref().map(|queue| queue.try_put(1).is_ok()), [true, true, false]);
    assert_eq!(QUEUES.each_ref().map(|queue| queue.try_get().ok()), [Some(1), Some(1), None]);
    for (stack, first) in STACKS.iter().zip(&FIRST) {
        assert!([2, 1].into_iter().all(|item| stack.put(item).is_ok() && first.put(item).is_ok()));
        assert_eq!((stack.get(), first.get()), (Ok(1), Ok(1)));
    }
    for later in &LATER {
        assert!(later.put(Delayed::until(std::time::Instant::now(), 3)).is_ok());
        assert_eq!(later.get().map(|delayed| delayed.item), Ok(3));
    }
    [1, 2].into_iter().for_each(|item| NODES.push(item));
    assert_eq!((NODES.pop(), NODES.take_all().collect()), (Some(2), vec![1]));
    assert_eq!((BUFFER.put(1), BUFFER.put(2)), (Ok(None), Ok(Some(1))));
}
