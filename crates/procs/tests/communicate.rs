//! Talking to ordinary commands.

mod common;

use procs::{CommunicateError, Limits, communicate};
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

#[test]
fn a_command_that_takes_too_long_is_killed_and_what_it_said_is_kept() -> Result {
    let limit = Duration::from_millis(150);
    let start = Instant::now();
    let error = communicate(
        &mut shell("echo early; echo also >&2; sleep 600; echo late"),
        "",
        Limits::none().timeout(limit),
    )
    .unwrap_err();
    assert!(start.elapsed() >= limit);
    assert!(error.is_timeout());
    let partial = error.partial().ok_or("nothing is kept")?;
    assert_eq!((partial.stdout.as_slice(), partial.stderr.as_slice()), (&b"early\n"[..], &b"also\n"[..]));
    let status = partial.status.ok_or("no status")?;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    Ok(())
}

#[test]
fn a_grandchild_that_holds_the_pipe_does_not_defeat_the_limit_and_is_killed() -> Result {
    let limit = Limits::none().timeout(Duration::from_millis(200));
    let error = communicate(&mut shell("sleep 600 & echo $!; exit 0"), "", limit).unwrap_err();
    let partial = error.partial().ok_or("nothing is kept")?;
    assert_eq!(partial.status.and_then(|status| status.code()), Some(0), "the command itself had ended");
    let grandchild: u32 = String::from_utf8(partial.stdout.clone())?.trim().parse()?;
    common::eventually("the grandchild has ended", || !common::lives(grandchild));
    Ok(())
}

#[test]
fn one_that_has_left_the_group_does_not_defeat_the_limit_either() -> Result {
    let limit = Limits::none().timeout(Duration::from_millis(200));
    let script = "setsid sh -c 'echo $$; while :; do echo noise; done' & exit 0";
    let error = communicate(&mut shell(script), "", limit).unwrap_err();
    assert!(error.is_timeout());
    let said = String::from_utf8(error.partial().ok_or("nothing is kept")?.stdout.clone())?;
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
