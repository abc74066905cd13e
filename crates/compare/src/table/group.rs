//! The cells of a summary, put together as they are compared: by workload, scale, CPUs and workers.
//!
//! The table and the report are both drawn from these groups, so that they cannot disagree on what belongs together,
//! who leads and what is missing.

use crate::matrix::joined_workers;
use crate::protocol::{Metric, Uses, Workload};
use crate::summary::{Cell, NoiseFloor, Status, Summary, Verdict};

/// Cells that were compared with each other.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) workload: &'a str,
    pub(crate) scale: &'a str,
    pub(crate) cpus: u32,
    pub(crate) workers: u32,
    pub(crate) metric: Metric,
    /// What one unit of the work is called, such as `task`.
    pub(crate) unit: &'a str,
    pub(crate) floor: Option<&'a NoiseFloor>,
    /// Cells with a result, the best first.
    pub(crate) rows: Vec<Row<'a>>,
    /// All other cells, in the order of the models.
    pub(crate) holes: Vec<Row<'a>>,
    /// Whether the summary has this workload and scale with other CPUs or workers too.
    pub(crate) one_of_many: bool,
}

/// A cell under the name that people know it by.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) cell: &'a Cell,
    /// The model, with the form where the model has more than one on this workload.
    pub(crate) name: String,
    /// Whether the model has one thread, whatever the others have.
    pub(crate) one_worker: bool,
}

/// All groups: workloads and scales in the order in which they describe themselves, then by CPUs and workers.
pub(crate) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let homes: Vec<Key<'_>> = summary.cells.iter().map(|cell| home(summary, cell)).collect();
    let mut keys: Vec<Key<'_>> = Vec::new();
    for key in &homes {
        if !keys.contains(key) {
            keys.push(*key);
        }
    }
    keys.sort_by_key(|key| (position(summary, key), key.cpus, key.workers));
    let cells_of = |key: &Key<'_>| {
        let both = summary.cells.iter().zip(&homes);
        both.filter(|(_, home)| *home == key).map(|(cell, _)| cell).collect::<Vec<_>>()
    };
    keys.iter().map(|key| group(summary, key, &cells_of(key), &keys)).collect()
}

/// The same groups, those of one workload together.
pub(crate) fn by_workload(summary: &Summary) -> Vec<Vec<Group<'_>>> {
    let mut workloads: Vec<Vec<Group<'_>>> = Vec::new();
    for group in groups(summary) {
        match workloads.last_mut() {
            Some(last) if last[0].workload == group.workload => last.push(group),
            _ => workloads.push(vec![group]),
        }
    }
    workloads
}

impl<'a> Group<'a> {
    /// The value that all others are shown against in the heat map: the smallest.
    pub(crate) fn best(&self) -> Option<f64> {
        self.rows.iter().filter_map(|row| row.cell.value).min_by(f64::total_cmp).filter(|best| *best > 0.0)
    }

    /// The rows of rank 1: one if there is a winner, more if they tie, none without ranks.
    pub(crate) fn leaders(&self) -> Vec<&Row<'a>> {
        self.rows.iter().filter(|row| row.cell.rank == Some(1)).collect()
    }

    /// The row that the ratios are taken against, if it has a result.
    pub(crate) fn baseline(&self, model: &str) -> Option<&Row<'a>> {
        self.rows.iter().find(|row| row.is_baseline(model))
    }

    /// Why this group was left out of the run as a whole, if it was: nobody has a result, and nobody failed.
    pub(crate) fn left_out(&self) -> Option<&'a str> {
        let is_absent = |status| {
            use Status::{BuildFailed, Limit, Unavailable, Unsupported, Untested};
            matches!(status, Untested | Unsupported | Unavailable | BuildFailed | Limit)
        };
        let all = self.rows.is_empty() && self.holes.iter().all(|hole| is_absent(hole.cell.status));
        let untested = self.holes.iter().find(|hole| hole.cell.status == Status::Untested).filter(|_| all)?;
        Some(untested.cell.why.as_deref().unwrap_or_default())
    }

    /// How many rows share this rank.
    pub(crate) fn sharing(&self, rank: u32) -> usize {
        self.rows.iter().filter(|row| row.cell.rank == Some(rank)).count()
    }

    /// `false` where the control differs from itself.
    pub(crate) fn is_stable(&self) -> bool {
        self.floor.is_none_or(|floor| floor.stable)
    }

    /// The most rounds that any row has.
    pub(crate) fn rounds(&self) -> u32 {
        self.rows.iter().map(|row| row.cell.rounds).max().unwrap_or(0)
    }

    /// What people call it: `spawn 1k`, with CPUs and workers only where the summary has several of either.
    pub(crate) fn title(&self, resources: fn(u32, u32) -> String) -> String {
        let Self { workload, scale, .. } = self;
        if self.one_of_many {
            format!("{workload} {scale} ({})", resources(self.cpus, self.workers))
        } else {
            format!("{workload} {scale}")
        }
    }

    /// A name without spaces, unique within the summary; an anchor in the report.
    pub(crate) fn anchor(&self) -> String {
        let Self { workload, scale, cpus, workers, .. } = self;
        let name = if self.one_of_many {
            format!("{workload}-{scale}-{cpus}-{workers}")
        } else {
            format!("{workload}-{scale}")
        };
        name.replace(|character: char| !character.is_ascii_alphanumeric(), "-")
    }
}

