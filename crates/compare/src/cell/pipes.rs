//! The three streams to and from a contestant, each with a thread of its own, so that neither side can stop the other.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A line that the contestant answered, with the moment of its arrival. The channel ends with the contestant's answers.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) text: String,
}

/// The end of a stream, read by a thread of its own that ends with the stream.
#[derive(Debug)]
pub(super) struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Never sent to; it closes when all is read.
    reading: Receiver<()>,
}

impl Tail {
    pub(super) fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (open, reading) = mpsc::channel();
        if let Some(mut stream) = stream {
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend_from_slice(&piece[..count]);
                    let surplus = kept.len().saturating_sub(TAIL_BYTES);
                    kept.drain(..surplus);
                }
                drop(open);
            });
        }
        Self { kept, reading }
    }

    /// What was read. Called when all writers are gone, so the stream has an end; the limit is for a descriptor that was
    /// handed to a process that is none of ours.
    pub(super) fn text(&self) -> String {
        self.reading.recv_timeout(DRAIN).ok();
        String::from_utf8_lossy(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

pub(super) fn write_lines(stdin: Option<impl Write + Send + 'static>) -> Sender<String> {
    let (sender, lines) = mpsc::channel::<String>();
    if let Some(mut stdin) = stdin {
        // A thread of its own, because a contestant that does not read must not stop us.
        thread::spawn(move || {
            for line in lines {
                if stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).is_err() {
                    return;
                }
            }
        });
    }
    sender
}

pub(super) fn read_lines(pipe: File) -> Receiver<Line> {
    // Bounded, so that a contestant that never stops talking fills the pipe and not our memory.
    let (sender, receiver) = mpsc::sync_channel(LINES_AHEAD);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut bytes = Vec::new();
            match pipe.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes) {
                Ok(1..) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    if sender.send(Line { at: Instant::now(), text }).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    });
    receiver
}

/// How long what was written may take to be read.
pub(super) const DRAIN: Duration = Duration::from_millis(200);

/// How much of a contestant's output is kept to be shown when it fails.
const TAIL_BYTES: usize = 64 * 1024;

/// How many answers may wait to be heard.
const LINES_AHEAD: usize = 16;

/// The longest answer. The largest honest one is a description of some ten KiB.
const LINE_BYTES: u64 = 1024 * 1024;
