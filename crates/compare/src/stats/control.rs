//! The A/A control: the baseline, or whoever stands in for it, against itself under another name.
//!
//! Both are the same program, so whatever ratio they show is the machine's. The width of their interval is how finely
//! this machine can tell things apart at all; a margin below that would be a promise it cannot keep. And if the control
//! is called faster or slower, so may anything be, and the group gets no verdicts.

use super::{
    Round,
    compare::{Comparison, compare},
};
use crate::summary::Verdict;

/// The margin without a control's say: the least difference that is called one.
pub const MARGIN_FLOOR: f64 = 0.03;

/// Above this margin nothing is called the same: a machine that cannot tell a tenth apart can show what is faster or
/// slower, and cannot show that two are the same.
pub const SAME_MARGIN_MAX: f64 = 0.10;

/// What the control says.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Control {
    /// The control's ratio, which would be 1 on a perfect machine.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// The margin for this group, as a fraction.
    pub margin: f64,
    /// `false`: the control itself was called faster or slower, so nothing in this group can be.
    pub stable: bool,
}

/// Judges the control by the baseline's rounds and those of its twin. `floor` is the least margin, a fraction.
///
/// The margin is the larger of `floor` and the half-width of the control's interval, on the logarithmic scale that
/// ratios live on. The control is judged at `floor`: at the margin that it sets itself it would excuse itself.
///
/// `None` below 6 rounds that both have: there is no interval then, and no verdict about anything else either.
///
/// # Panics
/// If `floor` is negative or not finite.
///
/// # Examples
/// ```
/// use compare::stats::control::{MARGIN_FLOOR, control};
///
/// let a = [10.0, 10.6, 10.1, 10.3, 9.9, 10.2].map(Some);
/// let twin = [10.7, 10.1, 10.0, 10.4, 10.5, 9.8].map(Some);
/// let control = control(&a, &twin, MARGIN_FLOOR).expect("six rounds");
/// assert!(control.stable && control.margin > 0.05);
/// ```
#[must_use]
#[track_caller]
pub fn control(baseline: &[Round], twin: &[Round], floor: f64) -> Option<Control> {
    let Comparison { ratio, interval, verdict, .. } = compare(twin, baseline, floor);
    let (ratio, (lo, hi)) = ratio.zip(interval)?;
    let half_width = ((hi.ln() - lo.ln()) / 2.0).exp_m1();
    let stable = !matches!(verdict, Verdict::Faster | Verdict::Slower);
    Some(Control { ratio, interval: (lo, hi), margin: floor.max(half_width), stable })
}
