//! What cannot be carried between a program and its worker: the task says why, and no other task suffers.

mod common;

use ipc::Descriptor;
use procs::{JoinError, Pool, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::ser::{Error as _, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
type InWords<T> = std::result::Result<T, String>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// As many files, each opened only while it is written down, and as many found on the other side.
struct Files(usize);

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut files = serializer.serialize_seq(Some(self.0))?;
        for _ in 0..self.0 {
            files
                .serialize_element(&Descriptor(File::open("/dev/null").map_err(S::Error::custom)?.into()))?;
        }
        files.end()
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Files(Vec::<Descriptor>::deserialize(deserializer)?.len()))
    }
}

/// Holds all descriptors that this process may have, but for some. Only in a process of its own: the limit is for all
/// threads.
fn all_descriptors_but(some: usize) -> InWords<Vec<File>> {
    let low = Rlimit { current: Some(500), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, low).map_err(text)?;
    let mut held = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => held.push(file),
            Err(error) if error.raw_os_error() == Some(24) => break,
            Err(error) => return Err(text(error)),
        }
    }
    held.truncate(held.len().checked_sub(some).ok_or("the limit is too low for this test")?);
    Ok(held)
}

/// A descriptor for a function that says at the other end that it has begun, and waits there for a byte.
fn gate() -> InWords<(UnixStream, Descriptor)> {
    let (here, there) = UnixStream::pair().map_err(text)?;
    Ok((here, Descriptor(there.into())))
}

fn wait_at(gate: Descriptor) {
    let mut gate = UnixStream::from(gate.0);
    gate.write_all(&[0]).expect("the test is there");
    gate.read_exact(&mut [0]).expect("the test opens the gate");
}

fn has_begun(mut gate: &UnixStream) -> InWords<()> {
    gate.read_exact(&mut [0]).map_err(text)
}

fn open(mut gate: &UnixStream) -> InWords<()> {
    gate.write_all(&[1]).map_err(text)
}

/// More than fit into one packet, so sending them takes two descriptors more than starting a worker.
const MANY: usize = 250;

/// How a pool's first task ends, by the room that there is.
fn first_tasks_in_little_room(_: ()) -> InWords<Vec<InWords<usize>>> {
    // Starting a zygote would take more than there will be.
    let stays = Pool::new(1).map_err(text)?;
    stays.submit(|()| (), ()).join().map_err(text)?;
    let before = common::descriptors().len();
    let mut ends = Vec::new();
    for room in 0..10 {
        let pool = Pool::new(1).map_err(text)?;
        common::eventually("the last worker's descriptors are closed", || {
            common::descriptors().len() == before
        });
        let held = all_descriptors_but(MANY + room)?;
        ends.push(pool.submit(|files: Files| files.0, Files(MANY)).join().map_err(text));
        drop(held);
        assert_eq!(pool.submit(|n: u64| n + 1, 1).join().map_err(text)?, 2, "with room for {room}");
    }
    drop(stays);
    Ok(ends)
}

#[test]
fn a_first_task_that_cannot_be_sent_for_want_of_descriptors_says_so() -> Result {
    let ends = Process::spawn(first_tasks_in_little_room, ())?.join()??;
    let mut unsent = 0;
    for end in &ends {
        match end {
            Ok(files) => assert_eq!(*files, MANY),
            Err(why) if why.starts_with("the argument cannot be sent") => {
                assert!(why.contains("os error 24") && why.contains("ulimit -n"), "{why}");
                unsent += 1;
            }
            // There was no room for the duplicates, or for the start.
            Err(why) => assert!(
                why.starts_with("the argument, a") || why.starts_with("cannot start a worker"),
                "{ends:?}"
            ),
        }
    }
    assert!(unsent > 0, "{ends:?}");
    Ok(())
}

/// Enough to start another worker, and not for a result.
const ROOM: usize = 30;

fn too_many_files(gate: Descriptor) -> Files {
    wait_at(gate);
    Files(ROOM * 3)
}

