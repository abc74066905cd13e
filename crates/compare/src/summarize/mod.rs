//! From the records of a run to its summary. Nothing else goes in, so a report can be drawn again at any time.

mod flags;
mod groups;
mod scaling;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::flags::{disturbance_flags, value_flags};
use self::groups::compare_groups;
use self::scaling::{slopes, speedups, sweeps};
use crate::cell::Sample;
use crate::failure::Failure;
use crate::noise::Disturbance;
use crate::protocol::{Metric, Workload};
use crate::stats::{Round, robust};
use crate::store::Record;
use crate::summary::{Cell, SCHEMA, Status, Summary};
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

/// How many units of work one iteration of a cell holds.
fn units(workloads: &[Workload], cell: &Cell) -> u64 {
    let workload = workloads.iter().find(|workload| workload.name == cell.workload);
    let scale = workload.and_then(|workload| workload.scales.iter().find(|scale| scale.label == cell.scale));
    scale.map_or(1, |scale| scale.units.max(1))
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
