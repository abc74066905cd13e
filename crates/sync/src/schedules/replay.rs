//! A seed draws the same schedule again, or what it prints is of no use.

use super::{join, run};
use crate::{Queue, select};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// In which order the items of two queues are taken by selects, in each of some schedules.
fn orders(scheduler: impl Scheduler + 'static) -> Vec<Vec<u32>> {
    let orders = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&orders);
    let program = move || {
        let queues = Arc::new([Queue::bounded(1), Queue::bounded(2)]);
        let putting = [0, 1].map(|which| {
            let queues = Arc::clone(&queues);
            thread::spawn(move || (0..3).for_each(|item| queues[which].put(item * 2 + which as u32).unwrap()))
        });
        let taken = (0..6).map(|_| {
            select! {
                item = queues[0].get_async() => item.unwrap(),
                item = queues[1].get_async() => item.unwrap(),
            }
        });
        let taken = taken.collect();
        join(putting);
        notes.lock().unwrap().push(taken);
    };
    run(scheduler, Arc::new(program));
    let orders = orders.lock().unwrap();
    orders.clone()
}

#[test]
fn the_same_seed_draws_the_same_and_another_one_does_not() {
    let random = |seed| orders(RandomScheduler::new_from_seed(seed, 50));
    let pct = |seed| orders(PctScheduler::new_from_seed(seed, 3, 50));
    assert_eq!(random(1), random(1));
    assert_ne!(random(1), random(2));
    assert_eq!(pct(1), pct(1));
    assert_ne!(pct(1), pct(2));
}

/// A counter that reads and writes in two steps; says in which schedule that was seen.
fn lost_update(scheduler: impl Scheduler + 'static) -> Option<usize> {
    let schedules = Arc::new(Mutex::new(0));
    let count = Arc::clone(&schedules);
    let program = move || {
        *count.lock().unwrap() += 1;
        let counter = Arc::new(AtomicU32::new(0));
        let counting = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                let read = counter.load(Ordering::SeqCst);
                counter.store(read + 1, Ordering::SeqCst);
            })
        });
        join(counting);
        assert_eq!(counter.load(Ordering::SeqCst), 2);
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| run(scheduler, Arc::new(program))));
    let schedules = *schedules.lock().unwrap();
    outcome.is_err().then_some(schedules)
}

#[test]
fn a_fault_is_found_and_found_again() {
    let random = || lost_update(RandomScheduler::new_from_seed(7, 1_000));
    let pct = || lost_update(PctScheduler::new_from_seed(7, 3, 1_000));
    assert!(random().is_some() && random() == random());
    assert!(pct().is_some() && pct() == pct());
}
