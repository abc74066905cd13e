//! A panic becomes a value with its message and its place, and breaks nothing on its way.

mod common;

use common::{Bomb, ByHand, Sharp};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::Arc;
use std::task::Context;
use sync::{CancelToken, Condvar, Event, JoinError, Mutex, Semaphore, catch, error::Panic, promise};

fn panic_of(work: impl FnOnce()) -> Panic {
    match catch(work) {
        Err(JoinError::Panicked(panic)) => *panic,
        other => panic!("not a panic: {other:?}"),
    }
}

#[test]
fn message_and_place() {
    let line = line!() + 1;
    let panic = panic_of(|| panic!("number {}", 7));
    assert_eq!(panic.message(), "number 7");
    let place = panic.place().unwrap();
    assert!(place.contains(&format!("panics.rs:{line}:")), "{place}");
    assert_eq!(format!("{panic}"), format!("number 7 at {place}"));
    assert_eq!(panic_of(|| panic!("a text")).message(), "a text");
    assert_eq!(panic_of(|| panic_any(5_u8)).message(), "a payload that is not text");
}

#[test]
fn no_panic_is_the_result() {
    assert_eq!(catch(|| 5).unwrap(), 5);
}

#[test]
fn a_task_brings_its_panic_to_whoever_joins_it() {
    let (promise, task) = promise::<()>();
    let thread = std::thread::spawn(move || promise.run(|| panic!("in a thread")));
    let error = task.join().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.panic().unwrap().message(), "in a thread");
    thread.join().expect("the thread has gone on");
}

#[test]
fn a_payload_goes_on() {
    let error = catch(|| panic_any(5_u8)).unwrap_err();
    let payload = catch_unwind(AssertUnwindSafe(|| error.resume_panic())).unwrap_err();
    assert_eq!(*payload.downcast::<u8>().unwrap(), 5);
    assert!(JoinError::Cancelled.resume_panic().is_cancelled());

    let described = Panic::described("far away", Some("file.rs:1:2"), None);
    assert_eq!(described.to_string(), "far away at file.rs:1:2");
    assert_eq!(*described.into_payload().downcast::<String>().unwrap(), "far away");
}

#[test]
fn one_catch_inside_another() {
    let mut inner = None;
    let outer = panic_of(|| {
        inner = Some(panic_of(|| panic!("inner")));
        panic!("outer");
    });
    let inner = inner.unwrap();
    assert_eq!((inner.message(), outer.message()), ("inner", "outer"));
    assert_ne!(inner.place().unwrap(), outer.place().unwrap());
}

#[test]
fn a_catch_in_a_destructor_leaves_the_running_panic_its_place() {
    struct Catches<'a>(&'a mut Option<Panic>);
    impl Drop for Catches<'_> {
        fn drop(&mut self) {
            assert!(catch(|| 1).is_ok());
            *self.0 = Some(panic_of(|| panic!("in the destructor")));
        }
    }
    let mut inner = None;
    let line = line!() + 3;
    let outer = panic_of(|| {
        let _catches = Catches(&mut inner);
        panic!("in the work");
    });
    assert_eq!(inner.unwrap().message(), "in the destructor");
    assert_eq!(outer.message(), "in the work");
    assert!(outer.place().unwrap().contains(&format!(":{line}:")), "{outer}");
}

#[test]
fn a_panic_has_no_place_of_another() {
    let panic = panic_of(|| {
        let _caught_by_the_user = catch_unwind(|| panic!("the first"));
        resume_unwind(Box::new("the second"));
    });
    assert_eq!((panic.message(), panic.place()), ("the second", None));
}

#[test]
fn a_panic_that_was_caught_and_goes_on_keeps_its_place() {
    let panic = panic_of(|| {
        let payload = catch_unwind(|| panic!("the first")).unwrap_err();
        resume_unwind(payload);
    });
    assert!(panic.place().unwrap().contains("panics.rs"));
}

#[test]
fn a_panic_under_a_lock_releases_it() {
    let (mutex, semaphore) = (Mutex::new(1), Semaphore::new(1));
    assert!(
        catch(|| {
            let _permit = semaphore.acquire();
            let mut guard = mutex.lock();
            *guard = 2;
            panic!("under the lock");
        })
        .is_err()
    );
    assert_eq!(*mutex.try_lock().unwrap(), 2, "what the panic left is there: nothing is poisoned");
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_waker_that_panics_keeps_the_others_from_nothing() {
    let event = Event::new();
    let before = ByHand::waiting(event.wait_async());
    let mut bomb = Box::pin(event.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let after = ByHand::waiting(event.wait_async());
    assert!(catch(|| event.set()).is_err());
    assert_eq!((before.wakes(), after.wakes()), (1, 1));
    assert!(event.is_set());
}

/// More than are woken between two holds of the short lock.
const MANY: usize = 40;

#[test]
fn a_waker_that_panics_keeps_nobody_from_a_notification_of_many() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut bomb = Box::pin(condvar.wait_async(mutex.lock()));
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let others: Vec<_> = (0..MANY).map(|_| ByHand::waiting(condvar.wait_async(mutex.lock()))).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| condvar.notify(MANY + 1))).is_err(), "the panic goes on");
    assert!(others.iter().all(ByHand::is_told));
}

#[test]
fn a_waker_that_panics_keeps_no_callback_and_no_child_from_the_cancelling() {
    let token = CancelToken::new();
    let child = token.child();
    let childs = ByHand::waiting(child.wait_async());
    let mut bomb = Box::pin(token.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let called = Arc::new(Event::new());
    let call = Arc::clone(&called);
    let _registered = token.on_cancel(move || call.set());

    let panic = panic_of(|| token.cancel());
    assert_eq!(panic.message(), "a panic that the test asked for");
    assert!(token.is_cancelled() && child.is_cancelled() && called.is_set());
    assert_eq!(childs.wakes(), 1);
}

#[test]
fn of_several_panics_the_first_goes_on_and_payloads_stop_nothing() {
    let token = CancelToken::new();
    let called = Arc::new(Event::new());
    let call = Arc::clone(&called);
    let _registered = [
        token.on_cancel(|| panic!("the first")),
        token.on_cancel(|| panic_any(Sharp)),
        token.on_cancel(move || call.set()),
    ];
    assert_eq!(panic_of(|| token.cancel()).message(), "the first");
    assert!(called.is_set());
}
