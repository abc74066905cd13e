//! Panics cross to whoever resumed, and suspending during one is refused.

mod support;

use coro::{Coroutine, Generator, Step, Thrown, Yielder};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use support::{in_child, is_child};

fn caught<R>(call: impl FnOnce() -> R) -> Box<dyn Any + Send> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => panic!("the call should have panicked"),
        Err(payload) => payload,
    }
}

#[test]
fn a_panic_comes_out_of_the_resumption_with_its_payload() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    let mut generator = Generator::<u32>::new(move |y| {
        let _inside = inside;
        y.yield_(1);
        std::panic::panic_any(42_u64);
    });
    assert_eq!(generator.next(), Some(1));
    assert_eq!(*caught(|| generator.next()).downcast::<u64>().unwrap(), 42);
    assert_eq!(Rc::strong_count(&alive), 1, "the stack was unwound");
    assert!(generator.is_finished());
    assert_eq!(generator.next(), None);
}

#[test]
fn a_panic_crosses_several_coroutines() {
    let mut outer = Generator::<u32>::new(|y| {
        let mut middle = Generator::<u32>::new(|y| {
            Generator::<u32>::new(|_| panic!("from the innermost")).for_each(|n| y.yield_(n));
        });
        y.yield_from(&mut middle);
    });
    assert_eq!(*caught(|| outer.next()).downcast::<&str>().unwrap(), "from the innermost");
    assert!(!std::thread::panicking());
}

#[test]
fn a_body_may_catch_its_own_panics_and_go_on() {
    let mut generator = Generator::<u32>::new(|y| {
        for n in 0..3 {
            let result = catch_unwind(|| if n == 1 { panic!("one") } else { n });
            y.yield_(result.unwrap_or(100));
        }
    });
    assert_eq!(generator.by_ref().collect::<Vec<_>>(), [0, 100, 2]);
}

#[test]
fn a_body_may_yield_inside_a_catch() {
    let mut generator = Generator::<u32>::new(|y| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            y.yield_(1);
            panic!("after the yield");
        }));
        y.yield_(if caught.is_err() { 2 } else { 3 });
    });
    assert_eq!(generator.by_ref().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_panic_from_close_comes_out_of_close() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("bomb");
            }
        }
    }
    let mut generator = Generator::<u32>::new(|y| {
        let exit = y.try_yield(1).unwrap_err();
        drop(Bomb);
        exit.raise();
    });
    generator.next();
    assert_eq!(*caught(|| generator.close()).downcast::<&str>().unwrap(), "bomb");
    assert!(generator.is_finished());
}

/// Tries to yield when it is dropped, and keeps the answer.
struct YieldsOnDrop<'a> {
    y: &'a Yielder<u32, ()>,
    answer: Rc<RefCell<Option<Result<(), Thrown>>>>,
}

impl Drop for YieldsOnDrop<'_> {
    fn drop(&mut self) {
        *self.answer.borrow_mut() = Some(self.y.try_yield(99));
    }
}

#[test]
fn a_destructor_that_tries_to_yield_during_a_panic_is_refused() {
    let answer = Rc::default();
    let kept = Rc::clone(&answer);
    let mut generator = Generator::<u32>::new(move |y| {
        let _guard = YieldsOnDrop { y, answer };
        y.yield_(1);
        panic!("unwinding");
    });
    generator.next();
    assert_eq!(*caught(|| generator.next()).downcast::<&str>().unwrap(), "unwinding");
    let refused = kept.take().unwrap().unwrap_err();
    assert!(refused.is_refused() && !refused.is_exit());
    assert!(refused.to_string().contains("cannot be suspended while its stack unwinds"));
    assert!(!std::thread::panicking());
}

#[test]
fn a_destructor_that_tries_to_yield_on_close_throw_or_drop_is_refused() {
    for end in ["close", "throw", "drop", "drop in a panic"] {
        let answer = Rc::default();
        let kept = Rc::clone(&answer);
        let mut generator = Generator::<u32>::new(move |y| {
            let _guard = YieldsOnDrop { y, answer };
            y.yield_(1);
        });
        generator.next();
        match end {
            "close" => assert_eq!(generator.close(), Ok(None)),
            "throw" => assert!(generator.throw("stop").is_err()),
            "drop" => drop(generator),
            _ => drop(caught(move || {
                let _dropped_on_the_way = generator;
                panic!("outside");
            })),
        }
        assert!(kept.take().unwrap().unwrap_err().is_refused(), "{end}");
        assert!(!std::thread::panicking(), "{end}");
    }
}

