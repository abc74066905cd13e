//! From the records of a run to its summary. Nothing else goes in, so a report can be drawn again at any time.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::Sample;
use crate::failure::Failure;
use crate::noise::Disturbance;
use crate::protocol::{Metric, Workload};
use crate::stats::{Round, amdahl, compare, control, drift, robust, ties};
use crate::store::Record;
use crate::summary::{Cell, Flag, NoiseFloor, SCHEMA, Slope, Speedup, Status, Summary, Sweep, Verdict};
use crate::table::group;
use crate::texts::EN;

/// Draws the summary from a run's records, whole or cut short.
pub(crate) fn summarize(records: &[Record]) -> Result<Summary, Failure> {
    let Some(Record::Run { run, machine, workloads, models, cells, flags, margin, .. }) = records.first()
    else {
        return Err(Failure::internal("the records do not begin with a run"));
    };
    let mut summary = Summary {
        schema: SCHEMA,
        run: (**run).clone(),
        machine: (**machine).clone(),
        workloads: workloads.clone(),
        models: models.clone(),
        flags: flags.clone(),
        ..Summary::default()
    };
    let mut samples = Vec::new();
    let mut disturbed = Vec::new();
    summary.run.interrupted = true;
    for record in &records[1..] {
        match record {
            Record::Sample(sample) => samples.push(&**sample),
            Record::Disturbed(disturbance) => disturbed.push(disturbance),
            Record::End { seconds, interrupted } => {
                summary.run.seconds = *seconds;
                summary.run.interrupted = *interrupted;
            }
            Record::Run { .. } => {}
        }
    }
    let by_cell = Samples::sort(&samples, &disturbed);
    summary.cells = cells.iter().map(|planned| measured(planned, workloads, &by_cell)).collect();
    compare_groups(&mut summary, &by_cell, *margin);
    summary.sweeps = sweeps(&summary, *margin);
    summary.speedups = speedups(&summary);
    summary.slopes = slopes(&summary);
    cross_check(&mut summary);
    summary.flags.extend(disturbance_flags(&disturbed));
    summary.flags.extend(value_flags(&summary, *margin));
    Ok(summary)
}

/// The samples of each cell, those that count apart from the rest.
struct Samples<'a>(BTreeMap<Key, Vec<&'a Sample>>);

/// Workload, scale, model, form, CPUs, workers, control.
type Key = (String, String, String, String, u32, u32, bool);

impl<'a> Samples<'a> {
    /// A disturbed round that was run again counts in its second form only, if that was itself undisturbed and has every
    /// cell that the first form has. Both stay in the data.
    fn sort(samples: &[&'a Sample], disturbed: &[&Disturbance]) -> Self {
        let of_round = |it: &&&'a Sample, workload: &str, scale: &str, round: u32| {
            it.workload == workload && it.scale == scale && it.round == round && it.status == Status::Ok
        };
        let cells = |workload: &str, scale: &str, round: u32| -> BTreeSet<Key> {
            samples.iter().filter(|it| of_round(it, workload, scale, round)).map(|it| key(it)).collect()
        };
        let mut second: BTreeMap<(&str, &str, u32), u32> = BTreeMap::new();
        for sample in samples {
            if let Some(first) = sample.replaces {
                second.insert((&sample.workload, &sample.scale, first), sample.round);
            }
        }
        let mut left_out: BTreeSet<(&str, &str, u32)> = BTreeSet::new();
        for (&(workload, scale, first), &again) in &second {
            let quiet =
                !disturbed.iter().any(|it| (&*it.workload, &*it.scale, it.round) == (workload, scale, again));
            let complete = cells(workload, scale, first).is_subset(&cells(workload, scale, again));
            left_out.insert((workload, scale, if quiet && complete { first } else { again }));
        }
        let mut by_cell: BTreeMap<Key, Vec<&'a Sample>> = BTreeMap::new();
        for &sample in samples {
            // A failure is kept in any case: it happened.
            let round = (sample.workload.as_str(), sample.scale.as_str(), sample.round);
            if sample.status != Status::Ok || !left_out.contains(&round) {
                by_cell.entry(key(sample)).or_default().push(sample);
            }
        }
        Self(by_cell)
    }

