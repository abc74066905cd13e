//! A run that never was: as large as a real one, with a hole of every kind, drawn from a fixed seed.
//!
//! The figures are invented. Only their shape is meant to be real: who is near whom, how much rounds differ.

pub(crate) mod small;

use compare::protocol::{Metric, Profile, Scale, Uses, Workload};
use compare::summary::{
    Cell, Flag, Machine, ModelInfo, NoiseFloor, RunInfo, SCHEMA, Speedup, Status, Summary, Sweep, Verdict,
};

/// The model that ratios are taken against.
pub(crate) const BASELINE: &str = "threads";

/// Name, version, where its work runs, and how slow it is at starting, passing on, computing and waiting, and its bytes
/// per task.
type Model = (&'static str, &'static str, Uses, [f64; 5]);

const ONE: Uses = Uses::OneThread { helpers: 0 };

const MODELS: [Model; 17] = [
    ("seq", "rustc 1.95.0", ONE, [0.02, 0.01, 1.9, 8.0, 90.0]),
    ("threads", "std 1.95.0", Uses::Threads, [31.0, 9.0, 1.0, 1.0, 9_900.0]),
    ("tokio-mt", "tokio 1.54.1", Uses::Threads, [1.0, 1.0, 1.01, 0.98, 420.0]),
    ("tokio-ct", "tokio 1.54.1", ONE, [0.8, 0.6, 1.95, 0.99, 410.0]),
    ("async-std", "async-std 1.13.2", Uses::Threads, [1.9, 1.6, 1.02, 1.0, 610.0]),
    ("smol", "smol 2.0.2", Uses::Threads, [1.02, 1.3, 1.01, 1.0, 380.0]),
    ("rayon", "rayon 1.12.0", Uses::Threads, [0.5, 1.0, 0.99, 4.1, 120.0]),
    ("crossbeam", "crossbeam 0.8.5", Uses::Threads, [30.0, 7.0, 1.0, 1.01, 9_900.0]),
    ("py-multiprocessing", "CPython 3.11.7", Uses::Processes, [4200.0, 90.0, 48.0, 3.1, 9.2e6]),
    ("py-processpool", "CPython 3.11.7", Uses::Processes, [380.0, 85.0, 49.0, 3.4, 9.4e6]),
    ("py-threading", "CPython 3.11.7", Uses::Threads, [95.0, 40.0, 97.0, 1.3, 17_000.0]),
    ("py-threadpool", "CPython 3.11.7", Uses::Threads, [44.0, 38.0, 97.5, 1.25, 17_500.0]),
    ("py-asyncio", "CPython 3.11.7", ONE, [19.0, 12.0, 96.0, 1.1, 2_900.0]),
    ("py-gevent", "gevent 25.9.1", ONE, [14.0, 6.0, 96.0, 1.15, 4_800.0]),
    ("node", "Node.js 22.11.0", ONE, [3.0, 2.2, 3.8, 1.05, 1_300.0]),
    ("py-free-threaded", "", Uses::Threads, [60.0, 30.0, 51.0, 1.2, 17_900.0]),
    ("pypy", "", Uses::Threads, [50.0, 30.0, 3.0, 1.2, 17_900.0]),
];

/// Name, unit, metric, which of a model's five figures it goes by, nanoseconds of a figure of 1, scales.
type Work = (&'static str, &'static str, Metric, usize, f64, &'static [(&'static str, u64)]);

const WORKLOADS: [Work; 9] = [
    ("spawn", "task", Metric::Time, 0, 310.0, &[("100", 100), ("1k", 1000)]),
    ("switch", "switch", Metric::Time, 1, 41.0, &[("8", 1600), ("64", 12_800)]),
    ("pingpong", "round trip", Metric::Time, 1, 690.0, &[("1", 100), ("16", 1600)]),
    ("pipeline", "item", Metric::Time, 1, 1450.0, &[("1k", 1000), ("10k", 10_000)]),
    ("primes", "number", Metric::Time, 2, 1.6e6, &[("scaled", 32), ("tutorial", 6)]),
    ("files", "MiB", Metric::Time, 2, 2.9e6, &[("8MiB", 8), ("64MiB", 64)]),
    ("fetch", "request", Metric::Time, 3, 7.4e5, &[("20ms", 32), ("tail", 32)]),
    ("sleepers", "task", Metric::Memory, 4, 1.0, &[("1k", 1000), ("10k", 10_000)]),
    ("crash", "task", Metric::Outcome, 0, 0.0, &[("panic", 8), ("abort", 8), ("segv", 8)]),
];

