//! Errors thrown into generators, requests to end, and delegation of both.

use coro::{Exit, Generator, IgnoredExit, Step, Thrown};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

#[derive(Debug, PartialEq)]
struct Tired(u32);

impl fmt::Display for Tired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tired after {}", self.0)
    }
}

impl std::error::Error for Tired {}

/// Notes on a list that it was dropped.
struct Noted(&'static str, Rc<RefCell<Vec<&'static str>>>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

type Log = Rc<RefCell<Vec<&'static str>>>;

#[test]
fn an_error_that_is_not_caught_unwinds_and_comes_back_as_it_was() {
    let log = Log::default();
    let inside = Rc::clone(&log);
    let mut generator = Generator::<u32>::new(move |y| {
        let _outer = Noted("outer", Rc::clone(&inside));
        let _inner = Noted("inner", inside);
        y.yield_(1);
        unreachable!("the error does not return");
    });
    generator.next();
    let thrown = generator.throw(Tired(3)).unwrap_err();
    assert_eq!(thrown.to_string(), "tired after 3");
    assert!(!thrown.is_exit() && !thrown.is_refused());
    assert_eq!(thrown.downcast::<Tired>().unwrap(), Tired(3));
    assert_eq!(*log.borrow(), ["inner", "outer"]);
    assert!(generator.is_finished());
    assert_eq!(generator.next(), None);
}

#[test]
fn an_error_that_is_caught_is_a_value_and_the_body_goes_on() {
    let mut generator = Generator::<u32, &str>::new(|y| {
        let thrown = y.try_yield(1).unwrap_err();
        let Tired(count) = thrown.downcast().unwrap();
        y.yield_(count + 10);
        "rested"
    });
    generator.next();
    assert_eq!(generator.throw(Tired(3)).unwrap(), Step::Yielded(13));
    assert_eq!(generator.resume(), Ok(Step::Returned("rested")));
}

#[test]
fn an_error_can_be_caught_as_a_panic_and_raised_again() {
    let mut generator = Generator::<u32>::new(|y| {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| y.yield_(1))).unwrap_err();
        y.yield_(2);
        std::panic::resume_unwind(caught);
    });
    generator.next();
    assert_eq!(generator.throw(Tired(1)).unwrap(), Step::Yielded(2));
    // It comes out of a resumption that threw nothing, so it is a panic there.
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| generator.next())).unwrap_err();
    assert_eq!(payload.downcast::<Thrown>().unwrap().downcast::<Tired>().unwrap(), Tired(1));
    assert!(generator.is_finished());
}

#[test]
fn texts_are_errors_too() {
    let mut generator = Generator::<u32>::new(|y| y.yield_(1));
    generator.next();
    let thrown = generator.throw("out of paper").unwrap_err();
    assert_eq!(thrown.error().to_string(), "out of paper");
    let kept = thrown.downcast::<Tired>().unwrap_err();
    assert_eq!(kept.into_error().to_string(), "out of paper");
}

#[test]
fn throwing_before_the_beginning_or_after_the_end_gives_the_error_back() {
    let captured = Rc::new(());
    let inside = Rc::clone(&captured);
    let mut generator = Generator::<u32>::new(move |y| {
        y.yield_(Rc::strong_count(&inside) as u32);
    });
    assert_eq!(generator.throw(Tired(0)).unwrap_err().downcast::<Tired>().unwrap(), Tired(0));
    assert!(generator.is_finished(), "a body that got an error before it began does not begin");
    assert_eq!(Rc::strong_count(&captured), 1);
    assert_eq!(generator.throw(Tired(1)).unwrap_err().downcast::<Tired>().unwrap(), Tired(1));
}

#[test]
fn close_runs_destructors_and_is_no_error() {
    let log = Log::default();
    let inside = Rc::clone(&log);
    let mut generator = Generator::<u32>::new(move |y| {
        let _guard = Noted("dropped", inside);
        y.yield_(1);
    });
    generator.next();
    assert_eq!(generator.close(), Ok(None));
    assert_eq!(*log.borrow(), ["dropped"]);
    assert_eq!(generator.close(), Ok(None), "the second time there is nothing to do");
    assert_eq!(generator.next(), None);
}

#[test]
fn close_before_the_beginning_drops_what_the_body_captured() {
    let captured = Rc::new(());
    let inside = Rc::clone(&captured);
    let mut generator = Generator::<u32>::new(move |y| {
        let _inside = inside;
        y.yield_(1);
    });
    assert_eq!(generator.close(), Ok(None));
    assert_eq!(Rc::strong_count(&captured), 1);
    assert!(generator.is_finished());
}

#[test]
fn a_body_that_catches_the_exit_may_return_a_last_value() {
    let mut total = Generator::<(), u32, u32>::new(|y| {
        let mut sum = 0;
        loop {
            match y.try_yield(()) {
                Ok(n) => sum += n,
                Err(thrown) if thrown.is_exit() => return sum,
                Err(thrown) => thrown.raise(),
            }
        }
    });
    total.start().unwrap();
    total.send(3).unwrap();
    total.send(4).unwrap();
    assert_eq!(total.close(), Ok(Some(7)));
}

#[test]
fn a_body_that_ignores_the_exit_is_reported_and_stays_usable() {
    let mut stubborn = Generator::<u32>::new(|y| {
        let _ = y.try_yield(1);
        y.yield_(2);
        y.yield_(3);
    });
    stubborn.next();
    let ignored: IgnoredExit<u32> = stubborn.close().unwrap_err();
    assert!(ignored.to_string().contains("asked to end"));
    assert_eq!(ignored.into_inner(), 2, "what it yielded is not lost");
    assert_eq!(stubborn.next(), Some(3));
    assert_eq!(stubborn.close(), Ok(None));
}

