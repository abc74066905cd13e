//! A summary for programs: CSV, and JSON by the line. Names and numbers are those of `summary.json`, in every language.

use crate::summary::{Cell, Summary};

/// One line per cell after a line of names (RFC 4180); what a cell does not have is empty.
pub(super) fn csv(summary: &Summary) -> String {
    let line = |fields: &mut dyn Iterator<Item = String>| fields.collect::<Vec<_>>().join(",") + "\r\n";
    let mut text = line(&mut COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    for cell in &summary.cells {
        text += &line(&mut COLUMNS.iter().map(|(_, field)| quoted(&field(cell))));
    }
    text
}

/// One cell per line, as in `summary.json`.
pub(super) fn jsonl(summary: &Summary) -> String {
    summary.cells.iter().map(|cell| to_json(serde_json::to_string(cell)) + "\n").collect()
}

/// The whole summary.
pub(super) fn json(summary: &Summary) -> String {
    to_json(serde_json::to_string_pretty(summary)) + "\n"
}

/// The summary's shapes are structs, lists and maps with keys of text, which always have a JSON form.
pub(crate) fn to_json(text: serde_json::Result<String>) -> String {
    text.expect("a summary has a JSON form")
}

type Field = fn(&Cell) -> String;

const COLUMNS: [(&str, Field); 26] = [
    ("workload", |cell| cell.workload.clone()),
    ("model", |cell| cell.model.clone()),
    ("form", |cell| cell.form.clone()),
    ("scale", |cell| cell.scale.clone()),
    ("cpus", |cell| cell.cpus.to_string()),
    ("workers", |cell| cell.workers.to_string()),
    ("metric", |cell| name(&cell.metric)),
    ("status", |cell| name(&cell.status)),
    ("why", |cell| cell.why.clone().unwrap_or_default()),
    ("rounds", |cell| cell.rounds.to_string()),
    ("unit", |cell| cell.unit.clone()),
    ("value", |cell| text(cell.value)),
    ("range_lo", |cell| text(cell.range.map(|range| range.0))),
    ("range_hi", |cell| text(cell.range.map(|range| range.1))),
    ("median_ns", |cell| text(cell.median_ns)),
    ("outcome", |cell| cell.outcome.clone().unwrap_or_default()),
    ("ratio", |cell| text(cell.ratio)),
    ("lo", |cell| text(cell.lo)),
    ("hi", |cell| text(cell.hi)),
    ("verdict", |cell| cell.verdict.map(|verdict| name(&verdict)).unwrap_or_default()),
    ("rounds_needed", |cell| text(cell.rounds_needed)),
    ("rank", |cell| text(cell.rank)),
    ("cpu_ns", |cell| text(cell.cpu_ns)),
    ("ctx_switches", |cell| text(cell.ctx_switches)),
    ("peak_bytes", |cell| text(cell.peak_bytes)),
    ("startup_ns", |cell| text(cell.startup_ns)),
];

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The name that serde gives to a variant.
fn name<T: serde::Serialize>(variant: &T) -> String {
    to_json(serde_json::to_string(variant)).trim_matches('"').to_owned()
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
