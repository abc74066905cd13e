//! Runs that were never run: what must come of records of which everything is known.

use super::summarize;
use crate::cell::Sample;
use crate::protocol::{Metric, Scale, Uses, Workload};
use crate::store::Record;
use crate::summary::{Cell, Machine, ModelInfo, RunInfo, Status, Summary, Verdict};
use crate::table;

/// A run of `spawn 100`, against the model `threads`.
struct Run {
    cells: Vec<Cell>,
    records: Vec<Record>,
}

impl Run {
    fn new() -> Self {
        Self { cells: Vec::new(), records: Vec::new() }
    }

    /// A cell on so many CPUs with so many workers, with its time in each round; as the control, its second time.
    fn with(self, model: &str, (cpus, workers): (u32, u32), times: &[u64]) -> Self {
        self.add(model, (cpus, workers), false, times)
    }

    fn control(self, model: &str, (cpus, workers): (u32, u32), times: &[u64]) -> Self {
        self.add(model, (cpus, workers), true, times)
    }

    fn add(mut self, model: &str, (cpus, workers): (u32, u32), control: bool, times: &[u64]) -> Self {
        let place = || ("spawn".to_owned(), "100".to_owned(), model.to_owned(), "generic".to_owned());
        if !control {
            let (workload, scale, model, form) = place();
            self.cells.push(Cell { workload, scale, model, form, cpus, workers, ..Cell::default() });
        }
        self.records.extend((1..).zip(times).map(|(round, &ns)| {
            let (workload, scale, model, form) = place();
            let batches = vec![(ns, 1)];
            let status = Status::Ok;
            Record::Sample(Box::new(Sample {
                workload,
                scale,
                model,
                form,
                cpus,
                workers,
                control,
                round,
                status,
                batches,
                ..Sample::default()
            }))
        }));
        self
    }

    fn summary(self) -> Summary {
        let scale = Scale { label: "100".to_owned(), n: 100, units: 1, ..Scale::default() };
        let workload = Workload { name: "spawn".to_owned(), scales: vec![scale], ..Workload::default() };
        let mut models: Vec<ModelInfo> = Vec::new();
        for cell in &self.cells {
            if !models.iter().any(|known| known.name == cell.model) {
                models.push(ModelInfo {
                    name: cell.model.clone(),
                    uses: Uses::Threads,
                    ..ModelInfo::default()
                });
            }
        }
        let run = RunInfo { baseline: "threads".to_owned(), ..RunInfo::default() };
        assert!(self.cells.iter().all(|cell| cell.metric == Metric::Time));
        let mut records = vec![Record::run(
            run,
            Machine::default(),
            (vec![workload], models),
            self.cells,
            Vec::new(),
            0.03,
        )];
        records.extend(self.records);
        summarize(&records).expect("they begin with a run")
    }
}

/// Rounds that differ by a few per mille, around `ns`.
fn steady(ns: u64, rounds: usize) -> Vec<u64> {
    (0..rounds as u64).map(|round| ns * 1000 + ns * (round * 7 % 5)).collect()
}

fn cell<'a>(summary: &'a Summary, model: &str) -> &'a Cell {
    summary.cells.iter().find(|cell| cell.model == model).expect("it is there")
}

