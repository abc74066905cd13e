//! Every way for a function to end its process, alone and in a pool.

mod common;

use common::{CRASHES, crash, expected, kind_of};
use procs::{Executor, JoinError, Pool, Process, Shutdown};
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[test]
fn a_process_that_crashes_tells_how() -> Result {
    for how in CRASHES {
        let process = Process::spawn(|how: String| crash(&how), how.to_owned())?;
        let pid = process.pid();
        let error = process.join().unwrap_err();
        assert_eq!(kind_of(&error), expected(how), "{how}: {error}");
        match error {
            JoinError::Killed { pid: gone, .. } | JoinError::Exited { pid: gone, .. } if gone == pid => {}
            JoinError::Panicked(panic) if panic.message() == "the reason is 7" => {}
            other => panic!("{how}: {other}"),
        }
        assert!(!common::exists(pid), "{how}");
    }
    Ok(())
}

#[test]
fn in_a_pool_a_crash_fails_its_own_task_alone() -> Result {
    let pool = Pool::new(2)?;
    for how in CRASHES {
        let before: Vec<_> = (0..4_u64).map(|n| pool.submit(|n: u64| n * n, n)).collect();
        let victim = pool.submit(|how: String| crash(&how), how.to_owned());
        let after: Vec<_> = (4..8_u64).map(|n| pool.submit(|n: u64| n * n, n)).collect();
        let error = victim.join().unwrap_err();
        assert_eq!(kind_of(&error), expected(how), "{how}: {error}");
        for (n, task) in (0..).zip(before.into_iter().chain(after)) {
            assert_eq!(task.join().map_err(|error| format!("{how}: {error}"))?, n * n);
        }
    }
    pool.shutdown(Shutdown::Finish);
    Ok(())
}

#[test]
fn a_panic_in_a_pool_costs_no_worker() -> Result {
    let pool = Pool::new(1)?;
    let pid = |pool: &Pool| pool.submit(|()| std::process::id(), ());
    let before = pid(&pool).join()?;
    let error = pool.submit(|how: String| crash(&how), "panic".to_owned()).join().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(pid(&pool).join()?, before);
    let error = pool.submit(|how: String| crash(&how), "abort".to_owned()).join().unwrap_err();
    assert!(error.is_process_lost());
    assert_ne!(pid(&pool).join()?, before);
    Ok(())
}

#[test]
fn a_worker_that_is_killed_while_it_is_idle_fails_nothing() -> Result {
    let pool = Pool::new(1)?;
    for round in 0..50_u64 {
        let pid = pool.submit(|()| std::process::id(), ()).join()?;
        // Sometimes the worker is gone when the next task is submitted, sometimes it is about to be.
        common::kill("-KILL", pid);
        if round % 2 == 0 {
            std::thread::sleep(Duration::from_micros(round * 20));
        }
        let next = pool.submit(|n: u64| n + 1, round).join();
        assert_eq!(next.map_err(|error| format!("round {round}: {error}"))?, round + 1);
    }
    Ok(())
}

#[test]
fn all_workers_crash_at_once_and_the_pool_goes_on() -> Result {
    let pool = Pool::new(4)?;
    for _ in 0..5 {
        let crashes: Vec<_> =
            (0..8).map(|_| pool.submit(|how: String| crash(&how), "kill".to_owned())).collect();
        let tasks: Vec<_> = (0..8_u64).map(|n| pool.submit(|n: u64| n, n)).collect();
        for task in crashes {
            assert_eq!(kind_of(&task.join().unwrap_err()), ("killed", 9));
        }
        let values: std::result::Result<Vec<u64>, _> = tasks.into_iter().map(procs::Task::join).collect();
        assert_eq!(values?, (0..8).collect::<Vec<_>>());
    }
    Ok(())
}
