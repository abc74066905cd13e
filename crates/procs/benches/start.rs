//! What a process and a task of a pool cost.

use criterion::{Criterion, criterion_group, criterion_main};
use procs::{Executor, Pool, Process};
use std::hint::black_box;

fn spawn_and_join(c: &mut Criterion) {
    // Thread and zygote are there from the first one on.
    let _keeps_them = Process::spawn(|()| std::thread::park(), ()).expect("a process");
    c.bench_function("process: spawn and join", |b| {
        b.iter(|| Process::spawn(|n: u64| n + 1, black_box(1)).expect("a process").join().expect("a result"));
    });
    let memory = vec![1_u8; 512 << 20];
    c.bench_function("process: spawn and join, 512 MiB in the program", |b| {
        b.iter(|| Process::spawn(|n: u64| n + 1, black_box(1)).expect("a process").join().expect("a result"));
    });
    drop(black_box(memory));
}

fn round_trip(c: &mut Criterion) {
    let pool = Pool::new(2).expect("a pool");
    c.bench_function("pool: one task there and back", |b| {
        b.iter(|| pool.submit(|n: u64| n + 1, black_box(1)).join().expect("a result"));
    });
    c.bench_function("pool: 100 tasks, two workers", |b| {
        b.iter(|| pool.map(|n: u64| n + 1, 0..100_u64).map(|n| n.expect("a result")).sum::<u64>());
    });
    let text = "d".repeat(1 << 20);
    c.bench_function("pool: 1 MiB there and back", |b| {
        b.iter(|| pool.submit(|text: String| text, text.clone()).join().expect("a result"));
    });
}

criterion_group!(benches, spawn_and_join, round_trip);
criterion_main!(benches);
