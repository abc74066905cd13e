//! The end of a pool, as the ledger keeps it.

#[path = "common/sharp.rs"]
mod sharp;
#[path = "common/threads.rs"]
mod threads;

use executor::sync::{Event, Queue};
use executor::{Executor, JoinError, Ledger, Shutdown, TimedOut};
use sharp::Sharp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use threads::Threads;

#[test]
fn it_waits_for_all_tasks_and_refuses_new_ones() {
    static ENDED: Queue<u32> = Queue::unbounded();
    let pool = Threads::default();
    for number in 0..10 {
        drop(pool.submit(|number: u32| ENDED.put(number).unwrap(), number));
    }
    pool.shutdown(Shutdown::Finish);
    assert_eq!(ENDED.len(), 10);
    assert_eq!(pool.ledger.inside(), 0);
    assert!(matches!(pool.submit(|()| (), ()).join(), Err(JoinError::ShutDown)));
    pool.shutdown(Shutdown::CancelPending);
}

#[test]
fn a_limit_passes_and_the_task_goes_on() {
    static GO: Event = Event::new();
    let pool = Threads::default();
    let task = pool.submit(
        |()| {
            GO.wait();
            7
        },
        (),
    );
    let begun = Instant::now();
    let limit = Duration::from_millis(20);
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, limit), Err(TimedOut));
    assert!(begun.elapsed() >= limit);
    GO.set();
    assert_eq!(pool.shutdown_timeout(Shutdown::Finish, Duration::MAX), Ok(()));
    assert_eq!(task.join().unwrap(), 7);
}

#[test]
fn jobs_that_have_not_begun_end_when_pending_ones_are_cancelled() {
    let ledger = Ledger::new();
    let (task, job) = ledger.admit(|| unreachable!("it was cancelled before it began"));
    ledger.close(Shutdown::CancelPending);
    assert_eq!(ledger.wait_until(Some(Instant::now())), Err(TimedOut));
    job.unwrap()();
    assert!(matches!(task.join(), Err::<(), _>(JoinError::ShutDown)));
    assert_eq!(ledger.wait_until(Some(Instant::now())), Ok(()));
}

#[test]
fn a_job_that_is_cancelled_or_dropped_ends_its_task() {
    let ledger = Ledger::new();
    let (task, job) = ledger.admit(|| unreachable!("it was cancelled before it began"));
    task.cancel();
    job.unwrap()();
    assert!(matches!(task.join(), Err::<(), _>(JoinError::Cancelled)));

    let (task, job) = ledger.admit(|| ());
    drop(job);
    assert!(matches!(task.join(), Err(JoinError::Abandoned)));
    assert_eq!(ledger.inside(), 0);
}

#[test]
fn a_result_whose_destructor_panics_is_no_panic_of_the_job() {
    let ledger = Ledger::new();
    for result in [Sharp::Once, Sharp::Twice] {
        let (task, job) = ledger.admit(move || result);
        drop(task);
        job.unwrap()();
    }
    assert_eq!(ledger.inside(), 0);
}

#[test]
fn a_closure_that_is_not_run_and_whose_destructor_panics_is_no_panic_of_the_job() {
    for captured in [Sharp::Once, Sharp::Twice] {
        let ledger = Ledger::new();
        let (task, job) = ledger.admit(move || drop(captured));
        ledger.close(Shutdown::CancelPending);
        job.unwrap()();
        assert!(matches!(task.join(), Err(JoinError::ShutDown)));
        assert_eq!(ledger.inside(), 0);
    }
}

#[test]
fn a_closure_that_is_not_run_may_wait_for_the_end_of_its_ledger() {
    struct Waits(Ledger);
    impl Drop for Waits {
        fn drop(&mut self) {
            self.0.wait_until(None).unwrap();
        }
    }
    let ledger = Ledger::new();
    let waits = Waits(ledger.clone());
    let (task, job) = ledger.admit(move || drop(waits));
    ledger.close(Shutdown::CancelPending);
    let thread = std::thread::spawn(job.unwrap());
    let ended = task.join_timeout(Duration::from_secs(60)).expect("it does not wait for itself");
    assert!(matches!(ended, Err(JoinError::ShutDown)));
    thread.join().unwrap();
}

#[test]
fn tasks_that_shut_down_their_own_pool_wait_for_the_others_alone() {
    let pool = Arc::new(Ledger::new());
    let go = Arc::new(Event::new());
    let jobs: Vec<_> = (0..2)
        .map(|_| {
            let (pool, ledger) = (Arc::clone(&pool), Arc::clone(&pool));
            ledger.admit(move || {
                pool.close(Shutdown::Finish);
                pool.wait_until(None).unwrap();
            })
        })
        .collect();
    let (other, other_job) = pool.admit({
        let go = Arc::clone(&go);
        move || go.wait()
    });
    let mut tasks = vec![other];
    std::thread::spawn(other_job.unwrap());
    for (task, job) in jobs {
        tasks.push(task);
        std::thread::spawn(job.unwrap());
    }
    assert_eq!(pool.wait_until(Some(Instant::now() + Duration::from_millis(5))), Err(TimedOut));
    go.set();
    tasks.into_iter().for_each(|task| task.join().unwrap());
    pool.wait_until(None).unwrap();
    assert_eq!(pool.inside(), 0);
}
