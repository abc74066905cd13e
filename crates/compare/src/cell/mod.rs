//! One cell: a fresh process that does one piece of verified work, watched from outside.
//!
//! - `process` starts the contestant and ends it, whole tree, whatever it does
//! - `pipes` are its three streams
//! - `watch` looks at the tree through `/proc`: processes, threads, memory, CPU time
//! - `talk` holds the conversation and judges every answer
//! - `sample` is what comes out

mod pipes;
mod process;
mod sample;
mod talk;
mod watch;

pub(crate) use process::{Launch, ask, become_subreaper, kill_current_and_exit, last_line, on_cpus};
pub(crate) use sample::Sample;
pub(crate) use talk::{CellOrder, run};
pub(crate) use watch::{Process, TICKS_PER_SECOND, all_processes, pid, stolen_seconds};

/// A cell takes every child of this process for its own, so tests that start some go one at a time.
#[cfg(test)]
pub(crate) static ONE_TREE: std::sync::Mutex<()> = std::sync::Mutex::new(());
