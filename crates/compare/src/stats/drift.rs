//! Did the machine change while we measured?
//!
//! A CPU that heats up or a neighbour that wakes makes late rounds slower than early ones. Pairing within rounds keeps
//! that out of the ratios; it does not keep it out of the values, and whoever reads them should know.
//!
//! The Theil-Sen slope alone would cry wolf: over six rounds of the noise in `docs/design/statistics.md` it shows a change
//! of 3 % or more in every third run of a machine that does not change. So it counts only together with Mann and
//! Kendall's test of "the order is random", which is exact here. (H. B. Mann, "Nonparametric Tests Against Trend",
//! Econometrica 13(3), 1945.)

use super::{
    ALPHA, Round,
    robust::{lag1_autocorrelation, theil_sen},
};

/// Above this autocorrelation neighbouring rounds resemble each other more than chance lets them.
pub const AUTOCORRELATION_MAX: f64 = 0.5;

/// Below this many rounds nothing is said.
pub const ROUNDS_MIN: usize = 6;

/// How a cell's value moved over the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Drift {
    /// The change from the first round to the last, as a fraction of the value, by the Theil-Sen slope.
    pub change: f64,
    /// The chance of an order at least as steady, up or down, if the order means nothing.
    pub p: f64,
    /// How much each round resembles the one before it.
    pub autocorrelation: f64,
    /// `change` is beyond the margin and `p` at most 5 %, or `autocorrelation` is above [`AUTOCORRELATION_MAX`].
    pub drifting: bool,
}

/// Looks at one cell's rounds, in order of time. `None` with fewer than [`ROUNDS_MIN`] values.
///
/// # Examples
/// ```
/// let warming_up = [10.0, 10.2, 10.3, 10.5, 10.6, 10.9].map(Some);
/// let drift = compare::stats::drift::drift(&warming_up, 0.03).expect("six rounds");
/// assert!(drift.drifting && drift.change > 0.08 && drift.change < 0.10);
/// ```
#[must_use]
pub fn drift(values: &[Round], margin: f64) -> Option<Drift> {
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(round, value)| Some((round as f64, value.filter(|v| v.is_finite() && *v > 0.0)?.ln())))
        .collect();
    if points.len() < ROUNDS_MIN {
        return None;
    }
    let logs: Vec<f64> = points.iter().map(|(_, log)| *log).collect();
    let rounds = points[points.len() - 1].0 - points[0].0;
    let total = theil_sen(&points)? * rounds;
    let p = mann_kendall(&logs);
    // Equal values have none, and resemble nothing.
    let autocorrelation = lag1_autocorrelation(&logs).unwrap_or(0.0);
    let drifting = (total.abs() > margin.ln_1p() && p <= ALPHA) || autocorrelation > AUTOCORRELATION_MAX;
    Some(Drift { change: total.exp_m1(), p, autocorrelation, drifting })
}

/// The exact two-sided p-value of Kendall's test of no trend.
///
/// It counts the pairs that are out of order; the distribution is that of the inversions of a random permutation. Ties
/// count half, as if a coin had put them in order, which errs towards "no trend".
fn mann_kendall(values: &[f64]) -> f64 {
    let n = values.len();
    let pairs = n * (n - 1) / 2;
    let (mut up, mut down) = (0, 0);
    for (i, a) in values.iter().enumerate() {
        up += values[i + 1..].iter().filter(|b| *b > a).count();
        down += values[i + 1..].iter().filter(|b| *b < a).count();
    }
    let inversions = (pairs - up.abs_diff(down)).div_ceil(2);
    let tail: f64 = inversion_chances(n, inversions).iter().sum();
    (2.0 * tail).min(1.0)
}

/// The chance of each number of inversions from 0 to `most` in a random permutation of `n`.
fn inversion_chances(n: usize, most: usize) -> Vec<f64> {
    let mut chance = vec![0.0; most + 1];
    chance[0] = 1.0;
    for placed in 1..n {
        // The next element passes 0 to `placed` others, each equally likely: a moving sum over what was.
        let mut window = 0.0;
        let mut next = vec![0.0; most + 1];
        for count in 0..=most {
            window += chance[count];
            if let Some(left_behind) = count.checked_sub(placed + 1) {
                window -= chance[left_behind];
            }
            next[count] = window / (placed + 1) as f64;
        }
        chance = next;
    }
    chance
}

#[cfg(test)]
mod tests {
    use super::mann_kendall;

    /// `scipy.stats.kendalltau(range(n), x, method='exact').pvalue`, SciPy 1.17.1.
    #[test]
    fn as_scipy() {
        let close = |values: &[f64], p: f64| assert!((mann_kendall(values) - p).abs() < 1e-12, "{values:?}");
        close(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.002_777_777_777_777_778);
        close(&[3.0, 1.0, 4.0, 6.0, 5.0, 9.0, 2.0, 8.0], 0.178_869_047_619_047_62);
        close(&[9.0, 8.0, 7.5, 8.5, 6.0, 5.0, 5.5, 3.0, 2.0, 4.0], 0.000_946_318_342_151_675_5);
    }

    #[test]
    fn ties_alone_are_no_trend() {
        assert_eq!(mann_kendall(&[1.0; 8]), 1.0);
    }
}
