//! The goals as they were agreed on, a second time: whoever loosens one in `benches/goals.toml`, or takes one away, comes by here.

use super::Goals;
use super::file::Compare::{self, Speed, Time, Value};
use super::file::Direction::{self, AtLeast, AtMost};
use super::file::{Goal, Over};
use std::path::Path;

/// The goals of `sync`: name, what is compared, direction and bound, and of whom the best is taken.
const AGREED: &[(&str, Compare, Direction, f64, &[&str])] = &[
    ("mutex, uncontended, with membarrier", Time, AtMost, 0.75, &["std"]),
    ("mutex, uncontended, without membarrier", Time, AtMost, 1.1, &["std"]),
    ("mutex, size without its value", Value, AtMost, 32.0, &[]),
    ("mutex, async and uncontended, against tokio", Time, AtMost, 0.5, &["tokio"]),
    ("mutex, async and uncontended, against async-lock", Time, AtMost, 0.6, &["async-lock"]),
    ("mutex, contended, held for nothing", Speed, AtLeast, 1.5, &["std", "parking_lot"]),
    ("mutex, contended, held for 0.3 and 10 us", Speed, AtLeast, 0.9, &["std", "parking_lot"]),
    ("mutex, contended, fairness in the median", Value, AtLeast, 0.95, &[]),
    ("mutex, contended, fairness in the worst window", Value, AtLeast, 0.9, &[]),
    ("mutex, contended, longest wait of up to 8 threads", Value, AtMost, 6000.0, &[]),
    ("mutex, contended, longest wait of 32 threads", Value, AtMost, 10000.0, &[]),
    ("mutex, contended on one CPU", Speed, AtLeast, 0.9, &["std", "parking_lot"]),
    ("mutex, contended on one CPU, fairness", Value, AtLeast, 0.95, &[]),
    ("mutex, with work outside the lock", Speed, AtLeast, 0.8, &["std", "parking_lot"]),
    ("mutex, with work outside the lock, the next step", Speed, AtLeast, 0.95, &["std", "parking_lot"]),
    ("rwlock, only read, on two CPUs", Time, AtMost, 0.25, &["parking_lot"]),
    ("rwlock, 95 reads to 5 writes", Speed, AtLeast, 1.0, &["std", "parking_lot"]),
    ("semaphore of 3 with 8 threads", Speed, AtLeast, 1.0, &["std", "parking_lot"]),
    ("condvar, ping-pong", Speed, AtLeast, 1.0, &["std", "parking_lot"]),
    ("barrier of 2", Speed, AtLeast, 1.0, &["std"]),
    ("barrier of 2, on two CPUs", Speed, AtLeast, 10.0, &["std"]),
    ("spsc queue, 1024 and unbounded", Speed, AtLeast, 5.0, &[]),
    ("spsc queue, 1024, against rtrb", Speed, AtLeast, 0.8, &["rtrb"]),
    ("mpsc and mpmc queue, 1024 and unbounded", Speed, AtLeast, 1.5, &[]),
    ("queue, capacity 0 and 1", Speed, AtLeast, 1.2, &["kanal"]),
    ("queue, on one CPU", Speed, AtLeast, 0.95, &[]),
    ("queue with one consumer, on one CPU", Speed, AtLeast, 1.4, &[]),
    ("spsc queue, on one CPU", Speed, AtLeast, 2.5, &[]),
    ("queue, tasks in one thread", Speed, AtLeast, 1.0, &["kanal"]),
    ("queue, beside hogs", Speed, AtLeast, 0.7, &[]),
    ("queue, beside hogs, worst send", Time, AtMost, 2.0, &[]),
    ("timed wait, 99 of 100, over the kernel's own lateness", Value, AtMost, 150.0, &[]),
    ("cancelling one of 100,000 that wait, against one of 1,000", Value, AtMost, 10.0, &[]),
    ("cancelling, bytes on the heap for each that waits", Value, AtMost, 0.01, &[]),
    ("crates in its tree", Value, AtMost, 5.0, &[]),
];

