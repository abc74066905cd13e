//! `cargo xtask`: the project's own tasks.
//!
//! This program is thin on purpose. It builds in seconds, and everything heavy (the comparison, the tests, the lints) is
//! another program that it starts. It reads its first word, hands the rest to one of the modules below, and ends with
//! the exit code of what it started.

#![forbid(unsafe_code)]

mod cargo_build;
mod ci;
mod compare;
mod miri;
mod mutants;
mod peers;
mod plain_tasks;
mod project;
mod tidy;
mod tour;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::project::Project;

const HELP: &str = "\
The project's own tasks.

Usage: cargo xtask <TASK> [ARG]...

Tasks:
  compare [ARG]...      Build engine and contestants, then measure; `compare --help` lists its options
  compare peers [AREA]  Build our crates' peers and measure head to head; `compare goals [AREA]` holds ours to its goals
  test [--full]         Run what `cargo test --workspace` runs; --full adds the long forms;
                        --peers runs the tests of the peers' workspace instead
  test --mutants [NAME] Weaken each ordering and recheck of `sync` in turn: its models must notice; --quick takes a few
  test --miri [PROGRAM] Run the test programs of `sync` under Miri, or some of them
  ci [STEP]...          Run every check, or the named ones; --list names them, --keep-going does not stop
  tour [--list] [N]     Run the programs of the tutorials, or one of them, each with a line on what it shows
  doc [--open]          Build the documentation of every package
  tidy                  Check the rules that a program can check

Exit codes: 0 well, 1 a check or a task failed, 2 wrong usage, 3 a goal is not met, 101 the comparison's engine does not build;
`compare` and `test` pass on the code of what they start.
";

/// How a task ended when it did not end well.
enum Stop {
    /// The command line makes no sense: exit code 2.
    Usage(String),
    /// The task could not be done: exit code 1.
    Failed(String),
    /// A program was started and gave this code, or this code has been agreed on; all has been said.
    Code(u8),
}

impl From<lexopt::Error> for Stop {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let task = if args.is_empty() { OsString::from("--help") } else { args.remove(0) };
    match run(&task.to_string_lossy(), args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Code(code)) => ExitCode::from(code),
        Err(Stop::Failed(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
        Err(Stop::Usage(why)) => {
            eprintln!("xtask: {why}\n`cargo xtask --help` shows what there is");
            ExitCode::from(2)
        }
    }
}

fn run(task: &str, args: Vec<OsString>) -> Result<(), Stop> {
    if matches!(task, "--help" | "-h" | "help") {
        return project::print(HELP);
    }
    let project = Project::find().map_err(Stop::Failed)?;
    match task {
        "compare" => compare::run(&project, &args),
        "test" if mutants::are_asked_for(&args) => mutants::test(&project, args),
        "test" if miri::is_asked_for(&args) => miri::test(&project, args),
        "test" => plain_tasks::test(&project, args),
        "ci" => ci::run(&project, args),
        "doc" => plain_tasks::doc(&project, args),
        "tour" => tour::run(&project, args),
        "tidy" => tidy::run(&project, args),
        unknown => Err(Stop::Usage(format!("no task is called `{unknown}`"))),
    }
}

/// Refuses a word that a task has no use for.
fn unexpected(task: &str, arg: lexopt::Arg<'_>) -> Stop {
    Stop::Usage(format!("`cargo xtask {task}`: {}", arg.unexpected()))
}
