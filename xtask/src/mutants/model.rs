//! The program that holds models and mutants: how it is built, and how one model is run in a process of its own.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::copy::{self, VARIABLE};
use super::table::{Mutant, Table};
use super::{LIMIT, Plan};
use crate::project::{Project, cannot_start};

/// The program, and what its models are called.
pub(super) struct Models {
    program: PathBuf,
    names: Vec<String>,
}

/// What the names of models begin with.
const ALL: &str = "models::";

/// How a run of a model ended.
pub(super) enum Run {
    Passed,
    /// With what it said first.
    Failed(String),
    TimedOut,
}

impl Models {
    pub(super) fn build(project: &Project, table: &Table) -> Result<Self, String> {
        let metadata = project.metadata()?;
        let target = metadata["target_directory"].as_str().ok_or("cargo names no target folder")?;
        let copy = Path::new(target).join("mutants");
        copy::make(project.root(), table, &copy)?;
        let program = build(project, &copy, target)?;
        let names = names(&program)?;
        Ok(Models { program, names })
    }

    /// The models of each mutant, those that it names first before the others.
    pub(super) fn plan<'t>(&self, mutants: &[&'t Mutant]) -> Result<Vec<Plan<'t>>, String> {
        let mut plans = Vec::new();
        for mutant in mutants {
            let mut names: Vec<String> = Vec::new();
            for part in &mutant.models {
                let found = self.names.iter().filter(|name| name[ALL.len()..].starts_with(part.as_str()));
                let before = names.len();
                let is_new = |name: &&String| !names.contains(name);
                let found: Vec<String> = found.filter(is_new).cloned().collect();
                names.extend(found);
                if names.len() == before {
                    return Err(format!(
                        "{}: no model more has a name that begins with `{part}`",
                        mutant.name
                    ));
                }
            }
            plans.push((*mutant, names));
        }
        Ok(plans)
    }

    /// Runs one model, with a mutant or without.
    pub(super) fn run(&self, name: &str, mutant: Option<&Mutant>) -> Run {
        let mut command = Command::new(&self.program);
        command.args(["--exact", name, "--test-threads", "1"]);
        // Somebody's own bounds would change what is looked at.
        for variable in ["LOOM_MAX_PREEMPTIONS", "LOOM_MAX_BRANCHES", "LOOM_MAX_DURATION", "LOOM_LOG"] {
            command.env_remove(variable);
        }
        match mutant {
            Some(mutant) => command.env(VARIABLE, mutant.number.to_string()),
            None => command.env_remove(VARIABLE),
        };
        match end(&mut command) {
            Ok((Some(status), _)) if status.success() => Run::Passed,
            Ok((Some(status), said)) => Run::Failed(reason(&said).unwrap_or_else(|| status.to_string())),
            Ok((None, _)) => Run::TimedOut,
            Err(error) => Run::Failed(cannot_start(&command, &error)),
        }
    }
}

fn build(project: &Project, copy: &Path, target: &str) -> Result<PathBuf, String> {
    let mut command = project.cargo();
    command.current_dir(copy).args(["test", "--release", "--package", "sync", "--lib", "--no-run"]);
    command.args(["--quiet", "--message-format", "json-render-diagnostics"]);
    command.env("RUSTFLAGS", "--cfg trefoil_loom").env("CARGO_TARGET_DIR", target);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| cannot_start(&command, &error))?;
    if !output.status.success() {
        return Err(
            "the mutants do not compile: mend the `find` or the `replace` that rustc complains of above"
                .into(),
        );
    }
    // The last program that cargo names.
    let messages = String::from_utf8_lossy(&output.stdout);
    let programs = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = programs.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    programs.next_back().ok_or_else(|| "cargo has built no program of models".into())
}

fn names(program: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let output = command.args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|error| cannot_start(&command, &error))?;
    let list = String::from_utf8_lossy(&output.stdout);
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.filter(|name| name.starts_with(ALL)).map(str::to_owned).collect())
}

/// Runs a command to its end, or kills it at the limit; what it said.
fn end(command: &mut Command) -> io::Result<(Option<ExitStatus>, String)> {
    let (mut reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command owns two ends for writing; while they are open, the output has no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let said = thread::spawn(move || {
        let mut said = Vec::new();
        // What could not be read is not shown; the exit code is the verdict.
        let _ = reader.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begin.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    Ok((status, said.join().unwrap_or_default()))
}

/// The first panic's message: its first line.
fn reason(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at ")).skip(1);
    lines.find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_panic_is_the_reason() {
        let said = "running 1 test\n\nthread 'a' (7) panicked at src/a.rs:3:5:\n  deadlock\nnote: x\nthread panicked at b:\nlater\n";
        assert_eq!(reason(said).as_deref(), Some("deadlock"));
        assert_eq!(reason("test result: ok."), None);
    }

    #[test]
    fn what_a_command_says_is_heard_and_its_code() {
        let (status, said) = end(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"])).unwrap();
        assert_eq!((status.and_then(|status| status.code()), said.as_str()), (Some(3), "one\ntwo\n"));
    }
}
