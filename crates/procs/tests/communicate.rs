//! Talking to ordinary commands.

mod common;

use procs::{CommunicateError, Limits, Partial, communicate};
use std::process::Command;
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn input_goes_in_and_both_outputs_come_out() -> Result {
    let output = communicate(&mut shell("cat; echo problem >&2; exit 3"), "text\n", Limits::none())?;
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"text\n"[..], &b"problem\n"[..]));
    assert_eq!(output.status.code(), Some(3));
    Ok(())
}

#[test]
fn large_input_and_output_at_once_do_not_wait_for_each_other() -> Result {
    const BYTES: usize = 16 << 20;
    let input: Vec<u8> = (0..BYTES).map(|n| (n % 251) as u8).collect();
    let mut both = shell("tee /dev/stderr");
    let output = communicate(&mut both, input.clone(), Limits::none().timeout(Duration::from_secs(120)))?;
    assert!(output.stdout == input && output.stderr == input);
    Ok(())
}

#[test]
fn a_command_need_not_read_its_input_nor_write_anything() -> Result {
    let output = communicate(&mut shell("exit 0"), vec![0; 8 << 20], Limits::none())?;
    assert!(output.status.success() && output.stdout.is_empty());
    let output =
        communicate(&mut shell("exec <&- ; sleep 0.05; echo done"), vec![0; 8 << 20], Limits::none())?;
    assert_eq!(output.stdout, b"done\n");
    let output = communicate(&mut shell("exec >&- 2>&-; cat > /dev/null; exit 4"), "x", Limits::none())?;
    assert_eq!(output.status.code(), Some(4));
    Ok(())
}

/// What came of a script that does not end within its time. Before it is over it must have come to where it has said
/// everything; on a busy machine that takes more of it.
fn cut_off(script: &str, came_so_far: impl Fn(&Partial) -> bool) -> Result<Partial> {
    let mut limit = Duration::from_millis(100);
    loop {
        let start = Instant::now();
        let error = communicate(&mut shell(script), "", Limits::none().timeout(limit)).unwrap_err();
        assert!(start.elapsed() >= limit);
        assert!(error.is_timeout(), "{error}");
        match error {
            CommunicateError::TimedOut { partial, .. } if came_so_far(&partial) => return Ok(partial),
            CommunicateError::TimedOut { .. } if limit < Duration::from_secs(20) => limit *= 2,
            other => return Err(format!("within {limit:?}: {other:?}").into()),
        }
    }
}

#[test]
fn a_command_that_takes_too_long_is_killed_and_what_it_said_is_kept() -> Result {
    let partial = cut_off("echo early; echo also >&2; sleep 600; echo late", |partial| {
        (partial.stdout.as_slice(), partial.stderr.as_slice()) == (b"early\n", b"also\n")
    })?;
    let status = partial.status.ok_or("no status")?;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    Ok(())
}

#[test]
fn a_grandchild_that_holds_the_pipe_does_not_defeat_the_limit_and_is_killed() -> Result {
    let partial = cut_off("sleep 600 & echo $!; exit 0", |partial| {
        let the_command_itself_had_ended = partial.status.and_then(|status| status.code()) == Some(0);
        the_command_itself_had_ended && partial.stdout.ends_with(b"\n")
    })?;
    let grandchild: u32 = String::from_utf8(partial.stdout)?.trim().parse()?;
    common::eventually("the grandchild has ended", || !common::lives(grandchild));
    Ok(())
}

#[test]
fn one_that_has_left_the_group_does_not_defeat_the_limit_either() -> Result {
    let script = "setsid sh -c 'echo $$; while :; do echo noise; done' & exit 0";
    let said = String::from_utf8(cut_off(script, |partial| partial.stdout.contains(&b'\n'))?.stdout)?;
    let stray: u32 = said.lines().next().ok_or("no id")?.parse()?;
    // Its pipe is closed, and the next thing that it says ends it.
    common::eventually("the stray has ended", || !common::lives(stray));
    Ok(())
}

#[test]
fn output_is_bounded_to_the_byte() -> Result {
    let exactly = Limits::none().output_bytes_max(10);
    let output = communicate(&mut shell("printf 01234; printf 56789 >&2"), "", exactly)?;
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"01234"[..], &b"56789"[..]));

    let error = communicate(&mut shell("printf 0123456789a; sleep 600"), "", exactly).unwrap_err();
    match &error {
        CommunicateError::TooMuchOutput { bytes_max: 10, partial } => {
            assert_eq!(partial.stdout, b"0123456789");
        }
        other => panic!("{other}"),
    }
    let endless = communicate(&mut shell("cat /dev/zero"), "", Limits::none().output_bytes_max(1 << 20));
    let error = endless.unwrap_err();
    assert_eq!(error.partial().map(|partial| partial.stdout.len()), Some(1 << 20));
    Ok(())
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let error = communicate(&mut Command::new("no-such-command-anywhere"), "", Limits::none()).unwrap_err();
    assert!(matches!(&error, CommunicateError::Start { .. }) && error.partial().is_none());
    assert!(error.to_string().contains("no-such-command-anywhere"), "{error}");
}

#[test]
fn it_works_in_many_threads_and_in_a_worker() -> Result {
    std::thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                let text = n.to_string();
                let output = communicate(&mut Command::new("cat"), text.clone(), Limits::none());
                assert_eq!(output.expect("an answer").stdout, text.as_bytes());
            });
        }
    });
    let process = procs::Process::spawn(
        |text: String| {
            let output = communicate(&mut Command::new("cat"), text, Limits::none());
            output.map(|output| output.stdout).map_err(|error| error.to_string())
        },
        "in a worker".to_owned(),
    )?;
    assert_eq!(process.join()??, b"in a worker");
    Ok(())
}
