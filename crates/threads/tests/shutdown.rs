//! The end of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use sync::Event;
use threads::{Executor, JoinError, Pool, Shutdown, Task, TimedOut};

struct Gate {
    begun: Event,
    go: Event,
}

fn gated(pool: &Pool) -> (Arc<Gate>, Task<u32>) {
    let gate = Arc::new(Gate { begun: Event::new(), go: Event::new() });
    let task = pool.spawn({
        let gate = Arc::clone(&gate);
        move || {
            gate.begun.set();
            threads::blocking(|| {
                while !gate.go.is_set() {
                    std::thread::yield_now();
                }
            });
            7
        }
    });
    gate.begun.wait();
    (gate, task)
}

#[test]
fn finish_runs_everything_and_ends_the_threads() {
    let pool = Pool::new(3);
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..1000 {
        let ran = Arc::clone(&ran);
        drop(pool.spawn(move || ran.fetch_add(1, Ordering::Relaxed)));
    }
    pool.shutdown(Shutdown::Finish);
    assert_eq!(ran.load(Ordering::Relaxed), 1000);
    assert_eq!((pool.threads(), pool.queued()), (0, 0));
    assert!(matches!(pool.spawn(|| ()).join(), Err(JoinError::ShutDown)));
    pool.shutdown(Shutdown::CancelPending);
}

#[test]
fn pending_tasks_end_at_once_when_they_are_cancelled() {
    let pool = Pool::builder().workers(1).max_threads(1).build();
    let (gate, running) = gated(&pool);
    let pending = pool.spawn(|| unreachable!("it never begins"));
    assert_eq!(pool.shutdown_timeout(Shutdown::CancelPending, Duration::ZERO), Err(TimedOut));
    assert!(matches!(pending.join(), Err::<(), _>(JoinError::ShutDown)));
    gate.go.set();
    assert_eq!(pool.shutdown_timeout(Shutdown::CancelPending, Duration::MAX), Ok(()));
    assert_eq!(running.join().unwrap(), 7);
}

#[test]
fn a_limit_is_waited_for_and_then_reported() {
    let pool = Pool::new(1);
    let (gate, running) = gated(&pool);
    let begun = Instant::now();
    let limit = Duration::from_millis(20);
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, limit), Err(TimedOut));
    assert!(begun.elapsed() >= limit);
    gate.go.set();
    assert_eq!(running.join().unwrap(), 7);
    pool.shutdown(Shutdown::Finish);
}

#[test]
fn an_idle_pool_needs_no_time() {
    let pool = Pool::new(2);
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
    while pool.shutdown_timeout(Shutdown::Finish, Duration::ZERO).is_err() {
        // The task has given its result and is about to end.
        std::thread::yield_now();
    }
    assert_eq!(pool.threads(), 0);
}

#[test]
fn a_task_may_shut_its_own_pool_down() {
    let pool = Arc::new(Pool::new(2));
    let (gate, running) = gated(&pool);
    let stoppers: Vec<_> = (0..2)
        .map(|_| {
            let pool_of_task = Arc::clone(&pool);
            pool.spawn(move || pool_of_task.shutdown(Shutdown::Finish))
        })
        .collect();
    gate.go.set();
    stoppers.into_iter().for_each(|stopper| match stopper.join() {
        // The second one may have come when the door was closed.
        Ok(()) | Err(JoinError::ShutDown) => {}
        Err(other) => panic!("{other}"),
    });
    assert_eq!(running.join().unwrap(), 7);
    pool.shutdown(Shutdown::Finish);
    assert_eq!(pool.threads(), 0);
}

#[test]
fn several_threads_may_wait_for_the_end() {
    let pool = Arc::new(Pool::new(1));
    let (gate, running) = gated(&pool);
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let pool = Arc::clone(&pool);
            threads::spawn(move || pool.shutdown(Shutdown::Finish)).unwrap()
        })
        .collect();
    gate.go.set();
    waiting.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(running.join().unwrap(), 7);
}

#[test]
fn who_waits_for_room_learns_of_the_end() {
    let pool = Arc::new(Pool::builder().workers(1).max_threads(1).queue_bound(1).build());
    let (gate, running) = gated(&pool);
    let queued = pool.spawn(|| 1);
    assert!(pool.try_spawn(|| 2).is_err());
    let refused = threads::spawn({
        let pool = Arc::clone(&pool);
        move || pool.spawn(|| 2).join()
    })
    .unwrap();
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, Duration::from_millis(5)), Err(TimedOut));
    // It was waiting, or came when the door was closed already: the answer is the same.
    assert!(matches!(refused.join().unwrap(), Err(JoinError::ShutDown)));
    gate.go.set();
    assert_eq!((running.join().unwrap(), queued.join().unwrap()), (7, 1));
}
