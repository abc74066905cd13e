//! The judge against one that tries every order and remembers nothing.

#![forbid(unsafe_code)]

use linearizable::models::queue::{Operation, Queue, Response};
use linearizable::{History, Model, judge};
use proptest::prelude::*;
use std::cell::Cell;

const THREADS: usize = 3;

/// One operation and the place of its call and of its answer among all events. A prefix of the history cuts off answers.
#[derive(Clone, Debug)]
struct Span {
    thread: usize,
    operation: Operation,
    called: usize,
    answered: Option<(usize, Response)>,
}

/// Whether some order of the operations explains all answers: the definition, word for word.
fn fits_an_order(state: &Queue, spans: &[Span]) -> bool {
    if spans.iter().all(|span| span.answered.is_none()) {
        return true;
    }
    (0..spans.len()).any(|first| {
        let Span { called, operation, answered, .. } = &spans[first];
        let follows_another = |other: &Span| other.answered.as_ref().is_some_and(|(time, _)| time < called);
        let mut after = state.clone();
        let response = after.apply(operation);
        let mut rest = spans.to_vec();
        rest.remove(first);
        answered.as_ref().is_none_or(|(_, real)| *real == response)
            && !rest.iter().any(follows_another)
            && fits_an_order(&after, &rest)
    })
}

/// What has happened before event number `len`.
fn prefix(spans: &[Span], len: usize) -> Vec<Span> {
    let begun = spans.iter().filter(|span| span.called < len);
    let cut = |span: &Span| Span {
        answered: span.answered.clone().filter(|&(time, _)| time < len),
        ..span.clone()
    };
    begun.map(cut).collect()
}

/// Turns choices into events: a thread that is idle calls, one that waits is answered.
fn spans(choices: &[(usize, u8, u8)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (time, &(thread, operation, response)) in choices.iter().enumerate() {
        let open = spans.iter_mut().rfind(|span| span.thread == thread && span.answered.is_none());
        match open {
            Some(span) => span.answered = Some((time, answer(span.operation, response))),
            None => {
                let item = u32::from(operation % 2) + 1;
                let operation =
                    [Operation::Put(item), Operation::Get, Operation::Get][usize::from(operation % 3)];
                spans.push(Span { thread, operation, called: time, answered: None });
            }
        }
    }
    spans
}

/// Small numbers, so that wrong answers are right often enough.
fn answer(operation: Operation, choice: u8) -> Response {
    match (operation, choice % 5) {
        (Operation::Put(_), 0) => Response::Full,
        (Operation::Put(_), _) => Response::Done,
        (_, 0 | 1) => Response::Empty,
        (_, 2 | 3) => Response::Got(1),
        (_, _) => Response::Got(2),
    }
}

fn history(spans: &[Span], len: usize) -> History<Operation, Response> {
    let mut history = History::new();
    for time in 0..len {
        for span in spans {
            if span.called == time {
                history.call(span.thread, span.operation);
            }
            for (_, response) in span.answered.iter().filter(|(answered, _)| *answered == time) {
                history.answer(span.thread, response.clone());
            }
        }
    }
    history
}

#[test]
fn random_histories_are_judged_as_by_trying_every_order() {
    let (right, wrong) = (Cell::new(0), Cell::new(0));
    let choices = proptest::collection::vec((0..THREADS, any::<u8>(), any::<u8>()), 0..13);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let verdict = runner.run(&(choices, 1..3_usize), |(choices, capacity)| {
        let spans = spans(&choices);
        let initial = Queue::fifo().bounded(capacity);
        match judge(initial.clone(), &history(&spans, choices.len())) {
            Ok(()) => {
                right.set(right.get() + 1);
                prop_assert!(fits_an_order(&initial, &spans));
            }
            Err(violation) => {
                wrong.set(wrong.get() + 1);
                let len = violation.prefix_len();
                prop_assert!(!fits_an_order(&initial, &prefix(&spans, len)), "{violation}");
                prop_assert!(fits_an_order(&initial, &prefix(&spans, len - 1)), "{violation}");
            }
        }
        Ok(())
    });
    if let Err(why) = verdict {
        panic!("{why}");
    }
    assert!(
        right.get() >= 20 && wrong.get() >= 20,
        "one-sided: {} right, {} wrong",
        right.get(),
        wrong.get()
    );
}
