//! What `map` itself costs: a pool that does everything at once, where nothing is waited for, against a plain iterator.

#[path = "../tests/common/inline.rs"]
mod inline;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use executor::Executor;
use inline::Inline;
use std::hint::black_box;

const ITEMS: u64 = 1_000;

fn map(criterion: &mut Criterion) {
    let pool = Inline::default();
    let mut group = criterion.benchmark_group("map of 1000 items");
    group.throughput(Throughput::Elements(ITEMS));
    group.bench_function("iterator", |bencher| {
        bencher.iter(|| (0..black_box(ITEMS)).map(|number| black_box(number + 1)).sum::<u64>());
    });
    group.bench_function("map", |bencher| {
        bencher.iter(|| {
            pool.map(|number: u64| black_box(number + 1), 0..black_box(ITEMS))
                .map(Result::unwrap)
                .sum::<u64>()
        });
    });
    group.bench_function("map_unordered", |bencher| {
        bencher.iter(|| {
            pool.map_unordered(|number: u64| black_box(number + 1), 0..black_box(ITEMS))
                .map(|(_, result)| result.unwrap())
                .sum::<u64>()
        });
    });
    group.finish();
}

criterion_group!(benches, map);
criterion_main!(benches);
