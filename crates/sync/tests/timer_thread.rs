//! The program's own timer is one thread, which is there only while somebody needs it.

#![cfg(target_os = "linux")]

mod common;

use common::{ByHand, LONG};
use std::fs;
use std::future::pending;
use std::sync::Arc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::timer::{self, Scheduled, Timer};
use sync::{Event, Mutex, Queue, Semaphore};

/// How many threads of this program bear that name now.
fn timers() -> usize {
    let threads = fs::read_dir("/proc/self/task").expect("the system tells its threads");
    let names = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "trefoil-timer").count()
}

/// A runtime's timer that wakes nobody.
struct Never;

impl Timer for Never {
    fn schedule(&self, _: Instant, waker: Waker) -> Scheduled {
        Scheduled::new(move || drop(waker))
    }
}

/// The only test of this program, so that nobody else starts the thread.
#[test]
#[cfg_attr(miri, ignore = "the system's threads cannot be seen, and it takes seconds")]
fn it_comes_with_the_first_limit_that_is_awaited_without_a_runtime_and_goes_when_there_is_none() {
    let (mutex, semaphore, event) = (Mutex::new(()), Semaphore::new(0), Event::new());
    let short = Duration::from_millis(2);
    // Threads keep their own time.
    let held = mutex.lock();
    assert!(mutex.lock_timeout(short).is_err() && semaphore.acquire_timeout(short).is_err());
    assert!(event.wait_timeout(short).is_err() && Queue::<u8>::unbounded().get_timeout(short).is_err());
    // So does who awaits without a limit, and who has a runtime's timer.
    drop((ByHand::waiting(mutex.lock_async()), ByHand::waiting(event.wait_async())));
    let installed = timer::install(Arc::new(Never));
    drop(ByHand::waiting(event.wait_async_timeout(LONG)));
    drop((installed, held));
    assert_eq!(timers(), 0, "nobody needs it");

    for _ in 0..2 {
        assert!(block_on(event.wait_async_timeout(short)).is_err());
        let crowd: Vec<_> =
            (0..100).map(|_| ByHand::waiting(timer::timeout(LONG, pending::<()>()))).collect();
        assert_eq!(timers(), 1, "one for all");
        drop(crowd);
        let begin = Instant::now();
        while timers() > 0 {
            assert!(begin.elapsed() < LONG, "it stays for ever");
            thread::sleep(Duration::from_millis(50));
        }
    }
}