fn says_that_it_cannot_be_received<T>(result: std::result::Result<T, JoinError>) -> InWords<()> {
    let why = result.err().ok_or("the result was received")?.to_string();
    if why.starts_with("the result cannot be received") && why.contains("ulimit -n") {
        return Ok(());
    }
    Err(why)
}

/// Each round is a race between the next task and the end of the worker that may not have it.
fn next_after_a_result_that_does_not_fit(rounds: u64) -> InWords<()> {
    for round in 0..rounds {
        let pool = Pool::new(1).map_err(text)?;
        let ((first, at_first), (next, at_next)) = (gate()?, gate()?);
        let lost = pool.submit(too_many_files, at_first);
        // What has descriptors cannot be sent twice.
        let next_task = pool.submit(wait_at, at_next);
        // Its worker could not be started while all descriptors are taken.
        has_begun(&first)?;
        let held = all_descriptors_but(ROOM)?;
        open(&first)?;
        says_that_it_cannot_be_received(lost.join())?;
        open(&next)?;
        next_task.join().map_err(|error| format!("round {round}: the next task suffers: {error}"))?;
        drop(held);
    }
    Ok(())
}

#[test]
fn a_result_that_cannot_be_received_fails_its_own_task_alone() -> Result {
    Process::spawn(next_after_a_result_that_does_not_fit, 10)?.join()??;
    Ok(())
}

/// The thread of all processes is kept busy until there is both a result and, before it in line, the news that its
/// process has ended.
fn a_result_that_does_not_fit_after_the_end(_: ()) -> InWords<()> {
    let ((one, at_one), (two, at_two), (three, at_three)) = (gate()?, gate()?, gate()?);
    let blocks = Process::spawn(wait_at, at_one).map_err(text)?;
    let in_front = Process::spawn(wait_at, at_two).map_err(text)?;
    let lost = Process::spawn(too_many_files, at_three).map_err(text)?;
    let held = all_descriptors_but(ROOM)?;
    let ((blocked, is_blocked), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
    blocks.into_task().on_done(move |_| {
        blocked.send(()).expect("the test waits");
        // An error means that the test has failed.
        let _ = goes_on.recv();
    });
    open(&one)?;
    is_blocked.recv().map_err(text)?;
    for (gate, process) in [(&two, in_front.pid()), (&three, lost.pid())] {
        open(gate)?;
        common::eventually("the process ends", || !common::exists(process));
    }
    go_on.send(()).map_err(text)?;
    says_that_it_cannot_be_received(lost.join())?;
    in_front.join().map_err(text)?;
    drop(held);
    Ok(())
}

#[test]
fn a_result_that_cannot_be_received_is_told_whatever_is_heard_first() -> Result {
    for _ in 0..5 {
        Process::spawn(a_result_that_does_not_fit_after_the_end, ())?.join()??;
    }
    Ok(())
}

/// More than fits into a packet, so that it takes a descriptor more; and there will be none.
fn long_without_descriptors(_: ()) -> String {
    // Those that are open stay open, and the standard streams take the numbers below.
    let no_more = Rlimit { current: Some(3), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, no_more).expect("a limit can be lowered");
    "long".repeat(1 << 20)
}

#[test]
fn a_result_that_cannot_be_sent_says_so_and_its_worker_goes_on() -> Result {
    let pool = Pool::new(1)?;
    let process = Process::spawn(long_without_descriptors, ())?.into_task();
    for task in [process, pool.submit(long_without_descriptors, ())] {
        let why = task.join().err().ok_or("it was sent")?.to_string();
        assert!(why.starts_with("the result cannot be sent") && why.contains("os error 24"), "{why}");
        assert!(why.contains("ulimit -n"), "{why}");
    }
    let worker = pool.pids();
    assert_eq!(pool.submit(|()| std::process::id(), ()).join()?, worker[0]);
    Ok(())
}
