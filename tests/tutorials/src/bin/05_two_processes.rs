//! 5. Two processes run one worker
//!
//! Shows: both processes change what looks like the same variable, and each changes its own.
//!
//! Python on Linux forked its children in the middle of the program, up to version 3.13, so they began with a copy of what
//! the parent had in its variables at that moment. These begin as the program itself began, as on Windows: the parent's
//! 100 never reaches them. What a child is to know goes into its argument.

#![forbid(unsafe_code)]

use procs::Process;
use std::error::Error;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use tutorials::Story;

static STORY: Story = Story::new();

/// One variable in each process. `Relaxed` is enough where one thread uses it.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Returns what the variable was here, and what it is afterwards.
fn worker(add: u32) -> (u32, u32) {
    let before = COUNTER.fetch_add(add, Ordering::Relaxed);
    let after = COUNTER.load(Ordering::Relaxed);
    println!("process {}: the counter was {before} and is {after}", process::id());
    (before, after)
}

fn main() -> Result<(), Box<dyn Error>> {
    COUNTER.store(100, Ordering::Relaxed);
    let first = Process::spawn(worker, 1)?;
    let second = Process::spawn(worker, 2)?;
    assert_ne!(first.pid(), second.pid());

    assert_eq!(first.join()?, (0, 1));
    assert_eq!(second.join()?, (0, 2), "it does not see what the first one added");
    assert_eq!(COUNTER.load(Ordering::Relaxed), 100, "and the parent sees neither");
    STORY.say("both are joined, and the parent's counter is still 100");
    Ok(())
}
