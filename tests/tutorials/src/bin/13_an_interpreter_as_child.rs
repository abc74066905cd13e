//! 13. An interpreter as a child: commands in, output and exit code back
//!
//! Shows: the shell is given commands on its input and gives back output, errors and an exit code, and neither side waits
//! for the other for ever when both have more to say than a pipe holds.
//!
//! The trap is known from Python's manual: whoever first writes all of the input and then reads the output hangs as soon
//! as both are longer than a pipe's buffer, 64 KiB mostly. `communicate` moves the three streams at the same time.
//!
//! The document runs `node`, which need not be there; `sh` is.

#![forbid(unsafe_code)]

use procs::{Limits, communicate};
use std::error::Error;
use std::fmt::Write;
use std::process::Command;
use std::time::Duration;
use tutorials::Story;

static STORY: Story = Story::new();

/// So many that commands and output are each several times as long as a pipe's buffer.
const LINES: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let no_limits = Limits::none();
    STORY.say("$ sh");
    let output = communicate(&mut Command::new("sh"), "echo hello\necho trouble >&2\nexit 3\n", no_limits)?;
    STORY.say(String::from_utf8_lossy(&output.stdout).trim_end());
    STORY.say(format_args!("exit code: {:?}", output.status.code()));
    assert_eq!((&*output.stdout, &*output.stderr), (&b"hello\n"[..], &b"trouble\n"[..]));
    assert_eq!(output.status.code(), Some(3));

    let mut commands = String::new();
    let mut expected = String::new();
    for number in 0..LINES {
        writeln!(commands, "echo line {number}")?;
        writeln!(expected, "line {number}")?;
    }
    assert!(commands.len().min(expected.len()) > 3 * 64 * 1024);
    let output = communicate(&mut Command::new("sh"), commands, no_limits)?;
    assert!(output.status.success());
    assert!(output.stdout == expected.as_bytes(), "each line is there, in order");
    STORY.say(format_args!("{LINES} commands gave {} bytes", output.stdout.len()));

    // One that does not come to an end is killed, and what it said until then is not lost.
    let limits = Limits::none().timeout(Duration::from_millis(300));
    let late = communicate(&mut Command::new("sh"), "echo begun\nwhile :; do sleep 1; done\n", limits);
    let late = late.expect_err("the loop has no end");
    assert!(late.is_timeout(), "{late}");
    STORY.say(late);
    Ok(())
}