    fn of(&self, cell: &Cell, control: bool) -> &[&'a Sample] {
        let key = (
            cell.workload.clone(),
            cell.scale.clone(),
            cell.model.clone(),
            cell.form.clone(),
            cell.cpus,
            cell.workers,
            control,
        );
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }
}

fn key(sample: &Sample) -> Key {
    (
        sample.workload.clone(),
        sample.scale.clone(),
        sample.model.clone(),
        sample.form.clone(),
        sample.cpus,
        sample.workers,
        sample.control,
    )
}

/// The value of every round, in order, a re-run standing where the disturbed round stood.
fn round_values(samples: &[&Sample], metric: Metric, units: u64) -> Vec<Round> {
    let mut values = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.status == Status::Ok && sample.round > 0) {
        let value = match metric {
            Metric::Time => sample.iteration_ns(),
            Metric::Memory => sample.bytes.map(|bytes| bytes as f64),
            Metric::Outcome => None,
        };
        if let Some(value) = value {
            values.insert(sample.replaces.unwrap_or(sample.round), value / units as f64);
        }
    }
    let last = values.keys().next_back().copied().unwrap_or(0);
    (1..=last).map(|round| values.get(&round).copied()).collect()
}

fn measured(planned: &Cell, workloads: &[Workload], samples: &Samples<'_>) -> Cell {
    let mut cell = planned.clone();
    let twin = samples.of(planned, true);
    let samples = samples.of(planned, false);
    let Some(workload) = workloads.iter().find(|workload| workload.name == cell.workload) else {
        return cell;
    };
    if samples.is_empty() {
        return cell;
    }
    let units = units(workloads, &cell);
    let good: Vec<&Sample> = samples.iter().copied().filter(|sample| sample.status == Status::Ok).collect();
    let counted: Vec<&Sample> = good.iter().copied().filter(|sample| sample.round > 0).collect();
    cell.status = Status::Ok;
    cell.why = None;
    // The control is the same program: what it did wrong, this cell did wrong.
    if let Some(bad) = samples.iter().chain(twin).find(|sample| sample.status != Status::Ok) {
        cell.status = bad.status;
        cell.why = Some((EN.faults.in_round)(bad.why.as_deref(), bad.round));
    }
    let values = round_values(samples, cell.metric, units);
    let present: Vec<f64> = values.iter().copied().flatten().collect();
    cell.rounds = u32::try_from(present.len()).unwrap_or(u32::MAX);
    let per = match cell.metric {
        Metric::Time => "ns",
        Metric::Memory => "bytes",
        Metric::Outcome => "",
    };
    if cell.metric == Metric::Outcome {
        outcome(&mut cell, &good);
    } else {
        cell.unit = format!("{per}/{}", workload.unit);
        cell.value = robust::median(&present);
        cell.range = present.iter().copied().reduce(f64::min).zip(present.iter().copied().reduce(f64::max));
    }
    if cell.metric == Metric::Time {
        cell.median_ns = cell.value.map(|value| value * units as f64);
    }
    cell.values = values;
    let median = |of: &dyn Fn(&Sample) -> f64, list: &[&Sample]| {
        robust::median(&list.iter().map(|sample| of(sample)).collect::<Vec<_>>())
    };
    let per_iteration = |total: u64, sample: &Sample| total as f64 / sample.iterations.max(1) as f64;
    cell.cpu_ns = median(&|sample| per_iteration(sample.cpu_ns, sample), &counted);
    cell.ctx_switches = median(&|sample| per_iteration(sample.ctx.0 + sample.ctx.1, sample), &counted);
    cell.startup_ns = median(&|sample| sample.startup_ns as f64, &counted);
    cell.peak_bytes = good.iter().map(|sample| sample.peak_bytes).max().filter(|&bytes| bytes > 0);
    let notes: BTreeSet<&String> = samples.iter().flat_map(|sample| &sample.notes).collect();
    cell.notes = notes.into_iter().cloned().collect();
    cell
}

