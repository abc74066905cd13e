//! What a task costs in allocations, counted.

mod common;
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
#[path = "common/counting.rs"]
mod counting;

use counting::allocations;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;
use sync::completion::Wait;
use sync::extra::{Exchanger, Latch, Notify, OnceCell, WaitGroup};
use sync::park::block_on;
use sync::task::Promise;
use sync::{CancelToken, Task, When, as_completed, gather, promise, promise_cancelling, wait_async};

/// A thread allocates for itself at its first wait, and for no later one. So this one waits, whatever happens: for a task that another
/// thread ends, it may come too late to.
fn warm_up() {
    let (promise, task) = promise::<()>();
    let task = task.join_timeout(Duration::from_millis(1)).unwrap_err().into_inner();
    promise.finish(Ok(()));
    task.join().unwrap();
}

/// A waker that says whether it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| Box::new(1)).0, 1);
    assert_eq!(allocations(|| 1).0, 0);
}

#[test]
fn a_task_is_one_allocation() {
    let (count, (promise, task)) = allocations(promise::<[u64; 100]>);
    assert_eq!(count, 1);
    let (count, ()) = allocations(|| promise.finish(Ok([7; 100])));
    assert_eq!(count, 0);
    let (count, result) = allocations(|| task.try_join().unwrap().unwrap());
    assert_eq!((count, result[99]), (0, 7));

    let token = CancelToken::new();
    let (count, tied) = allocations(|| promise_cancelling::<u32>(token.clone()));
    assert_eq!(count, 1);
    drop(tied);

    let (count, over) = allocations(|| Task::ready(Ok([7_u64; 100])));
    assert!(count <= 1, "{count} allocations for a result that is there");
    assert_eq!(allocations(|| over.join().unwrap()[99]), (0, 7));
    // The first catch of a panic sets up a hook.
    sync::catch(|| ()).unwrap();
    let (promise, task) = sync::promise();
    let (count, ()) = allocations(|| promise.run(|| 7));
    assert_eq!(count, 0, "the work is run where it is");
    assert_eq!(allocations(|| drop(task)), (0, ()));
}

/// The answer is a list, which grows a few times. Those that come one by one have a waker for each, and are in a tree by their numbers.
#[test]
fn waiting_for_several_is_one_for_each_at_most() {
    const TASKS: usize = 100;
    warm_up();
    let made = || -> (Vec<_>, Vec<_>) { (0..TASKS).map(|_| promise::<usize>()).unzip() };
    let finish = |promises: Vec<Promise<usize>>| {
        promises.into_iter().enumerate().for_each(|(number, promise)| promise.finish(Ok(number)));
    };
    let mut cx = Context::from_waker(Waker::noop());

    let (promises, mut tasks) = made();
    let mut list: Vec<&mut dyn Wait> = tasks.iter_mut().map(|task| task as _).collect();
    let (count, all) = allocations(|| {
        let mut waiting = pin!(wait_async(&mut list, When::AllCompleted));
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        finish(promises);
        waiting.poll(&mut cx).map(|finished| finished.done.len())
    });
    assert_eq!(all, Poll::Ready(TASKS));
    assert!(count <= TASKS / 10, "{count} allocations to wait for all");

    let (promises, tasks) = made();
    let (count, all) = allocations(|| {
        let mut gathered = pin!(gather(tasks));
        assert!(gathered.as_mut().poll(&mut cx).is_pending());
        finish(promises);
        gathered.poll(&mut cx).map(|results| results.unwrap().len())
    });
    assert_eq!(all, Poll::Ready(TASKS));
    assert!(count <= TASKS + TASKS / 3, "{count} allocations to gather all");

    let (promises, tasks) = made();
    let (count, all) = allocations(|| {
        let mut completed = as_completed(tasks);
        assert!(pin!(completed.next_async()).poll(&mut cx).is_pending());
        finish(promises);
        completed.count()
    });
    assert_eq!(all, TASKS);
    assert!(count <= TASKS + TASKS / 3, "{count} allocations for one after the other");
}

#[test]
fn waiting_for_a_task_is_none() {
    warm_up();
    // Blocking, in both ways, with the task unfinished when the wait begins: the limit passes first.
    let (promise, task) = promise();
    let (count, task) = allocations(|| task.join_timeout(Duration::from_millis(2)).unwrap_err().into_inner());
    assert_eq!(count, 0);
    let producer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(2));
        promise.finish(Ok(5));
    });
    let (count, result) = allocations(|| task.join().unwrap());
    assert_eq!((count, result), (0, 5));
    producer.join().unwrap();
}

#[test]
fn awaiting_a_task_is_none() {
    let flag = std::sync::Arc::new(Flag::default());
    let waker = Waker::from(std::sync::Arc::clone(&flag));
    let mut cx = Context::from_waker(&waker);
    let (promise, mut task) = promise();
    let (count, poll) = allocations(|| Pin::new(&mut task).poll(&mut cx).is_pending());
    assert_eq!((count, poll), (0, true));
    let (count, ()) = allocations(|| promise.finish(Ok(1)));
    assert_eq!((count, flag.0.load(Ordering::Acquire)), (0, true));
    let (count, poll) = allocations(|| Pin::new(&mut task).poll(&mut cx).is_ready());
    assert_eq!((count, poll), (0, true));
}

#[test]
fn waiting_for_a_rare_thing_is_none() {
    warm_up();
    let limit = Duration::from_micros(10);
    let (latch, group, notify, cell) =
        (Latch::new(1), WaitGroup::new(), Notify::new(), OnceCell::<u8>::new());
    group.add(1);
    let waits = || {
        latch.wait_timeout(limit).is_err()
            && group.wait_timeout(limit).is_err()
            && notify.wait_timeout(limit).is_err()
            && cell.wait_timeout(limit).is_err()
    };
    assert_eq!(allocations(waits), (0, true));
    assert_eq!(allocations(|| *cell.get_or_init(|| 1)), (0, 1));
    assert_eq!(allocations(|| *block_on(cell.get_or_init_async(async { 2 }))), (0, 1));

    let exchanger = Exchanger::new();
    assert!(exchanger.exchange_timeout(1, limit).is_err());
    let (count, refused) = allocations(|| exchanger.exchange_timeout(1, limit).is_err());
    assert_eq!((count, refused), (0, true), "places are kept");
}

#[test]
fn children_that_are_dropped_give_their_memory_back() {
    // The parent knows each by an entry of a map, which goes with it: what it costs does not grow.
    let root = CancelToken::new();
    for _ in 0..if cfg!(miri) { 100 } else { 100_000 } {
        drop(root.child());
    }
    let (count, child) = allocations(|| root.child());
    assert!(count <= 3, "{count} allocations for one child");
    drop(child);
    let many: Vec<_> = (0..1000).map(|_| root.child()).collect();
    drop(many);
    let (count, ()) = allocations(|| root.cancel());
    assert!(count <= 2, "nobody is left to be told, and {count} allocations were made for it");
}
