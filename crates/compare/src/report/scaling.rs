//! How things grow: bytes with tasks, and, where the run asked for them, times with workers and CPUs.

use maud::{Markup, html};

use super::{GLYPHS, Page, scrolling};
use crate::table::group::entry_name;
use crate::texts::number;

/// What one more task takes, where a memory workload was measured at several scales.
pub(super) fn slopes(page: &Page<'_>) -> Markup {
    let (t, words, slopes) = (&page.texts.report, &page.texts.words, &page.summary.slopes);
    if slopes.is_empty() {
        return Markup::default();
    }
    html! {
        section #slopes aria-labelledby="slopes-h" {
            h2 #slopes-h { (t.slopes) }
            p.help { (t.slopes_help) }
            (scrolling(t.slopes, &html! {
                table.text {
                    thead { tr { th scope="col" { (t.model) } th scope="col" { (t.place) } th scope="col" { (t.value) } } }
                    tbody {
                        @for slope in slopes {
                            tr data-m=(slope.model) {
                                th scope="row" { (entry_name(page.summary, &slope.workload, &slope.model, &slope.form)) }
                                td { (slope.workload) }
                                td { ((words.slope)(&number::bytes(slope.bytes_per_unit), slope.scales)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// The best worker count of each model.
pub(super) fn sweeps(page: &Page<'_>) -> Markup {
    let (t, words, sweeps) = (&page.texts.report, &page.texts.words, &page.summary.sweeps);
    if sweeps.is_empty() {
        return Markup::default();
    }
    html! {
        section #sweeps aria-labelledby="sweeps-h" {
            h2 #sweeps-h { (t.sweeps) }
            p.help { (t.sweeps_help) }
            (scrolling(t.sweeps, &html! {
                table.text {
                    thead {
                        tr {
                            th scope="col" { (t.model) }
                            th scope="col" { (t.place) }
                            th scope="col" { (t.best) }
                            th scope="col" { (t.by_workers) }
                        }
                    }
                    tbody {
                        @for sweep in sweeps {
                            @let ties: Vec<u32> = sweep.ties.iter().copied().filter(|count| *count != sweep.best).collect();
                            tr data-m=(sweep.model) {
                                th scope="row" { (entry_name(page.summary, &sweep.workload, &sweep.model, &sweep.form)) }
                                td { (sweep.workload) " " (sweep.scale) ", " ((t.on_cpus)(sweep.cpus)) }
                                td { ((words.best_workers)(sweep.best, &ties)) }
                                td {
                                    @for (index, (count, ratio, lo, hi)) in sweep.ratios.iter().enumerate() {
                                        @if index > 0 { "; " }
                                        b { (count) } " " (number::ratio(*ratio, GLYPHS)) " " (number::interval(*lo, *hi))
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// How many times as fast with more CPUs, and what Amdahl's law makes of it.
pub(super) fn speedups(page: &Page<'_>) -> Markup {
    let (t, speedups) = (&page.texts.report, &page.summary.speedups);
    if speedups.is_empty() {
        return Markup::default();
    }
    let mut counts: Vec<u32> =
        speedups.iter().flat_map(|speedup| speedup.points.iter().map(|point| point.0)).collect();
    counts.sort_unstable();
    counts.dedup();
    html! {
        section #speedups aria-labelledby="speedups-h" {
            h2 #speedups-h { (t.speedups) }
            p.help { (t.speedups_help) }
            (scrolling(t.speedups, &html! {
                table.figures {
                    thead {
                        tr {
                            th scope="col" { (t.model) }
                            th scope="col" { (t.place) }
                            @for count in &counts { th scope="col" { ((t.on_cpus)(*count)) } }
                            th scope="col" { (t.parallel) }
                            th scope="col" { (t.ceiling) }
                        }
                    }
                    tbody {
                        @for speedup in speedups {
                            tr data-m=(speedup.model) {
                                th scope="row" { (entry_name(page.summary, &speedup.workload, &speedup.model, &speedup.form)) }
                                td { (speedup.workload) " " (speedup.scale) }
                                @for count in &counts {
                                    td {
                                        @if let Some((_, factor, lo, hi)) = speedup.points.iter().find(|p| p.0 == *count) {
                                            (number::ratio(*factor, GLYPHS)) " " (number::interval(*lo, *hi))
                                        }
                                    }
                                }
                                td { (speedup.parallel_fraction.map(number::percent).unwrap_or_default()) }
                                td { (speedup.parallel_fraction.map(ceiling).unwrap_or_default()) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// Amdahl's limit for this parallel part.
fn ceiling(parallel: f64) -> String {
    let serial = 1.0 - parallel;
    if serial < 1e-3 { "∞".to_owned() } else { number::ratio(1.0 / serial, GLYPHS) }
}
