//! Trees of tokens, and what is called when they are cancelled.

mod common;

use common::{ByHand, Counted};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use sync::{CancelToken, catch};

#[test]
fn cancelling_reaches_children_and_never_the_parent() {
    let root = CancelToken::new();
    let (left, right) = (root.child(), root.child());
    let leaf = left.child();
    left.cancel();
    assert!(left.is_cancelled() && leaf.is_cancelled());
    assert!(!root.is_cancelled() && !right.is_cancelled());
    root.cancel();
    assert!(right.is_cancelled());
}

#[test]
fn clones_are_the_same_token() {
    let token = CancelToken::new();
    let clone = token.clone();
    clone.cancel();
    assert!(token.is_cancelled());
}

#[test]
fn a_child_of_a_cancelled_token_is_cancelled() {
    let root = CancelToken::new();
    root.cancel();
    assert!(root.child().is_cancelled());
    assert!(root.child().child().is_cancelled());
}

#[test]
fn a_parent_that_nobody_holds_still_hands_on() {
    let root = CancelToken::new();
    let grandchild = root.child().child();
    root.cancel();
    assert!(grandchild.is_cancelled());
}

#[test]
fn a_child_that_outlives_its_parent_can_be_cancelled() {
    let child = CancelToken::new().child();
    assert!(!child.is_cancelled());
    child.cancel();
    assert!(child.is_cancelled());
}

#[test]
fn a_long_line_of_children() {
    let root = CancelToken::new();
    let mut last = root.child();
    for _ in 0..500 {
        last = last.child();
    }
    root.cancel();
    assert!(last.is_cancelled());
}

#[test]
fn waiters_are_woken_in_all_generations() {
    let root = CancelToken::new();
    let child = root.child();
    let mut mine = ByHand::waiting(root.wait_async());
    let mut childs = ByHand::waiting(child.wait_async());
    root.cancel();
    assert_eq!((mine.wakes(), childs.wakes()), (1, 1));
    assert!(mine.poll().is_some() && childs.poll().is_some());
}

#[test]
fn callbacks_run_once_in_order_on_the_cancelling_thread() {
    let token = CancelToken::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let registered: Vec<_> = (0..3)
        .map(|number| {
            let calls = Arc::clone(&calls);
            token.on_cancel(move || calls.lock().unwrap().push((number, thread::current().id())))
        })
        .collect();
    let canceller = thread::spawn({
        let token = token.clone();
        move || {
            token.cancel();
            token.cancel();
            thread::current().id()
        }
    });
    let place = canceller.join().unwrap();
    assert_eq!(*calls.lock().unwrap(), [(0, place), (1, place), (2, place)]);
    drop(registered);
}

#[test]
fn a_callback_of_a_cancelled_token_runs_now() {
    let token = CancelToken::new();
    token.cancel();
    let (told, hears) = mpsc::channel();
    let _registered = token.on_cancel(move || told.send(()).unwrap());
    assert_eq!(hears.try_recv(), Ok(()));
}

#[test]
fn a_callback_that_was_taken_back_does_not_run_and_is_dropped() {
    let token = CancelToken::new();
    let counted = Counted::default();
    let captured = counted.clone();
    let registered = token.on_cancel(move || panic!("{captured:?} was taken back"));
    drop(registered);
    assert_eq!(counted.others(), 0);
    token.cancel();
}

#[test]
fn a_callback_is_dropped_with_the_token_or_after_its_call() {
    let counted = Counted::default();
    let token = CancelToken::new();
    let captured = counted.clone();
    let registered = token.on_cancel(move || drop(captured));
    drop(token);
    assert_eq!(counted.others(), 0);
    drop(registered);

    let token = CancelToken::new();
    let captured = counted.clone();
    let _registered = token.on_cancel(move || drop(captured));
    token.cancel();
    assert_eq!(counted.others(), 0);
}

#[test]
fn a_callback_may_use_the_token() {
    let token = CancelToken::new();
    let inner = token.clone();
    let (told, hears) = mpsc::channel();
    let _registered = token.on_cancel(move || {
        inner.cancel();
        let same = inner.clone();
        let _now = inner.on_cancel(move || told.send(same.is_cancelled()).unwrap());
    });
    token.cancel();
    assert_eq!(hears.try_recv(), Ok(true));
}

#[test]
fn a_callback_that_panics_keeps_the_others_from_nothing() {
    let token = CancelToken::new();
    let child = token.child();
    let _registered = token.on_cancel(|| panic!("a panic that the test asked for"));
    let late = token.child();
    let panicked = catch(|| token.cancel()).unwrap_err();
    assert_eq!(panicked.panic().unwrap().message(), "a panic that the test asked for");
    assert!(child.is_cancelled() && late.is_cancelled());
}

#[test]
fn children_are_made_while_their_parent_is_cancelled() {
    for _ in 0..200 {
        let token = CancelToken::new();
        thread::scope(|scope| {
            scope.spawn(|| token.cancel());
            token.child().wait();
        });
    }
}
