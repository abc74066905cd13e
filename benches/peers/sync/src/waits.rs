//! Waits that nobody ends: how late a deadline is served, and what it costs to give up.
//!
//! *Lateness* is measured in turn with a plain sleep of the same length in the same process: what the kernel adds to every
//! timer is nobody's fault. A wait that ends early is wrong.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Measure, Order, Row, Sample, random, ratio};

use crate::system::heap_bytes;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for ms in [1, 10] {
        let limit = Duration::from_millis(ms);
        rows.push(late_row(
            format!("timed-wait/{ms}ms"),
            format!("a thread waits at most {ms} ms for what never comes"),
            vec![
                Contestant::new("sync", move |_| late(limit, sync_event)),
                Contestant::new("std", move |_| late(limit, std_condvar)),
                Contestant::new("parking_lot", move |_| late(limit, parking_lot_condvar)),
            ],
        ));
        rows.push(late_row(
            format!("timed-wait/{ms}ms-async"),
            format!("a task awaits at most {ms} ms what never comes, without a runtime"),
            vec![Contestant::new("sync", move |_| late(limit, sync_event_async))],
        ));
    }
    rows.push(Row {
        name: "cancel/100k".into(),
        about: "100,000 tasks await one lock, and all give up, in a random order; one of them".into(),
        cpus: Cpus::One,
        measures: vec![Measure::NS, Measure::less("growth", "x"), Measure::less("heap_bytes", "B")],
        contestants: vec![
            Contestant::new("sync", |order| {
                let lock = sync::Mutex::new(());
                let _held = lock.try_lock();
                cancel(order, || lock.lock_async())
            }),
            Contestant::new("tokio", |order| {
                let lock = tokio::sync::Mutex::new(());
                let _held = lock.try_lock();
                cancel(order, || lock.lock())
            }),
            Contestant::new("async-lock", |order| {
                let lock = async_lock::Mutex::new(());
                let _held = lock.try_lock();
                cancel(order, || lock.lock())
            }),
        ],
    });
    rows
}

fn late_row(name: String, about: String, contestants: Vec<Contestant>) -> Row {
    let measures = vec![
        Measure::less("late_p99_us", "us"),
        Measure::less("kernel_late_p99_us", "us"),
        Measure::less("over_kernel_p99_us", "us"),
    ];
    Row { name, about, cpus: Cpus::Free, measures, contestants }
}

/// How late waits of `limit` end, and how late the kernel's own sleep does.
///
/// # Errors
/// If a wait ends early.
pub fn late(limit: Duration, wait: impl Fn(Duration)) -> Result<Sample, String> {
    // What is lazy starts with the first.
    wait(limit);
    let (mut kernel, mut own) = (Vec::with_capacity(WAITS), Vec::with_capacity(WAITS));
    // In turn, so that whatever disturbs the machine for a while disturbs both.
    for _ in 0..WAITS {
        kernel.push(lateness(limit, thread::sleep)?);
        own.push(lateness(limit, &wait)?);
    }
    let (kernel, own) = (p99(kernel), p99(own));
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let values = vec![
        ("late_p99_us", us(own)),
        ("kernel_late_p99_us", us(kernel)),
        ("over_kernel_p99_us", us(own) - us(kernel)),
    ];
    Ok(Sample { values, timed: Some(limit * WAITS as u32) })
}

/// By how much `count` waits of `limit` end late, all together.
///
/// # Errors
/// If one ends early.
pub fn late_by(limit: Duration, count: u64, wait: impl Fn(Duration)) -> Result<Duration, String> {
    (0..count).map(|_| lateness(limit, &wait)).sum()
}

fn lateness(limit: Duration, wait: impl Fn(Duration)) -> Result<Duration, String> {
    let start = Instant::now();
    wait(limit);
    let took = start.elapsed();
    took.checked_sub(limit).ok_or_else(|| format!("a wait of {limit:?} ended after {took:?}"))
}

fn p99(mut late: Vec<Duration>) -> Duration {
    late.sort_unstable();
    late[late.len() * 99 / 100 - 1]
}

/// A thread waits for an event of ours.
pub fn sync_event(limit: Duration) {
    assert!(sync::Event::new().wait_timeout(limit).is_err(), "nobody set it");
}

/// A task awaits one.
pub fn sync_event_async(limit: Duration) {
    assert!(block_on(sync::Event::new().wait_async_timeout(limit)).is_err(), "nobody set it");
}

/// A thread waits for a notification, with std.
pub fn std_condvar(limit: Duration) {
    let (lock, never) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
    let guard = lock.lock().expect("nobody panics under it");
    let (_guard, ended) = never.wait_timeout_while(guard, limit, |()| true).expect("nobody panics under it");
    assert!(ended.timed_out(), "nobody notified it");
}

/// A thread waits for a notification, with parking_lot.
pub fn parking_lot_condvar(limit: Duration) {
    let (lock, never) = (parking_lot::Mutex::new(()), parking_lot::Condvar::new());
    let ended = never.wait_while_for(&mut lock.lock(), |()| true, limit);
    assert!(ended.timed_out(), "nobody notified it");
}

