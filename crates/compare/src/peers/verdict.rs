//! What a row comes to: medians, ratios within rounds, and the noise that ours has against itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::program::{Better, Contestant, Program};
use super::rounds::{Measured, Status};
use crate::stats::compare::compare;
use crate::stats::control::{Control, MARGIN_FLOOR, control};
use crate::stats::robust::median;

/// A row, judged.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) area: String,
    pub(super) row: String,
    pub(super) about: String,
    pub(super) rounds: u32,
    /// Which contestant is ours; absent where ours takes no part.
    pub(super) ours: Option<String>,
    /// The peer with the best median of the first measure, among those that wait as ours does.
    pub(super) best_peer: Option<String>,
    /// Ours over the best peer, of the first measure, centre and 95 % interval; the interval takes six rounds.
    pub(super) ratio: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
    /// How far ours is from itself: half the width of its own interval, as a fraction. Absent below six rounds.
    pub(super) noise: Option<f64>,
    /// `false`: ours was told apart from itself, so the row says little.
    pub(super) stable: Option<bool>,
    pub(super) measures: Vec<Unit>,
    pub(super) contestants: Vec<Line>,
}

/// A measure, as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) better: Better,
}

/// One contestant of a row.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) blocks: bool,
    /// Whether it is ours in another form, which is compared with and no peer.
    pub(super) also_ours: bool,
    pub(super) status: Status,
    pub(super) why: Option<String>,
    /// Medians by measure.
    pub(super) medians: BTreeMap<String, f64>,
    /// Ours over this one, of the first measure.
    pub(super) ratio: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
}

impl Verdict {
    pub(super) fn of(program: &Program, measured: &Measured<'_>) -> Self {
        let row = measured.row;
        let main = row.measures[0].name.as_str();
        let ours = measured.place(&program.list.ours);
        let line = |(place, it): (usize, &Contestant)| {
            let series = &measured.series[place];
            let against = ours.filter(|&ours| ours != place).map(|ours| measured.ratio(ours, place, main));
            let medians = row
                .measures
                .iter()
                .filter_map(|measure| Some((measure.name.clone(), measured.median(place, &measure.name)?)))
                .collect();
            let (status, why) = match &series.failure {
                Some((status, why)) => (*status, Some(why.clone())),
                None => (Status::Ok, None),
            };
            let (ratio, interval) = against.unwrap_or_default();
            Line {
                name: it.name.clone(),
                blocks: it.blocks,
                also_ours: it.also_ours,
                status,
                why,
                medians,
                ratio,
                interval,
            }
        };
        let contestants: Vec<Line> = row.contestants.iter().enumerate().map(line).collect();
        let best = measured.best(&program.list.ours, &[], main);
        let (ratio, interval) =
            best.and_then(|best| ours.map(|ours| measured.ratio(ours, best, main))).unwrap_or_default();
        let control = measured.control(&program.list.ours, main);
        let units = row.measures.iter().map(|it| Unit {
            name: it.name.clone(),
            unit: it.unit.clone(),
            better: it.better,
        });
        Self {
            area: program.list.area.clone(),
            row: row.row.clone(),
            about: row.about.clone(),
            rounds: measured.rounds,
            ours: ours.map(|_| program.list.ours.clone()),
            best_peer: best.map(|best| row.contestants[best].name.clone()),
            ratio,
            interval,
            noise: control.map(Control::noise),
            stable: control.map(|control| control.stable),
            measures: units.collect(),
            contestants,
        }
    }

    /// Whether some contestant ended so.
    pub(super) fn has(&self, status: Status) -> bool {
        self.contestants.iter().any(|line| line.status == status)
    }
}

impl Measured<'_> {
    /// The place of a contestant.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.row.contestants.iter().position(|it| it.name == name)
    }

    pub(super) fn median(&self, place: usize, measure: &str) -> Option<f64> {
        median(&self.series[place].values(measure).into_iter().flatten().collect::<Vec<_>>())
    }

    /// One contestant's value over another's, by Hodges and Lehmann over the rounds that both have, and its interval.
    pub(super) fn ratio(&self, one: usize, other: usize, measure: &str) -> (Option<f64>, Option<(f64, f64)>) {
        let values = |place: usize| self.series[place].values(measure);
        let found = compare(&values(one), &values(other), 0.0);
        (found.ratio, found.interval)
    }

    /// The places of `peers`; where none are named, of all that wait as ours does and are not ours.
    pub(super) fn peers(&self, ours: &str, peers: &[String]) -> impl Iterator<Item = usize> {
        // One that only spins is no peer of one that sleeps, nor the other way round.
        let blocks = self.place(ours).is_none_or(|ours| self.row.contestants[ours].blocks);
        let is_peer = move |it: &Contestant| {
            let unnamed = peers.is_empty() && it.blocks == blocks && !it.also_ours;
            it.name != ours && (unnamed || peers.contains(&it.name))
        };
        (0..).zip(&self.row.contestants).filter(move |(_, it)| is_peer(it)).map(|(place, _)| place)
    }

    /// The best of these peers by its median.
    pub(super) fn best(&self, ours: &str, peers: &[String], measure: &str) -> Option<usize> {
        let better = self.row.measures.iter().find(|it| it.name == measure)?.better;
        let medians = self.peers(ours, peers).filter_map(|place| Some((place, self.median(place, measure)?)));
        let order = |a: &(usize, f64), b: &(usize, f64)| match better {
            Better::Less => a.1.total_cmp(&b.1),
            Better::More => b.1.total_cmp(&a.1),
        };
        medians.min_by(order).map(|(place, _)| place)
    }

    /// Whether ours is not told apart from itself; `None` where there are too few values to say so.
    pub(super) fn is_steady(&self, ours: &str, measure: &str) -> Option<bool> {
        self.control(ours, measure).map(|control| control.stable)
    }

    /// Ours against itself.
    pub(super) fn control(&self, ours: &str, measure: &str) -> Option<Control> {
        let place = self.place(ours)?;
        let own = self.series[place].values(measure);
        control(&own, &self.twin.as_ref()?.values(measure), MARGIN_FLOOR)
    }
}

impl Control {
    /// Half the width of the control's interval, as a fraction, without the floor that a margin has.
    pub(super) fn noise(self) -> f64 {
        let (lo, hi) = self.interval;
        ((hi.ln() - lo.ln()) / 2.0).exp_m1()
    }
}

/// By how much a bound is widened: the row's own noise, at most [`WIDENED_MOST`], and nothing where it is not known.
pub(super) fn widening(measured: &Measured<'_>, ours: &str, measure: &str) -> f64 {
    measured.control(ours, measure).map_or(0.0, |control| control.noise().min(WIDENED_MOST))
}

const WIDENED_MOST: f64 = 0.03;
