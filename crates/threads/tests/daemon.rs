//! The end of the program: this test runs itself again as a child, whose `main` is the function that is named in the
//! environment.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::Event;
use threads::{Pool, Thread};

const ROLE: &str = "TREFOIL_THREADS_TEST_ROLE";

/// Runs `as_a_child` of this program alone. One that does not end is killed, and fails the test.
fn child(role: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["as_a_child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > patience {
            child.kill().unwrap();
            panic!("the child that plays `{role}` does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

fn say(what: &str) {
    // Straight to the pipe: the harness must not catch it.
    let mut out = std::io::stdout();
    out.write_all(format!("<{what}>\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn said(output: &Output, what: &str) -> bool {
    String::from_utf8_lossy(&output.stdout).contains(&format!("<{what}>"))
}

/// A thread that goes on after `main` has ended.
fn late() {
    let main_is_over = Arc::new(Event::new());
    let thread = threads::spawn({
        let main_is_over = Arc::clone(&main_is_over);
        move || {
            main_is_over.wait();
            std::thread::sleep(Duration::from_millis(50));
            say("the thread has ended");
        }
    });
    drop(thread.unwrap());
    main_is_over.set();
}

/// A thread that never ends, so that nobody can have waited for it.
fn endless(daemon: bool) {
    drop(Thread::builder().daemon(daemon).spawn(|| sync::CancelToken::new().wait()).unwrap());
}

#[test]
fn as_a_child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let exit = threads::join_all_at_exit();
    let exit = if role.ends_with("limited") { exit.within(Duration::from_millis(10)) } else { exit };
    match role.as_str() {
        "ordinary" => late(),
        "daemon" => endless(true),
        "panic" => {
            late();
            panic!("on purpose");
        }
        "exit" => {
            endless(false);
            std::process::exit(3);
        }
        "limited" => endless(false),
        "starts another" => {
            drop(threads::spawn(late));
        }
        "pool" => {
            let pool = Pool::new(1);
            drop(pool.spawn(late));
            drop(pool);
        }
        "in a thread" => {
            // It waits for the others, and not for itself.
            late();
            threads::spawn(threads::join_all).unwrap().join().unwrap();
            say("all others have ended");
        }
        other => unreachable!("{other}"),
    }
    drop(exit);
    // What `main` does at its end; the harness would do more.
    std::process::exit(0);
}

#[test]
fn ordinary_threads_are_waited_for_at_the_end_of_main() {
    assert!(said(&child("ordinary"), "the thread has ended"));
}

#[test]
fn also_when_main_panics() {
    let output = child("panic");
    assert!(said(&output, "the thread has ended"));
    assert!(!output.status.success());
}

#[test]
fn also_those_that_threads_and_tasks_start() {
    assert!(said(&child("starts another"), "the thread has ended"));
    assert!(said(&child("pool"), "the thread has ended"));
}

#[test]
fn daemons_are_not_waited_for() {
    assert_eq!(child("daemon").status.code(), Some(0));
}

#[test]
fn exit_waits_for_nobody() {
    assert_eq!(child("exit").status.code(), Some(3));
}

#[test]
fn a_limit_ends_the_waiting() {
    assert_eq!(child("limited").status.code(), Some(0));
}

#[test]
fn a_thread_may_wait_for_all_others() {
    let output = child("in a thread");
    assert!(said(&output, "the thread has ended") && said(&output, "all others have ended"));
}
