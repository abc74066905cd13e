//! What a task costs on the pool, beside a toy of the same shape: threads that share the receiver of a channel, and a
//! channel for each result. It can do nothing else: no cancelling, no end, no waiting inside a task.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use threads::Pool;

const WORKERS: usize = 2;
const TASKS: u64 = 1_000;

type Job = Box<dyn FnOnce() + Send>;

struct Toy {
    jobs: Sender<Job>,
}

impl Toy {
    fn new(workers: usize) -> Self {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..workers {
            let receiver = Arc::clone(&receiver);
            std::thread::spawn(move || {
                loop {
                    let job = receiver.lock().unwrap().recv();
                    let Ok(job) = job else { return };
                    job();
                }
            });
        }
        Toy { jobs }
    }

    fn spawn<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Receiver<R> {
        let (result, receiver) = mpsc::sync_channel(1);
        self.jobs.send(Box::new(move || drop(result.send(work())))).unwrap();
        receiver
    }
}

fn one_task(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one task there and back");
    let pool = Pool::new(WORKERS);
    group.bench_function("pool", |bencher| bencher.iter(|| pool.spawn(|| black_box(1)).join().unwrap()));
    let toy = Toy::new(WORKERS);
    group.bench_function("toy", |bencher| bencher.iter(|| toy.spawn(|| black_box(1)).recv().unwrap()));
    group.finish();
}

fn many_tasks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1000 tasks, then their results");
    group.throughput(Throughput::Elements(TASKS));
    let pool = Pool::new(WORKERS);
    group.bench_function("pool", |bencher| {
        bencher.iter_batched(
            || Vec::with_capacity(1_000),
            |mut tasks| {
                tasks.extend((0..TASKS).map(|number| pool.spawn(move || black_box(number))));
                tasks.into_iter().map(|task| task.join().unwrap()).sum::<u64>()
            },
            BatchSize::SmallInput,
        );
    });
    let toy = Toy::new(WORKERS);
    group.bench_function("toy", |bencher| {
        bencher.iter_batched(
            || Vec::with_capacity(1_000),
            |mut tasks| {
                tasks.extend((0..TASKS).map(|number| toy.spawn(move || black_box(number))));
                tasks.into_iter().map(|task: Receiver<u64>| task.recv().unwrap()).sum::<u64>()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn tasks_that_wait(criterion: &mut Criterion) {
    let pool = Arc::new(Pool::new(1));
    criterion.bench_function("a task that waits for another, on a pool of one", |bencher| {
        bencher.iter(|| {
            let inner = Arc::clone(&pool);
            pool.spawn(move || inner.spawn(|| black_box(1)).join().unwrap()).join().unwrap()
        });
    });
}

criterion_group!(benches, one_task, many_tasks, tasks_that_wait);
criterion_main!(benches);
