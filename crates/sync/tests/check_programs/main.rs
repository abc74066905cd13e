//! Programs that deadlock, and programs that other checkers take for such.
//!
//! Each runs in a process of its own, which ends when its deadlock is reported. To run some: name a part of their names.

mod deadlocks;
mod joins;
mod locks;
#[path = "../common/parker.rs"]
mod parker;
mod pools;
mod several;
mod silent;
mod tasks;

use std::io::Read;
use std::process::{Command, ExitCode, Stdio, exit};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use sync::check::{self, Verdict};

/// A program, and what the checker is to say of it.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    expected: Expected,
    run: fn(),
}

#[derive(Clone, Copy)]
enum Expected {
    /// It ends by itself, and nothing is said of it.
    Silence,
    /// It ends by itself, and it is said that it might not have.
    Potential,
    /// It does not end. The report says all of this.
    Certain(&'static [&'static str]),
}

/// Nothing here takes so long unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
/// The variable that says which program a child runs.
const PROGRAM: &str = "CHECKED_PROGRAM";

fn main() -> ExitCode {
    let programs = [
        deadlocks::PROGRAMS,
        tasks::PROGRAMS,
        joins::PROGRAMS,
        pools::PROGRAMS,
        several::PROGRAMS,
        silent::PROGRAMS,
        locks::PROGRAMS,
    ]
    .concat();
    if let Ok(name) = std::env::var(PROGRAM) {
        let program = programs.iter().find(|program| program.name == name).expect("a program of the table");
        run(program);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        programs.iter().for_each(|program| println!("{}: test", program.name));
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    for program in &programs {
        if !wanted.is_empty() && !wanted.iter().any(|part| program.name.contains(part.as_str())) {
            continue;
        }
        match judge(program) {
            Ok(()) => println!("check_programs: {} ... ok", program.name),
            Err(why) => {
                failed += 1;
                println!("check_programs: {} ... FAILED: {why}", program.name);
            }
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In a child: runs the program until its end, or until the checker is certain that there is none.
fn run(program: &Program) -> ! {
    check::enable();
    check::on_report(|report| {
        println!("{report}");
        if report.verdict == Verdict::Certain {
            println!("certain");
            exit(0);
        }
    });
    (program.run)();
    let certain = check::reports().iter().filter(|report| report.verdict == Verdict::Certain).count();
    println!("ended with {} reports, {certain} of them certain", check::reports().len());
    exit(0);
}

fn judge(program: &Program) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(exe)
        .env(PROGRAM, program.name)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut output = child.stdout.take().expect("it is piped");
    let (send, receive) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let result = output.read_to_string(&mut text);
        let _nobody_waits = send.send(());
        result.map(|_| text)
    });
    let in_time = receive.recv_timeout(LIMIT).is_ok();
    if !in_time {
        child.kill().map_err(|error| error.to_string())?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = reader.join().expect("it does not panic").map_err(|error| error.to_string())?;
    if !in_time {
        return Err(format!("it hangs, and nothing is said of it: {text}"));
    }
    let as_expected = status.success()
        && match program.expected {
            Expected::Silence => text == "ended with 0 reports, 0 of them certain\n",
            // Whoever found it may still be printing it when the program ends, on a thread of his own.
            Expected::Potential => {
                text.contains("ended with 1 reports, 0 of them certain\n")
                    && text.lines().all(|line| line != "certain")
            }
            Expected::Certain(parts) => {
                text.ends_with("certain\n")
                    && !text.contains("ended")
                    && parts.iter().all(|part| text.contains(part))
            }
        };
    if as_expected { Ok(()) } else { Err(format!("{status}: {text}")) }
}
