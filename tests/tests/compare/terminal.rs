//! How results look where there is no terminal, a narrow one, or one without colours.

use std::path::Path;
use std::process::Command;

use crate::harness::{ENGINE, PLANTED, Project, skipped};

const RUN: &str = "-w spawn,crash --quick --rounds 6 --seed 2";

fn project() -> Project {
    // A reason that is longer than any narrow line.
    Project::new().with("wrong", &[PLANTED, "wrong-when-timed"]).with("ghost", &["no-such-program"])
}

#[test]
fn without_a_terminal_there_is_plain_text() {
    let project = project();
    let mut engine = project.bare_engine();
    engine.args(RUN.split(' ')).arg("--offline");
    let finished = project.finish(engine).ended_with(4);
    for (name, text) in [("standard output", &finished.stdout), ("standard error", &finished.stderr)] {
        assert!(!text.contains(['\u{1b}', '\r']), "{name} moves or colours: {text:?}");
    }
    let finished = finished.complained_of(&["spawn 100 round 6/6", "spawn/wrong 100", "timed batch 1"]);
    assert!(finished.stdout.contains("threads") && !finished.stdout.contains("round 6/6"));

    let mut report = project.bare_engine();
    report.args(["report", "--color", "always"]);
    assert!(project.finish(report).ended_with(4).stdout.contains('\u{1b}'), "colours on demand");
    let mut report = project.bare_engine();
    report.arg("report").env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!project.finish(report).ended_with(4).stdout.contains('\u{1b}'), "NO_COLOR wins");
}

#[test]
fn forty_columns_are_enough() {
    let project = project();
    let mut engine = project.engine(RUN);
    engine.env("COLUMNS", "40");
    let finished = project.finish(engine).ended_with(4);
    fits(&finished.stdout, 40);
    for model in ["seq", "threads", "wrong", "ghost"] {
        assert!(finished.stdout.contains(model), "{model} is missing:\n{}", finished.stdout);
    }
    for columns in ["20", "60", "100", "200"] {
        let mut report = project.bare_engine();
        report.arg("report").env("COLUMNS", columns);
        let report = project.finish(report).ended_with(4);
        fits(&report.stdout, columns.parse().expect("a number"));
    }
}

#[test]
fn a_narrow_terminal_is_measured() {
    if !Path::new("/usr/bin/script").is_file() {
        return skipped("a narrow terminal", "there is no /usr/bin/script to make one");
    }
    let project = project();
    let mut script = Command::new("/usr/bin/script");
    // The path goes through the environment, so that the shell has nothing to quote. Messages would stand on the same
    // terminal, which wraps them.
    let line = format!("stty cols 40 rows 24; exec \"$ENGINE\" {RUN} --offline 2>/dev/null");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("ENGINE", ENGINE);
    let mut script = project.started(script);
    script.env("SHELL", "/bin/sh");
    let finished = project.finish(script).ended_with(4);
    assert!(finished.stdout.contains('\u{1b}'), "a terminal has colours:\n{}", finished.stdout);
    assert!(finished.stdout.contains("threads"), "{}", finished.stdout);
    fits(&without_escapes(&finished.stdout), 40);
}

#[track_caller]
fn fits(text: &str, columns: usize) {
    assert!(!text.is_empty());
    for line in text.lines() {
        let width = line.chars().count();
        assert!(width <= columns, "{width} columns where there are {columns}: {line:?} in\n{text}");
    }
}

/// Takes away what colours the text: an escape, a bracket, numbers, a letter.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        plain += &part[end..];
    }
    plain
}