/// The whole run; `rounds` decides whether it calls itself exploratory.
pub(crate) fn run(rounds: u32) -> Summary {
    let mut dice = Dice(0x5eed);
    let mut summary = Summary {
        schema: SCHEMA,
        run: RunInfo {
            id: "2026-03-14T09-26-53Z".to_owned(),
            started_at: "2026-03-14T09:26:53Z".to_owned(),
            seconds: 611.4,
            command: "cargo xtask compare".to_owned(),
            seed: 535_897_932,
            profile: if rounds < 10 { Profile::Quick } else { Profile::Default },
            rounds,
            exploratory: rounds < 10,
            baseline: BASELINE.to_owned(),
            interrupted: false,
            commit: Some("3f2a9c1".to_owned()),
            rustc: Some("rustc 1.95.0".to_owned()),
        },
        machine: Machine {
            cpu: "An Invented Processor @ 2.90GHz".to_owned(),
            cpus: 2,
            memory_bytes: 24 << 30,
            os: "Linux 6.18.2".to_owned(),
            virtualization: "kvm".to_owned(),
            clock: "tsc".to_owned(),
            governor: None,
            limits: [("vm.max_map_count", "65530"), ("open files", "20000")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        },
        models: MODELS.iter().map(model).collect(),
        workloads: WORKLOADS.iter().map(workload).collect(),
        flags: vec![Flag {
            code: "cpu-pressure".to_owned(),
            what: "other programs took 9.1 % of the CPU time".to_owned(),
            cause: "something else ran at the same time".to_owned(),
            remedy: "close it, or run again when the machine is idle".to_owned(),
            rounds: vec![3, 4],
        }],
        ..Summary::default()
    };
    for work in &WORKLOADS {
        for &(scale, units) in work.5 {
            group(&mut summary, work, scale, units, rounds, &mut dice);
        }
    }
    summary.sweeps.push(Sweep {
        workload: "primes".to_owned(),
        scale: "scaled".to_owned(),
        model: "tokio-mt".to_owned(),
        cpus: 2,
        best: 2,
        ties: vec![2, 4],
        ratios: vec![(1, 1.94, 1.9, 1.97), (2, 1.0, 1.0, 1.0), (4, 1.01, 0.99, 1.03)],
        form: "generic".to_owned(),
    });
    summary.speedups.push(Speedup {
        workload: "primes".to_owned(),
        scale: "scaled".to_owned(),
        model: "rayon".to_owned(),
        points: vec![(1, 1.0, 1.0, 1.0), (2, 1.93, 1.9, 1.96)],
        parallel_fraction: Some(0.964),
        form: "generic".to_owned(),
    });
    summary
}

fn model(&(name, version, uses, _): &Model) -> ModelInfo {
    let here = !version.is_empty();
    ModelInfo {
        name: name.to_owned(),
        version: version.to_owned(),
        about: format!("{name} as its own project documents it"),
        uses,
        status: if here { Status::Ok } else { Status::Unavailable },
        why: (!here).then(|| format!("{name} was not found on PATH")),
    }
}

fn workload(&(name, unit, metric, _, _, scales): &Work) -> Workload {
    Workload {
        name: name.to_owned(),
        about: format!("Does what the page of {name} says, many times over."),
        shows: format!("What one {unit} costs, start to end, when there are many <of them> & all at once."),
        verified: format!(
            "Every {unit} returns a number that depends on the round's seed; their digest is compared."
        ),
        metric,
        unit: unit.to_owned(),
        scales: scales
            .iter()
            .map(|&(label, units)| Scale {
                label: label.to_owned(),
                n: units,
                units,
                profile: Profile::Default,
                ..Scale::default()
            })
            .collect(),
        timeout_ms: 30_000,
        ..Workload::default()
    }
}

fn group(summary: &mut Summary, work: &Work, scale: &str, units: u64, rounds: u32, dice: &mut Dice) {
    let &(name, unit, metric, figure, scale_ns, _) = work;
    let stable = (name, scale) != ("fetch", "tail");
    if metric != Metric::Outcome {
        summary.noise_floor.push(NoiseFloor {
            workload: name.to_owned(),
            scale: scale.to_owned(),
            cpus: 2,
            workers: 2,
            model: BASELINE.to_owned(),
            ratio: if stable { 1.002 } else { 1.094 },
            lo: if stable { 0.988 } else { 1.051 },
            hi: if stable { 1.017 } else { 1.142 },
            margin: 0.03,
            stable,
            verdicts_corrected: rounds >= 10,
            ranks_corrected: rounds >= 13,
        });
    }
    let mut cells = Vec::new();
    for &(model, version, uses, figures) in &MODELS {
        let mut cell = Cell {
            workload: name.to_owned(),
            model: model.to_owned(),
            form: "generic".to_owned(),
            scale: scale.to_owned(),
            cpus: 2,
            workers: if matches!(uses, Uses::OneThread { .. }) { 1 } else { 2 },
            metric,
            ..Cell::default()
        };
        if let Some((status, why)) = hole(name, scale, model, version) {
            (cell.status, cell.why) = (status, (!why.is_empty()).then(|| why.to_owned()));
        } else if metric == Metric::Outcome {
            outcome(&mut cell);
        } else {
            let unit_of_value = if metric == Metric::Memory { "bytes" } else { "ns" };
            cell.unit = format!("{unit_of_value}/{unit}");
            measure(&mut cell, figures[figure] * scale_ns, units, rounds, dice);
        }
        cells.push(cell);
    }
    if metric != Metric::Outcome {
        compare(&mut cells, stable);
    }
    summary.cells.extend(cells);
}

/// One hole of every kind, and the usual ones.
fn hole(workload: &str, scale: &str, model: &str, version: &str) -> Option<(Status, &'static str)> {
    Some(match (workload, scale, model) {
        _ if version.is_empty() => (Status::Unavailable, "its interpreter was not found on PATH"),
        ("switch" | "pingpong", _, "rayon") => {
            (Status::Unsupported, "a rayon job runs to its end: it has nothing to yield to")
        }
        ("switch" | "pingpong" | "pipeline" | "sleepers" | "crash", _, "seq") => {
            (Status::Unsupported, "one task at a time has nobody to talk to")
        }
        ("sleepers", _, "rayon") => (Status::Unsupported, "a waiting job would hold its worker"),
        ("spawn", "1k", "py-multiprocessing") => (Status::Unsupported, "one process per task: at most 100"),
        ("sleepers", "10k", "threads" | "crossbeam") => {
            (Status::Limit, "vm.max_map_count is 65530: raise it with sysctl -w vm.max_map_count=262144")
        }
        ("pipeline", "10k", "smol") => {
            (Status::Wrong, "round 4: the digest is 0badc0de0badc0de, the oracle's is 5f3759df5f3759df")
        }
        ("pingpong", "16", "py-threadpool") => (Status::Timeout, "still running after 30 s; killed"),
        ("files", "64MiB", "py-processpool") => {
            (Status::Crashed, "BrokenProcessPool: \u{1b}[31ma process\u{1b}[0m <was> terminated & \"lost\"")
        }
        ("fetch", "20ms", "py-multiprocessing") => (Status::Leaked, "left 2 processes behind"),
        ("pingpong", "16", "threads") => (Status::Timeout, "still running after 30 s; killed"),
        ("files", _, "async-std") => {
            (Status::BuildFailed, "error[E0433]: failed to resolve: use of unresolved module")
        }
        ("primes", "tutorial", "node") => (Status::Untested, ""),
        _ => return None,
    })
}

fn outcome(cell: &mut Cell) {
    let is_process = cell.model.starts_with("py-m") || cell.model.starts_with("py-process");
    let (outcome, cause) = match (cell.scale.as_str(), cell.model.as_str()) {
        ("panic", "crossbeam" | "rayon") => ("worker lost", "panicked: the victim was told to"),
        ("panic", _) => ("task lost", "panicked: the victim was told to"),
        (_, "py-processpool") => ("worker lost", "BrokenProcessPool: a process ended abruptly"),
        ("abort", _) if is_process => ("task lost", "exit code -6"),
        ("segv", _) if is_process => ("task lost", "exit code -11"),
        ("abort", _) => ("program lost", "killed by SIGABRT"),
        _ => ("program lost", "killed by SIGSEGV"),
    };
    cell.status = Status::Ok;
    cell.rounds = 1;
    cell.outcome = Some(outcome.to_owned());
    cell.why = Some(cause.to_owned());
}

fn measure(cell: &mut Cell, value: f64, units: u64, rounds: u32, dice: &mut Dice) {
    let own = 1.0 + 0.01 * dice.symmetric();
    let values: Vec<f64> = (0..rounds)
        .map(|_| {
            let outlier = if dice.next() < 0.05 { 1.12 } else { 1.0 };
            value * own * outlier * (1.0 + 0.015 * dice.symmetric())
        })
        .collect();
    let median = median(&values);
    cell.status = Status::Ok;
    cell.rounds = rounds;
    cell.value = Some(median);
    cell.range =
        Some((values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max)));
    cell.median_ns = (cell.metric == Metric::Time).then_some(median * units as f64);
    cell.cpu_ns = Some(median * units as f64 * f64::from(cell.workers) * 0.93);
    cell.ctx_switches = Some((median / 180.0).round());
    cell.peak_bytes = Some(3_400_000 + (value * 900.0) as u64 % 90_000_000);
    cell.startup_ns = Some(1.1e6 * own);
    cell.values = values.into_iter().map(Some).collect();
    if cell.model == "py-gevent" && cell.workload == "switch" {
        cell.notes.push("2 of its rounds are outliers (modified z above 3.5)".to_owned());
    }
}

