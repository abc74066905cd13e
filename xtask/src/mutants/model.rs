//! The programs that hold models and mutants: how they are built, and how one model is run in a process of its own.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::copy::{self, VARIABLE};
use super::table::{Mutant, Table};
use super::{LIMIT, LIMIT_OF_UNWINDING, Plan};
use crate::project::{Project, cannot_start};

/// Loom's program, and shuttle's if a mutant needs it.
pub(super) struct Models {
    programs: Vec<Program>,
}

struct Program {
    path: PathBuf,
    /// What its models are called.
    names: Vec<String>,
}

/// Who runs models.
struct Runner {
    /// What the code is told of it.
    cfg: &'static str,
    /// What the names of its models begin with.
    all: &'static str,
}

const LOOM: Runner = Runner { cfg: "trefoil_loom", all: "models::" };
const SHUTTLE: Runner = Runner { cfg: "trefoil_shuttle", all: "schedules::" };

/// What stands in the first line of a panic's report.
const PANIC: &str = "panicked at ";

/// How a run of a model ended.
pub(super) enum Run {
    Passed,
    /// With what it said first.
    Failed(String),
    TimedOut,
}

impl Models {
    /// What the `chosen` mutants need.
    pub(super) fn build(project: &Project, table: &Table, chosen: &[&Mutant]) -> Result<Self, String> {
        let metadata = project.metadata()?;
        let target = metadata["target_directory"].as_str().ok_or("cargo names no target folder")?;
        let copy = Path::new(target).join("mutants");
        copy::make(project.root(), table, &copy)?;
        let is_shuttles = |part: &String| part.starts_with(SHUTTLE.all);
        let shuttle = chosen.iter().flat_map(|mutant| &mutant.models).any(is_shuttles).then_some(SHUTTLE);
        let runners = [LOOM].into_iter().chain(shuttle);
        let programs = runners.map(|runner| {
            let path = build(project, &copy, target, &runner)?;
            let names = names(&path, &runner)?;
            Ok(Program { path, names })
        });
        Ok(Models { programs: programs.collect::<Result<_, String>>()? })
    }

    /// The models of each mutant, those that it names first before the others.
    pub(super) fn plan<'t>(&self, mutants: &[&'t Mutant]) -> Result<Vec<Plan<'t>>, String> {
        let mut plans = Vec::new();
        for mutant in mutants {
            let mut names: Vec<String> = Vec::new();
            for part in &mutant.models {
                let found = self.programs.iter().flat_map(|program| &program.names);
                let found = found.filter(|name| is_named(name, part));
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
        let program = self.programs.iter().find(|program| program.names.iter().any(|there| there == name));
        let Some(program) = program else { return Run::Failed("there is no such model".into()) };
        let mut command = Command::new(&program.path);
        // What it says is heard as it is said.
        command.args(["--exact", name, "--test-threads", "1", "--nocapture"]);
        // Somebody's own bounds would change what is looked at.
        for variable in ["LOOM_MAX_PREEMPTIONS", "LOOM_MAX_BRANCHES", "LOOM_MAX_DURATION", "LOOM_LOG"] {
            command.env_remove(variable);
        }
        // Shuttle draws the same schedules each time.
        command.env_remove("TREFOIL_FULL").env("TREFOIL_SEED", "1");
        match mutant {
            Some(mutant) => command.env(VARIABLE, mutant.number.to_string()),
            None => command.env_remove(VARIABLE),
        };
        match end(&mut command) {
            Ok((Some(status), _)) if status.success() => Run::Passed,
            Ok((Some(status), said)) => Run::Failed(reason(&said).unwrap_or_else(|| status.to_string())),
            Ok((None, said)) => reason(&said).map_or(Run::TimedOut, Run::Failed),
            Err(error) => Run::Failed(cannot_start(&command, &error)),
        }
    }
}

/// Whether a model's name begins as a mutant says: behind `models::`, or with `schedules::`.
fn is_named(name: &str, part: &str) -> bool {
    name.strip_prefix(LOOM.all).unwrap_or(name).starts_with(part)
}

fn build(project: &Project, copy: &Path, target: &str, runner: &Runner) -> Result<PathBuf, String> {
    let mut command = project.cargo();
    command.current_dir(copy).args(["test", "--release", "--package", "sync", "--lib", "--no-run"]);
    command.args(["--quiet", "--message-format", "json-render-diagnostics"]);
    // A model's time is that of who runs it, which is optimized; to optimize the mutants as well, or all of it as a whole, would take longer
    // than to run most of them.
    for setting in ["package.sync.opt-level=1", "package.sync.codegen-units=16", "lto='off'", "debug=false"] {
        command.arg("--config").arg(format!("profile.release.{setting}"));
    }
    command.env("RUSTFLAGS", format!("--cfg {}", runner.cfg)).env("CARGO_TARGET_DIR", target);
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

fn names(program: &Path, runner: &Runner) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    let output = command.args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|error| cannot_start(&command, &error))?;
    let list = String::from_utf8_lossy(&output.stdout);
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.filter(|name| name.starts_with(runner.all)).map(str::to_owned).collect())
}

/// Runs a command to its end, or kills it at the limit; what it said. One that has panicked has little time left: what it destroys as
/// it unwinds may wait for ever, and loom writes down each step of that.
fn end(command: &mut Command) -> io::Result<(Option<ExitStatus>, String)> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command owns two ends for writing; while they are open, the output has no end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let has_panicked = Arc::new(AtomicBool::new(false));
    let said = thread::spawn({
        let has_panicked = Arc::clone(&has_panicked);
        move || hear(BufReader::new(reader), &has_panicked)
    });
    // What was waited here, and not what a clock says: a machine that stands still for a while does not count as a model that
    // does not end.
    let (mut waited, mut since_the_panic) = (Duration::ZERO, Duration::ZERO);
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if waited > LIMIT || since_the_panic > LIMIT_OF_UNWINDING {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(pause);
        waited += pause;
        if has_panicked.load(Ordering::Relaxed) {
            since_the_panic += pause;
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    Ok((status, said.join().unwrap_or_default()))
}

/// All that is said, up to a line that cannot be read; the exit code is the verdict.
fn hear(lines: impl BufRead, has_panicked: &AtomicBool) -> String {
    let mut said = String::new();
    for line in lines.lines().map_while(Result::ok) {
        said.push_str(&line);
        said.push('\n');
        if line.contains(PANIC) {
            has_panicked.store(true, Ordering::Relaxed);
        }
    }
    said
}

/// The first panic's message: its first line.
fn reason(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains(PANIC)).skip(1);
    lines.find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_names_models_behind_their_prefix_and_schedules_with_it() {
        assert!(is_named("models::queue::one_to_one", "queue::one"));
        assert!(is_named("schedules::queues::one_to_one", "schedules::queues::one"));
        assert!(!is_named("models::queue::one_to_one", "schedules::queues::one"));
        assert!(!is_named("schedules::queues::one_to_one", "queue"));
    }

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

    #[test]
    fn a_command_that_does_not_end_after_a_panic_is_ended() {
        let script = "echo thread x panicked at y:; echo why; exec sleep 1000";
        let (status, said) = end(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!((status, reason(&said).as_deref()), (None, Some("why")));
    }
}
