//! The measuring loop: warm up, find how many iterations make a batch, time batches until it is enough.
//!
//! It knows neither models nor workloads: it is given a function that executes a number of iterations and says how long
//! they took. Whatever is not the work (comparing results, taking digests, writing answers) happens between the calls
//! of that function, when no clock runs.

use compare::protocol::{Timing, digest};

/// What some iterations gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    /// The time that all of them took together.
    pub(crate) ns: u64,
    /// The results of each.
    pub(crate) results: Vec<Vec<u64>>,
}

impl Batch {
    fn iterations(&self) -> u64 {
        self.results.len() as u64
    }
}

/// What the loop has to tell as it goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Warm { iterations: u64, digests: Vec<String> },
    Batch { ns: u64, iterations: u64, digests: Vec<String> },
}

/// Runs the loop. `execute` takes a number of iterations; `tell` hears each event right after it happened.
pub(crate) fn measure(timing: Timing, mut execute: impl FnMut(u64) -> Batch, mut tell: impl FnMut(Event)) {
    let (warm, size) = warm_up(timing, &mut execute);
    tell(warm);
    let mut total_ns = 0;
    while timing.timed && total_ns < timing.min_ns {
        let batch = execute(size);
        total_ns += batch.ns.max(1);
        let digests = distinct(&batch.results);
        tell(Event::Batch { ns: batch.ns.max(1), iterations: batch.iterations(), digests });
    }
}

/// Warms up; returns its event and how many iterations the timed batches have.
fn warm_up(timing: Timing, execute: &mut impl FnMut(u64) -> Batch) -> (Event, u64) {
    let (mut iterations, mut spent_ns, mut size) = (0, 0, 1);
    let mut digests = Vec::new();
    // Nanoseconds per iteration of the last batches.
    let mut recent: Vec<f64> = Vec::new();
    loop {
        let batch = execute(size);
        iterations += batch.iterations();
        spent_ns += batch.ns;
        for digest in distinct(&batch.results) {
            if !digests.contains(&digest) && digests.len() < DIGESTS_TOLD {
                digests.push(digest);
            }
        }
        recent.push(ratio(batch.ns.max(1), size));
        recent.drain(..recent.len().saturating_sub(STEADY_BATCHES));
        let words = batch.results.first().map_or(0, Vec::len) as u64;
        let goal = batch_size(timing.batch_ns, &recent, words);
        // While batches are shorter than the goal they say more about the clock than about the work.
        let steady = size >= goal && is_steady(&recent);
        if !timing.timed || steady || spent_ns >= timing.warm_ns {
            return (Event::Warm { iterations, digests }, goal);
        }
        // At most twofold: the first iterations are slow, and a jump from one of them would undershoot, from a lucky
        // one overshoot.
        size = goal.clamp(1, size * 2);
    }
}

/// How many iterations last `batch_ns`, by the fastest of the recent batches.
fn batch_size(batch_ns: u64, recent: &[f64], words: u64) -> u64 {
    let fastest = recent.iter().copied().fold(f64::INFINITY, f64::min);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a positive number of iterations, clamped right after"
    )]
    let wanted = (batch_ns as f64 / fastest).ceil() as u64;
    wanted.clamp(1, (WORDS_KEPT / words.max(1)).max(1))
}

/// Whether the last batches are within 5 % of each other.
fn is_steady(recent: &[f64]) -> bool {
    let fastest = recent.iter().copied().fold(f64::INFINITY, f64::min);
    let slowest = recent.iter().copied().fold(0.0, f64::max);
    recent.len() >= STEADY_BATCHES && slowest <= fastest * 1.05
}

