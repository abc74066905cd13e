//! Where the machine refuses every further thread, there is nobody who wakes a future at its time. Whoever waits with a
//! limit is not kept for ever by that: a thread sleeps until its limit, and a future looks at the clock again and again.
//!
//! Runs itself once more, with a stack for each thread that no machine has room for.

#![forbid(unsafe_code)]

use std::env;
use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::{block_on, block_on_timeout};
use sync::{Condvar, Event, Mutex, Queue, RwLock, Semaphore, promise, select, select_async, timer};

const LIMIT: Duration = Duration::from_millis(30);
/// What the standard library takes for the size of each thread's stack.
const STACK: &str = "RUST_MIN_STACK";
const NO_ROOM: usize = usize::MAX / 2;

fn main() {
    if env::var_os(STACK).is_none_or(|size| size != *NO_ROOM.to_string()) {
        let this = env::current_exe().expect("a program");
        let status = Command::new(this).env(STACK, NO_ROOM.to_string()).status().expect("it is started");
        assert!(status.success(), "{status}");
        return;
    }
    thread::Builder::new().spawn(|| ()).expect_err("there is no room for a stack of that size");
    for test in [limits_of_threads, limits_of_futures, what_comes_in_time, one_who_was_told_and_does_not_come]
    {
        test();
    }
}

/// It took as long as it should, and answered `late`.
#[track_caller]
fn takes_its_limit<R>(wait: impl FnOnce() -> R, late: impl FnOnce(&R) -> bool) {
    let begin = Instant::now();
    let result = wait();
    assert!(begin.elapsed() >= LIMIT, "too early");
    assert!(late(&result), "it was not late");
}

fn limits_of_threads() {
    let (mutex, lock, semaphore) = (Mutex::new(()), RwLock::new(()), Semaphore::new(0));
    let (event, queue, changed) = (Event::new(), Queue::<()>::bounded(1), Condvar::new());
    let (_promise, task) = promise::<()>();
    let guard = mutex.lock();
    takes_its_limit(|| mutex.lock_timeout(LIMIT).is_err(), |late| *late);
    takes_its_limit(|| changed.wait_timeout(guard, LIMIT).1.is_err(), |late| *late);
    let read = lock.read();
    takes_its_limit(|| lock.write_timeout(LIMIT).is_err(), |late| *late);
    drop(read);
    takes_its_limit(|| semaphore.acquire_timeout(LIMIT).is_err(), |late| *late);
    takes_its_limit(|| event.wait_timeout(LIMIT).is_err(), |late| *late);
    takes_its_limit(|| queue.get_timeout(LIMIT).is_err(), |late| *late);
    takes_its_limit(|| task.join_timeout(LIMIT).is_err(), |late| *late);
    let chosen = || select! { _ = event.wait_async() => false, after(LIMIT) => true };
    takes_its_limit(chosen, |late| *late);
}

fn limits_of_futures() {
    let (mutex, lock, semaphore) = (Mutex::new(()), RwLock::new(()), Semaphore::new(0));
    let (event, queue) = (Event::new(), Queue::<()>::bounded(1));
    let _held = (mutex.lock(), lock.write());
    takes_its_limit(|| block_on(timer::sleep(LIMIT)), |()| true);
    takes_its_limit(|| block_on(mutex.lock_async_timeout(LIMIT)).is_err(), |late| *late);
    takes_its_limit(|| block_on(lock.read_async_timeout(LIMIT)).is_err(), |late| *late);
    takes_its_limit(|| block_on(semaphore.acquire_async_timeout(LIMIT)).is_err(), |late| *late);
    takes_its_limit(|| block_on(event.wait_async_timeout(LIMIT)).is_err(), |late| *late);
    takes_its_limit(|| block_on(queue.get_async_timeout(LIMIT)).is_err(), |late| *late);
    let chosen = async {
        select_async! { _ = event.wait_async() => false, after(LIMIT) => true }
    };
    takes_its_limit(|| block_on(chosen), |late| *late);
}

fn what_comes_in_time() {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    assert_eq!(block_on(queue.get_async_timeout(LIMIT)), Ok(1));
    let event = Event::new();
    event.set();
    block_on(event.wait_async_timeout(Duration::MAX)).unwrap();
}

fn one_who_was_told_and_does_not_come() {
    // Nobody has the one behind him look after a millisecond, but whoever comes by does.
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut told = pin!(mutex.lock_async());
    assert!(told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(guard);
    drop(block_on_timeout(mutex.lock_async(), LIMIT * 100).expect("nobody has the lock"));
    drop(mutex.lock_timeout(LIMIT * 100).expect("nobody has the lock"));
}
