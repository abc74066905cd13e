//! The engine's program; `cargo xtask compare` builds and starts it.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    compare::main(std::env::args_os())
}
