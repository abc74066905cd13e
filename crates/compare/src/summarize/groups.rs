//! Ratios, verdicts and ranks: the cells of a group against its baseline and against each other.

use std::collections::BTreeMap;

use super::{Samples, round_values, units};
use crate::protocol::Metric;
use crate::stats::{Round, compare, control, ties};
use crate::summary::{NoiseFloor, Status, Summary, Verdict};
use crate::table::group;

/// Cells are compared within the groups that the table and the report show.
pub(super) fn compare_groups(summary: &mut Summary, samples: &Samples<'_>, floor: f64) {
    let mut groups: BTreeMap<(String, String, u32, u32), Vec<usize>> = BTreeMap::new();
    for (index, cell) in summary.cells.iter().enumerate() {
        if cell.status == Status::Ok && cell.metric != Metric::Outcome && cell.rounds > 0 {
            let home = group::home(summary, cell);
            let key = (home.workload.to_owned(), home.scale.to_owned(), home.cpus, home.workers);
            groups.entry(key).or_default().push(index);
        }
    }
    for ((_, _, _, workers), members) in groups {
        compare_group(summary, &members, workers, samples, floor);
    }
}

fn compare_group(summary: &mut Summary, members: &[usize], workers: u32, samples: &Samples<'_>, floor: f64) {
    let baseline = members
        .iter()
        .copied()
        .filter(|&index| summary.cells[index].model == summary.run.baseline)
        .min_by_key(|&index| &summary.cells[index].form != "generic");
    let control = control_of(summary, baseline.iter().chain(members), samples, floor);
    let margin = control.map_or(floor, |(_, found)| found.margin);
    // Without a control nobody knows what this machine can tell apart, so nothing is told apart.
    let stable = control.is_some_and(|(_, found)| found.stable);
    let values: Vec<Vec<Round>> = members.iter().map(|&index| summary.cells[index].values.clone()).collect();
    let mut verdicts_corrected = true;
    if let Some(at) = baseline.and_then(|index| members.iter().position(|&member| member == index)) {
        summary.cells[members[at]].verdict = Some(Verdict::Baseline);
        let others: Vec<usize> = (0..members.len()).filter(|&other| other != at).collect();
        let series: Vec<&[Round]> = others.iter().map(|&other| values[other].as_slice()).collect();
        for (other, found) in others.iter().zip(compare::verdicts(&values[at], &series, margin)) {
            let cell = &mut summary.cells[members[*other]];
            cell.ratio = found.ratio;
            (cell.lo, cell.hi) = found.interval.unzip();
            verdicts_corrected &= found.p.is_none() || found.p_adjusted.is_some();
            if stable && found.interval.is_some() {
                // What only a very wide margin calls the same has not been shown to be anything.
                let told = margin <= control::SAME_MARGIN_MAX || found.verdict != Verdict::Same;
                cell.verdict = Some(if told { found.verdict } else { Verdict::Unclear });
                cell.rounds_needed = found.rounds_needed.filter(|_| cell.verdict == Some(Verdict::Unclear));
            }
        }
    }
    // Alone, nobody is compared with anybody.
    let mut ranks_corrected = members.len() < 2;
    if stable {
        let ranking = ties::rank(&values, margin);
        ranks_corrected |= ranking.corrected;
        for (&index, rank) in members.iter().zip(ranking.ranks) {
            summary.cells[index].rank = rank;
        }
    }
    if let Some((index, found)) = control {
        let cell = &summary.cells[index];
        summary.noise_floor.push(NoiseFloor {
            workload: cell.workload.clone(),
            scale: cell.scale.clone(),
            cpus: cell.cpus,
            workers,
            model: cell.model.clone(),
            ratio: found.ratio,
            lo: found.interval.0,
            hi: found.interval.1,
            margin: found.margin,
            stable: found.stable,
            verdicts_corrected,
            ranks_corrected,
        });
    }
}

/// The cell that ran twice in each round, and what that shows: the first of `cells` whose rounds bear a control.
fn control_of<'a>(
    summary: &Summary,
    cells: impl Iterator<Item = &'a usize>,
    samples: &Samples<'_>,
    floor: f64,
) -> Option<(usize, control::Control)> {
    cells.copied().find_map(|index| {
        let cell = &summary.cells[index];
        let units = units(&summary.workloads, cell);
        let twin = round_values(samples.of(cell, true), cell.metric, units);
        Some((index, control::control(&cell.values, &twin, floor)?))
    })
}
