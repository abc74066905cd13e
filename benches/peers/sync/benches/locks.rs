//! The bodies of the rows on locks, for criterion: `cargo bench --manifest-path benches/peers/Cargo.toml`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use peers_kit::Place;
use peers_sync::locks::{barrier, condvar, mutex, rwlock, semaphore};

/// Benches a body; its work is verified here as it is in a row.
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

criterion_group!(benches, alone, between_threads);
criterion_main!(benches);
