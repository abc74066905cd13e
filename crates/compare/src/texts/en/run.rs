//! What the engine says while it works, in English.

use super::counted;
use crate::cli::NewKind;
use crate::texts::number::waited;
use crate::texts::run::RunTexts;

pub(super) const RUN: RunTexts = RunTexts {
    plan: |it| {
        let (least, most) = it.rounds;
        let up_to = if least < most { "up to " } else { "" };
        format!(
            "{} ({} with their scales) x {}: {}, {up_to}{} each; {} more cannot run or are left out (--list tells why)",
            counted(it.workloads, "workload"),
            it.groups,
            counted(it.models, "model"),
            counted(it.cells, "cell"),
            counted(most, "round"),
            it.holes
        )
    },
    plan_time: |seconds, learned| {
        let basis = if learned { "by the last run here" } else { "a guess, as nothing has run here yet" };
        format!("takes about {} ({basis})", waited(seconds))
    },
    plan_out: |folder| format!("results go to {folder}"),
    exploratory: "exploratory: with fewer than 10 rounds the intervals are unadjusted, and nothing here is a proof",
    plan_group: |name, cells, rounds, seconds| {
        format!("  {name:<20} {cells:>3} cells x {rounds:>2} rounds  about {}", waited(seconds))
    },
    round: |round, rounds| match round {
        0 => "check".to_owned(),
        _ => format!("round {round}/{rounds}"),
    },
    cell: |group, round, model, left| format!("{group} {round} {model}  {} left", waited(left)),
    round_over: |group, round, took, left| {
        format!("{group} {round}: {}; {} left", waited(took), waited(left))
    },
    failed: |cell, status, why| format!("{cell}: {status}: {why}"),
    answer: |(done, planned), title, answer| {
        if done < planned {
            format!("first look, after {done} of {planned} rounds (unadjusted): {title}: {answer}")
        } else {
            format!("verdict: {title}: {answer}")
        }
    },
    making_python: |packages, folder| format!("making a Python environment with {packages} in {folder}"),
    out_instead: |usual, error, instead| {
        format!("cannot write to {usual} ({error}); this run goes to {instead}, or say --out DIR")
    },
    wrote: |path| format!("wrote {path}"),
    try_it: |kind, name| {
        let flag = match kind {
            NewKind::Model => "-m",
            NewKind::Workload => "-w",
        };
        format!("it runs: cargo xtask compare --test {flag} {name}")
    },
    stopping: "stopping: what was measured is kept",
    report_at: |path| format!("report: {path}"),
    tested: |ok, bad, holes| {
        format!("{ok} cells verified, {bad} not; {holes} more cannot run here or are left out")
    },
};
