//! What the scheduler alone does to as many threads: the longest time from one turn to the next of the same thread, where
//! nobody waits for anybody.
//!
//! Timed from turn to turn: a thread that is put off the CPU between two readings of the clock around nothing would show
//! only where it happened to be put off in between.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use peers_kit::{Job, Place, together};

use super::contended::{Turn, WARM_UP, counts};

/// The longest gap that one of the threads saw within `time`.
pub(super) fn longest_gap(place: &Place, turn: Turn, time: Duration) -> Duration {
    let mut gaps = vec![CachePadded::new(Duration::ZERO); turn.threads];
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for longest in &mut gaps {
        jobs.push(Box::new(move || {
            let start = Instant::now();
            let (mut value, mut last) = (0_u64, start);
            while last - start < WARM_UP + time {
                value = black_box(value + 1);
                turn.hold.run();
                turn.outside.run();
                let now = Instant::now();
                if counts(now - start) {
                    **longest = (**longest).max(now - last);
                }
                last = now;
            }
        }));
    }
    let _whole = together(place, jobs);
    gaps.iter().map(|gap| **gap).max().unwrap_or_default()
}
