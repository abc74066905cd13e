//! 14. A writer, a reader that never ends, and a queue between them
//!
//! Shows: one process puts three items into a queue, another takes them out in order and would wait for more for ever, so
//! it is terminated, and its handle says so.
//!
//! The document's parent terminates the reader as soon as the writer has ended, and hopes that the last item has been
//! read. This one waits until the reader has told of all three. (A `kill` in the middle of a `get` can also leave Python's
//! queue locked for good. Nothing is locked here by a reader that dies.)
//!
//! There is a gentler way, with no end from outside: a queue whose last sender is gone says so to its reader, who can
//! then return. This parent holds a sender, so the queue stays open.

#![forbid(unsafe_code)]

use ipc::{Receiver, Sender};
use procs::{JoinError, Process};
use std::error::Error;
use std::process;
use std::thread;
use std::time::Duration;
use tutorials::Story;

static STORY: Story = Story::new();

const ITEMS: [&str; 3] = ["A", "B", "C"];

/// `SIGTERM` on Linux.
const TERMINATED: i32 = 15;

fn write(queue: Sender<String>) -> Result<(), String> {
    println!("writer: process {}", process::id());
    for item in ITEMS {
        println!("writer: puts {item}");
        queue.send(item.to_owned()).map_err(|error| error.to_string())?;
        thread::sleep(Duration::from_millis(50));
    }
    // The end of the function would do it as well.
    drop(queue);
    Ok(())
}

/// Tells of each item that it has read. Ends only with an error.
fn read((queue, report): (Receiver<String>, Sender<String>)) -> Result<(), String> {
    println!("reader: process {}", process::id());
    loop {
        let item = queue.recv().map_err(|error| error.to_string())?;
        println!("reader: gets {item}");
        report.send(item).map_err(|error| error.to_string())?;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    STORY.say(format_args!("parent: process {}", process::id()));
    let (sender, receiver) = ipc::channel(8)?;
    let (report, reports) = ipc::channel(8)?;
    let writer = Process::spawn(write, sender.clone())?;
    let reader = Process::spawn(read, (receiver, report))?;

    writer.join()??;
    STORY.say("parent: the writer has ended");
    let read = ITEMS.map(|_| reports.recv());
    for (item, read) in ITEMS.iter().zip(read) {
        assert_eq!(read?, *item, "read in the order of writing");
    }
    STORY.say("parent: the reader has read everything");

    assert!(reader.is_alive(), "it waits for more");
    let pid = reader.pid();
    reader.terminate()?;
    let end = reader.join();
    match end {
        Err(JoinError::Killed { pid: killed, signal: TERMINATED }) => assert_eq!(killed, pid),
        other => panic!("the reader was terminated, and its handle says {other:?}"),
    }
    STORY.say("parent: the reader was terminated");
    assert!(reports.recv().is_err_and(|error| error.is_disconnected()), "it read nothing else");
    drop(sender);
    Ok(())
}
