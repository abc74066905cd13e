//! What a check prints: a passing test program one line, a failing one all it said, and the end of what a failed check
//! said once more below the table, where a reader looks first.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::mem;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::Outcome;
use crate::project::cannot_start;

/// So many of the last lines are shown once more.
const LAST_LINES: usize = 120;
/// A process that a check leaves behind holds its output; so long is waited for it after the check itself has ended.
const LEFT_BEHIND: Duration = Duration::from_secs(5);

/// Runs a command and shows what it says; its exit code is the verdict.
pub(super) fn outcome_of(command: &mut Command) -> Outcome {
    outcome_with(command, Lines::default())
}

/// The same for a command that runs tests: what a test program says is shown only if it fails.
pub(super) fn outcome_of_tests(command: &mut Command) -> Outcome {
    outcome_with(command, Lines { program: Some(Vec::new()), ..Lines::default() })
}

fn outcome_with(command: &mut Command, mut lines: Lines) -> Outcome {
    match run(command, &mut lines) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("{status}\n{}", lines.last())),
        Err(error) => Outcome::Failed(cannot_start(command, &error)),
    }
}

fn run(command: &mut Command, lines: &mut Lines) -> io::Result<std::process::ExitStatus> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let started = command.spawn();
    // The command owns two ends for writing; while they are open, the output has no end.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut child = started?;
    read_all(&mut child, &follow(reader), lines)?;
    lines.close();
    child.wait()
}

/// The lines of the output as they come; the channel closes with the output.
fn follow(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { break };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

fn read_all(child: &mut Child, output: &Receiver<String>, lines: &mut Lines) -> io::Result<()> {
    let mut ended: Option<Instant> = None;
    loop {
        match output.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => lines.take(line),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                if ended.is_none() && child.try_wait()?.is_some() {
                    ended = Some(Instant::now());
                }
                if ended.is_some_and(|then| then.elapsed() > LEFT_BEHIND) {
                    lines.take("note: a process that this check started has outlived it".to_owned());
                    return Ok(());
                }
            }
        }
    }
}

/// The output so far.
#[derive(Default)]
struct Lines {
    /// What the test program that runs now has said; `None` if no tests are run.
    program: Option<Vec<String>>,
    last: VecDeque<String>,
}

impl Lines {
    fn take(&mut self, line: String) {
        match &mut self.program {
            None => self.show(line),
            Some(said) if begins_a_program(&line) => {
                let before = mem::take(said);
                self.end_program(before);
                self.show(line);
            }
            Some(said) => said.push(line),
        }
    }

    fn close(&mut self) {
        if let Some(said) = self.program.take() {
            self.end_program(said);
        }
    }

    /// Of a program that passed its closing line; of any other all.
    fn end_program(&mut self, said: Vec<String>) {
        let passed = said.iter().any(|line| line.starts_with("test result: ok."));
        for line in said {
            if !passed || line.starts_with("test result: ") || of_cargo(&line) {
                self.show(line);
            }
        }
    }

    fn show(&mut self, line: String) {
        println!("{line}");
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn last(&self) -> String {
        self.last.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// Cargo names each test program before it runs it.
fn begins_a_program(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("Running ") || line.starts_with("Doc-tests ")
}

/// What cargo says between two programs.
fn of_cargo(line: &str) -> bool {
    let line = line.trim_start();
    ["error", "warning", "Compiling ", "Finished "].iter().any(|word| line.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> String {
        let mut kept = Lines { program: Some(Vec::new()), ..Lines::default() };
        for line in lines {
            kept.take((*line).to_owned());
        }
        kept.close();
        kept.last()
    }

    #[test]
    fn a_program_that_passes_says_one_line() {
        let said = shown(&[
            "   Compiling a v0.1.0",
            "     Running tests/a.rs (target/debug/deps/a-1)",
            "thread panicked as it should",
            "test it ... ok",
            "test result: ok. 1 passed",
            "   Doc-tests a",
            "test result: ok. 2 passed",
        ]);
        assert_eq!(
            said,
            "   Compiling a v0.1.0\n     Running tests/a.rs (target/debug/deps/a-1)\ntest result: ok. 1 passed\n   \
             Doc-tests a\ntest result: ok. 2 passed\n"
        );
    }

    #[test]
    fn a_program_that_fails_or_dies_says_all() {
        for end in ["test result: FAILED. 1 failed", "(signal: 11)"] {
            let said = shown(&["     Running a", "test it ... ", "panicked at a.rs", end]);
            assert_eq!(said, format!("     Running a\ntest it ... \npanicked at a.rs\n{end}\n"));
        }
    }

    #[test]
    fn a_failed_check_repeats_its_end_and_one_that_cannot_start_says_so() {
        let failed = outcome_of(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]));
        let Outcome::Failed(why) = failed else { panic!("{failed:?}") };
        assert_eq!(why, "exit status: 3\none\ntwo\n");
        let missing = outcome_of(&mut Command::new("no-such-program-of-anybody"));
        assert!(matches!(&missing, Outcome::Failed(why) if why.contains("cannot start")), "{missing:?}");
    }

    #[test]
    fn a_process_left_behind_is_named_and_not_waited_for() {
        let begin = Instant::now();
        let mut lines = Lines::default();
        let status = run(Command::new("sh").args(["-c", "sleep 30 & echo $!"]), &mut lines).unwrap();
        assert!(status.success());
        let said = lines.last();
        let left = said.lines().next().unwrap();
        assert!(Command::new("kill").arg(left).status().unwrap().success(), "{said}");
        assert!(said.contains("has outlived it"), "{said}");
        assert!(begin.elapsed() < Duration::from_secs(25));
    }
}
