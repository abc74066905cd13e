//! How values grow: with workers, with CPUs, and memory with the number of units.

use std::collections::BTreeMap;

use super::{units, usable};
use crate::protocol::Metric;
use crate::stats::{Round, amdahl, compare, robust};
use crate::summary::{Cell, Slope, Speedup, Summary, Sweep, Verdict};

/// With several worker counts: which is best for each model, and which are not shown to be worse.
pub(super) fn sweeps(summary: &Summary, floor: f64) -> Vec<Sweep> {
    let mut by_model: BTreeMap<_, Vec<&Cell>> = BTreeMap::new();
    for cell in usable(summary).filter(|cell| cell.metric == Metric::Time) {
        let key = (&cell.workload, &cell.scale, &cell.model, &cell.form, cell.cpus);
        by_model.entry(key).or_default().push(cell);
    }
    let mut found = Vec::new();
    for ((workload, scale, model, form, cpus), cells) in by_model {
        let best =
            cells.iter().min_by(|a, b| a.value.unwrap_or(f64::MAX).total_cmp(&b.value.unwrap_or(f64::MAX)));
        let Some(best) = best.filter(|_| cells.len() > 1) else { continue };
        // The restless machine that widens the margin between models widens it between worker counts.
        let noise = summary
            .noise_floor
            .iter()
            .filter(|it| (&it.workload, &it.scale, it.cpus) == (workload, scale, cpus));
        let margin = noise.map(|it| it.margin).fold(floor, f64::max);
        let others: Vec<&&Cell> = cells.iter().filter(|cell| cell.workers != best.workers).collect();
        let series: Vec<&[Round]> = others.iter().map(|cell| cell.values.as_slice()).collect();
        let mut sweep = Sweep {
            workload: workload.clone(),
            scale: scale.clone(),
            model: model.clone(),
            form: form.clone(),
            cpus,
            best: best.workers,
            ties: vec![best.workers],
            ratios: vec![(best.workers, 1.0, 1.0, 1.0)],
        };
        for (cell, comparison) in others.iter().zip(compare::verdicts(&best.values, &series, margin)) {
            if comparison.verdict != Verdict::Slower {
                sweep.ties.push(cell.workers);
            }
            if let Some((ratio, (lo, hi))) = comparison.ratio.zip(comparison.interval) {
                sweep.ratios.push((cell.workers, ratio, lo, hi));
            }
        }
        sweep.ties.sort_unstable();
        sweep.ratios.sort_unstable_by_key(|(workers, ..)| *workers);
        found.push(sweep);
    }
    found
}

/// With several scales of a memory workload: what one more unit takes.
pub(super) fn slopes(summary: &Summary) -> Vec<Slope> {
    let mut by_model: BTreeMap<_, Vec<(&Cell, f64, f64)>> = BTreeMap::new();
    for cell in usable(summary).filter(|cell| cell.metric == Metric::Memory) {
        let units = units(&summary.workloads, cell) as f64;
        if let Some(value) = cell.value {
            let key = (&cell.workload, &cell.model, &cell.form, cell.cpus, cell.workers);
            by_model.entry(key).or_default().push((cell, units, units * value));
        }
    }
    let mut found = Vec::new();
    for ((workload, model, form, cpus, workers), points) in by_model {
        let largest = points.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let line: Vec<(f64, f64)> = points.iter().map(|&(_, units, bytes)| (units, bytes)).collect();
        if let Some(((cell, ..), bytes_per_unit)) = largest.zip(robust::theil_sen(&line)) {
            found.push(Slope {
                workload: workload.clone(),
                model: model.clone(),
                form: form.clone(),
                cpus,
                workers,
                scale: cell.scale.clone(),
                scales: u32::try_from(points.len()).unwrap_or(u32::MAX),
                bytes_per_unit,
            });
        }
    }
    found.sort_by(|a, b| a.bytes_per_unit.total_cmp(&b.bytes_per_unit));
    found
}

/// With several CPU counts: how much faster each model is on more of them, each time with its best worker count.
pub(super) fn speedups(summary: &Summary) -> Vec<Speedup> {
    let mut by_model: BTreeMap<_, BTreeMap<u32, &Cell>> = BTreeMap::new();
    for cell in usable(summary).filter(|cell| cell.metric == Metric::Time) {
        let key = (&cell.workload, &cell.scale, &cell.model, &cell.form);
        let value = |cell: &Cell| cell.value.unwrap_or(f64::MAX);
        let best = by_model.entry(key).or_default().entry(cell.cpus).or_insert(cell);
        if value(cell) < value(best) {
            *best = cell;
        }
    }
    let mut found = Vec::new();
    for ((workload, scale, model, form), cells) in by_model {
        let Some((_, fewest)) = cells.first_key_value().filter(|_| cells.len() > 1) else { continue };
        let mut points = Vec::new();
        for (&cpus, cell) in &cells {
            // The baseline over the model, because a speed-up is old time over new.
            let comparison = compare::compare(&fewest.values, &cell.values, 0.0);
            if let Some((ratio, (lo, hi))) = comparison.ratio.zip(comparison.interval) {
                points.push((cpus, ratio, lo, hi));
            }
        }
        let times: Vec<(u32, f64)> =
            cells.iter().filter_map(|(&cpus, cell)| Some((cpus, cell.value?))).collect();
        found.push(Speedup {
            workload: workload.clone(),
            scale: scale.clone(),
            model: model.clone(),
            form: form.clone(),
            points,
            parallel_fraction: amdahl::parallel_fraction(&times),
        });
    }
    found
}