#[test]
fn a_destructor_that_yields_in_peace_is_served() {
    let answer = Rc::default();
    let kept = Rc::clone(&answer);
    let mut generator = Generator::<u32>::new(move |y| {
        drop(YieldsOnDrop { y, answer });
        y.yield_(2);
    });
    assert_eq!(generator.by_ref().collect::<Vec<_>>(), [99, 2]);
    assert!(kept.take().unwrap().is_ok());
}

#[test]
fn a_destructor_may_use_coroutines_during_a_panic() {
    struct Sums(Rc<Cell<u32>>);
    impl Drop for Sums {
        fn drop(&mut self) {
            let numbers = Generator::<u32>::new(|y| (1..=4).for_each(|n| y.yield_(n)));
            self.0.set(numbers.sum());
        }
    }
    let sum = Rc::new(Cell::new(0));
    let _ = caught(|| {
        let _sums = Sums(Rc::clone(&sum));
        panic!("outside");
    });
    assert_eq!(sum.get(), 10);

    // The same inside a coroutine that unwinds.
    sum.set(0);
    let inside = Rc::clone(&sum);
    let mut generator = Generator::<u32>::new(move |y| {
        let _sums = Sums(inside);
        y.yield_(1);
    });
    generator.next();
    generator.close().unwrap();
    assert_eq!(sum.get(), 10);
}

#[test]
fn a_plain_yield_in_a_destructor_during_unwinding_ends_the_program_with_a_message() {
    struct Insists<'a>(&'a Yielder<u32, ()>);
    impl Drop for Insists<'_> {
        fn drop(&mut self) {
            self.0.yield_(99);
        }
    }
    if is_child() {
        let mut generator = Generator::<u32>::new(|y| {
            let _guard = Insists(y);
            y.yield_(1);
        });
        generator.next();
        drop(generator);
        println!("survived");
        return;
    }
    let name = "a_plain_yield_in_a_destructor_during_unwinding_ends_the_program_with_a_message";
    let output = in_child(name, &[]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains("cannot be suspended while its stack unwinds"), "{errors}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("survived"));
}

#[test]
fn a_backtrace_fits_the_default_stack_and_names_the_resumer() {
    #[inline(never)]
    fn resumes_it(generator: &mut Generator<u32>) -> Option<u32> {
        std::hint::black_box(generator.next())
    }
    if is_child() {
        resumes_it(&mut Generator::new(|_| panic!("look at the backtrace")));
        return;
    }
    let output =
        in_child("a_backtrace_fits_the_default_stack_and_names_the_resumer", &[("RUST_BACKTRACE", "full")]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "the test failed by its panic and nothing else: {errors}");
    assert!(errors.contains("look at the backtrace"), "{errors}");
    if cfg!(target_os = "linux") {
        assert!(errors.contains("resumes_it"), "{errors}");
    }
}

#[test]
fn what_is_thrown_prints_nothing() {
    if is_child() {
        let mut coroutine = Coroutine::<(), (), ()>::new(|y, ()| y.yield_(()));
        assert_eq!(coroutine.resume(()), Ok(Step::Yielded(())));
        assert!(coroutine.throw("quiet").is_err());
        let mut coroutine = Coroutine::<(), (), ()>::new(|y, ()| y.yield_(()));
        coroutine.resume(()).unwrap();
        drop(coroutine);
        return;
    }
    let output = in_child("what_is_thrown_prints_nothing", &[]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// An error that cannot even be dropped.
#[derive(Debug)]
struct Explosive;

impl std::fmt::Display for Explosive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("explosive")
    }
}

impl std::error::Error for Explosive {}

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("the error was dropped");
    }
}

#[test]
fn what_is_dropped_with_a_body_that_never_began_may_panic_more_than_once() {
    struct Captured;
    impl Drop for Captured {
        fn drop(&mut self) {
            panic!("the captured value was dropped");
        }
    }
    let captured = Captured;
    let mut generator = Generator::<u32>::new(move |y| {
        let _captured = &captured;
        y.yield_(1);
    });
    caught(|| generator.throw(Explosive));
    assert!(generator.is_finished(), "the panic took the usual way out");
    drop(generator);

    // What it captured raises another error than the request to end, which nobody gets to see.
    struct Raises(Option<Thrown>);
    impl Drop for Raises {
        fn drop(&mut self) {
            self.0.take().expect("it is dropped once").raise();
        }
    }
    let raises = Raises(Generator::<u32>::new(|_| ()).throw(Explosive).err());
    let mut generator = Generator::<u32>::new(move |y| {
        let _raises = &raises;
        y.yield_(1);
    });
    assert_eq!(*caught(|| generator.close()).downcast::<&str>().unwrap(), "the error was dropped");
    assert!(generator.is_finished());
}
