//! A group's table, as wide as the screen allows.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};

use super::columns::{Column, DROPPED_FIRST, Kind};
use super::screen::{Style, width};
use super::{Screen, columns};
use crate::table::group::Group;

/// The lines of the table, or nothing if even the most important columns do not fit.
pub(super) fn lines(group: &Group<'_>, baseline: &str, screen: &Screen) -> Option<Vec<String>> {
    let mut columns = columns::columns(group, baseline, screen.texts, screen.glyphs);
    let mut drops = DROPPED_FIRST.iter();
    loop {
        let lines = draw(&columns, screen);
        if lines.iter().all(|(line, _)| width(line) <= screen.width) {
            return Some(
                lines.into_iter().map(|(line, paints)| paint(&line, &paints, screen.colour)).collect(),
            );
        }
        let next: Kind = *drops.next()?;
        columns.retain(|column| column.kind != next);
    }
}

/// A piece of a line, by its first column and its length, and how it stands out.
type Paint = (usize, usize, Style);

/// Plain lines, each with what to paint on it: a table that counts escapes as characters would not line up.
fn draw(columns: &[Column], screen: &Screen) -> Vec<(String, Vec<Paint>)> {
    let rule = if screen.glyphs.pick("u", "a") == "u" { '─' } else { '-' };
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(LineStyle::none().fill(rule).junction(rule)));
    table.set_header(columns.iter().map(|column| column.header));
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        table.add_row(columns.iter().map(|column| &column.cells[row].0));
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(drawn) = table.column_mut(index) {
            drawn.set_padding((0, if index + 1 < columns.len() { GAP - JUNCTION } else { 0 }));
            if column.kind.is_number() {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let starts: Vec<(usize, usize)> = table
        .column_max_content_widths()
        .iter()
        .scan(0, |start, &wide| {
            let here = *start;
            *start += usize::from(wide + GAP);
            Some((here, usize::from(wide)))
        })
        .collect();
    let body = |row: usize| {
        let cells = columns.iter().zip(&starts);
        cells.map(|(column, (start, wide))| (*start, *wide, column.cells[row].1)).collect::<Vec<Paint>>()
    };
    let head = |line: &str| vec![(0, width(line), Style::Dim)];
    table
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let line = line.trim_end().to_owned();
            let paints = if index < HEAD_LINES { head(&line) } else { body(index - HEAD_LINES) };
            (line, paints)
        })
        .collect()
}

/// Blanks between two columns.
const GAP: u16 = 2;

/// One of them is where the rule below the names has its junctions, and is not padding.
const JUNCTION: u16 = 1;

/// The names and the rule below them.
const HEAD_LINES: usize = 2;

fn paint(line: &str, paints: &[Paint], colour: bool) -> String {
    let characters: Vec<char> = line.chars().collect();
    let text =
        |from: usize, to: usize| characters[from.min(characters.len())..to.min(characters.len())].iter();
    let mut painted = String::with_capacity(line.len());
    let mut at = 0;
    for &(start, wide, style) in paints {
        painted.extend(text(at, start));
        painted += &style.paint(&text(start, start + wide).collect::<String>(), colour);
        at = start + wide;
    }
    painted.extend(text(at, characters.len()));
    painted
}
