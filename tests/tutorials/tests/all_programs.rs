//! Every program of the tutorials runs, says something, and asserts its own outcome.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How many listings the documents have.
const PROGRAMS: usize = 25;

/// A program that lasts longer hangs: the longest sleeps two seconds.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn each_listing_has_its_program_and_each_program_says_what_it_shows() {
    let mut numbers = BTreeMap::new();
    for source in sources() {
        let name = source.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&source).unwrap();
        let number: usize = name.split('_').next().unwrap().parse().expect("a name begins with its number");
        let title = text.lines().next().unwrap_or_default();
        assert!(title.starts_with(&format!("//! {number}. ")), "{name}: the first line is `{title}`");
        assert!(
            text.lines().any(|line| line.starts_with("//! Shows: ")),
            "{name} does not say what it shows"
        );
        assert!(text.contains("assert"), "{name} asserts nothing");
        assert!(numbers.insert(number, name).is_none(), "two programs have the number {number}");
    }
    assert_eq!(numbers.keys().copied().collect::<Vec<_>>(), (1..=PROGRAMS).collect::<Vec<_>>());
}

#[test]
fn each_program_runs_to_its_end() {
    // Two at a time: most of them sleep, as the listings do.
    let sources = sources();
    let halves = [0, 1].map(|half| sources.iter().skip(half).step_by(2).cloned().collect::<Vec<_>>());
    let runners = halves.map(|half| thread::spawn(move || half.iter().for_each(|source| run(source))));
    for runner in runners {
        if let Err(panic) = runner.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

fn run(source: &Path) {
    let name = source.file_stem().unwrap().to_string_lossy().into_owned();
    let mut child = Command::new(program(&name))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut output = child.stdout.take().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let output = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let errors = thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{name} did not end within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (output, errors) = (output.join().unwrap().unwrap(), errors.join().unwrap().unwrap());
    assert!(status.success(), "{name}: {status}\n{output}\n{errors}");
    assert!(!output.is_empty(), "{name} said nothing");
}

fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let mut sources: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    sources.sort();
    sources
}

/// Cargo builds a package's programs before its tests and puts them into one folder.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_16_threads_with_names")).with_file_name(name)
}
