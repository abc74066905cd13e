//! One group as a block of the terminal: the answer, the table, what it rests on and what is missing.

use super::answer::answer;
use super::screen::{readable, wrap};
use super::{Screen, Style, cards, grid, outcome};
use crate::protocol::Metric;
use crate::stats::control::SAME_MARGIN_MAX;
use crate::stats::{compare, ties};
use crate::summary::{Slope, Status, Summary, Verdict};
use crate::table::group::{Group, Row, entry_name};
use crate::texts::{Texts, number};

/// All blocks of one workload.
pub(super) fn lines(summary: &Summary, groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    if groups.iter().all(|group| group.metric == Metric::Outcome) {
        let is_left_out = groups.iter().all(|group| group.left_out().is_some());
        return if is_left_out { Vec::new() } else { outcomes(summary, groups, screen) };
    }
    let mut lines = Vec::new();
    for group in groups.iter().filter(|group| group.left_out().is_none()) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(values(summary, group, screen));
    }
    lines
}

fn values(summary: &Summary, group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let mut lines = heading(summary, group, screen);
    if !group.rows.is_empty() {
        let baseline = &summary.run.baseline;
        let grid = if screen.width < CARDS_BELOW { None } else { grid::lines(group, baseline, screen) };
        lines.extend(grid.unwrap_or_else(|| cards::lines(group, baseline, screen)));
    }
    if let Some(text) = floor_text(group, &summary.run.baseline, screen.texts, screen.glyphs) {
        lines.extend(screen.dim(&text));
    }
    if let Some(text) = unadjusted(summary, group, screen.texts) {
        lines.extend(screen.dim(&text));
    }
    lines.extend(notes(group, screen));
    lines.extend(holes(&group.holes.iter().collect::<Vec<_>>(), screen));
    lines.extend(slopes(summary, group, screen));
    lines.extend(sweeps(summary, group, screen));
    lines.extend(speedups(summary, group, screen));
    lines
}

/// Below this width one model after the other reads better than columns.
const CARDS_BELOW: usize = 60;

fn outcomes(summary: &Summary, groups: &[Group<'_>], screen: &Screen) -> Vec<String> {
    let mut lines: Vec<String> = groups.iter().flat_map(|group| heading(summary, group, screen)).collect();
    lines.extend(outcome::lines(summary, groups, screen));
    lines.extend(holes(&groups.iter().flat_map(|group| &group.holes).collect::<Vec<_>>(), screen));
    lines
}

fn heading(summary: &Summary, group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let Texts { words, table, .. } = screen.texts;
    let title = group.title(words.resources);
    let answer = answer(group, &summary.run.baseline, words, screen.glyphs);
    let stamp = if group.is_stable() { String::new() } else { format!("{}: ", table.unstable) };
    let mut lines = screen.styled(&format!("{title}: {stamp}{answer}"), Style::Bold);
    if group.metric != Metric::Outcome {
        let about = [
            (words.quantity)(group.metric, group.unit),
            (words.resources)(group.cpus, group.workers),
            (words.rounds)(group.rounds()),
            (table.against)(&summary.run.baseline),
        ];
        lines.extend(screen.dim(&about.join(screen.glyphs.pick(" · ", ", "))));
    }
    lines
}

/// What the control showed, and the margin that follows.
pub(crate) fn floor_text(
    group: &Group<'_>,
    baseline: &str,
    texts: &Texts,
    glyphs: number::Glyphs,
) -> Option<String> {
    let floor = group.floor?;
    let words = &texts.words;
    let control = format!("{} {}", number::ratio(floor.ratio, glyphs), number::interval(floor.lo, floor.hi));
    let stands_in = !floor.model.is_empty() && floor.model != baseline;
    let control = if stands_in { (words.stand_in)(&floor.model, &control) } else { control };
    let said = if floor.margin > SAME_MARGIN_MAX { words.noise_floor_wide } else { words.noise_floor };
    Some(said(&control, &number::percent(floor.margin)))
}

/// That some of a group's verdicts or ranks may be luck, where the run as a whole has not said so already.
pub(crate) fn unadjusted(summary: &Summary, group: &Group<'_>, texts: &Texts) -> Option<String> {
    let floor = group.floor.filter(|floor| floor.stable && !summary.run.exploratory)?;
    let words = &texts.words;
    let models = group.rows.len();
    let (verdicts, ranks) = (compare::corrected_from(models.saturating_sub(1)), ties::corrected_from(models));
    if !floor.verdicts_corrected {
        Some((words.unadjusted)(verdicts, ranks))
    } else if !floor.ranks_corrected {
        Some((words.unadjusted_ranks)(ranks))
    } else {
        None
    }
}

/// What looks odd about single rows: each remark once, with the names it is about.
pub(crate) fn remarks<'a>(group: &'a Group<'_>) -> Vec<(String, Vec<&'a str>)> {
    let mut remarks: Vec<(String, Vec<&str>)> = Vec::new();
    for row in group.rows.iter().chain(&group.holes) {
        for remark in row.cell.notes.iter().cloned() {
            match remarks.iter_mut().find(|(known, _)| *known == remark) {
                Some((_, names)) => names.push(&row.name),
                None => remarks.push((remark, vec![&row.name])),
            }
        }
    }
    remarks
}

