//! What a verdict costs: it is taken after every round, so it must stay far below the time of a cell.

use std::hint::black_box;

use compare::stats::{Round, compare::verdicts, signed_rank::SignedRank, ties};
use criterion::{Criterion, criterion_group, criterion_main};

/// Values without ties, different for each `model`, by the golden ratio's multiples.
fn rounds(count: u32, model: u32) -> Vec<Round> {
    (0..count)
        .map(|round| Some(1e6 + (f64::from(round * 17 + model + 1) * 0.618_033_988_75).fract() * 5e4))
        .collect()
}

fn signed_rank(bench: &mut Criterion) {
    for n in [12, 24, 100] {
        let differences: Vec<f64> = rounds(n, 0).into_iter().flatten().map(|value| value - 1.02e6).collect();
        bench.bench_function(&format!("signed rank, {n} pairs"), |b| {
            b.iter(|| SignedRank::of(black_box(&differences)));
        });
    }
}

fn workload(bench: &mut Criterion) {
    for n in [12, 24] {
        let models: Vec<_> = (0..17).map(|model| rounds(n, model)).collect();
        bench.bench_function(&format!("16 verdicts, {n} rounds"), |b| {
            b.iter(|| verdicts(black_box(&models[0]), black_box(&models[1..]), 0.03));
        });
        bench.bench_function(&format!("ranks of 17 models, {n} rounds"), |b| {
            b.iter(|| ties::rank(black_box(&models), 0.03));
        });
    }
}

criterion_group!(benches, signed_rank, workload);
criterion_main!(benches);
