//! Units that do nothing: what it costs to have one.

use super::{Needs, join_all, salted, scale};
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Profile, Workload};

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Spawn], units: |n| n };

pub(super) fn about() -> Workload {
    Workload {
        place: 1,
        about: "start n units at once, each returns a number, then join them in order".into(),
        shows: "what one unit costs from its start to its joined result when it has nothing to do; work much shorter \
                than this is not worth a unit of its own"
            .into(),
        verified: "unit i must return salt + i, with a salt drawn anew each round".into(),
        unit: "task".into(),
        scales: vec![
            scale("100", 100, 100, Profile::Quick),
            scale("1k", 1_000, 1_000, Profile::Full),
            scale("10k", 10_000, 10_000, Profile::Full),
        ],
        timeout_ms: 30_000,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    Ok(salted(case))
}

pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    (input.salt..input.salt + n).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    let tasks = (0..stage.n).map(|i| model.spawn(async move { salt + i })).collect();
    join_all::<M>(tasks).await
}
