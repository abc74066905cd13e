//! Panics end the task they are in, and nothing else.

use std::sync::Arc;
use sync::Event;
use threads::{Executor, JoinError, Pool};

#[test]
fn a_tasks_panic_reaches_its_handle_with_message_and_place() {
    let pool = Pool::new(1);
    let number = 7;
    let error = pool.spawn(move || -> u32 { panic!("no such thing as {number}") }).join().unwrap_err();
    let panic = error.panic().expect("a panic");
    assert_eq!(panic.message(), "no such thing as 7");
    assert!(panic.place().expect("a place").contains("panic.rs"));
}

#[test]
fn the_worker_lives_on() {
    let pool = Pool::new(1);
    let first = pool.spawn(|| std::thread::current().id()).join().unwrap();
    for _ in 0..10 {
        assert!(pool.spawn(|| panic!("on purpose")).join().unwrap_err().is_panic());
    }
    assert_eq!(pool.spawn(|| std::thread::current().id()).join().unwrap(), first);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn it_survives_destructors_and_callbacks_that_panic() {
    struct Sharp;
    impl Drop for Sharp {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("in a destructor");
            }
        }
    }
    let pool = Pool::builder().workers(1).max_threads(1).build();
    // Nothing runs before all handles are gone, so that all of this happens on the worker.
    let go = Arc::new(Event::new());
    let first = pool.spawn({
        let go = Arc::clone(&go);
        move || go.wait()
    });
    drop(pool.spawn(|| Sharp));
    drop(pool.spawn(|| std::panic::panic_any(Sharp)));
    pool.spawn(|| ()).on_done(|_| panic!("in a callback"));
    go.set();
    first.join().unwrap();
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn a_threads_panic_is_an_error_of_its_join() {
    let thread = threads::Thread::builder().name("doomed").spawn(|| -> u32 { panic!("on purpose") }).unwrap();
    let error = thread.join().unwrap_err();
    assert_eq!(error.panic().expect("a panic").message(), "on purpose");
}

#[test]
fn the_payload_goes_on_where_it_is_wanted() {
    let pool = Pool::new(1);
    let error = pool.spawn(|| std::panic::panic_any(42_u32)).join().unwrap_err();
    let payload =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
}

#[test]
fn a_map_goes_on_behind_a_panic() {
    let pool = Arc::new(Pool::new(2));
    let outcomes: Vec<_> = pool
        .map(|number: u32| if number == 3 { panic!("three") } else { number }, 0..6)
        .map(Result::ok)
        .collect();
    assert_eq!(outcomes, [Some(0), Some(1), Some(2), None, Some(4), Some(5)]);
    assert!(matches!(pool.map(|()| panic!(), [()]).next(), Some(Err::<(), _>(JoinError::Panicked(_)))));
}
