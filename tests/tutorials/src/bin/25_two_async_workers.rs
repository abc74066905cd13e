//! 25. Two async workers, one second and two
//!
//! Shows: both begin before either ends, the one with the shorter sleep ends first, and together they take as long as the
//! longer one.
//!
//! The document has the loop pause a function whenever that waits. The loop cannot: a function pauses itself, at an
//! `.await`, and one that computes or sleeps without it stops all the others on its thread.

#![forbid(unsafe_code)]

use async_rt::{Backend, gather, sleep};
use std::error::Error;
use std::time::{Duration, Instant};
use tutorials::Story;

static STORY: Story = Story::new();

async fn worker_1() {
    STORY.say("worker 1 begins");
    sleep(Duration::from_secs(1)).await;
    STORY.say("worker 1 is done");
}

async fn worker_2() {
    STORY.say("worker 2 begins");
    sleep(Duration::from_secs(2)).await;
    STORY.say("worker 2 is done");
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    async_rt::run(Backend::Native, async { gather((worker_1(), worker_2())).await })?;
    let elapsed = start.elapsed();
    STORY.say(format_args!("both are done after {elapsed:.1?}"));

    assert_eq!(
        STORY.told()[..4],
        ["worker 1 begins", "worker 2 begins", "worker 1 is done", "worker 2 is done"]
    );
    assert!(elapsed >= Duration::from_secs(2), "nobody sleeps too short: {elapsed:?}");
    Ok(())
}