impl Row<'_> {
    /// Whether the ratios are taken against this row. Without verdicts it is known by its name and its ratio of 1.
    pub(crate) fn is_baseline(&self, model: &str) -> bool {
        let Cell { verdict, ratio, .. } = self.cell;
        *verdict == Some(Verdict::Baseline)
            || (self.cell.model == model && ratio.is_none_or(|ratio| ratio == 1.0))
    }

    /// The ratio to the baseline; the baseline's own is 1 by definition.
    pub(crate) fn ratio(&self, baseline: &str) -> Option<f64> {
        self.cell.ratio.or_else(|| self.is_baseline(baseline).then_some(1.0))
    }

    /// The interval of the ratio; the baseline has none.
    pub(crate) fn interval(&self, baseline: &str) -> Option<(f64, f64)> {
        self.cell.lo.zip(self.cell.hi).filter(|_| !self.is_baseline(baseline))
    }

    /// Whether the model got an answer that counts.
    pub(crate) fn has_result(&self) -> bool {
        let cell = self.cell;
        let answer =
            if cell.metric == Metric::Outcome { cell.outcome.is_some() } else { cell.value.is_some() };
        cell.status == Status::Ok && answer
    }
}

/// What people know a model by on a workload: with its form, where it has more than one there.
pub(crate) fn entry_name(summary: &Summary, workload: &str, model: &str, form: &str) -> String {
    let forms = |cell: &&Cell| cell.workload == workload && cell.model == model && cell.form != form;
    if summary.cells.iter().any(|cell| forms(&cell)) { format!("{model} {form}") } else { model.to_owned() }
}

/// The workload of this name, if it has described itself.
pub(crate) fn workload<'a>(summary: &'a Summary, name: &str) -> Option<&'a Workload> {
    summary.workloads.iter().find(|workload| workload.name == name)
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Key<'a> {
    pub(crate) workload: &'a str,
    pub(crate) scale: &'a str,
    pub(crate) cpus: u32,
    pub(crate) workers: u32,
}

/// The group that a cell belongs to: the one that the cells with a result make, see [`joined_workers`]. A hole joins it in the
/// same way, whatever its count.
pub(crate) fn home<'a>(summary: &'a Summary, cell: &'a Cell) -> Key<'a> {
    let same = |other: &&Cell| {
        other.workload == cell.workload && other.scale == cell.scale && other.cpus == cell.cpus
    };
    let all = || summary.cells.iter().filter(same);
    let good = all().filter(|other| other.status == Status::Ok);
    let workers =
        joined_workers(cell.workers, good.map(|other| (uses(summary, &other.model), other.workers)))
            .or_else(|| all().map(|other| other.workers).max())
            .unwrap_or(cell.workers);
    Key { workload: &cell.workload, scale: &cell.scale, cpus: cell.cpus, workers }
}

fn is_one_thread(summary: &Summary, model: &str) -> bool {
    matches!(uses(summary, model), Uses::OneThread { .. })
}

/// What a model uses; one that has not described itself has no cell with a result.
fn uses(summary: &Summary, model: &str) -> Uses {
    summary.models.iter().find(|known| known.name == model).map(|known| known.uses).unwrap_or_default()
}

/// Where a workload and its scale stand in their own description; what is unknown comes last, in order of appearance.
fn position(summary: &Summary, key: &Key<'_>) -> (usize, usize) {
    let known = summary.workloads.iter().position(|workload| workload.name == key.workload);
    let Some(index) = known else {
        let first =
            summary.cells.iter().position(|cell| cell.workload == key.workload && cell.scale == key.scale);
        return (usize::MAX, first.unwrap_or(usize::MAX));
    };
    let scale = summary.workloads[index].scales.iter().position(|scale| scale.label == key.scale);
    (index, scale.unwrap_or(usize::MAX))
}

fn group<'a>(summary: &'a Summary, key: &Key<'a>, cells: &[&'a Cell], keys: &[Key<'a>]) -> Group<'a> {
    let &Key { workload: name, scale, cpus, workers } = key;
    let row = |cell: &&'a Cell| {
        let forms = cells.iter().filter(|other| other.model == cell.model).count();
        let name = if forms > 1 { format!("{} {}", cell.model, cell.form) } else { cell.model.clone() };
        Row { cell, name, one_worker: is_one_thread(summary, &cell.model) }
    };
    let (mut rows, holes): (Vec<_>, Vec<_>) = cells.iter().map(row).partition(Row::has_result);
    rows.sort_by(|a, b| order(a.cell).partial_cmp(&order(b.cell)).unwrap_or(std::cmp::Ordering::Equal));
    let unit = rows.first().and_then(|row| row.cell.unit.split_once('/')).map(|(_, unit)| unit);
    let described = workload(summary, name).map(|workload| workload.unit.as_str());
    Group {
        workload: name,
        scale,
        cpus,
        workers,
        metric: cells.first().map_or_else(Metric::default, |cell| cell.metric),
        unit: unit.or(described).unwrap_or("unit"),
        floor: summary.noise_floor.iter().find(|floor| {
            (&*floor.workload, &*floor.scale, floor.cpus, floor.workers) == (name, scale, cpus, workers)
        }),
        rows,
        holes,
        one_of_many: keys.iter().filter(|other| other.workload == name && other.scale == scale).count() > 1,
    }
}

/// The best first: by rank, then by value; outcomes by how little is lost.
fn order(cell: &Cell) -> (u32, usize, f64) {
    let lost = OUTCOMES.iter().position(|outcome| Some(*outcome) == cell.outcome.as_deref());
    (cell.rank.unwrap_or(u32::MAX), lost.unwrap_or(OUTCOMES.len()), cell.value.unwrap_or(f64::INFINITY))
}

/// The protocol's outcomes, the least harm first.
pub(crate) const OUTCOMES: [&str; 3] = ["task lost", "worker lost", "program lost"];
