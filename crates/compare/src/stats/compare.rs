//! Models against a baseline: ratio, interval and verdict.
//!
//! The logarithms of the ratios within rounds are the sample; [`crate::stats::signed_rank`] gives their centre and its
//! interval. A verdict needs more than "not equal": the interval must lie beyond a margin, since a difference smaller
//! than what the machine does to a program and its own twin is of no use to anybody.

use super::{ALPHA, LEVEL, Round, holm, signed_rank};
use crate::summary::Verdict;
use signed_rank::SignedRank;

/// From this many rounds on, verdicts against a baseline are corrected for their number; see [`corrected_from`].
///
/// With n rounds no two-sided p-value is below 2^(1-n). Ten rounds bear up to 25 comparisons, which is any workload
/// here; nine bear 12, which is fewer than there are models. Where a correction could never be passed it would only
/// turn every verdict into "unclear", so shorter runs do without and are called exploratory.
pub const CORRECTED_ROUNDS: u32 = 10;

/// From how many rounds on so many comparisons with a baseline are corrected: [`CORRECTED_ROUNDS`], or more where those do
/// not bear them all.
///
/// # Examples
/// ```
/// use compare::stats::compare::corrected_from;
///
/// assert_eq!([3, 25, 26].map(corrected_from), [10, 10, 11]);
/// ```
#[must_use]
pub fn corrected_from(comparisons: usize) -> u32 {
    bearing(comparisons, CORRECTED_ROUNDS)
}

/// The least rounds, `floor` or more, with which so many claims can all pass Holm's correction.
pub(super) fn bearing(claims: usize, floor: u32) -> u32 {
    floor.max(signed_rank::pairs_needed(ALPHA / claims.max(1) as f64))
}

/// What [`Comparison::rounds_needed`] says for this many rounds or more: nobody will wait for them.
pub const ROUNDS_NEEDED_MAX: u32 = 1_000;

/// What is known about one model against another.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Rounds in which both have a value above zero.
    pub pairs: u32,
    /// This model's value over the other's, by Hodges and Lehmann; above 1 is slower. Absent without a pair.
    pub ratio: Option<f64>,
    /// The 95 % interval of `ratio`, for this comparison alone. Absent below 6 pairs.
    pub interval: Option<(f64, f64)>,
    /// The two-sided p-value of "the ratio is not beyond the margin". Absent without a pair.
    pub p: Option<f64>,
    /// `p` within its family, after Holm's correction; absent in an exploratory run.
    pub p_adjusted: Option<f64>,
    /// Never [`Verdict::Baseline`].
    pub verdict: Verdict,
    /// For an unclear verdict: about how many rounds, by the spread that was seen, would decide in four of five runs.
    /// [`ROUNDS_NEEDED_MAX`] stands for that many or more. Absent without a pair.
    pub rounds_needed: Option<u32>,
}

/// One model's rounds against another's, on their own.
///
/// # Panics
/// If `margin` is negative or not finite.
///
/// # Examples
/// ```
/// use compare::{stats::compare::compare, summary::Verdict};
///
/// let old = [10.0, 11.0, 10.2, 10.4, 10.1, 10.9].map(Some);
/// let new = [5.1, 5.4, 5.0, 5.3, 5.1, 5.5].map(Some);
/// let found = compare(&new, &old, 0.03);
/// assert_eq!(found.verdict, Verdict::Faster);
/// assert!(found.interval.is_some_and(|(lo, hi)| lo > 0.48 && hi < 0.52));
/// ```
#[must_use]
#[track_caller]
pub fn compare(model: &[Round], other: &[Round], margin: f64) -> Comparison {
    judge_all(&[log_ratios(model, other)], margin, CORRECTED_ROUNDS).remove(0)
}

/// Every one of `others` against `baseline`, as one family, in the order given.
///
/// Rounds belong together by their index; one that a side lacks is left out of that comparison. If any comparison has as
/// many pairs as [`corrected_from`] says, faster and slower must pass Holm's correction over all of them.
///
/// # Panics
/// If `margin` is negative or not finite.
#[must_use]
#[track_caller]
pub fn verdicts<S: AsRef<[Round]>>(baseline: &[Round], others: &[S], margin: f64) -> Vec<Comparison> {
    let family: Vec<Vec<f64>> = others.iter().map(|other| log_ratios(other.as_ref(), baseline)).collect();
    judge_all(&family, margin, CORRECTED_ROUNDS)
}

/// From how many rounds on this family is corrected, `floor` or more, and whether it is: the comparison with most pairs
/// says what the run can bear. Only comparisons that took place are claims.
pub(super) fn correction(family: &[Vec<f64>], floor: u32) -> (u32, bool) {
    let from = bearing(family.iter().filter(|logs| !logs.is_empty()).count(), floor);
    (from, family.iter().map(Vec::len).max().unwrap_or(0) >= from as usize)
}

/// The logarithm of `model / other` for each round that has both. Values that are not finite and above zero have none.
pub(super) fn log_ratios(model: &[Round], other: &[Round]) -> Vec<f64> {
    let usable = |value: &Round| value.filter(|value| value.is_finite() && *value > 0.0);
    let pairs = model.iter().zip(other).filter_map(|(a, b)| usable(a).zip(usable(b)));
    // The difference of logarithms: a quotient could leave the range of numbers where both values are in it.
    pairs.map(|(a, b)| a.ln() - b.ln()).collect()
}