/// About how many rounds would decide the unclear rows.
pub(crate) fn rounds_needed(group: &Group<'_>, texts: &Texts) -> Option<String> {
    let unclear =
        group.rows.iter().filter(|row| row.cell.verdict == Some(Verdict::Unclear) && group.is_stable());
    let needed: Vec<(&str, u32)> =
        unclear.filter_map(|row| Some((row.name.as_str(), row.cell.rounds_needed?))).collect();
    (!needed.is_empty()).then(|| (texts.words.rounds_needed)(&needed))
}

fn notes(group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let line = |(text, names): (String, Vec<&str>)| {
        let note = format!("{}{}: {text}", screen.texts.table.note, names.join(", "));
        wrap(&note, screen.width, "", "  ")
    };
    let mut lines: Vec<String> = remarks(group).into_iter().flat_map(line).collect();
    if let Some(text) = rounds_needed(group, screen.texts) {
        lines.extend(wrap(&format!("{}{text}", screen.texts.table.note), screen.width, "", "  "));
    }
    lines
}

/// The groups that were not part of the run, those with the same reason in one sentence.
pub(crate) fn left_out<'a>(groups: impl Iterator<Item = &'a Group<'a>>, texts: &Texts) -> Vec<String> {
    let mut told: Vec<(&str, Vec<String>)> = Vec::new();
    for group in groups {
        let Some(why) = group.left_out() else { continue };
        let title = group.title(texts.words.resources);
        match told.iter_mut().find(|(known, _)| *known == why) {
            Some((_, titles)) => titles.push(title),
            None => told.push((why, vec![title])),
        }
    }
    told.into_iter().map(|(why, titles)| (texts.words.left_out)(&titles, why)).collect()
}

/// Why a cell has no result, in one line.
pub(crate) fn reason(row: &Row<'_>, texts: &Texts) -> String {
    let cell = row.cell;
    match (&cell.why, cell.status) {
        (Some(why), _) if !why.trim().is_empty() => readable(why),
        (_, Status::Ok) => texts.words.not_timed.to_owned(),
        (_, Status::Untested) => texts.words.not_run_yet.to_owned(),
        _ => texts.words.no_reason.to_owned(),
    }
}

/// Holes that share status and reason are told together.
pub(crate) fn grouped_holes<'a>(holes: &[&'a Row<'a>], texts: &Texts) -> Vec<(Status, String, Vec<&'a str>)> {
    let mut told: Vec<(Status, String, Vec<&str>)> = Vec::new();
    for hole in holes {
        let why = reason(hole, texts);
        match told.iter_mut().find(|(status, known, _)| *status == hole.cell.status && *known == why) {
            Some((_, _, names)) if names.contains(&hole.name.as_str()) => {}
            Some((_, _, names)) => names.push(&hole.name),
            None => told.push((hole.cell.status, why, vec![&hole.name])),
        }
    }
    told
}

