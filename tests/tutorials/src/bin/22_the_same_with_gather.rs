//! 22. The same with async, await and gather
//!
//! Shows: what 21 does, in fewer lines: four sleeps of a second on this very thread, done after one.
//!
//! `asyncio.run` runs on the thread that calls it. `block_on` does so here, and its future may borrow from that thread;
//! the shorter `async_rt::run` hands it to the runtime's own threads instead. The loop closes when it is dropped.

#![forbid(unsafe_code)]

use async_rt::{Backend, Runtime, gather_all, sleep};
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};
use tutorials::Story;

static STORY: Story = Story::new();

const SECOND: Duration = Duration::from_secs(1);

async fn hello(number: u32) {
    let thread = thread::current().id();
    STORY.say(format_args!("task {number} starts on {thread:?}"));
    sleep(SECOND).await;
    STORY.say(format_args!("task {number} ends on {thread:?}"));
    assert_eq!(thread::current().id(), thread);
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    Runtime::builder(Backend::Native).workers(1).build()?.block_on(gather_all((1..=4).map(hello)));
    let elapsed = start.elapsed();
    STORY.say(format_args!("all are done after {elapsed:.1?}"));

    assert!(elapsed >= SECOND, "nobody sleeps too short: {elapsed:?}");
    STORY.assert_all_before(" starts ", " ends ");
    let here = thread::current().id();
    for number in 1..=4 {
        let [starts, ends] = ["starts", "ends"].map(|step| format!("task {number} {step} on {here:?}"));
        STORY.assert_order(&[&starts, &ends]);
    }
    assert_eq!(STORY.told().len(), 9);
    Ok(())
}
