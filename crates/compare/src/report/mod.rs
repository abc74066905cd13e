//! A run as one page that opens in a browser: no network, no fonts, no library, and readable with scripts off.
//!
//! Everything is drawn here. The script only sorts, filters and highlights what is already on the page. Every figure is
//! a table with small drawings in it, so that whoever cannot see the drawings reads the same numbers; every colour is
//! accompanied by a sign or a word.

mod data_uri;
mod facts;
mod figures;
mod forest;
mod heat;
mod holes;
mod memory;
mod outcome;
mod scale;
mod scaling;
mod strip;
mod workload;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::summary::Summary;
use crate::table::group::{self, Group};
use crate::texts::number::Glyphs;
use crate::texts::{EN, Texts};

/// The whole page.
///
/// # Examples
/// ```
/// let page = compare::report::html(&compare::summary::Summary::default());
/// assert!(page.starts_with("<!DOCTYPE html>"));
/// ```
#[must_use]
pub fn html(summary: &Summary) -> String {
    Page { summary, texts: &EN, workloads: group::by_workload(summary) }.render().into_string()
}

/// What every part of the page draws from.
#[derive(Debug)]
struct Page<'a> {
    summary: &'a Summary,
    texts: &'static Texts,
    workloads: Vec<Vec<Group<'a>>>,
}

/// Browsers have every sign that we use.
const GLYPHS: Glyphs = Glyphs::Unicode;

/// Nothing may be loaded from anywhere; what is in the page may style it and run in it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

impl<'a> Page<'a> {
    fn render(&self) -> Markup {
        let t = &self.texts.report;
        html! {
            (DOCTYPE)
            html lang=(self.texts.tag) {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { ((t.page_title)(&self.summary.run.id)) }
                    // A browser that finds no icon asks for one over the network.
                    link rel="icon" href="data:,";
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    a.skip href="#answers" { (t.skip) }
                    (forest::markers())
                    (strip::header(self))
                    main {
                        (strip::answers(self))
                        (heat::section(self))
                        @for groups in &self.workloads { (workload::section(self, groups)) }
                        (scaling::slopes(self))
                        (scaling::sweeps(self))
                        (scaling::speedups(self))
                        (holes::section(self))
                        (facts::flags(self))
                        (facts::method(self))
                        (facts::environment(self))
                        (facts::models(self))
                        (facts::data(self))
                    }
                    (self.script())
                }
            }
        }
    }

    /// The script, with its words on its own element so that they stay in one place per language.
    fn script(&self) -> Markup {
        let t = &self.texts.report.script;
        html! {
            script data-filter=(t.filter) data-hint=(t.filter_hint) data-highlight=(t.highlight) data-nobody=(t.nobody)
                data-sort=(t.sort) data-baseline=(self.summary.run.baseline) {
                (PreEscaped(include_str!("script.js")))
            }
        }
    }

    /// The groups that were part of the run.
    fn groups(&self) -> impl Iterator<Item = &Group<'a>> {
        self.workloads.iter().flatten().filter(|group| group.left_out().is_none())
    }
}

/// A box in which what is too wide scrolls by itself; it takes the keyboard, so that arrows scroll it.
fn scrolling(label: &str, content: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (content) } }
}
