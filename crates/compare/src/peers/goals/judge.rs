//! Whether goals are met.

use serde::Serialize;

use super::super::program::{Better, Program};
use super::super::rounds::Measured;
use super::super::verdict::widening;
use super::file::{Compare, Direction, Goal, Goals, Over, Unmet};
use crate::stats::control::Control;
use crate::stats::signed_rank::interval;
use crate::stats::{LEVEL, Round};

/// What became of a goal.
#[derive(Clone, Debug, Serialize)]
pub(in crate::peers) struct Judged {
    pub(in crate::peers) area: String,
    pub(in crate::peers) goal: String,
    /// Of the row that is farthest from its bound, or least far within it; absent where something was not measured.
    pub(in crate::peers) value: Option<f64>,
    /// What it was held to, before it was widened by the row's noise.
    pub(in crate::peers) bound: f64,
    pub(in crate::peers) met: bool,
    /// The row that decided.
    pub(in crate::peers) row: Option<String>,
    /// By what fraction the bound was widened there.
    pub(in crate::peers) widened: f64,
    /// How sure the value is: its 95 % interval. Absent where the worst of the rounds is told, which is that of one.
    pub(in crate::peers) interval: Option<(f64, f64)>,
    /// How far ours is from itself there: half the width of its own interval, as a fraction.
    pub(in crate::peers) noise: Option<f64>,
    /// `false`: ours was told apart from itself there, in every attempt.
    pub(in crate::peers) stable: Option<bool>,
    pub(in crate::peers) rounds: Option<u32>,
    /// How often the row was measured until it was stable, or judged all the same.
    pub(in crate::peers) attempts: Option<u32>,
    /// Why something was not measured, that its row is unstable, what is known of an unmet goal.
    pub(in crate::peers) note: Option<String>,
    #[serde(skip)]
    pub(in crate::peers) direction: &'static str,
}

/// A goal on one row.
#[derive(Debug)]
struct OnRow<'a> {
    measured: &'a Measured<'a>,
    value: f64,
    bound: f64,
    widened: f64,
    interval: Option<(f64, f64)>,
}

/// With fewer rounds there is no interval, and so no noise.
pub(in crate::peers) const ROUNDS_NEEDED: u32 = 6;

