//! Which cells there are: every workload and scale against every model and form, each with what stands in its way.

use std::collections::BTreeMap;

use crate::protocol::{Ability, Description, Metric, Need, Profile, Scale, Uses, Workload};
use crate::roster::Contestant;
use crate::schedule::GroupShape;
use crate::select::{Names, Selection};
use crate::summary::Status;
use crate::texts::EN;

/// One cell, before it is run.
#[derive(Clone, Debug)]
pub(crate) struct PlannedCell {
    pub(crate) workload: String,
    pub(crate) scale: String,
    pub(crate) model: String,
    pub(crate) form: String,
    pub(crate) cpus: u32,
    pub(crate) workers: u32,
    pub(crate) metric: Metric,
    /// `Untested` for a cell that can run.
    pub(crate) status: Status,
    pub(crate) why: Option<String>,
    /// It is part of this run: picked, in the profile, and nothing stands in its way.
    pub(crate) runs: bool,
    pub(crate) uses: Uses,
}

/// The cells of one workload at one scale.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) workload: Workload,
    /// Index into the workload's scales.
    pub(crate) scale: usize,
    /// Indices into [`Matrix::cells`], those that run.
    pub(crate) cells: Vec<usize>,
    pub(crate) rounds: u32,
}

impl Group {
    pub(crate) fn label(&self) -> &str {
        &self.workload.scales[self.scale].label
    }

    pub(crate) fn shape(&self) -> GroupShape {
        let metric = self.workload.metric;
        GroupShape { rounds: self.rounds, outcome: metric == Metric::Outcome, check: metric == Metric::Time }
    }
}

/// With this many CPUs a server gets one of its own.
pub(crate) const SERVER_CPUS_MIN: usize = 4;

/// All cells and how they are grouped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    pub(crate) cells: Vec<PlannedCell>,
    pub(crate) groups: Vec<Group>,
}

/// What the matrix is made from.
#[derive(Clone, Copy)]
pub(crate) struct Extent<'a> {
    pub(crate) contestants: &'a [Contestant],
    pub(crate) workloads: &'a [Workload],
    pub(crate) selection: &'a Selection,
    pub(crate) profile: Profile,
    pub(crate) rounds: u32,
    /// How many CPUs there are.
    pub(crate) all_cpus: u32,
    /// CPU counts and worker counts: every pair is measured.
    pub(crate) cpus: &'a [u32],
    pub(crate) workers: &'a [u32],
    /// Always part of the run, so that there is something to compare with.
    pub(crate) baseline: &'a str,
    /// Every scale, those too that belong to another profile: for a list.
    pub(crate) all_scales: bool,
    /// What a need lacks on this machine, if it lacks anything.
    pub(crate) lacks: &'a dyn Fn(Need) -> Option<String>,
}

impl Matrix {
    pub(crate) fn new(extent: &Extent<'_>) -> Self {
        let names = extent.names();
        let mut matrix = Self::default();
        for workload in extent.workloads {
            let picked = |model: &str| extent.selection.picks(&workload.name, model, &names);
            if !extent.contestants.iter().any(|contestant| picked(&contestant.name)) {
                continue;
            }
            for scale in (0..workload.scales.len()).filter(|&scale| extent.shows(&workload.scales[scale])) {
                let first = matrix.cells.len();
                for contestant in extent.contestants {
                    if picked(&contestant.name) || contestant.name == extent.baseline {
                        extent.add(workload, scale, contestant, &mut matrix.cells);
                    }
                }
                let cells: Vec<usize> =
                    (first..matrix.cells.len()).filter(|&cell| matrix.cells[cell].runs).collect();
                if !cells.is_empty() {
                    let rounds = rounds_of(workload.metric, extent.profile, extent.rounds);
                    matrix.groups.push(Group { workload: workload.clone(), scale, cells, rounds });
                }
            }
        }
        matrix
    }
}

