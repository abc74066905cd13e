//! Results in the order in which they come, each with the name of its task. One task panics, and one is cancelled.
//!
//! So a panic is printed on standard error, as always, and is no mistake here.
//!
//! `cargo run -p sync --example first_come`

use std::thread;
use sync::{CancelToken, Task, as_completed, promise, promise_cancelling};

fn main() {
    let sort = start(|| {
        let mut words = ["promise", "task", "queue"];
        words.sort_unstable();
        words.len()
    });
    let count = start(|| "one queue for threads and futures".split(' ').count());
    let fail = start(|| panic!("no such file"));

    let mut endless = Some(start_endless());
    let mut results = as_completed([("count", count), ("sort", sort), ("fail", fail)]);
    let mut lines = Vec::new();
    while let Some((name, result)) = results.next() {
        // The first failure stops the endless task, whose end is then awaited with the others.
        if let Some(task) = endless.take_if(|_| result.is_err()) {
            task.cancel();
            results.push(("endless", task));
        }
        lines.push(match result {
            Ok(number) => format!("{name}: {number}"),
            Err(why) => format!("{name}: {why}"),
        });
    }

    println!("{}", lines.join("\n"));
    // They raced; by name they are always these.
    lines.sort_unstable();
    assert_eq!(lines[..2], ["count: 6", "endless: the task was cancelled"]);
    assert!(lines[2].starts_with("fail: the task panicked: no such file at "));
    assert_eq!(lines[3..], ["sort: 3"]);
}

/// What every pool does: keeps the promise, and hands out the task.
fn start(work: impl FnOnce() -> usize + Send + 'static) -> Task<usize> {
    let (promise, task) = promise();
    thread::spawn(move || promise.run(work));
    task
}

/// Work that goes on until it is asked to stop, of which it hears by its token.
fn start_endless() -> Task<usize> {
    let token = CancelToken::new();
    let (promise, task) = promise_cancelling(token.clone());
    thread::spawn(move || {
        token.wait();
        // Not finished, and cancelled: so its task ends with `Cancelled`.
        drop(promise);
    });
    task
}
