//! Hooks around tasks.

#[path = "common/inline.rs"]
mod inline;

use executor::{Executor, Shutdown};
use inline::Inline;
use std::cell::RefCell;
use std::panic::panic_any;

thread_local! {
    static SEEN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn see(what: &'static str) {
    SEEN.with_borrow_mut(|seen| seen.push(what));
}

fn seen() -> Vec<&'static str> {
    SEEN.take()
}

fn before() {
    see("before");
}

fn after() {
    see("after");
}

#[test]
fn they_run_around_the_task_on_its_thread() {
    let pool = Inline::default().hooked(before, after);
    let task = pool.submit(
        |number: u32| {
            see("task");
            number + 1
        },
        1,
    );
    assert_eq!(task.join().unwrap(), 2);
    assert_eq!(seen(), ["before", "task", "after"]);
}

#[test]
fn the_one_after_runs_also_when_the_task_panics() {
    let pool = Inline::default().hooked(before, after);
    let error = pool.submit(|()| -> () { panic!("on purpose") }, ()).join().unwrap_err();
    assert_eq!(error.panic().unwrap().message(), "on purpose");
    assert!(error.panic().unwrap().place().unwrap().contains("hooks.rs"));
    assert_eq!(seen(), ["before", "after"]);
}

#[test]
fn a_panic_in_a_hook_is_the_tasks() {
    let pool = Inline::default();
    let task = (&pool).hooked(|| panic!("in before"), after).submit(|()| see("task"), ());
    assert_eq!(task.join().unwrap_err().panic().unwrap().message(), "in before");
    assert_eq!(seen(), [""; 0]);

    let task = (&pool).hooked(before, || panic!("in after")).submit(|()| see("task"), ());
    assert_eq!(task.join().unwrap_err().panic().unwrap().message(), "in after");
    assert_eq!(seen(), ["before", "task"]);

    // Two panics, one in the other's wake, and the program goes on.
    let task = (&pool).hooked(before, || panic!("in after")).submit(|()| -> () { panic!("in task") }, ());
    assert_eq!(task.join().unwrap_err().panic().unwrap().message(), "in after");
    assert_eq!(seen(), ["before"]);
}

#[test]
fn a_panic_in_the_hook_after_does_not_meet_another_one_of_what_the_task_left() {
    /// Panics whatever else panics: two at a time end the program.
    struct Sharp;
    impl Drop for Sharp {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let pool = Inline::default().hooked(before, || panic!("in after"));
    let task = pool.submit(|()| -> () { panic_any(Sharp) }, ());
    assert_eq!(task.join().unwrap_err().panic().unwrap().message(), "in after");
}

#[test]
fn hooks_nest_and_reach_maps() {
    let pool = Inline::default();
    let hooked = (&pool).hooked(|| see("inner before"), || see("inner after")).hooked(before, after);
    assert_eq!(hooked.map(|number: u32| number, 0..1).map(Result::unwrap).sum::<u32>(), 0);
    assert_eq!(seen(), ["inner before", "before", "after", "inner after"]);
    assert_eq!(hooked.can(), pool.can());
    assert_eq!(hooked.workers(), pool.workers());
}

#[test]
fn a_shutdown_goes_through_to_the_pool() {
    let pool = Inline::default().hooked(before, after);
    pool.shutdown(Shutdown::Finish);
    let refused = pool.into_inner().submit(|()| (), ()).join().unwrap_err();
    assert!(matches!(refused, executor::JoinError::ShutDown));
}
