//! What is said on standard error while a run goes on.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ProgressMode;
use crate::costs::Costs;
use crate::matrix::{Group, Matrix, PlannedCell};
use crate::measure::say;
use crate::protocol::Metric;
use crate::rounds::Listener;
use crate::schedule::Step;
use crate::store::Record;
use crate::summarize::summarize;
use crate::summary::Status;
use crate::table::answer;
use crate::table::group::groups;
use crate::texts::EN;
use crate::texts::number::Glyphs;

/// A bar on a terminal, a plain line for each round elsewhere, or nothing.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    bar: Option<ProgressBar>,
    plain: bool,
    costs: Costs,
    matrix: &'a Matrix,
    /// What is still to be done.
    open: Vec<Step>,
    /// The group that opens the run.
    opening: Option<usize>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(mode: ProgressMode, costs: Costs, matrix: &'a Matrix, steps: Vec<Step>) -> Self {
        let terminal =
            std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let wide =
            terminal_size::terminal_size_of(std::io::stderr()).is_none_or(|(width, _)| width.0 >= NARROW);
        let bar = match mode {
            ProgressMode::Bar => true,
            ProgressMode::Auto => terminal && wide,
            ProgressMode::Plain | ProgressMode::None => false,
        };
        Self {
            bar: bar.then(|| new_bar(steps.len())),
            plain: mode == ProgressMode::Plain || (mode == ProgressMode::Auto && !bar),
            costs,
            matrix,
            opening: steps.first().map(|step| step.group),
            open: steps,
        }
    }

    /// Seconds of what is still to be done, by what was learned so far.
    fn left_s(&self) -> f64 {
        self.open.iter().map(|step| self.costs.step(self.matrix, step)).sum()
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
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
    fn look(&self, index: usize, round: u32, records: &[Record]) {
        let group = &self.matrix.groups[index];
        let complete = round == group.rounds;
        let early = self.opening == Some(index) && round == FIRST_LOOK && group.rounds > FIRST_LOOK;
        if self.quiet() || !(complete || early) || (group.workload.metric == Metric::Outcome && !complete) {
            return;
        }
        let Ok(summary) = summarize(records) else { return };
        for found in groups(&summary)
            .iter()
            .filter(|found| found.workload == group.workload.name && found.scale == group.label())
        {
            let sentence = answer(found, &summary.run.baseline, &EN.words, Glyphs::Unicode);
            let title = found.title(EN.words.resources);
            self.say(&(EN.run.answer)((round, group.rounds), &title, &sentence));
        }
    }
}

impl Listener for Progress<'_> {
    fn cell(&mut self, group: &Group, cell: &PlannedCell, round: u32) {
        if let Some(bar) = &self.bar {
            let place = format!("{} {}", cell.workload, cell.scale);
            let round = (EN.run.round)(round, group.rounds);
            bar.set_message((EN.run.cell)(&place, &round, &cell.model, self.left_s()));
        }
    }

    fn step(&mut self, step: &Step, records: &[Record], all: &[Record], took: Duration) {
        let group = &self.matrix.groups[step.group];
        self.open.retain(|open| open != step);
        self.costs.learn(group, step.round, took, records);
        if !self.quiet() {
            for line in records.iter().filter_map(failure) {
                self.say(&line);
            }
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        } else if self.plain {
            let place = format!("{} {}", group.workload.name, group.label());
            let round = (EN.run.round)(step.round, group.rounds);
            self.say(&(EN.run.round_over)(&place, &round, took.as_secs_f64(), self.left_s()));
        }
        if step.round > 0 {
            self.look(step.group, step.round, all);
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
