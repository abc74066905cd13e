//! A run of three models, small enough to compare with what it must look like, letter by letter.

use compare::protocol::{Metric, Scale, Uses, Workload};
use compare::summary::{Cell, ModelInfo, NoiseFloor, RunInfo, SCHEMA, Status, Summary, Verdict};

/// One workload; `tied` puts the first two models on one rank.
pub(crate) fn run(tied: bool) -> Summary {
    let model = |name: &str, uses| ModelInfo {
        name: name.to_owned(),
        uses,
        status: Status::Ok,
        ..Default::default()
    };
    let mut summary = Summary {
        schema: SCHEMA,
        run: RunInfo { rounds: 12, baseline: "threads".to_owned(), ..RunInfo::default() },
        noise_floor: vec![NoiseFloor {
            workload: "spawn".to_owned(),
            scale: "100".to_owned(),
            cpus: 2,
            workers: 2,
            model: "threads".to_owned(),
            ratio: 1.004,
            lo: 0.992,
            hi: 1.018,
            margin: 0.03,
            stable: true,
            verdicts_corrected: true,
            ranks_corrected: true,
        }],
        models: vec![
            model("threads", Uses::Threads),
            model("fast", Uses::OneThread { helpers: 0 }),
            model("quick", Uses::Threads),
            model("absent", Uses::Threads),
        ],
        workloads: vec![Workload {
            name: "spawn".to_owned(),
            unit: "task".to_owned(),
            scales: vec![Scale { label: "100".to_owned(), n: 100, units: 100, ..Scale::default() }],
            ..Workload::default()
        }],
        ..Summary::default()
    };
    summary.cells = vec![
        cell("threads", 2, 9600.0, 1.0, Verdict::Baseline, 3),
        cell("fast", 1, 301.0, 0.031_4, Verdict::Faster, 1),
        cell("quick", 2, 312.0, 0.032_5, Verdict::Faster, if tied { 1 } else { 2 }),
        Cell {
            status: Status::Unavailable,
            why: Some("its interpreter was not found on PATH".to_owned()),
            ..key("absent", 2)
        },
    ];
    summary
}

fn key(model: &str, workers: u32) -> Cell {
    Cell {
        workload: "spawn".to_owned(),
        model: model.to_owned(),
        form: "generic".to_owned(),
        scale: "100".to_owned(),
        cpus: 2,
        workers,
        metric: Metric::Time,
        ..Cell::default()
    }
}

fn cell(model: &str, workers: u32, value: f64, ratio: f64, verdict: Verdict, rank: u32) -> Cell {
    Cell {
        status: Status::Ok,
        rounds: 12,
        unit: "ns/task".to_owned(),
        value: Some(value),
        range: Some((value * 0.98, value * 1.05)),
        median_ns: Some(value * 100.0),
        ratio: Some(ratio),
        lo: Some(ratio * 0.98),
        hi: Some(ratio * 1.02),
        verdict: Some(verdict),
        rank: Some(rank),
        cpu_ns: Some(value * 180.0),
        ctx_switches: Some(12.5),
        peak_bytes: Some(9 << 20),
        values: vec![Some(value); 12],
        ..key(model, workers)
    }
}
