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
        if self.steps > 0 {
            run_steps(self.steps);
        }
    }
}

/// One copy for all contestants and for the trials, and nothing but registers: where each contestant had a copy of its own, and
/// each step went by the stack, the same steps took up to a tenth longer in one than in another.
#[inline(never)]
fn run_steps(steps: u64) {
    let mut value = black_box(1_u64);
    for _ in 0..steps {
        // The shift keeps the compiler from joining two multiplications.
        value = (value ^ value >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    black_box(value);
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
