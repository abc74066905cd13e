//! What is said of given rounds: verdicts, corrections, ranks, and the control's margin.
#![cfg(feature = "engine")]

use compare::stats::compare::{Comparison, ROUNDS_NEEDED_MAX, compare, verdicts};
use compare::stats::control::{MARGIN_FLOOR, control};
use compare::stats::{Round, holm, ties};
use compare::summary::Verdict;

/// Rounds around `centre` that differ from each other by a little, in a way that differs by `phase`.
fn rounds(count: usize, centre: f64, phase: usize) -> Vec<Round> {
    let wobble = |round: usize| ((round * 7 + phase * 5) % 11) as f64 / 11.0 - 0.5;
    (0..count).map(|round| Some(centre * (1.0 + 0.02 * wobble(round)))).collect()
}

#[test]
fn clear_cases_get_their_verdicts() {
    let base = rounds(12, 100.0, 0);
    let others = [rounds(12, 50.0, 1), rounds(12, 120.0, 2), rounds(12, 100.5, 3)];
    let found: Vec<Verdict> = verdicts(&base, &others, 0.03).iter().map(|c| c.verdict).collect();
    assert_eq!(found, [Verdict::Faster, Verdict::Slower, Verdict::Same]);
}

#[test]
fn a_verdict_lies_beyond_the_margin_and_not_only_beyond_one() {
    let (base, other) = (rounds(12, 100.0, 0), rounds(12, 105.0, 1));
    assert_eq!(compare(&other, &base, 0.0).verdict, Verdict::Slower);
    assert_eq!(compare(&other, &base, 0.03).verdict, Verdict::Slower);
    assert_eq!(compare(&other, &base, 0.05).verdict, Verdict::Unclear);
    assert_eq!(compare(&other, &base, 0.10).verdict, Verdict::Same);
    // The other way round, the same is said with the other word.
    let turned = compare(&base, &other, 0.03);
    assert_eq!(turned.verdict, Verdict::Faster);
    let straight = compare(&other, &base, 0.03);
    assert!((turned.ratio.unwrap() * straight.ratio.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(turned.p, straight.p);
}

#[test]
fn what_slows_a_whole_round_cancels_out() {
    let slow_rounds = |values: Vec<Round>| -> Vec<Round> {
        values.iter().enumerate().map(|(round, value)| value.map(|v| v * (1.0 + round as f64))).collect()
    };
    let (base, other) = (rounds(12, 100.0, 0), rounds(12, 110.0, 1));
    let calm = compare(&other, &base, 0.03);
    let rough = compare(&slow_rounds(other), &slow_rounds(base), 0.03);
    assert!((calm.ratio.unwrap() - rough.ratio.unwrap()).abs() < 1e-12);
    assert_eq!(rough.verdict, Verdict::Slower);
}

#[test]
fn rounds_without_both_values_are_left_out() {
    let mut base = rounds(8, 100.0, 0);
    let mut other = rounds(8, 200.0, 1);
    base[1] = None;
    other[2] = Some(f64::NAN);
    let found = compare(&other, &base, 0.03);
    assert_eq!((found.pairs, found.verdict), (6, Verdict::Slower));
    other[5] = Some(0.0);
    let found = compare(&other, &base, 0.03);
    assert_eq!((found.pairs, found.interval, found.verdict), (5, None, Verdict::Unclear));
    assert!(found.ratio.is_some_and(|ratio| (1.9..2.1).contains(&ratio)));
    assert_eq!(found.rounds_needed, Some(6));
}

#[test]
fn without_a_pair_there_is_nothing_to_say() {
    let found = verdicts(&rounds(12, 1.0, 0), &[vec![None; 12], Vec::new(), rounds(12, 2.0, 1)], 0.03);
    for Comparison { pairs, ratio, p, p_adjusted, verdict, rounds_needed, .. } in &found[..2] {
        assert_eq!((*pairs, *ratio, *p, *p_adjusted, *rounds_needed), (0, None, None, None, None));
        assert_eq!(*verdict, Verdict::Unclear);
    }
    // And it is no claim, so it costs the others nothing.
    assert_eq!(found[2].p, found[2].p_adjusted);
}

#[test]
fn equal_values_are_the_same() {
    let same = compare(&[Some(64.0); 6], &[Some(64.0); 6], 0.0);
    assert_eq!((same.ratio, same.interval, same.verdict), (Some(1.0), Some((1.0, 1.0)), Verdict::Same));
}

#[test]
fn correction_starts_at_ten_rounds() {
    let others = |count| (1..=25).map(|phase| rounds(count, 150.0, phase)).collect::<Vec<_>>();
    let nine = verdicts(&rounds(9, 100.0, 0), &others(9), 0.03);
    assert!(nine.iter().all(|c| c.verdict == Verdict::Slower && c.p_adjusted.is_none()));
    let ten = verdicts(&rounds(10, 100.0, 0), &others(10), 0.03);
    // 25 comparisons at the smallest p-value that ten rounds can have still pass.
    assert!(ten.iter().all(|c| c.verdict == Verdict::Slower && c.p_adjusted == Some(25.0 / 512.0)));
}

#[test]
fn a_claim_that_holds_alone_can_fall_in_company() {
    // Two of twelve rounds on the wrong side of the margin: alone that is enough, among twenty it is not.
    let base = vec![Some(100.0); 12];
    let mut weak: Vec<Round> = (0..12).map(|round| Some(110.0 + f64::from(round) * 0.1)).collect();
    (weak[0], weak[1]) = (Some(96.0), Some(97.0));
    assert_eq!(compare(&weak, &base, 0.03).verdict, Verdict::Slower);
    let mut family = vec![weak];
    family.extend((1..20).map(|phase| rounds(12, 100.0, phase)));
    let found = verdicts(&base, &family, 0.03).remove(0);
    assert!(found.interval.is_some_and(|(lo, _)| lo > 1.03), "its own interval is beyond the margin");
    assert_eq!(found.verdict, Verdict::Unclear);
    assert!(found.p_adjusted > Some(0.05) && found.rounds_needed > Some(12));
}

#[test]
fn the_nearer_the_margin_the_more_rounds() {
    let base = vec![Some(100.0); 12];
    // A spread of 40 % around a centre that comes closer to the margin.
    let needed = |centre: f64| {
        let other: Vec<Round> = (0..12).map(|round| Some(centre * (0.8 + 0.04 * f64::from(round)))).collect();
        let found = compare(&other, &base, 0.03);
        assert_eq!(found.verdict, Verdict::Unclear);
        found.rounds_needed.unwrap()
    };
    let (far, near, nearest) = (needed(112.0), needed(108.0), needed(103.0));
    assert!(12 < far && far < near && near < nearest, "{far} {near} {nearest}");
    assert!(nearest <= ROUNDS_NEEDED_MAX);
}

#[test]
fn holm_as_by_hand() {
    // 4 x 0.01; 3 x 0.015 is above it; 2 x 0.02 is not, and so is lifted to it; 1 x 0.9.
    assert_eq!(holm::adjust(&[0.02, 0.9, 0.01, 0.015]), [0.045, 0.9, 0.04, 0.045]);
    assert_eq!(holm::adjust(&[0.6, 0.7]), [1.0, 1.0]);
    assert_eq!(holm::adjust(&[]), Vec::<f64>::new());
}

#[test]
fn ranks_skip_as_many_places_as_a_group_has() {
    let models = [rounds(13, 100.0, 0), rounds(13, 200.0, 1), rounds(13, 100.2, 2), rounds(13, 99.9, 3)];
    let ranking = ties::rank(&models, 0.03);
    assert!(ranking.corrected);
    assert_eq!(ranking.ranks, [Some(1), Some(4), Some(1), Some(1)]);
    assert_eq!(ranking.verdict(1, 0), Verdict::Slower);
    assert_eq!(ranking.verdict(0, 1), Verdict::Faster);
    assert_eq!(ranking.verdict(0, 2), Verdict::Same);
    assert_eq!(ranking.verdict(2, 2), Verdict::Same);
}

#[test]
fn thirteen_rounds_bear_all_pairs_of_twenty_models() {
    let models = |count| (0..20).map(|i| rounds(count, 1.2_f64.powi(i), i as usize)).collect::<Vec<_>>();
    let expected: Vec<Option<u32>> = (1..=20).map(Some).collect();
    let thirteen = ties::rank(&models(13), 0.03);
    assert_eq!((thirteen.corrected, thirteen.ranks), (true, expected.clone()));
    let twelve = ties::rank(&models(12), 0.03);
    assert_eq!((twelve.corrected, twelve.ranks), (false, expected));
}

#[test]
fn a_correction_that_nothing_could_pass_is_left_out() {
    let models =
        |rounds_each| (0..21).map(|i| rounds(rounds_each, 1.2_f64.powi(i), i as usize)).collect::<Vec<_>>();
    let expected: Vec<Option<u32>> = (1..=21).map(Some).collect();
    // 210 pairs at 2^-12 are above 5 %: corrected, all would tie, however far apart they are.
    let thirteen = ties::rank(&models(13), 0.03);
    assert_eq!((thirteen.corrected, thirteen.ranks), (false, expected.clone()));
    let fourteen = ties::rank(&models(14), 0.03);
    assert_eq!((fourteen.corrected, fourteen.ranks), (true, expected));

    let others: Vec<Vec<Round>> = (1..=26).map(|phase| rounds(10, 150.0, phase)).collect();
    let ten = verdicts(&rounds(10, 100.0, 0), &others, 0.03);
    assert!(ten.iter().all(|c| c.verdict == Verdict::Slower && c.p_adjusted.is_none()));
}

#[test]
fn ranks_do_not_depend_on_the_order_of_the_models() {
    let models: Vec<Vec<Round>> =
        (0..9).map(|i| rounds(13, 100.0 * 1.02_f64.powi(i), i as usize * 3)).collect();
    let ranks = ties::rank(&models, 0.03).ranks;
    let turned: Vec<Vec<Round>> = models.into_iter().rev().collect();
    let again: Vec<Option<u32>> = ties::rank(&turned, 0.03).ranks.into_iter().rev().collect();
    assert_eq!(ranks, again);
    assert!(ranks.first() < ranks.last());
}

#[test]
fn the_control_sets_the_margin() {
    let base = rounds(12, 100.0, 0);
    let calm = control(&base, &rounds(12, 100.0, 1), MARGIN_FLOOR).unwrap();
    assert_eq!((calm.margin, calm.stable), (MARGIN_FLOOR, true));

    let mut rough = rounds(12, 100.0, 1);
    for value in rough.iter_mut().step_by(2) {
        *value = value.map(|v| v * 1.3);
    }
    let rough = control(&base, &rough, MARGIN_FLOOR).unwrap();
    let (lo, hi) = rough.interval;
    assert!(rough.stable);
    assert!((rough.margin - ((hi / lo).sqrt() - 1.0)).abs() < 1e-12 && rough.margin > 0.1, "{rough:?}");
}

#[test]
fn a_control_that_differs_is_unstable() {
    let (base, twin) = (rounds(12, 100.0, 0), rounds(12, 110.0, 1));
    assert!(!control(&base, &twin, MARGIN_FLOOR).unwrap().stable);
    assert!(!control(&twin, &base, MARGIN_FLOOR).unwrap().stable);
    assert!(control(&base, &twin, 0.2).unwrap().stable);
    assert_eq!(control(&base[..5], &twin[..5], MARGIN_FLOOR), None);
}

#[test]
#[should_panic(expected = "a margin is a fraction such as 0.03 for 3 %, this one is -1")]
fn a_negative_margin_is_the_callers_bug() {
    let _ = compare(&[], &[], -1.0);
}
