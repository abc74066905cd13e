//! Structures with a planted fault are caught. Where the fault is a window between two steps, it stays open until a second
//! thread is in it, so that nothing here depends on luck.

#![forbid(unsafe_code)]

use linearizable::models::queue::{Operation, Queue, Response};
use linearizable::models::register::{self, Register};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::{Failure, Trial};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Scenarios follow from it, so that each test tries the same ones every time.
const SEED: u64 = 1;

const PUT_AND_GET: &[fn(u32) -> Operation] = &[Operation::Put, |_| Operation::Get];

/// The time between two steps that should have been one.
#[derive(Default)]
struct Window {
    entered: Mutex<u32>,
    second: Condvar,
}

impl Window {
    /// Waits until a second thread has come, or long enough to believe that none will.
    fn pass(&self) {
        let mut entered = self.entered.lock().unwrap();
        *entered += 1;
        self.second.notify_all();
        drop(
            self.second
                .wait_timeout_while(entered, Duration::from_micros(300), |entered| *entered < 2)
                .unwrap(),
        );
    }
}

/// The failure, after it was shown what every report must show.
#[track_caller]
fn caught<M: linearizable::Model>(result: Result<(), Failure<M>>) -> Failure<M> {
    let failure = result.expect_err("the planted fault was not found");
    let text = failure.to_string();
    assert!(text.contains("TREFOIL_SEED=1 "), "{text}");
    assert!(text.contains("\n  thread 0: ["), "{text}");
    failure
}

#[test]
fn a_counter_that_loses_updates() {
    #[derive(Default)]
    struct Counter {
        value: AtomicU32,
        window: Window,
    }
    let trial =
        Trial::new("a counter in two steps", Register::new(0), Counter::default, |counter, operation| {
            let before = counter.value.load(SeqCst);
            if let register::Operation::Add(more) = operation {
                counter.window.pass();
                counter.value.store(before + more, SeqCst);
            }
            register::Response::Value(before)
        });
    let trial =
        trial.threads(2, &[|_| register::Operation::Add(1), |_| register::Operation::Read]).seed(SEED);
    let failure = caught(trial.search());
    let violation = failure.violation().expect("an update is lost");
    // Two calls, two answers, and proptest has taken away whatever else there was.
    assert_eq!(violation.prefix_len(), 4, "{failure}");
    assert!(failure.to_string().contains("thread 0: [Add(1)]\n  thread 1: [Add(1)]"), "{failure}");
}

#[test]
fn a_queue_that_looks_and_takes_in_two_steps() {
    #[derive(Default)]
    struct TwoSteps {
        items: Mutex<VecDeque<u32>>,
        window: Window,
    }
    let perform = |queue: &TwoSteps, operation: &Operation| match *operation {
        Operation::Get => {
            let Some(item) = queue.items.lock().unwrap().front().copied() else { return Response::Empty };
            queue.window.pass();
            queue.items.lock().unwrap().pop_front();
            Response::Got(item)
        }
        ref other => plain(&queue.items, other),
    };
    let trial =
        Trial::new("a queue that looks and takes in two steps", Queue::fifo(), TwoSteps::default, perform);
    let failure = caught(trial.threads(2, PUT_AND_GET).ending(|_| Operation::Get).seed(SEED).search());
    assert!(failure.violation().is_some(), "{failure}");
}

#[test]
fn a_queue_that_goes_backwards() {
    let perform = |items: &Mutex<VecDeque<u32>>, operation: &Operation| match operation {
        Operation::Get => items.lock().unwrap().pop_back().map_or(Response::Empty, Response::Got),
        other => plain(items, other),
    };
    let trial = Trial::new("a stack", Queue::fifo(), Mutex::default, perform);
    let failure = caught(trial.threads(2, PUT_AND_GET).ending(|_| Operation::Get).seed(SEED).search());
    let violation = failure.violation().expect("the last comes first");
    assert_eq!(violation.prefix_len(), 6, "{failure}");
}

#[test]
fn a_meeting_that_one_does_not_come_to() {
    let trial = Trial::new("a queue with places", Rendezvous::new(), Mutex::default, plain);
    let failure = caught(trial.threads(2, PUT_AND_GET).seed(SEED).search());
    let violation = failure.violation().expect("an item is put and nobody takes it");
    assert_eq!(violation.prefix_len(), 2, "{failure}");
}

#[test]
fn an_item_that_nobody_takes_is_missed_at_the_end() {
    let perform = |items: &Mutex<VecDeque<u32>>, operation: &Operation| match operation {
        // The first thread's third item falls down behind the shelf.
        Operation::Put(3) => Response::Done,
        other => plain(items, other),
    };
    let trial = |perform| Trial::new("a leaky queue", Queue::fifo(), Mutex::default, perform).seed(SEED);
    let unnoticed = trial(perform).threads(2, &[Operation::Put]).search();
    assert!(unnoticed.is_ok(), "{unnoticed:?}");
    let failure = caught(trial(perform).threads(2, &[Operation::Put]).ending(|_| Operation::Get).search());
    assert_eq!(failure.violation().expect("an item is missing").prefix_len(), 12, "{failure}");
}

