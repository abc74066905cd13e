//! 4. Two threads run one worker
//!
//! Shows: both threads run the same function, and the main thread waits for both.
//!
//! The document calls threads unfit for work on the CPU, because of Python's interpreter lock. That is true of Python
//! alone: these two compute at the same time, where there are two processors. Nor does any lock but your own protect what
//! they share: here the counter is atomic, and the compiler would accept nothing less.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use tutorials::Story;

static STORY: Story = Story::new();

/// One variable, seen by all threads. `Relaxed` is enough: `join` orders what a thread did before what comes after it.
static RUNS: AtomicU32 = AtomicU32::new(0);

fn worker() -> thread::ThreadId {
    RUNS.fetch_add(1, Ordering::Relaxed);
    STORY.say("a worker runs");
    thread::current().id()
}

fn main() -> Result<(), Box<dyn Error>> {
    let first = threads::spawn(worker)?;
    let second = threads::spawn(worker)?;
    let (first, second) = (first.join()?, second.join()?);
    STORY.say("both are joined");

    assert_ne!(first, second, "an id is never given twice");
    assert_eq!(RUNS.load(Ordering::Relaxed), 2, "both changed the same variable");
    assert_eq!(STORY.told(), ["a worker runs", "a worker runs", "both are joined"]);
    assert_eq!(threads::active_count(), 0, "nothing of them is left");
    Ok(())
}
