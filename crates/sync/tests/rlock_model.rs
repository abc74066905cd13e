//! A reentrant lock against a plain list of who has how many guards.

mod common;

use common::{ByHand, others_may_be_woken};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Instant;
use sync::extra::{Owner, RLock, RLockGuard};

#[derive(Clone, Debug)]
enum Step {
    /// One of the owners tries.
    Try(usize),
    /// Asks, and stays if it has to.
    Start(usize),
    /// One of those who wait looks.
    Poll(usize),
    /// One of those who wait goes away.
    GoAway(usize),
    /// The owner gives back one of the guards.
    GiveBack(usize),
}

const OWNERS: usize = 3;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..OWNERS).prop_map(Step::Try),
        5 => (0..OWNERS).prop_map(Step::Start),
        4 => (0..8_usize).prop_map(Step::Poll),
        2 => (0..8_usize).prop_map(Step::GoAway),
        6 => (0..8_usize).prop_map(Step::GiveBack),
    ];
    proptest::collection::vec(step, 0..60)
}

/// Somebody who waits. Its future is of a task of its own number.
struct Waiter<'a> {
    owner: usize,
    future: ByHand<'a, RLockGuard<'a, Cell<u32>>>,
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn one_owner_at_a_time_has_as_many_guards_as_it_took(steps in steps()) {
        let lock = RLock::new(Cell::new(0));
        // Threads without threads: whoever acts is run. Those who wait are tasks, who own what they get.
        let owners: Vec<_> = (0..OWNERS).map(|_| Owner::new()).collect();
        // The plain model: who has it, and each of his guards.
        let mut holder = None;
        let mut guards: Vec<RLockGuard<'_, Cell<u32>>> = Vec::new();
        let mut waiting: VecDeque<Waiter<'_>> = VecDeque::new();
        let mut last_task = OWNERS;
        let begun = Instant::now();
        for step in steps {
            match step {
                Step::Try(owner) => {
                    let (guard, is_owner, depth) =
                        owners[owner].run(|| (lock.try_lock(), lock.is_owner(), lock.depth()));
                    let mine = holder == Some(owner);
                    prop_assert!(guard.is_none() || mine || holder.is_none(), "somebody else has it");
                    prop_assert!(guard.is_some() || !mine, "it is ours");
                    prop_assert!(guard.is_some() || holder.is_some() || !waiting.is_empty(), "it is free");
                    if let Some(guard) = guard {
                        holder = Some(owner);
                        guards.push(guard);
                    }
                    prop_assert_eq!(is_owner, holder == Some(owner));
                    prop_assert_eq!(depth, if holder == Some(owner) { guards.len() } else { 0 });
                }
                Step::Start(twice) => {
                    let lock = &lock;
                    // Takes it, and takes it again, so many times; the last guard stays.
                    let mut future = ByHand::new(Owner::new().task(async move {
                        let first = lock.lock_async().await;
                        for _ in 0..twice {
                            assert_eq!(lock.depth(), 1);
                            drop(lock.lock_async().await);
                        }
                        first
                    }));
                    last_task += 1;
                    match future.poll() {
                        Some(guard) => {
                            prop_assert!(holder.is_none());
                            holder = Some(last_task);
                            guards.push(guard);
                        }
                        None => {
                            prop_assert!(holder.is_some() || !waiting.is_empty(), "it is free");
                            waiting.push_back(Waiter { owner: last_task, future });
                        }
                    }
                }
                Step::Poll(index) if !waiting.is_empty() => {
                    let index = index % waiting.len();
                    if let Some(guard) = waiting[index].future.poll() {
                        prop_assert!(holder.is_none(), "somebody else has it");
                        holder = waiting.remove(index).map(|waiter| waiter.owner);
                        guards.push(guard);
                    } else {
                        // After a millisecond the first one may have lost its place to another, who was told.
                        let late = others_may_be_woken(begun);
                        prop_assert!(index > 0 || holder.is_some() || late, "the first may have what is free");
                    }
                }
                Step::GoAway(index) if !waiting.is_empty() => drop(waiting.remove(index % waiting.len())),
                Step::GiveBack(index) if !guards.is_empty() => {
                    drop(guards.swap_remove(index % guards.len()));
                    if guards.is_empty() {
                        holder = None;
                    }
                }
                Step::Poll(_) | Step::GoAway(_) | Step::GiveBack(_) => {}
            }
            prop_assert!(lock.is_locked() || guards.is_empty());
        }
        guards.clear();
        // Whoever waits gets it, one after the other.
        while !waiting.is_empty() {
            let next = waiting.iter_mut().position(|waiter| waiter.future.poll().map(drop).is_some());
            let next = next.expect("it is free");
            prop_assert!(next == 0 || others_may_be_woken(begun), "he is not the first");
            waiting.remove(next);
        }
        prop_assert!(!lock.is_locked() && !lock.has_waiters());
    }
}
