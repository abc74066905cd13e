//! 7. One call of fork, two returns
//!
//! Shows: fork returns in both processes, 0 in the child and the child's number in the parent, and the child begins with a
//! copy of the parent's memory, what it has said included.
//!
//! The document's child inherits the text that C's `printf` had not written yet, which can so come out twice. Rust's
//! `println!` writes each line at once, so there is none left over here.
//!
//! `fork` copies one thread of the program: a lock that another one holds at that moment stays locked in the child for
//! ever. That makes it `unsafe`, and that is why `procs::Process` does not fork the program itself but a small process
//! with a single thread. This program has one thread, and is the only one here with unsafe code.

#![deny(unsafe_code)]

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::process;
use tutorials::Story;

static STORY: Story = Story::new();

/// What the child ends with, so that the parent can tell that it got there.
const CODE: u8 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut to_parent, mut from_child) = UnixStream::pair()?;
    STORY.say("one process calls fork");
    let Some(child) = fork_once()? else {
        // The child. It says what it sees, through a socket that it has inherited, and ends here.
        STORY.say("this is the child: fork returned 0");
        let copied = STORY.told().join("; ");
        writeln!(to_parent, "{} {} {copied}", process::id(), parent_id())?;
        process::exit(CODE.into());
    };
    STORY.say("this is the parent: fork returned the child's number");
    drop(to_parent);

    let mut report = String::new();
    from_child.read_to_string(&mut report)?;
    let status = waitpid(child, None)?;
    STORY.say(format_args!("the child reported: {report}").to_string().trim_end());

    let its_pid = child.as_raw();
    let parent = process::id();
    let lines = "one process calls fork; this is the child: fork returned 0";
    assert_eq!(
        report,
        format!("{its_pid} {parent} {lines}\n"),
        "its number, its parent's, and a copy of the story"
    );
    assert_eq!(status, WaitStatus::Exited(child, CODE.into()), "the second return led to the child's end");
    let told = STORY.told();
    assert_eq!(told[..2], ["one process calls fork", "this is the parent: fork returned the child's number"]);
    assert_eq!(told.len(), 3, "what the child said is not in the parent's memory");
    Ok(())
}

/// The child's number in the parent, and nothing in the child, where the system's answer is 0.
#[expect(unsafe_code, reason = "fork is shown as it is")]
fn fork_once() -> nix::Result<Option<nix::unistd::Pid>> {
    // SAFETY: this process has a single thread, so no lock is held by a thread that the child lacks, and everything is
    // allowed in the child that is allowed here.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}
