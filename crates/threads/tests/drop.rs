//! What goes away with a handle and with a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use sync::{Event, Queue};
use threads::{Executor, Pool};

fn count_to(pool: &Pool, count: usize) -> Arc<AtomicUsize> {
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..count {
        let ran = Arc::clone(&ran);
        drop(pool.spawn(move || ran.fetch_add(1, Ordering::Relaxed)));
    }
    ran
}

#[test]
fn dropping_a_pool_finishes_its_tasks_and_ends_its_threads() {
    let name = "dropped";
    let pool = Pool::builder().workers(2).name(name).build();
    let ran = count_to(&pool, 500);
    drop(pool);
    assert_eq!(ran.load(Ordering::Relaxed), 500);
    assert!(!threads::enumerate().iter().any(|thread| thread.name().starts_with(name)));
}

#[test]
fn a_pool_that_was_never_used_has_no_threads() {
    let pool = Pool::builder().name("unused").build();
    assert_eq!(pool.threads(), 0);
    drop(pool);
}

#[test]
fn a_pool_can_be_dropped_by_its_own_task() {
    let done = Arc::new(Queue::unbounded());
    let pool = Arc::new(Pool::builder().workers(2).name("suicidal").build());
    let go = Arc::new(Event::new());
    let last = pool.spawn({
        let (pool, go, done) = (Arc::clone(&pool), Arc::clone(&go), Arc::clone(&done));
        move || {
            go.wait();
            for number in 0..10 {
                let done = Arc::clone(&done);
                drop(pool.spawn(move || done.put(number).unwrap()));
            }
            let last_one = Arc::into_inner(pool).expect("the test has dropped its own");
            drop(last_one);
        }
    });
    drop(pool);
    go.set();
    last.join().unwrap();
    for _ in 0..10 {
        done.get().unwrap();
    }
    while threads::enumerate().iter().any(|thread| thread.name().starts_with("suicidal")) {
        std::thread::yield_now();
    }
}

#[test]
fn a_detached_pool_finishes_without_being_waited_for() {
    let pool = Pool::builder().workers(1).name("detached").build();
    let (go, done) = (Arc::new(Event::new()), Arc::new(Event::new()));
    drop(pool.spawn({
        let go = Arc::clone(&go);
        move || go.wait()
    }));
    drop(pool.spawn({
        let done = Arc::clone(&done);
        move || done.set()
    }));
    pool.detach();
    go.set();
    done.wait();
    while threads::enumerate().iter().any(|thread| thread.name().starts_with("detached")) {
        std::thread::yield_now();
    }
}

#[test]
fn dropping_handles_detaches() {
    let done = Arc::new(Event::new());
    drop(threads::spawn({
        let done = Arc::clone(&done);
        move || done.set()
    }));
    done.wait();

    let pool = Pool::new(1);
    let ran = count_to(&pool, 10);
    pool.shutdown(threads::Shutdown::Finish);
    assert_eq!(ran.load(Ordering::Relaxed), 10);
}

#[test]
fn captured_variables_are_dropped_when_the_task_has_run() {
    let pool = Pool::new(1);
    let held = Arc::new(());
    let task = pool.spawn({
        let held = Arc::clone(&held);
        move || Arc::strong_count(&held)
    });
    assert_eq!(task.join().unwrap(), 2);
    assert_eq!(Arc::strong_count(&held), 1);
}