/// Judges a family of comparisons, each given by its log ratios; `floor` is the least number of rounds that is corrected.
#[track_caller]
pub(super) fn judge_all(family: &[Vec<f64>], margin: f64, floor: u32) -> Vec<Comparison> {
    assert!(
        margin.is_finite() && margin >= 0.0,
        "a margin is a fraction such as 0.03 for 3 %, this one is {margin}"
    );
    let margin = margin.ln_1p();
    let (corrected_rounds, corrected) = correction(family, floor);
    let evidence: Vec<Option<Evidence>> = family.iter().map(|logs| Evidence::of(logs, margin)).collect();
    let p_values: Vec<f64> = evidence.iter().flatten().map(|evidence| evidence.p).collect();
    let mut adjusted = corrected.then(|| holm::adjust(&p_values).into_iter());
    let judge = |(logs, evidence): (&Vec<f64>, Option<Evidence>)| {
        let Some(Evidence { centre, interval, p }) = evidence else { return Comparison::NOTHING };
        let p_adjusted = adjusted.as_mut().and_then(Iterator::next);
        let verdict = verdict(interval, margin, p_adjusted);
        let rounds_needed = (verdict == Verdict::Unclear)
            .then(|| rounds_needed(logs, centre.abs() - margin, p_values.len(), corrected_rounds));
        Comparison {
            pairs: u32::try_from(logs.len()).unwrap_or(u32::MAX),
            ratio: Some(centre.exp()),
            interval: interval.map(|(lo, hi)| (lo.exp(), hi.exp())),
            p: Some(p),
            p_adjusted,
            verdict,
            rounds_needed,
        }
    };
    family.iter().zip(evidence).map(judge).collect()
}

/// What one comparison's rounds say before its family has its say, on the logarithmic scale.
struct Evidence {
    centre: f64,
    interval: Option<(f64, f64)>,
    p: f64,
}

impl Evidence {
    /// `None` without a pair.
    fn of(logs: &[f64], margin: f64) -> Option<Self> {
        let (centre, interval) = signed_rank::estimate(logs, LEVEL);
        let centre = centre?;
        Some(Self { centre, interval, p: p_beyond(logs, centre, margin) })
    }
}

impl Comparison {
    /// No round has both values.
    const NOTHING: Self = Self {
        pairs: 0,
        ratio: None,
        interval: None,
        p: None,
        p_adjusted: None,
        verdict: Verdict::Unclear,
        rounds_needed: None,
    };
}

/// The two-sided p-value of "the centre lies within the margin": twice the one-sided p-value of "not beyond the end of
/// the margin that the estimate points to", since both ends might have been tried.
///
/// The other end needs no test: on that side of zero lies at most half of the Walsh averages, so at most half of the
/// rank sum, and its p-value is at least a half.
fn p_beyond(logs: &[f64], estimate: f64, margin: f64) -> f64 {
    let shifted = |by: f64| SignedRank::of(&logs.iter().map(|log| log + by).collect::<Vec<_>>());
    let one_sided = if estimate > 0.0 { shifted(-margin).p_greater } else { shifted(margin).p_less };
    (2.0 * one_sided).min(1.0)
}

/// By the interval, which is the same test turned round; where there is a correction, both must agree.
fn verdict(interval: Option<(f64, f64)>, margin: f64, p_adjusted: Option<f64>) -> Verdict {
    let stands = p_adjusted.is_none_or(|p| p <= ALPHA);
    match interval {
        Some((_, hi)) if hi < -margin && stands => Verdict::Faster,
        Some((lo, _)) if lo > margin && stands => Verdict::Slower,
        Some((lo, hi)) if lo >= -margin && hi <= margin => Verdict::Same,
        _ => Verdict::Unclear,
    }
}

/// About how many rounds would decide, if the centre and the spread stay as they are.
///
/// The interval's half-width h shrinks with the root of n. To decide it must be smaller than the distance d between
/// centre and margin; at h = d the odds are even, and at h = d / √2 they are about four in five (2.8 standard errors
/// where the interval takes 1.96). Hence 2 n (h / d)². Where that comes to enough rounds for a correction, and the
/// claim would be faster or slower, h is that of the corrected level; if these few rounds bear no such interval, h is
/// half their range.
fn rounds_needed(logs: &[f64], distance: f64, claims: usize, corrected_rounds: u32) -> u32 {
    let at = |alpha: f64| {
        let half = half_width(logs, 1.0 - alpha);
        let needed = (2.0 * logs.len() as f64 * (half / distance).powi(2)).ceil();
        let least = f64::from(signed_rank::pairs_needed(alpha)).max(logs.len() as f64 + 1.0);
        // `max` also turns the quotient of two zeros into `least`; whatever is left is in the range of the type.
        needed.max(least).min(f64::from(ROUNDS_NEEDED_MAX)) as u32
    };
    let alone = at(ALPHA);
    if distance > 0.0 && alone >= corrected_rounds { at(ALPHA / claims as f64) } else { alone }
}

fn half_width(logs: &[f64], level: f64) -> f64 {
    let (lo, hi) = signed_rank::interval(logs, level).unwrap_or_else(|| {
        logs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), log| (lo.min(*log), hi.max(*log)))
    });
    (hi - lo) / 2.0
}
