//! 20. A consumer and a producer that call each other by `send`
//!
//! Shows: the whole dialogue of a producer that sends and a consumer that answers by yielding, line by line, and that
//! closing the consumer runs its clean-up.
//!
//! `send(None)`, by which Python starts a generator, is `start` here, for there is nothing yet that could take a value.
//! The consumer's end is no value either: what Python marks by sending something false, or by `close`, is `close`. It
//! raises an error where the consumer waits: `try_yield` returns it, so the clean-up is plain code.
//!
//! The last line of the document's consumer, after its endless loop, is never reached. Here it is.

#![forbid(unsafe_code)]

use coro::{Generator, Step, Yielder};
use std::error::Error;
use tutorials::Story;

static STORY: Story = Story::new();

/// Yields its answer to the item before, is sent items, and returns how many there were.
type Consumer = Generator<String, u32, u32>;

fn consume(y: &Yielder<String, u32>) -> u32 {
    STORY.say("[consumer] start");
    let mut answer = "init".to_owned();
    let mut count = 0;
    // A yield is an error when this consumer is closed.
    while let Ok(item) = y.try_yield(answer) {
        STORY.say(format_args!("[consumer] consumes {item}"));
        count += 1;
        answer = format!("OK {item}");
    }
    STORY.say("[consumer] end");
    count
}

fn produce(consumer: &mut Consumer) -> Result<Option<u32>, Box<dyn Error>> {
    STORY.say("[producer] start");
    if let Step::Yielded(answer) = consumer.start()? {
        STORY.say(format_args!("[producer] at first the consumer says {answer}"));
    }
    for item in 1..=5 {
        STORY.say(format_args!("[producer] produces {item}"));
        if let Step::Yielded(answer) = consumer.send(item)? {
            STORY.say(format_args!("[producer] the consumer says {answer}"));
        }
    }
    Ok(consumer.close()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut consumer = Consumer::new(consume);
    let count = produce(&mut consumer)?;
    STORY.say("[producer] end");

    let mut dialogue = ["[producer] start", "[consumer] start", "[producer] at first the consumer says init"]
        .map(String::from)
        .to_vec();
    for item in 1..=5 {
        dialogue.push(format!("[producer] produces {item}"));
        dialogue.push(format!("[consumer] consumes {item}"));
        dialogue.push(format!("[producer] the consumer says OK {item}"));
    }
    dialogue.extend(["[consumer] end", "[producer] end"].map(String::from));
    assert_eq!(STORY.told(), dialogue);
    assert_eq!(count, Some(5), "it returned after its clean-up");
    assert!(consumer.send(6).is_err_and(|error| error.is_finished()), "and takes no more");
    Ok(())
}