impl Goals {
    /// Judges the goals of an area by what was measured, as far as they speak of `those` rows.
    pub(in crate::peers) fn judge(
        &self,
        program: &Program,
        measured: &[Measured<'_>],
        those: &dyn Fn(&str) -> bool,
    ) -> Vec<Judged> {
        let judge = |goal: &Goal| {
            let asked = program.list.rows.iter().filter(|row| goal.speaks_of(&row.row) && those(&row.row));
            let rows: Vec<&Measured<'_>> = measured.iter().filter(|it| goal.speaks_of(&it.row.row)).collect();
            let judged = goal.judge(&program.list.ours, &rows);
            // A run that was stopped has some rows of a goal only, and the others may be those that break it.
            if judged.met && rows.len() < asked.count() {
                let note = Some("not measured: some rows of it were not".to_owned());
                return Judged { value: None, met: false, note, ..judged };
            }
            judged
        };
        self.of(&program.list, those).map(judge).collect()
    }
}

impl Goal {
    fn judge(&self, ours: &str, rows: &[&Measured<'_>]) -> Judged {
        let judged = Judged {
            area: self.area.clone(),
            goal: self.goal.clone(),
            value: None,
            bound: self.bound,
            met: false,
            row: None,
            widened: 0.0,
            interval: None,
            noise: None,
            stable: None,
            rounds: None,
            attempts: None,
            note: None,
            direction: match self.direction {
                Direction::AtMost => "<=",
                Direction::AtLeast => ">=",
            },
        };
        if rows.is_empty() {
            return Judged { note: Some("not measured: no row of it was".to_owned()), ..judged };
        }
        let mut found = Vec::new();
        for &measured in rows {
            match self.on_row(ours, measured) {
                Ok(on_row) => found.push(on_row),
                Err(why) => {
                    let row = Some(measured.row.row.clone());
                    return Judged { row, note: Some(format!("not measured: {why}")), ..judged };
                }
            }
        }
        let met = found.iter().all(|it| self.keeps(it));
        let Some(worst) = found.into_iter().max_by(|a, b| self.excess(a).total_cmp(&self.excess(b))) else {
            return judged;
        };
        let at = worst.measured;
        let stable = at.is_steady(ours, &self.measure);
        let unstable = (stable == Some(false)).then(|| {
            format!("unstable: {ours} differs from itself there, in each of {} attempts", at.attempts)
        });
        let notes: Vec<String> =
            unstable.into_iter().chain(self.unmet.as_ref().map(|unmet| unmet.note(met))).collect();
        Judged {
            value: Some(worst.value),
            bound: worst.bound,
            met,
            row: Some(at.row.row.clone()),
            widened: worst.widened,
            interval: worst.interval,
            noise: at.control(ours, &self.measure).map(Control::noise),
            stable,
            rounds: Some(at.rounds),
            attempts: Some(at.attempts),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            ..judged
        }
    }

    fn on_row<'a>(&self, ours: &str, measured: &'a Measured<'_>) -> Result<OnRow<'a>, String> {
        let own = measured.place(ours).ok_or_else(|| format!("{ours} takes no part in the row yet"))?;
        if let Some((status, why)) = &measured.series[own].failure {
            return Err(format!("{ours} {}: {why}", status.word()));
        }
        let found = match self.compare {
            Compare::Value => self.of_rounds(measured, own),
            Compare::Time | Compare::Speed => self.against_best(ours, measured, own)?,
        };
        let (value, bound, interval) = found.ok_or_else(|| format!("{ours} has no {}", self.measure))?;
        Ok(OnRow { measured, value, bound, widened: widening(measured, ours, &self.measure), interval })
    }

    /// The ratio to the best peer, the bound, and the ratio's interval.
    fn against_best(&self, ours: &str, measured: &Measured<'_>, own: usize) -> Result<Option<Found>, String> {
        // One that failed may be the best: without it, another might be easier to beat.
        let failed = measured.peers(ours, &self.peers).find_map(|place| {
            let (status, why) = measured.series[place].failure.as_ref()?;
            Some(format!(
                "{} {}, and may be the best peer: {why}",
                measured.row.contestants[place].name,
                status.word()
            ))
        });
        if let Some(failed) = failed {
            return Err(failed);
        }
        let best = measured.best(ours, &self.peers, &self.measure);
        let best = best.ok_or_else(|| "no peer of it has a value".to_owned())?;
        let (ratio, interval) = measured.ratio(own, best, &self.measure);
        let directed = |ratio| self.directed(measured, ratio);
        let interval = interval.map(|(lo, hi)| (directed(lo), directed(hi)));
        let interval = interval.map(|(one, other)| (one.min(other), one.max(other)));
        Ok(ratio.map(|ratio| (directed(ratio), self.bound, interval)))
    }

    /// A ratio of values as one of times, or turned round as one of speeds.
    fn directed(&self, measured: &Measured<'_>, ratio: f64) -> f64 {
        let more =
            measured.row.measures.iter().any(|it| it.name == self.measure && it.better == Better::More);
        if more == (self.compare == Compare::Speed) { ratio } else { 1.0 / ratio }
    }

    /// What the rounds of ours come to, and the bound there.
    fn of_rounds(&self, measured: &Measured<'_>, own: usize) -> Option<Found> {
        let values = |measure: &str| measured.series[own].values(measure);
        if self.over == Over::Median {
            let all: Vec<f64> = values(&self.measure).into_iter().flatten().collect();
            return Some((measured.median(own, &self.measure)?, self.bound, interval(&all, LEVEL)));
        }
        // A round's bound is its own: what the machine did in another excuses nothing in this one.
        let others = self.or_measure.as_ref().map(|measure| values(measure)).unwrap_or_default();
        let bounds = others.into_iter().map(|other| other.unwrap_or(0.0).max(self.bound));
        let bounds = bounds.chain(std::iter::repeat(self.bound));
        let rounds = values(&self.measure).into_iter().zip(bounds);
        let rounds = rounds.filter_map(|(value, bound): (Round, f64)| Some((value?, bound, None)));
        rounds.max_by(|a, b| self.beyond(a.0, a.1).total_cmp(&self.beyond(b.0, b.1)))
    }

    fn keeps(&self, it: &OnRow<'_>) -> bool {
        match self.direction {
            Direction::AtMost => it.value <= it.bound * (1.0 + it.widened),
            Direction::AtLeast => it.value >= it.bound / (1.0 + it.widened),
        }
    }

    /// How far a value is beyond its widened bound, as a factor; below 1 it is within.
    fn excess(&self, it: &OnRow<'_>) -> f64 {
        self.beyond(it.value, it.bound) / (1.0 + it.widened)
    }

    fn beyond(&self, value: f64, bound: f64) -> f64 {
        match self.direction {
            Direction::AtMost => value / bound,
            Direction::AtLeast => bound / value,
        }
    }
}

/// A value, its bound, and the value's interval.
type Found = (f64, f64, Option<(f64, f64)>);

impl Unmet {
    fn note(&self, met: bool) -> String {
        if met {
            return "met now: take its `unmet` out of benches/goals.toml".to_owned();
        }
        format!("last {}, floor {}: {}", self.value, self.floor, self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::program::{Contestant, Measure, Row};
    use super::super::super::rounds::{Series, Status};
    use super::*;

    fn row() -> Row {
        let contestant = |name: &str, blocks| Contestant {
            name: name.to_owned(),
            blocks,
            also_ours: name == "sync-shared",
        };
        let measure = |name: &str, better| Measure { name: name.to_owned(), unit: String::new(), better };
        Row {
            row: "a/b".to_owned(),
            about: String::new(),
            contestants: vec![
                contestant("sync", true),
                contestant("std", true),
                contestant("spin", false),
                contestant("sync-shared", true),
            ],
            measures: vec![
                measure("ns", Better::Less),
                measure("jain", Better::More),
                measure("gap", Better::Less),
            ],
        }
    }

    fn series(ns: f64) -> Series {
        let times = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98].map(|it| it * ns);
        Series::of(&[
            ("ns", &times),
            ("jain", &[0.99, 0.98, 0.91, 0.97, 0.96, 0.99]),
            ("gap", &[3.0, 9.0, 4.0, 4.0, 4.0, 4.0]),
        ])
    }

    fn measured(row: &Row) -> Measured<'_> {
        let series = vec![series(8.0), series(10.0), series(2.0), series(4.0)];
        Measured { row, series, twin: Some(self::series(8.0)), rounds: 6, attempts: 1 }
    }

