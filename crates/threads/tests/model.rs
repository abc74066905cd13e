//! The pool against a plain model of what may come out of it.

use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use threads::{Executor, JoinError, Pool, Shutdown, Task};

#[derive(Clone, Debug)]
enum Step {
    Spawn(u32),
    Panic,
    /// A task that submits another and waits for it.
    Nest(u32),
    Cancel(usize),
    Join(usize),
    Detach(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => any::<u32>().prop_map(Step::Spawn),
        1 => Just(Step::Panic),
        2 => any::<u32>().prop_map(Step::Nest),
        1 => any::<usize>().prop_map(Step::Cancel),
        2 => any::<usize>().prop_map(Step::Join),
        1 => any::<usize>().prop_map(Step::Detach),
    ];
    prop::collection::vec(step, 0..40)
}

/// What is known of a task.
struct Known {
    task: Task<u32>,
    /// `None` if it panics.
    result: Option<u32>,
    /// Whether it counts itself when it begins.
    counts: bool,
    cancelled: bool,
}

impl Known {
    fn join(self) -> Result<(), TestCaseError> {
        match (self.task.join(), self.result) {
            (Ok(result), Some(expected)) => prop_assert_eq!(result, expected),
            (Err(JoinError::Cancelled), _) => prop_assert!(self.cancelled),
            (Err(JoinError::Panicked(panic)), None) => prop_assert_eq!(panic.message(), "on purpose"),
            (outcome, expected) => prop_assert!(false, "{outcome:?} instead of {expected:?}"),
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_task_ends_with_what_it_should(
        steps in steps(),
        workers in 1..4_usize,
        bound in prop::option::of(1..6_usize),
        cancels_pending in any::<bool>(),
    ) {
        let builder = Pool::builder().workers(workers);
        let pool = Arc::new(bound.into_iter().fold(builder, threads::PoolBuilder::queue_bound).build());
        let begun = Arc::new(AtomicUsize::new(0));
        // How many will have counted themselves, if none was taken back in time, and if all that could be were.
        let (mut at_most, mut at_least) = (0, 0);
        let mut tasks: Vec<Known> = Vec::new();
        for step in steps {
            let begins = Arc::clone(&begun);
            let begin = move || begins.fetch_add(1, Ordering::Relaxed);
            let known = |task, result| Known { task, result, counts: false, cancelled: false };
            match step {
                Step::Spawn(number) => {
                    let task = pool.spawn(move || {
                        begin();
                        number
                    });
                    tasks.push(Known { counts: true, ..known(task, Some(number)) });
                    at_most += 1;
                    at_least += 1;
                }
                Step::Panic => tasks.push(known(pool.spawn(|| panic!("on purpose")), None)),
                Step::Nest(number) => {
                    let inner = Arc::clone(&pool);
                    let task = pool.spawn(move || inner.submit(|number| number, number).join().unwrap());
                    tasks.push(known(task, Some(number)));
                }
                Step::Cancel(index) if !tasks.is_empty() => {
                    let index = index % tasks.len();
                    let known = &mut tasks[index];
                    known.task.cancel();
                    at_least -= usize::from(known.counts && !known.cancelled);
                    known.cancelled = true;
                }
                Step::Join(index) if !tasks.is_empty() => tasks.swap_remove(index % tasks.len()).join()?,
                Step::Detach(index) if !tasks.is_empty() => drop(tasks.swap_remove(index % tasks.len())),
                Step::Cancel(_) | Step::Join(_) | Step::Detach(_) => {}
            }
        }
        if cancels_pending {
            // Tasks may end for the shutdown, and those that wait for such panic: only that all end can be said.
            pool.shutdown(Shutdown::CancelPending);
            prop_assert!(tasks.iter().all(|known| known.task.is_finished()));
            at_least = 0;
        } else {
            tasks.into_iter().try_for_each(Known::join)?;
            pool.shutdown(Shutdown::Finish);
        }
        prop_assert_eq!((pool.threads(), pool.queued()), (0, 0));
        // Those that were detached have run too, and none has run twice.
        let begun = begun.load(Ordering::Relaxed);
        prop_assert!((at_least..=at_most).contains(&begun), "{begun} of {at_least} to {at_most} have begun");
    }
}
