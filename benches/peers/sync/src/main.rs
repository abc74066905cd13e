//! The program of the area `sync`; `cargo xtask compare peers sync` builds and starts it.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    peers_kit::main(&peers_sync::area())
}