    fn goal(compare: Compare, direction: Direction, bound: f64) -> Goal {
        Goal {
            area: "sync".into(),
            goal: "g".into(),
            rows: vec!["a/*".into()],
            measure: "ns".into(),
            compare,
            peers: Vec::new(),
            over: Over::Median,
            direction,
            bound,
            or_measure: None,
            only_if: None,
            unmet: None,
        }
    }

    fn judge(goal: &Goal) -> Judged {
        goal.judge("sync", &[&measured(&row())])
    }

    #[test]
    fn times_and_speeds_are_taken_against_the_best_peer_that_blocks() {
        let time = judge(&goal(Compare::Time, Direction::AtMost, 0.75));
        assert!((time.value.expect("measured") - 0.8).abs() < 1e-9 && !time.met);
        assert_eq!(time.row.as_deref(), Some("a/b"));
        let speed = judge(&goal(Compare::Speed, Direction::AtLeast, 1.2));
        assert!((speed.value.expect("measured") - 1.25).abs() < 1e-9 && speed.met);
        for (name, speed) in [("spin", 0.25), ("sync-shared", 0.5)] {
            let named = Goal { peers: vec![name.into()], ..goal(Compare::Speed, Direction::AtLeast, 0.6) };
            assert!((judge(&named).value.expect("measured") - speed).abs() < 1e-9 && !judge(&named).met);
        }
    }

    #[test]
    fn a_bound_is_widened_by_the_noise_and_by_no_more_than_three_percent() {
        // The twin is the same, so there is no noise and no widening.
        assert!(!judge(&goal(Compare::Time, Direction::AtMost, 0.79)).met);
        let row = row();
        let mut noisy = measured(&row);
        noisy.twin = Some(Series::of(&[("ns", &[8.9, 7.2, 8.8, 7.1, 8.9, 7.3])]));
        let on_noise = |bound| goal(Compare::Time, Direction::AtMost, bound).judge("sync", &[&noisy]);
        let judged = on_noise(0.78);
        assert!(judged.met && (judged.widened - 0.03).abs() < 1e-9, "{judged:?}");
        assert!(!on_noise(0.77).met);
    }

    #[test]
    fn values_take_the_median_or_the_worst_round() {
        let jain = Goal { measure: "jain".into(), ..goal(Compare::Value, Direction::AtLeast, 0.95) };
        assert!(judge(&jain).met && judge(&jain).value == Some(0.975));
        let worst = Goal { over: Over::Worst, ..jain };
        assert!(!judge(&worst).met && judge(&worst).value == Some(0.91));
    }

