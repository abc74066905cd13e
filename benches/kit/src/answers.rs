//! Where answers go: one line of JSON each, at once, on a descriptor of their own.
//!
//! There is one engine per process, so this is the one thing that is global: a model must be able to say
//! [`limit`] from the middle of anything. In tests nothing is connected and answers are dropped.

use compare::protocol::{ANSWER_FD, Answer};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::process;
use std::sync::{Mutex, OnceLock, PoisonError};

static ENGINE: OnceLock<Mutex<File>> = OnceLock::new();

/// Opens the answer descriptor. Later calls change nothing.
pub(crate) fn connect() -> Result<(), String> {
    let path = format!("/dev/fd/{ANSWER_FD}");
    let file = OpenOptions::new().write(true).open(&path).map_err(|error| {
        format!("cannot write to {path}: {error}; a contestant is started by the engine, by hand append `{ANSWER_FD}>&1`")
    })?;
    ENGINE.get_or_init(|| Mutex::new(file));
    Ok(())
}

/// Writes one answer. If the engine is gone there is nobody left to work for, and the process ends.
pub(crate) fn say(answer: &Answer) {
    let Some(engine) = ENGINE.get() else { return };
    let mut line = serde_json::to_vec(answer).expect("an answer is plain data");
    line.push(b'\n');
    let written = engine.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
    if let Err(error) = written {
        eprintln!("cannot answer the engine: {error}");
        process::exit(1);
    }
}

/// Waits for one line from the engine, or for the end of its interest; returns the line.
pub(crate) fn listen() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Waits for the engine to go on, if there is one.
pub(crate) fn await_word() {
    if ENGINE.get().is_some() && listen().is_err() {
        process::exit(1);
    }
}

/// The machine has refused something that the model needs: says so to the engine and ends the process.
///
/// `why` names the limit, its value and the remedy. In a test, where no engine listens, it panics instead.
pub fn limit(why: impl Into<String>) -> ! {
    let why = why.into();
    assert!(ENGINE.get().is_some(), "limit: {why}");
    say(&Answer::Limit { why });
    process::exit(0);
}
