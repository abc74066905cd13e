//! The rounds themselves: each step of the schedule run, judged, kept and told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cell::{CellOrder, Launch, Sample, run};
use crate::failure::Failure;
use crate::matrix::{Group, Matrix, PlannedCell};
use crate::noise::{Disturbance, Outside};
use crate::oracle::{Expected, expected};
use crate::protocol::{self, Metric, Need, Profile, Run, Timing};
use crate::schedule::{Step, first, round_order, round_seed, steps};
use crate::session::Session;
use crate::store::{Record, Store};
use crate::summary::Status;
use crate::texts::EN;

/// How a run is done.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    /// Only the checks: every cell once.
    pub(crate) test: bool,
    pub(crate) timeout: Option<Duration>,
}

impl Manner {
    /// The clock's part in a round.
    fn timing(&self, round: u32) -> Timing {
        let ms = |ms: u64| ms * 1_000_000;
        match (round, self.profile) {
            _ if self.test => Timing { timed: false, warm_ns: 0, batch_ns: 0, min_ns: 0 },
            // The check is watched, which takes CPU time: its times do not count, so they need not be long.
            (0, _) => Timing { timed: true, warm_ns: ms(10), batch_ns: ms(1), min_ns: ms(20) },
            (_, Profile::Quick) => Timing { timed: true, warm_ns: ms(10), batch_ns: ms(2), min_ns: ms(20) },
            (_, Profile::Default) => Timing { timed: true, warm_ns: ms(40), batch_ns: ms(5), min_ns: ms(60) },
            (_, Profile::Full) => Timing { timed: true, warm_ns: ms(200), batch_ns: ms(5), min_ns: ms(100) },
        }
    }
}

/// Who hears how it goes.
pub(crate) trait Listener {
    /// A cell begins.
    fn cell(&mut self, group: &Group, cell: &PlannedCell, round: u32);
    /// A step is over and kept. `records` is what it gave, `all` what there is so far, `took` its wall time.
    fn step(&mut self, step: &Step, records: &[Record], all: &[Record], took: Duration);
}

