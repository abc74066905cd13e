//! The rounds themselves: each step of the schedule run, judged, kept and told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cell::{CellOrder, Launch, Sample, ask, run};
use crate::failure::Failure;
use crate::matrix::{Group, Matrix, PlannedCell};
use crate::noise::{Disturbance, Outside};
use crate::protocol::{self, Answer, Case, Input, Metric, Need, Profile, Request, Run, Timing};
use crate::schedule::{Step, first, round_order, round_seed, steps};
use crate::session::Session;
use crate::store::{Record, Store};
use crate::summary::Status;

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
            // The check is watched, which takes CPU time: its times do not count, so they need not be long.
            (0, _) => Timing { timed: true, warm_ns: ms(10), batch_ns: ms(1), min_ns: ms(20) },
            (_, Profile::Quick) => Timing { timed: true, warm_ns: ms(20), batch_ns: ms(2), min_ns: ms(40) },
            (_, Profile::Default) => {
                Timing { timed: true, warm_ns: ms(100), batch_ns: ms(5), min_ns: ms(100) }
            }
            (_, Profile::Full) => Timing { timed: true, warm_ns: ms(200), batch_ns: ms(5), min_ns: ms(100) },
        }
    }
}

/// Who hears how it goes.
pub(crate) trait Listener {
    /// A cell begins.
    fn cell(&mut self, group: &Group, cell: &PlannedCell, round: u32);
    /// A step is over and kept; `took` is its wall time.
    fn step(&mut self, step: &Step, group: &Group, records: &[Record], took: Duration);
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
}

impl<'a> Rounds<'a> {
    pub(crate) fn new(
        session: &'a Session,
        matrix: &'a Matrix,
        manner: &'a Manner,
        stop: &'a AtomicBool,
    ) -> Self {
        Self { session, matrix, manner, stop, started: Instant::now(), failed: BTreeMap::new() }
    }

    /// Runs everything, or until the user stops it. Whether it came to its end.
    pub(crate) fn run(&mut self, store: &mut Store, listener: &mut dyn Listener) -> Result<bool, Failure> {
        for step in self.steps() {
            if !self.step(step, None, store, listener)? {
                return Ok(false);
            }
        }
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
        let outside = Outside::look();
        let entries = self.entries(group, step.round);
        if entries.is_empty() {
            return Ok(true);
        }
        match self.expected(group, step.round) {
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
        let mut ours = self.session.keep();
        ours.push(crate::cell::pid(std::process::id()));
        if step.round > 0 && !self.manner.test {
            records.extend(outside.since(&ours).into_iter().map(|(code, cpus, by)| {
                let (workload, scale) = (group.workload.name.clone(), group.label().to_owned());
                Record::Disturbed(Disturbance { workload, scale, round: step.round, code, cpus, by })
            }));
        }
        listener.step(&step, group, &records, began.elapsed());
        store.append(records)?;
        Ok(whole)
    }

    /// The cells of a step: each that has not failed, and the baseline once more as the control.
    fn entries(&self, group: &Group, round: u32) -> Vec<(usize, bool)> {
        let alive = || group.cells.iter().copied().filter(|cell| !self.failed.contains_key(cell));
        let mut entries: Vec<(usize, bool)> = alive().map(|cell| (cell, false)).collect();
        if round > 0 && group.workload.metric != Metric::Outcome && !self.manner.test {
            let baseline = |&index: &usize| self.matrix.cells[index].model == self.session.baseline;
            entries.extend(alive().filter(baseline).map(|cell| (cell, true)));
        }
        entries
    }

    /// Asks the oracle for this round's input and what must come of it.
    fn expected(&self, group: &Group, round: u32) -> Result<Expected, String> {
        let scale = &group.workload.scales[group.scale];
        let needs = &group.workload.needs;
        let case = Case {
            workload: group.workload.name.clone(),
            scale: scale.label.clone(),
            n: scale.n,
            seed: round_seed(self.manner.seed, &group.workload.name, &scale.label, round),
            dir: needs
                .contains(&Need::Dir)
                .then(|| self.session.input.clone())
                .transpose()?
                .map(|dir| dir.display().to_string()),
            server: needs
                .contains(&Need::Server)
                .then(|| self.session.server())
                .transpose()?
                .map(|it| it.address.clone()),
        };
        let oracle = &self.session.contestants[self.session.oracle];
        let keep = self.session.keep();
        let launch = Launch { command: &oracle.command, folder: &self.session.root, cpus: &[], keep: &keep };
        match ask(&launch, &Request::Expect(case), ORACLE_LIMIT)? {
            Answer::Expected { input, digest, results } => Ok(Expected { input, digest, results }),
            Answer::Limit { why } => Err(why),
            other => Err(format!("the oracle answered {other:?}")),
        }
    }

    fn cell(&self, group: &Group, cell: &PlannedCell, round: u32, expected: &Expected) -> Option<Sample> {
        let contestant = self.session.contestants.iter().find(|it| it.name == cell.model)?;
        let keep = self.session.keep();
        let cpus = self.cpus(group, cell.cpus);
        let started_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let order = CellOrder {
            launch: Launch {
                command: &contestant.command,
                folder: &self.session.root,
                cpus: &cpus,
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
            limit: self.manner.timeout.unwrap_or(Duration::from_millis(group.workload.timeout_ms)),
            observe: round == 0,
            stop: self.stop,
        };
        let sample = run(&order)?;
        Some(Sample { model: cell.model.clone(), cpus: cell.cpus, started_ns, ..sample })
    }

    /// The CPUs of a cell: the first so many. With four or more, a server keeps the last one to itself.
    fn cpus(&self, group: &Group, count: u32) -> Vec<usize> {
        let all = &self.session.cpus;
        let mut count = count as usize;
        if group.workload.needs.contains(&Need::Server) && all.len() >= 4 {
            count = count.min(all.len() - 1);
        }
        if count >= all.len() { Vec::new() } else { all[..count].to_vec() }
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
            why: Some(format!("there is no input: {why}")),
            ..Sample::default()
        }
    }
}

/// What the oracle made of a round's seed.
#[derive(Debug)]
struct Expected {
    input: Input,
    digest: String,
    results: Vec<u64>,
}

/// The oracle does all of a round's work once, in one thread.
const ORACLE_LIMIT: Duration = Duration::from_secs(60);
