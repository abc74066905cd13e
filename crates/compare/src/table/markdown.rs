//! A summary in Markdown: what the terminal shows, for an issue or a page.

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use super::answer::answer;
use super::block::{floor_text, grouped_holes, left_out, unadjusted};
use super::columns::columns;
use super::{Screen, opening, outcome};
use crate::protocol::Metric;
use crate::summary::Summary;
use crate::table::group::{self, Group};

/// The whole summary.
pub(super) fn render(summary: &Summary, screen: &Screen) -> String {
    let mut text = String::new();
    for line in opening(summary, screen.texts) {
        text += &format!("{}\n\n", escaped(&line));
    }
    let workloads = group::by_workload(summary);
    for groups in &workloads {
        for group in groups.iter().filter(|group| group.left_out().is_none()) {
            text += &section(summary, group, screen);
        }
    }
    for line in left_out(workloads.iter().flatten(), screen.texts) {
        text += &format!("{}\n\n", escaped(&line));
    }
    text
}

fn section(summary: &Summary, group: &Group<'_>, screen: &Screen) -> String {
    let texts = screen.texts;
    let stamp = if group.is_stable() { String::new() } else { format!("**{}**: ", texts.table.unstable) };
    let sentence = escaped(&answer(group, &summary.run.baseline, &texts.words, screen.glyphs));
    let mut text = format!("### {}\n\n{stamp}{sentence}.\n\n", escaped(&group.title(texts.words.resources)));
    if !group.rows.is_empty() {
        let table = if group.metric == Metric::Outcome {
            strip(group, screen)
        } else {
            values(group, &summary.run.baseline, screen)
        };
        text += &format!("{table}\n\n");
    }
    if let Some(floor) = floor_text(group, &summary.run.baseline, texts, screen.glyphs) {
        text += &format!("{}\n\n", escaped(&floor));
    }
    if let Some(said) = unadjusted(summary, group, texts) {
        text += &format!("{}\n\n", escaped(&said));
    }
    for (status, why, names) in grouped_holes(&group.holes.iter().collect::<Vec<_>>(), texts) {
        text += &format!("- {}: {}: {}\n", names.join(", "), (texts.words.status)(status), escaped(&why));
    }
    if !group.holes.is_empty() {
        text.push('\n');
    }
    text
}

fn values(group: &Group<'_>, baseline: &str, screen: &Screen) -> Table {
    let columns = columns(group, baseline, screen.texts, screen.glyphs);
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(columns.iter().map(|column| column.header));
    for row in 0..group.rows.len() {
        table.add_row(columns.iter().map(|column| escaped(&column.cells[row].0)));
    }
    table
}

fn strip(group: &Group<'_>, screen: &Screen) -> Table {
    let t = &screen.texts.table;
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([t.model, group.scale, t.cause]);
    for row in &group.rows {
        let cause = escaped(row.cell.why.as_deref().unwrap_or_default());
        table.add_row([row.name.clone(), outcome::outcome_text(row, screen), cause]);
    }
    table
}

/// Text that Markdown takes for text. What comes from a contestant is one line and may hold anything.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '#') {
            safe.push('\\');
        }
        safe.push(if character.is_control() { ' ' } else { character });
    }
    safe
}
