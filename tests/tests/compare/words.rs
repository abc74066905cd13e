//! What can be typed, and what is answered.

use std::fs;

use serde_json::Value;

use crate::harness::{PLANTED, Project};

#[test]
fn the_list_names_every_cell_with_its_status() {
    let project = Project::new().with("hangs", &[PLANTED, "hangs"]).with("ghost", &["no-such-program"]);
    let list = |arguments: &str| -> Vec<Value> {
        let finished = project.run(arguments).ended_with(0);
        serde_json::from_str(&finished.stdout).expect("it is a list in JSON and nothing else")
    };
    let before = list("--list --json");
    let status = |list: &[Value], workload: &str, model: &str| {
        let cell = list.iter().find(|cell| cell["workload"] == workload && cell["model"] == model);
        let cell = cell.unwrap_or_else(|| panic!("no {workload}/{model}"));
        for field in ["workload", "model", "scale", "status", "why"] {
            assert!(cell.get(field).is_some(), "no {field} in {cell}");
        }
        let why = cell["why"].as_str().unwrap_or_default().to_owned();
        (cell["status"].as_str().expect("a word").to_owned(), why)
    };
    let (status_of, why) = status(&before, "switch", "seq");
    assert!(status_of == "unsupported" && why.contains("nothing to switch to"), "{why}");
    assert_eq!(
        status(&before, "spawn", "ghost"),
        ("unavailable".into(), "no no-such-program on PATH".into())
    );
    assert_eq!(status(&before, "switch", "hangs").0, "unsupported");
    assert_eq!(status(&before, "spawn", "threads"), ("untested".into(), String::new()));
    let mut workloads: Vec<&str> = before.iter().filter_map(|cell| cell["workload"].as_str()).collect();
    workloads.dedup();
    assert!(workloads.len() >= 9, "{workloads:?}");

    project.run("spawn threads --quick --rounds 1 --seed 1").ended_with(0);
    assert_eq!(status(&list("--list --json spawn"), "spawn", "threads").0, "ok");

    project.run("primes threads --quick --rounds 1 --seed 1").ended_with(0);
    // Its quick scale is none of a plain run's, and has a result all the same.
    let after = list("--list --json primes threads");
    let results: Vec<&str> = after.iter().filter_map(|cell| cell["status"].as_str()).collect();
    assert_eq!(results, ["ok", "untested"], "{after:?}");
}

#[test]
fn one_cell_runs_in_the_foreground() {
    let project = Project::new();
    // Its two answers to the engine's questions are in the request already.
    for (cell, answers) in [("sleepers/threads", ["hold", "warm"]), ("spawn/threads", ["warm", "batch"])] {
        let finished = project.run(&format!("--exec {cell} --quick")).ended_with(0);
        for answer in ["ready", "done"].iter().chain(&answers) {
            let line = format!("{{\"t\":\"{answer}\"");
            assert!(finished.stdout.contains(&line), "{cell} says no {answer}:\n{}", finished.stdout);
        }
    }
    project.run("--exec spawn/nobody").ended_with(2).complained_of(&["nobody"]);
    project.run("--exec spawn").ended_with(2).complained_of(&["WORKLOAD/MODEL"]);
    project.run("--exec switch/seq").ended_with(2).complained_of(&["nothing to switch to"]);
}

#[test]
fn a_cell_in_the_foreground_keeps_what_tools_are_loaded_by() {
    let script = format!(
        "echo \"${{RUST_BACKTRACE-}} ${{LD_PRELOAD+kept}} ${{PYTHONPATH-}}\" >>seen; exec '{PLANTED}' none"
    );
    let project = Project::new().with("looks", &["sh", "-c", &script]);
    let with_variables = |arguments: &str| {
        let mut engine = project.engine(arguments);
        engine.env("RUST_BACKTRACE", "full").env("LD_PRELOAD", "").env("PYTHONPATH", "/nowhere");
        project.finish(engine).ended_with(0);
        let seen = fs::read_to_string(project.root().join("seen")).expect("it was asked who it is");
        seen.lines().last().expect("it wrote a line").to_owned()
    };
    assert_eq!(with_variables("--test spawn looks --quick"), "  ");
    assert_eq!(with_variables("--exec spawn/looks --quick"), "full kept ");
}

#[test]
fn a_word_that_matches_nothing_is_named() {
    let project = Project::new();
    for (line, named) in [
        ("spwan", &["\"spwan\"", "spawn", "threads"][..]),
        ("-w nothing", &["\"nothing\"", "spawn"]),
        ("-w ,", &["names nothing"]),
        ("-m tokio-*", &["\"tokio-*\"", "threads"]),
        ("spawn/tokio-mt", &["\"tokio-mt\""]),
        ("--baseline tokio-mt", &["tokio-mt", "threads"]),
        ("spawn !spawn", &["no cell"]),
        ("--input no-such-folder", &["no-such-folder"]),
        ("--cpus 4000", &["4000"]),
        ("--rounds many", &["many"]),
    ] {
        let finished = project.run(line).ended_with(2).complained_of(named);
        assert!(finished.stdout.is_empty(), "{line} prints {}", finished.stdout);
    }
    assert!(!project.out().join("latest").exists(), "no run was made");
}

