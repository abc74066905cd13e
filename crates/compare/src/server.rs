//! The program that `fetch` asks, started for the run and ended with it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts the program and waits for the address that it prints.
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the server {} does not start: {error}", program.display()))?;
        let (sender, receiver) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut line = String::new();
                if BufReader::new(stdout).read_line(&mut line).is_ok() {
                    sender.send(line.trim().to_owned()).ok();
                }
            });
        }
        match receiver.recv_timeout(Duration::from_secs(5)) {
            Ok(address) if !address.is_empty() => Ok(Self { child, address }),
            _ => {
                child.kill().ok();
                child.wait().ok();
                Err(format!("the server {} printed no address", program.display()))
            }
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        crate::cell::pid(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
