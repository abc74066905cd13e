//! What is missing, and why: every hole of the run, in words.

use maud::{Markup, html};

use super::{Page, scrolling};
use crate::summary::Status;
use crate::table::{left_out, reason};

/// Holes of one model with one status and one reason share a line.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let t = &page.texts.report;
    let lines = lines(page);
    let groups = page.groups().count();
    html! {
        section #holes aria-labelledby="holes-h" {
            h2 #holes-h { (t.holes) }
            @for line in left_out(page.workloads.iter().flatten(), page.texts) { p { (line) "." } }
            @if lines.is_empty() {
                p { (t.no_holes) }
            } @else {
                (scrolling(t.holes, &html! {
                    table.text {
                        thead {
                            tr {
                                th scope="col" { (t.model) }
                                th scope="col" { (t.status) }
                                th scope="col" { (t.reason) }
                                th scope="col" { (t.place) }
                            }
                        }
                        tbody {
                            @for line in &lines {
                                tr data-m=(line.model) {
                                    th scope="row" { (line.model) }
                                    td.fault[is_fault(line.status)] { ((page.texts.words.status)(line.status)) }
                                    td { (line.why) }
                                    td {
                                        @if line.places.len() == groups { (t.everywhere) }
                                        @else { (line.places.join(", ")) }
                                    }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}

struct Line {
    model: String,
    status: Status,
    why: String,
    places: Vec<String>,
}

fn lines(page: &Page<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for group in page.groups() {
        let place = group.title(page.texts.words.resources);
        for hole in &group.holes {
            let (status, why) = (hole.cell.status, reason(hole, page.texts));
            let same = |line: &&mut Line| line.model == hole.name && line.status == status && line.why == why;
            match lines.iter_mut().find(same) {
                Some(line) => line.places.push(place.clone()),
                None => {
                    let places = vec![place.clone()];
                    lines.push(Line { model: hole.name.clone(), status, why, places });
                }
            }
        }
    }
    // What went wrong comes before what was never possible.
    lines.sort_by_key(|line| (!is_fault(line.status), line.status));
    lines
}

/// Whether the model failed, rather than being absent or unable.
pub(super) fn is_fault(status: Status) -> bool {
    matches!(status, Status::BuildFailed | Status::Wrong | Status::Crashed | Status::Timeout | Status::Leaked)
}
