//! Select: one arm wins, and the losers have taken nothing. In each way there is to select.
//!
//! Limits have passed already: a deadline in the future needs a clock, and none of it may decide what happens here.

use super::{Item, Witness, explore_a_part, join};
use crate::queue::GetError;
use crate::select::Select;
use crate::{Event, Mutex, Queue, Semaphore, select, select_async};
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The ways to select among a fixed number of arms.
const FIXED: usize = 10;
/// All ways, those of [`Select`] included.
const WAYS: usize = FIXED + 7;

/// Each pair of ways has so small a part of the schedules.
const PARTS: usize = 10;

/// Selects among these arms in one of the fixed ways. The arms' bodies give `Some`; where nobody is to wait, it may be `None`.
macro_rules! in_way {
    ($way:expr, { $($arms:tt)* }) => {
        match $way {
            0 => select! { $($arms)* },
            1 => select! { biased; $($arms)* },
            2 => select! { $($arms)* default => None },
            3 => select! { $($arms)* after(Duration::ZERO) => None },
            4 => select! { $($arms)* until(Instant::now()) => None },
            5 => block_on(async { select_async! { $($arms)* } }),
            6 => block_on(async { select_async! { biased; $($arms)* } }),
            7 => block_on(async { select_async! { $($arms)* default => None } }),
            8 => block_on(async { select_async! { $($arms)* after(Duration::ZERO) => None } }),
            _ => block_on(async { select_async! { $($arms)* until(Instant::now()) => None } }),
        }
    };
}

/// As many arms as there are, in one of the other ways.
fn of_many<T>(way: usize, select: Select<'_, T>) -> Option<(usize, T)> {
    match way - FIXED {
        0 => Some(select.wait()),
        1 => Some(select.biased().wait()),
        2 => select.try_wait(),
        3 => select.wait_timeout(Duration::ZERO).ok(),
        4 => Some(block_on(select.wait_async())),
        5 => Some(block_on(select.biased().wait_async())),
        _ => block_on(select.wait_async_timeout(Duration::ZERO)).ok(),
    }
}

/// Each with another one, of which at least one waits.
fn pairs_of_ways() -> impl Iterator<Item = [usize; 2]> {
    (0..WAYS).map(|way| [way, if way % 2 == 0 { 0 } else { FIXED }])
}

/// An item of either, until both are closed and empty.
fn take_from_either(way: usize, queues: &[Queue<Item>; 2]) -> Vec<u32> {
    let mut taken = Vec::new();
    let mut open = [true; 2];
    while open.contains(&true) {
        let next = if way < FIXED {
            in_way!(way, {
                item = queues[0].get_async(), if open[0] => Some((0, item)),
                item = queues[1].get_async(), if open[1] => Some((1, item)),
            })
        } else {
            let mut select = Select::new();
            let arms: Vec<usize> = (0..2).filter(|which| open[*which]).collect();
            arms.iter().for_each(|which| _ = select.arm(queues[*which].get_async()));
            of_many(way, select).map(|(arm, item)| (arms[arm], item))
        };
        match next {
            Some((_, Ok(item))) => taken.push(item.number),
            Some((which, Err(why))) => {
                assert_eq!(why, GetError::Closed);
                open[which] = false;
            }
            None => thread::yield_now(),
        }
    }
    taken
}

/// Two who select, in ways that differ, over queues of the kinds that `make` makes.
fn all_comes_out(make: fn() -> [Queue<Item>; 2]) {
    for ways in pairs_of_ways() {
        explore_a_part(PARTS, move || {
            let (queues, witness) = (Arc::new(make()), Witness::new());
            let producers = [0, 1].map(|which| {
                let (queues, witness) = (Arc::clone(&queues), witness.clone());
                thread::spawn(move || {
                    for number in 0..2 {
                        assert!(queues[which].put(witness.item(number * 2 + which as u32)).is_ok());
                    }
                    queues[which].close();
                })
            });
            let consumers = ways.map(|way| {
                let queues = Arc::clone(&queues);
                thread::spawn(move || take_from_either(way, &queues))
            });
            join(producers);
            let mut taken = join(consumers).concat();
            taken.sort_unstable();
            assert_eq!(taken, [0, 1, 2, 3]);
            drop(queues);
            assert!(witness.is_last(), "an item leaks");
        });
    }
}

#[test]
fn over_queues_with_room() {
    all_comes_out(|| [Queue::bounded(2), Queue::unbounded()]);
}

#[test]
fn over_queues_with_one_place_and_none() {
    all_comes_out(|| [Queue::bounded(1), Queue::rendezvous()]);
}

