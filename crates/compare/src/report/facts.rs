//! The end of the page: what disturbed the run, how it was made, where, and how to make it again.

use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use super::data_uri::href_json;
use super::{Page, scrolling};
use crate::summary::{Status, Summary};
use crate::table::to_json;
use crate::texts::number;

/// Every flag with its cause and its remedy.
pub(super) fn flags(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    html! {
        section #flags aria-labelledby="flags-h" {
            h2 #flags-h { (t.flags) }
            @if page.summary.flags.is_empty() {
                p { (t.no_flags) }
            } @else {
                ul.flags {
                    @for flag in &page.summary.flags {
                        li {
                            p {
                                b { (flag.code) } " " (flag.what)
                                @if !flag.rounds.is_empty() { " (" ((t.flag_rounds)(&flag.rounds)) ")" }
                            }
                            @if !flag.cause.is_empty() { p.minor { (t.flag_cause) ": " (flag.cause) } }
                            @if !flag.remedy.is_empty() { p.minor { (t.flag_remedy) ": " (flag.remedy) } }
                        }
                    }
                }
            }
        }
    }
}

/// How the numbers came about.
pub(super) fn method(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    html! {
        section #method aria-labelledby="method-h" {
            h2 #method-h { (t.method) }
            dl.pairs { @for (word, meaning) in t.method_points { div { dt { (word) } dd { (meaning) } } } }
        }
    }
}

/// The machine and the build.
pub(super) fn environment(page: &Page<'_>) -> Markup {
    let (t, names) = (&page.texts.report, &page.texts.report.facts);
    let (machine, run) = (&page.summary.machine, &page.summary.run);
    let known = |text: Option<&String>| text.map_or(names.unknown, String::as_str).to_owned();
    let limits: Vec<String> = machine.limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let facts = [
        (names.cpu, machine.cpu.clone()),
        (names.cpus, machine.cpus.to_string()),
        (names.memory, number::bytes(machine.memory_bytes as f64)),
        (names.os, machine.os.clone()),
        (names.virtualization, machine.virtualization.clone()),
        (names.clock, machine.clock.clone()),
        (names.governor, known(machine.governor.as_ref())),
        (names.limits, limits.join(", ")),
        (names.rustc, known(run.rustc.as_ref())),
        (names.commit, known(run.commit.as_ref())),
        (names.seed, run.seed.to_string()),
    ];
    html! {
        section #environment aria-labelledby="environment-h" {
            h2 #environment-h { (t.environment) }
            dl.pairs { @for (name, fact) in facts { div { dt { (name) } dd { (fact) } } } }
        }
    }
}

/// Who took part, in which version.
pub(super) fn models(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    html! {
        section #models aria-labelledby="models-h" {
            h2 #models-h { (t.models) }
            (scrolling(t.models, &html! {
                table.text {
                    thead {
                        tr { @for name in [t.model, t.version, t.runs_on, t.about] { th scope="col" { (name) } } }
                    }
                    tbody {
                        @for model in &page.summary.models {
                            tr data-m=(model.name) {
                                th scope="row" { (model.name) }
                                @if model.status == Status::Ok || model.why.is_none() {
                                    td { (model.version) }
                                } @else {
                                    td { ((page.texts.words.status)(model.status)) ": " (model.why.as_deref().unwrap_or_default()) }
                                }
                                td { ((t.uses)(model.uses)) }
                                td { (model.about) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// The raw data and the command.
pub(super) fn data(page: &Page<'_>) -> Markup {
    let (t, run) = (&page.texts.report, &page.summary.run);
    let json = rounded(page.summary);
    let label = (t.download)(&number::bytes(json.len() as f64));
    let seed = if run.command.contains("--seed") { String::new() } else { format!(" --seed {}", run.seed) };
    html! {
        section #data aria-labelledby="data-h" {
            h2 #data-h { (t.data) }
            p { (PreEscaped(format!("<a class=\"button\" download=\"summary.json\" {}>", href_json(&json)))) (label) (PreEscaped("</a>")) }
            p.help { (t.data_help) }
            h3 { (t.reproduce) }
            (scrolling(t.reproduce, &html! { pre { code { (run.command) (seed) } } }))
            p.help { (t.reproduce_help) }
        }
    }
}

/// The summary with its numbers rounded to seven digits, which is more than any measurement bears: all digits would take
/// a sixth of the whole page.
fn rounded(summary: &Summary) -> String {
    let mut json = serde_json::to_value(summary).unwrap_or_default();
    round(&mut json);
    to_json(serde_json::to_string(&json))
}

fn round(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(fields) => {
            // What is absent need not say so.
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(round);
        }
        Value::Number(number) if number.is_f64() => {
            let short = number.as_f64().and_then(|value| format!("{value:.6e}").parse().ok());
            if let Some(short) = short.and_then(serde_json::Number::from_f64) {
                *number = short;
            }
        }
        _ => {}
    }
}
