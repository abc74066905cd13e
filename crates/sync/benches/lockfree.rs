//! What one operation of the structures without a lock costs: alone, and with another thread at the other end.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use sync::lockfree::{ArrayQueue, Counter, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};

fn alone(bench: &mut Criterion) {
    let (mut producer, mut consumer) = spsc_ring(1024);
    bench.bench_function("ring: push and pop", |b| {
        b.iter(|| producer.push(black_box(7_u64)).is_ok_and(|()| consumer.pop() == Some(7)));
    });
    let array = ArrayQueue::new(1024);
    bench.bench_function("array queue: push and pop", |b| {
        b.iter(|| array.push(black_box(7_u64)).is_ok_and(|()| array.pop() == Some(7)));
    });
    let segmented = SegmentedQueue::new();
    bench.bench_function("segmented queue: push and pop", |b| {
        b.iter(|| {
            segmented.push(black_box(7_u64));
            segmented.pop()
        });
    });
    let stack = Stack::new();
    bench.bench_function("stack: push and pop", |b| {
        b.iter(|| {
            stack.push(black_box(7_u64));
            stack.pop()
        });
    });

    let cell = RcuCell::new([7_u64; 8]);
    bench.bench_function("rcu cell: load", |b| b.iter(|| black_box(&cell).load()[0]));
    bench.bench_function("rcu cell: store", |b| b.iter(|| cell.store(black_box([8; 8]))));
    let lock = SeqLock::new([7_u64; 4]);
    bench.bench_function("seqlock: read 4 words", |b| b.iter(|| black_box(&lock).read()));
    bench.bench_function("seqlock: write 4 words", |b| b.iter(|| lock.write(black_box([8; 4]))));
    let counter = Counter::new();
    bench.bench_function("counter: add", |b| b.iter(|| counter.add(black_box(1))));
    bench.bench_function("counter: sum", |b| b.iter(|| black_box(&counter).sum()));
}

/// Time per item from one thread to another, all items of a measurement in one go.
fn between_two(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("from thread to thread");
    group.throughput(Throughput::Elements(1));
    group.bench_function("ring", |b| {
        b.iter_custom(|count| {
            let (mut producer, mut consumer) = spsc_ring(1024);
            transfer(count, move |item| producer.push(item).is_ok(), move || consumer.pop())
        });
    });
    group.bench_function("ring, slices of 64", |b| {
        b.iter_custom(|count| {
            let (mut producer, mut consumer) = spsc_ring(1024);
            let started = Instant::now();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let mut left = usize::try_from(count).expect("a count of this machine");
                    while left > 0 {
                        left -= producer.push_slice(&[7_u64; 64][..left.min(64)]);
                    }
                });
                let (mut sum, mut block) = (0, [0; 64]);
                while sum < 7 * count {
                    let taken = consumer.pop_slice(&mut block);
                    sum += block[..taken].iter().sum::<u64>();
                }
                assert_eq!(sum, 7 * count);
            });
            started.elapsed()
        });
    });
    group.bench_function("array queue", |b| {
        b.iter_custom(|count| {
            let queue = ArrayQueue::new(1024);
            transfer(count, |item| queue.push(item).is_ok(), || queue.pop())
        });
    });
    group.bench_function("segmented queue", |b| {
        b.iter_custom(|count| {
            let queue = SegmentedQueue::new();
            let push = |item| {
                queue.push(item);
                true
            };
            transfer(count, push, || queue.pop())
        });
    });
    group.bench_function("stack", |b| {
        b.iter_custom(|count| {
            let stack = Stack::new();
            let push = |item| {
                stack.push(item);
                true
            };
            transfer(count, push, || stack.pop())
        });
    });
    group.finish();
}

/// Sends the numbers below `count` and checks their sum.
fn transfer(
    count: u64,
    mut push: impl FnMut(u64) -> bool + Send,
    mut pop: impl FnMut() -> Option<u64>,
) -> Duration {
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            for item in 0..count {
                while !push(item) {
                    spin_loop();
                }
            }
        });
        let (mut taken, mut sum) = (0, 0_u64);
        while taken < count {
            match pop() {
                Some(item) => {
                    sum = sum.wrapping_add(item);
                    taken += 1;
                }
                None => spin_loop(),
            }
        }
        assert_eq!(sum, (0..count).sum::<u64>());
    });
    started.elapsed()
}

/// A reader's cost while another thread writes all the time.
fn read_under_writing(bench: &mut Criterion) {
    let stop = AtomicBool::new(false);
    let (cell, lock, counter) = (RcuCell::new([7_u64; 4]), SeqLock::new([7_u64; 4]), Counter::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                cell.store([8; 4]);
                lock.write([8; 4]);
                counter.add(1);
            }
        });
        bench.bench_function("rcu cell: load, under writing", |b| b.iter(|| black_box(&cell).load()[0]));
        bench.bench_function("seqlock: read, under writing", |b| b.iter(|| black_box(&lock).read()));
        bench.bench_function("counter: add, under adding", |b| b.iter(|| counter.add(black_box(1))));
        stop.store(true, Ordering::Relaxed);
    });
}

criterion_group!(benches, alone, between_two, read_under_writing);
criterion_main!(benches);
