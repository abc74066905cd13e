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

/// Deep enough to overflow any stack that holds a frame for each.
const DEEP: usize = if cfg!(miri) { 100 } else { 100_000 };

/// A line of tokens, each the child of the one before; the first and the last.
fn line() -> (CancelToken, CancelToken) {
    let root = CancelToken::new();
    let mut last = root.child();
    for _ in 1..DEEP {
        last = last.child();
    }
    (root, last)
}

#[test]
fn a_line_of_a_hundred_thousand_is_cancelled_without_a_deep_stack() {
    let (root, last) = line();
    let mut waiting = ByHand::waiting(last.wait_async());
    root.cancel();
    assert!(last.is_cancelled());
    assert!(waiting.poll().is_some());
}

#[test]
fn a_line_of_a_hundred_thousand_is_dropped_without_a_deep_stack() {
    // The last one holds all the others, whether the root is dropped before it or after.
    let (root, last) = line();
    drop(root);
    assert!(!last.is_cancelled());
    drop(last);
    let (root, last) = line();
    drop(last);
    root.cancel();
}

#[test]
fn a_line_is_cut_where_somebody_holds_a_token() {
    let counted = Counted::default();
    let (root, held) = line();
    let captured = counted.clone();
    let registered = held.on_cancel(move || drop(captured));
    let mut last = held.child();
    for _ in 0..100 {
        last = last.child();
    }
    drop(last);
    assert_eq!(counted.others(), 1, "what is above lives");
    root.cancel();
    assert!(held.is_cancelled());
    assert_eq!(counted.others(), 0);
    drop(registered);
}

#[test]
fn a_tree_calls_in_order_of_registration_branch_by_branch() {
    let root = CancelToken::new();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let calls = Arc::clone(&calls);
        move || calls.lock().unwrap().push(name)
    };
    let _first = root.on_cancel(note("root, first"));
    let left = root.child();
    let _second = root.on_cancel(note("root, second"));
    let right = root.child();
    let leaf = left.child();
    let _others =
        [left.on_cancel(note("left")), right.on_cancel(note("right")), leaf.on_cancel(note("leaf"))];
    root.cancel();
    assert_eq!(*calls.lock().unwrap(), ["root, first", "leaf", "left", "root, second", "right"]);
}

#[test]
fn a_callback_may_drop_and_cancel_and_add_to_the_tree() {
    let root = CancelToken::new();
    let child = root.child();
    let grandchild = child.child();
    let late = Arc::new(Mutex::new(None));
    let registered = root.on_cancel({
        let (weak, late) = (root.child(), Arc::clone(&late));
        let root = root.clone();
        move || {
            weak.cancel();
            *late.lock().unwrap() = Some(root.child());
            drop(child);
        }
    });
    root.cancel();
    assert!(grandchild.is_cancelled());
    assert!(late.lock().unwrap().take().unwrap().is_cancelled());
    drop(registered);
}

#[test]
fn threads_make_and_drop_branches_while_the_root_is_cancelled() {
    for _ in 0..20 {
        let root = CancelToken::new();
        thread::scope(|scope| {
            for _ in 0..2 {
                let root = root.clone();
                scope.spawn(move || {
                    let mut last = root.child();
                    while !last.is_cancelled() {
                        last = last.child().child();
                        let twig = last.clone().child();
                        drop(twig);
                    }
                    assert!(last.child().is_cancelled());
                });
            }
            thread::yield_now();
            root.cancel();
        });
    }
}
