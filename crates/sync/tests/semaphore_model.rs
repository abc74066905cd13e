//! A semaphore and an event against plain numbers and lists.

mod common;

use common::ByHand;
use proptest::prelude::*;
use std::collections::VecDeque;
use sync::{CancelToken, Event, Semaphore, SemaphorePermit, semaphore::AcquireError};

#[derive(Clone, Debug)]
enum Step {
    TryAcquire(usize),
    /// Asks for so many and stays, if it has to.
    Start(usize),
    /// One of those who wait looks, chosen by the number.
    Poll(usize),
    /// One of those who wait goes away.
    GoAway(usize),
    /// Gives back one of the permits that were got.
    GiveBack(usize),
    Release(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_usize).prop_map(Step::TryAcquire),
        6 => (1..5_usize).prop_map(Step::Start),
        4 => (0..8_usize).prop_map(Step::Poll),
        4 => (0..8_usize).prop_map(Step::GoAway),
        4 => (0..8_usize).prop_map(Step::GiveBack),
        3 => (0..4_usize).prop_map(Step::Release),
    ];
    proptest::collection::vec(step, 0..60)
}

/// Someone who waits for so many permits.
struct Waiter<'a> {
    count: usize,
    future: ByHand<'a, Result<SemaphorePermit<'a>, AcquireError>>,
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn serves_in_order_whatever_goes_away(permits in 0..5_usize, steps in steps()) {
        let semaphore = Semaphore::new(permits);
        // The plain model: a number, and who waits, in order.
        let mut free = permits;
        let mut waiting: VecDeque<Waiter<'_>> = VecDeque::new();
        let mut held: Vec<SemaphorePermit<'_>> = Vec::new();
        for step in steps {
            match step {
                Step::TryAcquire(count) => {
                    let permit = semaphore.try_acquire_many(count).ok();
                    prop_assert!(permit.is_none() || count <= free, "there were not so many");
                    prop_assert!(permit.is_some() || count > free || !waiting.is_empty(), "nobody was waiting");
                    if let Some(permit) = permit {
                        free -= count;
                        held.push(permit);
                    }
                }
                Step::Start(count) => {
                    let mut future = ByHand::new(semaphore.acquire_many_async(count));
                    match future.poll() {
                        Some(permit) => {
                            prop_assert!(count <= free, "there were not so many");
                            free -= count;
                            held.push(permit.unwrap());
                        }
                        None => {
                            prop_assert!(count > free || !waiting.is_empty(), "nobody was waiting");
                            waiting.push_back(Waiter { count, future });
                        }
                    }
                }
                Step::Poll(index) if !waiting.is_empty() => {
                    let index = index % waiting.len();
                    let enough = waiting[index].count <= free;
                    let permit = waiting[index].future.poll();
                    if index == 0 {
                        prop_assert_eq!(permit.is_some(), enough);
                    }
                    if let Some(permit) = permit {
                        let late = waiting.range(..index).all(|before| before.future.is_told());
                        prop_assert!(enough && late, "it overtook somebody, or there were not so many");
                        free -= waiting[index].count;
                        waiting.remove(index);
                        held.push(permit.unwrap());
                    }
                }
                Step::GoAway(index) if !waiting.is_empty() => drop(waiting.remove(index % waiting.len())),
                Step::GiveBack(index) if !held.is_empty() => {
                    let permit = held.swap_remove(index % held.len());
                    free += permit.count();
                    drop(permit);
                }
                Step::Poll(_) | Step::GoAway(_) | Step::GiveBack(_) => {}
                Step::Release(count) => {
                    semaphore.release(count);
                    free += count;
                }
            }
            prop_assert_eq!(semaphore.available(), free);
            // No wake-up is lost: if the first could have what it wants, it has been told to look.
            if let Some(first) = waiting.front() {
                prop_assert!(first.count > free || first.future.is_told(), "the first was not told");
            }
        }
        // Whoever is left is served, one after the other, by as many permits as they want.
        let wanted: usize = waiting.iter().map(|waiter| waiter.count).sum();
        semaphore.release(wanted);
        for mut waiter in waiting {
            prop_assert!(waiter.future.is_told());
            held.push(waiter.future.poll().expect("it is its turn and there are enough").unwrap());
        }
        let held_now: usize = held.iter().map(SemaphorePermit::count).sum();
        let available = semaphore.available();
        drop(held);
        prop_assert_eq!(semaphore.available(), available + held_now);
    }
}

#[derive(Clone, Debug)]
enum Signal {
    Set,
    Clear,
    Start,
    Poll(usize),
    GoAway(usize),
}

fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let signal = prop_oneof![
        Just(Signal::Set),
        Just(Signal::Clear),
        Just(Signal::Start),
        Just(Signal::Start),
        (0..8_usize).prop_map(Signal::Poll),
        (0..8_usize).prop_map(Signal::GoAway),
    ];
    proptest::collection::vec(signal, 0..40)
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn an_event_lets_through_whom_it_told(signals in signals()) {
        let event = Event::new();
        let mut set = false;
        // Who waits, and whether the event was set since he came.
        let mut waiting: Vec<(bool, ByHand<'_, ()>)> = Vec::new();
        for signal in signals {
            match signal {
                Signal::Set => {
                    event.set();
                    set = true;
                    for (told, _) in &mut waiting {
                        *told = true;
                    }
                }
                Signal::Clear => {
                    event.clear();
                    set = false;
                }
                Signal::Start => {
                    let mut future = ByHand::new(event.wait_async());
                    prop_assert_eq!(future.poll().is_some(), set);
                    if !set {
                        waiting.push((false, future));
                    }
                }
                Signal::Poll(index) if !waiting.is_empty() => {
                    let index = index % waiting.len();
                    let (told, future) = &mut waiting[index];
                    prop_assert_eq!(future.poll().is_some(), *told);
                    if *told {
                        waiting.remove(index);
                    }
                }
                Signal::GoAway(index) if !waiting.is_empty() => drop(waiting.remove(index % waiting.len())),
                Signal::Poll(_) | Signal::GoAway(_) => {}
            }
            prop_assert_eq!(event.is_set(), set);
            for (told, future) in &waiting {
                prop_assert_eq!(future.is_told(), *told);
            }
        }
    }

    #[test]
    fn a_token_is_cancelled_when_one_above_it_is(
        parents in proptest::collection::vec(any::<prop::sample::Index>(), 1..20),
        cancelled in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        forgotten in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut tokens = vec![Some(CancelToken::new())];
        // The plain model: each one's parent, and whether it is cancelled.
        let mut parent = vec![0];
        let mut is_cancelled = vec![false];
        for above in &parents {
            let above = above.index(tokens.len());
            let child = tokens[above].as_ref().map(CancelToken::child);
            tokens.push(child);
            parent.push(above);
            is_cancelled.push(false);
        }
        // Handles that nobody holds any more, but for the root's and those below.
        for index in &forgotten {
            let index = index.index(tokens.len());
            if parent.contains(&index) && index != 0 {
                tokens[index] = None;
            }
        }
        for index in &cancelled {
            let index = index.index(tokens.len());
            let Some(token) = &tokens[index] else { continue };
            token.cancel();
            is_cancelled[index] = true;
            // Parents come before their children.
            for below in 1..parent.len() {
                is_cancelled[below] |= is_cancelled[parent[below]];
            }
        }
        for (index, token) in tokens.iter().enumerate() {
            if let Some(token) = token {
                prop_assert_eq!(token.is_cancelled(), is_cancelled[index]);
            }
        }
    }
}
