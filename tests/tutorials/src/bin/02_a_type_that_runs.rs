//! 2. A type whose `run` is a thread's work
//!
//! Shows: what "subclass the thread" becomes: a value with its own `run`, moved into a thread that somebody else makes.
//!
//! In Rust nothing is inherited. The state is a struct, the work is its method, and the thread is given both by a
//! closure. `run` takes `self`: what the work needs has gone to the thread, and its result comes back by `join`, where
//! Python's `run` can only leave it in an attribute.
//!
//! The document warns not to wait for a thread, or the main thread could never exit, and spins in an endless loop
//! instead. It is the other way round: waiting ends when the thread does, the loop never. What Rust adds: a program ends
//! with `main`, whoever still runs, so a thread that matters must be waited for.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io;
use std::thread::{self, ThreadId};
use threads::Thread;
use tutorials::Story;

static STORY: Story = Story::new();

/// Adds up what it was made with.
struct Adder {
    name: &'static str,
    numbers: Vec<u64>,
}

/// What it found, and on which thread.
struct Sum {
    total: u64,
    thread: ThreadId,
}

impl Adder {
    fn new(name: &'static str, numbers: impl IntoIterator<Item = u64>) -> Self {
        Adder { name, numbers: numbers.into_iter().collect() }
    }

    /// The work, on whatever thread it is called.
    fn run(self) -> Sum {
        let total = self.numbers.iter().sum();
        STORY.say(format_args!("{} has found {total}", self.name));
        Sum { total, thread: thread::current().id() }
    }

    /// The same on a thread of its own.
    fn start(self) -> io::Result<Thread<Sum>> {
        Thread::builder().name(self.name).spawn(move || self.run())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let here = thread::current().id();

    // A method is a method: called directly it runs here, and no thread is made.
    let direct = Adder::new("a plain call", 1..=3).run();
    assert_eq!((direct.total, direct.thread), (6, here));

    let adder = Adder::new("adder", 1..=100).start()?;
    assert_eq!(adder.name(), "adder");
    let id = adder.id();
    let sum = adder.join()?;
    STORY.say("the main thread goes on");

    assert_eq!(sum.total, 5050);
    assert_eq!(sum.thread, id, "`run` was called on the new thread");
    assert_ne!(sum.thread, here);
    STORY.assert_order(&["a plain call has found 6", "adder has found 5050", "the main thread goes on"]);
    Ok(())
}
