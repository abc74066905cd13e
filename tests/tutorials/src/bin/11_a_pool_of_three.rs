//! 11. Five tasks on a pool of three processes
//!
//! Shows: never more than three tasks run at a time, in at most three processes; a pool that was closed takes no more, and
//! finishes what it has.
//!
//! By the document's comments tasks wait in a list until the pool is closed and `join` starts them. It is not so, in
//! Python either: they start as they are submitted, which this program checks before it closes. And what is put into the
//! pool are tasks, neither threads nor processes.
//!
//! `close` and `join` are one call here, `shutdown`. With no time to wait it is `close` alone.

#![forbid(unsafe_code)]

use ipc::Sender;
use procs::{Executor, JoinError, Pool, Shutdown, Task};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::error::Error;
use std::process;
use std::thread;
use std::time::{Duration, Instant};
use tutorials::Story;

static STORY: Story = Story::new();

const WORKERS: usize = 3;
const TASKS: usize = 5;
const NAP: Duration = Duration::from_millis(300);

#[derive(Serialize, Deserialize)]
enum Event {
    Begun { task: usize, pid: u32 },
    Ended { task: usize },
}

/// Tells the parent when it begins and ends: all workers write into one channel, so what is told has one order.
fn long_task((task, events): (usize, Sender<Event>)) -> Result<Duration, String> {
    let start = Instant::now();
    let tell = |event| events.send(event).map_err(|error| error.to_string());
    tell(Event::Begun { task, pid: process::id() })?;
    thread::sleep(NAP);
    tell(Event::Ended { task })?;
    Ok(start.elapsed())
}

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (sender, events) = ipc::channel(16)?;
    let pool = Pool::new(WORKERS)?;
    let submit = |task| pool.submit(long_task, (task, sender.clone()));
    let tasks: Vec<Task<_>> = (0..TASKS).map(submit).collect();
    STORY.say("five tasks are submitted");
    let first = events.recv()?;
    STORY.say("a task has begun");

    // Closed, and not waited for.
    pool.close();
    STORY.say("the pool is closed");
    let late = submit(TASKS).join();
    assert!(matches!(late, Err(JoinError::ShutDown)), "after the close: {late:?}");
    STORY.say("a sixth task is refused");

    pool.shutdown(Shutdown::Finish);
    STORY.say("all tasks are done");
    assert!(tasks.iter().all(Task::is_finished));
    assert!(pool.pids().is_empty(), "and the workers have gone");
    for task in tasks {
        assert!(task.join()?? >= NAP);
    }

    // The pool has ended, so with this sender the last one goes, and the channel has an end.
    drop(sender);
    let mut log = vec![first];
    for event in &events {
        log.push(event?);
    }
    let (most, pids) = most_at_a_time(&log);
    STORY.say(format_args!("at most {most} ran at a time, in {} processes", pids.len()));
    assert!(most <= WORKERS, "{most} tasks ran at a time");
    assert!(pids.len() <= WORKERS && !pids.contains(&process::id()), "{pids:?}");
    assert_eq!(log.len(), 2 * TASKS, "each has begun and ended, the refused one has not");
    assert!(start.elapsed() >= NAP * 2, "five tasks on three workers take two turns");
    STORY.assert_order(&[
        "a task has begun",
        "the pool is closed",
        "a sixth task is refused",
        "all tasks are done",
    ]);
    Ok(())
}

fn most_at_a_time(log: &[Event]) -> (usize, BTreeSet<u32>) {
    let (mut running, mut pids, mut most) = (BTreeSet::new(), BTreeSet::new(), 0);
    for event in log {
        match event {
            Event::Begun { task, pid } => {
                assert!(running.insert(task), "task {task} begins once");
                pids.insert(*pid);
            }
            Event::Ended { task } => assert!(running.remove(task), "task {task} ends after it has begun"),
        }
        most = most.max(running.len());
    }
    (most, pids)
}
