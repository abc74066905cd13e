//! The condition variable and `Mutex::when`, by threads that sleep on their nodes and by tasks: no notification and no change
//! of the value is missed, and each notification is for one.

use super::poll_and_drop;
use crate::{Condvar, Mutex};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::time::Duration;

type Pair = (Mutex<u32>, Condvar);

fn pair() -> Arc<Pair> {
    Arc::new((Mutex::new(0), Condvar::new()))
}

fn model_of_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

#[test]
fn a_thread_misses_no_notification_between_the_lock_and_the_wait() {
    loom::model(|| {
        let shared = pair();
        let notifier = Arc::clone(&shared);
        let notifier = thread::spawn(move || {
            *notifier.0.lock() = 1;
            notifier.1.notify_one();
        });
        assert_eq!(*shared.1.wait_while(shared.0.lock(), |value| *value == 0), 1);
        notifier.join().unwrap();
    });
}

#[test]
fn one_who_notifies_under_the_lock_is_heard() {
    model_of_three(|| {
        let shared = pair();
        let notifier = Arc::clone(&shared);
        let notifier = thread::spawn(move || {
            let mut value = notifier.0.lock();
            *value = 1;
            notifier.1.notify_all();
        });
        assert_eq!(*shared.1.wait_while(shared.0.lock(), |value| *value == 0), 1);
        notifier.join().unwrap();
    });
}

#[test]
fn two_threads_take_turns() {
    loom::model(|| {
        let shared = pair();
        let turn = |shared: &Pair, parity: u32| {
            *shared.1.wait_while(shared.0.lock(), |value| *value % 2 != parity) += 1;
            shared.1.notify_one();
        };
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || turn(&other, 1));
        turn(&shared, 0);
        other.join().unwrap();
        assert_eq!(*shared.0.lock(), 2);
    });
}

#[test]
fn a_thread_that_gives_up_takes_no_notification_with_it() {
    model_of_three(|| {
        let shared = pair();
        let patient = Arc::clone(&shared);
        let patient = thread::spawn(move || {
            drop(patient.1.wait_while(patient.0.lock(), |value| *value == 0));
        });
        let fickle = Arc::clone(&shared);
        let fickle = thread::spawn(move || {
            let (guard, told) = fickle.1.wait_timeout(fickle.0.lock(), Duration::ZERO);
            drop(guard);
            // Whoever used a notification up passes it on, as any consumer of one must.
            if told.is_ok() {
                fickle.1.notify_one();
            }
        });
        *shared.0.lock() = 1;
        shared.1.notify_one();
        patient.join().unwrap();
        fickle.join().unwrap();
    });
}

#[test]
fn a_task_that_goes_away_passes_its_notification_on() {
    model_of_three(|| {
        let shared = pair();
        let patient = Arc::clone(&shared);
        let patient = thread::spawn(move || {
            drop(patient.1.wait_while(patient.0.lock(), |value| *value == 0));
        });
        let fickle = Arc::clone(&shared);
        let fickle = thread::spawn(move || poll_and_drop(fickle.1.wait_async(fickle.0.lock())));
        *shared.0.lock() = 1;
        shared.1.notify_one();
        patient.join().unwrap();
        fickle.join().unwrap();
    });
}

#[test]
fn a_thread_and_a_task_are_told_at_once() {
    model_of_three(|| {
        let shared = pair();
        let by_thread = Arc::clone(&shared);
        let by_thread = thread::spawn(move || {
            drop(by_thread.1.wait_while(by_thread.0.lock(), |value| *value == 0));
        });
        let by_task = Arc::clone(&shared);
        let by_task = thread::spawn(move || {
            drop(block_on(by_task.1.wait_while_async(by_task.0.lock(), |value| *value == 0)));
        });
        *shared.0.lock() = 1;
        shared.1.notify_all();
        by_thread.join().unwrap();
        by_task.join().unwrap();
    });
}

#[test]
fn no_change_is_missed_by_a_thread_that_watches() {
    loom::model(|| {
        let shared = pair();
        let changes = Arc::clone(&shared);
        let changes = thread::spawn(move || *changes.0.lock() = 1);
        assert_eq!(*shared.0.when(|value| *value == 1), 1);
        changes.join().unwrap();
    });
}

#[test]
fn no_change_is_missed_by_a_task_that_watches() {
    loom::model(|| {
        let shared = pair();
        let changes = Arc::clone(&shared);
        let changes = thread::spawn(move || *changes.0.lock() = 1);
        assert_eq!(*block_on(shared.0.when_async(|value| *value == 1)), 1);
        changes.join().unwrap();
    });
}

#[test]
fn two_who_watch_follow_each_other() {
    model_of_three(|| {
        let shared = pair();
        let others = [1, 2].map(|turn| {
            let other = Arc::clone(&shared);
            thread::spawn(move || *other.0.when(|value| *value == turn) += 1)
        });
        *shared.0.lock() = 1;
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*shared.0.lock(), 3);
    });
}

#[test]
fn one_who_stops_watching_keeps_nobody_from_it() {
    model_of_three(|| {
        let shared = pair();
        let fickle = Arc::clone(&shared);
        let fickle = thread::spawn(move || {
            poll_and_drop(fickle.0.when_async(|value| *value == 1));
            drop(fickle.0.when_timeout(|value| *value == 1, Duration::ZERO));
        });
        let watches = Arc::clone(&shared);
        let watches = thread::spawn(move || drop(watches.0.when(|value| *value == 1)));
        *shared.0.lock() = 1;
        fickle.join().unwrap();
        watches.join().unwrap();
    });
}