    #[test]
    fn what_no_contestant_can_help_takes_the_place_of_the_bound_in_its_own_round_alone() {
        let bound = Goal { over: Over::Worst, ..goal(Compare::Value, Direction::AtMost, 8.0) };
        let or = Goal { or_measure: Some("gap".into()), ..bound.clone() };
        let row = row();
        let mut measured = measured(&row);
        let of_rounds = |measured: &mut Measured<'_>, ns: &[f64], gap: &[f64]| {
            measured.series[0] = Series::of(&[("ns", ns), ("gap", gap)]);
            measured.twin = Some(Series::of(&[("ns", ns), ("gap", gap)]));
        };
        of_rounds(&mut measured, &[7.0, 8.9, 7.0, 7.0, 7.0, 7.0], &[1.0, 9.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(!bound.judge("sync", &[&measured]).met);
        let judged = or.judge("sync", &[&measured]);
        assert!(judged.met && (judged.bound, judged.value) == (9.0, Some(8.9)), "{judged:?}");
        // The gap of another round excuses nothing.
        of_rounds(&mut measured, &[7.0, 8.9, 7.0, 7.0, 7.0, 7.0], &[9.0, 1.0, 9.0, 9.0, 9.0, 9.0]);
        let judged = or.judge("sync", &[&measured]);
        assert!(!judged.met && (judged.bound, judged.value) == (8.0, Some(8.9)), "{judged:?}");
    }

    #[test]
    fn a_row_that_is_not_steady_is_said_to_be_so() {
        let row = row();
        let mut unsteady = measured(&row);
        unsteady.twin = Some(series(7.0));
        unsteady.attempts = 3;
        let judged = goal(Compare::Time, Direction::AtMost, 0.9).judge("sync", &[&unsteady]);
        assert_eq!((judged.met, judged.stable, judged.attempts), (true, Some(false), Some(3)));
        let note = judged.note.expect("it says");
        assert!(note.contains("unstable: sync differs from itself") && note.contains("each of 3"), "{note}");
        assert_eq!(judge(&goal(Compare::Time, Direction::AtMost, 0.9)).stable, Some(true));
    }

    #[test]
    fn a_value_comes_with_its_interval_and_its_noise() {
        let row = row();
        let mut noisy = measured(&row);
        noisy.series[0] = Series::of(&[("ns", &[7.0, 8.0, 7.5, 8.5, 9.0, 8.2])]);
        noisy.twin = Some(Series::of(&[("ns", &[8.9, 7.2, 8.8, 7.1, 8.9, 7.3])]));
        for (compare, direction) in [
            (Compare::Time, Direction::AtMost),
            (Compare::Speed, Direction::AtLeast),
            (Compare::Value, Direction::AtMost),
        ] {
            let judged = goal(compare, direction, 1.0).judge("sync", &[&noisy]);
            let ((lo, hi), value) = judged.interval.zip(judged.value).expect("six rounds");
            assert!(lo < value && value < hi, "{judged:?}");
            assert!(judged.noise.expect("six rounds") > 0.03 && judged.rounds == Some(6), "{judged:?}");
        }
    }

    #[test]
    fn what_was_not_measured_is_unmet_and_says_why() {
        let time = goal(Compare::Time, Direction::AtMost, 9.0);
        let none = time.judge("sync", &[]);
        assert!(!none.met && none.value.is_none() && none.note.expect("it says").contains("no row"));
        let stranger = time.judge("ours", &[&measured(&row())]);
        assert!(!stranger.met && stranger.note.expect("it says").contains("takes no part"));
        let row = row();
        let mut failed = measured(&row);
        failed.series[1].failure = Some((Status::Crashed, "SIGSEGV".into()));
        let named = Goal { peers: vec!["std".into()], ..time.clone() };
        assert!(named.judge("sync", &[&failed]).note.expect("it says").contains("std crashed"));
        // Unnamed, it may still be the best; one of the other kind, or a form of ours, is no peer.
        let best = time.judge("sync", &[&failed]);
        assert!(
            !best.met
                && best.note.expect("it says").contains("std crashed, and may be the best peer: SIGSEGV")
        );
        let mut others = measured(&row);
        for place in [2, 3] {
            others.series[place].failure = Some((Status::Hung, "no end".into()));
        }
        assert!(time.judge("sync", &[&others]).met);
        failed.series[0].failure = Some((Status::Wrong, "lost 1".into()));
        assert!(time.judge("sync", &[&failed]).note.expect("it says").contains("sync wrong: lost 1"));
    }

    #[test]
    fn a_known_shortfall_is_told_and_a_mended_one_too() {
        let unmet = Some(Unmet { value: 0.9, floor: 0.6, cause: "two locked instructions".into() });
        let short = Goal { unmet, ..goal(Compare::Time, Direction::AtMost, 0.75) };
        assert_eq!(judge(&short).note.as_deref(), Some("last 0.9, floor 0.6: two locked instructions"));
        let mended = Goal { bound: 0.85, ..short };
        assert!(judge(&mended).met && judge(&mended).note.expect("it says").contains("take its `unmet` out"));
    }
}
