//! A generator that is driven at random does what a plain state machine says.

use coro::{Generator, Step};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// What the body does next.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Yields a number by a plain yield.
    Yield(u32),
    /// Yields a number and takes an error as a value: it then yields 1000 more.
    Catch(u32),
    /// As `Catch`, but ends with its number when it is asked to end.
    Last(u32),
    Panic(u32),
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Start,
    Send(u32),
    Throw(u32),
    Close,
}

/// How an operation came out, in one type for both sides.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Yielded(u32),
    Returned(u32),
    Threw(u32),
    Panicked(u32),
    NotStarted,
    Started,
    Finished,
    Closed(Option<u32>),
    IgnoredExit(u32),
}

/// The body: carries out its lines and returns the sum of what it was sent.
fn generator(lines: Vec<Line>, alive: Rc<()>) -> Generator<u32, u32, u32> {
    Generator::new(move |y| {
        let _alive = alive;
        let mut sum = 0_u32;
        for line in lines {
            match line {
                Line::Yield(n) => sum += y.yield_(n),
                Line::Panic(n) => std::panic::resume_unwind(Box::new(n)),
                Line::Catch(n) | Line::Last(n) => match y.try_yield(n) {
                    Ok(sent) => sum += sent,
                    Err(thrown) if thrown.is_exit() && matches!(line, Line::Last(_)) => return n,
                    Err(_) => sum += y.yield_(n + 1000),
                },
            }
        }
        sum
    })
}

fn real(generator: &mut Generator<u32, u32, u32>, operation: Operation) -> Outcome {
    let step = |step| match step {
        Step::Yielded(n) => Outcome::Yielded(n),
        Step::Returned(n) => Outcome::Returned(n),
    };
    let call = || match operation {
        Operation::Start => match generator.start() {
            Ok(next) => step(next),
            Err(error) if error.is_finished() => Outcome::Finished,
            Err(_) => Outcome::Started,
        },
        Operation::Send(n) => match generator.send(n) {
            Ok(next) => step(next),
            Err(error) => {
                let outcome = if error.is_finished() { Outcome::Finished } else { Outcome::NotStarted };
                assert_eq!(error.into_inner(), n, "the value comes back");
                outcome
            }
        },
        Operation::Throw(n) => match generator.throw(n.to_string()) {
            Ok(next) => step(next),
            Err(thrown) => Outcome::Threw(thrown.to_string().parse().unwrap()),
        },
        Operation::Close => match generator.close() {
            Ok(last) => Outcome::Closed(last),
            Err(ignored) => Outcome::IgnoredExit(ignored.into_inner()),
        },
    };
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|payload| Outcome::Panicked(*payload.downcast().unwrap()))
}

/// The same, without a stack: where it is and what it waits for.
struct Model {
    lines: Vec<Line>,
    at: usize,
    sum: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Fresh,
    /// Waits at the yield of line `at`.
    Waits,
    /// Waits at the second yield of line `at`, after an error.
    WaitsAgain,
    Ended,
}

impl Model {
    fn apply(&mut self, operation: Operation) -> Outcome {
        match (operation, self.state) {
            (Operation::Start | Operation::Send(_), State::Ended) => Outcome::Finished,
            (Operation::Throw(n), State::Ended) => Outcome::Threw(n),
            (Operation::Close, State::Ended) => Outcome::Closed(None),
            (Operation::Start, State::Fresh) => self.run(),
            (Operation::Start, _) => Outcome::Started,
            (Operation::Send(_), State::Fresh) => Outcome::NotStarted,
            (Operation::Send(n), _) => {
                self.sum += n;
                self.at += 1;
                self.run()
            }
            (Operation::Throw(n), State::Fresh) => self.end(Outcome::Threw(n)),
            (Operation::Close, State::Fresh) => self.end(Outcome::Closed(None)),
            (Operation::Throw(error), state) => match (self.lines[self.at], state) {
                (Line::Catch(n) | Line::Last(n), State::Waits) => self.wait_again(Outcome::Yielded(n + 1000)),
                _ => self.end(Outcome::Threw(error)),
            },
            (Operation::Close, state) => match (self.lines[self.at], state) {
                (Line::Last(n), State::Waits) => self.end(Outcome::Closed(Some(n))),
                (Line::Catch(n), State::Waits) => self.wait_again(Outcome::IgnoredExit(n + 1000)),
                _ => self.end(Outcome::Closed(None)),
            },
        }
    }

    fn run(&mut self) -> Outcome {
        self.state = State::Waits;
        match self.lines.get(self.at) {
            Some(Line::Yield(n) | Line::Catch(n) | Line::Last(n)) => Outcome::Yielded(*n),
            Some(Line::Panic(n)) => self.end(Outcome::Panicked(*n)),
            None => self.end(Outcome::Returned(self.sum)),
        }
    }

    fn wait_again(&mut self, outcome: Outcome) -> Outcome {
        self.state = State::WaitsAgain;
        outcome
    }

    fn end(&mut self, outcome: Outcome) -> Outcome {
        self.state = State::Ended;
        outcome
    }
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        6 => (0..1000_u32).prop_map(Line::Yield),
        4 => (0..1000_u32).prop_map(Line::Catch),
        2 => (0..1000_u32).prop_map(Line::Last),
        1 => (0..1000_u32).prop_map(Line::Panic),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => Just(Operation::Start),
        8 => (0..1000_u32).prop_map(Operation::Send),
        2 => (0..1000_u32).prop_map(Operation::Throw),
        1 => Just(Operation::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_generator_is_its_state_machine(
        lines in proptest::collection::vec(line(), 0..12),
        operations in proptest::collection::vec(operation(), 0..20),
        delegated in any::<bool>(),
    ) {
        let alive = Rc::new(());
        let mut inner = generator(lines.clone(), Rc::clone(&alive));
        let mut driven = if delegated { Generator::new(move |y| y.yield_from(&mut inner)) } else { inner };
        let mut model = Model { lines, at: 0, sum: 0, state: State::Fresh };
        for operation in operations {
            let mut expected = model.apply(operation);
            if delegated {
                // Whoever delegates ends when it is asked to, whatever the inner one returned.
                if let Outcome::Closed(Some(_)) = expected {
                    expected = Outcome::Closed(None);
                }
            }
            prop_assert_eq!(real(&mut driven, operation), expected);
            prop_assert_eq!(driven.is_finished(), model.state == State::Ended);
            prop_assert_eq!(driven.is_started(), model.state != State::Fresh);
            // Delegation holds the inner one, ended or not, until it ends itself.
            prop_assert_eq!(Rc::strong_count(&alive) == 1, model.state == State::Ended);
        }
        drop(driven);
        prop_assert_eq!(Rc::strong_count(&alive), 1);
    }
}
