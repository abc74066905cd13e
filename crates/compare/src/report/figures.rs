//! The fold below a plot: the figures that the plot leaves out, and what they cost.

use maud::{Markup, html};

use super::{GLYPHS, Page, scrolling};
use crate::summary::Cell;
use crate::table::group::{Group, Row};
use crate::table::{model_text, range_text, value_text};
use crate::texts::number;

/// Median, range and interval; then CPU time, context switches and memory, each with a bar as long as its share of the
/// largest.
pub(super) fn all(page: &Page<'_>, group: &Group<'_>) -> Markup {
    let t = &page.texts.report;
    let most = RESOURCES.map(|resource| {
        group.rows.iter().filter_map(|row| (resource.value)(row.cell)).fold(0.0_f64, f64::max)
    });
    let numbers = [t.value, t.range, t.interval, t.rounds, t.startup, t.cpu, t.switches, t.peak];
    let table = html! {
        table.figures {
            thead {
                tr {
                    th scope="col" { (t.model) }
                    @for name in numbers { th scope="col" { (name) } }
                }
            }
            tbody { @for row in &group.rows { (line(page, group, row, &most)) } }
        }
    };
    html! {
        (scrolling(t.figures, &table))
        p.help { (t.resources_help) }
    }
}

fn line(page: &Page<'_>, group: &Group<'_>, row: &Row<'_>, most: &[f64; 3]) -> Markup {
    let cell = row.cell;
    let value = |value: f64| value_text(value, group.metric, GLYPHS);
    html! {
        tr data-m=(cell.model) {
            th scope="row" { (model_text(row, page.texts)) }
            td { (cell.value.map(value).unwrap_or_default()) }
            td { (cell.range.map(|range| range_text(range, group.metric, GLYPHS)).unwrap_or_default()) }
            td { (row.interval(&page.summary.run.baseline).map(|(lo, hi)| number::interval(lo, hi)).unwrap_or_default()) }
            td { (cell.rounds) }
            td { (cell.startup_ns.map(|ns| number::time(ns, GLYPHS)).unwrap_or_default()) }
            @for (resource, most) in RESOURCES.iter().zip(most) { (resource_cell(resource, cell, *most)) }
        }
    }
}

struct Resource {
    value: fn(&Cell) -> Option<f64>,
    text: fn(f64) -> String,
}

const RESOURCES: [Resource; 3] = [
    Resource { value: |cell| cell.cpu_ns, text: |ns| number::time(ns, GLYPHS) },
    Resource { value: |cell| cell.ctx_switches, text: number::count },
    Resource { value: |cell| cell.peak_bytes.map(|bytes| bytes as f64), text: number::bytes },
];

fn resource_cell(resource: &Resource, cell: &Cell, most: f64) -> Markup {
    let Some(value) = (resource.value)(cell) else { return html! { td {} } };
    let share = if most > 0.0 { value / most } else { 0.0 };
    html! {
        td.bar style={ "--w:" (format!("{share:.2}")) } { ((resource.text)(value)) }
    }
}
