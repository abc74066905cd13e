//! 16. Two threads with a number and a name
//!
//! Shows: each thread knows who it is, numbers and names differ, and the main thread has the last word.
//!
//! There are two numbers: `id`, which the program gives and never gives again, and `native_id`, the system's, which `top`
//! and debuggers show. Python's `ident` is neither: it may come again once a thread has ended.

#![forbid(unsafe_code)]

use std::error::Error;
use std::thread;
use std::time::Duration;
use threads::{Identity, Thread};
use tutorials::Story;

static STORY: Story = Story::new();

fn worker(number: u32) -> Result<Identity, &'static str> {
    let me = threads::current().ok_or("this thread was not started by `threads`")?;
    STORY.say(format_args!("{} begins, {:?}, native {:?}", me.name(), me.id(), me.native_id()));
    thread::sleep(Duration::from_millis(20));
    STORY.say(format_args!("thread {number} ends"));
    Ok(me)
}

fn main() -> Result<(), Box<dyn Error>> {
    STORY.say("main goes on");
    let first = Thread::builder().name("first").spawn(|| worker(1))?;
    // Without a name of its own it gets one.
    let second = threads::spawn(|| worker(2))?;
    let (first_outside, second_outside) = (first.identity(), second.identity());
    let (first, second) = (first.join()??, second.join()??);
    STORY.say("main is over");

    assert_eq!(first.name(), "first");
    assert!(second.name().starts_with("thread-"), "{}", second.name());
    assert_eq!((first.id(), first.native_id()), (first_outside.id(), first_outside.native_id()));
    assert_eq!((second.id(), second.native_id()), (second_outside.id(), second_outside.native_id()));
    assert_ne!(first.id(), second.id());
    assert!(![first.id(), second.id()].contains(&thread::current().id()));
    assert!(!first.is_alive() && !second.is_alive());

    STORY.assert_order(&["main goes on", "thread 1 ends", "main is over"]);
    STORY.assert_order(&["main goes on", "thread 2 ends", "main is over"]);
    assert_eq!(STORY.told().last().map(String::as_str), Some("main is over"));
    Ok(())
}
