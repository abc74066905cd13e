//! The rounds of a row.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
}

/// The rounds of one contestant.
#[derive(Debug, Default)]
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
    Some(Measured { row, series, twin, rounds: plan.rounds })
}

impl Series {
    /// A measure by round; nothing of a contestant that failed.
    pub(super) fn values(&self, measure: &str) -> Vec<Round> {
        let value = |round: &Option<BTreeMap<String, f64>>| round.as_ref()?.get(measure).copied();
        self.rounds.iter().map(|round| value(round).filter(|_| self.failure.is_none())).collect()
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