fn cancel<F: Future>(order: &Order, wait: impl Fn() -> F) -> Result<Sample, String> {
    // Both crowds warm up, and are measured in turn.
    for crowd in [FEW, CROWD] {
        cancelled(crowd, order.seed, &wait)?;
    }
    let (mut few, mut many) = (Vec::new(), Vec::new());
    let (mut timed, mut heap) = (Duration::ZERO, 0.0_f64);
    while timed < order.least || many.is_empty() {
        few.push(cancelled(FEW, order.seed, &wait)?.ns);
        let crowd = cancelled(CROWD, order.seed, &wait)?;
        many.push(crowd.ns);
        timed += crowd.took;
        heap = heap.max(crowd.heap_bytes);
    }
    let (few, many) = (middle(few), middle(many));
    let values = vec![("ns", many), ("growth", ratio(many, few)), ("heap_bytes", heap)];
    Ok(Sample { values, timed: Some(timed) })
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Cancelled {
    ns: f64,
    took: Duration,
    /// Allocated for each that waits.
    heap_bytes: f64,
}

/// `crowd` futures wait and are dropped, in a random order.
fn cancelled<F: Future>(crowd: usize, seed: u64, wait: impl Fn() -> F) -> Result<Cancelled, String> {
    // Rounds over the few, so that a time can be read at all.
    let repeats = (CROWD / crowd / 10).max(1);
    let (mut took, mut heap) = (Duration::ZERO, 0.0_f64);
    for _ in 0..repeats {
        let mut waiting: Vec<Pin<Box<F>>> = (0..crowd).map(|_| Box::pin(wait())).collect();
        let mut order: Vec<usize> = (0..crowd).collect();
        let mut state = seed;
        for last in (1..crowd).rev() {
            order.swap(last, (random(&mut state) % (last as u64 + 1)) as usize);
        }
        let before = heap_bytes();
        let mut context = Context::from_waker(Waker::noop());
        for future in &mut waiting {
            if future.as_mut().poll(&mut context).is_ready() {
                return Err("a lock that is held was given to another".into());
            }
        }
        let now = heap_bytes();
        if let Some((before, now)) = before.zip(now) {
            heap = heap.max(now.saturating_sub(before) as f64 / crowd as f64);
        }
        let mut waiting: Vec<Option<Pin<Box<F>>>> = waiting.into_iter().map(Some).collect();
        let start = Instant::now();
        for index in order {
            waiting[index] = None;
        }
        took += start.elapsed();
    }
    Ok(Cancelled { ns: ratio(took.as_nanos() as f64, (crowd * repeats) as f64), took, heap_bytes: heap })
}

/// The waits of a sample: the p99 is the second longest.
const WAITS: usize = 200;

const CROWD: usize = 100_000;

/// The crowd that the large one is compared with.
const FEW: usize = CROWD / 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_ends_early_is_wrong() {
        let wrong = late(Duration::from_millis(1), |_| ()).expect_err("it did not wait");
        assert!(wrong.contains("a wait of 1ms ended after"), "{wrong}");
    }

    #[test]
    fn a_lock_that_is_not_held_is_found_out() {
        let lock = async_lock::Mutex::new(());
        let order = Order { least: Duration::ZERO, seed: 1, place: peers_kit::Place::free() };
        let wrong = cancel(&order, || lock.lock()).expect_err("it is free");
        assert!(wrong.contains("held"), "{wrong}");
    }

    #[test]
    fn what_is_waited_for_and_the_kernels_own_sleep_take_turns() {
        let limit = Duration::from_micros(100);
        let (waited, ended) = (std::cell::Cell::new(0), std::cell::Cell::new(None::<Instant>));
        let sample = late(limit, |limit| {
            // The kernel's is between any two, from the first that counts on.
            let slept = ended.get().map_or(Duration::MAX, |ended| ended.elapsed());
            assert!(slept >= limit, "{slept:?} passed since the wait before");
            waited.set(waited.get() + 1);
            thread::sleep(limit + Duration::from_millis(1));
            ended.set(Some(Instant::now()));
        });
        let values = sample.expect("no wait ends early").values;
        let value = |name| values.iter().find(|it| it.0 == name).expect("it is there").1;
        assert_eq!(waited.get(), 1 + WAITS);
        assert!(value("late_p99_us") >= 1000.0, "{values:?}");
        let over = value("late_p99_us") - value("kernel_late_p99_us");
        assert!((value("over_kernel_p99_us") - over).abs() < 1e-9, "{values:?}");
    }

    #[test]
    fn both_crowds_wait_before_they_are_measured() {
        let lock = async_lock::Mutex::new(());
        let _held = lock.try_lock();
        let waits = std::cell::Cell::new(0);
        let order = Order { least: Duration::ZERO, seed: 1, place: peers_kit::Place::free() };
        let wait = || {
            waits.set(waits.get() + 1);
            lock.lock()
        };
        let sample = cancel(&order, wait).expect("nobody gets it");
        // Ten times the few and once the many, to warm up and to be measured.
        assert_eq!(waits.get(), 2 * (10 * FEW + CROWD));
        assert!(sample.values.iter().all(|(_, value)| value.is_finite()), "{sample:?}");
    }
}
