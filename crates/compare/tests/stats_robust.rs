//! Robust summaries, drift and Amdahl's law. Reference numbers are from SciPy 1.17.1 and NumPy 2.4.6, by the calls named.
#![cfg(feature = "engine")]

use compare::stats::amdahl::{parallel_fraction, speedup};
use compare::stats::drift::drift;
use compare::stats::robust::{lag1_autocorrelation, mad, median, modified_z, outliers, quantile, theil_sen};
use proptest::prelude::*;

const SAMPLE: [f64; 7] = [2.1, 9.5, 3.3, 4.8, 100.0, 1.2, 7.7];

#[track_caller]
fn assert_close(ours: Option<f64>, theirs: f64) {
    assert!(
        ours.is_some_and(|ours| (ours - theirs).abs() < 1e-12 * theirs.abs().max(1.0)),
        "{ours:?}, {theirs}"
    );
}

/// `numpy.quantile(SAMPLE, [0, .1, .25, .5, .9, 1])`, `scipy.stats.median_abs_deviation(SAMPLE)`
#[test]
fn quantiles_and_mad() {
    let theirs = [(0.0, 1.2), (0.1, 1.74), (0.25, 2.7), (0.5, 4.8), (0.9, 45.7), (1.0, 100.0)];
    for (q, value) in theirs {
        assert_close(quantile(&SAMPLE, q), value);
    }
    assert_close(mad(&SAMPLE), 2.9);
    assert_close(median(&[4.0, 1.0]), 2.5);
    assert_eq!((median(&[]), mad(&[])), (None, None));
}

/// 0.6745 (x - median) / MAD, the form in which Iglewicz and Hoaglin print it.
#[test]
fn outliers_are_marked() {
    assert_eq!(outliers(&SAMPLE), [4]);
    let z = modified_z(&SAMPLE);
    assert!((z[4] - 0.674_49 * (100.0 - 4.8) / 2.9).abs() < 1e-3, "{z:?}");
    assert!(modified_z(&[]).is_empty());
}

#[test]
fn equal_values_have_no_outliers_but_one_against_equals_is() {
    assert_eq!(modified_z(&[5.0; 4]), [0.0; 4]);
    assert_eq!(outliers(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 9.0]), [6]);
}

/// `scipy.stats.theilslopes(y, x).slope`
#[test]
fn slopes() {
    let points = [(1.0, 2.2), (2.0, 3.9), (3.0, 6.3), (4.0, 8.1), (5.0, 30.0), (7.0, 13.7)];
    assert_close(theil_sen(&points), 1.966_666_666_666_666_6);
    assert_eq!(
        (theil_sen(&[]), theil_sen(&points[..1]), theil_sen(&[(1.0, 2.0), (1.0, 3.0)])),
        (None, None, None)
    );
}

#[test]
fn neighbours_that_resemble_each_other() {
    // Alternating signs: -(n - 1) / n. A step: every neighbour but one is on the same side.
    assert_close(lag1_autocorrelation(&[1.0, -1.0, 1.0, -1.0]), -0.75);
    assert_close(lag1_autocorrelation(&[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]), 0.5);
    assert_eq!((lag1_autocorrelation(&[1.0, 2.0]), lag1_autocorrelation(&[3.0; 5])), (None, None));
}

#[test]
fn drift_needs_size_and_order() {
    let steady: Vec<_> = (0..12).map(|i| Some(100.0 + f64::from(i * 7 % 12))).collect();
    assert!(!drift(&steady, 0.03).unwrap().drifting);
    let small: Vec<_> = (0..12).map(|i| Some(100.0 + 0.1 * f64::from(i))).collect();
    let small = drift(&small, 0.03).unwrap();
    assert!(small.p < 1e-6 && small.change < 0.03);
    let falling: Vec<_> = (0..12).map(|i| Some(112.0 - f64::from(i))).collect();
    let falling = drift(&falling, 0.03).unwrap();
    assert!(falling.drifting && falling.change < -0.09);
    // A hog that starts halfway is no steady slope, and is caught by the neighbours.
    let hog: Vec<_> = (0..12).map(|i| Some(if i < 6 { 100.0 } else { 150.0 })).collect();
    assert!(drift(&hog, 0.03).unwrap().drifting);
}

#[test]
fn drift_counts_the_rounds_that_are_missing() {
    let mut values: Vec<_> = (0..12).map(|i| Some(100.0 * 1.01_f64.powi(i))).collect();
    let whole = drift(&values, 0.03).unwrap().change;
    values[4] = None;
    values[7] = Some(f64::NAN);
    assert!((drift(&values, 0.03).unwrap().change - whole).abs() < 1e-9);
    assert_eq!(drift(&values[..7], 0.03).map(|d| d.drifting), Some(true));
    assert_eq!(drift(&values[..6], 0.03), None);
    assert_eq!(drift(&[Some(2.0); 8], 0.03).map(|d| d.drifting), Some(false));
}

#[test]
fn amdahl_refuses_what_bears_no_fit() {
    for points in [
        &[][..],
        &[(1, 100.0)],
        &[(2, 100.0), (2, 90.0)],
        &[(1, 100.0), (2, 100.0)],
        &[(1, 100.0), (2, 130.0)],
        &[(1, 100.0), (0, 10.0)],
        &[(1, f64::NAN), (2, 1.0)],
        &[(1, f64::INFINITY), (2, 1.0)],
        &[(1, 1.0), (2, 0.0)],
    ] {
        assert_eq!(parallel_fraction(points), None, "{points:?}");
    }
}

#[test]
fn more_than_linear_gains_are_all_parallel() {
    assert_eq!(parallel_fraction(&[(1, 100.0), (2, 40.0)]), Some(1.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn amdahl_finds_what_was_put_in(f in 0.01..1.0_f64, one in 1e-3..1e12_f64, most in 2_u32..64) {
        let points: Vec<_> = (1..=most).map(|cpus| (cpus, one / speedup(f, cpus))).collect();
        let found = parallel_fraction(&points).expect("times fall");
        prop_assert!((found - f).abs() < 1e-9, "{} is not {}", found, f);
    }

    #[test]
    fn the_slope_shrugs_off_a_fifth_of_the_points(slope in -100.0..100.0_f64, wild in -1e6..1e6_f64, at in 0_usize..2) {
        let mut points: Vec<_> = (0..10).map(|x| (f64::from(x), 7.0 + slope * f64::from(x))).collect();
        points[at].1 += wild;
        points[at + 5].1 -= wild;
        let found = theil_sen(&points).unwrap();
        prop_assert!((found - slope).abs() < 1e-6, "{} is not {}", found, slope);
    }

    #[test]
    fn quantiles_lie_in_order(values in proptest::collection::vec(-1e9..1e9_f64, 1..40), p in 0.0..1.0_f64, q in 0.0..1.0_f64) {
        let (low, high) = (quantile(&values, p.min(q)).unwrap(), quantile(&values, p.max(q)).unwrap());
        let (least, most) = (quantile(&values, 0.0).unwrap(), quantile(&values, 1.0).unwrap());
        prop_assert!(least <= low && low <= high && high <= most);
    }
}
