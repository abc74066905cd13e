//! Dropping coroutines in all states runs the destructors of what is on their stacks.

mod support;

use coro::{Coroutine, Generator, Greenlet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use support::{in_child, is_child};

/// A generator with values on its stack, in its closure, and in the frame of a function below.
fn holding(alive: &Rc<()>) -> Generator<Rc<()>> {
    let captured = Rc::clone(alive);
    Generator::new(move |y| {
        let local = Rc::clone(&captured);
        let boxed: Box<dyn Fn() -> Rc<()>> = Box::new(move || Rc::clone(&local));
        let many = vec![boxed(), boxed()];
        for item in many {
            y.yield_(item);
        }
    })
}

#[test]
fn nothing_is_left_in_any_state() {
    let alive = Rc::new(());
    drop(holding(&alive));
    assert_eq!(Rc::strong_count(&alive), 1, "not started");
    for steps in 1..=2 {
        let mut generator = holding(&alive);
        assert_eq!(generator.by_ref().take(steps).count(), steps);
        assert!(Rc::strong_count(&alive) > 1);
        drop(generator);
        assert_eq!(Rc::strong_count(&alive), 1, "suspended at its yield {steps}");
    }
    assert_eq!(holding(&alive).count(), 2);
    assert_eq!(Rc::strong_count(&alive), 1, "ended");
}

#[test]
fn values_on_their_way_are_not_lost_either() {
    let alive = Rc::new(());
    let mut sink = Generator::<(), (), Rc<()>>::new(|y| {
        let mut kept = Vec::new();
        loop {
            kept.push(y.yield_(()));
        }
    });
    let unsent = sink.send(Rc::clone(&alive)).unwrap_err();
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(unsent);
    sink.start().unwrap();
    for _ in 0..10 {
        sink.send(Rc::clone(&alive)).unwrap();
    }
    assert_eq!(Rc::strong_count(&alive), 11);
    drop(sink);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn coroutines_on_the_stack_of_a_coroutine_are_dropped_with_it() {
    fn nested(depth: u32, alive: Rc<()>) -> Generator<u32> {
        Generator::new(move |y| {
            let _here = Rc::clone(&alive);
            if depth == 0 {
                y.yield_(0);
            } else {
                let mut inner = nested(depth - 1, alive);
                let first = inner.next();
                y.yield_(first.unwrap() + 1);
                drop(inner);
            }
        })
    }
    let alive = Rc::new(());
    let mut generator = nested(15, Rc::clone(&alive));
    assert_eq!(generator.next(), Some(15));
    drop(generator);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_panic_of_a_destructor_comes_out_of_the_drop() {
    struct Bomb(Rc<()>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb with {}", Rc::strong_count(&self.0));
        }
    }
    let alive = Rc::new(());
    let bomb = Bomb(Rc::clone(&alive));
    let not_started = Generator::<u32>::new(move |y| {
        let _bomb = bomb;
        y.yield_(1);
    });
    let payload = catch_unwind(AssertUnwindSafe(|| drop(not_started))).unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), "bomb with 2");
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_drop_while_the_thread_panics_unwinds_as_well() {
    let alive = Rc::new(());
    let mut generator = holding(&alive);
    generator.next();
    let payload = catch_unwind(AssertUnwindSafe(move || {
        let _generator = generator;
        panic!("outside");
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "outside");
    assert_eq!(Rc::strong_count(&alive), 1);
    assert!(!std::thread::panicking());
}

#[test]
fn a_body_that_catches_each_exit_once_still_ends() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    let mut reluctant = Coroutine::<(), u32, ()>::new(move |y, ()| {
        let _inside = inside;
        for n in 0..20 {
            let _ = y.try_yield(n);
        }
    });
    reluctant.resume(()).unwrap();
    drop(reluctant);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_body_that_never_ends_is_given_up_with_a_message_and_its_stack_is_leaked() {
    let name = "a_body_that_never_ends_is_given_up_with_a_message_and_its_stack_is_leaked";
    if is_child() {
        let alive = Rc::new(());
        let inside = Rc::clone(&alive);
        let mut never = Generator::<u32>::new(move |y| {
            let _inside = inside;
            loop {
                let _ = y.try_yield(1);
            }
        });
        never.next();
        drop(never);
        assert_eq!(Rc::strong_count(&alive), 2, "what is on the leaked stack stays as it is");
        // The thread is as good as before.
        assert_eq!(Generator::<u32>::new(|y| y.yield_(5)).sum::<u32>(), 5);
        return;
    }
    let output = in_child(name, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("went on yielding") && errors.contains("65536 bytes is leaked"), "{errors}");
}

#[test]
fn the_last_handle_of_a_suspended_greenlet_ends_it() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    let root = Greenlet::<u32>::current();
    let greenlet = Greenlet::new(move |n| {
        let _inside = inside;
        root.switch(n)
    });
    let other = greenlet.clone();
    assert_eq!(greenlet.switch(1), 1);
    drop(greenlet);
    assert_eq!(Rc::strong_count(&alive), 2);
    drop(other);
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_greenlet_that_was_never_started_drops_what_it_captured() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    drop(Greenlet::new(move |()| drop(inside)));
    assert_eq!(Rc::strong_count(&alive), 1);
}
