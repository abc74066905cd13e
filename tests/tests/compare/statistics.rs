//! Does the instrument find a difference that is there, find none that is not, and notice a disturbance?

use std::process::{Child, Command, Stdio};

use crate::harness::{PLANTED, Project, Summary, THREADS, full};

/// A program of somebody else that takes all of a CPU, until it is dropped.
struct Hog(Child);

impl Hog {
    fn start() -> Self {
        let mut hog = Command::new(PLANTED);
        hog.arg("spin").stdin(Stdio::null()).stdout(Stdio::null());
        Hog(hog.spawn().expect("it starts"))
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.kill().expect("it spins for longer than this");
        self.0.wait().expect("it is our child");
    }
}

fn disturbance(summary: &Summary) -> Option<&serde_json::Value> {
    summary.0["flags"].as_array().expect("a list").iter().find(|flag| flag["code"] == "outside-cpu")
}

#[test]
fn a_busy_stranger_is_flagged() {
    let project = Project::alone();
    let hog = Hog::start();
    // Three entries of a plain round last the half second that the engine needs to judge it.
    project.run("-w primes -m threads,seq --rounds 2 --seed 1").ended_with(0);
    drop(hog);
    let summary = project.summary();
    let flag = disturbance(&summary).expect("it is seen");
    for field in ["what", "cause", "remedy"] {
        assert!(flag[field].as_str().is_some_and(|text| !text.is_empty()), "{flag}");
    }
    assert!(!flag["rounds"].as_array().expect("a list").is_empty(), "{flag}");
}

#[test]
fn a_stranger_who_comes_halfway_is_named_with_the_rounds() {
    if !full("a stranger who comes halfway") {
        return;
    }
    let project = Project::alone();
    let mut engine = project.start(project.engine("-w primes --rounds 12 --seed 1"));
    engine.wait_until("round 6 is kept", || {
        project.records().iter().any(|record| record["round"].as_u64() >= Some(6))
    });
    let hog = Hog::start();
    engine.finish().ended_with(0);
    drop(hog);
    let summary = project.summary();
    let flag = disturbance(&summary).expect("it is seen");
    assert!(flag["cause"].as_str().is_some_and(|cause| cause.contains("planted")), "{flag}");
    assert!(
        flag["rounds"].as_array().expect("a list").iter().any(|round| round.as_u64() >= Some(6)),
        "{flag}"
    );
}

#[test]
fn the_same_program_under_another_name_is_never_faster_or_slower() {
    if !full("the same program under another name") {
        return;
    }
    for seed in 1..=2 {
        let project = Project::alone().with("twin", &[THREADS]);
        project.run(&format!("-w spawn,primes -m threads,twin --rounds 12 --seed {seed}")).ended_with(0);
        for cell in project.summary().cells().iter().filter(|cell| cell["model"] == "twin") {
            let verdict = &cell["verdict"];
            assert!(verdict != "faster" && verdict != "slower", "{cell}");
        }
    }
}

#[test]
fn ten_percent_more_work_is_slower() {
    if !full("ten percent more work") {
        return;
    }
    let project = Project::alone().with("slow", &["env", "COMPARE_KIT_SLOW_PERCENT=10", THREADS]);
    project.run("-w primes -m threads,slow --rounds 12 --seed 1").ended_with(0);
    let summary = project.summary();
    let found = summary.cells().iter().filter(|cell| cell["model"] == "slow" && cell["status"] == "ok");
    let verdicts: Vec<&serde_json::Value> = found.map(|cell| &cell["verdict"]).collect();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == "slower"), "{verdicts:?}");
}