/// Ratios, verdicts and ranks, much simpler than the real ones.
fn compare(cells: &mut [Cell], stable: bool) {
    let Some(base) = cells.iter().find(|cell| cell.model == BASELINE && cell.status == Status::Ok) else {
        return rank(cells);
    };
    let base = base.values.clone();
    for cell in cells.iter_mut().filter(|cell| cell.status == Status::Ok) {
        let mut ratios: Vec<f64> =
            cell.values.iter().zip(&base).map(|(a, b)| a.unwrap() / b.unwrap()).collect();
        ratios.sort_by(f64::total_cmp);
        let (lo, hi) = (ratios[1], ratios[ratios.len() - 2]);
        (cell.ratio, cell.lo, cell.hi) = (Some(median(&ratios)), Some(lo), Some(hi));
        let verdict = match () {
            () if cell.model == BASELINE => Verdict::Baseline,
            () if hi < 1.0 / 1.03 => Verdict::Faster,
            () if lo > 1.03 => Verdict::Slower,
            () if lo > 1.0 / 1.03 && hi < 1.03 => Verdict::Same,
            () => Verdict::Unclear,
        };
        cell.verdict = stable.then_some(verdict);
        cell.rounds_needed = (verdict == Verdict::Unclear).then_some(31);
    }
    if stable {
        rank(cells);
    }
}

fn rank(cells: &mut [Cell]) {
    let mut order: Vec<usize> = (0..cells.len()).filter(|&index| cells[index].value.is_some()).collect();
    order.sort_by(|&a, &b| cells[a].value.partial_cmp(&cells[b].value).unwrap());
    let mut head: Option<(f64, u32)> = None;
    for (place, index) in order.into_iter().enumerate() {
        let value = cells[index].value.unwrap();
        let (first, rank) =
            head.filter(|(first, _)| value / first < 1.04).unwrap_or((value, place as u32 + 1));
        head = Some((first, rank));
        cells[index].rank = Some(rank);
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

/// A linear congruential generator (Knuth's MMIX constants): enough to scatter dots.
struct Dice(u64);

impl Dice {
    /// In [0, 1).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 0, mostly within 1.
    fn symmetric(&mut self) -> f64 {
        self.next() + self.next() - 1.0
    }
}
