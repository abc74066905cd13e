//! The error rates that the method promises, measured on draws whose truth is known.
//!
//! Two kinds of noise, both of 2 % and with 8 % of outliers, since nobody knows which kind a machine has: [`in_pairs`],
//! by which the method was chosen, and the harsher [`in_values`].
//!
//! Every seed is fixed, so a test that has passed once does not fail by bad luck. A rate is held to its promise plus
//! three standard errors of a count over that many draws: a method that keeps its promise to the letter then fails for
//! one seed in 700. Run with `--nocapture` to see the numbers that `docs/design/statistics.md` quotes.
#![cfg(feature = "engine")]

use compare::stats::compare::{compare, verdicts};
use compare::stats::control::{MARGIN_FLOOR, control};
use compare::stats::drift::drift;
use compare::stats::{Round, ties};
use compare::summary::Verdict;

/// For every rate that is held to a promise.
const DRAWS: u32 = 2_000;

/// For numbers that stand beside them for comparison.
const FEW: u32 = 250;

/// A generator of our own, so that no update of a crate ever changes these draws: splitmix64 (G. L. Steele, D. Lea,
/// C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014) and Box and Muller's transformation.
struct Noise(u64);

impl Noise {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, which it may be, to 1, which it may not.
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn outlier(&mut self) -> bool {
        self.uniform() < 0.08
    }
}

/// A model's rounds and its baseline's, `ratio` apart.
type Draw = fn(&mut Noise, count: usize, ratio: f64) -> (Vec<Round>, Vec<Round>);

/// Both kinds of noise, with their names.
const KINDS: [(&str, Draw); 2] = [("in pairs", in_pairs), ("in values", in_values)];

/// The ratio of a round varies by 2 %; in 8 % of the rounds by 25 %, up or down.
fn in_pairs(noise: &mut Noise, count: usize, ratio: f64) -> (Vec<Round>, Vec<Round>) {
    let mut pair = || {
        let spread = if noise.outlier() { 0.25 } else { 0.02 };
        (Some(1e6 * ratio * (spread * noise.normal()).exp()), Some(1e6))
    };
    (0..count).map(|_| pair()).unzip()
}

/// Every value varies by 2 %, and 8 % of them are a quarter too long: of one round in seven one side is.
fn in_values(noise: &mut Noise, count: usize, ratio: f64) -> (Vec<Round>, Vec<Round>) {
    (values(noise, count, 1e6 * ratio), values(noise, count, 1e6))
}

/// One model's rounds, disturbed as [`in_values`] says.
fn values(noise: &mut Noise, count: usize, centre: f64) -> Vec<Round> {
    let mut value = || {
        let disturbed = if noise.outlier() { 1.25 } else { 1.0 };
        Some(centre * disturbed * (0.02 * noise.normal()).exp())
    };
    (0..count).map(|_| value()).collect()
}

/// How often `holds` in `draws` draws.
fn rate(draws: u32, seed: u64, mut holds: impl FnMut(&mut Noise) -> bool) -> f64 {
    let mut noise = Noise(seed);
    f64::from((0..draws).map(|_| u32::from(holds(&mut noise))).sum::<u32>()) / f64::from(draws)
}

/// Three standard errors of a rate of `promised` over [`DRAWS`] draws.
fn slack(promised: f64) -> f64 {
    3.0 * (promised * (1.0 - promised) / f64::from(DRAWS)).sqrt()
}

fn differs(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Faster | Verdict::Slower)
}

#[test]
fn a_program_against_itself_is_seldom_called_faster_or_slower() {
    for (kind, draw) in KINDS {
        for n in [6, 12, 24] {
            // As in a run: a control sets the margin, and where it is unstable there are no verdicts.
            let (mut unstable, mut unexcused) = (0_u32, 0_u32);
            let in_a_run = rate(DRAWS, 1, |noise| {
                let (twin, base) = draw(noise, n, 1.0);
                let control = control(&base, &twin, MARGIN_FLOOR).expect("six rounds or more");
                let (model, base) = draw(noise, n, 1.0);
                unstable += u32::from(!control.stable);
                unexcused += u32::from(differs(compare(&model, &base, 0.0).verdict));
                control.stable && differs(compare(&model, &base, control.margin).verdict)
            });
            let at_zero = f64::from(unexcused) / f64::from(DRAWS);
            println!(
                "A/A {kind}, n = {n}: false {in_a_run:.4}, at margin 0 {at_zero:.4}; unstable {unstable}"
            );
            assert!(in_a_run <= 0.05, "{kind}, n = {n}: {in_a_run}");
            assert!(at_zero <= 0.05 + slack(0.05), "{kind}, n = {n}: {at_zero}");
        }
    }
}

#[test]
fn intervals_cover_as_they_say() {
    for (kind, draw) in KINDS {
        for n in [6, 8, 12, 24] {
            let covered = rate(DRAWS, 2, |noise| {
                let (model, base) = draw(noise, n, 1.37);
                compare(&model, &base, 0.0).interval.is_some_and(|(lo, hi)| lo <= 1.37 && 1.37 <= hi)
            });
            println!("coverage {kind}, n = {n}: {covered:.4}");
            // Six rounds truly cover 96.875 %, which a count can overshoot.
            assert!((0.93..=0.97 + slack(0.97)).contains(&covered), "{kind}, n = {n}: {covered}");
        }
    }
}

