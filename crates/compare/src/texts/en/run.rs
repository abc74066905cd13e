use crate::texts::number::waited;
use crate::texts::run::RunTexts;

pub(super) const RUN: RunTexts = RunTexts {
    plan: |it| {
        format!(
            "{} workloads ({} with their scales) x {} models: {} cells, {} rounds each; {} more cells cannot run or are left out (--list tells why)",
            it.workloads, it.groups, it.models, it.cells, it.rounds, it.holes
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
    check: "check",
    round: |round, rounds| format!("round {round}/{rounds}"),
    left: |seconds| format!("{} left", waited(seconds)),
    failed: |cell, status, why| format!("{cell}: {status}: {why}"),
    first_look: |done, planned| {
        if done < planned {
            format!("first look, after {done} of {planned} rounds (unadjusted):")
        } else {
            "verdict:".to_owned()
        }
    },
    stopping: "stopping: what was measured is kept",
    report_at: |path| format!("report: {path}"),
    tested: |ok, bad, holes| {
        format!("{ok} cells verified, {bad} not; {holes} more cannot run here or are left out")
    },
    all_quiet: "nothing found that would disturb a measurement",
    above_all: |name| {
        name.map_or_else(|| "unknown".to_owned(), |name| format!("above all the program `{name}`"))
    },
    at_most: |percent, group, round| format!("at most {percent:.0} % of a CPU ({group}, round {round})"),
    outside: |rounds, worst| format!("other programs used CPU time in {rounds} rounds, {worst}"),
    outside_remedy: "close it and run again; the rounds named here are marked in the data",
    steal: |rounds, worst| format!("the hypervisor took CPU time away in {rounds} rounds, {worst}"),
    steal_cause: "other guests of the same host are at work",
    steal_remedy: "run again at a quieter hour, or on a machine of your own",
    drift: |places| format!("the baseline's times moved over the rounds: {places}"),
    drift_cause: "the processor warmed up, or a neighbour came or went",
    drift_remedy: "ratios are paired by round and hold; for the plain times, run again",
    outliers: |rounds, of| {
        format!("{rounds} of {of} values stand far from the others of their cell (modified z above 3.5)")
    },
    outliers_cause: "short disturbances that no counter shows",
    outliers_remedy: "none is dropped: the estimate is a median and bears them; more rounds narrow the intervals",
    shared_cpu: "the server of `fetch` shares its CPUs with those who ask it",
    shared_cpu_cause: "fewer than four CPUs, so it cannot have one to itself",
    shared_cpu_remedy: "its load is the same for all models; on four CPUs or more it gets its own",
};
