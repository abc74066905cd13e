//! Bytes per task, as bars on a logarithmic scale.

use maud::{Markup, html};

use super::forest::class;
use super::{GLYPHS, Page};
use crate::summary::Verdict;
use crate::table::group::{Group, Row};
use crate::table::{model_text, rank_text, value_text, verdict_text};
use crate::texts::number;

/// A bar begins at a power of 4 below the smallest value, and every grid line is 4 times the one before: the steps of
/// bytes, KiB and MiB are powers of 4 too.
const STEP: f64 = 4.0;

/// One bar for each model.
pub(super) fn bars(page: &Page<'_>, group: &Group<'_>) -> Markup {
    let t = &page.texts.report;
    let scale = Bars::new(group);
    let has_ratios = scale.has_ratios;
    html! {
        table.forest.bars {
            caption { ((t.memory_caption)(group.unit)) " " (t.memory_help) }
            thead {
                tr {
                    th scope="col" { (t.model) }
                    th.plot scope="col" { (scale.axis()) }
                    th.num scope="col" { (t.value) }
                    @if has_ratios {
                        th.num.wide scope="col" { (t.ratio) }
                        th.num.wide scope="col" { (t.interval) }
                        @if group.is_stable() { th scope="col" { (t.verdict) } }
                    }
                }
            }
            tbody { @for row in &group.rows { (scale.row(page, group, row)) } }
        }
    }
}

struct Bars {
    /// The logarithm to the base of a step, of the left end.
    first: f64,
    steps: f64,
    has_ratios: bool,
}

impl Bars {
    fn new(group: &Group<'_>) -> Self {
        let logs = || {
            let values = group.rows.iter().filter_map(|row| row.cell.value);
            values.filter(|value| *value >= 1.0).map(|value| value.log(STEP))
        };
        let first = logs().fold(f64::MAX, f64::min).min(1e3).floor() - 1.0;
        let last = logs().fold(f64::MIN, f64::max).ceil();
        let first = if last < first { 0.0 } else { first.max(0.0) };
        Self {
            first,
            steps: (last - first).max(1.0),
            has_ratios: group.rows.iter().any(|row| row.cell.ratio.is_some()),
        }
    }

    /// In percent of the plot. A value below one byte, which noise can bring about, has no bar.
    fn percent(&self, value: f64) -> f64 {
        if value < 1.0 {
            0.0
        } else {
            ((value.log(STEP) - self.first) / self.steps * 100.0).clamp(0.0, 100.0)
        }
    }

    fn marks(&self) -> impl Iterator<Item = (f64, f64)> {
        let (first, steps) = (self.first, self.steps);
        (0..=steps as u32)
            .map(move |index| (f64::from(index) / steps * 100.0, STEP.powf(first + f64::from(index))))
    }

    fn axis(&self) -> Markup {
        // Every other mark has a number: at the width of a phone all of them would touch.
        let every = if self.steps > 6.0 { 2 } else { 1 };
        html! {
            svg.axis aria-hidden="true" height="18" {
                @for (index, (at, bytes)) in self.marks().enumerate().filter(|(index, _)| index % every == 0) {
                    @let anchor = if at < 3.0 { "start" } else if at > 97.0 { "end" } else { "middle" };
                    @let class = (index / every % 2 == 1).then_some("wide");
                    text class=[class] x={ (format!("{at:.1}")) "%" } y="14" text-anchor=(anchor) {
                        (mark(bytes))
                    }
                }
            }
        }
    }

    fn row(&self, page: &Page<'_>, group: &Group<'_>, row: &Row<'_>) -> Markup {
        let cell = row.cell;
        let baseline = &page.summary.run.baseline;
        let is_baseline = row.is_baseline(baseline);
        let verdict = cell.verdict.filter(|_| group.is_stable()).or(is_baseline.then_some(Verdict::Baseline));
        let value = cell.value.unwrap_or_default();
        let text = value_text(value, group.metric, GLYPHS);
        let ends = row.interval(baseline);
        let rank = cell.rank.filter(|_| group.is_stable());
        html! {
            tr data-m=(cell.model) class=[is_baseline.then_some("base")] {
                th scope="row" {
                    @if let Some(rank) = rank { span.rank { (rank_text(group, rank)) } }
                    (model_text(row, page.texts))
                }
                td.plot {
                    svg role="img" {
                        title { (text) }
                        g.grid {
                            @for (at, _) in self.marks() {
                                @let at = format!("{at:.1}%");
                                line x1=(at) x2=(at) y2="100%" {}
                            }
                        }
                        rect class={ "fill " (class(verdict)) } y="6" height="12" rx="2"
                            width={ (format!("{:.2}", self.percent(value))) "%" } {}
                    }
                }
                td.num { (text) }
                @if self.has_ratios {
                    td.num.wide { (row.ratio(baseline).map(|ratio| number::ratio(ratio, GLYPHS)).unwrap_or_default()) }
                    td.num.wide { (ends.map(|(lo, hi)| number::interval(lo, hi)).unwrap_or_default()) }
                    @if group.is_stable() {
                        td class={ "v " (class(verdict)) } {
                            (verdict.map(|v| verdict_text(v, group.metric, page.texts, GLYPHS)).unwrap_or_default())
                        }
                    }
                }
            }
        }
    }
}

/// Powers of four are whole numbers of their unit.
fn mark(bytes: f64) -> String {
    let text = number::bytes(bytes);
    match text.split_once(' ') {
        Some((number, unit)) => format!("{} {unit}", number.split('.').next().unwrap_or(number)),
        None => text,
    }
}