#[test]
fn a_slowdown_of_ten_percent_is_called_slower() {
    // Two disturbed rounds of the baseline in twelve hide it from any test of ranks, which is one run in four `in
    // values`: that the harsher noise needs more rounds is for `rounds_needed` to say, and not a defect.
    for ((kind, draw), promised) in KINDS.into_iter().zip([0.9, 0.7]) {
        for (n, draws) in [(6, FEW), (12, DRAWS), (24, FEW)] {
            let found = rate(draws, 3, |noise| {
                let (model, base) = draw(noise, n, 1.1);
                compare(&model, &base, 0.03).verdict == Verdict::Slower
            });
            println!("10 % slower at margin 3 % {kind}, n = {n}: found {found:.4}");
            assert!(n < 12 || found >= promised, "{kind}, n = {n}: {found}");
        }
    }
}

/// A baseline and sixteen others as long as it, the first of them `ratio` slower.
fn family(noise: &mut Noise, kind: &str, n: usize, ratio: f64) -> (Vec<Round>, Vec<Vec<Round>>) {
    let ratio_of = |model: usize| if model == 0 { ratio } else { 1.0 };
    if kind == "in pairs" {
        // Here every baseline is the same, so the comparisons are independent: the hardest case for a correction.
        let others = (0..16).map(|model| in_pairs(noise, n, ratio_of(model)).0).collect();
        (vec![Some(1e6); n], others)
    } else {
        let base = values(noise, n, 1e6);
        (base, (0..16).map(|model| values(noise, n, 1e6 * ratio_of(model))).collect())
    }
}

#[test]
fn sixteen_comparisons_make_no_more_false_claims_than_one() {
    for (kind, _) in KINDS {
        let any_false = |draws: u32, n: usize, seed: u64| {
            rate(draws, seed, |noise| {
                let (base, others) = family(noise, kind, n, 1.0);
                verdicts(&base, &others, 0.0).iter().any(|found| differs(found.verdict))
            })
        };
        let (corrected, exploratory) = (any_false(DRAWS, 12, 4), any_false(FEW, 9, 5));
        println!(
            "any false among 16 at margin 0 {kind}: {corrected:.4} (n = 12), {exploratory:.4} (n = 9, no Holm)"
        );
        assert!(corrected <= 0.05 + slack(0.05), "{kind}: {corrected}");
        assert!(exploratory > 0.15, "{kind}: the correction would have nothing to do: {exploratory}");
    }
}

#[test]
fn one_slow_model_is_found_in_company() {
    for ((kind, _), promised) in KINDS.into_iter().zip([0.6, 0.3]) {
        for n in [12, 24] {
            let found = rate(FEW, 6, |noise| {
                let (base, others) = family(noise, kind, n, 1.1);
                verdicts(&base, &others, 0.03)[0].verdict == Verdict::Slower
            });
            println!("10 % slower at margin 3 % among 16 {kind}, n = {n}: found {found:.4}");
            assert!(found >= promised, "{kind}, n = {n}: {found}");
        }
    }
}

#[test]
fn equal_models_share_a_rank() {
    // All pairs of four, at margin 0.
    let any_order = |draws: u32, n: usize, seed: u64| {
        rate(draws, seed, |noise| {
            let models: Vec<_> = (0..4).map(|_| values(noise, n, 1e6)).collect();
            ties::rank(&models, 0.0).ranks.iter().any(|rank| *rank != Some(1))
        })
    };
    let (corrected, exploratory) = (any_order(DRAWS, 13, 7), any_order(FEW, 12, 8));
    println!(
        "four equal models ranked apart at margin 0: {corrected:.4} (n = 13), {exploratory:.4} (n = 12)"
    );
    assert!(corrected <= 0.05 + slack(0.05), "{corrected}");
}

#[test]
fn drift_is_not_seen_where_there_is_none() {
    for n in [6, 12, 24] {
        let false_alarm =
            rate(DRAWS, 9, |noise| drift(&values(noise, n, 1e6), 0.03).is_some_and(|d| d.drifting));
        println!("drift seen where there is none, n = {n}: {false_alarm:.4}");
        // 5 % for the slope, and what the autocorrelation of few rounds adds.
        assert!(false_alarm <= 0.08, "n = {n}: {false_alarm}");
    }
    let found = rate(DRAWS, 10, |noise| {
        let mut values = values(noise, 12, 1e6);
        for (round, value) in values.iter_mut().enumerate() {
            *value = value.map(|v| v * (1.0 + 0.01 * round as f64));
        }
        drift(&values, 0.03).is_some_and(|d| d.drifting)
    });
    println!("drift of 11 % over twelve rounds seen: {found:.4}");
    assert!(found >= 0.75, "{found}");
}

#[test]
fn the_rounds_that_are_said_to_be_needed_decide_in_most_runs() {
    for (kind, draw) in KINDS {
        let (mut unclear, mut decided) = (0_u32, 0_u32);
        let mut noise = Noise(11);
        for _ in 0..DRAWS {
            let (model, base) = draw(&mut noise, 6, 1.07);
            let needed = compare(&model, &base, 0.03).rounds_needed;
            // Runs that nobody would make are left out of the count, and of the test's time.
            let Some(needed) = needed.filter(|needed| *needed <= 40) else { continue };
            let (model, base) = draw(&mut noise, needed as usize, 1.07);
            unclear += 1;
            decided += u32::from(compare(&model, &base, 0.03).verdict == Verdict::Slower);
        }
        let share = f64::from(decided) / f64::from(unclear);
        println!("7 % slower {kind}: of {unclear} unclear runs of 6, the rounds needed decided {share:.4}");
        assert!(share >= 0.7, "{kind}: {share}");
    }
}
