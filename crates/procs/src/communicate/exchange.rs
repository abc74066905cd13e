//! Moving the three streams of a command until it has ended.
//!
//! 1. The streams never block: whichever can move does, and when none can, all are waited for together.
//! 2. The command is reaped last. Until then its number, which is also that of its group, cannot be given to anybody
//!    else, so killing the group hits the right one.
//! 3. Whatever happens, the guard kills and reaps: no zombie, nothing left running.

use super::{CommunicateError, Limits, Partial};
use ipc::ready::{self, Interest};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::time::Instant;

pub(super) fn run(command: &mut Command, input: &[u8], limits: Limits) -> Result<Output, CommunicateError> {
    // A time beyond what the clock can say is never reached.
    let deadline = limits.timeout.and_then(|limit| Instant::now().checked_add(limit));
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|why| CommunicateError::start(command, why))?;
    let mut group = Group { child, reaped: false };
    let mut exchange = match Exchange::new(&mut group.child, input, limits) {
        Ok(exchange) => exchange,
        Err(why) => return Err(CommunicateError::start(command, why)),
    };
    let end = loop {
        match exchange.advance() {
            Ok(Progress::Moved) => {}
            Ok(Progress::Full) => break Err(Exceeded::Output),
            Ok(Progress::Ended) => break Ok(()),
            Ok(Progress::Waiting) => match exchange.wait(deadline) {
                Ok(true) => {}
                Ok(false) => break Err(Exceeded::Time),
                Err(why) => break Err(Exceeded::Stream(why)),
            },
            Err(why) => break Err(Exceeded::Stream(why)),
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            break Err(Exceeded::Time);
        }
    };
    let Err(exceeded) = end else {
        let status = group.reap();
        let [stdout, stderr] = exchange.outputs.map(|output| output.bytes);
        return match status {
            Ok(status) => Ok(Output { status, stdout, stderr }),
            // The program has told the system to reap its children by itself.
            Err(why) => {
                let partial = Partial { stdout, stderr, status: None };
                Err(CommunicateError::Stream { why, partial })
            }
        };
    };
    group.kill();
    // What it had written is in the pipes yet. Somebody who has left the group may write for ever.
    for _ in 0..PIPE_CHUNKS_MAX {
        if !matches!(exchange.advance(), Ok(Progress::Moved)) {
            break;
        }
    }
    let status = group.reap().ok();
    let [stdout, stderr] = exchange.outputs.map(|output| output.bytes);
    let partial = Partial { stdout, stderr, status };
    Err(match exceeded {
        Exceeded::Time => CommunicateError::TimedOut { limit: limits.timeout.unwrap_or_default(), partial },
        Exceeded::Output => CommunicateError::TooMuchOutput {
            bytes_max: limits.output_bytes_max.unwrap_or_default(),
            partial,
        },
        Exceeded::Stream(why) => CommunicateError::Stream { why, partial },
    })
}

enum Exceeded {
    Time,
    Output,
    Stream(io::Error),
}

/// A command and all that it has started and that has not left.
struct Group {
    child: Child,
    reaped: bool,
}

impl Group {
    fn kill(&self) {
        // An error means that nobody is there.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            let _ = self.reap();
        }
    }
}

struct Exchange<'a> {
    input: &'a [u8],
    /// `None` once it has all, or wants no more.
    stdin: Option<ChildStdin>,
    outputs: [Collected; 2],
    process: OwnedFd,
    running: bool,
    bytes_left: usize,
}

struct Collected {
    /// `None` once it is closed.
    stream: Option<Box<dyn Stream>>,
    bytes: Vec<u8>,
}

trait Stream: Read + AsFd {}

impl<S: Read + AsFd> Stream for S {}

enum Progress {
    /// Something was read or written: there may be more.
    Moved,
    /// Nothing can move now.
    Waiting,
    /// There is more output than is allowed.
    Full,
    /// The command has ended and its streams are closed.
    Ended,
}

/// How much is moved at once: what a pipe holds by default.
const CHUNK_BYTES: usize = 64 << 10;