/// What each measures, and of which rows: all that these patterns are of.
const MEASURED: &[(&str, &str, &[&str])] = &[
    ("mutex, uncontended, with membarrier", "ns", &["mutex/uncontended"]),
    ("mutex, uncontended, without membarrier", "ns", &["mutex/uncontended"]),
    ("mutex, size without its value", "bytes", &["mutex/size"]),
    ("mutex, async and uncontended, against tokio", "ns", &["mutex/async-uncontended"]),
    ("mutex, async and uncontended, against async-lock", "ns", &["mutex/async-uncontended"]),
    ("mutex, contended, held for nothing", "ns", &["mutex/contended/*/0us/free"]),
    (
        "mutex, contended, held for 0.3 and 10 us",
        "ns",
        &["mutex/contended/*/0.3us/free", "mutex/contended/*/10us/free"],
    ),
    ("mutex, contended, fairness in the median", "jain", &["mutex/contended/*/free"]),
    ("mutex, contended, fairness in the worst window", "jain_worst", &["mutex/contended/*/free"]),
    (
        "mutex, contended, longest wait of up to 8 threads",
        "longest_us",
        &["mutex/contended/2/*/free", "mutex/contended/4/*/free", "mutex/contended/8/*/free"],
    ),
    ("mutex, contended, longest wait of 32 threads", "longest_us", &["mutex/contended/32/*/free"]),
    ("mutex, contended on one CPU", "ns", &["mutex/contended/*/one"]),
    ("mutex, contended on one CPU, fairness", "jain", &["mutex/contended/*/one"]),
    ("mutex, with work outside the lock", "ns", &["mutex/outside-work/*"]),
    ("mutex, with work outside the lock, the next step", "ns", &["mutex/outside-work/*"]),
    ("rwlock, only read, on two CPUs", "ns", &["rwlock/read-only/two"]),
    ("rwlock, 95 reads to 5 writes", "ns", &["rwlock/95-5/*"]),
    ("semaphore of 3 with 8 threads", "ns", &["semaphore/3x8/*"]),
    ("condvar, ping-pong", "ns", &["condvar/ping-pong/*"]),
    ("barrier of 2", "ns", &["barrier/2/*"]),
    ("barrier of 2, on two CPUs", "ns", &["barrier/2/two"]),
    (
        "spsc queue, 1024 and unbounded",
        "ns",
        &[
            "queue/spsc/1024/threads/*/free",
            "queue/spsc/1024/threads/*/two",
            "queue/spsc/1024/mixed/*/free",
            "queue/spsc/1024/mixed/*/two",
            "queue/spsc/unbounded/threads/*/free",
            "queue/spsc/unbounded/threads/*/two",
            "queue/spsc/unbounded/mixed/*/free",
            "queue/spsc/unbounded/mixed/*/two",
        ],
    ),
    (
        "spsc queue, 1024, against rtrb",
        "ns",
        &["queue/spsc/1024/threads/*/free", "queue/spsc/1024/threads/*/two"],
    ),
    (
        "mpsc and mpmc queue, 1024 and unbounded",
        "ns",
        &[
            "queue/mpsc/1024/threads/*/free",
            "queue/mpsc/1024/threads/*/two",
            "queue/mpsc/1024/mixed/*/free",
            "queue/mpsc/1024/mixed/*/two",
            "queue/mpsc/unbounded/threads/*/free",
            "queue/mpsc/unbounded/threads/*/two",
            "queue/mpsc/unbounded/mixed/*/free",
            "queue/mpsc/unbounded/mixed/*/two",
            "queue/mpmc/1024/threads/*/free",
            "queue/mpmc/1024/threads/*/two",
            "queue/mpmc/1024/mixed/*/free",
            "queue/mpmc/1024/mixed/*/two",
            "queue/mpmc/unbounded/threads/*/free",
            "queue/mpmc/unbounded/threads/*/two",
            "queue/mpmc/unbounded/mixed/*/free",
            "queue/mpmc/unbounded/mixed/*/two",
        ],
    ),
    (
        "queue, capacity 0 and 1",
        "ns",
        &[
            "queue/*/0/threads/*/free",
            "queue/*/0/threads/*/two",
            "queue/*/0/mixed/*/free",
            "queue/*/0/mixed/*/two",
            "queue/*/1/threads/*/free",
            "queue/*/1/threads/*/two",
            "queue/*/1/mixed/*/free",
            "queue/*/1/mixed/*/two",
        ],
    ),
    ("queue, on one CPU", "ns", &["queue/*/*/threads/*/one", "queue/*/*/mixed/*/one"]),
    (
        "queue with one consumer, on one CPU",
        "ns",
        &[
            "queue/spsc/*/threads/*/one",
            "queue/spsc/*/mixed/*/one",
            "queue/mpsc/*/threads/*/one",
            "queue/mpsc/*/mixed/*/one",
        ],
    ),
    ("spsc queue, on one CPU", "ns", &["queue/spsc/*/threads/*/one", "queue/spsc/*/mixed/*/one"]),
    ("queue, tasks in one thread", "ns", &["queue/*/tasks/*/one"]),
    ("queue, beside hogs", "ns", &["queue/*/hogs"]),
    ("queue, beside hogs, worst send", "worst_send_us", &["queue/*/hogs"]),
    ("timed wait, 99 of 100, over the kernel's own lateness", "over_kernel_p99_us", &["timed-wait/*"]),
    ("cancelling one of 100,000 that wait, against one of 1,000", "growth", &["cancel/100k"]),
    ("cancelling, bytes on the heap for each that waits", "heap_bytes", &["cancel/100k"]),
    ("crates in its tree", "crates", &["crates-in-tree"]),
];

