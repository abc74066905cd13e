//! What a person reads when there is no result.

use std::error::Error;
use sync::queue::GetError;
use sync::{JoinError, Queue, TimedOut, error::Panic, error::Unfinished, promise};

#[test]
fn every_reason_says_what_happened() {
    let panic = Panic::described("no such file", Some("src/main.rs:3:5"), None);
    let table = [
        (JoinError::Panicked(Box::new(panic)), "the task panicked: no such file at src/main.rs:3:5"),
        (JoinError::Cancelled, "the task was cancelled"),
        (JoinError::TimedOut, "the task's deadline passed"),
        (JoinError::Killed { pid: 12, signal: 9 }, "process 12 was killed by signal 9 (SIGKILL)"),
        (JoinError::Killed { pid: 12, signal: 11 }, "process 12 was killed by signal 11 (SIGSEGV)"),
        (JoinError::Killed { pid: 12, signal: 40 }, "process 12 was killed by signal 40"),
        (JoinError::OutOfMemory { pid: 12 }, "process 12 was killed because memory ran out"),
        (JoinError::Exited { pid: 12, code: 3 }, "process 12 exited with code 3 in the middle of the task"),
        (JoinError::ShutDown, "the pool was shut down before the task began"),
        (JoinError::Abandoned, "the task was dropped by whoever should have finished it"),
        (JoinError::failed("cannot start"), "cannot start"),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
        let process_lost = text.starts_with("process");
        assert_eq!(error.is_process_lost(), process_lost, "{text}");
        assert_eq!(error.is_panic(), text.contains("panicked"));
        assert_eq!(error.is_cancelled(), text.contains("cancelled"));
        assert_eq!(error.panic().is_some(), error.is_panic());
    }
}

#[test]
fn signals_have_names() {
    let name = |signal| JoinError::Killed { pid: 1, signal }.to_string();
    for (signal, text) in
        [(1, "SIGHUP"), (2, "SIGINT"), (3, "SIGQUIT"), (4, "SIGILL"), (6, "SIGABRT"), (8, "SIGFPE")]
    {
        assert!(name(signal).ends_with(&format!("{signal} ({text})")));
    }
    assert!(name(13).contains("SIGPIPE") && name(15).contains("SIGTERM"));
}

#[test]
fn a_panic_without_a_place_is_its_message() {
    assert_eq!(Panic::described("it broke", None, None).to_string(), "it broke");
    let with_backtrace = Panic::described("it broke", None, Some("0: main"));
    assert_eq!(with_backtrace.backtrace(), Some("0: main"));
    assert!(format!("{with_backtrace:?}").contains("it broke"));
}

#[test]
fn waiting_in_vain() {
    let (_promise, task) = promise::<()>();
    let unfinished = task.try_join().unwrap_err();
    assert_eq!(unfinished.to_string(), "the task has not finished yet");
    assert_eq!(TimedOut.to_string(), "the time limit passed");
    let _handle = Unfinished::into_inner(unfinished);
}

#[test]
fn queues() {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    let full = queue.try_put(2).unwrap_err();
    assert_eq!(full.to_string(), "the queue is full");
    let late = queue.put_timeout(2, std::time::Duration::ZERO).unwrap_err();
    assert_eq!(late.to_string(), "the queue was full until the time limit passed");
    queue.close();
    assert_eq!(queue.put(2).unwrap_err().to_string(), "the queue is closed");
    for (error, text) in [
        (GetError::Empty, "the queue is empty"),
        (GetError::TimedOut, "the queue was empty until the time limit passed"),
        (GetError::Closed, "the queue is closed and empty"),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(
            (error.is_closed(), error.is_timeout()),
            (text.contains("closed"), text.contains("limit"))
        );
    }
}

#[test]
fn errors_can_be_boxed_and_carried_along() {
    fn fails() -> Result<(), Box<dyn Error + Send + Sync>> {
        let (promise, task) = promise::<()>();
        drop(promise);
        Ok(task.join()?)
    }
    assert!(fails().unwrap_err().downcast_ref::<JoinError>().is_some());
}

#[test]
fn what_is_shown_while_it_runs() {
    let queue = Queue::bounded(2);
    queue.put(1).unwrap();
    assert_eq!(format!("{queue:?}"), "Queue { len: 1, capacity: Some(2), closed: false, waiting: 0 }");
    assert_eq!(format!("{:?}", sync::Event::new()), "Event { set: false, waiting: 0 }");
    let semaphore = sync::Semaphore::new(3);
    assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 3, waiting: 0, closed: false }");
    let permit = semaphore.acquire().unwrap();
    assert_eq!(
        format!("{permit:?}"),
        "SemaphorePermit { semaphore: Semaphore { available: 2, waiting: 0, closed: false }, count: 1 }"
    );
    assert_eq!(format!("{:?}", sync::Barrier::new(2)), "Barrier { parties: 2, arrived: 0, broken: false }");
    assert_eq!(format!("{:?}", sync::Condvar::new()), "Condvar { waiting: 0 }");
    let mutex = sync::Mutex::new(1);
    assert_eq!(format!("{mutex:?}"), "Mutex { value: 1 }");
    let guard = mutex.lock();
    assert_eq!(format!("{guard:?} {guard} {mutex:?}"), "1 1 Mutex { <locked> }");
    let token = sync::CancelToken::new().child();
    assert_eq!(format!("{token:?}"), "CancelToken { cancelled: false, child: true }");
    let (promise, _task) = promise::<()>();
    assert_eq!(format!("{promise:?}"), "Promise { cancelled: false, .. }");
}
