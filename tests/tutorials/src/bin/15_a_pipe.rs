//! 15. Hello from the child, world from the parent
//!
//! Shows: a pipe carries a message each way, and each side waits for the other's.
//!
//! What may go through a pipe is in its type, for each direction. An end that goes to another process as an argument is
//! gone here, so both sides notice when the other one ends.

#![forbid(unsafe_code)]

use ipc::Pipe;
use procs::Process;
use std::error::Error;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

/// Sends, waits for an answer, and returns it.
fn child(pipe: Pipe<String, String>) -> Result<String, String> {
    println!("child: process {} sends", process::id());
    pipe.send("hello".to_owned()).map_err(|error| error.to_string())?;
    println!("child: waits for an answer");
    let answer = pipe.recv().map_err(|error| error.to_string())?;
    println!("child: the parent says {answer}");
    // The end of the function would do it as well.
    drop(pipe);
    Ok(answer)
}

fn main() -> Result<(), Box<dyn Error>> {
    STORY.say(format_args!("parent: process {}", process::id()));
    let (ours, theirs) = ipc::pipe::<String, String>()?;
    let process = Process::spawn(child, theirs)?;
    STORY.say("parent: waits for a message");
    let message = ours.recv()?;
    STORY.say(format_args!("parent: the child says {message}"));
    assert!(process.is_alive(), "it cannot end before it has an answer");
    ours.send("world".to_owned())?;
    STORY.say("parent: waits for the child's end");
    let answer = process.join()??;
    STORY.say("parent: end");

    assert_eq!((&*message, &*answer), ("hello", "world"));
    assert!(ours.recv().is_err_and(|error| error.is_disconnected()), "the other end has gone with the child");
    STORY.assert_order(&["parent: waits for a message", "parent: the child says hello", "parent: end"]);
    Ok(())
}
