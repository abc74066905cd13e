//! What panics in the program's own code, on the thread that looks after all processes, costs nobody else anything.

mod common;

use procs::sync::park::{self, Parker, Signal};
use procs::{Pool, Process};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

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

/// With one worker. It is never dropped: that would wait for a manager that may have died of what is tested.
fn lasting_pool() -> std::io::Result<&'static Pool> {
    Ok(Box::leak(Box::new(Pool::new(1)?)))
}

/// The pool has one worker, so this ends after all that was submitted before.
fn assert_works(pool: &Pool) -> Result {
    let next = pool.submit(|n: u64| n + 1, 1).join_timeout(LIMIT);
    assert_eq!(next.map_err(|_| "the pool does nothing any more")??, 2);
    Ok(())
}

/// Processes are looked after when this process, which was let end, is gone. What is reported of a new one is reported after
/// that end.
fn assert_started_after(pid: u32) -> Result {
    common::eventually("the process is gone", || !common::exists(pid));
    let (promise, started) = procs::sync::promise();
    std::thread::spawn(move || promise.run(|| Process::spawn(|n: u64| n + 1, 1).map(Process::join)));
    let next = started.join_timeout(LIMIT).map_err(|_| "no process is looked after any more")?;
    assert_eq!(next???, 2);
    Ok(())
}

#[test]
fn a_result_that_nobody_wants_and_that_panics_when_dropped() -> Result {
    let pool = lasting_pool()?;
    let unwanted = |(link, host)| {
        until_let(link);
        Unwanted { host }
    };
    let (here, there) = ipc::Link::pair()?;
    drop(pool.submit(unwanted, (there, std::process::id())));
    drop(here);
    assert_works(pool)?;
    let (here, there) = ipc::Link::pair()?;
    let process = Process::spawn(unwanted, (there, std::process::id()))?;
    let pid = process.pid();
    drop(process);
    drop(here);
    assert_started_after(pid)?;
    assert_works(pool)
}

#[test]
fn a_callback_that_panics() -> Result {
    let pool = lasting_pool()?;
    let (here, there) = ipc::Link::pair()?;
    pool.submit(until_let, there).on_done(|_| panic!("a callback"));
    drop(here);
    assert_works(pool)?;
    let (here, there) = ipc::Link::pair()?;
    pool.submit(until_let, there).on_done(|_| std::panic::panic_any(Twice));
    drop(here);
    assert_works(pool)?;
    for callback in [|| panic!("a callback"), || std::panic::panic_any(Twice)] {
        let (here, there) = ipc::Link::pair()?;
        let process = Process::spawn(until_let, there)?;
        let pid = process.pid();
        process.into_task().on_done(move |_| callback());
        drop(here);
        assert_started_after(pid)?;
        assert_works(pool)?;
    }
    Ok(())
}

/// A way to wait whose wakers do what they are for, and then panic.
#[derive(Default)]
struct Rude {
    signal: Arc<Signal>,
}

impl Parker for Rude {
    fn waker(&self) -> Waker {
        Arc::new(RudeWaker(Arc::clone(&self.signal))).into()
    }

    fn park(&self, deadline: Option<Instant>) {
        self.signal.wait(deadline);
    }

    fn cooperative(&self) -> bool {
        false
    }
}

struct RudeWaker(Arc<Signal>);

impl Wake for RudeWaker {
    fn wake(self: Arc<Self>) {
        self.0.waker().wake();
        panic!("a waker");
    }
}

#[test]
fn a_waker_that_panics() -> Result {
    let rude = park::install(Rc::new(Rude::default()));
    let process = Process::spawn(|n: u64| n + 1, 1)?;
    let pid = process.pid();
    let result = process.join_timeout(LIMIT).map_err(|_| "nobody hears of the process's end");
    drop(rude);
    assert_eq!(result??, 2);
    assert_started_after(pid)?;

    // Whoever waits for the end of a pool's processes has a waker, too.
    let pool = Pool::new(1)?;
    assert_works(&pool)?;
    let pid = pool.pids()[0];
    let rude = park::install(Rc::new(Rude::default()));
    drop(pool);
    drop(rude);
    assert_started_after(pid)
}
