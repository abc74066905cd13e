//! Contestants that misbehave, each in its own way: every one is reported for what it is, none is ranked, and none stops
//! the others.

use crate::harness::{PLANTED, Project, SKELETON, skipped};

/// A name, what `planted` is told, the status, and what the reason must name.
type Plant = (&'static str, &'static [&'static str], &'static str, &'static str);

const WRONG: &[Plant] = &[
    ("warm", &["wrong-when-warm"], "wrong", "the warm-up gave digest"),
    ("timed", &["wrong-when-timed"], "wrong", "timed batch 1 gave digest"),
    ("timed-later", &["wrong-when-timed", "4"], "wrong", "(in round 4)"),
    ("untimed", &["skips-timing"], "wrong", "without a timed batch"),
    ("zero", &["zero-ns"], "wrong", "in 0 ns"),
    ("nan", &["nan-ns"], "wrong", "NaN"),
    ("hours", &["too-many-ns"], "wrong", "ns of work within"),
    ("prints", &["prints"], "wrong", "a greeting from the planted contestant"),
    ("floods", &["floods"], "wrong", "wrote to standard output"),
    ("junk", &["junk-answer"], "wrong", "this is not an answer"),
    ("endless", &["endless-answer"], "wrong", "not an answer: xxxx"),
    ("babbles", &["endless-orphan"], "wrong", "Ready is no answer here"),
    ("forks", &["forks"], "wrong", "does not use its model, which is threads"),
    ("dangerous", &["dangerous"], "wrong", "Danger is no answer here"),
    ("holds", &["holds"], "wrong", "is no answer here"),
    ("no-processes", &["claims-processes"], "wrong", "does not use its model, which is processes"),
    ("more-threads", &["claims-one-thread"], "wrong", "does not use its model, which is one thread"),
];

const BROKEN: &[Plant] = &[
    ("panics", &["panics", "3"], "crashed", "planted panic"),
    ("segfaults", &["segfaults"], "crashed", "SIGSEGV"),
    ("silent", &["exits-unanswered"], "crashed", "exit code 0 before its answer"),
    ("outlived", &["silent-orphan"], "crashed", "exit code 0 before its answer"),
    ("code-3", &["exits-with-3"], "crashed", "answered, then ended with exit code 3"),
    ("hangs", &["hangs"], "timeout", "no end within 4 s"),
    ("hangs-elsewhere", &["hangs-elsewhere"], "timeout", "no end within 4 s"),
    ("mute", &["closes-answers"], "timeout", "closed its answers and did not end"),
    ("stays", &["stays"], "timeout", "did not exit"),
    ("leaks", &["leaks"], "leaked", "left 1 process behind: planted (pid "),
    ("leaks-far", &["leaks-with-setsid"], "leaked", "left 1 process behind: planted (pid "),
];

const ABSENT: &[Plant] = &[
    ("limited", &["says-limit"], "limit", "the planted limit is 0; raise it"),
    ("stranger", &["other-version"], "unavailable", "speaks version 99"),
    ("deaf", &["deaf"], "unavailable", "without an answer"),
];

const HONEST: &[Plant] = &[
    ("honest", &["none"], "ok", ""),
    ("early", &["leaves-early"], "ok", ""),
    ("late", &["process-comes-late"], "ok", ""),
];

fn project(plants: &[&[Plant]]) -> Project {
    plants.iter().flat_map(|list| list.iter()).fold(Project::new(), |project, (name, arguments, ..)| {
        let command: Vec<&str> = std::iter::once(PLANTED).chain(arguments.iter().copied()).collect();
        project.with(name, &command)
    })
}

/// Runs them all at once and returns the exit code after checking everything else.
fn compare(plants: &[&[Plant]]) -> i32 {
    let project = project(plants).with("skeleton", &[SKELETON]);
    let finished = project.run("-w spawn --quick --rounds 6 --seed 1 --timeout 4s");
    let summary = project.summary();
    for &(name, _, status, why) in plants.iter().copied().flatten() {
        summary.has_status("spawn", name, status, why);
        if status == "ok" {
            summary.is_in_the_race("spawn", name, 6);
        } else {
            summary.is_out_of_the_race("spawn", name);
        }
        assert!(finished.stdout.contains(name), "the table does not name {name}:\n{}", finished.stdout);
    }
    for model in ["seq", "threads", "skeleton"] {
        summary.is_in_the_race("spawn", model, 6);
    }
    assert_eq!(summary.0["run"]["interrupted"], false);
    finished.code.expect("it ended by itself")
}

#[test]
fn wrong_contestants_are_named_and_end_with_4() {
    assert_eq!(compare(&[WRONG, BROKEN, ABSENT, HONEST]), 4);
}

#[test]
fn broken_contestants_end_with_5() {
    // The quick ones are enough for the exit code.
    assert_eq!(compare(&[&BROKEN[..4], ABSENT]), 5);
}

#[test]
fn contestants_that_are_absent_end_with_0() {
    assert_eq!(compare(&[ABSENT, HONEST]), 0);
}

#[test]
fn a_single_iteration_is_blamed_for_what_was_seen_and_not_for_what_was_not() {
    let project = project(&[WRONG]);
    project.run("-w spawn -m more-threads --test --seed 1").ended_with(4);
    project.run("-w spawn -m forks --test --seed 1").ended_with(4);
    project.run("-w spawn -m no-processes --test --seed 1").ended_with(0);
}

/// Computing work, where it can be told who did it. Each has the threads or processes that it claims.
const COMPUTING: &[Plant] = &[
    ("inline", &["one-thread-does-all"], "wrong", "one thread did all the work for"),
    ("at-home", &["one-process-does-all"], "wrong", "one process did all the work for"),
    ("short-lived", &["process-for-each"], "ok", ""),
    ("shared", &["none"], "ok", ""),
];

#[test]
fn one_worker_that_does_the_work_of_all_is_wrong() {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return skipped("one worker for all", "on one CPU, one worker is all there can be");
    }
    let project = project(&[COMPUTING]);
    project.run("-w primes --quick --rounds 1 --seed 1").ended_with(4);
    let summary = project.summary();
    for &(name, _, status, why) in COMPUTING {
        summary.has_status("primes", name, status, why);
    }
    summary.has_status("primes", "threads", "ok", "");
    // A single iteration may really be over before a second worker has its turn.
    project.run("-w primes -m inline,at-home --test --seed 1").ended_with(0);
}

#[test]
fn where_the_baseline_fails_another_model_is_the_control() {
    let project = Project::new().with("wrong", &[PLANTED, "wrong-when-warm"]);
    project.run("-w spawn --baseline wrong --quick --rounds 6 --seed 1").ended_with(4);
    let summary = project.summary();
    let floors = summary.0["noise_floor"].as_array().expect("a list");
    assert!(floors.len() == 1 && floors[0]["model"] == "seq", "{floors:?}");
    if floors[0]["stable"] == true {
        assert!(["seq", "threads"].iter().all(|model| summary.cell("spawn", model)["rank"].is_u64()));
    }
    summary.is_out_of_the_race("spawn", "wrong");
    let records = project.records();
    let controls = records.iter().filter(|record| record["control"] == true);
    assert!(controls.clone().all(|sample| sample["model"] == "seq") && controls.count() == 6);
}

#[test]
fn a_contestant_that_answers_on_after_its_end_does_no_harm() {
    let project = Project::new().with("chatty", &[PLANTED, "answers-after-done"]);
    project.run("-w spawn --quick --rounds 1 --seed 1").ended_with(0);
}
