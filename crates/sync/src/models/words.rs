//! Semaphores, events and results: what those see who get through. What is handed over is loom's own cell, which shows a look
//! that does not come after what was written.

use super::{Arc, block_on, model_of_three, thread};
use crate::{Event, Semaphore, promise};
use loom::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

fn two_threads(interrupted: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interrupted);
    builder.check(model);
}

#[test]
fn a_result_is_whole_for_who_asks_whether_it_is_there() {
    loom::model(|| {
        let (promise, task) = promise::<Cell<u32>>();
        let producer = thread::spawn(move || promise.finish(Ok(Cell::new(7))));
        if let Ok(result) = task.try_join() {
            assert_eq!(result.unwrap().get(), 7);
        }
        producer.join().unwrap();
    });
}

#[test]
fn who_gets_a_permit_sees_what_was_done_under_it() {
    two_threads(3, || {
        let shared = Arc::new((Semaphore::new(1), Cell::new(0)));
        let count = |(semaphore, value): &(Semaphore, Cell<u32>)| {
            let _permit = semaphore.acquire().unwrap();
            value.set(value.get() + 1);
        };
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || count(&other));
        count(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.get(), 2);
    });
}

#[test]
fn permits_that_come_at_once_reach_all_who_wait() {
    model_of_three(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let others = [(); 2].map(|()| {
            let other = Arc::clone(&semaphore);
            thread::spawn(move || other.acquire().unwrap().forget())
        });
        semaphore.release(2);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

#[test]
fn a_permit_goes_from_one_who_waited_to_the_next() {
    model_of_three(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let others = [(); 2].map(|()| {
            let other = Arc::clone(&semaphore);
            thread::spawn(move || drop(other.acquire().unwrap()))
        });
        semaphore.release(1);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
fn who_waits_for_an_event_sees_what_was_done_before_it() {
    for auto_reset in [false, true] {
        loom::model(move || {
            let event = if auto_reset { Event::auto_reset() } else { Event::new() };
            let shared = Arc::new((event, Cell::new(0)));
            let setter = Arc::clone(&shared);
            let setter = thread::spawn(move || {
                setter.1.set(1);
                setter.0.set();
            });
            shared.0.wait();
            assert_eq!(shared.1.get(), 1);
            setter.join().unwrap();
        });
    }
}

#[test]
fn who_asks_whether_an_event_is_set_sees_what_was_done_before_it() {
    for auto_reset in [false, true] {
        loom::model(move || {
            let event = if auto_reset { Event::auto_reset() } else { Event::new() };
            let shared = Arc::new((event, Cell::new(0)));
            let asks = Arc::clone(&shared);
            let asks = thread::spawn(move || {
                if asks.0.is_set() {
                    assert_eq!(asks.1.get(), 1);
                }
            });
            shared.1.set(1);
            shared.0.set();
            asks.join().unwrap();
        });
    }
}

#[test]
fn who_passes_by_an_event_sees_what_was_done_before_it_although_others_wait() {
    loom::model(|| {
        let shared = Arc::new((Event::new(), Cell::new(0)));
        let mut waits = pin!(shared.0.wait_async());
        assert!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let passes = Arc::clone(&shared);
        let passes = thread::spawn(move || {
            if passes.0.try_wait() {
                assert_eq!(passes.1.get(), 1);
            }
        });
        shared.1.set(1);
        shared.0.set();
        passes.join().unwrap();
        block_on(waits);
    });
}

#[test]
fn who_uses_up_the_second_signal_sees_what_was_done_before_it() {
    loom::model(|| {
        let shared = Arc::new((Event::auto_reset(), Cell::new(0)));
        let passes = Arc::clone(&shared);
        let passes = thread::spawn(move || {
            // He may have seen the first, and used up the second.
            if passes.0.try_wait() {
                assert!(passes.1.get() <= 1);
            }
        });
        shared.0.set();
        // If the first is still there, whoever is through is so by the second.
        if shared.0.try_wait() {
            shared.1.set(1);
            shared.0.set();
        }
        passes.join().unwrap();
    });
}

#[test]
fn one_signal_lets_one_through() {
    loom::model(|| {
        let event = Arc::new(Event::auto_reset());
        event.set();
        let other = Arc::clone(&event);
        let other = thread::spawn(move || other.try_wait());
        let mine = event.try_wait();
        assert!(mine != other.join().unwrap());
    });
}

#[test]
fn a_signal_whose_receiver_has_gone_is_found_beside_the_next() {
    loom::model(|| {
        let event = Arc::new(Event::auto_reset());
        {
            let mut fickle = pin!(event.wait_async());
            assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            // The first is the one's who waits, and the second anybody's.
            event.set();
            event.set();
        }
        let other = Arc::clone(&event);
        let other = thread::spawn(move || assert!(other.try_wait()));
        block_on(event.wait_async());
        other.join().unwrap();
        assert!(!event.try_wait());
    });
}
