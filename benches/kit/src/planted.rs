//! Faults on request, for tests of the engine: an instrument is trusted when it finds what was put there.
//!
//! - `COMPARE_KIT_CORRUPT=1` flips one bit of one result of every iteration of every workload. The engine must say
//!   `wrong`.
//! - `COMPARE_KIT_SLOW_PERCENT=10` makes every batch take that much longer, by spinning while the clock runs. The
//!   engine must say `slower`.
//!
//! Both work in every contestant that uses the kit, and nobody sets them but tests.

use std::env;
use std::time::{Duration, Instant};

/// Whether results are to be made wrong.
pub(crate) fn corrupt() -> bool {
    env::var_os("COMPARE_KIT_CORRUPT").is_some_and(|value| value == "1")
}

/// Flips the lowest bit of the first result.
pub(crate) fn flip<'a>(mut results: impl Iterator<Item = &'a mut u64>) {
    if let Some(result) = results.next() {
        *result ^= 1;
    }
}

/// How much longer batches are to take, in percent.
pub(crate) fn slow_percent() -> u32 {
    let text = env::var("COMPARE_KIT_SLOW_PERCENT").unwrap_or_default();
    if text.is_empty() {
        return 0;
    }
    text.parse().unwrap_or_else(|_| {
        panic!("COMPARE_KIT_SLOW_PERCENT is `{text}`: set it to a whole number, such as 10")
    })
}

/// Spins until what began at `start` has taken `percent` longer than it has up to now.
pub(crate) fn dawdle(start: Instant, percent: u32) {
    if percent == 0 {
        return;
    }
    let goal = start.elapsed() * (100 + percent) / 100;
    while start.elapsed() < goal {
        std::hint::spin_loop();
    }
}

/// How long a batch took, planted slowness included; read once, before the clock starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    percent: u32,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let percent = slow_percent();
        Clock { start: Instant::now(), percent }
    }

    pub(crate) fn stop(self) -> Duration {
        dawdle(self.start, self.percent);
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flipping_changes_one_bit_of_one_result() {
        let mut results = vec![4, 5, 6];
        flip(results.iter_mut());
        assert_eq!(results, [5, 5, 6]);
        flip([].iter_mut());
    }

    #[test]
    fn dawdling_adds_the_percentage() {
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(2));
        let before = start.elapsed();
        dawdle(start, 50);
        assert!(start.elapsed() >= before * 3 / 2);
    }
}
