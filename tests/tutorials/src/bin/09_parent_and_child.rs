//! 9. Parent and child say who they are
//!
//! Shows: both print their number, the child descends from the parent, and shares no variable with it.
//!
//! A child of `procs` is, to the system, a grandchild: between the two is the zygote, a small copy of the program that
//! forks the children, so that starting one costs the same however large and many-threaded the parent has become. Should
//! the parent die, the others die with it.
//!
//! The document says that Linux and Windows differ in what a child inherits of the parent's variables. That was Python's
//! doing, which forked here, up to version 3.13, and starts anew there. These children know nothing but their argument.

#![forbid(unsafe_code)]

use procs::Process;
use std::error::Error;
use std::fs;
use std::os::unix::process::parent_id;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

/// Returns its own number, its parent's, its grandparent's, and what it knows of the story.
fn child((): ()) -> (u32, u32, Option<u32>, Vec<String>) {
    STORY.say(format_args!("this is the child, process {}", process::id()));
    (process::id(), parent_id(), parent_of(parent_id()), STORY.told())
}

fn main() -> Result<(), Box<dyn Error>> {
    STORY.say(format_args!("this is the parent, process {}", process::id()));
    let process = Process::spawn(child, ())?;
    let pid = process.pid();
    let (its_pid, its_parent, its_grandparent, its_story) = process.join()?;
    STORY.say("the parent is done");

    assert_eq!(its_pid, pid, "the child and the handle agree on its number");
    assert_ne!(its_pid, process::id());
    assert_ne!(its_parent, process::id(), "its parent is the zygote");
    assert_eq!(its_grandparent, Some(process::id()), "whose parent is this program");
    assert_eq!(
        its_story,
        [format!("this is the child, process {pid}")],
        "it knows nothing of what was said before"
    );
    assert_eq!(STORY.told().len(), 2, "and what it said is not known here");
    Ok(())
}

/// The parent of a process, as the system tells.
fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}
