//! What becomes of results when one of the ways out is full.
#![cfg(all(feature = "engine", target_os = "linux"))]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A program of one row, in which ours takes 1 ns and the peer, too.
const PROGRAM: &str = r#"#!/bin/sh
if [ "$1" = --list ]; then
    echo '{"area": "sync", "ours": "sync", "rows": [{"row": "a/b", "about": "nothing", "contestants": [
        {"name": "sync", "blocks": true, "also_ours": false}, {"name": "std", "blocks": true, "also_ours": false}],
        "measures": [{"name": "ns", "unit": "ns", "better": "less"}]}]}'
else
    echo '{"values": {"ns": 1.0}, "timed_ns": 40000000}'
fi
"#;

const GOAL: &str = r#"
[[goal]]
area = "sync"
goal = "as fast as it"
rows = ["a/b"]
measure = "ns"
compare = "time"
peers = ["std"]
direction = "at-most"
bound = 1.5
"#;

#[test]
fn a_standard_output_that_is_full_does_not_cost_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path(), PROGRAM);
    for (command, rounds, found) in [("peers", "1", "\"a/b\""), ("goals", "6", "as fast as it")] {
        let json = folder.path().join(command);
        let output =
            compare(folder.path(), &[command, "--rounds", rounds, "--json", &json.to_string_lossy()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("standard output"), "{command}: {said}");
        let text = fs::read_to_string(&json).expect("it is there");
        assert!(text.contains(found), "{command}: {text:?}, {said}");
    }
}

/// A small disk of our own, where the machine lets us have one: two pages, one of which holds the results of before.
#[test]
fn a_disk_without_room_keeps_the_results_of_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let longer_than_the_disk = format!("\"about\": \"{}\"", "more than there is room for; ".repeat(400));
    set_up(folder.path(), &PROGRAM.replace(r#""about": "nothing""#, &longer_than_the_disk));
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("it is new");
    let script = r#"
        mount -t tmpfs -o size=8k small "$1" || exit 77
        echo 'found before' > "$1/found.json"
        "$2" peers --rounds 1 --json "$1/found.json" > /dev/null
        code=$?
        cat "$1/found.json"
        exit $code"#;
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    shell.arg(&disk).arg(env!("CARGO_BIN_EXE_compare"));
    shell.env("COMPARE_ROOT", folder.path()).env("COMPARE_PEERS", folder.path().join("peers.json"));
    let Ok(output) = shell.output() else { return eprintln!("skipped: no `unshare` here") };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.starts_with("unshare: ") || output.status.code() == Some(77) {
        return eprintln!("skipped: no disk of our own: {said}");
    }
    assert!(output.status.code() == Some(1) && said.contains("free some space"), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "found before\n");
}

/// An area with one program, and a goal.
fn set_up(folder: &Path, program_text: &str) {
    let (program, peers) = (folder.join("program"), folder.join("peers.json"));
    fs::write(&program, program_text).expect("it is ours");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it is ours");
    fs::write(&peers, format!(r#"{{"areas": [{{"area": "sync", "program": {program:?}}}], "others": []}}"#))
        .expect("it is ours");
    fs::create_dir(folder.join("benches")).expect("it is new");
    fs::write(folder.join("benches/goals.toml"), GOAL).expect("it is ours");
}

fn compare(root: &Path, args: &[&str]) -> Output {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut compare = Command::new(env!("CARGO_BIN_EXE_compare"));
    compare.args(args).env("COMPARE_ROOT", root).env("COMPARE_PEERS", root.join("peers.json"));
    compare.stdout(full).stderr(Stdio::piped()).output().expect("it starts")
}
