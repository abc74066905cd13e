//! The signed-rank test against SciPy 1.17.1, against brute force, and against plain models of its estimate and interval.
#![cfg(feature = "engine")]

use compare::stats::signed_rank::{SignedRank, hodges_lehmann, interval, pairs_needed, walsh_averages};
use proptest::prelude::*;

#[track_caller]
fn assert_close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-12 * theirs.max(1e-3), "{ours} is not {theirs}");
}

#[track_caller]
fn assert_p(differences: &[f64], greater: f64, less: f64, two_sided: f64) {
    let test = SignedRank::of(differences);
    assert_close(test.p_greater, greater);
    assert_close(test.p_less, less);
    assert_close(test.p_two_sided(), two_sided);
}

/// `scipy.stats.wilcoxon(d, method='exact', alternative='greater' | 'less' | 'two-sided').pvalue`
#[test]
fn as_scipy_without_ties() {
    assert_p(&[0.3, -0.1, 0.2, 0.5, 0.4, -0.05, 0.7], 0.0390625, 0.9765625, 0.078125);
    assert_p(
        &[1.1, 2.2, -3.3, 4.4, 5.5, -6.6, 7.7, 8.8, 9.9, -10.1, 11.2, 12.3],
        0.064697265625,
        0.945068359375,
        0.12939453125,
    );
    assert_p(&[-0.9, 0.8, 0.7, -0.6, 0.5, -0.4, 0.3, -0.2, 0.1, -0.15], 0.5, 0.5390625, 1.0);
}

/// `scipy.stats.wilcoxon(d, zero_method='pratt', alternative=..., method=PermutationMethod(n_resamples=10**6)).pvalue`,
/// which counts all patterns of signs for samples as small as these.
#[test]
fn as_scipy_with_ties_and_zeros() {
    assert_p(&[1.0, 1.0, -1.0, 2.0, 2.0, 3.0, -2.0, 4.0], 0.08203125, 0.95703125, 0.1640625);
    assert_p(&[0.0, 0.0, 1.0, -1.0, 2.0, 2.0, 3.0, 5.0, -4.0], 0.140625, 0.875, 0.28125);
    assert_p(&[0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5], 0.0625, 0.9921875, 0.125);
}

/// The call of [`as_scipy_without_ties`] on
/// `[((i*37)%101 + i/1000.0) * (1 if (i*i)%7 in (1,2,4) and i%3 else -1) + 3.0001 for i in range(1, n+1)]`.
#[test]
fn as_scipy_for_long_runs() {
    let sample = |n: u32| -> Vec<f64> {
        let sign = |i: u32| if matches!(i * i % 7, 1 | 2 | 4) && i % 3 != 0 { 1.0 } else { -1.0 };
        (1..=n).map(|i| (f64::from(i * 37 % 101) + f64::from(i) / 1000.0) * sign(i) + 3.0001).collect()
    };
    assert_p(&sample(25), 0.08224806189537048, 0.9218308925628662, 0.16449612379074097);
    assert_p(&sample(64), 0.12252565232167667, 0.8788299788301268, 0.24505130464335334);
    assert_p(&sample(200), 0.008431141590347857, 0.9915971261331858, 0.016862283180695714);
}

#[test]
fn nothing_but_zeros_shows_nothing() {
    for none in [&[][..], &[0.0, -0.0, 0.0]] {
        let test = SignedRank::of(none);
        assert_eq!((test.nonzero, test.p_greater, test.p_less, test.p_two_sided()), (0, 1.0, 1.0, 1.0));
    }
}

#[test]
fn five_values_have_no_interval_and_six_the_widest() {
    let values = [3.0, 1.0, 9.0, 4.0, 6.0, 2.0, 8.0];
    for n in 0..=5 {
        assert_eq!(interval(&values[..n], 0.95), None, "{n} values");
    }
    assert_eq!(interval(&values[..6], 0.95), Some((1.0, 9.0)));
    // Seven: the sums 0 and 1 have the chance 2/128 each side, so the 3rd average is the first that is not rejected.
    let averages = walsh_averages(&values);
    assert_eq!(interval(&values, 0.95), Some((averages[2], averages[averages.len() - 3])));
}

/// The largest rejected sum for each n at two-sided 5 %, as every table of the test has it, and
/// `max(w for w in range(n*(n+1)//2) if 2*scipy.stats._wilcoxon.WilcoxonDistribution(n).cdf(w) <= 0.05)`.
#[test]
fn as_the_tables() {
    for (n, critical) in
        [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13), (16, 29), (20, 52), (24, 81), (50, 434)]
    {
        // Powers of two make every average a different one, so that a place can be told from its value.
        let values: Vec<f64> = (0..n).map(|i| f64::from(i).exp2()).collect();
        let averages = walsh_averages(&values);
        let (lo, hi) = interval(&values, 0.95).expect("six or more");
        assert_eq!(averages.iter().position(|average| *average == lo), Some(critical), "n = {n}");
        assert_eq!(averages.iter().rev().position(|average| *average == hi), Some(critical), "n = {n}");
    }
}