#[test]
fn an_exit_that_turns_into_another_error_is_raised_by_close() {
    let mut generator = Generator::<u32>::new(|y| {
        if y.try_yield(1).is_err() {
            Thrown::raise(Generator::<u32>::new(|y| y.yield_(1)).throw(Tired(9)).unwrap_err());
        }
    });
    generator.next();
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| generator.close())).unwrap_err();
    assert_eq!(payload.downcast::<Thrown>().unwrap().downcast::<Tired>().unwrap(), Tired(9));
}

#[test]
fn throwing_an_exit_by_hand_returns_it() {
    let mut generator = Generator::<u32>::new(|y| y.yield_(1));
    generator.next();
    assert!(generator.throw(Exit).unwrap_err().is_exit());
}

/// Yields what it was sent, tells of errors, and returns a text when it is sent 0.
fn inner() -> Generator<String, &'static str, u32> {
    Generator::new(|y| {
        let mut say = "ready".to_owned();
        loop {
            say = match y.try_yield(say) {
                Ok(0) => return "inner is done",
                Ok(n) => format!("sent {n}"),
                Err(thrown) if thrown.is_exit() => thrown.raise(),
                Err(thrown) => format!("caught: {thrown}"),
            };
        }
    })
}

#[test]
fn delegation_passes_values_and_errors_in_and_the_result_out() {
    let mut outer = Generator::<String, usize, u32>::new(|y| {
        let text = y.yield_from(&mut inner());
        y.yield_(text.to_owned());
        text.len()
    });
    assert_eq!(outer.start().unwrap(), Step::Yielded("ready".to_owned()));
    assert_eq!(outer.send(5).unwrap(), Step::Yielded("sent 5".to_owned()));
    assert_eq!(outer.throw(Tired(2)).unwrap(), Step::Yielded("caught: tired after 2".to_owned()));
    assert_eq!(outer.send(0).unwrap(), Step::Yielded("inner is done".to_owned()));
    assert_eq!(outer.send(1).unwrap(), Step::Returned(13));
}

#[test]
fn closing_a_delegating_generator_closes_the_inner_one_first() {
    let log = Log::default();
    let (one, two) = (Rc::clone(&log), Rc::clone(&log));
    let mut outer = Generator::<u32>::new(move |y| {
        let _outer = Noted("outer", one);
        let mut inner = Generator::new(move |y| {
            let _inner = Noted("inner", two);
            y.yield_(1);
        });
        y.yield_from(&mut inner);
    });
    outer.next();
    assert_eq!(outer.close(), Ok(None));
    assert_eq!(*log.borrow(), ["inner", "outer"]);
}

#[test]
fn an_inner_one_that_ignores_the_exit_is_reported_by_the_outer() {
    let mut outer = Generator::<u32, &str>::new(|y| {
        let mut inner = Generator::new(|y| {
            let _ = y.try_yield(1);
            y.yield_(2);
        });
        y.yield_from(&mut inner);
        "went on"
    });
    outer.next();
    assert_eq!(outer.close().unwrap_err().into_inner(), 2);
    assert_eq!(outer.resume(), Ok(Step::Returned("went on")));
}

#[test]
fn an_error_that_the_inner_one_lets_through_reaches_the_outer() {
    let log = Log::default();
    let inside = Rc::clone(&log);
    let mut outer = Generator::<u32>::new(move |y| {
        let _guard = Noted("outer", inside);
        y.yield_from(&mut Generator::new(|y| y.yield_(1)));
    });
    outer.next();
    assert_eq!(outer.throw(Tired(1)).unwrap_err().downcast::<Tired>().unwrap(), Tired(1));
    assert_eq!(*log.borrow(), ["outer"]);
}

#[test]
fn delegation_goes_on_with_an_iterator_that_has_begun() {
    let mut outer = Generator::<u32>::new(|y| {
        let mut inner = Generator::new(|y| (1..=4).for_each(|n| y.yield_(n)));
        assert_eq!(inner.next(), Some(1));
        y.yield_from(&mut inner);
    });
    assert_eq!(outer.by_ref().collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn delegation_to_one_that_has_ended_or_waits_for_a_value_is_the_callers_mistake() {
    let mut ended = Generator::<u32>::new(|y| {
        let mut inner = Generator::<u32>::new(|_| ());
        inner.next();
        y.yield_from(&mut inner);
    });
    let mut waits = Generator::<String, (), u32>::new(|y| {
        let mut inner = inner();
        inner.start().unwrap();
        y.yield_from(&mut inner);
    });
    let message = |payload: Box<dyn std::any::Any + Send>| *payload.downcast::<&str>().unwrap();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ended.next())).unwrap_err();
    assert!(message(ended).contains("has not ended"));
    let waits = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waits.start())).unwrap_err();
    assert!(message(waits).contains("waits for a value"));
}

#[test]
fn delegation_is_as_deep_as_one_likes() {
    fn chain(depth: u32) -> Generator<u32, u32> {
        Generator::new(move |y| {
            if depth == 0 {
                y.yield_(0);
                return 0;
            }
            y.yield_from(&mut chain(depth - 1)) + 1
        })
    }
    let mut deep = chain(30);
    assert_eq!(deep.next(), Some(0));
    assert_eq!(deep.next(), None);
    assert_eq!(deep.take_returned(), Some(30));
}
