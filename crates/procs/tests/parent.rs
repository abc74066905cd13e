//! The program dies, and nothing outlives it.

mod common;

use common::{children_of, eventually, lives};
use procs::{Pool, Process};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Makes this test the program that is to die.
const ROLE: &str = "PROCS_TEST_TO_BE_KILLED";

fn busy(_: ()) {
    loop {
        std::thread::park();
    }
}

/// One of the kind is enough: the test counts the time that others need beside it.
fn spins(_: ()) {
    loop {
        std::hint::spin_loop();
    }
}

/// With a pool with busy and idle workers, a process, and one that has stopped itself. Prints their ids and stays.
fn the_program() -> Result {
    let pool = Pool::new(3)?;
    // In this order: an idle worker would take the next task.
    let _running = [pool.submit(busy, ()), pool.submit(busy, ())];
    let idle = pool.submit(|()| std::process::id(), ()).join()?;
    let process = Process::spawn(spins, ())?;
    let stopped = Process::spawn(|()| common::kill("-STOP", std::process::id()), ())?;
    eventually("it has stopped", || common::is_stopped(stopped.pid()));
    let nested = Process::spawn(
        |()| {
            let inner = Process::spawn(busy, ()).map(|inner| inner.pid());
            println!("\npid {}", inner.unwrap_or(0));
            busy(());
        },
        (),
    )?;
    eventually("three workers are there", || pool.pids().len() == 3);
    assert!(pool.pids().contains(&idle));
    for pid in pool.pids().into_iter().chain([process.pid(), stopped.pid(), nested.pid()]) {
        println!("\npid {pid}");
    }
    println!("\npid {}", children_of(std::process::id())[0]);
    println!("\nready");
    loop {
        std::thread::park();
    }
}

fn killed_by(signal: &str) -> Result {
    let mut program = Command::new(std::env::current_exe()?)
        .args(["nothing_outlives_the_program", "--exact", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut pids = Vec::new();
    let mut ready = false;
    // Three workers, three processes, one's own process, which it prints by itself, and the zygote.
    for line in BufReader::new(program.stdout.take().ok_or("no output")?).lines() {
        let line = line?;
        if let Some(pid) = line.strip_prefix("pid ") {
            pids.push(pid.parse::<u32>()?);
        }
        ready |= line == "ready";
        if ready && pids.len() == 8 {
            break;
        }
    }
    assert_eq!(pids.len(), 8, "{pids:?}");
    assert!(pids.iter().all(|pid| *pid != 0 && lives(*pid)), "{pids:?}");
    common::kill(signal, program.id());
    let start = Instant::now();
    program.wait()?;
    while let Some(alive) = pids.iter().find(|pid| lives(**pid)) {
        assert!(start.elapsed() < Duration::from_secs(1), "process {alive} outlives the program");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

#[test]
fn nothing_outlives_the_program() -> Result {
    if std::env::var_os(ROLE).is_some() {
        return the_program();
    }
    killed_by("-KILL")?;
    killed_by("-TERM")
}

/// The same when the zygote is stopped and cannot notice.
#[test]
fn nothing_outlives_the_program_not_even_a_zygote_that_was_stopped() -> Result {
    let (here, there) = ipc::Link::pair()?;
    let outer = Process::spawn(
        |link: ipc::Link| {
            let inner = Process::spawn(busy, ()).map_err(|error| error.to_string())?;
            let zygote = children_of(std::process::id())[0];
            common::kill("-STOP", zygote);
            let ids = ipc::handoff::encode(&[inner.pid(), zygote]).map_err(|error| error.to_string())?;
            link.send(&ids, None).map_err(|error| error.to_string())?;
            busy(());
            Ok::<(), String>(())
        },
        there,
    )?;
    let ids: [u32; 2] = ipc::handoff::decode(here.receive(None)?)?;
    assert!(ids.iter().all(|id| lives(*id)));
    outer.kill()?;
    assert!(outer.join().is_err());
    eventually("both are gone", || ids.iter().all(|id| !lives(*id)));
    Ok(())
}
