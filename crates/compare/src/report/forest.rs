//! The forest plot: a table whose middle column is drawn.
//!
//! Positions are percentages, so a plot is as wide as its column and its text stays the size of all other text. The dots
//! of a row are one path in a stretched box of 1000 by 24: round caps on lines of no length, whose stroke does not
//! stretch. That is a tenth of the size of as many circles.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use super::scale::LogScale;
use super::{GLYPHS, Page};
use crate::summary::{Cell, Verdict};
use crate::table::group::{Group, Row};
use crate::table::{model_text, rank_text, value_text, verdict_text};
use crate::texts::number;

/// One shape for each verdict, drawn once for the whole page.
pub(super) fn markers() -> Markup {
    let shapes = [
        ("m-faster", "M0-6 6 5H-6z"),
        ("m-slower", "M0 6 6-5H-6z"),
        ("m-same", "M-5-5H5V5H-5z"),
        ("m-baseline", "M0-7 7 0 0 7-7 0z"),
        ("m-unclear", "M5 0A5 5 0 1 1 5-.01z"),
    ];
    html! {
        svg.defs aria-hidden="true" width="0" height="0" {
            defs { @for (id, path) in shapes { path id=(id) d=(path) {} } }
        }
    }
}

/// The ratios of a group to the baseline, with intervals and single rounds.
pub(super) fn plot(page: &Page<'_>, group: &Group<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    let baseline = &page.summary.run.baseline;
    let forest = Forest::new(group, baseline);
    let quantity = (words.quantity)(group.metric, group.unit);
    let reference = if forest.base.is_some() { baseline } else { &group.rows[0].name };
    let caption = match forest.base {
        Some(_) => (t.forest_caption)(&quantity, baseline),
        None => (t.medians_caption)(&quantity, reference, baseline),
    };
    let grid = format!("g-{}", group.anchor());
    html! {
        (forest.grid(&grid))
        table.forest {
            caption { (caption) }
            thead {
                tr {
                    th scope="col" { (t.model) }
                    th.plot scope="col" {
                        span.hear { ((t.plot)(reference)) }
                        (forest.axis())
                    }
                    th.num scope="col" { (t.ratio) }
                    @if forest.base.is_some() { th.num.wide scope="col" { (t.interval) } }
                    th.num.wide scope="col" { (t.value) }
                    @if forest.has_verdicts(group) { th scope="col" { (t.verdict) } }
                }
            }
            tbody { @for row in &group.rows { (forest.row(page, group, row, &grid)) } }
        }
    }
}

struct Forest<'a> {
    scale: LogScale,
    margin: f64,
    /// The baseline, if it has values to take ratios against.
    base: Option<&'a Cell>,
    /// What ratios of medians are taken against where there is no baseline.
    first: Option<f64>,
}

/// The height of a row in pixels, as in the style sheet.
const ROW: f64 = 24.0;

impl<'a> Forest<'a> {
    fn new(group: &'a Group<'_>, baseline: &str) -> Self {
        let base = group.baseline(baseline).map(|row| row.cell);
        let first = group.rows.first().and_then(|row| row.cell.value).filter(|_| base.is_none());
        let margin = group.floor.map_or(0.0, |floor| floor.margin);
        let shown = group.rows.iter().flat_map(|row| {
            let ends = [ratio(row, baseline, first), row.cell.lo, row.cell.hi].into_iter().flatten();
            ends.chain(rounds(row.cell, base).map(|(_, ratio)| ratio))
        });
        let scale = LogScale::around(shown.chain([1.0, 1.0 + margin, 1.0 / (1.0 + margin)]));
        Self { scale, margin, base, first }
    }

    fn has_verdicts(&self, group: &Group<'_>) -> bool {
        self.base.is_some() && group.is_stable()
    }

