//! What the deadlock checker costs where it is switched off: an operation of each kind of lock that it follows, uncontended.
//!
//! It is the same program with and without the checker compiled in, to be run in turn:
//!
//! ```console
//! $ cargo bench -p sync --bench check -- --save-baseline without
//! $ cargo bench -p sync --bench check --features check -- --baseline without
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use std::cell::Cell;
use std::hint::black_box;
use sync::extra::RLock;
use sync::park::block_on;
use sync::{Mutex, RwLock, Semaphore};

fn switched_off(bench: &mut Criterion) {
    let mutex = Mutex::new(0_u64);
    bench.bench_function("mutex: lock and unlock", |b| b.iter(|| *black_box(&mutex).lock() += 1));
    bench.bench_function("mutex: try_lock and unlock", |b| {
        b.iter(|| black_box(&mutex).try_lock().map(|mut number| *number += 1));
    });
    bench.bench_function("mutex: lock and unlock, awaited", |b| {
        b.iter(|| block_on(async { *black_box(&mutex).lock_async().await += 1 }));
    });

    let rwlock = RwLock::new(0_u64);
    bench.bench_function("rwlock: read and give back", |b| b.iter(|| *black_box(&rwlock).read()));
    // A lock of its own: one that was only read would be read by way of the bias.
    let rwlock = RwLock::new(0_u64);
    bench.bench_function("rwlock: write and give back", |b| b.iter(|| *black_box(&rwlock).write() += 1));

    let rlock = RLock::new(Cell::new(0_u64));
    bench.bench_function("rlock: lock and unlock", |b| {
        b.iter(|| {
            let number = black_box(&rlock).lock();
            number.set(number.get() + 1);
        });
    });

    let semaphore = Semaphore::new(2);
    bench.bench_function("semaphore: acquire and release", |b| {
        b.iter(|| black_box(&semaphore).acquire().map(|permit| permit.count()));
    });
}

criterion_group!(benches, switched_off);
criterion_main!(benches);
