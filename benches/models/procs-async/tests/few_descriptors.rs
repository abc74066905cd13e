//! Where a process may have few descriptors, the answer says so: not that the others are late, or that threads are wanting.

#![forbid(unsafe_code)]

use kit::protocol::{Answer, Input, Request, Run, Timing, VERSION};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

/// How many descriptors a contestant may have that inherits the usual three: enough for one process (26 are), and too
/// few for two (32 are enough).
const DESCRIPTORS: usize = 30;

#[test]
fn the_limit_of_descriptors_is_named_with_its_value_and_the_remedy() {
    let may_have = format!("may have {} descriptors", descriptors());
    thread::scope(|scope| {
        let may_have = &may_have;
        // With two it is the second process that is refused, which shows in no task; with more, what is to be sent to the others.
        for workers in [2, 4, 8] {
            scope.spawn(move || {
                let [Answer::Limit { why }] = &answers(workers)[..] else { panic!("{workers} have started") };
                let begin = format!("cannot start {workers} workers: ");
                for part in [&begin, "(os error 24)", may_have, "raise `ulimit -n`"] {
                    assert!(why.contains(part), "no `{part}` in: {why}");
                }
            });
        }
    });
}

#[test]
fn one_process_starts_all_the_same() {
    let answers = answers(1);
    assert!(matches!(answers[..], [Answer::Ready, Answer::Warm { .. }, Answer::Done]), "{answers:?}");
}

/// What the contestant answers to an order for so many workers.
fn answers(workers: u32) -> Vec<Answer> {
    let timing = Timing { timed: false, warm_ns: 1, batch_ns: 1, min_ns: 1 };
    let order = Request::Run(Run {
        v: VERSION,
        workload: "spawn".into(),
        form: "idiomatic".into(),
        scale: "10".into(),
        n: 10,
        round: 0,
        workers,
        input: Input { salt: 1, ..Input::default() },
        timing,
    });
    let mut contestant = Command::new("sh")
        .args(["-c", &format!("ulimit -n {}; exec \"$0\" 3>&1", descriptors())])
        .arg(env!("CARGO_BIN_EXE_model-procs-async"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = serde_json::to_string(&order).unwrap();
    // It may be gone before it is told that it is no longer needed.
    writeln!(contestant.stdin.take().unwrap(), "{request}").unwrap();
    let output = contestant.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}: {text}", output.status);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The limit here, where the contestant may inherit more than the usual three from who runs the test.
fn descriptors() -> usize {
    let is_inherited = |name: &str| {
        let below_the_limit = name.parse().is_ok_and(|number| (3..DESCRIPTORS).contains(&number));
        // The directory's own descriptor is closed by now.
        below_the_limit
            && fs::read_to_string(format!("/proc/self/fdinfo/{name}"))
                .is_ok_and(|info| !closes_on_exec(&info))
    };
    let open =
        fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    DESCRIPTORS + open.collect::<Vec<_>>().iter().filter(|name| is_inherited(name)).count()
}

fn closes_on_exec(info: &str) -> bool {
    const O_CLOEXEC: u32 = 0o2000000;
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap() & O_CLOEXEC != 0
}
