//! 21. Four tasks on one loop in one thread
//!
//! Shows: four tasks that sleep a second each are done after one second and not after four, on a single thread; and a
//! single thread does not make locks needless.
//!
//! The document's tasks are generators that a decorator turns into coroutines, which Python has given up since. In Rust
//! they are `async fn`s from the start.
//!
//! It says that coroutines need no lock. They need none between two `.await`s, where nobody else runs. A task that awaits
//! between reading and writing loses updates as threads do, which the second part shows.

#![forbid(unsafe_code)]

use async_rt::{Backend, Executor, Runtime, Shutdown, sleep};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use sync::{Barrier, Mutex, When, wait};
use tutorials::Story;

static STORY: Story = Story::new();

const SECOND: Duration = Duration::from_secs(1);

async fn hello(number: u32) -> [ThreadId; 2] {
    let before = thread::current().id();
    STORY.say(format_args!("task {number} starts on {before:?}"));
    sleep(SECOND).await;
    let after = thread::current().id();
    STORY.say(format_args!("task {number} ends on {after:?}"));
    [before, after]
}

fn main() -> Result<(), Box<dyn Error>> {
    let event_loop = Runtime::builder(Backend::Native).workers(1).build()?;
    let start = Instant::now();
    // From a task of the loop: no other begins before this one ends.
    let [mut first, mut second, mut third, mut fourth] = event_loop.run(async {
        let tasks = [1, 2, 3, 4].map(|number| async_rt::spawn(hello(number)));
        STORY.say("all tasks are given to the loop");
        tasks
    });
    let finished = wait(&mut [&mut first, &mut second, &mut third, &mut fourth], When::AllCompleted);
    let elapsed = start.elapsed();
    STORY.say(format_args!("all tasks are done after {elapsed:.1?}"));
    assert_eq!(finished.done, [0, 1, 2, 3]);
    assert!(elapsed >= SECOND, "nobody sleeps too short: {elapsed:?}");
    STORY.assert_all_before("are given", " starts ");
    STORY.assert_all_before(" starts ", " ends ");

    let mut on_threads = Vec::new();
    for task in [first, second, third, fourth] {
        on_threads.extend(task.join()?);
    }
    assert_eq!(on_threads, [on_threads[0]; 8], "one thread runs them all, from beginning to end");

    assert_eq!(lost_updates(&event_loop)?, 1, "four additions came to one");
    assert_eq!(locked_updates(&event_loop)?, 4, "with a lock, none is lost");
    event_loop.shutdown(Shutdown::Finish);
    STORY.say("the loop is closed");
    Ok(())
}

/// Four tasks on one thread add one each. All have read before any writes.
fn lost_updates(event_loop: &Runtime) -> Result<u32, Box<dyn Error>> {
    let n = Arc::new(AtomicU32::new(0));
    let all_have_read = Arc::new(Barrier::new(4));
    let tasks = [(); 4].map(|()| {
        let (n, all_have_read) = (Arc::clone(&n), Arc::clone(&all_have_read));
        event_loop.spawn(async move {
            // `Relaxed` is enough on one thread, and `join` orders what comes after.
            let read = n.load(Ordering::Relaxed);
            all_have_read.wait_async().await.expect("nobody breaks it");
            n.store(read + 1, Ordering::Relaxed);
        })
    });
    for task in tasks {
        task.join()?;
    }
    let n = n.load(Ordering::Relaxed);
    STORY.say(format_args!("0 + 1 + 1 + 1 + 1 = {n}: an `.await` between reading and writing lost the rest"));
    Ok(n)
}

/// The same with a lock that is held across the `.await`.
fn locked_updates(event_loop: &Runtime) -> Result<u32, Box<dyn Error>> {
    let n = Arc::new(Mutex::new(0));
    let tasks = [(); 4].map(|()| {
        let n = Arc::clone(&n);
        event_loop.spawn(async move {
            let mut n = n.lock_async().await;
            let read = *n;
            async_rt::yield_now().await;
            *n = read + 1;
        })
    });
    for task in tasks {
        task.join()?;
    }
    let n = *n.lock();
    STORY.say(format_args!("with a lock it is {n}"));
    Ok(n)
}
