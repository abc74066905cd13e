//! 19. A generator of numbers, stopped early
//!
//! Shows: of ten thousand numbers only those are made that are asked for, and when the loop is left, what the generator
//! held is given back.
//!
//! The document saves a list's memory in this way. A plain `1..10_000` would do it as well, in Rust as in Python: it makes
//! its numbers one by one. A generator earns its stack where the values come from the middle of a function, or of
//! functions that it calls.

#![forbid(unsafe_code)]

use coro::{Generator, Yielder};
use std::cell::Cell;
use std::rc::Rc;
use tutorials::Story;

static STORY: Story = Story::new();

const LAST: u32 = 9_999;

/// What the generator holds while it runs: counts what was made, and tells when it is given back.
struct Held(Rc<Cell<u32>>);

impl Drop for Held {
    fn drop(&mut self) {
        STORY.say(format_args!("the generator is gone, after {} numbers", self.0.get()));
    }
}

fn numbers(y: &Yielder<u32, ()>, made: Rc<Cell<u32>>) {
    let held = Held(made);
    for number in 1..=LAST {
        held.0.set(held.0.get() + 1);
        y.yield_(number);
    }
    STORY.say("the last number was asked for");
}

fn main() {
    let made = Rc::new(Cell::new(0));
    let counter = Rc::clone(&made);
    let generator = Generator::<u32>::new(move |y| numbers(y, counter));
    assert_eq!(made.get(), 0, "nothing runs before the first is asked for");

    let mut seen = Vec::new();
    // The loop owns the generator, so leaving the one drops the other.
    for number in generator {
        println!("{number}");
        seen.push(number);
        if number > 10 {
            break;
        }
    }
    STORY.say("the loop is left");

    assert!(seen.iter().copied().eq(1..=11));
    assert_eq!(made.get(), 11, "the twelfth was never made");
    assert_eq!(STORY.told(), ["the generator is gone, after 11 numbers", "the loop is left"]);
    assert_eq!(Rc::strong_count(&made), 1, "its counter was given back");
}
