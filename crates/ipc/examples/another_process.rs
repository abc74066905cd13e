//! Talks to another process that was started with `std` alone: the child's end of a pipe is its standard input.
//!
//! With `procs` this is one call: the end is an argument of the function that the new process runs.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use ipc::Pipe;
    use ipc::fd::{AsFd, OwnedFd};
    use std::process::{Command, Stdio};

    if std::env::args().nth(1).as_deref() == Some("child") {
        let words: Pipe<usize, String> = Pipe::from_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
        loop {
            match words.recv() {
                Ok(word) => words.send(word.chars().count())?,
                Err(error) if error.is_disconnected() => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    let (here, there) = ipc::pipe::<String, usize>()?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("child")
        .stdin(Stdio::from(OwnedFd::from(there)))
        .spawn()?;

    for word in ["process", "thread", "coroutine"] {
        here.send(word.to_owned())?;
        let length = here.recv()?;
        println!("{word} has {length} letters");
        assert_eq!(length, word.len());
    }
    drop(here);
    assert!(child.wait()?.success());
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    let unsupported = ipc::pipe::<String, usize>().expect_err("ipc works on Linux alone so far");
    assert_eq!(unsupported.kind(), std::io::ErrorKind::Unsupported);
}