/// Puts the item, or takes one from `other` and says what it was.
fn put_or_take(way: usize, queue: &Queue<u32>, item: &mut Option<u32>, other: &Queue<u32>) -> Option<u32> {
    if way < FIXED {
        return in_way!(way, {
            done = queue.put_from_async(item) => { done.unwrap(); Some(0) }
            taken = other.get_async() => Some(taken.unwrap_or(0)),
        });
    }
    let mut select = Select::new();
    select.arm(async { queue.put_from_async(item).await.map_or(0, |()| 0) });
    select.arm(async { other.get_async().await.unwrap_or(0) });
    of_many(way, select).map(|(_, taken)| taken)
}

/// A put that loses has its item, or the queue has it; so each item comes out once, whoever wins.
#[test]
fn a_put_that_loses_and_is_tried_again() {
    for (capacity, ways) in pairs_of_ways().enumerate().map(|(number, ways)| (1 + number % 2, ways)) {
        explore_a_part(PARTS, move || {
            let (queue, other) = (Arc::new(Queue::bounded(capacity)), Arc::new(Queue::bounded(capacity)));
            let putting = [(0_u32, ways[0]), (10, ways[1])].map(|(first, way)| {
                let (queue, other) = (Arc::clone(&queue), Arc::clone(&other));
                thread::spawn(move || {
                    let mut interrupted = 0;
                    for number in first..first + 3 {
                        let mut item = Some(number);
                        while item.is_some() {
                            match put_or_take(way, &queue, &mut item, &other) {
                                Some(taken) => interrupted += taken,
                                None => thread::yield_now(),
                            }
                        }
                    }
                    interrupted
                })
            });
            let interrupting = thread::spawn({
                let other = Arc::clone(&other);
                move || (0..2).map(|_| u32::from(other.try_put(1).is_ok())).sum::<u32>()
            });
            let consumer = thread::spawn({
                let queue = Arc::clone(&queue);
                move || queue.iter().collect::<Vec<_>>()
            });
            let taken: u32 = join(putting).into_iter().sum();
            let put = interrupting.join().unwrap();
            queue.close();
            assert_eq!(put, taken + u32::try_from(other.len()).unwrap(), "an item of the other arm is lost");
            let came = consumer.join().unwrap();
            let of = |from: u32| came.iter().copied().filter(move |item| item / 10 == from / 10);
            assert!(of(0).eq(0..3) && of(10).eq(10..13), "{came:?}");
        });
    }
}

/// One, if it was the lock, and nothing of the others.
fn one_of_three(way: usize, (mutex, permits, event): &(Mutex<u32>, Semaphore, Event)) -> Option<u32> {
    if way < FIXED {
        return in_way!(way, {
            mut count = mutex.lock_async() => { *count += 1; Some(1) }
            permit = permits.acquire_async() => { drop(permit.unwrap()); Some(0) }
            () = event.wait_async() => Some(0),
        });
    }
    let mut select = Select::new();
    select.arm(async {
        *mutex.lock_async().await += 1;
        1
    });
    select.arm(async {
        drop(permits.acquire_async().await.unwrap());
        0
    });
    select.arm(async {
        event.wait_async().await;
        0
    });
    of_many(way, select).map(|(_, locked)| locked)
}

/// A lock or a permit that a loser was told of goes to the next one.
#[test]
fn a_lock_a_permit_or_an_event() {
    for ways in pairs_of_ways() {
        explore_a_part(PARTS, move || a_lock_a_permit_or_an_event_in(ways));
    }
}

fn a_lock_a_permit_or_an_event_in(ways: [usize; 2]) {
    let all = Arc::new((Mutex::new(0_u32), Semaphore::new(1), Event::new()));
    let selecting = [ways[0], ways[1], ways[0]].map(|way| {
        let all = Arc::clone(&all);
        thread::spawn(move || {
            let mut locked = 0;
            let mut turns = 0;
            while turns < 2 {
                match one_of_three(way, &all) {
                    Some(lock) => (locked, turns) = (locked + lock, turns + 1),
                    None => thread::yield_now(),
                }
            }
            locked
        })
    });
    let (mutex, permits, event) = &*all;
    let (guard, permit) = (mutex.lock(), permits.acquire().unwrap());
    thread::yield_now();
    drop(guard);
    drop(permit);
    // The plain ones are not kept out by those who have gone on.
    drop(mutex.lock());
    drop(block_on(permits.acquire_async()).unwrap());
    event.set();
    let locked: u32 = join(selecting).into_iter().sum();
    assert_eq!(*mutex.try_lock().expect("nobody has it"), locked);
    assert_eq!(permits.available(), 1);
}
