//! Numbers as people read them: three significant digits, a unit that keeps them short, thousands apart.
//!
//! A value is rounded before its unit is chosen, so that 999.7 ns becomes `1.00 µs` and never `1000 ns`.

/// Which characters the reader's screen has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Glyphs {
    /// All of them.
    #[default]
    Unicode,
    /// A terminal that is not UTF-8, or that calls itself dumb.
    Ascii,
}

impl Glyphs {
    /// `unicode` where the screen has it, otherwise `ascii`.
    pub(crate) fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}

/// A time in nanoseconds: `312 ns`, `1.20 µs`, `31.2 ms`, `2.50 s`.
pub(crate) fn time(ns: f64, glyphs: Glyphs) -> String {
    with_unit(ns, &[("ns", 1.0), (glyphs.pick("µs", "us"), 1e3), ("ms", 1e6), ("s", 1e9)])
}

/// A number of bytes: `312 B`, `1.20 KiB`, `31.2 MiB`, `2.50 GiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    with_unit(bytes, &[("B", 1.0), ("KiB", KIB), ("MiB", KIB * KIB), ("GiB", KIB * KIB * KIB)])
}

/// A ratio: `0.0312×`, `1.00×`, `31.2×`, `1,240×`.
pub(crate) fn ratio(ratio: f64, glyphs: Glyphs) -> String {
    format!("{}{}", significant(ratio), glyphs.pick("×", "x"))
}

/// An interval of ratios: `[0.97, 1.04]`.
pub(crate) fn interval(lo: f64, hi: f64) -> String {
    format!("[{}, {}]", significant(lo), significant(hi))
}

/// A fraction as a percentage: `1.8 %`, `12 %`.
pub(crate) fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    if percent.abs() < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// How many there are of something, on average: `3`, `12.5`, `1,240`.
pub(crate) fn count(count: f64) -> String {
    let text = significant(count);
    match text.trim_end_matches('0').strip_suffix('.') {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A ratio for a small box: `1.00`, `31.2`, `1,240`, `31.2k`, `4.10M`.
pub(crate) fn compact(value: f64) -> String {
    match round(value) {
        large if large >= 1e6 => format!("{}M", significant(value / 1e6)),
        large if large >= 1e4 => format!("{}k", significant(value / 1e3)),
        _ => significant(value),
    }
}

/// A time that a person waited: `42 s`, `3 min 5 s`, `1 h 2 min`.
pub(crate) fn waited(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return MISSING.to_owned();
    }
    // The cast is exact: the value is a whole number, and no run lasts 2^53 seconds.
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

/// Three significant digits, never in powers of ten: `0.0312`, `3.12`, `312`, `31,200`.
pub(crate) fn significant(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let rounded = round(value);
    if rounded == 0.0 {
        return "0".to_owned();
    }
    let decimals = (DIGITS - 1 - magnitude(rounded)).clamp(0, 12);
    thousands(&format!("{rounded:.0$}", decimals.unsigned_abs() as usize))
}

/// What stands in the place of a number that is none.
pub(crate) const MISSING: &str = "n/a";

const DIGITS: i32 = 3;

/// `value` in the largest of `units` (smallest first) that leaves at least 1 in front of the point.
fn with_unit(value: f64, units: &[(&str, f64)]) -> String {
    let fits = |factor: f64| round(value.abs() / factor) >= 1.0;
    let (name, factor) =
        units.iter().rev().find(|(_, factor)| fits(*factor)).or(units.first()).unwrap_or(&("", 1.0));
    format!("{} {name}", significant(value / factor))
}

/// To three significant digits, by way of the decimal text so that the result prints as it was rounded.
fn round(value: f64) -> f64 {
    format!("{value:.*e}", (DIGITS - 1).unsigned_abs() as usize).parse().unwrap_or(value)
}

/// The power of ten of the first digit.
fn magnitude(value: f64) -> i32 {
    value.abs().log10().floor() as i32
}

/// Commas between groups of three digits in front of the point.
fn thousands(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let digits = whole.trim_start_matches('-').len();
    let mut text = String::with_capacity(number.len() + digits / 3);
    for (index, character) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if character != '-' && left % 3 == 0 && left < digits {
            text.push(',');
        }
        text.push(character);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_whatever_the_size() {
        let cases = [
            (0.0, "0"),
            (0.000_312_4, "0.000312"),
            (0.031_25, "0.0312"),
            (0.9996, "1.00"),
            (1.0, "1.00"),
            (3.125, "3.12"),
            (31.25, "31.2"),
            (312.5, "312"),
            (999.6, "1,000"),
            (12_345.0, "12,300"),
            (-1_234_567.0, "-1,230,000"),
            (-312.0, "-312"),
            (f64::NAN, "n/a"),
            (f64::INFINITY, "n/a"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text, "{value}");
        }
    }

    #[test]
    fn a_time_takes_the_unit_that_keeps_it_short() {
        let cases = [
            (0.25, "0.250 ns"),
            (312.0, "312 ns"),
            (999.7, "1.00 µs"),
            (999_499.0, "999 µs"),
            (31_250_000.0, "31.2 ms"),
            (2.5e9, "2.50 s"),
            (7.2e12, "7,200 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(time(ns, Glyphs::Unicode), text, "{ns}");
        }
        assert_eq!(time(1500.0, Glyphs::Ascii), "1.50 us");
    }

    #[test]
    fn bytes_go_by_1024() {
        let cases = [
            (0.0, "0 B"),
            (312.0, "312 B"),
            (1020.0, "1,020 B"),
            (1023.9, "1.00 KiB"),
            (1024.0, "1.00 KiB"),
            (3.5e6, "3.34 MiB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text, "{value}");
        }
        assert_eq!(bytes(-2048.0), "-2.00 KiB");
    }

    #[test]
    fn counts_drop_zeros_behind_the_point_alone() {
        for (value, text) in
            [(0.0, "0"), (3.0, "3"), (12.5, "12.5"), (100.0, "100"), (1240.0, "1,240"), (0.5, "0.500")]
        {
            assert_eq!(count(value), text, "{value}");
        }
    }

    #[test]
    fn large_ratios_fit_into_small_boxes() {
        for (value, text) in
            [(1.0, "1.00"), (9994.0, "9,990"), (9996.0, "10.0k"), (207_000.0, "207k"), (4.1e6, "4.10M")]
        {
            assert_eq!(compact(value), text, "{value}");
        }
    }

    #[test]
    fn percentages_and_waits() {
        assert_eq!(percent(0.018), "1.8 %");
        assert_eq!(percent(0.124), "12 %");
        assert_eq!(waited(42.4), "42 s");
        assert_eq!(waited(185.0), "3 min 5 s");
        assert_eq!(waited(3725.0), "1 h 2 min");
    }
}
