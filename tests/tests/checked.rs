//! The deadlock checker follows what a runtime's blocking threads run, and says nothing of what stands in their queue.
//!
//! Each program has a process of its own, for some never end.

#![forbid(unsafe_code)]

use async_rt::{Backend, Runtime};
use std::process::{Command, Stdio, exit};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, io};
use sync::check::{self, Context, Verdict};
use sync::park::block_on;
use sync::{Event, Mutex};

/// The variable that says which program a child runs.
const PROGRAM: &str = "CHECKED_PROGRAM";
/// No program takes so long unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_millis(20);

#[test]
fn a_function_wants_a_lock_of_who_joins_it() {
    let text = output("a_function_wants_a_lock_of_who_joins_it", || {
        let (runtime, account) = (runtime(), account());
        let _held = account.lock();
        let wanted = Arc::clone(&account);
        runtime.spawn_blocking(move || drop(wanted.lock())).join().unwrap();
    });
    for part in ["waits for the task at ", "runs the task at ", "waits for Mutex `account`", "checked.rs:"] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    assert!(text.ends_with("certain\n"), "{text}");
}

#[test]
fn a_function_wants_a_lock_of_the_task_that_awaits_it() {
    let text = output("a_function_wants_a_lock_of_the_task_that_awaits_it", || {
        let (runtime, account) = (runtime(), account());
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            let wanted = Arc::clone(&account);
            runtime.spawn_blocking(move || drop(wanted.lock())).await.unwrap();
        }));
    });
    assert!(text.contains("`awaits` (#") && text.contains("runs the task at "), "{text}");
    assert!(text.ends_with("certain\n"), "{text}");
}

#[test]
fn the_only_blocking_thread_joins_what_is_queued_behind_it() {
    let text = output("the_only_blocking_thread_joins_what_is_queued_behind_it", || {
        check::set_patience(PATIENCE);
        let runtime = Arc::new(runtime());
        let (again, joins) = (Arc::clone(&runtime), Arc::new(Event::new()));
        let begun = Arc::clone(&joins);
        let outer = runtime.spawn_blocking(move || {
            let inner = again.spawn_blocking(|| ());
            begun.set();
            inner.join().unwrap();
        });
        joins.wait();
        thread::sleep(PATIENCE * 10);
        assert!(!outer.is_finished(), "there is a second thread");
        ended();
    });
    assert_eq!(text, "ended with 0 reports\n");
}

/// One with a single blocking thread.
fn runtime() -> Runtime {
    Runtime::builder(Backend::Native).workers(1).blocking_threads(1).build().unwrap()
}

fn account() -> Arc<Mutex<()>> {
    let account = Arc::new(Mutex::new(()));
    check::name(&*account, "account");
    account
}

/// What `program` writes in a process of its own, until it ends or the checker is certain that it never will. `name` is that of the
/// test: in the child, the program is run by it.
fn output(name: &str, program: fn()) -> String {
    if env::var_os(PROGRAM).is_some() {
        check::enable();
        check::on_report(|report| {
            eprintln!("{report}");
            if report.verdict == Verdict::Certain {
                eprintln!("certain");
                exit(0);
            }
        });
        program();
        ended();
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(PROGRAM, name)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > LIMIT {
            child.kill().unwrap();
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let hangs = begin.elapsed() > LIMIT;
    let status = child.wait().unwrap();
    let text = io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(!hangs && status.success(), "{status}, it hangs: {hangs}: {text}");
    text
}

fn ended() -> ! {
    eprintln!("ended with {} reports", check::reports().len());
    exit(0);
}
