//! The heat map: every model on every workload, as a multiple of the best.

use maud::{Markup, html};

use super::holes::is_fault;
use super::{GLYPHS, Page, scrolling};
use crate::protocol::Metric;
use crate::stats::control::SAME_MARGIN_MAX;
use crate::table::group::{Group, Row};
use crate::table::{model_text, rank_text, reason, value_text};
use crate::texts::number;

/// Empty where no workload has numbers to compare.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    let groups: Vec<&Group<'_>> = page.groups().filter(|group| group.metric != Metric::Outcome).collect();
    if groups.is_empty() {
        return Markup::default();
    }
    html! {
        section #overview aria-labelledby="overview-h" {
            h2 #overview-h { (t.overview) }
            p.help { (t.overview_help) }
            (scrolling(t.overview, &map(page, &groups)))
            ul.legend {
                @for (step, word) in t.steps.iter().enumerate() { li { span class={ "h" (step) } {} (word) } }
                li { span.hole {} (t.step_hole) }
            }
            p.help { (t.tie_help) }
            h3 { (t.plots) }
            p.help { ((t.forest_help)(&number::percent(SAME_MARGIN_MAX))) }
        }
    }
}

/// How far from the best each step of colour reaches. The first step is for the best, and for those who tie with it as
/// long as they are near: where noise hides a large difference, the number and its colour still show it.
const STEPS: [f64; 4] = [1.5, 3.0, 10.0, 100.0];

fn step(ratio: f64, rank: Option<u32>) -> usize {
    if rank == Some(1) && ratio < STEPS[0] {
        0
    } else {
        1 + STEPS.iter().filter(|limit| ratio >= **limit).count()
    }
}

fn map(page: &Page<'_>, groups: &[&Group<'_>]) -> Markup {
    let t = &page.texts.report;
    html! {
        table.heat {
            caption.hear { (t.overview_help) }
            thead {
                tr {
                    th scope="col" rowspan="2" { (t.model) }
                    @for run in groups.chunk_by(|a, b| a.workload == b.workload) {
                        th.first scope="colgroup" colspan=(run.len()) {
                            a href={ "#w-" (run[0].workload) } { (run[0].workload) }
                        }
                    }
                }
                tr {
                    @for (index, group) in groups.iter().enumerate() {
                        @let first = index == 0 || groups[index - 1].workload != group.workload;
                        th.first[first] scope="col" {
                            (group.scale)
                            @if group.one_of_many { br; (group.cpus) "/" (group.workers) }
                            @if !group.is_stable() { br; span.stamp { (page.texts.table.unstable) } }
                        }
                    }
                }
            }
            tbody {
                @for model in page.models() {
                    tr data-m=(model) {
                        th scope="row" { (model) }
                        @for (index, group) in groups.iter().enumerate() {
                            @let first = index == 0 || groups[index - 1].workload != group.workload;
                            (cell(page, group, &model, first))
                        }
                    }
                }
            }
        }
    }
}

fn cell(page: &Page<'_>, group: &Group<'_>, model: &str, first: bool) -> Markup {
    let edge = if first { " first" } else { "" };
    // Rows are in order, so of a model with two forms the better one is found first.
    if let Some(row) = group.rows.iter().find(|row| row.cell.model == model) {
        return result(page, group, row, edge);
    }
    let Some(hole) = group.holes.iter().find(|row| row.cell.model == model) else {
        return html! { td class={ "hole" (edge) } {} };
    };
    let words = &page.texts.words;
    let status = hole.cell.status;
    let tip = format!(
        "{model}, {} {}: {}: {}",
        group.workload,
        group.scale,
        (words.status)(status),
        reason(hole, page.texts)
    );
    let fault = if is_fault(status) { " fault" } else { "" };
    html! { td class={ "hole" (fault) (edge) } title=(tip) { ((words.status_short)(status)) } }
}

fn result(page: &Page<'_>, group: &Group<'_>, row: &Row<'_>, edge: &str) -> Markup {
    let (Some(value), Some(best)) = (row.cell.value, group.best()) else {
        return html! { td class=(edge) {} };
    };
    let ratio = value / best;
    let text = number::ratio(ratio, GLYPHS);
    let rank = row.cell.rank.filter(|_| group.is_stable());
    let class = if group.is_stable() { format!("h{}", step(ratio, rank)) } else { "shaky".to_owned() };
    let where_ = group.title(page.texts.words.resources);
    let name = model_text(row, page.texts);
    let tip = (page.texts.report.heat_tip)(&name, &where_, &value_text(value, group.metric, GLYPHS), &text);
    html! {
        td class={ (class) (edge) } title=(tip) {
            (number::compact(ratio))
            @if let Some(rank) = rank { small { (rank_text(group, rank)) } }
        }
    }
}

impl Page<'_> {
    /// All models, in their own order; those that did not describe themselves come last.
    fn models(&self) -> Vec<String> {
        let mut models: Vec<String> = self.summary.models.iter().map(|model| model.name.clone()).collect();
        for cell in &self.summary.cells {
            if !models.contains(&cell.model) {
                models.push(cell.model.clone());
            }
        }
        models
    }
}
