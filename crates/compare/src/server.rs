//! The program that `fetch` asks, started for the run and ended with it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cell::{Process, all_processes, on_cpus, pid};
use crate::texts::EN;

/// The running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts the program, on a CPU of its own if one is given, and waits for the address that it prints.
    pub(crate) fn start(program: &Path, cpu: Option<usize>) -> Result<Self, String> {
        let mut command = Command::new(program);
        // A group of its own, so that a Ctrl-C meant for us does not end it under a contestant that is still asking.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let cpus: Vec<usize> = cpu.into_iter().collect();
        let mut child = on_cpus(&cpus, || command.spawn())
            .map_err(|error| (EN.absences.server_not_started)(&program.display(), &error))?;
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
                Err((EN.absences.server_silent)(&program.display()))
            }
        }
    }

    /// Where it listens, if it still does.
    pub(crate) fn address(&self) -> Result<String, String> {
        if self.lives() { Ok(self.address.clone()) } else { Err(EN.absences.server_ended.to_owned()) }
    }

    /// Asked of the process table, because whoever waits for any child may have taken the news already.
    fn lives(&self) -> bool {
        our_children().any(|process| process.pid == self.pid() && process.state != 'Z')
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        pid(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its number may belong to somebody else by now.
        if self.lives() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

fn our_children() -> impl Iterator<Item = Process> {
    let own = pid(std::process::id());
    all_processes().filter(move |process| process.parent == own)
}
