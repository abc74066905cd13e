//! One wrong bit, in every workload: always seen.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Project, THREADS, skipped};

const CORRUPT: &str = "COMPARE_KIT_CORRUPT=1";

/// All that measure time or memory. `crash` has scales of its own.
const WORKLOADS: [&str; 8] =
    ["spawn", "switch", "pingpong", "pipeline", "primes", "files", "fetch", "sleepers"];

/// A folder tree for `files`, smaller than the workload would like.
fn tree(project: &Project) -> String {
    let folder = project.folder().join("tree");
    fs::create_dir_all(folder.join("below")).expect("it is ours");
    for (name, count) in [("first.txt", 3), ("below/second.txt", 4000), ("third", 0)] {
        fs::write(folder.join(name), "some words to count\n".repeat(count)).expect("it is ours");
    }
    folder.display().to_string()
}

/// Runs every workload once and holds what came of the model `corrupt`, and of the honest ones, to what must.
fn compare(project: &Project, workloads: &[&str]) {
    let line = format!(
        "-w {} -m threads,corrupt --quick --rounds 1 --seed 3 --input {}",
        workloads.join(","),
        tree(project)
    );
    project.run(&line).ended_with(4);
    let summary = project.summary();
    for workload in workloads {
        summary.has_status(workload, "threads", "ok", "");
        summary.has_status(workload, "corrupt", "wrong", "which must be");
        summary.is_out_of_the_race(workload, "corrupt");
    }
}

#[test]
fn one_wrong_bit_is_seen_in_every_workload() {
    let project = Project::new().with("corrupt", &["env", CORRUPT, THREADS]);
    compare(&project, &WORKLOADS);
}

#[test]
fn nobody_is_wrong_about_a_folder_that_changed_meanwhile() {
    let project = Project::new();
    let folder = tree(&project);
    // Whoever is started after it finds another folder than the oracle did.
    let change = format!("echo more >>'{folder}/third'; exec '{THREADS}'");
    let project = project.with("changes", &["sh", "-c", &change]);
    project
        .run(&format!("-w files -m changes,threads --quick --rounds 1 --seed 3 --input {folder}"))
        .ended_with(0);
    let summary = project.summary();
    summary.has_status("files", "changes", "unavailable", "the folder changed during the run");
    summary.is_out_of_the_race("files", "changes");
    assert!(["ok", "unavailable"].iter().any(|status| summary.cell("files", "threads")["status"] == *status));
}

#[test]
fn one_wrong_bit_is_seen_where_the_outcome_is_what_survives() {
    let project = Project::new().with("corrupt", &["env", CORRUPT, THREADS]);
    project.run("-w crash -m threads,corrupt --quick --seed 3").ended_with(4);
    let summary = project.summary();
    let outcome = |model: &str, scale: &str| {
        let cell = summary.cells().iter().find(|cell| cell["model"] == model && cell["scale"] == scale);
        let cell = cell.expect("every scale is quick");
        (cell["status"].as_str().expect("a word"), cell["outcome"].as_str())
    };
    assert_eq!(outcome("threads", "panic"), ("ok", Some("task lost")));
    assert_eq!(outcome("corrupt", "panic"), ("wrong", None));
    for scale in ["abort", "segv"] {
        // Nobody is left to tell a result, right or wrong.
        assert_eq!(outcome("threads", scale), ("ok", Some("program lost")));
        assert_eq!(outcome("corrupt", scale), ("ok", Some("program lost")));
    }
}

#[test]
fn one_wrong_bit_is_seen_in_another_language() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skipped("a wrong bit from Python", "no python3 on PATH");
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/python/py-threading.py");
    let program = program.display().to_string();
    let project = Project::new().with("corrupt", &["env", CORRUPT, "python3", &program]);
    compare(&project, &["spawn", "pipeline", "files"]);
}
