//! A program that runs out of descriptors, or of processes, is told so, and nothing that runs suffers.

mod common;

use procs::{Pool, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// One test after the other: an ordinary user may have only so many descriptors on their way, in all processes together, and
/// the lowest limit of them counts.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    let _alone = alone();
    // Each limit makes another step fail: making the link, receiving the process's descriptor, ...
    for limit in 20..28 {
        let started = Process::spawn(starts_until_there_are_no_descriptors, limit)?.join()??;
        assert!(started > 0, "with {limit} descriptors none could be started");
    }
    Ok(())
}

#[test]
fn a_pool_that_cannot_have_all_its_workers_works_with_those_that_it_has() -> Result {
    let _alone = alone();
    let sum = |()| -> std::result::Result<u64, String> {
        let pool = Pool::new(64).map_err(|error| error.to_string())?;
        // Before there is a worker, the others could take all descriptors away from the zygote that is being started.
        pool.submit(|n: u64| n, 0).join().map_err(|error| error.to_string())?;
        let low = Rlimit { current: Some(24), ..getrlimit(Resource::Nofile) };
        setrlimit(Resource::Nofile, low).map_err(|error| error.to_string())?;
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
    let _alone = alone();
    Process::spawn(rounds_of_a_crowded_pool, 25)?.join()??;
    Ok(())
}

/// Sends as many descriptors as that over a link that nobody reads, and has them go on while the links live.
fn on_their_way(number: usize) -> io::Result<[ipc::Link; 2]> {
    let (here, there) = ipc::Link::pair()?;
    let descriptors = (0..10).map(|_| Ok(std::fs::File::open("/dev/null")?.into()));
    let ten = ipc::Parcel { bytes: Vec::new(), descriptors: descriptors.collect::<io::Result<_>>()? };
    for _ in 0..number / 10 {
        here.send(&ten, None).map_err(io::Error::other)?;
    }
    Ok([here, there])
}

/// Makes this process one of an ordinary user, who may have no more descriptors on their way than open. Where it can choose,
/// it is a user that nobody else is.
fn be_an_ordinary_user() -> io::Result<()> {
    if rustix::process::getuid().is_root() {
        let nobody = rustix::process::Uid::from_raw(10_000 + std::process::id() % 50_000);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody)?;
        // What has changed its user is hidden from others, also from those that it starts.
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?;
    }
    Ok(())
}

/// With the given limits of the program and of its zygote: how a start is refused, and whether all goes on as before.
fn refused_with_forty_on_their_way((ours, zygotes): (u64, u64)) -> std::result::Result<Option<i32>, String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    be_an_ordinary_user().map_err(text)?;
    let runs = Process::spawn(for_ever, ()).map_err(text)?;
    let zygote = common::children_of(std::process::id())[0];
    let zygote = i32::try_from(zygote).ok().and_then(rustix::process::Pid::from_raw);
    assert!(zygote.is_some());
    for (who, limit) in [(None, ours), (zygote, zygotes)] {
        let limit = Rlimit { current: Some(limit), ..getrlimit(Resource::Nofile) };
        rustix::process::prlimit(who, Resource::Nofile, limit).map_err(text)?;
    }
    let links = on_their_way(40).map_err(text)?;
    let Err(refused) = Process::spawn(|n: u64| n + 1, 1) else {
        return Err("a process was started all the same".into());
    };
    let pool = Pool::new(2).map_err(text)?;
    let Err(error) = pool.submit(|n: u64| n + 1, 1).join() else {
        return Err("a worker was started all the same".into());
    };
    assert!(error.to_string().starts_with("cannot start a worker"), "{error}");
    drop(links);
    assert!(!runs.is_finished(), "what runs does not suffer");
    assert_eq!(pool.submit(|n: u64| n + 1, 1).join().map_err(text)?, 2);
    let again = Process::spawn(|n: u64| n + 1, 1).map_err(text)?;
    assert_eq!(again.join().map_err(text)?, 2);
    Ok(refused.raw_os_error())
}