#[test]
fn a_structure_that_panics_is_a_failure_and_strands_nobody() {
    let perform = |items: &Mutex<VecDeque<u32>>, operation: &Operation| match operation {
        Operation::Put(item) => panic!("planted: {item} is too heavy"),
        other => plain(items, other),
    };
    let trial = Trial::new("a delicate queue", Queue::fifo(), Mutex::default, perform);
    let failure = caught(trial.threads(3, PUT_AND_GET).seed(SEED).search());
    assert!(failure.violation().is_none());
    let text = failure.to_string();
    assert!(text.starts_with("a delicate queue panicked: planted: "), "{text}");
    assert!(text.contains("┌ Put("), "{text}");
}

#[test]
#[should_panic(expected = "planted: sold out")]
fn a_structure_that_cannot_be_made_does_not_pass() {
    let make = || -> Mutex<VecDeque<u32>> { panic!("planted: sold out") };
    let result =
        Trial::new("no queue", Queue::fifo(), make, plain).threads(2, PUT_AND_GET).seed(SEED).search();
    assert!(result.is_err(), "nothing was tried");
}

#[test]
fn a_structure_that_hangs_is_a_failure() {
    let door = Arc::new((Mutex::new(false), Condvar::new()));
    let inside = Arc::new(AtomicUsize::new(0));
    let perform = {
        let (door, inside) = (Arc::clone(&door), Arc::clone(&inside));
        move |items: &Mutex<VecDeque<u32>>, operation: &Operation| {
            if let Operation::Get = operation {
                inside.fetch_add(1, SeqCst);
                drop(door.1.wait_while(door.0.lock().unwrap(), |open| !*open).unwrap());
                inside.fetch_sub(1, SeqCst);
            }
            plain(items, operation)
        }
    };
    let trial = Trial::new("a closed door", Queue::fifo(), Mutex::default, perform);
    let trial = trial.threads(2, PUT_AND_GET).patience(Duration::from_millis(300)).seed(SEED);
    let text = caught(trial.search()).to_string();
    // What hung is let go, so that the test leaves no thread behind.
    *door.0.lock().unwrap() = true;
    door.1.notify_all();
    while inside.load(SeqCst) > 0 {
        thread::yield_now();
    }
    assert!(text.starts_with("a closed door hung for 300ms"), "{text}");
    assert!(text.contains("┌ Get"), "{text}");
}

/// A queue whose producers tell nobody. Its consumers look once more when their time has passed, so all that they answer is
/// right; late is what they are.
#[derive(Default)]
struct Silent {
    items: Mutex<VecDeque<u32>>,
    never: Condvar,
}

impl Silent {
    const LIMIT: Duration = Duration::from_millis(200);

    fn perform(queue: &Silent, operation: &Operation, looks_again: bool) -> Response {
        let Operation::Get = operation else {
            // The consumer is there before, mostly.
            thread::sleep(Duration::from_millis(1));
            return plain(&queue.items, operation);
        };
        let items = queue.items.lock().unwrap();
        let empty = |items: &mut VecDeque<u32>| items.is_empty();
        let (mut items, late) = queue.never.wait_timeout_while(items, Silent::LIMIT, empty).unwrap();
        let item = if late.timed_out() && !looks_again { None } else { items.pop_front() };
        item.map_or(Response::Empty, Response::Got)
    }
}

#[test]
fn a_wake_up_that_is_lost() {
    const PUT: &[fn(u32) -> Operation] = &[Operation::Put];
    const GET: &[fn(u32) -> Operation] = &[|_| Operation::Get];
    for looks_again in [true, false] {
        let perform =
            move |queue: &Silent, operation: &Operation| Silent::perform(queue, operation, looks_again);
        let trial = || {
            let trial = Trial::new("a queue that tells nobody", Queue::fifo(), Silent::default, perform);
            trial.rounds(1, &[PUT]).rounds(1, &[GET]).operations(1).seed(SEED)
        };
        let failure = caught(trial().answered_within(Silent::LIMIT / 2).search());
        assert!(failure.violation().is_none());
        let text = failure.to_string();
        assert!(text.starts_with("a queue that tells nobody lost a wake-up: an operation waited "), "{text}");
        assert!(text.contains("┌ Get"), "{text}");
    }
}

/// A queue under a lock, as it should be.
fn plain(items: &Mutex<VecDeque<u32>>, operation: &Operation) -> Response {
    let mut items = items.lock().unwrap();
    match *operation {
        Operation::Put(item) => {
            items.push_back(item);
            Response::Done
        }
        Operation::Get => items.pop_front().map_or(Response::Empty, Response::Got),
        Operation::Len => Response::Len(items.len()),
        Operation::Close => Response::Done,
        Operation::Drain | Operation::CloseNow => unreachable!("nobody asks for it"),
    }
}

/// It fits the model, which allows refusing; the trial says what must happen all the same.
#[test]
#[should_panic(expected = "a lock for nobody: there never was a lock that was had")]
fn a_lock_that_nobody_ever_gets() {
    Trial::new("a lock for nobody", Register::new(0), || (), |&(), _| register::Response::Refused)
        .threads(2, &[|_| register::Operation::Read])
        .wanting("a lock that was had", |answer| matches!(answer, register::Response::Value(_)))
        .check();
}
