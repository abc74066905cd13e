//! Whether goals are met.

use serde::Serialize;

use super::super::program::{Better, Program};
use super::super::rounds::Measured;
use super::super::verdict::widening;
use super::file::{Compare, Direction, Goal, Goals, Over, Unmet};

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
    /// Why something was not measured, or what is known of an unmet goal.
    pub(in crate::peers) note: Option<String>,
    #[serde(skip)]
    pub(in crate::peers) direction: &'static str,
}

/// A goal on one row.
#[derive(Debug)]
struct OnRow<'a> {
    row: &'a str,
    value: f64,
    bound: f64,
    widened: f64,
}

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
        Judged {
            value: Some(worst.value),
            bound: worst.bound,
            met,
            row: Some(worst.row.to_owned()),
            widened: worst.widened,
            note: self.unmet.as_ref().map(|unmet| unmet.note(met)),
            ..judged
        }
    }

    fn on_row<'a>(&self, ours: &str, measured: &'a Measured<'_>) -> Result<OnRow<'a>, String> {
        let own = measured.place(ours).ok_or_else(|| format!("{ours} takes no part in the row yet"))?;
        if let Some((status, why)) = &measured.series[own].failure {
            return Err(format!("{ours} {}: {why}", status.word()));
        }
        let value = match self.compare {
            Compare::Value => self.of_rounds(measured, own, &self.measure),
            Compare::Time | Compare::Speed => {
                // A peer that is named must be there, or another might be easier to beat.
                let failed = self.peers.iter().filter_map(|peer| measured.place(peer)).find_map(|place| {
                    let (status, _) = measured.series[place].failure.as_ref()?;
                    Some(format!("{} {}", measured.row.contestants[place].name, status.word()))
                });
                if let Some(failed) = failed {
                    return Err(failed);
                }
                let best = measured.best(ours, &self.peers, &self.measure);
                let best = best.ok_or_else(|| "no peer of it has a value".to_owned())?;
                measured.ratio(own, best, &self.measure).0.map(|ratio| self.directed(measured, ratio))
            }
        };
        let value = value.ok_or_else(|| format!("{ours} has no {}", self.measure))?;
        let or = self.or_measure.as_ref().and_then(|measure| self.of_rounds(measured, own, measure));
        Ok(OnRow {
            row: &measured.row.row,
            value,
            bound: or.unwrap_or(0.0).max(self.bound),
            widened: widening(measured, ours, &self.measure),
        })
    }

    /// A ratio of values as one of times, or turned round as one of speeds.
    fn directed(&self, measured: &Measured<'_>, ratio: f64) -> f64 {
        let more =
            measured.row.measures.iter().any(|it| it.name == self.measure && it.better == Better::More);
        if more == (self.compare == Compare::Speed) { ratio } else { 1.0 / ratio }
    }

    /// What the rounds of ours come to.
    fn of_rounds(&self, measured: &Measured<'_>, own: usize, measure: &str) -> Option<f64> {
        let values = || measured.series[own].values(measure).into_iter().flatten();
        match (self.over, self.direction) {
            (Over::Median, _) => measured.median(own, measure),
            (Over::Worst, Direction::AtMost) => values().max_by(f64::total_cmp),
            (Over::Worst, Direction::AtLeast) => values().min_by(f64::total_cmp),
        }
    }

    fn keeps(&self, it: &OnRow<'_>) -> bool {
        match self.direction {
            Direction::AtMost => it.value <= it.bound * (1.0 + it.widened),
            Direction::AtLeast => it.value >= it.bound / (1.0 + it.widened),
        }
    }

    /// How far a value is beyond its widened bound, as a factor; below 1 it is within.
    fn excess(&self, it: &OnRow<'_>) -> f64 {
        match self.direction {
            Direction::AtMost => it.value / (it.bound * (1.0 + it.widened)),
            Direction::AtLeast => it.bound / (1.0 + it.widened) / it.value,
        }
    }
}

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
        Measured { row, series, twin: Some(self::series(8.0)), rounds: 6 }
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
    fn what_no_contestant_can_help_takes_the_place_of_the_bound() {
        let bound = Goal { over: Over::Worst, ..goal(Compare::Value, Direction::AtMost, 8.0) };
        assert!(!judge(&bound).met);
        let or = Goal { or_measure: Some("gap".into()), ..bound };
        let judged = judge(&or);
        assert!(judged.met && (judged.bound - 9.0).abs() < 1e-9, "{judged:?}");
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
        assert!(time.judge("sync", &[&failed]).note.expect("it says").contains("no peer"));
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