impl Matrix {
    /// Which of these cells of a group run twice in a round, as the A/A control: the baseline's, and the first cell wherever
    /// the baseline does not take part. Cells of the same CPUs and workers are compared with each other, so each such set
    /// has a control of its own.
    pub(crate) fn controls(&self, alive: &[usize], baseline: &str) -> Vec<usize> {
        let mut sets: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for &index in alive {
            let cell = &self.cells[index];
            sets.entry((cell.cpus, self.compared_workers(alive, cell))).or_default().push(index);
        }
        let is_baseline = |&&index: &&usize| self.cells[index].model == baseline;
        let mut controls = Vec::new();
        for set in sets.values() {
            let before = controls.len();
            controls.extend(set.iter().filter(is_baseline));
            if controls.len() == before {
                controls.extend(set.first());
            }
        }
        controls
    }

    /// The worker count of the cells that a cell is compared with, as long as these are alive.
    fn compared_workers(&self, alive: &[usize], cell: &PlannedCell) -> u32 {
        let alive = alive.iter().map(|&index| &self.cells[index]).filter(|it| it.cpus == cell.cpus);
        joined_workers(cell.workers, alive.map(|it| (it.uses, it.workers))).unwrap_or(cell.workers)
    }
}

/// The worker count that a cell with `own` workers is compared at, among cells that use this and have so many workers. One
/// that has a single thread by nature is measured once and says one worker, even where all others have more: it stands among
/// those of its own count, or else among those with most. `None` if there are no others but such.
///
/// Before a round the others are those that are still in the race, and afterwards those that stayed in it.
pub(crate) fn joined_workers(own: u32, others: impl Iterator<Item = (Uses, u32)>) -> Option<u32> {
    let several = others.filter(|(uses, _)| !matches!(uses, Uses::OneThread { .. }));
    let counts: Vec<u32> = several.map(|(_, workers)| workers).collect();
    if counts.contains(&own) { Some(own) } else { counts.into_iter().max() }
}

/// Memory and outcomes hardly vary from round to round, so they get fewer rounds; never fewer than an interval needs.
fn rounds_of(metric: Metric, profile: Profile, rounds: u32) -> u32 {
    match metric {
        Metric::Time => rounds,
        Metric::Memory => rounds.min(6),
        Metric::Outcome if profile == Profile::Quick => 1,
        Metric::Outcome => rounds.min(3),
    }
}

