//! The columns of a group's table, from which a narrow screen gets only the more important ones.

use super::group::{Group, Row};
use super::screen::Style;
use crate::protocol::Metric;
use crate::summary::Verdict;
use crate::texts::Texts;
use crate::texts::number::{self, Glyphs};

/// One column, ready to print.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) header: &'static str,
    /// One for each row of the group.
    pub(super) cells: Vec<(String, Style)>,
}

/// What a column shows, in the order from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rank,
    Model,
    Value,
    Range,
    Ratio,
    Verdict,
    Cpu,
    Switches,
    Peak,
}

impl Kind {
    /// Numbers stand on the right, so that their digits line up.
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Model | Self::Verdict)
    }
}

/// What goes first when there is no room. What is not here always stays; if that does not fit, cards do.
pub(super) const DROPPED_FIRST: [Kind; 5] = [Kind::Range, Kind::Switches, Kind::Cpu, Kind::Peak, Kind::Rank];

/// The columns of this group. Without a stable control there are no ranks and no verdicts; a column in which no row has
/// anything is left out.
pub(super) fn columns(group: &Group<'_>, baseline: &str, texts: &Texts, glyphs: Glyphs) -> Vec<Column> {
    let t = &texts.table;
    let all: [(Kind, &'static str); 9] = [
        (Kind::Rank, t.rank),
        (Kind::Model, t.model),
        (Kind::Value, t.value),
        (Kind::Range, t.range),
        (Kind::Ratio, t.ratio),
        (Kind::Verdict, t.verdict),
        (Kind::Cpu, t.cpu),
        (Kind::Switches, t.switches),
        (Kind::Peak, t.peak),
    ];
    let wanted =
        all.into_iter().filter(|(kind, _)| group.is_stable() || !matches!(kind, Kind::Rank | Kind::Verdict));
    let filled = wanted.map(|(kind, header)| {
        let cells = group.rows.iter().map(|row| cell(kind, row, group, baseline, texts, glyphs)).collect();
        Column { kind, header, cells }
    });
    filled.filter(|column: &Column| column.cells.iter().any(|(text, _)| !text.is_empty())).collect()
}

fn cell(
    kind: Kind,
    row: &Row<'_>,
    group: &Group<'_>,
    baseline: &str,
    texts: &Texts,
    glyphs: Glyphs,
) -> (String, Style) {
    let cell = row.cell;
    let value = |value: f64| value_text(value, group.metric, glyphs);
    let (text, style) = match kind {
        Kind::Rank => (cell.rank.map(|rank| rank_text(group, rank)), Style::Plain),
        Kind::Model => (Some(model_text(row, texts)), name_style(row, group)),
        Kind::Value => (cell.value.map(value), Style::Plain),
        Kind::Range => (cell.range.map(|range| range_text(range, group.metric, glyphs)), Style::Dim),
        Kind::Ratio => (ratio_text(row, baseline, glyphs), Style::Plain),
        Kind::Verdict => {
            let style = match cell.verdict {
                Some(Verdict::Faster) => Style::Good,
                Some(Verdict::Slower) => Style::Bad,
                _ => Style::Plain,
            };
            (cell.verdict.map(|verdict| verdict_text(verdict, group.metric, texts, glyphs)), style)
        }
        Kind::Cpu => (cell.cpu_ns.map(|ns| number::time(ns, glyphs)), Style::Dim),
        Kind::Switches => (cell.ctx_switches.map(number::count), Style::Dim),
        Kind::Peak => (cell.peak_bytes.map(|bytes| number::bytes(bytes as f64)), Style::Dim),
    };
    (text.unwrap_or_default(), style)
}

/// A winner stands out only if it is one: alone on the first rank, on a machine that can tell.
fn name_style(row: &Row<'_>, group: &Group<'_>) -> Style {
    if row.cell.rank == Some(1) && group.sharing(1) == 1 && group.is_stable() {
        Style::Bold
    } else {
        Style::Plain
    }
}

/// `3`, or `=3` for all that share it.
pub(crate) fn rank_text(group: &Group<'_>, rank: u32) -> String {
    if group.sharing(rank) > 1 { format!("={rank}") } else { rank.to_string() }
}

/// The model with its label.
pub(crate) fn model_text(row: &Row<'_>, texts: &Texts) -> String {
    if row.one_worker { format!("{} ({})", row.name, texts.words.one_worker) } else { row.name.clone() }
}

/// A value of this metric with its unit.
pub(crate) fn value_text(value: f64, metric: Metric, glyphs: Glyphs) -> String {
    match metric {
        Metric::Memory => number::bytes(value),
        Metric::Time | Metric::Outcome => number::time(value, glyphs),
    }
}

/// Smallest and largest: `301 .. 330 ns`, or `980 ns .. 1.02 µs` where their units differ.
pub(crate) fn range_text((lo, hi): (f64, f64), metric: Metric, glyphs: Glyphs) -> String {
    let (lo, hi) = (value_text(lo, metric, glyphs), value_text(hi, metric, glyphs));
    match (lo.split_once(' '), hi.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} .. {hi}"),
        _ => format!("{lo} .. {hi}"),
    }
}

/// The ratio to the baseline with its interval.
fn ratio_text(row: &Row<'_>, baseline: &str, glyphs: Glyphs) -> Option<String> {
    let ratio = number::ratio(row.ratio(baseline)?, glyphs);
    Some(match row.interval(baseline) {
        Some((lo, hi)) => format!("{ratio} {}", number::interval(lo, hi)),
        None => ratio,
    })
}

/// A verdict in words, behind a sign that needs no colour.
pub(crate) fn verdict_text(verdict: Verdict, metric: Metric, texts: &Texts, glyphs: Glyphs) -> String {
    let sign = match verdict {
        Verdict::Faster => glyphs.pick("▲", "+"),
        Verdict::Slower => glyphs.pick("▼", "-"),
        Verdict::Same => "=",
        Verdict::Unclear => "?",
        Verdict::Baseline => glyphs.pick("◆", "*"),
    };
    format!("{sign} {}", (texts.words.verdict)(verdict, metric))
}
