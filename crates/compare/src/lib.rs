#![cfg_attr(feature = "engine", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "engine"),
    doc = "What the engine of the comparison and its contestants say to each other."
)]
#![forbid(unsafe_code)]

pub mod protocol;

// The commands, in the order in which a run needs them.
#[cfg(feature = "engine")]
mod cli;
#[cfg(feature = "engine")]
mod doctor;
#[cfg(feature = "engine")]
mod foreground;
#[cfg(feature = "engine")]
mod listing;
#[cfg(feature = "engine")]
mod measure;
#[cfg(feature = "engine")]
mod skeleton;

// Who takes part and what there is to do.
#[cfg(feature = "engine")]
mod config;
#[cfg(feature = "engine")]
mod matrix;
#[cfg(feature = "engine")]
mod python;
#[cfg(feature = "engine")]
mod roster;
#[cfg(feature = "engine")]
mod select;
#[cfg(feature = "engine")]
mod server;
#[cfg(feature = "engine")]
mod session;

// Doing it.
#[cfg(feature = "engine")]
mod cell;
#[cfg(feature = "engine")]
mod costs;
#[cfg(feature = "engine")]
mod machine;
#[cfg(feature = "engine")]
mod noise;
#[cfg(feature = "engine")]
mod oracle;
#[cfg(feature = "engine")]
mod progress;
#[cfg(feature = "engine")]
mod rounds;
#[cfg(feature = "engine")]
mod schedule;
#[cfg(feature = "engine")]
mod store;

// What comes of it.
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
pub mod stats;
#[cfg(feature = "engine")]
mod summarize;
#[cfg(feature = "engine")]
pub mod summary;
#[cfg(feature = "engine")]
pub mod table;
#[cfg(feature = "engine")]
mod texts;

#[cfg(feature = "engine")]
mod failure;

/// The engine: reads the command line, does what it says, and returns the exit code.
#[cfg(feature = "engine")]
#[must_use]
pub fn main(arguments: impl Iterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    use cli::{Cli, Command};
    use failure::Failure;

    let cli = match Cli::read(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            error.print().ok();
            return u8::try_from(error.exit_code()).unwrap_or(2).into();
        }
    };
    let result = match cli.command {
        Some(Command::New { kind, name }) => skeleton::write(kind, &name),
        Some(Command::Report { run, show }) => measure::report_again(run.as_deref(), &show),
        Some(Command::Doctor) => doctor::run(),
        None => measure::measure(&cli.options),
    };
    result.unwrap_or_else(|failure| {
        measure::say(&format!("compare: {failure}"));
        match failure {
            Failure::Usage(_) => 2.into(),
            Failure::Internal(_) => 1.into(),
        }
    })
}
