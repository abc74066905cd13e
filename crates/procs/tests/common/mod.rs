//! What the tests look at from outside: `/proc`.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::time::{Duration, Instant};

/// Waits until `done`, and says what did not come to be if that takes much too long.
#[track_caller]
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not come to be: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The processes whose parent is `pid`, zombies included.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|child| parent_and_state(*child).is_some_and(|(parent, _)| parent == pid))
        .collect()
}

/// Whether there is such a process, be it as a zombie.
pub(crate) fn exists(pid: u32) -> bool {
    parent_and_state(pid).is_some()
}

/// Whether there is such a process, and it has not ended.
pub(crate) fn lives(pid: u32) -> bool {
    parent_and_state(pid).is_some_and(|(_, state)| state != 'Z' && state != 'X')
}

/// Whether somebody has stopped it.
pub(crate) fn is_stopped(pid: u32) -> bool {
    parent_and_state(pid).is_some_and(|(_, state)| state == 'T')
}

fn parent_and_state(pid: u32) -> Option<(u32, char)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

pub(crate) fn descriptors() -> Vec<String> {
    let mut open: Vec<String> = fs::read_dir("/proc/self/fd")
        .expect("/proc/self/fd")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let to = fs::read_link(&path).ok()?;
            // The listing itself is open while it is read.
            (!to.ends_with("fd")).then(|| format!("{} -> {}", path.display(), to.display()))
        })
        .collect();
    open.sort();
    open
}

/// The names of the threads of this process.
pub(crate) fn threads() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir("/proc/self/task")
        .expect("/proc/self/task")
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().into())
        .collect();
    names.sort();
    names
}

/// Sends a signal from outside, as a person would.
pub(crate) fn kill(signal: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill");
    assert!(status.success(), "kill {signal} {pid}");
}

/// Ends this process in the given way. Never inlined into a test: a worker does it.
pub(crate) fn crash(how: &str) -> u64 {
    match how {
        "panic" => panic!("the reason is {}", 7),
        "abort" => std::process::abort(),
        "exit 0" => std::process::exit(0),
        "exit 3" => std::process::exit(3),
        "segv" => signal_myself("-SEGV"),
        "kill" => signal_myself("-KILL"),
        "term" => signal_myself("-TERM"),
        "stack" => deeper(1),
        "memory" => {
            // More than there are addresses for a process: the allocator says no, and Rust aborts.
            let layout = std::alloc::Layout::from_size_align(1 << 60, 8).expect("a layout");
            std::alloc::handle_alloc_error(layout)
        }
        other => unreachable!("{other}"),
    }
}

fn signal_myself(signal: &str) -> u64 {
    kill(signal, std::process::id());
    loop {
        std::thread::park();
    }
}

/// Runs out of stack.
#[allow(unconditional_recursion, reason = "that is the point")]
fn deeper(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 512]);
    deeper(std::hint::black_box(depth + 1)) + here[usize::from(depth % 2 == 0)]
}

/// How a task must end that did [`crash`].
pub(crate) fn expected(how: &str) -> (&'static str, i32) {
    match how {
        "panic" => ("panicked", 0),
        "exit 0" => ("exited", 0),
        "exit 3" => ("exited", 3),
        "abort" | "memory" => ("killed", 6),
        "segv" | "stack" => ("killed", 11),
        "kill" => ("killed", 9),
        "term" => ("killed", 15),
        other => unreachable!("{other}"),
    }
}

pub(crate) const CRASHES: [&str; 9] =
    ["panic", "abort", "exit 0", "exit 3", "segv", "kill", "term", "stack", "memory"];

/// The kind and number of an error, as in [`expected`].
pub(crate) fn kind_of(error: &procs::JoinError) -> (&'static str, i32) {
    match error {
        procs::JoinError::Panicked(_) => ("panicked", 0),
        procs::JoinError::Exited { code, .. } => ("exited", *code),
        procs::JoinError::Killed { signal, .. } => ("killed", *signal),
        _ => ("something else", 0),
    }
}