impl Extent<'_> {
    /// Whether a scale is part of this run, or is worth a word that it is not: a quick run tells what a plain one has.
    fn shows(&self, scale: &Scale) -> bool {
        let replaced = scale.quick_only && self.profile == Profile::Default;
        let most = self.profile.max(Profile::Default);
        self.all_scales || (scale.profile <= most && !replaced)
    }

    /// All names that a filter may hit.
    pub(crate) fn names(&self) -> Names {
        Names {
            workloads: self.workloads.iter().map(|workload| workload.name.clone()).collect(),
            models: self.contestants.iter().map(|contestant| contestant.name.clone()).collect(),
        }
    }

    fn add(&self, workload: &Workload, scale: usize, contestant: &Contestant, cells: &mut Vec<PlannedCell>) {
        let forms: Vec<String> = match &contestant.described {
            Ok(it) => {
                ability(it, &workload.name).map(|able| able.forms.clone()).filter(|forms| !forms.is_empty())
            }
            Err(_) => None,
        }
        .unwrap_or_else(|| vec!["generic".to_owned()]);
        let uses = contestant.described.as_ref().map(|it| it.uses).unwrap_or_default();
        for form in &forms {
            for cpus in self.cpu_counts(workload) {
                let mut counts: Vec<u32> = match uses {
                    Uses::OneThread { .. } => vec![1],
                    _ if self.workers.is_empty() => vec![cpus],
                    _ => self.workers.to_vec(),
                };
                counts.dedup();
                for workers in counts {
                    let obstacle = self.obstacle(workload, scale, contestant);
                    let (status, why) = obstacle
                        .clone()
                        .map_or((Status::Untested, None), |(status, why)| (status, Some(why)));
                    cells.push(PlannedCell {
                        workload: workload.name.clone(),
                        scale: workload.scales[scale].label.clone(),
                        model: contestant.name.clone(),
                        form: form.clone(),
                        cpus,
                        workers,
                        metric: workload.metric,
                        status,
                        why,
                        runs: obstacle.is_none(),
                        uses,
                    });
                }
            }
        }
    }

    /// The CPU counts for a workload. Where there are enough, the server of a workload that asks one has the last CPU.
    fn cpu_counts(&self, workload: &Workload) -> Vec<u32> {
        let shared = workload.needs.contains(&Need::Server) && self.all_cpus as usize >= SERVER_CPUS_MIN;
        let most = if shared { self.all_cpus - 1 } else { self.all_cpus };
        let mut counts: Vec<u32> = self.cpus.iter().map(|&count| count.min(most)).collect();
        counts.dedup();
        counts
    }

    /// What stands in a cell's way, if anything does.
    fn obstacle(
        &self,
        workload: &Workload,
        scale: usize,
        contestant: &Contestant,
    ) -> Option<(Status, String)> {
        let t = &EN.absences;
        let description = match &contestant.described {
            Ok(description) => description,
            Err((status, why)) => return Some((*status, why.clone())),
        };
        let scale = &workload.scales[scale];
        let able = ability(description, &workload.name);
        match able {
            None => return Some((Status::Unsupported, t.unknown_workload.to_owned())),
            Some(able) if able.forms.is_empty() => {
                return Some((Status::Unsupported, able.why.clone().unwrap_or_default()));
            }
            Some(Ability { most: Some(most), most_why, .. }) if scale.n > *most => {
                let why = most_why.clone().unwrap_or_else(|| (t.takes_at_most)(*most));
                return Some((Status::Limit, why));
            }
            Some(_) => {}
        }
        if let Some(why) = workload.needs.iter().find_map(|&need| (self.lacks)(need)) {
            return Some((Status::Unavailable, why));
        }
        let slow = able.and_then(|able| able.slow).filter(|slow| scale.n >= slow.from);
        let first =
            slow.map_or(scale.profile, |slow| slow.profile.max(scale.profile)).max(contestant.profile);
        let replaced = scale.quick_only && self.profile == Profile::Default;
        let left_out = first > self.profile || replaced;
        left_out.then(|| (Status::Untested, (t.left_out)(self.profile, replaced).to_owned()))
    }
}

fn ability<'a>(description: &'a Description, workload: &str) -> Option<&'a Ability> {
    description.abilities.iter().find(|able| able.workload == workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(model: &str, cpus: u32, workers: u32) -> PlannedCell {
        PlannedCell {
            workload: "sleepers".to_owned(),
            scale: "100k".to_owned(),
            model: model.to_owned(),
            form: "generic".to_owned(),
            cpus,
            workers,
            metric: Metric::Memory,
            status: Status::Untested,
            why: None,
            runs: true,
            uses: if model == "node" { Uses::OneThread { helpers: 0 } } else { Uses::Threads },
        }
    }

    #[test]
    fn every_set_that_is_compared_has_a_control() {
        let cells = vec![cell("node", 2, 1), cell("smol", 2, 2), cell("threads", 2, 2), cell("smol", 2, 4)];
        let matrix = Matrix { cells, groups: Vec::new() };
        // Node's one thread stands among those with most workers.
        assert_eq!(matrix.controls(&[0, 1, 2], "threads"), [2]);
        assert_eq!(matrix.controls(&[0, 1], "threads"), [0], "the first where the baseline is not");
        assert_eq!(matrix.controls(&[1, 2, 3], "threads"), [2, 3], "one for each worker count");
        assert_eq!(matrix.controls(&[], "threads"), [0_usize; 0]);
    }

    #[test]
    fn one_thread_joins_its_own_count_or_the_most() {
        let (one, many) = (Uses::OneThread { helpers: 0 }, Uses::Threads);
        assert_eq!(joined_workers(1, [(one, 1), (many, 2), (many, 4)].into_iter()), Some(4));
        assert_eq!(joined_workers(1, [(many, 1), (Uses::Processes, 4)].into_iter()), Some(1));
        assert_eq!(joined_workers(2, [(many, 2), (many, 4)].into_iter()), Some(2), "its own");
        assert_eq!(joined_workers(1, [(one, 1), (one, 1)].into_iter()), None);
    }
}
