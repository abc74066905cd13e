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

/// The pool has one worker, so this ends after all that was submitted before.
fn assert_works(pool: &Pool) -> Result {
    let next = pool.submit(|n: u64| n + 1, 1).join_timeout(LIMIT);
    assert_eq!(next.map_err(|_| "the pool does nothing any more")??, 2);
    Ok(())
}

#[test]
fn a_result_that_nobody_wants_and_that_panics_when_dropped() -> Result {
    let pool = Pool::new(1)?;
    drop(pool.submit(|host| Unwanted { host }, std::process::id()));
    assert_works(&pool)?;
    drop(Process::spawn(|host| Unwanted { host }, std::process::id())?);
    assert_works(&pool)
}

#[test]
fn a_callback_that_panics() -> Result {
    let pool = Pool::new(1)?;
    pool.submit(|()| (), ()).on_done(|_| panic!("a callback"));
    assert_works(&pool)?;
    pool.submit(|()| (), ()).on_done(|_| std::panic::panic_any(Twice));
    assert_works(&pool)?;
    Process::spawn(|()| (), ())?.into_task().on_done(|_| panic!("a callback"));
    assert_works(&pool)
}
