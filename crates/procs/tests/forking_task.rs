//! A task that forks, as a library may do behind its back, leaves the pool as it was.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "a bare fork, which is what the test is about")]

use procs::Pool;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// Forks a child that comes back as if it were the worker, and gives the pid of the process that returns.
fn fork_and_return((): ()) -> u32 {
    // SAFETY: a worker has one thread, so the child is a whole copy of it.
    match unsafe { libc::fork() } {
        0 => {}
        child => {
            assert!(child > 0, "no child");
            let mut status = 0;
            // SAFETY: the child is ours, and the place for its status is there.
            let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!((ended, status), (child, 0), "the child ends by itself, and well");
        }
    }
    std::process::id()
}

#[test]
fn a_child_that_comes_back_neither_answers_nor_takes_jobs() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::new(1)?;
    let worker = pool.submit(|()| std::process::id(), ()).join()?;
    for _ in 0..20 {
        let answer = pool.submit(fork_and_return, ()).join_timeout(LIMIT).map_err(|_| "no answer")??;
        assert_eq!(answer, worker, "the worker has answered, and not its child");
        let next =
            pool.submit(|()| std::process::id(), ()).join_timeout(LIMIT).map_err(|_| "no answer")??;
        assert_eq!(next, worker);
    }
    Ok(())
}
