//! The section of one workload: what it is, then each of its scales.

use maud::{Markup, html};

use super::{GLYPHS, Page, figures, forest, memory, outcome};
use crate::protocol::Metric;
use crate::table::group::{self, Group};
use crate::table::{answer, floor_text, grouped_holes, left_out, remarks, rounds_needed, unadjusted};

/// All of it.
pub(super) fn section(page: &Page<'_>, groups: &[Group<'_>]) -> Markup {
    let t = &page.texts.report;
    let name = groups[0].workload;
    html! {
        section id={ "w-" (name) } aria-labelledby={ "w-" (name) "-h" } {
            h2 id={ "w-" (name) "-h" } { (name) }
            @if let Some(workload) = group::workload(page.summary, name) {
                p.lead { (workload.about) }
                dl.about {
                    @if !workload.shows.is_empty() { div { dt { (t.shows) } dd { (workload.shows) } } }
                    @if !workload.verified.is_empty() { div { dt { (t.verified) } dd { (workload.verified) } } }
                }
            }
            @if groups.iter().all(|group| group.metric == Metric::Outcome) {
                (outcome::strip(page, groups))
                (holes(page, groups))
            } @else {
                @for group in groups.iter().filter(|group| group.left_out().is_none()) { (scale(page, group)) }
                @for line in left_out(groups.iter(), page.texts) { p.help { (line) } }
            }
        }
    }
}

fn scale(page: &Page<'_>, group: &Group<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    let baseline = &page.summary.run.baseline;
    html! {
        section.scale id=(group.anchor()) aria-labelledby={ (group.anchor()) "-h" } {
            h3 id={ (group.anchor()) "-h" } {
                (group.title(words.resources))
                span.minor { " " ((words.resources)(group.cpus, group.workers)) ", " ((words.rounds)(group.rounds())) }
            }
            p.answer {
                @if !group.is_stable() { b.stamp { (page.texts.table.unstable) } " " }
                (answer(group, baseline, words, GLYPHS))
            }
            @if !group.rows.is_empty() {
                @if group.metric == Metric::Memory { (memory::bars(page, group)) } @else { (forest::plot(page, group)) }
            }
            @if let Some(floor) = floor_text(group, baseline, page.texts, GLYPHS) { p.help { (floor) } }
            @if let Some(text) = unadjusted(page.summary, group, page.texts) { p.help { (text) } }
            (notes(page, group))
            (holes(page, std::slice::from_ref(group)))
            @if !group.rows.is_empty() { details { summary { (t.figures) } (figures::all(page, group)) } }
        }
    }
}

fn notes(page: &Page<'_>, group: &Group<'_>) -> Markup {
    let notes = remarks(group);
    let needed = rounds_needed(group, page.texts);
    html! {
        @if !notes.is_empty() || needed.is_some() {
            div.side {
                h4 { (page.texts.report.notes) }
                ul {
                    @for (note, names) in notes { li { b { (names.join(", ")) } ": " (note) } }
                    @if let Some(needed) = needed { li { (needed) } }
                }
            }
        }
    }
}

fn holes(page: &Page<'_>, groups: &[Group<'_>]) -> Markup {
    let holes: Vec<_> = groups.iter().flat_map(|group| &group.holes).collect();
    html! {
        @if !holes.is_empty() {
            div.side {
                h4 { (page.texts.report.group_holes) }
                ul {
                    @for (status, why, names) in grouped_holes(&holes, page.texts) {
                        li { b { (names.join(", ")) } ": " (((page.texts.words.status)(status))) ": " (why) }
                    }
                }
            }
        }
    }
}
