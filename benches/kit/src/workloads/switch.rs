//! Units that do nothing but let others run.

use super::{Needs, join_all, salted, scale};
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Profile, Workload};

/// How often each unit yields.
pub const YIELDS: u64 = 200;

pub(super) const NEEDS: Needs =
    Needs { capabilities: &[Capability::Spawn, Capability::Switch], units: |n| n };

pub(super) fn about() -> Workload {
    Workload {
        place: 2,
        about: "n units, each yields 200 times by the model's own yield and counts its steps".into(),
        shows: "what it costs to pass the processor on: a few instructions in one program, or a visit to the kernel"
            .into(),
        verified: "every unit folds the salt and its step number into a sum after each yield; a step left out or done \
                   twice changes it"
            .into(),
        unit: "switch".into(),
        scales: vec![
            scale("8", 8, 8 * YIELDS, Profile::Quick),
            scale("64", 64, 64 * YIELDS, Profile::Full),
            scale("1k", 1_000, 1_000 * YIELDS, Profile::Full),
        ],
        timeout_ms: 60_000,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    Ok(salted(case))
}

/// In closed form: after all steps a unit has added the salt 200 times and 0 + 1 + .. + 199 once.
pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    let added = YIELDS * input.salt + YIELDS * (YIELDS - 1) / 2;
    (0..n).map(|i| (input.salt + i + added) % MODULUS).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    let unit = |i: u64| async move {
        let mut sum = salt + i;
        for step in 0..YIELDS {
            M::yield_now().await;
            sum = after_step(sum, salt, step);
        }
        sum
    };
    let tasks = (0..stage.n).map(|i| model.spawn(unit(i))).collect();
    join_all::<M>(tasks).await
}

/// What a unit makes of its sum after a yield.
#[must_use]
pub fn after_step(sum: u64, salt: u64, step: u64) -> u64 {
    (sum + salt + step) % MODULUS
}

/// Keeps sums where every language has exact integers.
const MODULUS: u64 = 1 << 31;
