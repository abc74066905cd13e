//! A waker is woken when every lock inside is given back: it may use the very thing that wakes it, as an executor does that runs
//! the task at once.

mod common;

use common::{ByHand, LONG, SHORT};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Instant;
use sync::extra::{Exchanger, Latch, Notify, OnceCell, WaitGroup};
use sync::queue::{LifoQueue, broadcast, pubsub::PubSub, watch};
use sync::{Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, timer};

/// Does something with what wakes it, and notes that it has come back from it.
struct Uses<F>(F, AtomicUsize);

impl<F: Fn() + Send + Sync + 'static> Wake for Uses<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls `future`, whose waker is woken by `change` and does `uses`. On a thread of its own, for a waker that waits for the lock of
/// whoever wakes it does not come back.
#[track_caller]
fn woken<R>(
    name: &str,
    future: impl Future<Output = R> + Send + 'static,
    change: impl FnOnce() + Send + 'static,
    uses: impl Fn() + Send + Sync + 'static,
) {
    let (says, ended) = mpsc::channel();
    thread::spawn(move || {
        let waker = Arc::new(Uses(uses, AtomicUsize::new(0)));
        let woken = Waker::from(Arc::clone(&waker));
        let mut future = pin!(future);
        let waits = future.as_mut().poll(&mut Context::from_waker(&woken)).is_pending();
        change();
        // What wakes may be another thread, if it is the timer's.
        let begin = Instant::now();
        while waker.1.load(Ordering::SeqCst) == 0 && begin.elapsed() < LONG / 2 {
            thread::yield_now();
        }
        let _ = says.send((waits, waker.1.load(Ordering::SeqCst) > 0));
    });
    assert_eq!(
        ended.recv_timeout(LONG),
        Ok((true, true)),
        "{name}: it waits, and is woken with no lock held"
    );
}

/// `$name` is shared by three: who waits for it, who changes it, and the waker.
macro_rules! woken {
    ($name:ident = $make:expr; $wait:expr; $change:expr; $uses:expr) => {{
        let $name = Arc::new($make);
        let (waits, changes, uses) = (Arc::clone(&$name), Arc::clone(&$name), $name);
        woken(
            stringify!($make),
            async move {
                let $name = &waits;
                let _ = $wait.await;
            },
            move || {
                let $name = &changes;
                let _ = $change;
            },
            move || {
                let $name = &uses;
                let _ = $uses;
            },
        );
    }};
}

#[test]
fn of_locks() {
    // Whoever queues up needs what those who wait stand under. The first of all may be handed the lock, and the others are told.
    for _ in 0..3 {
        let held = Arc::new(Mutex::new(()));
        let (guard, waits, uses) = (held.lock_arc(), Arc::clone(&held), held);
        let wait = async move { drop(waits.lock_async().await) };
        let queue_up = move || {
            let _held = uses.try_lock();
            says(ByHand::new(uses.lock_async()).poll());
        };
        woken("Mutex", wait, move || drop(guard), queue_up);
    }
    woken!(mutex = Mutex::new(0); mutex.when_async(|number| *number > 0); *mutex.lock() += 1; mutex.try_lock());
    let lock: &'static RwLock<u32> = Box::leak(Box::new(RwLock::new(0)));
    let guard = lock.write();
    woken(
        "RwLock",
        lock.read_async(),
        move || drop(guard),
        move || {
            let _held = lock.try_read();
            says(ByHand::new(lock.write_async()).poll());
        },
    );
    woken!(
        pair = (Mutex::new(()), Condvar::new());
        async { drop(pair.1.wait_async(pair.0.lock()).await) };
        pair.1.notify_all();
        (pair.1.notify_all(), pair.1.waiting())
    );
}

#[test]
fn of_permits_and_signals() {
    woken!(permits = Semaphore::new(0); permits.acquire_async(); permits.release(1); permits.try_acquire());
    woken!(permits = Semaphore::new(0); permits.acquire_async(); permits.close(); permits.release(1));
    woken!(event = Event::new(); event.wait_async(); event.set(); (event.clear(), event.set()));
    woken!(event = Event::auto_reset(); event.wait_async(); event.set(); event.try_wait());
    woken!(token = CancelToken::new(); token.wait_async(); token.cancel(); (token.child(), token.cancel()));
    woken!(barrier = Barrier::new(2); barrier.wait_async(); barrier.wait(); (barrier.try_wait(), barrier.reset()));
    woken!(latch = Latch::new(1); latch.wait_async(); latch.count_down(1); latch.left());
    let busy = || {
        let group = WaitGroup::new();
        group.add(1);
        group
    };
    woken!(group = busy(); group.wait_async(); group.done(); (group.add(1), group.done()));
    woken!(notify = Notify::new(); notify.wait_async(); notify.notify_one(); notify.notify_waiters());
    woken!(cell = OnceCell::new(); cell.wait_async(); cell.set(1); cell.get_or_init(|| 2));
    woken!(swap = Exchanger::new(); swap.exchange_async(1); swap.try_exchange(2); swap.try_exchange(3));
    woken("a timer", timer::sleep(SHORT), || (), || drop(ByHand::waiting(timer::sleep(LONG))));
}

#[test]
fn of_queues() {
    for capacity in [0, 1, 16] {
        let empty = move || Queue::bounded(capacity);
        let full = move || {
            let queue = empty();
            (0..capacity).for_each(|_| queue.try_put(1).unwrap());
            queue
        };
        woken!(queue = empty(); queue.get_async(); queue.try_put(1); (queue.try_get(), queue.try_put(2)));
        woken!(queue = empty(); queue.get_async(); queue.close(); (queue.close(), queue.try_get()));
        woken!(queue = full(); queue.put_async(1); queue.try_get(); (queue.try_put(2), queue.try_get()));
        woken!(queue = full(); queue.put_async(1); queue.close(); (queue.close(), queue.try_get()));
        woken!(
            queue = full();
            async { queue.put_from_async(&mut Some(1)).await };
            queue.get_timeout(SHORT);
            queue.try_get()
        );
    }
    let under_way = || {
        let queue = Queue::unbounded();
        queue.put(1).unwrap();
        queue
    };
    woken!(queue = under_way(); queue.join_async(); queue.task_done(); queue.put(1));
    woken!(stack = LifoQueue::unbounded(); stack.get_async(); stack.put(1); (stack.try_get(), stack.put(2)));
}

#[test]
fn of_channels() {
    let (sender, mut receiver) = broadcast::channel(4);
    let another = sender.clone();
    woken(
        "broadcast",
        async move { receiver.get_async().await },
        move || says(sender.send(1)),
        move || {
            says(another.send(2));
        },
    );
    let topics = Arc::new(PubSub::<u8, u8>::new(4));
    let (mut subscription, another) = (topics.subscribe(1), Arc::clone(&topics));
    woken(
        "pubsub",
        async move { subscription.get_async().await },
        move || says(topics.publish(&1, 1)),
        move || {
            says(another.publish(&1, 2));
        },
    );
    let (sender, mut receiver) = watch::channel(1);
    let another = sender.clone();
    woken(
        "watch",
        async move { receiver.changed_async().await },
        move || says(sender.send(2)),
        move || {
            says(another.send(3));
        },
    );
}

/// What a call says does not matter here.
fn says<R>(_: R) {}