fn outcome(cell: &mut Cell, good: &[&Sample]) {
    let outcomes: BTreeSet<&str> = good.iter().filter_map(|sample| sample.outcome.as_deref()).collect();
    cell.rounds = u32::try_from(good.len()).unwrap_or(u32::MAX);
    if cell.status != Status::Ok {
        return;
    }
    cell.why = good.iter().find_map(|sample| sample.cause.clone());
    match outcomes.len() {
        1 => cell.outcome = outcomes.into_iter().next().map(str::to_owned),
        _ => {
            cell.status = Status::Wrong;
            let list: Vec<&str> = outcomes.into_iter().collect();
            cell.why = Some((EN.faults.unsteady_outcome)(&list));
        }
    }
}

/// Cells are compared within the groups that the table and the report show.
fn compare_groups(summary: &mut Summary, samples: &Samples<'_>, floor: f64) {
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
    let mut margin = floor;
    let mut stable = true;
    if let Some(index) = baseline {
        let cell = &summary.cells[index];
        let units = units(&summary.workloads, cell);
        let twin = round_values(samples.of(cell, true), cell.metric, units);
        if let Some(found) = control::control(&cell.values, &twin, floor) {
            margin = found.margin;
            stable = found.stable;
            summary.noise_floor.push(NoiseFloor {
                workload: cell.workload.clone(),
                scale: cell.scale.clone(),
                cpus: cell.cpus,
                workers,
                ratio: found.ratio,
                lo: found.interval.0,
                hi: found.interval.1,
                margin: found.margin,
                stable: found.stable,
            });
        }
    }
    let values: Vec<Vec<Round>> = members.iter().map(|&index| summary.cells[index].values.clone()).collect();
    if let Some(at) = baseline.and_then(|index| members.iter().position(|&member| member == index)) {
        summary.cells[members[at]].verdict = Some(Verdict::Baseline);
        let others: Vec<usize> = (0..members.len()).filter(|&other| other != at).collect();
        let series: Vec<&[Round]> = others.iter().map(|&other| values[other].as_slice()).collect();
        for (other, found) in others.iter().zip(compare::verdicts(&values[at], &series, margin)) {
            let cell = &mut summary.cells[members[*other]];
            cell.ratio = found.ratio;
            (cell.lo, cell.hi) = found.interval.unzip();
            if stable && found.interval.is_some() {
                // What only a very wide margin calls the same has not been shown to be anything.
                let told = margin <= SAME_MARGIN_MAX || found.verdict != Verdict::Same;
                cell.verdict = Some(if told { found.verdict } else { Verdict::Unclear });
                cell.rounds_needed = found.rounds_needed.filter(|_| cell.verdict == Some(Verdict::Unclear));
            }
        }
    }
    if stable {
        let ranking = ties::rank(&values, margin);
        for (&index, rank) in members.iter().zip(ranking.ranks) {
            summary.cells[index].rank = rank;
        }
    }
}

/// A machine that cannot tell a tenth apart can show what is faster or slower, and cannot show that two are the same.
const SAME_MARGIN_MAX: f64 = 0.10;

/// How many units of work one iteration of a cell holds.
fn units(workloads: &[Workload], cell: &Cell) -> u64 {
    let workload = workloads.iter().find(|workload| workload.name == cell.workload);
    let scale = workload.and_then(|workload| workload.scales.iter().find(|scale| scale.label == cell.scale));
    scale.map_or(1, |scale| scale.units.max(1))
}