/// A matrix being worked through.
#[derive(Debug)]
pub(crate) struct Rounds<'a> {
    session: &'a Session,
    matrix: &'a Matrix,
    manner: &'a Manner,
    stop: &'a AtomicBool,
    started: Instant,
    /// Cells that failed, by index: they are not run again.
    failed: BTreeMap<usize, Status>,
    /// The look at everyone else's CPU time that the next one is compared with.
    outside: Outside,
    /// Groups and rounds since then.
    watched: Vec<(usize, u32)>,
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(
        session: &'a Session,
        matrix: &'a Matrix,
        manner: &'a Manner,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            session,
            matrix,
            manner,
            stop,
            started: Instant::now(),
            failed: BTreeMap::new(),
            outside: Outside::look(),
            watched: Vec::new(),
        }
    }

    /// Runs everything, or until the user stops it. Whether it came to its end.
    pub(crate) fn run(&mut self, store: &mut Store, listener: &mut dyn Listener) -> Result<bool, Failure> {
        self.outside = Outside::look();
        let whole = self.run_steps(store, listener)?;
        store.append(self.disturbances(true))?;
        Ok(whole)
    }

    fn run_steps(&mut self, store: &mut Store, listener: &mut dyn Listener) -> Result<bool, Failure> {
        for step in self.steps() {
            if !self.step(step, None, store, listener)? {
                return Ok(false);
            }
        }
        store.append(self.disturbances(true))?;
        for (step, replaces) in self.disturbed_again(&store.records) {
            if !self.step(step, Some(replaces), store, listener)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The schedule of this run.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let shapes: Vec<_> = self.matrix.groups.iter().map(Group::shape).collect();
        let all = steps(&shapes, self.manner.seed);
        if self.manner.test {
            return all.into_iter().filter(|step| step.round == first(shapes[step.group])).collect();
        }
        all
    }

    /// Rounds to run again because someone else disturbed them: as many as one in ten, and none in a quick run. The
    /// values that were measured have no say in it.
    fn disturbed_again(&self, records: &[Record]) -> Vec<(Step, u32)> {
        let mut again = Vec::new();
        if self.manner.test || self.manner.profile == Profile::Quick {
            return again;
        }
        for (index, group) in
            self.matrix.groups.iter().enumerate().filter(|(_, group)| group.workload.metric == Metric::Time)
        {
            let mut rounds: Vec<u32> = records
                .iter()
                .filter_map(|record| match record {
                    Record::Disturbed(it)
                        if it.workload == group.workload.name && it.scale == group.label() =>
                    {
                        Some(it.round)
                    }
                    _ => None,
                })
                .filter(|&round| round > 0)
                .collect();
            rounds.dedup();
            rounds.truncate((group.rounds / 10) as usize);
            let fresh = group.rounds + 1..;
            again.extend(fresh.zip(rounds).map(|(round, replaces)| (Step { group: index, round }, replaces)));
        }
        again
    }

    /// One step. `false`: the user stopped it, and what it had so far is kept.
    fn step(
        &mut self,
        step: Step,
        replaces: Option<u32>,
        store: &mut Store,
        listener: &mut dyn Listener,
    ) -> Result<bool, Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let began = Instant::now();
        let group = &self.matrix.groups[step.group];
        let mut records = Vec::new();
        let mut whole = true;
        let entries = self.entries(group, step.round);
        let seed = round_seed(self.manner.seed, &group.workload.name, group.label(), step.round);
        match expected(self.session, group, seed) {
            Ok(expected) => {
                let order = round_order(
                    self.manner.seed,
                    &group.workload.name,
                    group.label(),
                    step.round,
                    entries.len(),
                );
                for (position, &entry) in (0..).zip(&order) {
                    let (index, control) = entries[entry];
                    let cell = &self.matrix.cells[index];
                    if self.failed.contains_key(&index) {
                        continue;
                    }
                    listener.cell(group, cell, step.round);
                    let Some(sample) = self.cell(group, cell, step.round, &expected) else {
                        whole = false;
                        break;
                    };
                    let sample = self.unless_the_folder_changed(group, seed, &expected, sample);
                    if sample.status != Status::Ok {
                        self.failed.insert(index, sample.status);
                    }
                    records.push(Record::Sample(Box::new(Sample { control, position, replaces, ..sample })));
                }
            }
            Err(why) => {
                for &(index, _) in entries.iter().filter(|(_, control)| !control) {
                    self.failed.insert(index, Status::Unavailable);
                    records.push(Record::Sample(Box::new(self.without_input(index, step.round, &why))));
                }
            }
        }
        if step.round > 0 && !self.manner.test {
            self.watched.push((step.group, step.round));
        }
        records.extend(self.disturbances(false));
        store.append(records.clone())?;
        listener.step(&step, &records, &store.records, began.elapsed());
        Ok(whole)
    }

    /// Who else used the machine during the rounds since the last look. Short rounds are looked at together, because the
    /// kernel counts in steps of 10 ms.
    fn disturbances(&mut self, last: bool) -> Vec<Record> {
        if !last && !self.outside.is_ripe() {
            return Vec::new();
        }
        let mut ours = self.session.keep();
        ours.push(crate::cell::pid(std::process::id()));
        let found = self.outside.since(&ours);
        self.outside = Outside::look();
        let rounds = std::mem::take(&mut self.watched);
        let disturbed = rounds.iter().flat_map(|&(group, round)| {
            let group = &self.matrix.groups[group];
            found.iter().map(move |(code, cpus, by)| {
                Record::Disturbed(Disturbance {
                    workload: group.workload.name.clone(),
                    scale: group.label().to_owned(),
                    round,
                    code: code.clone(),
                    cpus: *cpus,
                    by: by.clone(),
                })
            })
        });
        disturbed.collect()
    }

    /// The cells of a step: each that has not failed, and the control once more.
    fn entries(&self, group: &Group, round: u32) -> Vec<(usize, bool)> {
        let alive: Vec<usize> =
            group.cells.iter().copied().filter(|cell| !self.failed.contains_key(cell)).collect();
        let mut entries: Vec<(usize, bool)> = alive.iter().map(|&cell| (cell, false)).collect();
        if round > 0 && group.workload.metric != Metric::Outcome && !self.manner.test {
            let controls = self.matrix.controls(&alive, &self.session.baseline);
            entries.extend(controls.into_iter().map(|cell| (cell, true)));
        }
        entries
    }

    fn cell(&self, group: &Group, cell: &PlannedCell, round: u32, expected: &Expected) -> Option<Sample> {
        let contestant = self.session.contestants.iter().find(|it| it.name == cell.model)?;
        let keep = self.session.keep();
        let cpus = self.session.first_cpus(cell.cpus);
        let started_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let order = CellOrder {
            launch: Launch {
                command: &contestant.command,
                folder: &self.session.root,
                cpus: &cpus,
                variables: &contestant.variables(cell.workers),
                keep: &keep,
            },
            run: Run {
                v: protocol::VERSION,
                workload: cell.workload.clone(),
                form: cell.form.clone(),
                scale: cell.scale.clone(),
                n: group.workload.scales[group.scale].n,
                round,
                workers: cell.workers,
                input: expected.input.clone(),
                timing: self.manner.timing(round),
            },
            metric: cell.metric,
            uses: cell.uses,
            digest: &expected.digest,
            results: &expected.results,
            cpus: cell.cpus,
            cpu_bound: group.workload.cpu_bound,
            limit: self.manner.timeout.unwrap_or(Duration::from_millis(group.workload.timeout_ms)),
            // Watching takes CPU time, which only times would feel.
            observe: round == 0 || cell.metric == Metric::Memory,
            stop: self.stop,
        };
        let mut sample = run(&order)?;
        if sample.in_doubt {
            // Well within its limit, which may be short.
            let longer = LONG_CHECK.min(order.limit / 4);
            let min_ns = u64::try_from(longer.as_nanos()).unwrap_or(u64::MAX).max(order.run.timing.min_ns);
            let timing = Timing { min_ns, ..order.run.timing };
            sample = run(&CellOrder { run: Run { timing, ..order.run }, ..order })?;
        }
        Some(Sample { model: cell.model.clone(), cpus: cell.cpus, started_ns, ..sample })
    }

    /// A result that is wrong for a folder that was, or a file that is gone, is nobody's fault but that of whoever changed
    /// the folder meanwhile. The oracle tells: it is asked once more for the same round.
    fn unless_the_folder_changed(
        &self,
        group: &Group,
        seed: u64,
        before: &Expected,
        sample: Sample,
    ) -> Sample {
        let reads_a_folder = group.workload.needs.contains(&Need::Dir);
        if !reads_a_folder || !matches!(sample.status, Status::Wrong | Status::Crashed) {
            return sample;
        }
        match expected(self.session, group, seed) {
            Ok(now) if now.digest == before.digest => sample,
            _ => Sample {
                status: Status::Unavailable,
                why: Some(EN.absences.folder_changed.to_owned()),
                ..sample
            },
        }
    }

    fn without_input(&self, index: usize, round: u32, why: &str) -> Sample {
        let cell = &self.matrix.cells[index];
        Sample {
            workload: cell.workload.clone(),
            model: cell.model.clone(),
            form: cell.form.clone(),
            scale: cell.scale.clone(),
            cpus: cell.cpus,
            workers: cell.workers,
            round,
            status: Status::Unavailable,
            why: Some((EN.absences.no_input)(why)),
            ..Sample::default()
        }
    }
}

/// How long a check works that is done again because there were too few looks to judge the first.
const LONG_CHECK: Duration = Duration::from_secs(1);
