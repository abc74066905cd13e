//! What `cancel` does, as the table of `Abilities` has it.

use super::gate::{Gate, wait_at};
use super::maps::leave_a_mark;
use super::subjects::{Subject, skip};
use executor::{JoinError, Shutdown, Task};

/// Tasks that keep all workers of the pool busy.
fn keep_busy<S: Subject>(pool: &S, gate: &Gate) -> Vec<Task<u32>> {
    let busy: Vec<_> = (0..pool.workers()).map(|_| pool.submit(wait_at, gate.path())).collect();
    gate.wait_for_arrivals(busy.len());
    busy
}

pub(crate) fn a_queued_task_is_taken_back<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("no task is ever queued");
    }
    let (pool, gate, marks) = (S::start_two(), Gate::closed(), Gate::closed());
    let busy = keep_busy(&pool, &gate);
    let queued = pool.submit(leave_a_mark, marks.path());
    let behind = pool.submit(|number: u32| number, 2);
    queued.cancel();
    gate.open();
    match queued.join() {
        Err(JoinError::Cancelled) if pool.can().cancels => assert_eq!(marks.arrivals(), 0),
        Ok(1) if !pool.can().cancels => assert_eq!(marks.arrivals(), 1),
        other => panic!("{other:?}, and it is said: {:?}", pool.can()),
    }
    assert_eq!(behind.join().unwrap(), 2);
    busy.into_iter().for_each(|task| assert_eq!(task.join().unwrap(), 7));
    pool.shutdown(Shutdown::Finish);
    assert_eq!(marks.arrivals(), usize::from(!pool.can().cancels));
}

pub(crate) fn a_running_task_is_stopped_or_goes_on<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let task = pool.submit(wait_at, gate.path());
    gate.wait_for_arrivals(1);
    task.cancel();
    if pool.can().kills {
        // Nobody opens the gate: it does not get through, it ends.
        assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    } else {
        gate.open();
        assert_eq!(task.join().unwrap(), 7);
    }
    let tasks: Vec<_> = (0..8).map(|number: u32| pool.submit(|number| number, number)).collect();
    assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 28);
}

pub(crate) fn cancelling_what_has_ended_does_nothing<S: Subject>() {
    let pool = S::start_two();
    let task = pool.submit(|number: u32| number, 1);
    let task = match task.join_timeout(std::time::Duration::ZERO) {
        // It was as quick as that; the other one will do.
        Ok(_) => pool.submit(|number: u32| number, 1),
        Err(unfinished) => unfinished.into_inner(),
    };
    while !task.is_finished() {
        std::thread::yield_now();
    }
    task.cancel();
    task.cancel();
    assert_eq!(task.join().unwrap(), 1);
    assert_eq!(pool.submit(|number: u32| number, 2).join().unwrap(), 2);
}
