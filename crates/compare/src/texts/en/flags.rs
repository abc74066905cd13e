//! What may disturb a measurement, in English.

use crate::texts::flags::{FlagText, FlagTexts};

pub(super) const FLAGS: FlagTexts = FlagTexts {
    clock_source: FlagText {
        what: |source| format!("the clock source is {source}, not tsc"),
        cause: "the kernel or the hypervisor does not trust the processor's counter",
        remedy: "reading the clock is slow here; times below some microseconds per batch are not to be trusted",
    },
    governor: FlagText {
        what: |governor| format!("the frequency governor is {governor}"),
        cause: "the processor changes its speed with the load",
        remedy: "sudo cpupower frequency-set --governor performance",
    },
    battery: FlagText {
        what: "the machine runs on its battery",
        cause: "no mains",
        remedy: "plug it in: power saving changes every number",
    },
    load_at_start: FlagText {
        what: |threads, cpus| format!("{threads} threads were running at the start, on {cpus} CPUs"),
        cause: "other programs are at work",
        remedy: "close them, or come back when they are done",
    },
    shared_cpu: FlagText {
        what: "the server of `fetch` shares its CPUs with those who ask it",
        cause: "fewer than four CPUs, so it cannot have one to itself",
        remedy: "its load is the same for all models; on four CPUs or more it gets its own",
    },
    outside: FlagText {
        what: |rounds, worst| format!("other programs used CPU time in {rounds} rounds, {worst}"),
        cause: |name| {
            name.map_or_else(|| "unknown".to_owned(), |name| format!("above all the program `{name}`"))
        },
        remedy: "close it and run again; the rounds named here are marked in the data",
    },
    steal: FlagText {
        what: |rounds, worst| format!("the hypervisor took CPU time away in {rounds} rounds, {worst}"),
        cause: "other guests of the same host are at work",
        remedy: "run again at a quieter hour, or on a machine of your own",
    },
    at_most: |percent, group, round| format!("at most {percent:.0} % of a CPU ({group}, round {round})"),
    drift: FlagText {
        what: |places| {
            let places = places.iter().map(|(place, percent)| format!("{place} ({percent:+.0} %)"));
            format!("the baseline's times moved over the rounds: {}", places.collect::<Vec<_>>().join(", "))
        },
        cause: "the processor warmed up, or a neighbour came or went",
        remedy: "ratios are paired by round and hold; for the plain times, run again",
    },
    outliers: FlagText {
        what: |rounds, of| {
            format!("{rounds} of {of} values stand far from the others of their cell (modified z above 3.5)")
        },
        cause: "short disturbances that no counter shows",
        remedy: "none is dropped: the estimate is a median and bears them; more rounds narrow the intervals",
    },

    doctor_machine: |it| {
        format!(
            "{}\n{} CPUs, {} MiB of memory, {}, virtualization: {}, clock source: {}\n",
            it.cpu,
            it.cpus,
            it.memory_bytes / (1024 * 1024),
            it.os,
            it.virtualization,
            it.clock
        )
    },
    doctor_limit: |name, value| format!("limit {name}: {value}\n"),
    doctor_heard: |code, percent, listened| {
        format!("{code}: {percent:.0} % of a CPU within {} s", listened.as_secs())
    },
    doctor_quiet: "nothing found that would disturb a measurement",
};
