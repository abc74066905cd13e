//! 23. Two processes with work of their own
//!
//! Shows: two functions run in two processes at the same time, and the parent waits for both.
//!
//! That they share no variable is true of every process, in any language: it is what a process is for. What Python adds is
//! an interpreter in each, which is what makes its processes large.

#![forbid(unsafe_code)]

use procs::Process;
use std::error::Error;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

fn worker_1((): ()) -> (String, u32) {
    println!("worker 1 runs");
    ("worker 1 is done".to_owned(), process::id())
}

fn worker_2((): ()) -> (String, u32) {
    println!("worker 2 runs");
    ("worker 2 is done".to_owned(), process::id())
}

fn main() -> Result<(), Box<dyn Error>> {
    let first = Process::spawn(worker_1, ())?;
    let second = Process::spawn(worker_2, ())?;
    let pids = [first.pid(), second.pid()];

    let mut said_by = Vec::new();
    for process in [first, second] {
        let (said, pid) = process.join()?;
        STORY.say(said);
        said_by.push(pid);
    }
    STORY.say("both processes are done");

    assert_eq!(said_by, pids);
    assert_ne!(pids[0], pids[1]);
    assert_eq!(STORY.told(), ["worker 1 is done", "worker 2 is done", "both processes are done"]);
    Ok(())
}
