//! 1. Four processes run one function
//!
//! Shows: one function runs in four processes, each with a number of its own, and the parent goes on when all of them
//! have ended.
//!
//! A loop starts them and a second one joins them. Joining in the first loop would run them one after the other.
//!
//! Python needs `if __name__ == "__main__"` around this, because a child may import the module from its first line on.
//! Here no child comes by `main`, so nothing has to be guarded.

#![forbid(unsafe_code)]

use procs::Process;
use std::collections::BTreeSet;
use std::error::Error;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

fn worker(number: u32) -> u32 {
    println!("worker {number} runs in process {}", process::id());
    process::id()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut processes = Vec::new();
    for number in 1..=4 {
        let process = Process::spawn(worker, number)?;
        STORY.say(format_args!("process {number} was started"));
        processes.push(process);
    }

    // The system gives numbers in turn, so the number of a process that has ended does not come again so soon.
    let started: BTreeSet<u32> = processes.iter().map(Process::pid).collect();
    assert_eq!(started.len(), 4, "four processes have four different numbers");
    assert!(!started.contains(&process::id()), "and none has the parent's");

    let mut ended = BTreeSet::new();
    for process in processes {
        let pid = process.pid();
        assert_eq!(process.join()?, pid, "the function ran in the process that the handle names");
        ended.insert(pid);
    }
    STORY.say("all have ended");

    assert_eq!(ended, started);
    STORY.assert_order(&["process 1 was started", "process 4 was started", "all have ended"]);
    Ok(())
}
