//! One unit of eight fails. What is left?

use super::{Needs, scale};
use crate::random::Random;
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Metric, Profile, Workload};
use nix::sys::signal::{Signal, raise};
use std::process;

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Spawn], units: |n| n };

pub(super) fn about() -> Workload {
    Workload {
        place: 9,
        about: "one unit of eight panics, aborts or takes a SIGSEGV; afterwards one more is started".into(),
        shows: "what a failure takes with it: its own task, the worker and the tasks of others, or the whole program"
            .into(),
        verified: "the other seven must return salt + i, and one that is started afterwards salt + 8; a program that \
                   dies must die of the very cause that was planted"
            .into(),
        metric: Metric::Outcome,
        unit: "task".into(),
        scales: ["panic", "abort", "segv"].map(|label| scale(label, 8, 8, Profile::Quick)).into(),
        timeout_ms: 20_000,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    let mut random = Random::new(case.seed, &case.workload);
    Ok(Input { salt: random.salt(), numbers: vec![random.below(case.n.max(1))], ..Input::default() })
}

/// What each unit must return, if it returns: the victim, whose index is the input's number, will not.
pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    (input.salt..input.salt + n).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let (salt, victim) = (stage.input.salt, stage.input.numbers[0]);
    let failure = Failure::named(&stage.scale);
    let unit = |i: u64| async move {
        if i == victim {
            failure.happen();
        }
        salt + i
    };
    stage.danger();
    let tasks: Vec<M::Task> = (0..stage.n).map(|i| model.spawn(unit(i))).collect();
    let mut joined = Vec::new();
    for task in tasks {
        joined.push(M::join(task).await);
    }
    let works_on = M::join(model.spawn(async move { salt + 8 })).await == Ok(salt + 8);
    stage.survived(&joined, works_on)
}

/// How the victim fails.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// By `panic!`.
    Panic,
    /// By `abort`.
    Abort,
    /// By SIGSEGV.
    SegmentationFault,
}

impl Failure {
    /// By the scale's label.
    ///
    /// # Panics
    /// If there is none of that label.
    #[must_use]
    pub fn named(scale: &str) -> Self {
        match scale {
            "panic" => Failure::Panic,
            "abort" => Failure::Abort,
            "segv" => Failure::SegmentationFault,
            other => panic!("crash has no scale `{other}`: it has `panic`, `abort` and `segv`"),
        }
    }

    /// Fails.
    ///
    /// # Panics
    /// If that is how it is to fail.
    pub fn happen(self) {
        match self {
            Failure::Panic => panic!("planted"),
            Failure::Abort => process::abort(),
            // The standard library's handler takes the first one, finds that it is no stack overflow, puts the default
            // action back and returns: the second one kills. A third is for handlers of others.
            Failure::SegmentationFault => {
                for _ in 0..3 {
                    raise(Signal::SIGSEGV).expect("a program may signal itself");
                }
                panic!("the program ignores SIGSEGV");
            }
        }
    }
}
