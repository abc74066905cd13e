//! What one cell gave in one round: a line of `samples.jsonl`.

use serde::{Deserialize, Serialize};

use crate::summary::Status;

/// One cell in one round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The workload.
    pub(crate) workload: String,
    /// The model.
    pub(crate) model: String,
    /// `generic` or `idiomatic`.
    pub(crate) form: String,
    /// The scale's label.
    pub(crate) scale: String,
    /// How many CPUs it had.
    pub(crate) cpus: u32,
    /// How many workers it was given.
    pub(crate) workers: u32,
    /// The baseline's second entry, the A/A control.
    #[serde(default)]
    pub(crate) control: bool,
    /// The round, from 1; 0 is the check.
    pub(crate) round: u32,
    /// The earlier, disturbed round that this one stands in for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<u32>,
    /// Which place it had in the round's order, from 0.
    pub(crate) position: u32,
    /// When it started, in nanoseconds from the start of the run.
    pub(crate) started_ns: u64,
    /// What became of it.
    pub(crate) status: Status,
    /// Why, when it is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// The end of its standard error, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    /// The timed batches: nanoseconds and iterations.
    #[serde(default)]
    pub(crate) batches: Vec<(u64, u64)>,
    /// All iterations, warm-up included.
    #[serde(default)]
    pub(crate) iterations: u64,
    /// From exec to ready.
    #[serde(default)]
    pub(crate) startup_ns: u64,
    /// From exec to the reaped tree.
    #[serde(default)]
    pub(crate) outer_ns: u64,
    /// CPU time of the whole tree after `ready`.
    #[serde(default)]
    pub(crate) cpu_ns: u64,
    /// Context switches of the whole tree: voluntary, involuntary.
    #[serde(default)]
    pub(crate) ctx: (u64, u64),
    /// The most memory that the tree was seen to hold.
    #[serde(default)]
    pub(crate) peak_bytes: u64,
    /// For a memory workload: the bytes that all its tasks took together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// For an outcome workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    /// What the model's own handle said of the lost task, or what ended the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// The most processes and the most threads of one process that were seen, and how often we looked.
    #[serde(default)]
    pub(crate) seen: (u32, u32, u32),
    /// It was not seen to use what it claims, and too few looks were taken to say that it does not.
    #[serde(skip)]
    pub(crate) in_doubt: bool,
    /// What looks odd, though it is no failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

impl Sample {
    /// The round's time for one iteration: the median of its batches. `None` without a batch.
    #[must_use]
    pub(crate) fn iteration_ns(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.batches.iter().map(|&(ns, count)| ns as f64 / count as f64).collect();
        if times.is_empty() {
            return None;
        }
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        Some(if times.len() % 2 == 1 {
            times[middle]
        } else {
            f64::midpoint(times[middle - 1], times[middle])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iteration_is_the_median_batch() {
        let mut sample = Sample { batches: vec![(30, 3), (8, 2), (100, 1)], ..Sample::default() };
        assert_eq!(sample.iteration_ns(), Some(10.0));
        sample.batches.push((20, 1));
        assert_eq!(sample.iteration_ns(), Some(15.0));
        assert_eq!(Sample::default().iteration_ns(), None);
    }
}