fn holes(holes: &[&Row<'_>], screen: &Screen) -> Vec<String> {
    if holes.is_empty() {
        return Vec::new();
    }
    let mut lines = screen.dim(screen.texts.table.holes);
    for (status, why, names) in grouped_holes(holes, screen.texts) {
        let word = (screen.texts.words.status)(status);
        lines.extend(wrap(&format!("{}: {word}: {why}", names.join(", ")), screen.width, "  ", "    "));
    }
    lines
}

/// What one more unit takes, told below the largest scale of a memory workload.
fn slopes(summary: &Summary, group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let mine =
        || summary.slopes.iter().filter(|slope| slope.workload == group.workload && slope.cpus == group.cpus);
    let mut scales =
        summary.workloads.iter().filter(|workload| workload.name == group.workload).flat_map(|it| &it.scales);
    let largest = scales.rfind(|scale| mine().any(|slope| slope.scale == scale.label));
    if largest.is_none_or(|scale| scale.label != group.scale) {
        return Vec::new();
    }
    let line = |slope: &Slope| {
        let name = entry_name(summary, &slope.workload, &slope.model, &slope.form);
        format!("{name}: {}", (screen.texts.words.slope)(&number::bytes(slope.bytes_per_unit), slope.scales))
    };
    screen.listed(screen.texts.table.slopes, &mine().map(line).collect::<Vec<_>>())
}

fn sweeps(summary: &Summary, group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let of_group = summary.sweeps.iter().filter(|sweep| {
        (&*sweep.workload, &*sweep.scale, sweep.cpus) == (group.workload, group.scale, group.cpus)
    });
    // Several groups share one sweep; it is told below the one with the best count.
    let here = of_group.filter(|sweep| sweep.best == group.workers);
    let words = &screen.texts.words;
    let lines = here.map(|sweep| {
        let ties: Vec<u32> = sweep.ties.iter().copied().filter(|count| *count != sweep.best).collect();
        let name = entry_name(summary, &sweep.workload, &sweep.model, &sweep.form);
        format!("{name}: {}", (words.best_workers)(sweep.best, &ties))
    });
    screen.listed(screen.texts.table.best_workers, &lines.collect::<Vec<_>>())
}

fn speedups(summary: &Summary, group: &Group<'_>, screen: &Screen) -> Vec<String> {
    let most = |points: &[(u32, f64, f64, f64)]| points.iter().map(|point| point.0).max();
    let more_workers = summary.cells.iter().any(|cell| {
        (&*cell.workload, &*cell.scale, cell.cpus) == (group.workload, group.scale, group.cpus)
            && cell.workers > group.workers
    });
    let here = summary.speedups.iter().filter(|speedup| {
        (&*speedup.workload, &*speedup.scale) == (group.workload, group.scale)
            // It is told once, below the group with the most CPUs and workers.
            && most(&speedup.points) == Some(group.cpus)
            && !more_workers
    });
    let words = &screen.texts.words;
    let lines = here.map(|speedup| {
        let point = |(cpus, factor, lo, hi): &(u32, f64, f64, f64)| {
            let factor = format!("{} {}", number::ratio(*factor, screen.glyphs), number::interval(*lo, *hi));
            (words.speedup_point)(*cpus, &factor)
        };
        let mut parts: Vec<String> = speedup.points.iter().map(point).collect();
        parts.extend(speedup.parallel_fraction.map(|part| (words.parallel_part)(&number::percent(part))));
        let name = entry_name(summary, &speedup.workload, &speedup.model, &speedup.form);
        format!("{name}: {}", parts.join(", "))
    });
    screen.listed(screen.texts.table.speedup, &lines.collect::<Vec<_>>())
}
