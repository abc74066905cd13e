//! A group's models one below the other, for a screen too narrow for a table.

use super::columns::{self, Column, Kind};
use super::screen::wrap;
use super::{Screen, Style};
use crate::table::group::Group;

/// The lines of all cards.
pub(super) fn lines(group: &Group<'_>, baseline: &str, screen: &Screen) -> Vec<String> {
    let columns = columns::columns(group, baseline, screen.texts, screen.glyphs);
    (0..group.rows.len()).flat_map(|row| card(&columns, row, screen)).collect()
}

/// The name with its rank; below it what was found, then what it cost.
fn card(columns: &[Column], row: usize, screen: &Screen) -> Vec<String> {
    let of = |kind: Kind| {
        let column = columns.iter().find(|column| column.kind == kind);
        column.map(|column| (column.header, &column.cells[row])).filter(|(_, (text, _))| !text.is_empty())
    };
    let rank = of(Kind::Rank).map(|(_, (rank, _))| format!("{rank:>3} ")).unwrap_or_default();
    let mut lines = Vec::new();
    if let Some((_, (name, style))) = of(Kind::Model) {
        let named = wrap(name, screen.width, &rank, INDENT);
        lines.extend(named.iter().map(|line| style.paint(line, screen.colour)));
    }
    let mut put = |text: String, style: Style| {
        let wrapped = wrap(&text, screen.width, INDENT, INDENT);
        lines.extend(wrapped.iter().map(|line| style.paint(line, screen.colour)));
    };
    if let Some((_, (value, style))) = of(Kind::Value) {
        let range = of(Kind::Range).map(|(_, (range, _))| format!(" ({range})")).unwrap_or_default();
        put(format!("{value}{range}"), *style);
    }
    match (of(Kind::Verdict), of(Kind::Ratio)) {
        (Some((_, (verdict, style))), Some((_, (ratio, _)))) => put(format!("{verdict}, {ratio}"), *style),
        (Some((_, (text, style))), None) | (None, Some((_, (text, style)))) => put(text.clone(), *style),
        (None, None) => {}
    }
    let costs = [Kind::Cpu, Kind::Switches, Kind::Peak].into_iter().filter_map(of);
    let costs: Vec<String> = costs.map(|(header, (text, _))| format!("{header} {text}")).collect();
    if !costs.is_empty() {
        put(costs.join(", "), Style::Dim);
    }
    lines
}

/// Below the name, which stands behind its rank.
const INDENT: &str = "    ";
