//! 18. A lost update, and threads that take a lock and speak in turn
//!
//! Shows: two threads read a number, both add one and both write: one of the two is lost. With a lock none is, and what a
//! thread says under it is never mixed with what another says.
//!
//! The document's race takes a lucky moment; here both threads are made to read before either writes, so it happens every
//! time. It blames bytecode and the interpreter lock, but the gap is in the work itself: it reads, computes and writes.
//! Rust refuses to compile the plain `n = n + 1` on a shared number. What it cannot see is this: each step is atomic, and
//! the three together are not.
//!
//! The document concludes that locks make threads slow, and that coroutines need none. Both are too simple: a lock that is
//! free costs nanoseconds, and a task that awaits between reading and writing loses updates just the same: see 21.

#![forbid(unsafe_code)]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;
use sync::{Barrier, Mutex};
use threads::Thread;
use tutorials::Story;

static STORY: Story = Story::new();

const THREADS: usize = 4;
const LINES: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    assert_eq!(without_a_lock()?, 1, "two additions came to one");
    assert_eq!(with_a_lock()?, 2);
    STORY.say("with a lock, none is lost");
    blocks()
}

fn without_a_lock() -> Result<u32, Box<dyn Error>> {
    let n = Arc::new(AtomicU32::new(0));
    let both_have_read = Arc::new(Barrier::new(2));
    let add = || {
        let (n, both_have_read) = (Arc::clone(&n), Arc::clone(&both_have_read));
        threads::spawn(move || {
            // `Relaxed` is enough: the barrier orders the steps, and `join` what comes after.
            let read = n.load(Ordering::Relaxed);
            both_have_read.wait().expect("nobody breaks it");
            n.store(read + 1, Ordering::Relaxed);
        })
    };
    let (first, second) = (add()?, add()?);
    first.join()?;
    second.join()?;
    let n = n.load(Ordering::Relaxed);
    STORY.say(format_args!("0 + 1 + 1 = {n}: an update was lost"));
    Ok(n)
}

fn with_a_lock() -> Result<u32, Box<dyn Error>> {
    let n = Arc::new(Mutex::new(0));
    let add = || {
        let n = Arc::clone(&n);
        threads::spawn(move || {
            let mut n = n.lock();
            let read = *n;
            // Time enough for the other one, who cannot read before this one has written.
            sleep(Duration::from_millis(10));
            *n = read + 1;
        })
    };
    let (first, second) = (add()?, add()?);
    first.join()?;
    second.join()?;
    let n = *n.lock();
    Ok(n)
}

/// Each thread says three lines under the lock, which is released when the guard goes, whatever happens.
fn blocks() -> Result<(), Box<dyn Error>> {
    let before = STORY.told().len();
    let lock = Arc::new(Mutex::new(()));
    let speak = |number| {
        let lock = Arc::clone(&lock);
        Thread::builder().name(format!("speaker-{number}")).spawn(move || {
            let _guard = lock.lock();
            for line in 0..LINES {
                sleep(Duration::from_millis(10));
                STORY.say(format_args!("speaker {number}, line {line}"));
            }
        })
    };
    let threads = (0..THREADS).map(speak).collect::<Result<Vec<_>, _>>()?;
    for thread in threads {
        thread.join()?;
    }
    STORY.say("main is over");

    let told = STORY.told();
    let (said, end) = told[before..].split_at(THREADS * LINES);
    assert_eq!(end, ["main is over"]);
    let mut speakers: Vec<String> = Vec::new();
    for block in said.chunks(LINES) {
        let speaker = block[0].split(',').next().unwrap_or_default().to_owned();
        let whole: Vec<String> = (0..LINES).map(|line| format!("{speaker}, line {line}")).collect();
        assert_eq!(block, whole, "nobody else speaks in between");
        speakers.push(speaker);
    }
    // In which order they get the lock is nobody's promise.
    speakers.sort();
    assert_eq!(speakers, ["speaker 0", "speaker 1", "speaker 2", "speaker 3"]);
    Ok(())
}
