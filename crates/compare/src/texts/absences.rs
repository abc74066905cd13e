//! Why a model or a cell is not here: what it lacks, what it cannot do, or what was not asked for.

use std::fmt::Display;
use std::time::Duration;

use crate::protocol::Profile;

/// See the module.
#[derive(Debug)]
pub(crate) struct AbsenceTexts {
    /// A program that does not start, and why.
    pub(crate) cannot_start: fn(&str, &dyn Display) -> String,
    /// A contestant without a program.
    pub(crate) empty_command: &'static str,
    /// A line that is none of the protocol's.
    pub(crate) invalid_answer: fn(&dyn Display) -> String,
    /// It said nothing for so long.
    pub(crate) no_answer: fn(Duration) -> String,
    /// It ended instead of answering: its last words, if there are any, and how it ended.
    pub(crate) ended_early: fn(Option<&str>, &dyn Display) -> String,
    /// Its version of the protocol, and ours.
    pub(crate) other_version: fn(u32, u32) -> String,
    /// What it answered to `describe`.
    pub(crate) no_description: fn(&dyn Display) -> String,
    /// None of these programs is there.
    pub(crate) not_on_path: fn(&[&str]) -> String,
    /// A word of a command in `compare.toml` offers no choice.
    pub(crate) empty_word: &'static str,

    /// The interpreter that was found is none: what it said.
    pub(crate) does_not_run: fn(&dyn Display, &str) -> String,
    /// Packages that may not be fetched.
    pub(crate) packages_offline: fn(&str) -> String,
    /// A folder that cannot be made, and why.
    pub(crate) cannot_make: fn(&dyn Display, &dyn Display) -> String,
    /// A file that cannot be written, and why.
    pub(crate) cannot_write: fn(&dyn Display, &dyn Display) -> String,
    /// The last that was heard of making Python's environment.
    pub(crate) no_environment: fn(&str) -> String,

    /// The build made no server.
    pub(crate) no_server: &'static str,
    /// The server's program, and why it does not start.
    pub(crate) server_not_started: fn(&dyn Display, &dyn Display) -> String,
    /// The server's program, which does not say where it listens.
    pub(crate) server_silent: fn(&dyn Display) -> String,
    /// The server is gone.
    pub(crate) server_ended: &'static str,
    /// There is no folder to read.
    pub(crate) no_sources: &'static str,
    /// What is in the folder is not what was there when the round began.
    pub(crate) folder_changed: &'static str,
    /// What the oracle answered, which is no input.
    pub(crate) oracle_answered: fn(&dyn Display) -> String,
    /// Why the oracle made no input.
    pub(crate) no_input: fn(&str) -> String,

    /// The model does not name the workload.
    pub(crate) unknown_workload: &'static str,
    /// The most that a model takes of a workload.
    pub(crate) takes_at_most: fn(u64) -> String,
    /// A cell that this profile leaves out; whether the default profile alone does.
    pub(crate) left_out: fn(Profile, bool) -> &'static str,
}
