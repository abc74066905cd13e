//! Outcomes as a strip of capabilities: who loses what to which accident.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::screen::{width, wrap};
use super::{Screen, Style};
use crate::summary::Summary;
use crate::table::group::{Group, OUTCOMES, Row};
use crate::texts::number::Glyphs;

/// One line per model with a word for each accident; a card per model where that does not fit.
pub(super) fn lines(summary: &Summary, groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    let mut models: Vec<&str> = Vec::new();
    for row in groups.iter().flat_map(|group| &group.rows) {
        if !models.contains(&row.name.as_str()) {
            models.push(&row.name);
        }
    }
    models.sort_by_key(|name| {
        summary.models.iter().position(|model| model.name == **name).unwrap_or(usize::MAX)
    });
    let strip = strip(&models, groups, screen);
    let mut lines = if strip.iter().all(|line| width(line) <= screen.width) {
        let head = strip.iter().take(1).map(|line| Style::Dim.paint(line, screen.colour));
        head.chain(strip.iter().skip(1).cloned()).collect()
    } else {
        models.iter().flat_map(|model| card(model, groups, screen)).collect::<Vec<_>>()
    };
    lines.extend(causes(groups, screen));
    lines
}

/// An outcome in words, behind a sign that needs no colour.
pub(super) fn outcome_text(row: &Row<'_>, screen: &Screen) -> String {
    let outcome = row.cell.outcome.as_deref().unwrap_or_default();
    format!("{} {}", sign(outcome, screen.glyphs), (screen.texts.words.outcome)(outcome))
}

fn sign(outcome: &str, glyphs: Glyphs) -> &'static str {
    match OUTCOMES.iter().position(|known| *known == outcome) {
        Some(0) => glyphs.pick("●", "+"),
        Some(1) => glyphs.pick("◐", "o"),
        _ => glyphs.pick("○", "-"),
    }
}

fn strip(models: &[&str], groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let scales = groups.iter().map(|group| group.scale);
    table.set_header(std::iter::once(screen.texts.table.model).chain(scales));
    for model in models {
        let cells = groups.iter().map(|group| word(model, group, screen));
        table.add_row(std::iter::once((*model).to_owned()).chain(cells));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn card(model: &str, groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    let mut lines = wrap(model, screen.width, "", "  ");
    for group in groups {
        lines.extend(wrap(
            &format!("{}: {}", group.scale, word(model, group, screen)),
            screen.width,
            "  ",
            "    ",
        ));
    }
    lines
}

fn word(model: &str, group: &Group<'_>, screen: &Screen) -> String {
    if let Some(row) = group.rows.iter().find(|row| row.name == model) {
        return outcome_text(row, screen);
    }
    let hole = group.holes.iter().find(|hole| hole.name == model);
    hole.map(|hole| (screen.texts.words.status)(hole.cell.status).to_owned()).unwrap_or_default()
}

/// What the handles said, once for all models that said the same of the same accident.
fn causes(groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for group in groups {
        for row in &group.rows {
            let Some(why) = row.cell.why.as_deref().filter(|why| !why.is_empty()) else { continue };
            let outcome = (screen.texts.words.outcome)(row.cell.outcome.as_deref().unwrap_or_default());
            let what = format!("{}, {outcome}: {why}", group.scale);
            match said.iter_mut().find(|(known, _)| *known == what) {
                Some((_, names)) => names.push(&row.name),
                None => said.push((what, vec![&row.name])),
            }
        }
    }
    if said.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Style::Dim.paint(&format!("{}:", screen.texts.table.cause), screen.colour)];
    for (what, names) in said {
        lines.extend(wrap(&format!("{what} ({})", names.join(", ")), screen.width, "  ", "    "));
    }
    lines
}
