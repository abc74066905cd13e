//! Medians and their kin: numbers that one bad round does not move.
//!
//! All take finite numbers in any order unless they say otherwise, and answer `None` where there is nothing to answer.

/// Beyond this modified z-score a value is marked as an outlier. It is marked and counted, and never left out.
///
/// From B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers", ASQC, 1993: of ten normal values 3.5 marks one
/// in about 1 % of samples.
pub const OUTLIER_Z: f64 = 3.5;

/// The median.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile `q` from 0 to 1, linear between neighbours (type 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in
/// Statistical Packages", The American Statistician 50(4), 1996, which is also what R and NumPy do).
///
/// # Panics
/// If `q` is not within 0 and 1.
///
/// # Examples
/// ```
/// assert_eq!(compare::stats::robust::quantile(&[4.0, 1.0, 3.0, 2.0], 0.25), Some(1.75));
/// ```
#[must_use]
#[track_caller]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&q), "a quantile lies between 0 and 1, this one is {q}");
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = q * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    // At equal neighbours this is exact, also for infinities.
    Some(if low == high { low } else { low + (high - low) * place.fract() })
}

/// The median distance from the median, unscaled.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    median(&values.iter().map(|value| (value - centre).abs()).collect::<Vec<_>>())
}

/// Each value's distance from the median in units that are standard deviations for a normal distribution.
///
/// The unit is 1.4826 times [`mad`]; where more than half of the values are equal, and so it is zero, 1.2533 times the
/// mean distance takes its place. If all are equal, so are the scores: 0.
#[must_use]
pub fn modified_z(values: &[f64]) -> Vec<f64> {
    let (Some(centre), Some(mad)) = (median(values), mad(values)) else { return Vec::new() };
    let mean = values.iter().map(|value| (value - centre).abs()).sum::<f64>() / values.len() as f64;
    // For a normal distribution: 1 / (its 75 % quantile), and the root of π / 2.
    let unit = if mad > 0.0 { mad * 1.482_602_218_505_602 } else { mean * 1.253_314_137_315_500_3 };
    values.iter().map(|value| if unit > 0.0 { (value - centre) / unit } else { 0.0 }).collect()
}

/// The places of those values whose [`modified_z`] lies beyond [`OUTLIER_Z`], on either side.
#[must_use]
pub fn outliers(values: &[f64]) -> Vec<usize> {
    modified_z(values)
        .iter()
        .enumerate()
        .filter(|(_, z)| z.abs() > OUTLIER_Z)
        .map(|(place, _)| place)
        .collect()
}

/// How much each value resembles the one before it, from -1 to 1; `values` are in order of time.
///
/// `None` for fewer than 3 values, or if all are equal.
#[must_use]
pub fn lag1_autocorrelation(values: &[f64]) -> Option<f64> {
    if values.len() < 3 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let shared: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    (spread > 0.0).then(|| shared / spread)
}

/// The slope of `y` over `x` by Theil and Sen: the median of the slopes between all pairs of points.
///
/// Up to 29 % of the points may be anything without moving it far. Pairs of equal `x` have no slope; `None` if there is
/// no other. Over (tasks, bytes) it is the bytes per task, with the runtime's own bytes out of the way. (P. K. Sen,
/// "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968.)
///
/// # Examples
/// ```
/// let points = [(1_000.0, 2.064e6), (10_000.0, 2.64e6), (100_000.0, 8.4e6)];
/// assert_eq!(compare::stats::robust::theil_sen(&points), Some(64.0));
/// ```
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (i, (x, y)) in points.iter().enumerate() {
        let others = points[i + 1..].iter().filter(|(other, _)| other != x);
        slopes.extend(others.map(|(x2, y2)| (y2 - y) / (x2 - x)));
    }
    median(&slopes)
}
