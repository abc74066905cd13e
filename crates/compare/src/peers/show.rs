//! What a person reads of a head to head: tables, goals, failures, and how it goes.

use std::fmt::Write;
use std::io::IsTerminal;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};

use super::goals::Judged;
use super::program::{Better, List, Row};
use super::rounds::{Measured, Status};
use super::verdict::{Line, Verdict};
use crate::failure::Failure;
use crate::measure;
use crate::table::readable;

/// One line on standard error: a bar on a terminal, a line for each row elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(samples: usize) -> Self {
        let terminal =
            std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {eta} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: terminal.then(|| ProgressBar::new(samples as u64).with_style(style)) }
    }

    /// A sample begins.
    pub(super) fn cell(&self, row: &str, contestant: &str, round: u32, rounds: u32) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!("{row} {contestant}, round {round} of {rounds}"));
        }
    }

    /// So many samples come on top.
    pub(super) fn again(&self, samples: usize) {
        if let Some(bar) = &self.bar {
            bar.inc_length(samples as u64);
        }
    }

    /// So many samples were taken before.
    pub(super) fn skip(&self, samples: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(samples as u64);
        }
    }

    /// A row is complete.
    pub(super) fn row_over(&self, row: &str) {
        if self.bar.is_none() {
            measure::say(&format!("measured {row}"));
        }
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| measure::say(line)),
            None => measure::say(line),
        }
    }

    /// A result.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        match &self.bar {
            Some(bar) => bar.suspend(|| measure::print(text)),
            None => measure::print(text),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A row's table, with the line that says what it comes to.
pub(super) fn table(verdict: &Verdict) -> String {
    let mut table = grid();
    let main = &verdict.measures[0];
    let mut header = vec![String::new()];
    header.extend(verdict.measures.iter().map(|it| {
        if it.unit.is_empty() || it.name.ends_with(&it.unit) {
            it.name.clone()
        } else {
            format!("{} ({})", it.name, it.unit)
        }
    }));
    if let Some(ours) = &verdict.ours {
        header.extend([format!("{ours} / it"), "95 %".to_owned()]);
    }
    table.set_header(header);
    let mut lines: Vec<&Line> = verdict.contestants.iter().collect();
    // What has no value stands behind all others.
    let key = |line: &Line| match (line.medians.get(&main.name), main.better) {
        (None, _) => f64::INFINITY,
        (Some(value), Better::Less) => *value,
        (Some(value), Better::More) => -value,
    };
    lines.sort_by(|a, b| key(a).total_cmp(&key(b)));
    for line in lines {
        let mut cells = vec![called(line)];
        if line.status == Status::Ok {
            cells.extend(
                verdict
                    .measures
                    .iter()
                    .map(|it| line.medians.get(&it.name).map_or_else(String::new, |&value| number(value))),
            );
            cells.push(line.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")));
            cells.push(line.interval.map_or_else(String::new, |(lo, hi)| format!("{lo:.3} .. {hi:.3}")));
        } else {
            cells.push(line.status.word().to_owned());
        }
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!("\n{}: {}\n{}", verdict.row, verdict.about, drawn(&mut table));
    text += &sentence(verdict);
    for line in verdict.contestants.iter().filter(|line| line.status != Status::Ok) {
        let why = readable(line.why.as_deref().unwrap_or_default());
        writeln!(text, "{} {}: {why}", line.name, line.status.word()).ok();
    }
    text
}

/// A contestant's name, and what it is beside a peer of ours.
fn called(line: &Line) -> String {
    let marks = [(line.also_ours, " (also ours)"), (!line.blocks, " (spins)")];
    let marks: String = marks.into_iter().filter_map(|(holds, mark)| holds.then_some(mark)).collect();
    line.name.clone() + &marks
}

/// What a row comes to, in a sentence.
fn sentence(verdict: &Verdict) -> String {
    let main = &verdict.measures[0];
    let Some(ours) = &verdict.ours else { return "ours takes no part yet\n".to_owned() };
    let (Some(ratio), Some(peer)) = (verdict.ratio, &verdict.best_peer) else { return String::new() };
    let better = if main.better == Better::Less { "below" } else { "above" };
    let mut text = format!("{ours} / {peer} = {ratio:.3} of {}, {better} 1 is better for {ours}", main.name);
    match verdict.noise {
        Some(noise) => write!(text, "; {ours} against itself: ±{:.1} %", noise * 100.0).ok(),
        None => write!(text, "; too few rounds for intervals").ok(),
    };
    if verdict.stable == Some(false) {
        text += ", and told apart from itself: the machine was not steady";
    }
    text + "\n"
}

/// The goals, each with its value, its bound, and met or unmet.
pub(super) fn goals(goals: &[Judged]) -> String {
    let mut table = grid();
    table.set_header(["goal", "value", "bound", "", "row"]);
    for goal in goals {
        let value = goal.value.map_or_else(|| "-".to_owned(), number);
        let widened =
            if goal.widened > 0.0 { format!(" ±{:.1} %", goal.widened * 100.0) } else { String::new() };
        let bound = format!("{} {}{widened}", goal.direction, number(goal.bound));
        let met = if goal.met { "met" } else { "unmet" };
        let row = goal.row.clone().unwrap_or_default();
        table.add_row([format!("{}: {}", goal.area, goal.goal), value, bound, met.to_owned(), row]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = drawn(&mut table);
    for (goal, note) in goals.iter().filter_map(|goal| Some((goal, goal.note.as_ref()?))) {
        writeln!(text, "{}: {}: {}", goal.area, goal.goal, readable(note)).ok();
    }
    let met = goals.iter().filter(|goal| goal.met).count();
    writeln!(text, "{met} of {} goals met", goals.len()).ok();
    text
}

/// A line for each contestant of a row that failed.
pub(super) fn failures(measured: &Measured<'_>) -> Vec<String> {
    let row = measured.row;
    let failed = row.contestants.iter().zip(&measured.series).filter_map(|(it, series)| {
        let (status, why) = series.failure.as_ref()?;
        Some(format!("{} {} {}: {}", row.row, it.name, status.word(), readable(why)))
    });
    failed.collect()
}

/// The rows of an area.
pub(super) fn list(list: &List, wanted: &dyn Fn(&Row) -> bool) -> String {
    let mut text = String::new();
    for row in list.rows.iter().filter(|row| wanted(row)) {
        let names: Vec<&str> = row.contestants.iter().map(|it| it.name.as_str()).collect();
        writeln!(text, "{} {}: {} ({})", list.area, row.row, row.about, names.join(", ")).ok();
    }
    text
}

fn grid() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

/// The table's lines, with nothing before the first column and after the last.
fn drawn(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Three digits that count, and no more where there are more before the point.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.7512, "0.751"),
            (8.456, "8.46"),
            (25.06, "25.1"),
            (1417.2, "1417"),
            (-3.0, "-3.00"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
