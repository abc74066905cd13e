//! One program, built by one run of cargo.
//!
//! Cargo stays quiet: its messages are kept and only the first error is passed on, because one broken contestant among
//! many should cost a line and not a screen. Progress is written by appending only, never by moving the cursor, so it
//! reads the same in a log, in a narrow terminal and in a wide one. A build with nothing to do says nothing.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::{Project, cannot_start};

/// A build that takes longer than this is announced. Up-to-date packages take about a third of it.
const SILENCE: Duration = Duration::from_millis(500);
/// On a terminal, one dot as often as this.
const DOT: Duration = Duration::from_secs(2);

/// Why there is no program.
#[derive(Debug)]
pub(crate) struct NotBuilt {
    /// The first error, in one line.
    pub(crate) reason: String,
    /// All that cargo said.
    pub(crate) log: String,
}

/// Builds a package's program by `cargo build ARGS` and returns where it is.
pub(crate) fn build(project: &Project, announcement: &str, args: &[&str]) -> Result<PathBuf, NotBuilt> {
    let mut command = project.cargo();
    command.args(["build", "--quiet", "--message-format=json-render-diagnostics"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The log goes into a file and a table, where colours are noise.
    command.env("CARGO_TERM_COLOR", "never");
    let mut child = command.spawn().map_err(|error| {
        let reason = cannot_start(&command, &error);
        NotBuilt { log: reason.clone(), reason }
    })?;

    let stderr = child.stderr.take().map(|mut stream| {
        thread::spawn(move || {
            let mut log = Vec::new();
            // What was read until an error is still the best there is to show.
            let _ = stream.read_to_end(&mut log);
            String::from_utf8_lossy(&log).into_owned()
        })
    });
    let (send, messages) = mpsc::channel();
    let stdout = child.stdout.take().map(|stream| {
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        })
    });

    let mut progress = Progress::new(announcement);
    let mut program = None;
    loop {
        match messages.recv_timeout(progress.patience()) {
            Ok(line) => program = program.or_else(|| executable(&line)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        progress.tick();
    }
    let status = child.wait();
    progress.end();
    if let Some(reader) = stdout {
        let _ = reader.join();
    }
    let log = stderr.and_then(|reader| reader.join().ok()).unwrap_or_default();

    match (status, program) {
        (Ok(status), Some(program)) if status.success() => Ok(program),
        (Ok(status), None) if status.success() => {
            let reason = format!("`cargo build {}` builds no program: add a src/main.rs", args.join(" "));
            Err(NotBuilt { reason, log })
        }
        (Ok(status), _) => {
            Err(NotBuilt { reason: first_error(&log).unwrap_or_else(|| status.to_string()), log })
        }
        (Err(error), _) => Err(NotBuilt { reason: format!("lost sight of cargo: {error}"), log }),
    }
}

/// The path of the program, if this message of cargo's tells it.
fn executable(line: &str) -> Option<PathBuf> {
    if !line.contains("\"executable\":\"") {
        return None;
    }
    let message: Value = serde_json::from_str(line).ok()?;
    let is_program = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bin");
    is_program.then(|| message["executable"].as_str().map(PathBuf::from))?
}

/// The first error that cargo or the compiler tells, with its place where it has one.
fn first_error(log: &str) -> Option<String> {
    let mut lines = log.lines();
    let error = lines.find(|line| line.starts_with("error"))?;
    // The compiler says where in the next line, cargo says nothing of the kind.
    let place = lines.next().and_then(|line| line.trim_start().strip_prefix("--> "));
    Some(place.map_or_else(|| error.to_owned(), |place| format!("{error} ({place})")))
}

/// The log without the warnings that stand in front of the first error.
pub(crate) fn from_first_error(log: &str) -> &str {
    let start = if log.starts_with("error") { Some(0) } else { log.find("\nerror").map(|at| at + 1) };
    &log[start.unwrap_or(0)..]
}

/// Says what is being built, once it takes long enough to be worth saying.
struct Progress<'a> {
    announcement: &'a str,
    start: Instant,
    announced: bool,
    next_dot: Instant,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(announcement: &'a str) -> Self {
        let start = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        Self { announcement, start, announced: false, next_dot: start + SILENCE + DOT, terminal }
    }

    /// How long nothing needs to be said.
    fn patience(&self) -> Duration {
        let next = if self.announced { self.next_dot } else { self.start + SILENCE };
        next.saturating_duration_since(Instant::now())
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if !self.announced && now >= self.start + SILENCE {
            self.announced = true;
            say(self.announcement, if self.terminal { "" } else { "\n" });
        }
        if self.announced && now >= self.next_dot {
            self.next_dot = now + DOT;
            if self.terminal {
                say(".", "");
            }
        }
    }

    fn end(&self) {
        if self.announced && self.terminal {
            say(&format!(" {:.0} s", self.start.elapsed().as_secs_f64()), "\n");
        }
    }
}

fn say(text: &str, end: &str) {
    // With nobody left to read the progress, the build goes on all the same.
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{text}{end}").and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_learnt_from_its_artifact_message() {
        let line = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"model-seq"},"executable":"/t/a b/seq"}"#;
        assert_eq!(executable(line), Some(PathBuf::from("/t/a b/seq")));
        let library = r#"{"reason":"compiler-artifact","target":{"kind":["lib"]},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("not a message"), None);
    }

    #[test]
    fn the_first_error_is_one_line_with_its_place() {
        let log = "warning: unused\n  --> src/main.rs:1:1\nerror[E0425]: cannot find value `x`\n --> src/main.rs:3:5\nerror: later\n";
        assert_eq!(
            first_error(log).as_deref(),
            Some("error[E0425]: cannot find value `x` (src/main.rs:3:5)")
        );
        let log = "error: no matching package named `nobody` found\nlocation searched: crates\n";
        assert_eq!(first_error(log).as_deref(), Some("error: no matching package named `nobody` found"));
        assert_eq!(first_error("killed"), None);
    }

    #[test]
    fn warnings_do_not_hide_the_error() {
        assert_eq!(from_first_error("warning: a\n  error-like\nerror: b\nmore\n"), "error: b\nmore\n");
        assert_eq!(from_first_error("error: b\n"), "error: b\n");
        assert_eq!(from_first_error("killed\n"), "killed\n");
    }
}
