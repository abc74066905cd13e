//! A pool against a model that says how each task must end: nothing is lost, nothing is done twice, and what happens to
//! one task changes nothing for the others.

mod common;

use common::{crash, kind_of};
use procs::{Executor, JoinError, Pool, Shutdown, Task};
use proptest::prelude::*;

/// What is done to a pool.
#[derive(Clone, Debug)]
enum Step {
    Submit(u64),
    Crash(&'static str),
    /// A task that never ends by itself.
    Hang,
    /// Cancels one of the tasks so far.
    Cancel(prop::sample::Index),
    /// Kills one of the workers that there are now, from outside.
    Kill(prop::sample::Index),
    /// Waits for one of the tasks so far that ends by itself.
    Join(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let crashes = prop::sample::select(vec!["panic", "abort", "exit 0", "kill"]);
    let step = prop_oneof![
        6 => any::<u64>().prop_map(Step::Submit),
        2 => crashes.prop_map(Step::Crash),
        1 => Just(Step::Hang),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => any::<prop::sample::Index>().prop_map(Step::Kill),
        2 => any::<prop::sample::Index>().prop_map(Step::Join),
    ];
    prop::collection::vec(step, 1..40)
}

/// What the model knows of a task.
struct Known {
    task: Option<Task<u64>>,
    kind: Kind,
    cancelled: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Value(u64),
    Crash(&'static str),
    Hang,
}

impl Known {
    /// Checks an end against everything that may have been.
    fn check(&self, result: &Result<u64, JoinError>, kills: usize) -> Result<(), TestCaseError> {
        match (result, &self.kind) {
            (Ok(value), Kind::Value(expected)) => prop_assert_eq!(value, &expected.wrapping_mul(3)),
            (Err(JoinError::Cancelled), _) => prop_assert!(self.cancelled, "nobody has cancelled it"),
            (Err(error), Kind::Crash(how)) if kind_of(error) == common::expected(how) => {}
            // Whoever kills a worker kills the task that it has.
            (Err(JoinError::Killed { signal: 9, .. }), _) if kills > 0 => {}
            (result, kind) => prop_assert!(false, "{kind:?} ended with {result:?}"),
        }
        Ok(())
    }
}

fn play(workers: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let pool = Pool::new(workers).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let mut known: Vec<Known> = Vec::new();
    let mut kills = 0;
    let mut lost_to_kills = 0;
    let add = |known: &mut Vec<Known>, task, kind| {
        known.push(Known { task: Some(task), kind, cancelled: false });
    };
    for step in steps {
        match step {
            Step::Submit(n) => {
                add(&mut known, pool.submit(|n: u64| n.wrapping_mul(3), n), Kind::Value(n));
            }
            Step::Crash(how) => {
                let task = pool.submit(|how: String| crash(&how), how.to_owned());
                add(&mut known, task, Kind::Crash(how));
            }
            Step::Hang => {
                let task = pool.submit(for_ever, ());
                add(&mut known, task, Kind::Hang);
            }
            Step::Cancel(index) if !known.is_empty() => {
                let one = index.get_mut(&mut known);
                one.cancelled = true;
                one.task.iter().for_each(Task::cancel);
            }
            Step::Kill(index) => {
                let pids = pool.pids();
                if !pids.is_empty() {
                    kills += 1;
                    // It may have ended by itself in this moment.
                    let _ = std::process::Command::new("kill")
                        .args(["-KILL", &index.get(&pids).to_string()])
                        .stderr(std::process::Stdio::null())
                        .status();
                }
            }
            Step::Join(index) if !known.is_empty() => {
                // One that hangs in front of it would be waited for in vain.
                if known
                    .iter()
                    .any(|one| matches!(one.kind, Kind::Hang) && !one.cancelled && one.task.is_some())
                {
                    continue;
                }
                let one = index.get_mut(&mut known);
                if let Some(task) = one.task.take() {
                    let result = task.join();
                    one.check(&result, kills)?;
                    lost_to_kills += usize::from(is_killed(&one.kind, &result));
                }
            }
            Step::Cancel(_) | Step::Join(_) => {}
        }
    }
    // What hangs is stopped; everything else ends by itself.
    for one in known.iter_mut().filter(|one| matches!(one.kind, Kind::Hang)) {
        one.cancelled = true;
        one.task.iter().for_each(Task::cancel);
    }
    pool.shutdown(Shutdown::Finish);
    for one in &mut known {
        if let Some(task) = one.task.take() {
            prop_assert!(task.is_finished(), "the pool has shut down, and {:?} has not ended", one.kind);
            let result = task.join();
            one.check(&result, kills)?;
            lost_to_kills += usize::from(is_killed(&one.kind, &result));
        }
    }
    prop_assert!(lost_to_kills <= kills, "{kills} kills cost {lost_to_kills} tasks");
    prop_assert!(pool.pids().is_empty());
    Ok(())
}

fn for_ever(_: ()) -> u64 {
    loop {
        std::thread::park();
    }
}

/// Whether a task was lost to a kill from outside. One that kills itself cannot be told apart, and is not counted.
fn is_killed(kind: &Kind, result: &Result<u64, JoinError>) -> bool {
    !matches!(kind, Kind::Crash("kill")) && matches!(result, Err(JoinError::Killed { signal: 9, .. }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_task_ends_as_it_must(workers in 1_usize..4, steps in steps()) {
        play(workers, steps)?;
    }
}
