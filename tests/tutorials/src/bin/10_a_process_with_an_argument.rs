//! 10. A process with an argument, and what is said before, in and after it
//!
//! Shows: the parent's messages and the child's come in one certain order, because starting and joining are the two
//! moments at which one waits for the other.
//!
//! The child writes to the standard output that it shares with its parent. So that the order can be checked and not only
//! seen, it also hands back what it said, with its result.

#![forbid(unsafe_code)]

use procs::Process;
use std::error::Error;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

/// The argument is the child's own: it was written down in the parent and read here.
#[expect(clippy::needless_pass_by_value, reason = "nobody is left in this process who could lend it")]
fn child(name: String) -> Vec<String> {
    STORY.say("child: start");
    STORY.say(format_args!("child: `{name}` runs in process {}", process::id()));
    STORY.say("child: end");
    STORY.told()
}

fn main() -> Result<(), Box<dyn Error>> {
    STORY.say(format_args!("parent: start, in process {}", process::id()));
    STORY.say("parent: starts the child");
    let process = Process::spawn(child, "test".to_owned())?;
    let pid = process.pid();
    let said = process.join()?;
    STORY.say("parent: end");

    let run = format!("child: `test` runs in process {pid}");
    assert_eq!(said, ["child: start", &run, "child: end"]);
    assert_eq!(STORY.told()[1..], ["parent: starts the child", "parent: end"]);
    assert_ne!(pid, process::id());
    Ok(())
}