/// How much a pipe holds at most, in chunks, unless its maker had special rights.
const PIPE_CHUNKS_MAX: usize = 16;

impl<'a> Exchange<'a> {
    fn new(child: &mut Child, input: &'a [u8], limits: Limits) -> io::Result<Self> {
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        let missing = || io::Error::other("a stream of the command was taken away");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        for stream in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
            // Our ends alone: the command's have flags of their own.
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        let streams: [Box<dyn Stream>; 2] = [Box::new(stdout), Box::new(stderr)];
        Ok(Exchange {
            input,
            stdin: Some(stdin),
            outputs: streams.map(|stream| Collected { stream: Some(stream), bytes: Vec::new() }),
            process,
            running: true,
            bytes_left: limits.output_bytes_max.unwrap_or(usize::MAX),
        })
    }

    /// Moves what can be moved without waiting, a chunk of each stream.
    fn advance(&mut self) -> io::Result<Progress> {
        let mut moved = self.feed()?;
        for output in &mut self.outputs {
            moved |= output.collect(&mut self.bytes_left)?;
        }
        Ok(match () {
            () if self.bytes_left == 0 && self.outputs.iter_mut().any(Collected::has_more) => Progress::Full,
            () if moved => Progress::Moved,
            () if self.is_over() => Progress::Ended,
            () => Progress::Waiting,
        })
    }

    fn is_over(&self) -> bool {
        !self.running && self.outputs.iter().all(|output| output.stream.is_none())
    }

    /// Writes a chunk of the input; closes the stream after the last one, or if nobody reads it.
    fn feed(&mut self) -> io::Result<bool> {
        let Some(stdin) = &mut self.stdin else { return Ok(false) };
        if !self.input.is_empty() {
            match stdin.write(&self.input[..self.input.len().min(CHUNK_BYTES)]) {
                Ok(written) => self.input = &self.input[written..],
                Err(why) if why.kind() == io::ErrorKind::BrokenPipe => self.input = &[],
                Err(why) => return would_block(why).map(|()| false),
            }
        }
        if self.input.is_empty() {
            self.stdin = None;
        }
        Ok(true)
    }

    /// Waits until something can move or the command has ended; `false` if the time has passed.
    fn wait(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        let mut waits: Vec<(BorrowedFd<'_>, Interest)> = Vec::with_capacity(4);
        if self.running {
            waits.push((self.process.as_fd(), Interest::Read));
        }
        waits.extend(self.stdin.iter().map(|stdin| (stdin.as_fd(), Interest::Write)));
        let open = self.outputs.iter().filter_map(|output| output.stream.as_ref());
        waits.extend(open.map(|stream| (stream.as_fd(), Interest::Read)));
        let Some(ready) = ready::wait_any(&waits, deadline)? else { return Ok(false) };
        drop(waits);
        if ready == 0 {
            // The process is first in the list while it runs. Later it is a stream's turn, and this changes nothing.
            self.running = false;
        }
        Ok(true)
    }
}

impl Collected {
    /// Reads a chunk, and no more than may be read; whether there was any.
    fn collect(&mut self, bytes_left: &mut usize) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else { return Ok(false) };
        let room = CHUNK_BYTES.min(*bytes_left);
        if room == 0 {
            return Ok(false);
        }
        let start = self.bytes.len();
        self.bytes.resize(start + room, 0);
        let read = stream.read(&mut self.bytes[start..]);
        self.bytes.truncate(start + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => self.stream = None,
            Ok(read) => *bytes_left -= read,
            Err(why) => return would_block(why).map(|()| false),
        }
        Ok(true)
    }

    /// Whether there is a byte beyond those that may be read. It is not kept.
    fn has_more(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        match stream.read(&mut [0]) {
            Ok(0) => {
                self.stream = None;
                false
            }
            Ok(_) => true,
            Err(_) => false,
        }
    }
}

/// That a stream would block, or was interrupted, is no error here.
fn would_block(why: io::Error) -> io::Result<()> {
    match why.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
        _ => Err(why),
    }
}
