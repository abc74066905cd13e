//! The rounds of a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::program::{Cell, Program, Row};
use super::show::Progress;
use crate::schedule::{round_order, round_seed};
use crate::stats::Round;

/// How rows are measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) rounds: u32,
    pub(super) seed: u64,
    /// The least that a sample times.
    pub(super) least: Duration,
    /// How long a sample may take in all.
    pub(super) limit: Duration,
}

/// How a contestant fared.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    /// It did not do the work that it was given.
    Wrong,
    /// It ended by a signal, a panic or an error.
    Crashed,
    /// It did not end in time.
    Hung,
}

/// A row with the values of all its rounds.
#[derive(Debug)]
pub(super) struct Measured<'a> {
    pub(super) row: &'a Row,
    /// One for each contestant of the row, in its order.
    pub(super) series: Vec<Series>,
    /// Ours once more, where ours takes part.
    pub(super) twin: Option<Series>,
    pub(super) rounds: u32,
    /// How often it was measured until ours was not told apart from itself, or nobody wanted to try again.
    pub(super) attempts: u32,
}

/// The rounds of one contestant.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Series {
    rounds: Vec<Option<BTreeMap<String, f64>>>,
    /// How it failed, and why: it has no value then, whatever the rounds before gave.
    pub(super) failure: Option<(Status, String)>,
}

/// Measures a row; `None` if the user stopped it.
pub(super) fn measure<'a>(
    program: &Program,
    row: &'a Row,
    plan: &Plan,
    stop: &AtomicBool,
    progress: &Progress,
) -> Option<Measured<'a>> {
    let cells = program.cells(row);
    let mut series: Vec<Series> = row.contestants.iter().map(|_| Series::default()).collect();
    let mut twin = cells.iter().any(|cell| cell.twin).then(Series::default);
    for round in 1..=plan.rounds {
        let seed = round_seed(plan.seed, &program.list.area, &row.row, round);
        for place in round_order(plan.seed, &program.list.area, &row.row, round, cells.len()) {
            let Cell { contestant, twin: is_twin } = cells[place];
            let name = &row.contestants[contestant].name;
            progress.cell(&row.row, name, round, plan.rounds);
            // A failure of the control is one of ours.
            let outcome = match &series[contestant].failure {
                Some(_) => None,
                None => Some(program.sample(row, name, seed, plan, stop)),
            };
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let value = match outcome {
                Some(Ok(values)) => Some(values),
                Some(Err(failure)) => {
                    series[contestant].failure = Some(failure);
                    None
                }
                None => None,
            };
            match twin.as_mut().filter(|_| is_twin) {
                Some(twin) => twin.rounds.push(value),
                None => series[contestant].rounds.push(value),
            }
        }
    }
    progress.row_over(&row.row);
    Some(Measured { row, series, twin, rounds: plan.rounds, attempts: 1 })
}

/// Measures a row, and again while ours is told apart from itself by one of these measures: the attempt that counts is the
/// first in which it is not, or the last. `None` if the user stopped it.
pub(super) fn measure_steadily<'a>(
    program: &Program,
    row: &'a Row,
    measures: &BTreeSet<&str>,
    plan: &Plan,
    stop: &AtomicBool,
    progress: &Progress,
) -> Option<Measured<'a>> {
    // A seed of its own, or the same orders would come again.
    let once = |attempt: u32| {
        let plan = Plan { seed: plan.seed.wrapping_add(u64::from(attempt) - 1), ..*plan };
        measure(program, row, &plan, stop, progress)
    };
    let ours = &program.list.ours;
    let is_unsteady = |measured: &Measured<'_>| {
        let Some(measure) = measures.iter().find(|it| measured.is_steady(ours, it) == Some(false)) else {
            return false;
        };
        progress.again(program.cells(row).len() * plan.rounds as usize);
        progress.say(&format!("{}: unstable, {ours} differs from itself in {measure}; once more", row.row));
        true
    };
    until_steady(once, is_unsteady)
}

/// The first attempt that is not unsteady, or the last that there may be.
fn until_steady<'a>(
    mut once: impl FnMut(u32) -> Option<Measured<'a>>,
    mut is_unsteady: impl FnMut(&Measured<'a>) -> bool,
) -> Option<Measured<'a>> {
    let mut attempts = 1;
    loop {
        let measured = Measured { attempts, ..once(attempts)? };
        if attempts == ATTEMPTS || !is_unsteady(&measured) {
            return Some(measured);
        }
        attempts += 1;
    }
}

/// How often a row is measured at most before goals are judged by it. Of steady rows, one in thirty-two and measure is told
/// apart from itself by chance.
const ATTEMPTS: u32 = 3;

impl Series {
    /// A measure by round; nothing of a contestant that failed.
    pub(super) fn values(&self, measure: &str) -> Vec<Round> {
        let value = |round: &Option<BTreeMap<String, f64>>| round.as_ref()?.get(measure).copied();
        self.rounds.iter().map(|round| value(round).filter(|_| self.failure.is_none())).collect()
    }

    /// Whether it has so many rounds, be it without a value.
    pub(super) fn has(&self, rounds: u32) -> bool {
        self.rounds.len() == rounds as usize
    }

    /// A series as a test needs it.
    #[cfg(test)]
    pub(super) fn of(measures: &[(&str, &[f64])]) -> Self {
        let rounds = measures.first().map_or(0, |(_, values)| values.len());
        let round =
            |at: usize| measures.iter().map(|(name, values)| ((*name).to_owned(), values[at])).collect();
        Self { rounds: (0..rounds).map(|at| Some(round(at))).collect(), failure: None }
    }
}

impl Status {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Crashed => "crashed",
            Self::Hung => "hung",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_measured_until_it_is_steady_or_three_times() {
        let row =
            Row { row: "a/b".into(), about: String::new(), contestants: Vec::new(), measures: Vec::new() };
        let measured = || Measured { row: &row, series: Vec::new(), twin: None, rounds: 6, attempts: 1 };
        for (steady_at, attempts) in [(1, 1), (2, 2), (3, 3), (9, 3)] {
            let mut begun = Vec::new();
            let once = |attempt| {
                begun.push(attempt);
                Some(measured())
            };
            let found = until_steady(once, |it| it.attempts < steady_at).expect("nobody stops it");
            assert_eq!(found.attempts, attempts);
            assert_eq!(begun, (1..=attempts).collect::<Vec<_>>());
        }
        assert!(until_steady(|attempt| (attempt == 1).then(measured), |_| true).is_none(), "it was stopped");
    }
}
