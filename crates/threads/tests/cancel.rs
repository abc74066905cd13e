//! Taking tasks back, and telling those that run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use sync::{Event, Queue};
use threads::{Executor, JoinError, Pool, Shutdown};

/// A pool of one whose worker is busy until the event is set.
fn busy_pool() -> (Pool, Arc<Event>, threads::Task<()>) {
    let pool = Pool::new(1);
    let (begun, go) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let busy = pool.spawn({
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        move || {
            begun.set();
            // A thread that is kept busy, not one that waits: the pool must not bring in another.
            while !go.is_set() {
                std::thread::yield_now();
            }
        }
    });
    begun.wait();
    (pool, go, busy)
}

#[test]
fn a_queued_task_is_taken_back_at_once_with_what_it_holds() {
    let (pool, go, busy) = busy_pool();
    let held = Arc::new(());
    let task = pool.spawn({
        let held = Arc::clone(&held);
        move || drop(held)
    });
    assert_eq!((pool.queued(), Arc::strong_count(&held)), (1, 2));
    task.cancel();
    // The worker is busy still: this was done by the one who cancelled.
    assert_eq!((pool.queued(), Arc::strong_count(&held)), (0, 1));
    assert!(task.is_finished());
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    go.set();
    busy.join().unwrap();
}

#[test]
fn the_others_keep_their_order() {
    let (pool, go, busy) = busy_pool();
    let order = Arc::new(Queue::unbounded());
    let tasks: Vec<_> = (0..100)
        .map(|number: u32| {
            let order = Arc::clone(&order);
            pool.spawn(move || order.put(number).unwrap())
        })
        .collect();
    tasks.iter().step_by(3).for_each(threads::Task::cancel);
    go.set();
    busy.join().unwrap();
    pool.shutdown(Shutdown::Finish);
    order.close();
    let expected: Vec<u32> = (0..100).filter(|number| number % 3 != 0).collect();
    assert_eq!(order.iter().collect::<Vec<_>>(), expected);
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.join().is_ok(), number % 3 != 0);
    }
}

#[test]
fn a_running_task_finds_its_token_cancelled_and_gives_its_result() {
    let pool = Pool::new(1);
    let begun = Arc::new(Event::new());
    let task = pool.spawn({
        let begun = Arc::clone(&begun);
        move || {
            begun.set();
            threads::cancel_token().wait();
            "stopped early"
        }
    });
    begun.wait();
    task.cancel();
    assert_eq!(task.join().unwrap(), "stopped early");
    // The next task has a token of its own.
    assert!(!pool.spawn(|| threads::cancel_token().is_cancelled()).join().unwrap());
}

#[test]
fn a_thread_is_cancelled_in_the_same_way() {
    let begun = Arc::new(Event::new());
    let thread = threads::spawn({
        let begun = Arc::clone(&begun);
        move || {
            begun.set();
            threads::cancel_token().wait();
            1
        }
    })
    .unwrap();
    begun.wait();
    let thread = thread.join_timeout(Duration::from_millis(5)).unwrap_err().into_inner();
    thread.cancel_token().cancel();
    assert_eq!(thread.join().unwrap(), 1);
    assert!(!threads::cancel_token().is_cancelled());
}

#[test]
fn cancelling_late_or_twice_does_nothing() {
    let pool = Pool::new(1);
    let task = pool.spawn(|| 1);
    while !task.is_finished() {
        std::thread::yield_now();
    }
    task.cancel();
    task.cancel();
    assert_eq!(task.join().unwrap(), 1);
}

#[test]
fn cancels_that_race_with_the_workers_lose_nothing() {
    let pool = Pool::new(2);
    let ran = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..2000)
        .map(|number| {
            let ran = Arc::clone(&ran);
            let task = pool.spawn(move || ran.fetch_add(1, Ordering::Relaxed));
            if number % 2 == 0 {
                task.cancel();
            }
            task
        })
        .collect();
    let ended_well = tasks
        .into_iter()
        .map(threads::Task::join)
        .filter(|outcome| match outcome {
            Ok(_) => true,
            Err(JoinError::Cancelled) => false,
            Err(other) => panic!("{other}"),
        })
        .count();
    pool.shutdown(Shutdown::Finish);
    assert_eq!(ended_well, ran.load(Ordering::Relaxed));
    assert!(ended_well >= 1000);
}
