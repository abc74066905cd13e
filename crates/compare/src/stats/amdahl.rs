//! Amdahl's law, fitted: which part of the work runs in parallel?
//!
//! With `p` CPUs the law says T(p) = T(1) · ((1 - f) + f / p). That is a straight line over 1/p, so the fit is an
//! ordinary least-squares line. (G. M. Amdahl, "Validity of the Single Processor Approach to Achieving Large Scale
//! Computing Capabilities", AFIPS Conference Proceedings 30, 1967.)

/// The parallel part `f`, from 0 to 1, by least squares over (CPUs, time) points.
///
/// `None` where the points bear none: fewer than two CPU counts, a point that is not above zero, or times that do not
/// fall with more CPUs, where "f = 0" would hide that the machine lost and did not merely fail to gain. More than linear
/// gains, as caches give them, come out as 1. With two points the line goes through both, so it proves nothing; the
/// caller should say so.
///
/// # Examples
/// ```
/// use compare::stats::amdahl::{parallel_fraction, speedup};
///
/// let f = parallel_fraction(&[(1, 100.0), (2, 60.0), (4, 40.0)]).expect("falling times");
/// assert!((f - 0.8).abs() < 1e-12);
/// assert!((speedup(f, 4) - 2.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn parallel_fraction(points: &[(u32, f64)]) -> Option<f64> {
    if points.iter().any(|&(cpus, time)| cpus == 0 || !time.is_finite() || time <= 0.0) {
        return None;
    }
    let count = points.len() as f64;
    let mean_x = points.iter().map(|&(cpus, _)| 1.0 / f64::from(cpus)).sum::<f64>() / count;
    let mean_y = points.iter().map(|&(_, time)| time).sum::<f64>() / count;
    let (mut xx, mut xy) = (0.0, 0.0);
    for &(cpus, time) in points {
        let x = 1.0 / f64::from(cpus) - mean_x;
        xx += x * x;
        xy += x * (time - mean_y);
    }
    // Also true of the zero over zero of a single CPU count, and of no points at all.
    let parallel = xy / xx;
    if parallel.is_nan() || parallel <= 0.0 || !parallel.is_finite() {
        return None;
    }
    // A falling line is above its mean at one CPU, so the divisor is a time above zero.
    let serial = mean_y - parallel * mean_x;
    Some((parallel / (serial + parallel)).clamp(0.0, 1.0))
}

/// The speed-up over one CPU that the law gives for a parallel part `fraction` on `cpus` CPUs.
#[must_use]
pub fn speedup(fraction: f64, cpus: u32) -> f64 {
    1.0 / ((1.0 - fraction) + fraction / f64::from(cpus))
}
