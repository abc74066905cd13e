//! Outcomes as a strip of capabilities: what each model loses to each accident.

use maud::{Markup, html};

use super::{Page, scrolling};
use crate::table::group::{Group, OUTCOMES, Row};
use crate::table::{answer, readable, reason};
use crate::texts::number::Glyphs;

/// All scales of one workload side by side.
pub(super) fn strip(page: &Page<'_>, groups: &[Group<'_>]) -> Markup {
    let t = &page.texts.report;
    html! {
        @for group in groups {
            p.answer id=(group.anchor()) {
                b { (group.scale) } ": "
                (answer(group, &page.summary.run.baseline, &page.texts.words, Glyphs::Unicode))
            }
        }
        (scrolling(t.outcome_caption, &table(page, groups)))
        p.help { (t.outcome_help) }
        (causes(page, groups))
    }
}

fn table(page: &Page<'_>, groups: &[Group<'_>]) -> Markup {
    let t = &page.texts.report;
    html! {
        table.strip-table {
            caption { (t.outcome_caption) }
            thead {
                tr {
                    th scope="col" { (t.model) }
                    @for group in groups {
                        th scope="col" {
                            (group.scale)
                            @if group.one_of_many { " " ((page.texts.words.resources)(group.cpus, group.workers)) }
                        }
                    }
                }
            }
            tbody {
                @for model in page.summary.models.iter().map(|model| &model.name) {
                    tr data-m=(model) {
                        th scope="row" { (model) }
                        @for group in groups { (cell(page, group, model)) }
                    }
                }
            }
        }
    }
}

fn cell(page: &Page<'_>, group: &Group<'_>, model: &str) -> Markup {
    let words = &page.texts.words;
    if let Some(row) = group.rows.iter().find(|row| row.cell.model == model) {
        let outcome = row.cell.outcome.as_deref().unwrap_or_default();
        let place = place(row);
        return html! {
            td class={ "o" (place) } title=[row.cell.why.as_deref().map(readable)] {
                span.sign aria-hidden="true" { (SIGNS[place]) } " " ((words.outcome)(outcome))
            }
        };
    }
    match group.holes.iter().find(|hole| hole.cell.model == model) {
        Some(hole) => html! {
            td.hole title=(reason(hole, page.texts)) { ((words.status)(hole.cell.status)) }
        },
        None => html! { td.hole {} },
    }
}

/// Full for the least harm, empty for the most.
const SIGNS: [&str; 3] = ["●", "◐", "○"];

/// How much is lost: the outcome's place in [`OUTCOMES`]; what is not known counts as the worst.
fn place(row: &Row<'_>) -> usize {
    let known = OUTCOMES.iter().position(|outcome| Some(*outcome) == row.cell.outcome.as_deref());
    known.unwrap_or(OUTCOMES.len() - 1)
}

/// What the handles said: the tips of the strip, in words for those who have no pointer.
fn causes(page: &Page<'_>, groups: &[Group<'_>]) -> Markup {
    let mut said: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for group in groups {
        for row in &group.rows {
            let Some(why) = row.cell.why.as_deref().map(readable) else { continue };
            match said.iter_mut().find(|(scale, known, _)| *scale == group.scale && *known == why) {
                Some((_, _, names)) => names.push(&row.name),
                None => said.push((group.scale, why, vec![&row.name])),
            }
        }
    }
    html! {
        @if !said.is_empty() {
            details {
                summary { (page.texts.report.causes) }
                ul {
                    @for (scale, why, names) in said {
                        li { b { (scale) } ", " (names.join(", ")) ": " (why) }
                    }
                }
            }
        }
    }
}
