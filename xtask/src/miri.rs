//! `cargo xtask test --miri [PROGRAM]...`: the test programs of `sync` under Miri, which sees each access that is not allowed.
//!
//! Which programs, and by which rules, stands here; what has been run when, in `docs/unsafe.md`.

use std::ffi::OsString;
use std::process::Command;

use lexopt::prelude::*;

use crate::project::{Project, answers, status};
use crate::{Stop, unexpected};

/// Programs by the same rules.
struct Group {
    /// Besides those of all.
    flags: &'static str,
    programs: &'static [&'static str],
    /// What the programs are given: names of tests, or options.
    args: &'static [&'static str],
}

/// The tests in the sources.
const LIB: &str = "lib";

/// The timer's thread outlives the tests by some seconds, and what it has counts as leaked. The tests count drops themselves.
const BESIDE_THE_TIMER: &str = "-Zmiri-ignore-leaks";

const GROUPS: [Group; 6] = [
    Group { flags: "", programs: &["task", "own_cells", "several_tasks"], args: &[] },
    Group { flags: "", programs: &[LIB], args: &["timer::"] },
    Group {
        // The stack and the hazards make pointers out of numbers, and say so.
        flags: "-Zmiri-permissive-provenance",
        programs: &["lockfree_models", "lockfree_threads", "lockfree_going_away"],
        args: &[],
    },
    Group { flags: BESIDE_THE_TIMER, programs: &[LIB], args: &["wait::", "queue::", "lock::", "owner::"] },
    Group {
        flags: BESIDE_THE_TIMER,
        programs: &[
            "awaited_limits",
            "barrier",
            "broadcast",
            "condvar",
            "cooperative",
            "event",
            "five_ways",
            "forgotten",
            "going_away",
            "mutex",
            "mutex_guards",
            "mutex_when",
            "nobody_comes_by",
            "notify",
            "once",
            "oneshot",
            "panics",
            "poison",
            "queue",
            "queue_alike",
            "queue_ends",
            "queue_forgotten",
            "queue_hand",
            "queue_hand_wakers",
            "queue_orders",
            "rlock",
            "rlock_hubs",
            "rlock_model",
            "rlock_owners",
            "rwlock",
            "rwlock_first_task",
            "rwlock_upgrade",
            "select",
            "select_model",
            "select_puts",
            "semaphore",
            "semaphore_model",
            "timer",
            "watch",
        ],
        args: &[],
    },
    Group {
        flags: BESIDE_THE_TIMER,
        programs: &["queue_orders_model", "polled_and_dropped"],
        // What they count is counted of all threads together.
        args: &["--test-threads=1"],
    },
];

/// Whether these arguments of `test` ask for Miri.
pub(crate) fn is_asked_for(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--miri")
}

/// `cargo xtask test --miri [PROGRAM]...`.
pub(crate) fn test(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let mut wanted = Vec::new();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("miri") => {}
            Value(program) => wanted.push(program.string()?),
            other => return Err(unexpected("test --miri", other)),
        }
    }
    let known = || GROUPS.iter().flat_map(|group| group.programs);
    if let Some(unknown) = wanted.iter().find(|wanted| !known().any(|program| program == wanted)) {
        return Err(Stop::Usage(format!(
            "Miri runs no program of `sync` that is called `{unknown}`; those that it does stand in xtask/src/miri.rs"
        )));
    }
    if !answers(nightly(project).args(["miri", "--version"])) {
        return Err(Stop::Failed(
            "there is no Miri here; install it by `rustup toolchain install nightly --component miri`".into(),
        ));
    }
    for group in &GROUPS {
        for program in group.programs {
            if wanted.is_empty() || wanted.iter().any(|wanted| wanted == program) {
                println!("==> {program} {}", group.args.join(" "));
                status(&mut group.command(project, program))?;
            }
        }
    }
    Ok(())
}

impl Group {
    fn command(&self, project: &Project, program: &str) -> Command {
        let mut command = nightly(project);
        command.args(["miri", "test", "--package", "sync"]);
        match program {
            LIB => command.arg("--lib"),
            program => command.args(["--test", program]),
        };
        command.arg("--").args(self.args);
        command.env("MIRIFLAGS", format!("-Zmiri-disable-isolation {}", self.flags));
        // Those that panic on purpose would take minutes for what nobody reads.
        command.env("RUST_BACKTRACE", "0");
        command
    }
}

/// The cargo of the nightly toolchain: that which started us is of another.
fn nightly(project: &Project) -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(project.root());
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_there() {
        let tests = Project::find().unwrap().root().join("crates/sync/tests");
        for program in GROUPS.iter().flat_map(|group| group.programs).filter(|program| **program != LIB) {
            let is_there = tests.join(program).with_extension("rs").is_file() || tests.join(program).is_dir();
            assert!(is_there, "`sync` has no test program `{program}`");
        }
    }
}
