//! The engine, for tests to start.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    compare::main(std::env::args_os())
}
