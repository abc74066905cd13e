//! A summary in the terminal, or in one of the formats that other programs read.
//!
//! The table fits itself to the width: first the less important columns go, then there is one card per model. Colours
//! only repeat what a sign and a word already say. A winner stands out only if it is one: models that tie are printed
//! alike.

mod answer;
mod block;
mod cards;
mod columns;
mod data;
mod grid;
pub(crate) mod group;
mod markdown;
mod outcome;
mod screen;

use self::screen::{Style, wrap};
use crate::summary::Summary;
use crate::texts::number::Glyphs;
use crate::texts::{EN, Texts};

pub(crate) use self::answer::answer;
pub(crate) use self::block::{
    floor_text, grouped_holes, left_out, reason, remarks, rounds_needed, unadjusted,
};
pub(crate) use self::columns::{model_text, range_text, rank_text, value_text, verdict_text};
pub(crate) use self::data::to_json;
pub(crate) use self::screen::readable;

/// What to print a summary as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Format {
    /// For people, in a terminal.
    #[default]
    Table,
    /// Markdown.
    Md,
    /// One line per cell, with a line of names.
    Csv,
    /// The summary itself.
    Json,
    /// One cell per line.
    Jsonl,
}

/// How to print it. All but `format` are for [`Format::Table`]; Markdown heeds `unicode` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to print.
    pub format: Format,
    /// Columns of the screen; no line is longer.
    pub width: usize,
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Whether the screen shows more than ASCII. What contestants say of themselves is printed as they say it.
    pub unicode: bool,
}

impl Default for Options {
    /// A table of 100 columns without colours, which any file can hold.
    fn default() -> Self {
        Self { format: Format::Table, width: 100, colour: false, unicode: true }
    }
}

/// The whole summary, ending with a newline.
///
/// # Examples
/// ```
/// use compare::{summary::Summary, table};
///
/// let options = table::Options { format: table::Format::Jsonl, ..table::Options::default() };
/// assert_eq!(table::render(&Summary::default(), &options), "");
/// ```
#[must_use]
pub fn render(summary: &Summary, options: &Options) -> String {
    let screen = Screen::new(options);
    match options.format {
        Format::Table => table(summary, &screen),
        Format::Md => markdown::render(summary, &screen),
        Format::Csv => data::csv(summary),
        Format::Json => data::json(summary),
        Format::Jsonl => data::jsonl(summary),
    }
}

/// The blocks of one workload, for printing while the run is under way; empty if the summary has no cell of it.
/// `options.format` is not asked: this is always a table.
#[must_use]
pub fn block(summary: &Summary, workload: &str, options: &Options) -> String {
    let screen = Screen::new(options);
    let workloads = group::by_workload(summary);
    let groups = workloads.iter().find(|groups| groups[0].workload == workload);
    groups.map(|groups| joined(&block::lines(summary, groups, &screen))).unwrap_or_default()
}

fn table(summary: &Summary, screen: &Screen) -> String {
    let opening = opening(summary, screen.texts);
    let mut parts: Vec<Vec<String>> =
        vec![opening.iter().flat_map(|line| screen.styled(line, Style::Bold)).collect()];
    let workloads = group::by_workload(summary);
    parts.extend(workloads.iter().map(|groups| block::lines(summary, groups, screen)));
    let left_out = block::left_out(workloads.iter().flatten(), screen.texts);
    parts.push(left_out.iter().flat_map(|line| wrap(line, screen.width, "", "  ")).collect());
    parts.push(flags(summary, screen));
    let parts: Vec<String> =
        parts.iter().filter(|lines| !lines.is_empty()).map(|lines| joined(lines)).collect();
    parts.join("\n")
}

/// What must be known before any number is read.
fn opening(summary: &Summary, texts: &Texts) -> Vec<String> {
    let mut lines = Vec::new();
    if summary.run.interrupted {
        lines.push(texts.words.interrupted.to_owned());
    }
    if summary.run.exploratory {
        lines.push((texts.words.exploratory)(summary.run.rounds));
    }
    lines
}

fn flags(summary: &Summary, screen: &Screen) -> Vec<String> {
    let t = &screen.texts.table;
    let flag = |flag: &crate::summary::Flag| {
        let mut lines = wrap(&format!("{}: {}", flag.code, flag.what), screen.width, "  ", "    ");
        for (label, text) in [(t.flag_cause, &flag.cause), (t.flag_remedy, &flag.remedy)] {
            if !text.is_empty() {
                lines.extend(wrap(&format!("{label}{text}"), screen.width, "    ", "      "));
            }
        }
        lines
    };
    let lines: Vec<String> = summary.flags.iter().flat_map(flag).collect();
    if lines.is_empty() {
        lines
    } else {
        screen.styled(t.flags, Style::Bold).into_iter().chain(lines).collect()
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Where a table is printed, and in which words.
#[derive(Debug)]
struct Screen {
    width: usize,
    colour: bool,
    glyphs: Glyphs,
    texts: &'static Texts,
}

impl Screen {
    fn new(options: &Options) -> Self {
        let glyphs = if options.unicode { Glyphs::Unicode } else { Glyphs::Ascii };
        Self { width: options.width, colour: options.colour, glyphs, texts: &EN }
    }

    fn styled(&self, text: &str, style: Style) -> Vec<String> {
        wrap(text, self.width, "", "  ").iter().map(|line| style.paint(line, self.colour)).collect()
    }

    fn dim(&self, text: &str) -> Vec<String> {
        self.styled(text, Style::Dim)
    }

    /// A heading with its lines, or nothing without any.
    fn listed(&self, heading: &str, texts: &[String]) -> Vec<String> {
        if texts.is_empty() {
            return Vec::new();
        }
        let items = texts.iter().flat_map(|text| wrap(text, self.width, "  ", "    "));
        self.dim(heading).into_iter().chain(items).collect()
    }
}