/// Of these, the worst round speaks.
const WORST: [&str; 3] = [
    "mutex, contended, fairness in the worst window",
    "mutex, contended, longest wait of up to 8 threads",
    "mutex, contended, longest wait of 32 threads",
];

/// Of these, what the control saw takes the bound's place where it is larger.
const OR_THE_CONTROL: [(&str, &str); 2] = [
    ("mutex, contended, longest wait of up to 8 threads", "control_gap_us"),
    ("mutex, contended, longest wait of 32 threads", "control_gap_us"),
];

/// These hold on some machines alone.
const SOMEWHERE: [(&str, &str); 2] = [
    ("mutex, uncontended, with membarrier", "membarrier"),
    ("mutex, uncontended, without membarrier", "no-membarrier"),
];

const RULE: &str = "what was agreed on is never loosened or removed; a goal that is not met keeps its bound and says why in `unmet`";

fn goals_of_sync() -> Vec<Goal> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/goals.toml");
    let goals = Goals::read(&path).expect("its entries are right").goals;
    goals.into_iter().filter(|goal| goal.area == "sync").collect()
}

#[test]
fn no_goal_is_gone_and_no_bound_is_looser_than_what_was_agreed_on() {
    let goals = goals_of_sync();
    for &(name, compare, direction, bound, peers) in AGREED {
        let goal = goals.iter().find(|goal| goal.goal == name);
        let goal = goal.unwrap_or_else(|| panic!("benches/goals.toml has no goal {name:?}: {RULE}"));
        let keeps = match direction {
            AtMost => goal.bound <= bound,
            AtLeast => goal.bound >= bound,
        };
        let now = goal.bound;
        assert!(
            keeps,
            "{name:?}: {direction:?} {bound} was agreed on, and benches/goals.toml says {now}: {RULE}"
        );
        assert_eq!((goal.compare, goal.direction), (compare, direction), "{name:?}: {RULE}");
        assert_eq!(goal.peers, peers, "{name:?} is against the best of others: {RULE}");
    }
}

#[test]
fn no_goal_is_eased_by_which_rounds_and_machines_it_speaks_of() {
    for Goal { goal, over, or_measure, only_if, .. } in &goals_of_sync() {
        let name = goal.as_str();
        assert_eq!(*over == Over::Worst, WORST.contains(&name), "{name:?}, `over`: {RULE}");
        assert_eq!(or_measure.as_deref(), of(&OR_THE_CONTROL, name), "{name:?}, `or_measure`: {RULE}");
        assert_eq!(only_if.as_deref(), of(&SOMEWHERE, name), "{name:?}, `only_if`: {RULE}");
    }
}

fn of(list: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    list.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
}

#[test]
fn no_goal_is_eased_by_what_is_measured_of_which_rows() {
    let goals = goals_of_sync();
    for &(name, measure, rows) in MEASURED {
        let goal = goals.iter().find(|goal| goal.goal == name);
        let goal = goal.unwrap_or_else(|| panic!("benches/goals.toml has no goal {name:?}: {RULE}"));
        assert_eq!(goal.measure, measure, "{name:?}: {RULE}");
        for row in rows {
            assert!(goal.rows.iter().any(|it| it == row), "{name:?} is no longer of {row}: {RULE}");
        }
    }
    assert_eq!(MEASURED.len(), AGREED.len());
}

#[test]
fn each_goal_is_among_those_that_are_held_to_here() {
    for Goal { goal, .. } in goals_of_sync() {
        assert!(
            AGREED.iter().any(|agreed| agreed.0 == goal),
            "{goal:?} is new: name it here, with its bound"
        );
    }
}
