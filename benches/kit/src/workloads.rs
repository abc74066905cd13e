//! The workloads: one file each in the folder `workloads`, taken up by the build script. Dropping `NAME.rs` there is
//! all it takes to add one; it holds
//!
//! - `about()`: what people read, the scales, the time limit (its name is the file's);
//! - `NEEDS`: the capabilities it needs, and how many units it keeps alive;
//! - `input(case)`: what every contestant of a round works on, drawn from the round's seed;
//! - `expected(input, n)`: the results, reached sequentially and by another way than `run`;
//! - `run(model, stage)`: one iteration, over any [`Model`].

use crate::measure::Batch;
use crate::model::Capability;
use crate::planted::Clock;
use crate::{Model, Stage};
use compare::protocol::{Case, Input, Profile, Scale, Workload};
use std::future::Future;

include!(concat!(env!("OUT_DIR"), "/workloads.rs"));

/// What the kit knows of a workload without knowing the workload.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name: that of its file.
    pub name: &'static str,
    about: fn() -> Workload,
    /// What a model must be able to do.
    pub needs: Needs,
    /// Draws the input of a round.
    ///
    /// # Errors
    /// If the case lacks something or names something unusable; the text says what.
    pub input: fn(&Case) -> Result<Input, String>,
    /// The results, found by the oracle's own way. The second argument is the scale's number.
    pub expected: fn(&Input, u64) -> Vec<u64>,
}

impl Entry {
    /// What people read of it.
    #[must_use]
    pub fn workload(&self) -> Workload {
        Workload { name: self.name.to_owned(), ..(self.about)() }
    }
}

/// What a workload needs of a model.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// All of these.
    pub capabilities: &'static [Capability],
    /// How many units are alive at the same time besides the root, at a scale's number.
    pub units: fn(u64) -> u64,
}

/// The workload of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// Executes a model's own form of a workload `iterations` times.
pub(crate) async fn own<M: Model>(name: &str, model: &M, stage: &Stage, iterations: u64) -> Batch {
    repeat(iterations, || model.own_form(name, stage)).await
}

/// Executes something `iterations` times with the clock around all of them, and keeps every result.
async fn repeat<F>(iterations: u64, execute: impl Fn() -> F) -> Batch
where
    F: Future<Output = Vec<u64>>,
{
    let mut results =
        Vec::with_capacity(usize::try_from(iterations).expect("the loop asks for few iterations"));
    let clock = Clock::start();
    for _ in 0..iterations {
        results.push(execute().await);
    }
    let ns = u64::try_from(clock.stop().as_nanos()).expect("a batch is shorter than 500 years");
    Batch { ns, results }
}

/// Waits for units in order. Workloads that lose no unit on purpose use this.
///
/// # Panics
/// If a unit was lost.
pub async fn join_all<M: Model>(tasks: Vec<M::Task>) -> Vec<u64> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        match M::join(task).await {
            Ok(result) => results.push(result),
            Err(lost) => panic!("unit {} was {lost}", results.len()),
        }
    }
    results
}

/// A row of a workload's table of scales.
fn scale(label: &str, n: u64, units: u64, profile: Profile) -> Scale {
    Scale { label: label.to_owned(), n, units, profile, ..Scale::default() }
}

/// A scale that a plain run leaves out, because a larger one shows the same and more.
fn quick_only(scale: Scale) -> Scale {
    Scale { quick_only: true, ..scale }
}

/// The input of a workload that needs nothing but a salt.
fn salted(case: &Case) -> Input {
    let salt = crate::random::Random::new(case.seed, &case.workload).salt();
    Input { salt, ..Input::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_workload_is_described_for_people_and_has_a_smallest_scale() {
        for workload in ALL.iter().map(Entry::workload) {
            let name = &workload.name;
            for text in [&workload.about, &workload.shows, &workload.verified, &workload.unit] {
                assert!(!text.is_empty(), "{name} has an empty text");
            }
            assert!(workload.timeout_ms >= 1_000, "{name} has no time to run");
            let labels: HashSet<&str> = workload.scales.iter().map(|scale| scale.label.as_str()).collect();
            assert_eq!(labels.len(), workload.scales.len(), "{name} has two scales of one label");
            assert!(
                workload.scales.iter().any(|scale| scale.profile == Profile::Quick),
                "{name} has no quick scale"
            );
            assert!(
                workload.scales.iter().all(|scale| scale.n > 0 && scale.units > 0),
                "{name} has an empty scale"
            );
        }
    }

    #[test]
    fn the_list_has_the_files_of_the_folder() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/workloads");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(ALL.len(), files);
        assert!(named("spawn").is_some() && named("nothing").is_none());
    }
}
