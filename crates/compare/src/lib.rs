#![cfg_attr(feature = "engine", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "engine"),
    doc = "What the engine of the comparison and its contestants say to each other."
)]
#![forbid(unsafe_code)]

pub mod protocol;

// The engine asks /proc what a contestant does, keeps it in a process group and on a set of CPUs: it runs on Linux. The
// statistics and the protocol are for every platform.

// The commands, in the order in which a run needs them.
#[cfg(all(feature = "engine", target_os = "linux"))]
mod cli;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod doctor;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod foreground;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod listing;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod measure;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod peers;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod skeleton;

// Who takes part and what there is to do.
#[cfg(all(feature = "engine", target_os = "linux"))]
mod config;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod matrix;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod python;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod roster;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod select;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod server;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod session;

// Doing it.
#[cfg(all(feature = "engine", target_os = "linux"))]
mod cell;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod costs;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod machine;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod noise;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod oracle;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod progress;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod rounds;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod schedule;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod store;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod user_folder;

// What comes of it.
#[cfg(all(feature = "engine", target_os = "linux"))]
pub mod report;
#[cfg(feature = "engine")]
pub mod stats;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod summarize;
#[cfg(feature = "engine")]
pub mod summary;
#[cfg(all(feature = "engine", target_os = "linux"))]
pub mod table;
#[cfg(all(feature = "engine", target_os = "linux"))]
mod texts;

#[cfg(all(feature = "engine", target_os = "linux"))]
mod failure;

/// The engine: reads the command line, does what it says, and returns the exit code.
#[cfg(all(feature = "engine", target_os = "linux"))]
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
        Some(Command::Peers(options)) => peers::peers(&options),
        Some(Command::Goals(options)) => peers::goals(&options),
        None if cli.options.check_arguments => session::check(&cli.options),
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

/// The engine, where it cannot run: says so, with exit code 1.
#[cfg(all(feature = "engine", not(target_os = "linux")))]
#[must_use]
pub fn main(_arguments: impl Iterator<Item = std::ffi::OsString>) -> std::process::ExitCode {
    eprintln!(
        "compare: the comparison runs on Linux only, for it watches contestants through /proc; this is {}",
        std::env::consts::OS
    );
    std::process::ExitCode::FAILURE
}