/// With several worker counts: which is best for each model, and which are not shown to be worse.
fn sweeps(summary: &Summary, floor: f64) -> Vec<Sweep> {
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
fn slopes(summary: &Summary) -> Vec<Slope> {
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

/// With several CPU counts: how much faster each model is on more of them.
fn speedups(summary: &Summary) -> Vec<Speedup> {
    let mut by_model: BTreeMap<_, BTreeMap<u32, &Cell>> = BTreeMap::new();
    for cell in usable(summary).filter(|cell| cell.metric == Metric::Time) {
        let key = (&cell.workload, &cell.scale, &cell.model, &cell.form);
        by_model.entry(key).or_default().entry(cell.cpus).or_insert(cell);
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

fn usable(summary: &Summary) -> impl Iterator<Item = &Cell> {
    summary.cells.iter().filter(|cell| cell.status == Status::Ok && cell.rounds > 0)
}

/// A cell that is faster than the oracle on all CPUs could be deserves a second look, whatever its digests say.
fn cross_check(summary: &mut Summary) {
    for index in 0..summary.cells.len() {
        let cell = &summary.cells[index];
        let bound =
            summary.workloads.iter().any(|workload| workload.name == cell.workload && workload.cpu_bound);
        let oracle = usable(summary).find(|other| {
            other.model == "seq"
                && (&other.workload, &other.scale, other.cpus) == (&cell.workload, &cell.scale, cell.cpus)
        });
        let Some((oracle, value)) = oracle.and_then(|oracle| oracle.value).zip(cell.value) else { continue };
        let least = oracle / (f64::from(cell.cpus) * 1.2);
        if bound && value < least {
            let note = (EN.faults.too_fast)(oracle / value, cell.cpus);
            summary.cells[index].notes.push(note);
        }
    }
}

fn disturbance_flags(disturbed: &[&Disturbance]) -> Vec<Flag> {
    let t = &EN.flags;
    let mut flags = Vec::new();
    for code in ["outside-cpu", "steal"] {
        let these: Vec<&&Disturbance> = disturbed.iter().filter(|it| it.code == code).collect();
        let Some(worst) = these.iter().max_by(|a, b| a.cpus.total_cmp(&b.cpus)) else { continue };
        let rounds: BTreeSet<u32> = these.iter().map(|it| it.round).collect();
        let group = format!("{} {}", worst.workload, worst.scale);
        let at_most = (t.at_most)(worst.cpus * 100.0, &group, worst.round);
        let flag = if code == "steal" {
            t.steal.flag(code, (t.steal.what)(these.len(), &at_most))
        } else {
            Flag {
                code: code.to_owned(),
                what: (t.outside.what)(these.len(), &at_most),
                cause: (t.outside.cause)(worst.by.as_deref()),
                remedy: t.outside.remedy.to_owned(),
                ..Flag::default()
            }
        };
        flags.push(Flag { rounds: rounds.into_iter().collect(), ..flag });
    }
    flags
}

fn value_flags(summary: &Summary, floor: f64) -> Vec<Flag> {
    let mut drifting = Vec::new();
    for noise in &summary.noise_floor {
        let baseline = usable(summary).find(|cell| {
            cell.verdict == Some(Verdict::Baseline)
                && (&cell.workload, &cell.scale, cell.cpus, cell.workers)
                    == (&noise.workload, &noise.scale, noise.cpus, noise.workers)
        });
        if let Some(found) = baseline
            .and_then(|cell| drift::drift(&cell.values, floor.max(noise.margin)))
            .filter(|it| it.drifting)
        {
            drifting.push((format!("{} {}", noise.workload, noise.scale), found.change * 100.0));
        }
    }
    let t = &EN.flags;
    let mut flags = Vec::new();
    if !drifting.is_empty() {
        flags.push(t.drift.flag("drift", (t.drift.what)(&drifting)));
    }
    let series = usable(summary).map(|cell| cell.values.iter().copied().flatten().collect::<Vec<_>>());
    let (outliers, values) = series.fold((0, 0), |(outliers, values), cell| {
        (outliers + robust::outliers(&cell).len(), values + cell.len())
    });
    if outliers > 0 {
        flags.push(t.outliers.flag("outliers", (t.outliers.what)(outliers, values)));
    }
    flags
}
