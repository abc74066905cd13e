//! What is wrong with a cell: what it did that cannot stand, and what looks odd though it is no failure.

use std::fmt::Display;
use std::time::Duration;

use crate::protocol::Uses;

/// See the module.
#[derive(Debug)]
pub(crate) struct FaultTexts {
    /// It was not over in time.
    pub(crate) no_end: fn(Duration) -> String,
    /// A line that is none of the protocol's, and what the parser says of it.
    pub(crate) not_an_answer: fn(&str, &dyn Display) -> String,
    /// An answer out of turn, and the state in which it came.
    pub(crate) out_of_turn: fn(&str, &str) -> String,
    /// The timed batch, counted from 1, or `None` for the warm-up; the digests it gave; the right one.
    pub(crate) wrong_digest: fn(Option<usize>, &str, &str) -> String,
    /// A batch without iterations or without time: iterations, nanoseconds.
    pub(crate) empty_batch: fn(u64, u64) -> String,
    /// Done, and nothing was timed.
    pub(crate) no_batch: &'static str,
    /// Nanoseconds of work that it claims, and those that have passed.
    pub(crate) impossible_time: fn(u128, u128) -> String,
    /// Nanoseconds of its batches, and those that were asked for.
    pub(crate) too_little_time: fn(u128, u64) -> String,
    /// Done, and there is no outcome.
    pub(crate) no_outcome: &'static str,
    /// Done, and its memory could not be read.
    pub(crate) no_memory: &'static str,
    /// It takes the machine's memory from everyone else: bytes that are left, bytes that were there at its start.
    pub(crate) took_memory: fn(u64, u64) -> String,

    /// How many results it gave for how many tasks.
    pub(crate) wrong_count: fn(usize, usize) -> String,
    /// A task that was to fail gave a result.
    pub(crate) victim_lives: fn(usize, u64) -> String,
    /// A task, what it gave, what is right.
    pub(crate) wrong_result: fn(usize, u64, u64) -> String,
    /// The outcome that it names does not go with how many of how many results are lost.
    pub(crate) wrong_outcome: fn(&str, usize, usize) -> String,
    /// What a lost task's handle said, and that more than its result is lost: how many of how many.
    pub(crate) cause_and_losses: fn(&str, usize, usize) -> String,
    /// What ended the whole program, where that is the outcome.
    pub(crate) ended_program: fn(&dyn Display) -> String,
    /// Its outcome is not the same in each round: all that there were.
    pub(crate) unsteady_outcome: fn(&[&str]) -> String,

    /// An exit by itself.
    pub(crate) exit_code: fn(i32) -> String,
    /// An exit by a signal that has no name.
    pub(crate) signal: fn(i32) -> String,
    /// All is answered, and it stays.
    pub(crate) no_exit: fn(Duration) -> String,
    /// It stays, though it can answer no more.
    pub(crate) closed_answers: &'static str,
    /// All is answered, and it ends badly.
    pub(crate) bad_exit: fn(&dyn Display) -> String,
    /// It ends too early; its last words, if there are any.
    pub(crate) early_exit: fn(&dyn Display, Option<&str>) -> String,
    /// A process by its name and number.
    pub(crate) process: fn(&str, i32) -> String,
    /// Processes that outlived it, by name.
    pub(crate) left_behind: fn(&[String]) -> String,
    /// The same as a remark, where it is not what the cell fails by.
    pub(crate) left_behind_note: fn(usize) -> String,
    /// It wrote to standard output, where no answer goes: what it wrote.
    pub(crate) wrote_to_stdout: fn(&str) -> String,

    /// It does not run where it says; the most processes and threads that were seen, and in how many looks.
    pub(crate) not_its_model: fn(Uses, (u32, u32, u32)) -> String,
    /// One of its workers did the work of all, and how many there are.
    pub(crate) one_did_all: fn(Uses, u32) -> String,
    /// A remark: its CPU time is more than there was.
    pub(crate) much_cpu_time: &'static str,
    /// A remark: how many times as fast as one thread it is, on how many CPUs.
    pub(crate) too_fast: fn(f64, u32) -> String,

    /// Why a cell failed, if that is known, and in which round; round 0 is the check.
    pub(crate) in_round: fn(Option<&str>, u32) -> String,
}
