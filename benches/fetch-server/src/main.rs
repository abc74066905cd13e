//! The HTTP server that the workload `fetch` asks.
//!
//! A contestant's waiting is measured, so the other side must not be anybody's home ground: this is a bare event loop
//! over epoll in one thread, with none of the runtimes that are measured. It answers `GET /<delay_ms>/<id>` after
//! `delay_ms`, counted from the arrival of the request, with a page of text that belongs to the target alone, and
//! anything else with 404; then it closes the connection.
//!
//! It binds a free port of 127.0.0.1, prints the address as its only line, and ends when its standard input does.
//!
//! - `server`: the event loop;
//! - `connections`: who is connected, under which number;
//! - `connection`: what one of them is at;
//! - `timers`: what is due when;
//! - `request`: what was asked, and the answer.

#![forbid(unsafe_code)]

mod connection;
mod connections;
mod request;
mod server;
mod timers;

use server::Server;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fetch-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    // Should the engine be killed, nobody would close our standard input if another process has inherited it too.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    let server = Server::bind("127.0.0.1:0")?;
    println!("{}", server.address()?);
    server.run(io::stdin())
}
