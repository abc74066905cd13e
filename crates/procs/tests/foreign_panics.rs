//! What panics in the program's own code, on the thread that looks after all processes, costs nobody else anything.

use procs::{Pool, Process};
use serde::{Deserialize, Serialize};
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const LIMIT: Duration = Duration::from_secs(10);

/// Its destructor panics in the process that it names, and in no other.
#[derive(Serialize, Deserialize)]
struct Unwanted {
    host: u32,
}

impl Drop for Unwanted {
    fn drop(&mut self) {
        assert_ne!(self.host, std::process::id(), "nobody wants this result");
    }
}

/// A payload that panics once more when it is dropped.
struct Twice;

impl Drop for Twice {
    fn drop(&mut self) {
        panic!("and again");
    }
}

/// Ends when the link's other end is dropped. What the test did with the handle before that (dropped it, left a callback)
/// has its effect on the thread that looks after all processes; on a finished task's handle it has it on the test's own.
fn until_let(link: ipc::Link) {
    let ended = link.receive(None);
    drop((ended, link));
}

/// The pool has one worker, so this ends after all that was submitted before.
fn assert_works(pool: &Pool) -> Result {
    let next = pool.submit(|n: u64| n + 1, 1).join_timeout(LIMIT);
    assert_eq!(next.map_err(|_| "the pool does nothing any more")??, 2);
    Ok(())
}

#[test]
fn a_result_that_nobody_wants_and_that_panics_when_dropped() -> Result {
    let pool = Pool::new(1)?;
    let unwanted = |(link, host)| {
        until_let(link);
        Unwanted { host }
    };
    let (here, there) = ipc::Link::pair()?;
    drop(pool.submit(unwanted, (there, std::process::id())));
    drop(here);
    assert_works(&pool)?;
    let (here, there) = ipc::Link::pair()?;
    drop(Process::spawn(unwanted, (there, std::process::id()))?);
    drop(here);
    assert_works(&pool)
}

#[test]
fn a_callback_that_panics() -> Result {
    let pool = Pool::new(1)?;
    let (here, there) = ipc::Link::pair()?;
    pool.submit(until_let, there).on_done(|_| panic!("a callback"));
    drop(here);
    assert_works(&pool)?;
    let (here, there) = ipc::Link::pair()?;
    pool.submit(until_let, there).on_done(|_| std::panic::panic_any(Twice));
    drop(here);
    assert_works(&pool)?;
    let (here, there) = ipc::Link::pair()?;
    Process::spawn(until_let, there)?.into_task().on_done(|_| panic!("a callback"));
    drop(here);
    assert_works(&pool)
}
