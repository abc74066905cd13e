//! Tasks that wait for tasks of their own pool.

use std::sync::Arc;
use std::sync::mpsc;
use sync::{Event, Queue};
use threads::{Executor, JoinError, Pool, Shutdown};

/// 1 for a leaf, and the sum of two halves otherwise, each a task of the same pool that is waited for.
fn count(pool: &Arc<Pool>, depth: u32) -> Result<u64, JoinError> {
    if depth == 0 {
        return Ok(1);
    }
    let halves = [(); 2].map(|()| {
        let shared = Arc::clone(pool);
        pool.spawn(move || count(&shared, depth - 1))
    });
    let mut sum = 0;
    for half in halves {
        sum += half.join()??;
    }
    Ok(sum)
}

#[test]
fn a_pool_of_one_runs_tasks_that_wait_for_each_other() {
    let pool = Arc::new(Pool::new(1));
    let outer = pool.spawn({
        let pool = Arc::clone(&pool);
        move || pool.spawn(|| 20).join().map(|inner| inner + 1)
    });
    assert_eq!(outer.join().unwrap().unwrap(), 21);
}

#[test]
fn a_tree_of_tasks_that_all_wait_ends() {
    for workers in 1..=3 {
        let pool = Arc::new(Pool::new(workers));
        assert_eq!(count(&pool, 5).unwrap(), 32);
        // It has room for each task that waited, and no more.
        assert!(pool.threads() <= 64 + workers);
        pool.shutdown(Shutdown::Finish);
        assert_eq!(pool.threads(), 0);
    }
}

#[test]
fn it_waits_for_queues_and_locks_in_the_same_way() {
    let pool = Pool::new(1);
    let queue = Arc::new(Queue::bounded(1));
    let lock = Arc::new(sync::Mutex::new(0));
    let guard = lock.lock();
    let consumer = pool.spawn({
        let queue = Arc::clone(&queue);
        move || queue.iter().sum::<u32>()
    });
    let locker = pool.spawn({
        let lock = Arc::clone(&lock);
        move || *lock.lock() += 1
    });
    let producer = pool.spawn({
        let queue = Arc::clone(&queue);
        move || {
            (1..=10).for_each(|number| queue.put(number).unwrap());
            queue.close();
        }
    });
    producer.join().unwrap();
    assert_eq!(consumer.join().unwrap(), 55);
    drop(guard);
    locker.join().unwrap();
    assert_eq!(*lock.lock(), 1);
}

#[test]
fn it_maps_inside_a_task() {
    let pool = Arc::new(Pool::new(1));
    let sum = pool.spawn({
        let pool = Arc::clone(&pool);
        move || pool.map(|number: u64| number * 2, 0..100).map(Result::unwrap).sum::<u64>()
    });
    assert_eq!(sum.join().unwrap(), 9900);
}

#[test]
fn it_is_told_of_waits_that_it_cannot_see() {
    let pool = Pool::new(1);
    let (send, receive) = mpsc::channel();
    let first = pool.spawn(move || threads::blocking(|| threads::blocking(|| receive.recv())));
    pool.spawn(move || send.send(7).unwrap()).join().unwrap();
    assert_eq!(first.join().unwrap(), Ok(7));
    // Outside of a pool there is nobody to tell.
    assert_eq!(threads::blocking(|| 1), 1);
}

#[test]
fn no_more_tasks_get_on_at_a_time_than_there_are_workers() {
    let pool = Arc::new(Pool::new(2));
    let running = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let running = Arc::clone(&running);
            pool.spawn(move || {
                let now = running.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                std::thread::yield_now();
                running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                now
            })
        })
        .collect();
    let most = tasks.into_iter().map(|task| task.join().unwrap()).max();
    assert!(most <= Some(2), "{most:?}");
}

#[test]
fn there_are_never_more_threads_than_allowed() {
    let pool = Pool::builder().workers(1).max_threads(3).build();
    let go = Arc::new(Event::new());
    let begun = Arc::new(Queue::unbounded());
    let tasks: Vec<_> = (0..5)
        .map(|number| {
            let (go, begun) = (Arc::clone(&go), Arc::clone(&begun));
            pool.spawn(move || {
                begun.put(number).unwrap();
                go.wait();
            })
        })
        .collect();
    let first: Vec<u32> = (0..3).map(|_| begun.get().unwrap()).collect();
    assert_eq!(first, [0, 1, 2]);
    assert_eq!((pool.threads(), pool.queued()), (3, 2));
    go.set();
    tasks.into_iter().for_each(|task| task.join().unwrap());
}

#[test]
fn spare_threads_go_when_they_are_not_needed() {
    let pool = Arc::new(Pool::new(1));
    assert_eq!(count(&pool, 4).unwrap(), 16);
    while pool.threads() > 1 {
        std::thread::yield_now();
    }
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
}
