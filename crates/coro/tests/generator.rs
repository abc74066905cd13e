//! Generators as iterators, and values sent into them.

use coro::{Generator, Step, Yielder};
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn yields_in_order_and_then_ends_for_good() {
    let mut numbers = Generator::<u32>::new(|y| {
        for n in 0..3 {
            y.yield_(n);
        }
    });
    assert_eq!(numbers.by_ref().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(numbers.is_finished());
    assert_eq!((numbers.next(), numbers.next()), (None, None));
}

#[test]
fn the_type_of_what_is_sent_needs_no_words_in_an_iterator() {
    let letters = Generator::new(|y| {
        y.yield_('a');
        y.yield_('b');
    });
    assert_eq!(letters.collect::<String>(), "ab");
}

#[test]
fn produces_only_what_is_asked_for() {
    let produced = Rc::new(Cell::new(0));
    let counter = Rc::clone(&produced);
    let mut endless = Generator::<u32>::new(move |y| {
        for n in 0.. {
            counter.set(counter.get() + 1);
            y.yield_(n);
        }
    });
    assert_eq!(produced.get(), 0, "nothing runs before the first request");
    assert_eq!(endless.by_ref().take(5).sum::<u32>(), 10);
    assert_eq!(produced.get(), 5);
    drop(endless);
    assert_eq!(produced.get(), 5);
    assert_eq!(Rc::strong_count(&produced), 1, "what the body captured is dropped with it");
}

#[test]
fn yields_from_nested_plain_functions() {
    fn hanoi(y: &Yielder<(char, char), ()>, disks: u32, from: char, to: char, by: char) {
        if disks > 0 {
            hanoi(y, disks - 1, from, by, to);
            y.yield_((from, to));
            hanoi(y, disks - 1, by, to, from);
        }
    }
    let moves = Generator::<(char, char)>::new(|y| hanoi(y, 10, 'a', 'c', 'b'));
    assert_eq!(moves.count(), 1023);
}

#[test]
fn yields_from_the_middle_of_code_that_knows_nothing_of_it() {
    let mut comparisons = Generator::<(u32, u32), Vec<u32>>::new(|y| {
        let mut numbers = vec![3, 1, 2];
        numbers.sort_by(|a, b| {
            y.yield_((*a, *b));
            a.cmp(b)
        });
        numbers
    });
    assert!(comparisons.by_ref().count() >= 2);
    assert_eq!(comparisons.take_returned(), Some(vec![1, 2, 3]));
    assert_eq!(comparisons.take_returned(), None);
}

#[test]
fn a_pipeline_pulls_one_item_at_a_time() {
    let log = Rc::new(std::cell::RefCell::new(Vec::new()));
    let (first, second) = (Rc::clone(&log), Rc::clone(&log));
    let source = Generator::<u32>::new(move |y| {
        for n in 1.. {
            first.borrow_mut().push(format!("make {n}"));
            y.yield_(n);
        }
    });
    let mut doubled = Generator::<u32>::new(move |y| {
        for n in source {
            second.borrow_mut().push(format!("double {n}"));
            y.yield_(2 * n);
        }
    });
    assert_eq!((doubled.next(), doubled.next()), (Some(2), Some(4)));
    assert_eq!(*log.borrow(), ["make 1", "double 1", "make 2", "double 2"]);
}

#[test]
fn what_is_sent_is_the_result_of_the_yield() {
    let mut echo = Generator::<String, usize, &str>::new(|y| {
        let mut said = y.yield_("ready".to_owned());
        let mut count = 0;
        while said != "bye" {
            count += 1;
            said = y.yield_(format!("{said}!"));
        }
        count
    });
    assert_eq!(echo.start(), Ok(Step::Yielded("ready".to_owned())));
    assert_eq!(echo.send("hello"), Ok(Step::Yielded("hello!".to_owned())));
    assert_eq!(echo.send("again"), Ok(Step::Yielded("again!".to_owned())));
    assert_eq!(echo.send("bye"), Ok(Step::Returned(2)));
}

#[test]
fn a_value_that_cannot_be_sent_comes_back() {
    let mut sink = Generator::<(), (), String>::new(|y| drop(y.yield_(())));
    let early = sink.send("early".to_owned()).unwrap_err();
    assert!(early.is_not_started() && !early.is_finished());
    assert_eq!(early.into_inner(), "early");
    sink.start().unwrap();
    assert!(sink.start().unwrap_err().is_started());
    assert_eq!(sink.send("kept".to_owned()), Ok(Step::Returned(())));
    let late = sink.send("late".to_owned()).unwrap_err();
    assert!(late.is_finished());
    assert_eq!(late.into_inner(), "late");
    assert!(sink.start().unwrap_err().is_finished());
}

#[test]
fn resume_tells_the_end_from_a_value() {
    let mut short = Generator::<u32, &str>::new(|y| {
        y.yield_(1);
        "end"
    });
    assert!(!short.is_started());
    assert_eq!(short.resume(), Ok(Step::Yielded(1)));
    assert!(short.is_started() && !short.is_finished());
    assert_eq!(short.resume(), Ok(Step::Returned("end")));
    assert!(short.is_started() && short.is_finished());
    assert!(short.resume().is_err());
    assert_eq!(short.take_returned(), None, "it was handed out already");
}

#[test]
fn values_of_any_size_pass_unchanged() {
    let mut big = Generator::<[u64; 100], [u8; 3], [u64; 50]>::new(|y| {
        let sent = y.yield_(std::array::from_fn(|i| i as u64));
        assert_eq!(sent, [7; 50]);
        [1, 2, 3]
    });
    let Ok(Step::Yielded(array)) = big.start() else { panic!("it yields") };
    assert!(array.iter().enumerate().all(|(i, n)| *n == i as u64));
    assert_eq!(big.send([7; 50]), Ok(Step::Returned([1, 2, 3])));
}

#[test]
fn generators_run_inside_generators() {
    fn nested(depth: u32) -> Generator<u32> {
        Generator::new(move |y| {
            y.yield_(depth);
            if depth > 0 {
                for inner in nested(depth - 1) {
                    y.yield_(inner);
                }
            }
        })
    }
    assert_eq!(nested(20).collect::<Vec<_>>(), (0..=20).rev().collect::<Vec<_>>());
}

#[test]
fn an_outer_yielder_suspends_the_inner_generator_with_it() {
    fn outer() -> Generator<u32> {
        Generator::new(|y| {
            // The closure of `from_fn` runs inside `zip`, which runs inside `inner`, whose stack is suspended as a whole.
            let items = std::iter::from_fn(|| {
                y.yield_(100);
                Some(1)
            });
            let mut sum = 0;
            for (item, n) in items.zip(Generator::<u32>::new(|y| (1..=3).for_each(|n| y.yield_(n)))) {
                sum += item * n;
            }
            y.yield_(sum);
        })
    }
    assert_eq!(outer().collect::<Vec<_>>(), [100, 100, 100, 100, 6]);
}

#[test]
fn many_at_once_keep_apart() {
    let mut all: Vec<_> = (0..100_u32)
        .map(|id| Generator::<(u32, u32)>::new(move |y| (0..10).for_each(|n| y.yield_((id, n)))))
        .collect();
    for n in 0..10 {
        for (id, generator) in (0..).zip(&mut all) {
            assert_eq!(generator.next(), Some((id, n)));
        }
    }
    assert!(all.iter_mut().all(|generator| generator.next().is_none()));
}

#[test]
fn debug_tells_the_state() {
    let mut one = Generator::<u32>::new(|y| y.yield_(1));
    assert_eq!(format!("{one:?}"), "Generator { state: NotStarted, stack_bytes: 65536 }");
    one.next();
    assert!(format!("{one:?}").contains("Suspended"));
    one.next();
    assert!(format!("{one:?}").contains("Finished"));
}
