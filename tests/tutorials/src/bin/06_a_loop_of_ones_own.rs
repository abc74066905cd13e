//! 6. Two tasks on a loop that is made and closed by hand
//!
//! Shows: results come in the order in which the tasks were given, whichever ends first; a closed loop takes no more.
//!
//! `run_until_complete(gather(..))` is `block_on(gather_all(..))`. The loop would close itself when it is dropped; what is
//! shown here is that a close is an answer and not a guess: work that comes too late has an error that says so.

#![forbid(unsafe_code)]

use async_rt::{Backend, Executor, JoinError, Runtime, Shutdown, gather_all, sleep};
use std::error::Error;
use std::time::Duration;
use tutorials::Story;

static STORY: Story = Story::new();

async fn worker(number: u32) -> u32 {
    // The first sleeps longer, so it is likely to end last.
    sleep(Duration::from_millis(if number == 1 { 50 } else { 10 })).await;
    STORY.say(format_args!("worker {number} is done"));
    number * 10
}

fn main() -> Result<(), Box<dyn Error>> {
    let event_loop = Runtime::builder(Backend::Native).workers(1).build()?;
    let results = event_loop.block_on(gather_all([worker(1), worker(2)]));
    STORY.say("both are gathered");

    event_loop.shutdown(Shutdown::Finish);
    STORY.say("the loop is closed");
    let late = event_loop.spawn(worker(3)).join();

    assert_eq!(results, [10, 20], "in the order of the tasks");
    STORY.assert_order(&["worker 1 is done", "both are gathered", "the loop is closed"]);
    STORY.assert_order(&["worker 2 is done", "both are gathered"]);
    assert!(matches!(late, Err(JoinError::ShutDown)), "after the close: {late:?}");
    STORY.say("a third task was refused");
    assert_eq!(STORY.told().len(), 5, "it never ran");
    Ok(())
}
