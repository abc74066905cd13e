//! The bodies of the rows on locks and on waits, for criterion: `cargo bench --manifest-path benches/peers/Cargo.toml`.

use std::thread;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use peers_kit::Place;
use peers_sync::locks::contended::{BARELY, Load};
use peers_sync::locks::{barrier, condvar, contended, mutex, rwlock, semaphore};
use peers_sync::waits;

/// Benches a body; what it verifies in a row, it verifies here.
fn bench(criterion: &mut Criterion, group: &str, name: &str, body: impl Fn(u64) -> Result<Duration, String>) {
    criterion.benchmark_group(group).bench_function(name, |bencher| {
        bencher.iter_custom(|count| body(count).expect("the work is right"));
    });
}

fn alone(criterion: &mut Criterion) {
    bench(criterion, "mutex/uncontended", "sync", mutex::uncontended::<sync::Mutex<u64>>);
    bench(criterion, "mutex/uncontended", "std", mutex::uncontended::<std::sync::Mutex<u64>>);
    bench(criterion, "mutex/uncontended", "parking_lot", mutex::uncontended::<parking_lot::Mutex<u64>>);
    bench(criterion, "mutex/async-uncontended", "sync", mutex::async_uncontended::<sync::Mutex<u64>>);
    bench(criterion, "mutex/async-uncontended", "tokio", mutex::async_uncontended::<tokio::sync::Mutex<u64>>);
    bench(
        criterion,
        "mutex/async-uncontended",
        "async-lock",
        mutex::async_uncontended::<async_lock::Mutex<u64>>,
    );
}

/// The count of a body that wants a multiple of `step`; what it does too much is taken off the time again.
fn in_steps(
    step: u64,
    body: impl Fn(&Place, u64) -> Result<Duration, String>,
) -> impl Fn(u64) -> Result<Duration, String> {
    move |count| {
        let rounded = count.next_multiple_of(step);
        let took = body(&Place::free(), rounded)?;
        Ok(took.mul_f64(count as f64 / rounded as f64))
    }
}

fn between_threads(criterion: &mut Criterion) {
    type Ours = sync::RwLock<u64>;
    type Std = std::sync::RwLock<u64>;
    type ParkingLot = parking_lot::RwLock<u64>;
    bench(criterion, "rwlock/read-only", "sync", in_steps(2, rwlock::two_threads::<Ours, 0>));
    bench(criterion, "rwlock/read-only", "std", in_steps(2, rwlock::two_threads::<Std, 0>));
    bench(criterion, "rwlock/read-only", "parking_lot", in_steps(2, rwlock::two_threads::<ParkingLot, 0>));
    bench(criterion, "rwlock/95-5", "sync", in_steps(2, rwlock::two_threads::<Ours, 5>));
    bench(criterion, "rwlock/95-5", "std", in_steps(2, rwlock::two_threads::<Std, 5>));
    bench(criterion, "rwlock/95-5", "parking_lot", in_steps(2, rwlock::two_threads::<ParkingLot, 5>));
    bench(criterion, "semaphore/3x8", "sync", in_steps(8, semaphore::eight_threads::<sync::Semaphore>));
    bench(criterion, "semaphore/3x8", "std", in_steps(8, semaphore::eight_threads::<semaphore::Std>));
    bench(criterion, "condvar/ping-pong", "sync", in_steps(1, condvar::ping_pong::<condvar::Ours>));
    bench(criterion, "condvar/ping-pong", "std", in_steps(1, condvar::ping_pong::<condvar::Std>));
    bench(criterion, "barrier/2", "sync", in_steps(1, barrier::two_threads::<sync::Barrier>));
    bench(criterion, "barrier/2", "std", in_steps(1, barrier::two_threads::<std::sync::Barrier>));
}

/// A group for a look: a row has rounds of fresh processes for what differs from run to run.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group
}

fn wanted_by_several(criterion: &mut Criterion) {
    fn bench<L: mutex::Lock>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, load: Load) {
        group.bench_function(name, |bencher| {
            // How long it runs is up to the body, and not to the count.
            bencher.iter_custom(|count| {
                let window = Duration::from_millis(10);
                let timed = contended::throughput::<L>(&Place::free(), load, window);
                let timed = timed.expect("the work is right");
                timed.took.mul_f64(count as f64 / timed.count as f64)
            });
        });
    }
    for threads in [2, 8] {
        for (name, hold) in [("0us", Duration::ZERO), ("0.3us", Duration::from_nanos(300))] {
            let mut group = group(criterion, &format!("mutex/contended/{threads}/{name}"));
            let load = Load { threads, hold, outside: BARELY };
            bench::<sync::Mutex<u64>>(&mut group, "sync", load);
            bench::<std::sync::Mutex<u64>>(&mut group, "std", load);
            bench::<parking_lot::Mutex<u64>>(&mut group, "parking_lot", load);
        }
    }
}

/// What is timed is by how much each wait is late.
fn late(criterion: &mut Criterion) {
    let mut group = group(criterion, "timed-wait/1ms/late");
    type Wait = fn(Duration);
    for (name, wait) in [
        ("kernel", thread::sleep as Wait),
        ("sync", waits::sync_event),
        ("sync-async", waits::sync_event_async),
        ("std", waits::std_condvar),
        ("parking_lot", waits::parking_lot_condvar),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                waits::late_by(Duration::from_millis(1), count, wait).expect("no wait ends early")
            });
        });
    }
}

criterion_group!(benches, alone, between_threads, wanted_by_several, late);
criterion_main!(benches);
