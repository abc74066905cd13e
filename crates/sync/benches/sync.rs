//! What one operation costs, alone and between two threads. Beside some stands what the standard library offers, which
//! waits in fewer ways.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use sync::park::block_on;
use sync::{Event, Mutex, Queue, Semaphore, Task, promise};

fn uncontended(bench: &mut Criterion) {
    let mutex = Mutex::new(0_u64);
    bench.bench_function("mutex: lock and unlock", |b| b.iter(|| *black_box(&mutex).lock() += 1));
    bench.bench_function("mutex: lock and unlock, awaited", |b| {
        b.iter(|| block_on(async { *black_box(&mutex).lock_async().await += 1 }));
    });
    let std_mutex = std::sync::Mutex::new(0_u64);
    bench.bench_function("std mutex: lock and unlock", |b| {
        b.iter(|| black_box(&std_mutex).lock().map(|mut number| *number += 1).is_ok());
    });

    let semaphore = Semaphore::new(2);
    bench.bench_function("semaphore: acquire and release", |b| {
        b.iter(|| black_box(&semaphore).acquire().map(|permit| permit.count()));
    });

    let event = Event::new();
    bench.bench_function("event: set, wait and clear", |b| {
        b.iter(|| {
            black_box(&event).set();
            event.wait();
            event.clear();
        });
    });

    let queue = Queue::bounded(16);
    bench.bench_function("bounded queue: put and get", |b| {
        b.iter(|| black_box(&queue).put(7_u64).is_ok_and(|()| queue.get() == Ok(7)));
    });
    let (sender, receiver) = mpsc::sync_channel(16);
    bench.bench_function("std channel: send and receive", |b| {
        b.iter(|| black_box(&sender).send(7_u64).is_ok_and(|()| receiver.recv() == Ok(7)));
    });
}

fn tasks(bench: &mut Criterion) {
    bench.bench_function("task: promise, finish and join", |b| {
        b.iter(|| {
            let (promise, task) = promise();
            promise.finish(Ok(black_box(7_u64)));
            task.join().is_ok()
        });
    });
    bench.bench_function("task: promise, callback and finish", |b| {
        b.iter(|| {
            let (promise, task) = promise();
            task.on_done(|result| {
                black_box(result.is_ok());
            });
            promise.finish(Ok(7_u64));
        });
    });
    bench.bench_function("as_completed: 100 tasks that have ended", |b| {
        b.iter(|| sync::as_completed((0..100).map(|number| Task::ready(Ok(number)))).count());
    });
}

/// A round trip between two threads: both sleep and are woken each time.
fn ping_pong(bench: &mut Criterion) {
    let (there, back) = (Queue::bounded(1), Queue::bounded(1));
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in &there {
                if back.put(number).is_err() {
                    break;
                }
            }
        });
        bench.bench_function("queue: there and back between two threads", |b| {
            b.iter(|| there.put(7_u64).is_ok_and(|()| back.get() == Ok(7)));
        });
        there.close();
    });

    let ((there, comes), (back, returns)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
    thread::scope(|scope| {
        scope.spawn(move || comes.into_iter().try_for_each(|number| back.send(number)));
        bench.bench_function("std channel: there and back between two threads", |b| {
            b.iter(|| there.send(7_u64).is_ok_and(|()| returns.recv() == Ok(7)));
        });
        drop(there);
    });
}

criterion_group!(benches, uncontended, tasks, ping_pong);
criterion_main!(benches);
