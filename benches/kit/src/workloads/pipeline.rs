//! A production line: five stages between a source and a sink.

use super::{Needs, join_all, salted, scale};
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Profile, Workload};

/// How many stages there are between source and sink.
pub const STAGES: u64 = 5;

/// How many items may wait between two stages.
pub const CAPACITY: usize = 16;

pub(super) const NEEDS: Needs =
    Needs { capabilities: &[Capability::Spawn, Capability::Channel], units: |_| STAGES + 1 };

pub(super) fn about() -> Workload {
    Workload {
        place: 4,
        about: "n items go from a source through 5 stages to a sink, each a unit of its own, over channels that hold \
                16 items"
            .into(),
        shows: "what a bounded queue costs per item when both of its ends are busy, and how well units take turns \
                under back pressure"
            .into(),
        verified: "every stage multiplies and adds, so no stage can be left out; the results are in order of arrival, \
                   so no item can overtake another"
            .into(),
        unit: "item".into(),
        scales: vec![
            scale("1k", 1_000, 1_000, Profile::Quick),
            scale("10k", 10_000, 10_000, Profile::Full),
            scale("100k", 100_000, 100_000, Profile::Full),
        ],
        timeout_ms: 60_000,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    Ok(salted(case))
}

/// Stage by stage over all items, where the line goes item by item.
pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    let mut items: Vec<u64> = (0..n).map(|i| (input.salt + i) % MODULUS).collect();
    for stage in 1..=STAGES {
        for item in &mut items {
            *item = (*item * 31 + stage + input.salt) % MODULUS;
        }
    }
    items
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let (salt, n) = (stage.input.salt, stage.n);
    let (first, mut items) = M::channel(CAPACITY);
    let mut tasks = vec![model.spawn(source::<M>(salt, n, first))];
    for stage in 1..=STAGES {
        let (next, arriving) = M::channel(CAPACITY);
        tasks.push(model.spawn(work::<M>(stage, salt, items, next)));
        items = arriving;
    }
    // The root of the iteration is the sink: it is a unit like the others.
    let mut results = Vec::with_capacity(usize::try_from(n).expect("a number of items fits"));
    while let Some(item) = M::receive(&mut items).await {
        results.push(item);
    }
    let passed = join_all::<M>(tasks).await;
    assert!(passed.iter().all(|&count| count == n), "stages passed on {passed:?} of {n} items");
    results
}

async fn source<M: Model>(salt: u64, n: u64, mut first: M::Sender) -> u64 {
    for i in 0..n {
        assert!(M::send(&mut first, item(salt, i)).await, "the first stage left before item {i}");
    }
    n
}

async fn work<M: Model>(stage: u64, salt: u64, mut items: M::Receiver, mut next: M::Sender) -> u64 {
    let mut passed = 0;
    while let Some(item) = M::receive(&mut items).await {
        let made = after_stage(item, stage, salt);
        assert!(M::send(&mut next, made).await, "stage {stage} has nobody to pass item {passed} to");
        passed += 1;
    }
    passed
}

/// What the source makes.
#[must_use]
pub fn item(salt: u64, i: u64) -> u64 {
    (salt + i) % MODULUS
}

/// What a stage makes of an item.
#[must_use]
pub fn after_stage(item: u64, stage: u64, salt: u64) -> u64 {
    (item * 31 + stage + salt) % MODULUS
}

/// Keeps items where every language has exact integers: 31 * 2^31 + 2^31 + 5 is far below 2^53.
const MODULUS: u64 = 1 << 31;
