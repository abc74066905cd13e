//! A mutex that several threads want, with work under the lock and between two locks.
//!
//! A sample has three parts, each with threads of its own, and each after a warm-up. *Throughput and fairness*: threads
//! count what they get and read no clock, while one more thread reads their counts every 100 ms; Jain's index of a window is
//! (Σx)² / (k Σx²), which is 1 where all k threads got the same and 1/k where one got all, or nobody anything (R. Jain, D. Chiu, W. Hawe, "A
//! Quantitative Measure of Fairness and Discrimination", DEC-TR-301, 1984). *Waits*: the clock is read before and after
//! each lock; a wait that was over in the warm-up is not told, one that began there and went on is told whole. *Control*: the same threads without the lock, see [`super::control`]: no lock can promise a shorter wait than
//! the scheduler does.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use peers_kit::{Contestant, Cpus, Job, Measure, Order, Place, Row, Sample, Timed, Work, ratio, together};

use super::control;
use super::is;
use super::mutex::Lock;

/// What each thread does again and again.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many threads there are.
    pub threads: usize,
    /// The work under the lock.
    pub hold: Duration,
    /// The work between two locks.
    pub outside: Duration,
}

/// A load, with its work made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) threads: usize,
    pub(super) hold: Work,
    pub(super) outside: Work,
}

