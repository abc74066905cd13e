//! The lock that its owner takes again: one owner at a time, be it a thread or a task, and no wake-up lost.
//!
//! The value is loom's own cell, and so is the count of guards: two owners at once show, and so does an owner who does not see what the
//! last one left. Whether the lock is his is asked by a relaxed look, which is what the models are about.

use super::{model_of_three, poll_and_drop};
use crate::extra::{Owner, RLock};
use crate::primitive::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::Future;
use std::task::{Context, Waker};

struct Value(UnsafeCell<usize>);

// SAFETY: the value is used by the owner of the lock only, which is what the models check.
unsafe impl Send for Value {}

type Counter = Arc<RLock<Value>>;

fn counter() -> Counter {
    Arc::new(RLock::new(Value(UnsafeCell::new(0))))
}

impl Value {
    fn add(&self) {
        // SAFETY: loom checks that nobody else is here.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }
}

fn count_twice(counter: &Counter) {
    let outer = counter.lock();
    outer.add();
    {
        let inner = counter.try_lock().expect("it is ours");
        assert_eq!(counter.depth(), 2);
        inner.add();
    }
    assert!(counter.is_owner());
}

async fn count_twice_as_task(counter: Counter) {
    let outer = counter.lock_async().await;
    outer.add();
    counter.lock_async().await.add();
}

fn total(counter: Counter) -> usize {
    let guard = counter.try_lock().expect("all have ended");
    // SAFETY: as above.
    guard.0.with(|value| unsafe { *value })
}

#[test]
fn two_threads_take_it_again() {
    model_of_three(|| {
        let counter = counter();
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || count_twice(&counter)
        });
        count_twice(&counter);
        other.join().unwrap();
        assert_eq!(total(counter), 4);
    });
}

#[test]
fn a_thread_and_a_task() {
    model_of_three(|| {
        let counter = counter();
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || block_on(Owner::new().task(count_twice_as_task(counter)))
        });
        count_twice(&counter);
        other.join().unwrap();
        assert_eq!(total(counter), 4);
    });
}

#[test]
fn who_has_given_it_up_does_not_take_it_for_his_own() {
    model_of_three(|| {
        let counter = counter();
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || counter.lock().add()
        });
        counter.lock().add();
        counter.lock().add();
        other.join().unwrap();
        assert_eq!(total(counter), 3);
    });
}

/// They have the same thread, and are told apart by their numbers.
#[test]
fn a_task_does_not_come_in_where_the_thread_that_polls_it_is() {
    model_of_three(|| {
        let counter = counter();
        let guard = counter.lock();
        let mut task = Box::pin(Owner::new().task(count_twice_as_task(Arc::clone(&counter))));
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || counter.lock().add()
        });
        guard.add();
        drop(guard);
        block_on(task);
        other.join().unwrap();
        assert_eq!(total(counter), 4);
    });
}

#[test]
fn who_goes_away_leaves_it_to_the_next() {
    model_of_three(|| {
        let counter = counter();
        let goes_away = thread::spawn({
            let counter = Arc::clone(&counter);
            move || poll_and_drop(Owner::new().task(count_twice_as_task(counter)))
        });
        let other = thread::spawn({
            let counter = Arc::clone(&counter);
            move || count_twice(&counter)
        });
        count_twice(&counter);
        goes_away.join().unwrap();
        other.join().unwrap();
        assert!(matches!(total(counter), 4 | 6));
    });
}
