//! The end of a pool.

use super::gate::{Gate, wait_at};
use super::maps::leave_a_mark;
use super::subjects::{Subject, skip};
use executor::{JoinError, Shutdown, TimedOut};
use std::time::{Duration, Instant};

pub(crate) fn a_pool_that_was_shut_down_refuses_tasks<S: Subject>() {
    let pool = S::start_two();
    assert_eq!(pool.submit(|number: u32| number, 1).join().unwrap(), 1);
    pool.shutdown(Shutdown::Finish);
    assert!(matches!(pool.submit(|number: u32| number, 1).join(), Err(JoinError::ShutDown)));
    assert!(matches!(pool.map(|number: u32| number, 0..).next(), Some(Err(JoinError::ShutDown))));
    let refused = pool.map_unordered(|number: u32| number, 0..3);
    assert_eq!(refused.filter(|(_, result)| matches!(result, Err(JoinError::ShutDown))).count(), 3);
}

pub(crate) fn finish_runs_everything<S: Subject>() {
    let (pool, marks) = (S::start_two(), Gate::closed());
    for _ in 0..20 {
        // Detached, and run all the same.
        drop(pool.submit(leave_a_mark, marks.path()));
    }
    pool.shutdown(Shutdown::Finish);
    assert_eq!(marks.arrivals(), 20);
}

pub(crate) fn cancel_pending_runs_nothing_more<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("no task is ever pending");
    }
    let (pool, gate, marks) = (S::start_two(), Gate::closed(), Gate::closed());
    let running: Vec<_> = (0..pool.workers()).map(|_| pool.submit(wait_at, gate.path())).collect();
    gate.wait_for_arrivals(running.len());
    let pending: Vec<_> = (0..3).map(|_| pool.submit(leave_a_mark, marks.path())).collect();
    assert_eq!(pool.shutdown_timeout(Shutdown::CancelPending, Duration::from_millis(5)), Err(TimedOut));
    gate.open();
    pool.shutdown(Shutdown::CancelPending);
    for task in pending {
        assert!(task.is_finished());
        assert!(matches!(task.join(), Err(JoinError::ShutDown)));
    }
    running.into_iter().for_each(|task| assert_eq!(task.join().unwrap(), 7));
    assert_eq!(marks.arrivals(), 0);
}

pub(crate) fn a_limit_passes_and_tasks_go_on<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("nothing is ever waited for");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let task = pool.submit(wait_at, gate.path());
    gate.wait_for_arrivals(1);
    let limit = Duration::from_millis(10);
    let begun = Instant::now();
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, limit), Err(TimedOut));
    assert!(begun.elapsed() >= limit);
    assert!(matches!(pool.submit(|()| (), ()).join(), Err(JoinError::ShutDown)));
    gate.open();
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, Duration::MAX), Ok(()));
    assert_eq!(task.join().unwrap(), 7);
}

pub(crate) fn a_closed_pool_refuses_tasks_and_goes_on<S: Subject>() {
    let (pool, gate) = (S::start_two(), Gate::closed());
    if !S::is_concurrent() {
        gate.open();
    }
    let task = pool.submit(wait_at, gate.path());
    pool.close();
    assert!(matches!(pool.submit(|()| (), ()).join(), Err(JoinError::ShutDown)));
    gate.open();
    assert_eq!(task.join().unwrap(), 7);
}

pub(crate) fn a_second_shutdown_only_waits<S: Subject>() {
    let pool = S::start_two();
    let task = pool.submit(|number: u32| number, 1);
    pool.shutdown(Shutdown::Finish);
    pool.shutdown(Shutdown::Finish);
    pool.shutdown(Shutdown::CancelPending);
    assert!(task.is_finished());
    assert_eq!(task.join().unwrap(), 1);
}

pub(crate) fn a_pool_dropped_in_the_middle_leaves_nobody_waiting<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("there is no middle");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let running: Vec<_> = (0..pool.workers()).map(|_| pool.submit(wait_at, gate.path())).collect();
    gate.wait_for_arrivals(running.len());
    let queued: Vec<_> = (0..5).map(|_| pool.submit(|number: u32| number, 7)).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The drop may wait for those that run.
            std::thread::sleep(Duration::from_millis(5));
            gate.open();
        });
        drop(pool);
    });
    // Pools differ in what becomes of their tasks then, and each says so. That every handle gets an answer is common.
    for task in running.into_iter().chain(queued) {
        match task.join() {
            Ok(result) => assert_eq!(result, 7),
            Err(error) => assert!(!error.is_panic(), "{error}"),
        }
    }
}