    /// The band, the line at 1 and the marks, drawn once and used by every row.
    fn grid(&self, id: &str) -> Markup {
        let (lo, hi) = (self.scale.percent(1.0 / (1.0 + self.margin)), self.scale.percent(1.0 + self.margin));
        let mut lines = String::new();
        for tick in self.scale.ticks() {
            let at = self.scale.percent(tick);
            let _ = write!(lines, r#"<line x1="{at:.2}%" x2="{at:.2}%" y2="100%"/>"#);
        }
        let one = self.scale.percent(1.0);
        let wide = hi - lo;
        html! {
            svg.defs aria-hidden="true" width="0" height="0" {
                defs {
                    g.grid id=(id) {
                        rect x=(PreEscaped(format!("{lo:.2}%"))) width=(PreEscaped(format!("{wide:.2}%"))) height="100%" {}
                        (PreEscaped(lines))
                        (PreEscaped(format!(r#"<line class="one" x1="{one:.2}%" x2="{one:.2}%" y2="100%"/>"#)))
                    }
                }
            }
        }
    }

    fn axis(&self) -> Markup {
        let mut labels = String::new();
        for (index, tick) in self.scale.ticks().into_iter().enumerate() {
            let at = self.scale.percent(tick);
            let anchor = if at < 3.0 {
                "start"
            } else if at > 97.0 {
                "end"
            } else {
                "middle"
            };
            let class = if index % 2 == 1 { r#" class="wide""# } else { "" };
            let text = plain(tick);
            let _ =
                write!(labels, r#"<text{class} x="{at:.2}%" y="14" text-anchor="{anchor}">{text}</text>"#);
        }
        html! { svg.axis aria-hidden="true" height="18" { (PreEscaped(labels)) } }
    }

    fn row(&self, page: &Page<'_>, group: &Group<'_>, row: &Row<'_>, grid: &str) -> Markup {
        let cell = row.cell;
        let baseline = &page.summary.run.baseline;
        let is_baseline = row.is_baseline(baseline);
        let verdict = cell.verdict.filter(|_| group.is_stable()).or(is_baseline.then_some(Verdict::Baseline));
        let at = ratio(row, baseline, self.first);
        let ratio = at.map(|ratio| number::ratio(ratio, GLYPHS)).unwrap_or_default();
        let ends = row.interval(baseline);
        let interval = ends.map(|(lo, hi)| number::interval(lo, hi)).unwrap_or_default();
        let said = verdict.map(|verdict| verdict_text(verdict, group.metric, page.texts, GLYPHS));
        let title = format!("{ratio} {interval}, {}", (page.texts.words.rounds)(cell.rounds));
        let rank = cell.rank.filter(|_| group.is_stable());
        html! {
            tr data-m=(cell.model) class=[is_baseline.then_some("base")] {
                th scope="row" {
                    @if let Some(rank) = rank { span.rank { (rank_text(group, rank)) } }
                    (model_text(row, page.texts))
                }
                td.plot {
                    svg role="img" {
                        title { (title) }
                        use href={ "#" (grid) } {}
                        (PreEscaped(self.drawing(cell, verdict, at, ends)))
                    }
                }
                td.num { (ratio) }
                @if self.base.is_some() { td.num.wide { (interval) } }
                td.num.wide {
                    (cell.value.map(|value| value_text(value, group.metric, GLYPHS)).unwrap_or_default())
                }
                @if self.has_verdicts(group) {
                    td class={ "v " (class(verdict)) } { (said.unwrap_or_default()) }
                }
            }
        }
    }

    /// Dots, interval and sign, from the back to the front.
    fn drawing(
        &self,
        cell: &Cell,
        verdict: Option<Verdict>,
        at: Option<f64>,
        ends: Option<(f64, f64)>,
    ) -> String {
        let mut svg = String::new();
        let dots = self.dots(cell);
        if !dots.is_empty() && verdict != Some(Verdict::Baseline) {
            let _ = write!(
                svg,
                r#"<svg viewBox="0 0 1000 24" preserveAspectRatio="none"><path class="dots" d="{dots}"/></svg>"#
            );
        }
        if let Some((lo, hi)) = ends {
            let (lo, hi) = (self.scale.percent(lo), self.scale.percent(hi));
            let _ = write!(svg, r#"<line class="bar" x1="{lo:.2}%" x2="{hi:.2}%" y1="12" y2="12"/>"#);
        }
        if let Some(at) = at {
            let (at, class) = (self.scale.percent(at), class(verdict));
            let _ = write!(svg, r##"<use class="{class}" href="#m-{class}" x="{at:.2}%" y="12"/>"##);
        }
        svg
    }

    /// One dot for each round, the first on top.
    fn dots(&self, cell: &Cell) -> String {
        let last = (cell.values.len().max(2) - 1) as f64;
        let mut path = String::new();
        for (round, ratio) in rounds(cell, self.base) {
            let x = self.scale.percent(ratio) * 10.0;
            let y = 3.0 + round as f64 / last * (ROW - 6.0);
            let _ = write!(path, "M{x:.0} {y:.0}h0");
        }
        path
    }
}

/// The paired ratio; where there is no baseline to pair with, that of the medians.
fn ratio(row: &Row<'_>, baseline: &str, first: Option<f64>) -> Option<f64> {
    row.ratio(baseline).or_else(|| Some(row.cell.value? / first?))
}

/// The rounds in which both have a value: the round's index and the ratio.
fn rounds<'a>(cell: &'a Cell, base: Option<&'a Cell>) -> impl Iterator<Item = (usize, f64)> + use<'a> {
    let base = base.map_or(&[][..], |base| &base.values);
    let pairs = cell.values.iter().zip(base).enumerate();
    pairs
        .filter_map(|(round, (own, base))| Some((round, (*own)? / (*base)?)))
        .filter(|(_, ratio)| ratio.is_finite())
}

/// The name of a verdict in the style sheet and among the markers.
pub(super) fn class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Faster) => "faster",
        Some(Verdict::Slower) => "slower",
        Some(Verdict::Same) => "same",
        Some(Verdict::Baseline) => "baseline",
        Some(Verdict::Unclear) | None => "unclear",
    }
}

/// A mark's number without the zeros that a measured number has.
fn plain(tick: f64) -> String {
    let text = number::significant(tick);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
