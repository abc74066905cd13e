//! Senders that are killed, or stopped, at each step of sending: the steps call [`point`], and in a test's child one of
//! them never returns.

use super::{Receiver, Sender, channel};
use crate::common::{self, Alarm, Child, child_role, descriptors_open};
use std::sync::OnceLock;
use std::time::Duration;

type Message = (u32, Vec<u8>);

/// Where this process stays for ever.
static STAY_AT: OnceLock<String> = OnceLock::new();

pub(super) fn point(name: &str) {
    if STAY_AT.get().is_some_and(|at| at == name) {
        common::reached();
        common::stay();
    }
}

const CHILD: &str = "channel::crash::child";

const STEPS: [&str; 6] = [
    "before the baton",
    "with the baton",
    "with the baton and a permit",
    "after the new segment",
    "after sending",
    "baton put back, in hand too",
];

/// Not a test by itself: what the others start as another process.
#[test]
fn child() {
    let Some((step, parent)) = child_role() else { return };
    let (sender, values): (Sender<Message>, Vec<Message>) = parent.hear();
    for (place, value) in values.into_iter().enumerate() {
        if value.0 == u32::MAX {
            let _ = STAY_AT.set(step.clone());
        }
        sender.send(value).unwrap_or_else(|error| panic!("message {place}: {error}"));
    }
    common::reached();
    common::stay();
}

/// The child sends two messages; while it sends a third, marked, it is stopped at `step`.
fn child_at(step: &str, sender: &Sender<Message>, size: usize) -> Child {
    let child = Child::start(CHILD, step);
    child.tell(&(sender, vec![(1, vec![1; 10]), (2, vec![2; size]), (u32::MAX, vec![3; size])]));
    child.wait_until_reached();
    child
}

fn numbers(receiver: &Receiver<Message>) -> Vec<u32> {
    let mut numbers = Vec::new();
    loop {
        match receiver.try_recv() {
            Ok((number, _)) => numbers.push(number),
            Err(error) if error.is_empty() => return numbers,
            Err(error) => panic!("{error}"),
        }
    }
}

/// How many messages fit in, none of them received; they are taken out again.
fn places(sender: &Sender<Message>, receiver: &Receiver<Message>) -> usize {
    let mut places = 0;
    while sender.try_send((0, Vec::new())).is_ok() {
        places += 1;
    }
    assert_eq!(numbers(receiver).len(), places);
    places
}

#[test]
fn a_sender_killed_at_any_step_loses_nothing_and_leaks_no_place() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    for capacity in [3, 4, 600] {
        for size in [10, 40_000, 100_000] {
            for step in STEPS {
                // It takes a full segment for another one to be made.
                if step == "after the new segment" && (size != 40_000 || capacity != 600) {
                    continue;
                }
                let (sender, receiver) = channel(capacity).unwrap();
                let filler = if step == "after the new segment" { 3 } else { 0 };
                for _ in 0..filler {
                    sender.send((0, vec![0; 60_000])).unwrap();
                }
                child_at(step, &sender, size).kill();
                let mut expected = vec![0; filler];
                expected.extend([1, 2]);
                if ["after sending", "baton put back, in hand too"].contains(&step) {
                    expected.push(u32::MAX);
                }
                assert_eq!(numbers(&receiver), expected, "{step}, {capacity}, {size}");
                assert_eq!(places(&sender, &receiver), capacity as usize, "{step}, {capacity}, {size}");
                drop(sender);
                assert!(receiver.recv().is_err_and(|error| error.is_disconnected()), "{step}");
            }
        }
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn those_who_wait_go_on_when_a_sender_is_killed() {
    let _alarm = Alarm::new();
    for step in STEPS.into_iter().filter(|step| *step != "after the new segment") {
        let (sender, receiver) = channel(3).unwrap();
        let child = child_at(step, &sender, 10);
        let waiting = std::thread::spawn(move || sender.send((7, Vec::new())));
        let receiving = std::thread::spawn(move || {
            receiver.iter().map(|received| received.unwrap().0).collect::<Vec<_>>()
        });
        child.kill();
        waiting.join().unwrap().unwrap();
        let received = receiving.join().unwrap();
        let own: Vec<_> = received.iter().filter(|number| **number != 7).collect();
        assert!(own.starts_with(&[&1, &2]) && own.len() <= 3, "{step}: {received:?}");
        assert_eq!(received.iter().filter(|number| **number == 7).count(), 1, "{step}: {received:?}");
    }
}

#[test]
fn a_sender_that_is_stopped_holds_up_others_only_until_their_deadline() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel(3).unwrap();
    let child = child_at("with the baton and a permit", &sender, 10);
    let limit = Duration::from_millis(30);
    assert!(sender.send_timeout((7, Vec::new()), limit).is_err_and(|error| error.is_timeout()));
    assert!(sender.try_send((7, Vec::new())).is_err_and(|error| error.is_full()));
    let waited = sync::park::block_on(sender.send_async_timeout((7, Vec::new()), limit));
    assert!(waited.is_err_and(|error| error.is_timeout()));
    // The receiver needs nothing that a sender could hold.
    assert_eq!(numbers(&receiver), [1, 2]);
    assert!(!receiver.poll(limit));
    assert!(receiver.recv_timeout(limit).is_err_and(|error| error.is_timeout()));
    drop(receiver);
    assert!(sender.send((7, Vec::new())).is_err_and(|error| error.is_disconnected()));
    child.kill();
}
