//! Waits that nobody ends: how late a deadline is served, and what it costs to give up.
//!
//! *Lateness* is measured beside a plain sleep of the same length in the same process: what the kernel adds to every
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
    let kernel = late_p99(limit, thread::sleep)?;
    let own = late_p99(limit, wait)?;
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let values = vec![
        ("late_p99_us", us(own)),
        ("kernel_late_p99_us", us(kernel)),
        ("over_kernel_p99_us", us(own) - us(kernel)),
    ];
    Ok(Sample { values, timed: Some(limit * WAITS as u32) })
}

fn late_p99(limit: Duration, wait: impl Fn(Duration)) -> Result<Duration, String> {
    // What is lazy starts with the first.
    wait(limit);
    let mut late = Vec::with_capacity(WAITS);
    for _ in 0..WAITS {
        let start = Instant::now();
        wait(limit);
        let took = start.elapsed();
        late.push(
            took.checked_sub(limit).ok_or_else(|| format!("a wait of {limit:?} ended after {took:?}"))?,
        );
    }
    late.sort_unstable();
    Ok(late[WAITS * 99 / 100 - 1])
}

fn sync_event(limit: Duration) {
    assert!(sync::Event::new().wait_timeout(limit).is_err(), "nobody set it");
}

fn sync_event_async(limit: Duration) {
    assert!(block_on(sync::Event::new().wait_async_timeout(limit)).is_err(), "nobody set it");
}

fn std_condvar(limit: Duration) {
    let (lock, never) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
    let guard = lock.lock().expect("nobody panics under it");
    let (_guard, ended) = never.wait_timeout_while(guard, limit, |()| true).expect("nobody panics under it");
    assert!(ended.timed_out(), "nobody notified it");
}

fn parking_lot_condvar(limit: Duration) {
    let (lock, never) = (parking_lot::Mutex::new(()), parking_lot::Condvar::new());
    let ended = never.wait_while_for(&mut lock.lock(), |()| true, limit);
    assert!(ended.timed_out(), "nobody notified it");
}

fn cancel<F: Future>(order: &Order, wait: impl Fn() -> F) -> Result<Sample, String> {
    let few = cancelled(CROWD / 100, order.seed, &wait)?;
    let (mut ns, mut timed, mut heap) = (Vec::new(), Duration::ZERO, 0.0_f64);
    while timed < order.least {
        let many = cancelled(CROWD, order.seed, &wait)?;
        ns.push(many.ns);
        timed += many.took;
        heap = heap.max(many.heap_bytes);
    }
    ns.sort_unstable_by(f64::total_cmp);
    let ns = ns[ns.len() / 2];
    let values = vec![("ns", ns), ("growth", ratio(ns, few.ns)), ("heap_bytes", heap)];
    Ok(Sample { values, timed: Some(timed) })
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
}
