//! Work of a known length that reads no clock, for what is done under a lock and between two locks.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A number of steps, each of which needs the one before.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    steps: u64,
}

impl Work {
    /// Work that takes about so long on a CPU of its own. Takes some milliseconds to find out how much that is.
    #[must_use]
    pub fn lasting(time: Duration) -> Self {
        if time.is_zero() {
            return Self { steps: 0 };
        }
        // The fastest of several: whatever disturbs makes it slower, and nothing makes it faster.
        let fastest = (0..TRIALS).map(|_| {
            let start = Instant::now();
            Self { steps: TRIAL_STEPS }.run();
            start.elapsed()
        });
        let ns = fastest.min().unwrap_or_default().as_nanos().max(1) as f64;
        Self { steps: (time.as_nanos() as f64 * TRIAL_STEPS as f64 / ns).round().max(1.0) as u64 }
    }

    /// Does it.
    #[inline]
    pub fn run(self) {
        let mut value = 1_u64;
        for _ in 0..self.steps {
            // Opaque, so that the steps are neither joined nor left out.
            value = black_box(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
    }
}

const TRIALS: u32 = 20;

/// Some tens of microseconds: short against a time slice.
const TRIAL_STEPS: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_lasts_no_less_than_it_says() {
        Work::lasting(Duration::ZERO).run();
        let work = Work::lasting(Duration::from_millis(1));
        let fastest = (0..20).map(|_| {
            let start = Instant::now();
            work.run();
            start.elapsed()
        });
        // Half: clocks of CPUs change between the trials and now.
        assert!(fastest.min() >= Some(Duration::from_micros(500)));
    }
}
