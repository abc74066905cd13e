//! What a workload is given when it runs, and how it speaks to the engine in the middle of it.

use crate::{Lost, answers, planted};
use compare::protocol::{Answer, Input};

/// One cell's work.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What to work on.
    pub input: Input,
    /// The scale's label.
    pub scale: String,
    /// The scale's number.
    pub n: u64,
    /// How many workers the model has.
    pub workers: usize,
}

impl Stage {
    /// Memory workloads: tells the engine to measure now, and waits until it has. Outside a comparison it does nothing.
    pub fn hold(&self, what: &str) {
        answers::say(&Answer::Hold { what: what.to_owned() });
        answers::await_word();
    }

    /// Crash workloads: says that from here on the program may die of what it was asked to do.
    pub fn danger(&self) {
        answers::say(&Answer::Danger);
    }

    /// Crash workloads: says what was left, from how each unit ended and whether a later one still worked. Returns the
    /// results that there are.
    pub fn survived(&self, joined: &[Result<u64, Lost>], works_on: bool) -> Vec<u64> {
        let victim = self.input.numbers[0];
        let only_the_victim = (0..).zip(joined).all(|(i, result)| result.is_err() == (i == victim));
        let outcome = if works_on && only_the_victim { "task lost" } else { "worker lost" };
        let cause =
            joined.iter().rev().find_map(|result| result.as_ref().err()).map_or("", |lost| &lost.cause);
        let results: Vec<Option<u64>> = joined.iter().map(|result| result.as_ref().ok().copied()).collect();
        self.outcome(outcome, cause, results.clone());
        results.into_iter().flatten().collect()
    }

    /// Crash workloads: says what was left. `results` has a place per task, empty for a lost one.
    pub fn outcome(&self, outcome: &str, cause: &str, mut results: Vec<Option<u64>>) {
        if planted::corrupt() {
            planted::flip(results.iter_mut().flatten());
        }
        answers::say(&Answer::Outcome { outcome: outcome.to_owned(), cause: cause.to_owned(), results });
    }
}