impl Load {
    fn turn(self) -> Turn {
        let Self { threads, hold, outside } = self;
        Turn { threads, hold: Work::lasting(hold), outside: Work::lasting(outside) }
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for cpus in [Cpus::Free, Cpus::One] {
        for hold in [0, 300, 10_000].map(Duration::from_nanos) {
            for threads in [2, 4, 8, 32] {
                rows.push(row("contended", cpus, Load { threads, hold, outside: BARELY }));
            }
        }
    }
    for (hold, outside) in [(100, 300), (300, 300), (100, 3_000), (300, 3_000), (50_000, 50_000)] {
        for threads in [2, 4, 8] {
            let load =
                Load { threads, hold: Duration::from_nanos(hold), outside: Duration::from_nanos(outside) };
            rows.push(row("outside-work", Cpus::Free, load));
        }
    }
    rows
}

fn row(kind: &str, cpus: Cpus, load: Load) -> Row {
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let Load { threads, hold, outside } = load;
    let (name, about) = if kind == "contended" {
        (format!("mutex/contended/{threads}/{}us/{}", us(hold), cpus.word()), String::new())
    } else {
        let name = format!("mutex/{kind}/{threads}/{}us-{}us", us(hold), us(outside));
        (name, format!(" and work {} us without it", us(outside)))
    };
    let measures = vec![
        Measure::NS,
        Measure::more("jain", ""),
        Measure::more("jain_worst", ""),
        Measure::less("longest_us", "us"),
        Measure::less("control_gap_us", "us"),
    ];
    Row {
        name,
        about: format!("{threads} threads hold the lock for {} us{about}, over and over", us(hold)),
        cpus,
        measures,
        contestants: vec![
            Contestant::new("sync", move |order| contended::<sync::Mutex<u64>>(order, load)),
            Contestant::new("std", move |order| contended::<std::sync::Mutex<u64>>(order, load)),
            Contestant::new("parking_lot", move |order| contended::<parking_lot::Mutex<u64>>(order, load)),
        ],
    }
}

fn contended<L: Lock>(order: &Order, load: Load) -> Result<Sample, String> {
    let turn = load.turn();
    let window = WINDOW.max(order.least / WINDOWS);
    let shares = shares::<L>(&order.place, turn, window)?;
    let longest = longest_wait::<L>(&order.place, turn, window * WINDOWS)?;
    let gap = control::longest_gap(&order.place, turn, window * WINDOWS);
    let us = |time: Duration| time.as_nanos() as f64 / 1e3;
    let values = vec![
        ("ns", ratio(shares.time.as_nanos() as f64, shares.count as f64)),
        ("jain", shares.jain.iter().sum::<f64>() / shares.jain.len() as f64),
        ("jain_worst", shares.jain.iter().copied().fold(1.0, f64::min)),
        ("longest_us", us(longest)),
        ("control_gap_us", us(gap)),
    ];
    Ok(Sample { values, timed: Some(shares.time) })
}

/// How often threads got the lock in two windows after a warm-up: the first part of a sample, alone.
///
/// # Errors
/// If an addition is lost, or nobody got the lock.
pub fn throughput<L: Lock>(place: &Place, load: Load, window: Duration) -> Result<Timed, String> {
    let shares = shares::<L>(place, load.turn(), window)?;
    Ok(Timed { count: shares.count, took: shares.time })
}

/// What the windows of a sample saw.
struct Shares {
    count: u64,
    time: Duration,
    /// Of each window.
    jain: Vec<f64>,
}

fn shares<L: Lock>(place: &Place, turn: Turn, window: Duration) -> Result<Shares, String> {
    let lock = CachePadded::new(L::new());
    let stop = CachePadded::new(AtomicBool::new(false));
    let counts: Vec<_> = (0..turn.threads).map(|_| CachePadded::new(AtomicU64::new(0))).collect();
    let mut shares = Shares { count: 0, time: Duration::ZERO, jain: Vec::new() };
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for own in &counts {
        let (lock, stop) = (&lock, &stop);
        jobs.push(Box::new(move || {
            let mut count = 0;
            // Relaxed: the flag only ends the sample, and the count is read by nobody who acts on anything else.
            while !stop.load(Ordering::Relaxed) {
                lock.with(|value| {
                    *value += 1;
                    turn.hold.run();
                });
                count += 1;
                own.store(count, Ordering::Relaxed);
                turn.outside.run();
            }
        }));
    }
    // The last job, so that bound to CPUs it takes the place of no thread that works.
    jobs.push(Box::new(|| {
        thread::sleep(WARM_UP);
        let look =
            || (Instant::now(), counts.iter().map(|it| it.load(Ordering::Relaxed)).collect::<Vec<_>>());
        let mut last = look();
        for _ in 0..WINDOWS {
            thread::sleep(window);
            let now = look();
            let got: Vec<u64> = now.1.iter().zip(&last.1).map(|(now, last)| now - last).collect();
            shares.count += got.iter().sum::<u64>();
            shares.time += now.0 - last.0;
            shares.jain.push(jain(&got));
            last = now;
        }
        stop.store(true, Ordering::Relaxed);
    }));
    let _whole = together(place, jobs);
    let expected = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
    is("additions", lock.with(|value| *value), expected)?;
    if shares.count == 0 { Err("nobody got the lock in any window".into()) } else { Ok(shares) }
}

fn longest_wait<L: Lock>(place: &Place, turn: Turn, time: Duration) -> Result<Duration, String> {
    let lock = CachePadded::new(L::new());
    let mut found = vec![CachePadded::new((0_u64, Duration::ZERO)); turn.threads];
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for found in &mut found {
        let (lock, (count, longest)) = (&lock, &mut **found);
        jobs.push(Box::new(move || {
            let start = Instant::now();
            let mut now = start;
            while now - start < WARM_UP + time {
                let came = Instant::now();
                now = lock.with(|value| {
                    *value += 1;
                    let got = Instant::now();
                    turn.hold.run();
                    got
                });
                *count += 1;
                if counts(now - start) {
                    *longest = (*longest).max(now - came);
                }
                turn.outside.run();
            }
        }));
    }
    let _whole = together(place, jobs);
    let expected = found.iter().map(|found| found.0).sum();
    is("additions", lock.with(|value| *value), expected)?;
    Ok(found.iter().map(|found| found.1).max().unwrap_or_default())
}

/// Whether a wait or a gap that ends so long after the start is one of the sample's. When it began does not matter: what
/// lasts since the warm-up is the longest of all.
pub(super) fn counts(ends: Duration) -> bool {
    ends >= WARM_UP
}

/// Jain's index of shares. Where nobody got any, all was withheld from all but the one who had the lock throughout.
fn jain(got: &[u64]) -> f64 {
    let (sum, squares) = got.iter().fold((0.0, 0.0), |(sum, squares), &it| {
        let it = it as f64;
        (sum + it, squares + it * it)
    });
    let k = got.len() as f64;
    if squares > 0.0 { sum * sum / (squares * k) } else { 1.0 / k }
}

/// Threads find their pace.
pub(super) const WARM_UP: Duration = Duration::from_millis(50);

/// Long enough for each of 32 threads to have its turn, short enough for a hog to show.
const WINDOW: Duration = Duration::from_millis(100);

const WINDOWS: u32 = 2;

/// What any program does between two locks, at the least.
pub const BARELY: Duration = Duration::from_nanos(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index_is_one_for_equals_and_one_kth_for_a_hog() {
        assert!((jain(&[7, 7, 7]) - 1.0).abs() < 1e-12);
        assert!((jain(&[9, 0, 0]) - 1.0 / 3.0).abs() < 1e-12);
        assert!((jain(&[0, 0, 0]) - 1.0 / 3.0).abs() < 1e-12, "somebody had it all the while");
    }

    /// A lock whose second acquisition takes until long after the warm-up.
    struct Stuck {
        value: std::sync::Mutex<u64>,
        taken: AtomicU64,
    }

    impl Lock for Stuck {
        fn new() -> Self {
            Self { value: 0.into(), taken: AtomicU64::new(0) }
        }

        fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
            if self.taken.fetch_add(1, Ordering::Relaxed) == 1 {
                thread::sleep(4 * WARM_UP);
            }
            self.value.with(f)
        }
    }