#[test]
fn the_fewest_pairs() {
    for (p, n) in [(1.0, 1), (0.5, 2), (0.05, 6), (0.05 / 16.0, 10), (0.05 / 25.0, 10), (0.05 / 26.0, 11)] {
        assert_eq!(pairs_needed(p), n, "for {p}");
    }
}

#[test]
#[should_panic(expected = "takes finite numbers, one of these is NaN")]
fn a_value_that_is_no_number_is_the_callers_bug() {
    let _ = SignedRank::of(&[1.0, f64::NAN]);
}

/// All sign patterns, one by one: how many have a rank sum of at least, and of at most, the one seen.
fn brute_force(differences: &[f64]) -> (f64, f64) {
    let rank = |d: &f64| {
        let below = differences.iter().filter(|other| other.abs() < d.abs()).count();
        let equal = differences.iter().filter(|other| other.abs() == d.abs()).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    let nonzero: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let ranks: Vec<f64> = nonzero.iter().map(rank).collect();
    let sum = |pattern: u32| -> f64 {
        ranks.iter().enumerate().filter(|(i, _)| pattern >> i & 1 == 1).map(|(_, rank)| rank).sum()
    };
    let seen = (0..nonzero.len()).filter(|i| nonzero[*i] > 0.0).fold(0, |bits, i| bits | 1 << i);
    let patterns = 1_u32 << ranks.len();
    let count =
        |holds: &dyn Fn(f64) -> bool| (0..patterns).filter(|pattern| holds(sum(*pattern))).count() as f64;
    let seen = sum(seen);
    (count(&|sum| sum >= seen) / f64::from(patterns), count(&|sum| sum <= seen) / f64::from(patterns))
}

/// Small whole numbers: many ties, many zeros.
fn coarse() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec((-4_i32..=4).prop_map(f64::from), 0..10)
}

/// Numbers without ties, as measured times have them.
fn fine(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-1.0..1.0_f64, sizes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p_values_count_sign_patterns(values in prop_oneof![coarse(), fine(0..10)]) {
        let (greater, less) = brute_force(&values);
        let test = SignedRank::of(&values);
        prop_assert_eq!((test.p_greater, test.p_less), (greater, less));
    }

    #[test]
    fn turning_signs_swaps_the_sides(values in prop_oneof![coarse(), fine(0..70)]) {
        let test = SignedRank::of(&values);
        let turned = SignedRank::of(&values.iter().map(|v| -v).collect::<Vec<_>>());
        prop_assert_eq!((test.p_greater, test.p_less), (turned.p_less, turned.p_greater));
        prop_assert!(test.p_greater <= 1.0 && test.p_less <= 1.0 && test.p_greater + test.p_less >= 1.0 - 1e-12);
    }

    #[test]
    fn the_estimate_halves_the_averages(values in prop_oneof![coarse(), fine(1..30)]) {
        // The plain model: as many of all pairwise means below as above.
        let mut below = 0_i64;
        let mut above = 0_i64;
        let centre = hodges_lehmann(&values);
        prop_assert_eq!(centre.is_none(), values.is_empty());
        for i in 0..values.len() {
            for j in i..values.len() {
                let mean = (values[i] + values[j]) / 2.0;
                below += i64::from(Some(mean) < centre);
                above += i64::from(Some(mean) > centre);
            }
        }
        let all = (values.len() * (values.len() + 1) / 2) as i64;
        prop_assert!(2 * below <= all && 2 * above <= all);
    }

    #[test]
    fn the_estimate_moves_with_the_values(values in fine(1..20), by in -2.0..2.0_f64) {
        let moved: Vec<f64> = values.iter().map(|v| 3.0 * v + by).collect();
        let (before, after) = (hodges_lehmann(&values).unwrap(), hodges_lehmann(&moved).unwrap());
        prop_assert!((after - (3.0 * before + by)).abs() < 1e-12);
    }

    #[test]
    fn the_interval_is_what_the_test_does_not_reject(values in fine(6..14), level in 0.5..0.97_f64) {
        let Some((lo, hi)) = interval(&values, level) else { return Ok(()) };
        let p = |centre: f64| SignedRank::of(&values.iter().map(|v| v - centre).collect::<Vec<_>>()).p_two_sided();
        let step = 1e-9;
        prop_assert!(p(lo + step) > 1.0 - level && p(hi - step) > 1.0 - level);
        prop_assert!(p(lo - step) <= 1.0 - level && p(hi + step) <= 1.0 - level);
    }

    #[test]
    fn the_estimate_lies_in_the_interval(values in prop_oneof![coarse(), fine(0..30)]) {
        if let Some((lo, hi)) = interval(&values, 0.95) {
            let centre = hodges_lehmann(&values).unwrap();
            prop_assert!(lo <= centre && centre <= hi);
        }
    }
}
