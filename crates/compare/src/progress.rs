//! What is said on standard error while a run goes on.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ProgressMode;
use crate::costs::Costs;
use crate::matrix::{Group, Matrix, PlannedCell};
use crate::protocol::Metric;
use crate::rounds::Listener;
use crate::schedule::Step;
use crate::store::Record;
use crate::summarize::summarize;
use crate::summary::Status;
use crate::table::answer;
use crate::table::group::groups;
use crate::texts::EN;
use crate::texts::number::{Glyphs, waited};

/// A bar on a terminal, a plain line for each round elsewhere, or nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
    costs: Costs,
    /// Seconds of what is still to be done, by what was learned so far.
    left_s: f64,
    /// Everything so far, for the first looks.
    records: Vec<Record>,
    rounds_done: BTreeMap<usize, u32>,
}

impl Progress {
    pub(crate) fn new(
        mode: ProgressMode,
        costs: Costs,
        matrix: &Matrix,
        steps: &[Step],
        header: Record,
    ) -> Self {
        let terminal =
            std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let wide =
            terminal_size::terminal_size_of(std::io::stderr()).is_none_or(|(width, _)| width.0 >= NARROW);
        let bar = match mode {
            ProgressMode::Bar => true,
            ProgressMode::Auto => terminal && wide,
            ProgressMode::Plain | ProgressMode::None => false,
        };
        let left_s = steps.iter().map(|step| costs.step(matrix, step)).sum();
        Self {
            bar: bar.then(|| new_bar(steps.len())),
            plain: mode == ProgressMode::Plain || (mode == ProgressMode::Auto && !bar),
            costs,
            left_s,
            records: vec![header],
            rounds_done: BTreeMap::new(),
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// The costs as they are known now.
    pub(crate) fn finish(self) -> Costs {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.costs
    }

    fn quiet(&self) -> bool {
        self.bar.is_none() && !self.plain
    }

    /// The answer of a group, when it is complete, and once before for the group that opens the run.
    fn look(&self, group: &Group, round: u32, opening: bool) {
        let complete = round == group.rounds;
        let early = opening && round == FIRST_LOOK && group.rounds > FIRST_LOOK;
        if self.quiet() || !(complete || early) || (group.workload.metric == Metric::Outcome && !complete) {
            return;
        }
        let Ok(summary) = summarize(&self.records) else { return };
        for found in groups(&summary)
            .iter()
            .filter(|found| found.workload == group.workload.name && found.scale == group.label())
        {
            let sentence = answer(found, &summary.run.baseline, &EN.words, Glyphs::Unicode);
            let title = found.title(EN.words.resources);
            self.say(&format!("{} {title}: {sentence}", (EN.run.first_look)(round, group.rounds)));
        }
    }
}

impl Listener for Progress {
    fn cell(&mut self, group: &Group, cell: &PlannedCell, round: u32) {
        if let Some(bar) = &self.bar {
            let round =
                if round == 0 { EN.run.check.to_owned() } else { (EN.run.round)(round, group.rounds) };
            bar.set_message(format!(
                "{} {} {round} {}  {}",
                cell.workload,
                cell.scale,
                cell.model,
                (EN.run.left)(self.left_s)
            ));
        }
    }

    fn step(&mut self, step: &Step, group: &Group, records: &[Record], took: Duration) {
        self.left_s = (self.left_s - self.costs.expected(group, step.round)).max(0.0);
        self.costs.learn(group, step.round, took, records);
        let failures: Vec<String> = records.iter().filter_map(failure).collect();
        if !self.quiet() {
            for line in &failures {
                self.say(line);
            }
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        } else if self.plain {
            let round = if step.round == 0 {
                EN.run.check.to_owned()
            } else {
                (EN.run.round)(step.round, group.rounds)
            };
            let (name, label) = (&group.workload.name, group.label());
            eprintln!(
                "{name} {label} {round}: {}; {}",
                waited(took.as_secs_f64()),
                (EN.run.left)(self.left_s)
            );
        }
        self.records.extend_from_slice(records);
        let opening =
            self.rounds_done.is_empty() || self.rounds_done.keys().all(|&group| group == step.group);
        if group.workload.metric != Metric::Outcome {
            self.rounds_done.insert(step.group, step.round);
        }
        if step.round > 0 {
            self.look(group, step.round, opening);
        }
    }
}

/// A line for a cell that failed.
pub(crate) fn failure(record: &Record) -> Option<String> {
    let Record::Sample(sample) = record else { return None };
    if sample.status == Status::Ok {
        return None;
    }
    let name = format!("{}/{} {}", sample.workload, sample.model, sample.scale);
    Some((EN.run.failed)(&name, (EN.words.status)(sample.status), sample.why.as_deref().unwrap_or_default()))
}

fn new_bar(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64).with_style(style)
}

/// Below this many columns a bar says nothing.
const NARROW: u16 = 60;

/// An interval exists from six rounds on.
const FIRST_LOOK: u32 = 6;
