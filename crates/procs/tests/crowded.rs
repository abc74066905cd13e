//! A program that runs out of descriptors, or of processes, is told so, and nothing that runs suffers.

use procs::{Pool, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn for_ever(_: ()) {
    loop {
        std::thread::park();
    }
}

/// In a process of its own, because limits are for all threads.
fn starts_until_there_are_no_descriptors(limit: u64) -> std::result::Result<usize, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let before = getrlimit(Resource::Nofile);
    let low = Rlimit { current: Some(limit), ..before };
    setrlimit(Resource::Nofile, low).map_err(|error| text(&error))?;
    let mut running: Vec<Process<()>> = Vec::new();
    let refused = loop {
        match Process::spawn(for_ever, ()) {
            Ok(process) => running.push(process),
            Err(error) => break error,
        }
        if running.len() as u64 > limit {
            return Err("the limit had no effect".into());
        }
    };
    if refused.raw_os_error() != Some(24) {
        return Err(format!("refused with {refused:?}, not for descriptors"));
    }
    if let Some(gone) = running.iter().find(|process| process.is_finished()) {
        return Err(format!("process {} did not survive that another was refused", gone.pid()));
    }
    let count = running.len();
    for process in running {
        process.kill().map_err(|error| text(&error))?;
        assert!(process.join().is_err());
    }
    // There is room again, and what works did not break.
    let again = Process::spawn(|n: u64| n + 1, 1).map_err(|error| text(&error))?;
    assert_eq!(again.join().map_err(|error| text(&error))?, 2);
    Ok(count)
}

#[test]
fn without_descriptors_a_start_is_refused_and_what_runs_goes_on() -> Result {
    // Each limit makes another step fail: making the link, receiving the process's descriptor, ...
    for limit in 20..28 {
        let started = Process::spawn(starts_until_there_are_no_descriptors, limit)?.join()??;
        assert!(started > 0, "with {limit} descriptors none could be started");
    }
    Ok(())
}

#[test]
fn a_pool_that_cannot_have_all_its_workers_works_with_those_that_it_has() -> Result {
    let sum = |()| -> std::result::Result<u64, String> {
        let low = Rlimit { current: Some(24), ..getrlimit(Resource::Nofile) };
        setrlimit(Resource::Nofile, low).map_err(|error| error.to_string())?;
        let pool = Pool::new(64).map_err(|error| error.to_string())?;
        let tasks: Vec<_> = (0..300_u64).map(|n| pool.submit(|n: u64| n, n)).collect();
        let sum = tasks.into_iter().map(procs::Task::join).sum::<std::result::Result<u64, _>>();
        sum.map_err(|error| error.to_string())
    };
    assert_eq!(Process::spawn(sum, ())?.join()?, Ok(44_850));
    Ok(())
}

/// Each round is a race between a worker that becomes idle and another one that is refused; a task that nobody takes then
/// shows as one that has not ended.
fn rounds_of_a_crowded_pool(rounds: u64) -> std::result::Result<(), String> {
    let low = Rlimit { current: Some(20), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, low).map_err(|error| error.to_string())?;
    for round in 0..rounds {
        let pool = Pool::new(16).map_err(|error| error.to_string())?;
        let tasks: Vec<_> = (0..20_u64).map(|n| pool.submit(|n: u64| n, n)).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            match task.join_timeout(Duration::from_secs(10)) {
                Ok(Ok(same)) => assert_eq!(same, n as u64),
                // No worker could be started at all in that moment.
                Ok(Err(error)) => assert!(error.to_string().starts_with("cannot start a worker"), "{error}"),
                Err(_) => return Err(format!("round {round}: task {n} waits, and {pool:?} does nothing")),
            }
        }
    }
    Ok(())
}

#[test]
fn a_task_whose_worker_is_refused_goes_to_one_that_is_idle_by_then() -> Result {
    Process::spawn(rounds_of_a_crowded_pool, 25)?.join()??;
    Ok(())
}

#[test]
fn the_limit_of_a_worker_is_that_of_the_program() -> Result {
    let limit = |()| getrlimit(Resource::Nofile).current;
    assert_eq!(Process::spawn(limit, ())?.join()?, getrlimit(Resource::Nofile).current);
    let spawned: io::Result<Process<_>> = Process::spawn(limit, ());
    assert!(spawned.is_ok());
    Ok(())
}
