//! Programs made at random, judged by a search through all their schedules.
//!
//! Each is run in one schedule that cannot deadlock: its threads take turns. The checker is to say that it might deadlock if and only
//! if the search finds a schedule in which it does.

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use sync::Mutex;
use sync::check::{self, Verdict};

const LOCKS: usize = 4;
const THREADS_MOST: usize = 3;
const CASES: u32 = 300;

/// A lock is taken, the sections inside are gone through, and it is given back.
#[derive(Clone, Debug)]
struct Section {
    lock: usize,
    /// If the lock is not free, the section is left out.
    is_attempt: bool,
    inside: Vec<Section>,
}

/// What a thread does, one after the other, for the search.
#[derive(Clone, Copy)]
enum Step {
    Lock(usize),
    /// With the place to go on at if it fails.
    Attempt(usize, usize),
    Unlock(usize),
}

/// Where each thread stands, and who has which lock.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    places: Vec<usize>,
    owners: [Option<usize>; LOCKS],
}

fn sections() -> impl Strategy<Value = Vec<Section>> {
    let attempt = prop::bool::weighted(0.2);
    let leaf =
        (0..LOCKS, attempt).prop_map(|(lock, is_attempt)| Section { lock, is_attempt, inside: Vec::new() });
    let section = leaf.prop_recursive(3, 6, 2, move |inner| {
        (0..LOCKS, attempt, vec(inner, 0..=2)).prop_map(|(lock, is_attempt, inside)| Section {
            lock,
            is_attempt,
            inside,
        })
    });
    vec(section, 0..=2)
}

/// Without those that would take a lock that the thread has.
fn sound(sections: &[Section], held: &mut Vec<usize>) -> Vec<Section> {
    let mut kept = Vec::new();
    for section in sections {
        if held.contains(&section.lock) {
            continue;
        }
        held.push(section.lock);
        kept.push(Section { inside: sound(&section.inside, held), ..section.clone() });
        held.pop();
    }
    kept
}

fn flatten(sections: &[Section], steps: &mut Vec<Step>) {
    for section in sections {
        let begin = steps.len();
        steps.push(Step::Lock(section.lock));
        flatten(&section.inside, steps);
        steps.push(Step::Unlock(section.lock));
        if section.is_attempt {
            steps[begin] = Step::Attempt(section.lock, steps.len());
        }
    }
}

/// Whether some schedule ends with threads that wait for each other.
fn can_deadlock(threads: &[Vec<Step>]) -> bool {
    let mut seen = BTreeSet::new();
    let mut ahead = vec![Moment { places: vec![0; threads.len()], owners: [None; LOCKS] }];
    while let Some(moment) = ahead.pop() {
        let mut moves = 0;
        let mut unfinished = 0;
        for (thread, steps) in threads.iter().enumerate() {
            let Some(step) = steps.get(moment.places[thread]) else { continue };
            unfinished += 1;
            let mut next = moment.clone();
            next.places[thread] += 1;
            match *step {
                Step::Lock(lock) if moment.owners[lock].is_some() => continue,
                Step::Attempt(lock, after) if moment.owners[lock].is_some() => next.places[thread] = after,
                Step::Lock(lock) | Step::Attempt(lock, _) => next.owners[lock] = Some(thread),
                Step::Unlock(lock) => next.owners[lock] = None,
            }
            moves += 1;
            if seen.insert(next.clone()) {
                ahead.push(next);
            }
        }
        if unfinished > 0 && moves == 0 {
            return true;
        }
    }
    false
}

fn perform(locks: &[Mutex<()>], sections: &[Section]) {
    for section in sections {
        let lock = &locks[section.lock];
        let guard = if section.is_attempt { lock.try_lock() } else { Some(lock.lock()) };
        let _guard = guard.expect("the others do not run");
        perform(locks, &section.inside);
    }
}

/// Runs the threads one after the other; all are there from begin to end.
fn run(threads: &[Vec<Section>]) {
    let locks: Vec<_> = (0..LOCKS).map(|_| Mutex::new(())).collect();
    let turn = Barrier::new(threads.len());
    thread::scope(|scope| {
        for number in 0..threads.len() {
            let (locks, turn) = (&locks, &turn);
            scope.spawn(move || {
                for now in 0..threads.len() {
                    if now == number {
                        perform(locks, &threads[number]);
                    }
                    turn.wait();
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn a_deadlock_may_come_if_and_only_if_it_is_said(
        threads in vec(sections(), 2..=THREADS_MOST)
    ) {
        check::enable();
        check::on_report(|_| ());
        let threads: Vec<_> = threads.iter().map(|sections| sound(sections, &mut Vec::new())).collect();
        let steps: Vec<_> = threads
            .iter()
            .map(|sections| {
                let mut steps = Vec::new();
                flatten(sections, &mut steps);
                steps
            })
            .collect();
        let before = check::reports().len();
        run(&threads);
        let reports = &check::reports()[before..];
        prop_assert!(reports.iter().all(|report| report.verdict == Verdict::Potential));
        prop_assert_eq!(!reports.is_empty(), can_deadlock(&steps), "{:?}", reports);
    }
}
