//! Enough work to fill the time, and the small sums that samples are made of.

use std::time::Duration;

use crate::row::Sample;

/// So many operations in so long.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Operations.
    pub count: u64,
    /// The time that all of them took together.
    pub took: Duration,
}

impl Timed {
    /// Nanoseconds for one operation.
    #[must_use]
    pub fn ns(self) -> f64 {
        ratio(self.took.as_nanos() as f64, self.count as f64)
    }

    /// A sample that holds nothing else.
    #[must_use]
    pub fn sample(self) -> Sample {
        Sample { values: vec![("ns", self.ns())], timed: Some(self.took) }
    }
}

/// Runs `body` with ever more operations until one run takes `least`; that run alone counts, the others warm up.
///
/// The number of operations is a multiple of `step`.
///
/// # Errors
/// What `body` says was wrong with its work.
pub fn adaptive(
    least: Duration,
    step: u64,
    mut body: impl FnMut(u64) -> Result<Duration, String>,
) -> Result<Timed, String> {
    let mut count = step;
    let mut warm = false;
    loop {
        let took = body(count)?;
        // The first run that is long enough has warmed up caches and threads, and is not counted.
        if warm && took >= least {
            return Ok(Timed { count, took });
        }
        warm |= took >= least / 4;
        // A fifth more than by rule of three, so that the next run is rarely too short.
        let factor = 1.2 * least.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let factor = factor.clamp(if took >= least { 1.0 } else { 1.2 }, GROWTH);
        let more = (count as f64 * factor) as u64;
        count = more.next_multiple_of(step).max(count + if took < least { step } else { 0 });
    }
}

/// `a / b`, or 0 where there is nothing to divide by.
#[must_use]
pub fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// The next number of a stream that any `state` may start. (SplitMix64: Guy Steele, Doug Lea, Christine Flood, "Fast
/// Splittable Pseudorandom Number Generators", OOPSLA 2014.)
#[must_use]
pub fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The most by which the number of operations grows at once: the first runs tell little of the later ones.
const GROWTH: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_that_counts_is_long_enough_and_not_the_first() {
        let mut runs = Vec::new();
        let timed = adaptive(Duration::from_millis(30), 2, |count| {
            runs.push(count);
            Ok(Duration::from_nanos(count * 100))
        })
        .expect("nothing is wrong");
        assert!(timed.took >= Duration::from_millis(30) && (timed.ns() - 100.0).abs() < 1e-9, "{timed:?}");
        assert!(runs.len() > 2 && runs.iter().all(|count| count % 2 == 0), "{runs:?}");
        assert!(timed.count < 600_000, "not much more than asked for: {timed:?}");
    }

    #[test]
    fn one_operation_that_fills_the_time_is_run_twice() {
        let mut runs = 0;
        let timed = adaptive(Duration::from_millis(1), 1, |count| {
            runs += 1;
            Ok(Duration::from_secs(1) * u32::try_from(count).expect("few"))
        });
        assert_eq!((timed.expect("nothing is wrong").count, runs), (1, 2));
    }

    #[test]
    fn what_is_wrong_ends_it() {
        assert_eq!(adaptive(Duration::ZERO, 1, |_| Err("lost".into())).expect_err("it is wrong"), "lost");
    }
}
