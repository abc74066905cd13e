//! 8. Start another program and wait for it
//!
//! Shows: a program is started by its file, runs beside this one, and leaves an exit code. The same code starts it with
//! `posix_spawn` or fork and exec on Linux and with `CreateProcess` on Windows.
//!
//! | Windows | Linux | here |
//! |---|---|---|
//! | `CreateProcess(NULL, line, ..)` | `posix_spawn`, or fork and exec | `Command::spawn` |
//! | one command line, taken apart by the child | a list of arguments | `Command::arg`, which quotes where it must |
//! | `STARTUPINFO` | file actions before exec | `Command::stdin`, `stdout`, `stderr` |
//! | `PROCESS_INFORMATION`: handles and numbers | a number (and a pidfd) | `Child`, `Child::id` |
//! | `WaitForSingleObject(process, INFINITE)` | `waitpid` | `Child::wait` |
//! | `GetExitCodeProcess` | the status that `waitpid` gives | `ExitStatus::code` |
//! | `TerminateProcess` | `SIGKILL` | `Child::kill` |
//! | `CloseHandle` | nothing, once waited for; else a zombie is left | dropping the `Child`, after a `wait` |
//! | `bInheritHandles`, for handles marked so | all descriptors without `CLOEXEC` | the three streams; the rest is marked |
//! | a job object ends the whole family | process groups and sessions | `procs::communicate` kills the group |
//!
//! The document says that a process of Windows inherits nothing and one of Linux its parent's attributes. Both inherit
//! the environment and the folder, as this program checks, and both share files only if told to: a child of
//! `CreateProcess` gets handles that are marked for it, and after exec, descriptors marked `CLOEXEC` are closed on Linux.
//! What Windows lacks is fork, and a parent that a process belongs to for life.
//!
//! The program that is started here is this one, with an argument: so it is there on every system.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::io;
use std::process::{self, Command, Stdio};
use tutorials::Story;

static STORY: Story = Story::new();

const CODE: i32 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => parent(),
        Some(argument) => child(&argument),
    }
}

fn parent() -> Result<(), Box<dyn Error>> {
    STORY.say(format_args!("the parent is process {}", process::id()));
    let child = Command::new(env::current_exe()?).arg("two words").stdout(Stdio::piped()).spawn()?;
    let pid = child.id();
    STORY.say("the other program was started");
    let output = child.wait_with_output()?;
    STORY.say(format_args!("it ended: {}", output.status));

    let expected = report(pid, "two words")?;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        expected,
        "its number and argument, our environment and folder"
    );
    assert_eq!(output.status.code(), Some(CODE));
    assert_ne!(pid, process::id());

    // A program that is not there is an error of the start: not a child that ends at once.
    let missing = Command::new("no-such-program-in-any-folder").spawn().map(|child| child.id());
    assert_eq!(missing.map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
    STORY.say("one that does not exist cannot be started");
    Ok(())
}

/// What the other program does.
fn child(argument: &str) -> Result<(), Box<dyn Error>> {
    print!("{}", report(process::id(), argument)?);
    process::exit(CODE);
}

fn report(pid: u32, argument: &str) -> io::Result<String> {
    let path = env::var("PATH").unwrap_or_default();
    let folder = env::current_dir()?;
    Ok(format!("process {pid}\nargument {argument}\nPATH {path}\nfolder {}\n", folder.display()))
}
