//! Runs that do not come to their end: Ctrl-C, a killed engine, a full disk.

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{ENGINE, PATIENCE, PLANTED, Project, Started, Summary, skipped};

/// Far more rounds than anyone waits for.
const LONG: &str = "-w spawn --quick --rounds 1000 --seed 1";

fn until_round(project: &Project, engine: &mut Started<'_>, round: u64) {
    engine.wait_until("a round is kept", || {
        project.records().iter().any(|record| record["round"].as_u64() >= Some(round))
    });
}

#[test]
fn ctrl_c_keeps_what_there_is_and_shows_it() {
    let project = Project::new();
    let mut engine = project.start(project.engine(LONG));
    until_round(&project, &mut engine, 6);
    engine.send(Signal::SIGINT);
    let finished = engine.finish().ended_with(130).complained_of(&["what was measured is kept"]);
    assert!(finished.stdout.contains("threads") && finished.stdout.contains("seq"), "{}", finished.stdout);
    let summary = project.summary();
    assert_eq!(summary.0["run"]["interrupted"], true);
    let rounds = summary.cell("spawn", "threads")["rounds"].as_u64().expect("a number");
    assert!((6..1000).contains(&rounds), "{rounds}");
    let records = project.records();
    let last = records.last().expect("there are some");
    assert!(last["kind"] == "end" && last["interrupted"] == true, "{last}");
}

#[test]
fn ctrl_c_does_not_wait_for_a_contestant_that_hangs() {
    let project = Project::new().with("hangs", &[PLANTED, "hangs", "2"]);
    let mut engine = project.start(project.engine("-w spawn -m seq,hangs --quick --rounds 1000 --seed 1"));
    until_round(&project, &mut engine, 1);
    // It hangs in round 2 or is about to; its own limit is 30 s.
    engine.send(Signal::SIGTERM);
    engine.finish().ended_with(130);
    project.summary().has_status("spawn", "hangs", "ok", "");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let project = Project::new().with("hangs", &[PLANTED, "hangs", "2"]);
    let mut engine = project.start(project.engine("-w spawn -m seq,hangs --quick --rounds 1000 --seed 1"));
    until_round(&project, &mut engine, 1);
    engine.send(Signal::SIGINT);
    engine.send(Signal::SIGTERM);
    assert_eq!(engine.wait().code(), Some(130));
    assert_eq!(project.survivors(PATIENCE), Vec::<String>::new());
}

#[test]
fn a_killed_engine_leaves_whole_records_and_no_process() {
    let project = Project::new();
    let mut engine = project.start(project.engine(LONG));
    until_round(&project, &mut engine, 6);
    engine.wait_until("a contestant runs", || project.survivors(Duration::ZERO).len() > 1);
    engine.send(Signal::SIGKILL);
    engine.wait();
    assert_eq!(project.survivors(PATIENCE), Vec::<String>::new());
    drop(engine);
    let mut report = project.bare_engine();
    report.arg("report");
    let finished = project.finish(report).ended_with(130);
    assert!(finished.stdout.contains("threads"), "{}", finished.stdout);
    let summary = project.summary();
    assert_eq!(summary.0["run"]["interrupted"], true);
    assert!(summary.cell("spawn", "threads")["rounds"].as_u64() >= Some(6));
}

#[test]
fn a_disk_that_fills_up_ends_the_run_with_its_reason() {
    let project = Project::new();
    let disk = project.folder().join("disk");
    fs::create_dir(&disk).expect("it is ours");
    let mount = |arguments: &[&str]| {
        let output = Command::new("mount").args(arguments).arg(&disk).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=512k", "tmpfs"]) {
        return skipped("a full disk", "mounting a small one takes root and its privileges");
    }
    let _mounted = Unmount(&disk);
    let mut engine = project.engine(LONG);
    engine.arg("--out").arg(&disk);
    let mut engine = project.start(engine);
    let kept = disk.join("latest/samples.jsonl");
    engine.wait_until("a round is kept", || {
        fs::read_to_string(&kept).is_ok_and(|text| text.contains("\"round\":1,"))
    });
    let filled = fs::write(disk.join("somebody else's"), vec![0; 1 << 20]);
    assert!(filled.is_err(), "the disk is smaller than this");
    let finished = engine.finish().ended_with(1);
    finished.complained_of(&["samples.jsonl", "No space left on device", "--out"]);
}

struct Unmount<'a>(&'a std::path::Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0).status().ok();
    }
}

#[test]
fn what_was_kept_before_a_write_failed_can_still_be_drawn() {
    let project = Project::new();
    project.run("-w spawn --quick --rounds 1 --seed 1").ended_with(0);
    let samples = fs::metadata(project.out().join("latest/samples.jsonl")).expect("it was written");
    let mut shell = Command::new("sh");
    // A limit on the size of files stands for a disk: no privilege is needed. Its signal would end the engine, and its
    // unit is 512 bytes.
    // There is room for some more rounds, because a busy machine's batches are fewer and take fewer bytes.
    let blocks = samples.len() / 512 + 32;
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$ENGINE\" {LONG} --offline --progress none");
    shell.args(["-c", &line]).env("ENGINE", ENGINE);
    project.finish(project.started(shell)).ended_with(1).complained_of(&["samples.jsonl", "--out"]);
    let mut report = project.bare_engine();
    report.arg("report");
    project.finish(report).ended_with(130);
    let summary = Summary::read(&project.out().join("latest"));
    assert_eq!(summary.0["run"]["interrupted"], true);
    assert!(summary.cell("spawn", "threads")["rounds"].as_u64() > Some(0));
    let sample = |record: &&Value| record["kind"] == "sample";
    assert!(project.records().iter().filter(sample).count() > 4);
}