#[test]
fn arguments_are_checked_without_any_contestant() {
    let project = Project::new();
    fs::remove_file(project.out().join("contestants.json")).expect("it is ours");
    let finished = project.run("--check-arguments --quick spawn").ended_with(0);
    assert!(finished.stdout.is_empty() && finished.stderr.is_empty(), "{finished:?}");
    for (line, named) in
        [("--quik", "--quik"), ("--input no-such-folder", "no-such-folder"), ("--cpus 4000", "4000")]
    {
        project.run(&format!("--check-arguments {line}")).ended_with(2).complained_of(&[named]);
    }
    let project = project.with_compare_toml("[model.x]\ncomand = [\"x\"]\n");
    project.run("--check-arguments").ended_with(2).complained_of(&["compare.toml", "comand"]);
    let mut help = project.bare_engine();
    help.arg("--help");
    assert!(
        !project.finish(help).ended_with(0).stdout.contains("check-arguments"),
        "it is nobody's business"
    );
}

#[test]
fn names_of_commands_are_taken() {
    for word in ["peers", "goals", "crash-score"] {
        let filter = format!("spawn {word}");
        let finished = Project::new().run(&filter).ended_with(2).complained_of(&[word, "reserved"]);
        assert!(finished.stdout.is_empty());
        let project = Project::new().with(word, &[PLANTED, "none"]);
        project.run("--list").ended_with(2).complained_of(&[word, "rename"]);
    }
    let project = Project::new();
    for name in ["report", "doctor", "new"] {
        let mut new = project.bare_engine();
        new.args(["new", "model", name]);
        project.finish(new).ended_with(2).complained_of(&[name, "choose another name"]);
    }
    assert!(!project.root().join("benches").exists(), "nothing was written");
    drop(project);
    let twice = Project::new().with("seq", &[PLANTED, "none"]);
    twice.run("--list").ended_with(2).complained_of(&["two contestants are named seq"]);
}

#[test]
fn a_mistake_in_the_list_of_contestants_is_named() {
    let project = Project::new().with_compare_toml("[model.x]\ncomand = [\"x\"]\n");
    project.run("--list").ended_with(2).complained_of(&["compare.toml", "comand"]);
    drop(project);
    let project = Project::new().with_compare_toml("[model.\"a/b\"]\ncommand = [\"x\"]\n");
    project.run("--list").ended_with(2).complained_of(&["compare.toml", "\"a/b\" is no name"]);
    drop(project);
    let project = Project::new();
    fs::remove_file(project.out().join("contestants.json")).expect("it is ours");
    project.run("--list").ended_with(2).complained_of(&["contestants.json", "cargo xtask compare"]);
}

#[test]
fn a_test_verifies_and_keeps_only_what_failed() {
    let project = Project::new()
        .with("honest", &[PLANTED, "none"])
        .with("wrong", &[PLANTED, "wrong-when-warm"])
        .with("untimed", &[PLANTED, "wrong-when-timed"])
        .with("absent", &[PLANTED, "other-version"]);
    let finished = project.run("--test spawn --quick").ended_with(4);
    for text in ["spawn/wrong 100", "the warm-up gave digest", "4 cells verified, 1 not"] {
        assert!(finished.stdout.contains(text), "{text:?} is not in:\n{}", finished.stdout);
    }
    assert!(!project.out().join("latest").exists());
    let kept = || {
        let entries = fs::read_dir(project.out().join("tests")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().is_dir()).count()
    };
    assert_eq!(kept(), 1, "what failed is kept, to be looked at");
    project.run("--test spawn !wrong --quick").ended_with(0);
    assert_eq!(kept(), 1, "what went well leaves nothing");
}

#[test]
fn a_plan_says_how_many_rounds_there_are() {
    let project = Project::new();
    for (line, said) in [
        ("spawn", ", 14 rounds each;"),
        ("spawn sleepers crash", ", up to 14 rounds each;"),
        ("sleepers", ", 6 rounds each;"),
    ] {
        let plan = project.run(&format!("--plan {line}")).ended_with(0).stdout;
        assert!(plan.contains(said), "{line}: {plan}");
    }
}

#[test]
fn a_plan_runs_nothing() {
    let project = Project::new();
    let finished = project.run("--plan spawn").ended_with(0);
    for text in ["spawn", "takes about"] {
        assert!(finished.stdout.contains(text), "{text:?} is not in:\n{}", finished.stdout);
    }
    assert!(!project.out().join("latest").exists());
}