    #[test]
    fn a_wait_that_began_in_the_warm_up_is_told_whole() {
        let turn =
            Turn { threads: 1, hold: Work::lasting(Duration::ZERO), outside: Work::lasting(Duration::ZERO) };
        let longest = longest_wait::<Stuck>(&Place::free(), turn, WARM_UP).expect("it is right");
        assert!(longest >= 4 * WARM_UP, "{longest:?}");
    }

    /// A lock that the first two get at once.
    struct Lax {
        value: AtomicU64,
        came: AtomicU64,
    }

    impl Lock for Lax {
        fn new() -> Self {
            Self { value: 0.into(), came: 0.into() }
        }

        fn with<R>(&self, f: impl FnOnce(&mut u64) -> R) -> R {
            let (mut copy, begin) = (self.value.load(Ordering::Relaxed), Instant::now());
            self.came.fetch_add(1, Ordering::Relaxed);
            while self.came.load(Ordering::Relaxed) < 2 && begin.elapsed() < Duration::from_secs(9) {
                thread::yield_now();
            }
            let result = f(&mut copy);
            self.value.store(copy, Ordering::Relaxed);
            result
        }
    }

    #[test]
    fn a_lock_that_two_get_at_once_is_found_out() {
        let load = Load { threads: 2, hold: Duration::ZERO, outside: Duration::ZERO };
        let order = Order { least: Duration::ZERO, seed: 1, place: Place::free() };
        let wrong = contended::<Lax>(&order, load).expect_err("an addition is lost");
        assert!(wrong.starts_with("additions"), "{wrong}");
        let nothing = Work::lasting(Duration::ZERO);
        let turn = Turn { threads: 2, hold: nothing, outside: nothing };
        let wrong = longest_wait::<Lax>(&Place::free(), turn, WARM_UP).expect_err("an addition is lost");
        assert!(wrong.starts_with("additions"), "{wrong}");
    }

    #[test]
    fn a_sample_counts_all_that_was_done() {
        let load = Load { threads: 3, hold: Duration::ZERO, outside: BARELY };
        let order = Order { least: Duration::from_millis(1), seed: 1, place: Place::free() };
        let sample = contended::<std::sync::Mutex<u64>>(&order, load).expect("it is right");
        let value = |name| sample.values.iter().find(|it| it.0 == name).expect("it is there").1;
        assert!(value("ns") > 0.0 && value("jain") <= 1.0 && value("jain_worst") <= value("jain"));
        assert!(value("longest_us") > 0.0 && value("control_gap_us") > 0.0);
        assert!(sample.timed >= Some(2 * WINDOW));
    }
}
