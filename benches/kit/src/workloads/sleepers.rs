//! Units that wait: how much memory does each of them take?

use super::{Needs, join_all, salted, scale};
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Metric, Profile, Workload};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Spawn, Capability::Gate], units: |n| n };

pub(super) fn about() -> Workload {
    Workload {
        place: 8,
        about: "n units that all wait at one gate; memory is read before they start and when all of them wait".into(),
        shows: "how many things can wait at the same time before the memory ends: bytes per waiting unit".into(),
        verified: "every unit counts itself in before it waits, none may finish before the gate opens, and unit i must \
                   return salt + i after it"
            .into(),
        metric: Metric::Memory,
        unit: "task".into(),
        scales: vec![
            scale("1k", 1_000, 1_000, Profile::Quick),
            scale("10k", 10_000, 10_000, Profile::Default),
            scale("100k", 100_000, 100_000, Profile::Default),
        ],
        timeout_ms: 60_000,
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
    let (salt, n) = (stage.input.salt, stage.n);
    let counts = Arc::new(Counts::default());
    // The last unit to arrive opens the first gate, for the root; the root opens the second, for all of them.
    let (all_in, gate) = (M::gate(), M::gate());
    stage.hold("base");
    let unit = |i: u64| {
        let (counts, all_in, gate) = (Arc::clone(&counts), all_in.clone(), gate.clone());
        async move {
            if counts.arrived.fetch_add(1, Ordering::AcqRel) + 1 == n {
                M::open(&all_in);
            }
            M::wait(&gate).await;
            counts.finished.fetch_add(1, Ordering::AcqRel);
            salt + i
        }
    };
    let tasks = (0..n).map(|i| model.spawn(unit(i))).collect();
    M::wait(&all_in).await;
    stage.hold("waiting");
    let early = counts.finished.load(Ordering::Acquire);
    assert_eq!(early, 0, "units finished before the gate was opened");
    M::open(&gate);
    join_all::<M>(tasks).await
}

/// How many units have come and gone.
#[derive(Default)]
struct Counts {
    arrived: AtomicU64,
    finished: AtomicU64,
}
