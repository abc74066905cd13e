//! The top of the page: what was run where, how far it can be trusted, and the answers.

use maud::{Markup, html};

use super::{GLYPHS, Page};
use crate::protocol::Metric;
use crate::stats::control::SAME_MARGIN_MAX;
use crate::summary::Status;
use crate::table::answer;
use crate::texts::number;

/// The heading, what must be known first, and the strip.
pub(super) fn header(page: &Page<'_>) -> Markup {
    let (t, words, run) = (&page.texts.report, &page.texts.words, &page.summary.run);
    html! {
        header {
            p.eyebrow { (t.product) }
            h1 { ((t.headline)(page.summary.models.len(), page.workloads.len())) }
            @if run.interrupted { p.notice { (words.interrupted) } }
            @if run.exploratory { p.notice { ((words.exploratory)(run.rounds)) } }
            (strip(page))
            (contents(page))
        }
    }
}

/// One sentence for each group.
pub(super) fn answers(page: &Page<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    html! {
        section #answers aria-labelledby="answers-h" {
            h2 #answers-h { (t.answers) }
            dl.answers {
                @for group in page.groups() {
                    dt { a href={ "#" (group.anchor()) } { (group.title(words.resources)) } }
                    dd.unstable[!group.is_stable()] {
                        @if !group.is_stable() { b.stamp { (page.texts.table.unstable) } " " }
                        (answer(group, &page.summary.run.baseline, words, GLYPHS))
                    }
                }
            }
        }
    }
}

fn strip(page: &Page<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    let (run, machine) = (&page.summary.run, &page.summary.machine);
    let memory = number::bytes(machine.memory_bytes as f64);
    let about = [&machine.cpu, &machine.os, &machine.virtualization].map(String::as_str);
    let about: Vec<&str> = about.into_iter().filter(|fact| !fact.is_empty()).collect();
    html! {
        dl.strip {
            div {
                dt { (t.run) }
                dd { ((t.run_line)((words.profile)(run.profile), &(words.rounds)(run.rounds), &run.baseline)) }
                dd.minor { ((t.when)(&run.started_at, &number::waited(run.seconds))) }
            }
            div {
                dt { (t.machine) }
                dd { ((t.machine_line)(machine.cpus, &memory)) }
                dd.minor { (about.join(", ")) }
            }
            div {
                dt { (t.noise_floor) }
                (noise(page))
            }
            div {
                dt { (t.unstable) }
                (unstable(page))
            }
            div {
                dt { (t.missing) }
                (missing(page))
            }
        }
    }
}

fn noise(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    let mut margins: Vec<f64> = page.summary.noise_floor.iter().map(|floor| floor.margin).collect();
    margins.sort_by(f64::total_cmp);
    html! {
        @if let Some(largest) = margins.last() {
            @let (typical, largest) = (number::percent(margins[margins.len() / 2]), number::percent(*largest));
            dd { @if typical == largest { (largest) } @else { ((t.margins)(&typical, &largest)) } }
            dd.minor { ((t.margin_means)(&number::percent(SAME_MARGIN_MAX))) }
        } @else {
            dd { (t.no_control) }
        }
    }
}

fn unstable(page: &Page<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    let groups: Vec<_> = page.groups().filter(|group| !group.is_stable()).collect();
    html! {
        @if groups.is_empty() {
            dd { (t.nothing_unstable) }
        } @else {
            dd {
                @for (index, group) in groups.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href={ "#" (group.anchor()) } { (group.title(words.resources)) }
                }
            }
            dd.minor { (t.unstable_means) }
        }
    }
}

fn missing(page: &Page<'_>) -> Markup {
    let (t, words) = (&page.texts.report, &page.texts.words);
    let holes = || page.groups().flat_map(|group| &group.holes);
    let results: usize = page.groups().map(|group| group.rows.len()).sum();
    let mut counts: Vec<(Status, usize)> = Vec::new();
    for hole in holes() {
        match counts.iter_mut().find(|(status, _)| *status == hole.cell.status) {
            Some((_, count)) => *count += 1,
            None => counts.push((hole.cell.status, 1)),
        }
    }
    counts.sort();
    let counts: Vec<String> =
        counts.iter().map(|(status, count)| format!("{count} {}", (words.status)(*status))).collect();
    html! {
        dd { ((t.coverage)(results, results + holes().count())) }
        @if !counts.is_empty() {
            dd.minor { (counts.join(", ")) ": " a href="#holes" { (t.see_missing) } }
        }
    }
}

fn contents(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    html! {
        nav aria-label=(t.contents) {
            a href="#answers" { (t.answers) }
            @if page.groups().any(|group| group.metric != Metric::Outcome) { a href="#overview" { (t.overview) } }
            @for groups in &page.workloads {
                a href={ "#w-" (groups[0].workload) } { (groups[0].workload) }
            }
            a href="#holes" { (t.missing) }
            a href="#method" { (t.method) }
            a href="#environment" { (t.environment) }
            a href="#data" { (t.data) }
        }
    }
}