#[test]
fn with_too_many_descriptors_on_their_way_a_start_is_refused_and_what_runs_goes_on() -> Result {
    let _alone = alone();
    const TOO_MANY_REFERENCES: i32 = 109;
    for (ours, zygotes) in [(30, 30), (100, 20)] {
        let refused = Process::spawn(refused_with_forty_on_their_way, (ours, zygotes))?.join()??;
        assert_eq!(refused, Some(TOO_MANY_REFERENCES), "limits of {ours} and {zygotes}");
    }
    Ok(())
}

/// With 500 descriptors on their way and a limit of 600, a worker can be started, and of 250 descriptors, which are two
/// packets, the second is refused.
fn first_jobs_with_five_hundred_on_their_way(_: ()) -> std::result::Result<[String; 2], String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    fn files() -> io::Result<Vec<ipc::Descriptor>> {
        (0..250).map(|_| Ok(ipc::Descriptor(std::fs::File::open("/dev/null")?.into()))).collect()
    }
    let count = |files: Vec<ipc::Descriptor>| files.len();
    be_an_ordinary_user().map_err(text)?;
    let runs = Process::spawn(for_ever, ()).map_err(text)?;
    let low = Rlimit { current: Some(600), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, low).map_err(text)?;
    let links = on_their_way(500).map_err(text)?;
    let in_words = |end: std::result::Result<usize, procs::JoinError>| {
        end.map_or_else(text, |count| format!("{count} files"))
    };
    let process = Process::spawn(count, files().map_err(text)?).map_err(text)?;
    // One after the other: the duplicates of two would be too many.
    let first = in_words(process.join());
    let pool = Pool::new(1).map_err(text)?;
    let ends = [first, in_words(pool.submit(count, files().map_err(text)?).join())];
    assert_eq!(pool.submit(|n: u64| n + 1, 1).join().map_err(text)?, 2);
    drop(links);
    assert_eq!(pool.submit(count, files().map_err(text)?).join().map_err(text)?, 250);
    assert!(!runs.is_finished(), "what runs does not suffer");
    Ok(ends)
}

#[test]
fn a_first_task_that_the_system_refuses_to_carry_says_so() -> Result {
    let _alone = alone();
    for end in Process::spawn(first_jobs_with_five_hundred_on_their_way, ())?.join()?? {
        let cause = end.starts_with("the argument cannot be sent") && end.contains("os error 109");
        assert!(cause && end.contains("ulimit -n"), "{end}");
    }
    Ok(())
}

static INITIALIZED: AtomicU64 = AtomicU64::new(0);

/// In a worker that could be started, with others that could not: how often each task finds that the initializer has run.
fn initialized_in_a_crowded_pool(_: ()) -> std::result::Result<Vec<u64>, String> {
    let count = || INITIALIZED.store(INITIALIZED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let pool = Pool::builder().workers(16).initializer(count).build().map_err(|error| error.to_string())?;
    let seen = |()| INITIALIZED.load(Ordering::Relaxed);
    // One is there, so every task has somebody to do it.
    let first = pool.submit(seen, ()).join().map_err(|error| error.to_string())?;
    let low = Rlimit { current: Some(20), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, low).map_err(|error| error.to_string())?;
    let tasks: Vec<_> = (0..40).map(|_| pool.submit(seen, ())).collect();
    let others = tasks.into_iter().map(|task| task.join().map_err(|error| error.to_string()));
    std::iter::once(Ok(first)).chain(others).collect()
}

#[test]
fn a_task_that_comes_back_from_a_worker_that_was_refused_brings_no_initializer_along() -> Result {
    let _alone = alone();
    for _ in 0..5 {
        let seen = Process::spawn(initialized_in_a_crowded_pool, ())?.join()??;
        assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    }
    Ok(())
}

#[test]
fn the_limit_of_a_worker_is_that_of_the_program() -> Result {
    let _alone = alone();
    let limit = |()| getrlimit(Resource::Nofile).current;
    assert_eq!(Process::spawn(limit, ())?.join()?, getrlimit(Resource::Nofile).current);
    let spawned: io::Result<Process<_>> = Process::spawn(limit, ());
    assert!(spawned.is_ok());
    Ok(())
}