/// The distinct digests of all results. Equal results are found by comparing, which is cheaper than a digest each.
pub(crate) fn distinct(results: &[Vec<u64>]) -> Vec<String> {
    let mut seen: Vec<&Vec<u64>> = Vec::new();
    for result in results {
        if !seen.contains(&result) {
            seen.push(result);
        }
        if seen.len() == DIGESTS_TOLD {
            break;
        }
    }
    seen.into_iter().map(|result| digest(result)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a batch is far shorter than 2^53 ns")]
fn ratio(ns: u64, iterations: u64) -> f64 {
    ns as f64 / iterations as f64
}

/// How many successive batches must agree before the work is warm.
const STEADY_BATCHES: usize = 3;

/// How many different digests are told: one is right, two say that something is wrong, more only fill the line.
const DIGESTS_TOLD: usize = 8;

/// How many results a batch may keep: 4 MiB. More would let an iteration of a few hundred nanoseconds be measured by
/// how fast the system hands out fresh pages; fewer would make batches of tiny iterations too short for the clock (at
/// 100 results of 1 ns each this is half a millisecond, 20,000 times the clock's step).
const WORDS_KEPT: u64 = 1 << 19;

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { timed: true, warm_ns: 1_000_000, batch_ns: 10_000, min_ns: 50_000 };

    /// Runs the loop on a clock that moves by what `cost` says of each iteration, and returns what it told.
    fn told(timing: Timing, cost: impl Fn(u64) -> u64) -> Vec<Event> {
        let (mut done, mut events) = (0, Vec::new());
        let execute = |iterations: u64| {
            let ns = (done..done + iterations).map(&cost).sum();
            done += iterations;
            Batch { ns, results: vec![vec![7]; usize::try_from(iterations).unwrap()] }
        };
        measure(timing, execute, |event| events.push(event));
        events
    }

    fn batches(events: &[Event]) -> Vec<(u64, u64)> {
        let batch = |event: &Event| match event {
            Event::Batch { ns, iterations, .. } => Some((*ns, *iterations)),
            Event::Warm { .. } => None,
        };
        events.iter().filter_map(batch).collect()
    }

    #[test]
    fn short_iterations_are_repeated_until_a_batch_is_long_enough() {
        let events = told(TIMING, |_| 100);
        assert_eq!(batches(&events), [(10_000, 100); 5]);
        assert!(
            matches!(&events[0], Event::Warm { iterations, digests } if *iterations > 100 && digests.len() == 1)
        );
    }

    #[test]
    fn long_iterations_make_batches_of_one() {
        assert_eq!(batches(&told(TIMING, |_| 80_000)), [(80_000, 1)]);
    }

    #[test]
    fn a_slow_start_does_not_decide_the_batch() {
        let events = told(TIMING, |iteration| if iteration < 2 { 50_000 } else { 1_000 });
        assert_eq!(batches(&events), [(10_000, 10); 5]);
    }

    #[test]
    fn warming_up_ends_in_time_when_nothing_is_ever_steady() {
        let events = told(TIMING, |iteration| if iteration % 2 == 0 { 9_000 } else { 20_000 });
        assert!(matches!(events[0], Event::Warm { iterations, .. } if iterations <= 80));
        assert!(batches(&events).iter().map(|batch| batch.0).sum::<u64>() >= TIMING.min_ns);
    }

    #[test]
    fn verifying_only_is_one_iteration() {
        let events = told(Timing { timed: false, ..TIMING }, |_| 1);
        assert!(matches!(&events[..], [Event::Warm { iterations: 1, .. }]));
    }

    #[test]
    fn a_clock_that_stands_still_is_never_told_as_zero() {
        let timing = Timing { min_ns: 3, batch_ns: 1, ..TIMING };
        assert!(batches(&told(timing, |_| 0)).iter().all(|batch| batch.0 == 1));
    }

    #[test]
    fn every_distinct_result_is_told() {
        assert_eq!(distinct(&[vec![1], vec![1], vec![2], vec![1]]), [digest(&[1]), digest(&[2])]);
        let all_different: Vec<Vec<u64>> = (0..100).map(|word| vec![word]).collect();
        assert_eq!(distinct(&all_different).len(), DIGESTS_TOLD);
    }

    #[test]
    fn a_batch_keeps_a_bounded_number_of_results() {
        assert_eq!(batch_size(u64::MAX, &[1.0], 1 << 10), WORDS_KEPT >> 10);
        assert_eq!(batch_size(u64::MAX, &[1.0], u64::MAX), 1);
    }
}
