//! A logarithmic axis in percent of a plot's width, so that a plot is as wide as there is room.

/// From `lo` to `hi`, both above zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogScale {
    lo: f64,
    hi: f64,
}

/// More marks than this run into each other in a plot of the usual width.
const MOST_TICKS: usize = 6;

impl LogScale {
    /// An axis that shows all of `values`, with a little room at both ends. What is not a positive number is skipped.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let positive = values.into_iter().filter(|value| value.is_finite() && *value > 0.0);
        let (lo, hi) = positive.fold((f64::MAX, 0.0_f64), |(lo, hi), value| (lo.min(value), hi.max(value)));
        if hi == 0.0 {
            return Self { lo: 0.5, hi: 2.0 };
        }
        // At least a tenth to each side of the middle, or noise would look like a difference.
        let room = (hi / lo).powf(0.05).max(1.02);
        let middle = (lo * hi).sqrt();
        Self { lo: (lo / room).min(middle / 1.1), hi: (hi * room).max(middle * 1.1) }
    }

    /// Where `value` lies, 0 to 100; what is outside lies on the edge.
    pub(super) fn percent(self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE) / self.lo).ln() / (self.hi / self.lo).ln();
        (share * 100.0).clamp(0.0, 100.0)
    }

    /// Round numbers to mark, few enough to be read.
    pub(super) fn ticks(self) -> Vec<f64> {
        let decades = (self.hi / self.lo).log10();
        if decades < 1.0 {
            return self.even_ticks();
        }
        let digits: &[f64] = match decades {
            wide if wide > 2.5 => &[1.0],
            wide if wide > 1.7 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        let (first, last) = (self.lo.log10().floor() as i32, self.hi.log10().ceil() as i32);
        let stride = usize::try_from((last - first) / MOST_TICKS as i32 + 1).unwrap_or(1);
        let powers = (first..=last).filter(|power| power.rem_euclid(stride as i32) == 0);
        let all = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)));
        all.filter(|tick| self.contains(*tick)).collect()
    }

    /// Within one power of ten, marks at even distances are easier to read.
    fn even_ticks(self) -> Vec<f64> {
        let rough = (self.hi - self.lo) / MOST_TICKS as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let first = (self.lo / step).ceil() as i64;
        (first..).map(|index| index as f64 * step).take_while(|tick| *tick <= self.hi).collect()
    }

    fn contains(self, value: f64) -> bool {
        (self.lo..=self.hi).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_shown_lies_inside() {
        let scale = LogScale::around([0.01, 1.0, 30.0, f64::NAN, -1.0]);
        for value in [0.01, 1.0, 30.0] {
            let at = scale.percent(value);
            assert!((1.0..=99.0).contains(&at), "{value} lies at {at}");
        }
        assert!(scale.percent(0.1) < scale.percent(1.0));
        assert!(scale.percent(0.0).abs() < f64::EPSILON);
    }

    #[test]
    fn marks_are_round_and_few() {
        for (lo, hi) in [(0.97, 1.04), (0.5, 3.0), (0.9, 40.0), (0.02, 9.0), (1e-4, 5e3), (1e-9, 1e9)] {
            let ticks = LogScale::around([lo, hi]).ticks();
            assert!((2..=MOST_TICKS + 3).contains(&ticks.len()), "{lo} to {hi}: {ticks:?}");
        }
        assert_eq!(LogScale::around([0.02, 200.0]).ticks(), [0.1, 1.0, 10.0, 100.0]);
    }

    #[test]
    fn nothing_to_show_is_no_reason_to_fail() {
        assert!(!LogScale::around([]).ticks().is_empty());
    }
}
