//! 24. Two threads with work of their own
//!
//! Shows: the program of 23 with threads: two functions run at the same time, share the story they tell, and are waited
//! for.
//!
//! Beside 23 little changes: what is started, and that the workers need hand nothing back, for they write into the memory
//! that all share. The document keeps threads for waiting on files and networks; that is Python's limit, not Rust's.

#![forbid(unsafe_code)]

use std::error::Error;
use std::thread;
use tutorials::Story;

static STORY: Story = Story::new();

fn worker_1() -> thread::ThreadId {
    STORY.say("worker 1 runs");
    thread::current().id()
}

fn worker_2() -> thread::ThreadId {
    STORY.say("worker 2 runs");
    thread::current().id()
}

fn main() -> Result<(), Box<dyn Error>> {
    let first = threads::spawn(worker_1)?;
    let second = threads::spawn(worker_2)?;
    let ids = [first.id(), second.id()];
    let ran_on = [first.join()?, second.join()?];
    STORY.say("both threads are done");

    assert_eq!(ran_on, ids);
    assert_ne!(ids[0], ids[1]);
    assert!(!ids.contains(&thread::current().id()));
    STORY.assert_order(&["worker 1 runs", "both threads are done"]);
    STORY.assert_order(&["worker 2 runs", "both threads are done"]);
    assert_eq!(STORY.told().len(), 3);
    Ok(())
}
