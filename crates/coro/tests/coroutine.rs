//! The asymmetric base.

use coro::{Coroutine, Step};
use std::rc::Rc;

#[test]
fn the_body_begins_with_the_first_value_and_each_yield_gives_the_next() {
    let mut sum = Coroutine::<u32, u32, &str>::new(|y, first| {
        let mut sum = first;
        while sum < 10 {
            sum += y.yield_(sum);
        }
        "enough"
    });
    assert!(!sum.is_started());
    assert_eq!(sum.resume(1), Ok(Step::Yielded(1)));
    assert_eq!(sum.resume(2), Ok(Step::Yielded(3)));
    assert_eq!(sum.resume(8), Ok(Step::Returned("enough")));
    assert!(sum.is_finished());
}

#[test]
fn one_that_has_ended_gives_the_value_back() {
    let mut nothing = Coroutine::<String, (), ()>::new(|_, _| ());
    nothing.resume("first".to_owned()).unwrap();
    let error = nothing.resume("second".to_owned()).unwrap_err();
    assert!(error.is_finished());
    assert_eq!(error.to_string(), "the coroutine has ended and takes no more values");
    assert_eq!(error.into_inner(), "second");
}

#[test]
fn one_that_has_ended_needs_no_stack() {
    let captured = Rc::new(());
    let inside = Rc::clone(&captured);
    let mut coroutine = Coroutine::<(), (), ()>::new(move |_, ()| drop(inside));
    coroutine.resume(()).unwrap();
    assert_eq!(Rc::strong_count(&captured), 1);
    assert_eq!(format!("{coroutine:?}"), "Coroutine { state: Finished, stack_bytes: 65536 }");
    assert_eq!(coroutine.close(), Ok(None));
}

#[test]
fn throw_and_close_are_those_of_generators() {
    let mut coroutine = Coroutine::<u32, u32, u32>::new(|y, first| match y.try_yield(first) {
        Ok(next) => next,
        Err(thrown) if thrown.is_exit() => 100,
        Err(_) => y.yield_(200),
    });
    assert_eq!(coroutine.resume(1), Ok(Step::Yielded(1)));
    assert_eq!(coroutine.throw("something").unwrap(), Step::Yielded(200));
    assert_eq!(coroutine.resume(3), Ok(Step::Returned(3)));

    let mut coroutine = Coroutine::<u32, u32, u32>::new(|y, first| y.try_yield(first).map_or(100, |_| 0));
    coroutine.resume(1).unwrap();
    assert_eq!(coroutine.close(), Ok(Some(100)));
}

#[test]
fn floating_point_state_and_locals_survive_suspension() {
    let mut powers = Coroutine::<f64, f64, ()>::new(|y, base| {
        let table: [f64; 8] = std::array::from_fn(|i| base.powi(i as i32));
        let mut factor = 1.0;
        for power in table {
            factor = y.yield_(power * factor);
        }
    });
    let mut expected = 1.0;
    assert_eq!(powers.resume(1.5).unwrap(), Step::Yielded(1.0));
    for _ in 1..8 {
        expected *= 1.5;
        assert_eq!(powers.resume(2.0).unwrap(), Step::Yielded(expected * 2.0));
    }
    assert_eq!(powers.resume(0.0).unwrap(), Step::Returned(()));
}