#[test]
fn another_model_is_the_control_where_the_baseline_has_no_result() {
    let times = steady(100, 13);
    let shaken: Vec<u64> = (0..).zip(&times).map(|(round, ns)| ns + ns * (round % 4) / 10).collect();
    let run = Run::new()
        .with("first", (2, 2), &times)
        .control("first", (2, 2), &shaken)
        .with("second", (2, 2), &steady(110, 13))
        .with("third", (2, 2), &steady(300, 13));
    let summary = run.summary();
    let [floor] = &summary.noise_floor[..] else { panic!("one group: {:?}", summary.noise_floor) };
    assert_eq!((floor.model.as_str(), floor.stable), ("first", false));
    assert!(summary.cells.iter().all(|cell| cell.rank.is_none()), "the control differs from itself");

    let wide: Vec<u64> = (0..).zip(&times).map(|(round, ns)| ns + ns * (round % 3) / 5 - ns / 5).collect();
    let run = Run::new()
        .with("first", (2, 2), &times)
        .control("first", (2, 2), &wide)
        .with("second", (2, 2), &steady(110, 13))
        .with("third", (2, 2), &steady(300, 13));
    let summary = run.summary();
    assert!(
        summary.noise_floor[0].stable && summary.noise_floor[0].margin > 0.1,
        "{:?}",
        summary.noise_floor
    );
    let ranks = ["first", "second", "third"].map(|model| cell(&summary, model).rank);
    assert_eq!(ranks, [Some(1), Some(1), Some(3)], "a tenth is within its margin");
    assert!(summary.cells.iter().all(|cell| cell.verdict.is_none() && cell.ratio.is_none()));
}

#[test]
fn without_a_control_nothing_is_ranked_or_judged() {
    let run = Run::new().with("threads", (2, 2), &steady(100, 13)).with("other", (2, 2), &steady(300, 13));
    let summary = run.summary();
    assert!(summary.noise_floor.is_empty() && summary.cells.iter().all(|cell| cell.rank.is_none()));
    assert_eq!(cell(&summary, "threads").verdict, Some(Verdict::Baseline));
    let other = cell(&summary, "other");
    assert!(other.verdict.is_none() && other.ratio.is_some_and(|ratio| ratio > 2.9), "{other:?}");
}

#[test]
fn the_baseline_is_the_control_where_it_can_be() {
    let times = steady(100, 6);
    let run = Run::new()
        .with("aaa", (2, 2), &times)
        .control("aaa", (2, 2), &times)
        .with("threads", (2, 2), &times)
        .control("threads", (2, 2), &times);
    assert_eq!(run.summary().noise_floor[0].model, "threads");
}

#[test]
fn a_group_knows_whether_its_verdicts_and_ranks_are_corrected() {
    for (rounds, verdicts, ranks) in
        [(6, false, false), (9, false, false), (10, true, false), (12, true, false), (13, true, true)]
    {
        let times = steady(100, rounds);
        let run = Run::new().with("threads", (2, 2), &times).control("threads", (2, 2), &times).with(
            "other",
            (2, 2),
            &steady(300, rounds),
        );
        let floor = &run.summary().noise_floor[0];
        assert_eq!((floor.verdicts_corrected, floor.ranks_corrected), (verdicts, ranks), "{rounds} rounds");
    }
    let times = steady(100, 6);
    let alone = Run::new().with("threads", (2, 2), &times).control("threads", (2, 2), &times).summary();
    assert!(
        alone.noise_floor[0].verdicts_corrected && alone.noise_floor[0].ranks_corrected,
        "it claims nothing"
    );
}

#[test]
fn a_speed_up_is_taken_at_the_best_worker_count_of_each_cpu_count() {
    let run = Run::new()
        .with("threads", (1, 1), &steady(100, 6))
        .with("threads", (1, 4), &steady(120, 6))
        .with("threads", (2, 1), &steady(100, 6))
        .with("threads", (2, 4), &steady(50, 6));
    let summary = run.summary();
    let [speedup] = &summary.speedups[..] else { panic!("one model: {:?}", summary.speedups) };
    let [(1, one, ..), (2, two, ..)] = speedup.points[..] else { panic!("two counts: {:?}", speedup.points) };
    assert!((one - 1.0).abs() < 1e-9 && (two - 2.0).abs() < 0.02, "{:?}", speedup.points);
    assert!(speedup.parallel_fraction.is_some_and(|part| part > 0.97), "{speedup:?}");
    let text = table::render(&summary, &table::Options::default());
    assert_eq!(text.matches("Speed-up, at the best worker count:").count(), 1, "{text}");
}
