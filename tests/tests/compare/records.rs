//! What a run leaves: every sample, and a summary that follows from the samples alone.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::harness::{PLANTED, Project, Summary};

fn project() -> Project {
    Project::new().with("late", &[PLANTED, "panics", "3"])
}

#[test]
fn samples_are_complete_and_the_summary_follows_from_them() {
    let project = project();
    project.run("-w spawn --quick --rounds 6 --seed 4").ended_with(5);
    let records = project.records();
    let kinds: Vec<&str> = records.iter().map(|record| record["kind"].as_str().expect("a word")).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("run", "end"));

    let mut rounds: BTreeMap<(&str, bool), Vec<u64>> = BTreeMap::new();
    for sample in records.iter().filter(|record| record["kind"] == "sample") {
        let key =
            (sample["model"].as_str().expect("a word"), sample["control"].as_bool().expect("yes or no"));
        rounds.entry(key).or_default().push(sample["round"].as_u64().expect("a number"));
        assert!(sample["status"] != "ok" || !sample["batches"].as_array().expect("a list").is_empty());
    }
    let all: Vec<u64> = (0..=6).collect();
    assert_eq!(
        rounds,
        BTreeMap::from([
            (("late", false), all[..=3].to_vec()),
            (("seq", false), all.clone()),
            (("threads", false), all.clone()),
            (("threads", true), all[1..].to_vec()),
        ])
    );
    let late = records.iter().rfind(|record| record["model"] == "late").expect("it was run");
    assert!(late["log"].as_str().is_some_and(|log| log.contains("planted panic")), "{late}");

    let first = project.summary();
    let folder = fs::canonicalize(project.out().join("latest")).expect("it leads to the run");
    fs::remove_file(folder.join("summary.json")).expect("it is ours");
    for run in ["", folder.file_name().and_then(|name| name.to_str()).expect("plain")] {
        let mut report = project.bare_engine();
        report.arg("report").args(run.split_whitespace());
        let again = project.finish(report).ended_with(5);
        assert!(again.stdout.contains("late"), "{}", again.stdout);
        let second = project.summary();
        assert_eq!(first.cells(), second.cells());
        assert_eq!(first.0["noise_floor"], second.0["noise_floor"]);
    }
    assert!(fs::read_to_string(folder.join("report.html")).is_ok_and(|page| page.contains("late")));
}

#[test]
fn a_seed_decides_the_order_and_nothing_but_the_seed_does() {
    let order = |seed: u32| -> Vec<(u64, String)> {
        let project = Project::new();
        project.run(&format!("-w spawn --quick --rounds 4 --seed {seed}")).ended_with(0);
        let records = project.records();
        let samples = records.iter().filter(|record| record["kind"] == "sample");
        let name = |sample: &Value| format!("{} {}", sample["model"], sample["control"]);
        samples.map(|sample| (sample["round"].as_u64().expect("a number"), name(sample))).collect()
    };
    assert_eq!(order(5), order(5));
    assert_ne!(order(5), order(6), "of 6^4 orders");
}

#[test]
fn every_format_speaks_of_the_same_cells() {
    let project = project();
    project.run("-w spawn --quick --rounds 2 --seed 4").ended_with(0);
    let shown = |format: &str| {
        let mut report = project.bare_engine();
        report.args(["report", "--format", format]);
        project.finish(report).ended_with(0).stdout
    };
    let json: Value = serde_json::from_str(&shown("json")).expect("it is JSON");
    assert_eq!(json, Summary::read(&project.out().join("latest")).0);
    let lines = shown("jsonl");
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), json["cells"].as_array().expect("a list").len());
    for format in ["table", "md", "csv"] {
        let text = shown(format);
        assert!(["seq", "threads", "late"].iter().all(|model| text.contains(model)), "{format}:\n{text}");
    }
}
