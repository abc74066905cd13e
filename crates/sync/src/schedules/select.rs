//! Select: one arm wins, and the losers have taken nothing.

use super::{Item, Witness, explore, join};
use crate::queue::GetError;
use crate::select::Select;
use crate::{Event, Mutex, Queue, Semaphore, select, select_async};
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;

/// In each way there is to select: an item of either, until both are closed and empty.
fn take_from_either(way: usize, queues: &[Queue<Item>; 2]) -> Vec<u32> {
    let mut taken = Vec::new();
    let mut open = [true; 2];
    while open.contains(&true) {
        let (which, item) = match way {
            0 => select! {
                item = queues[0].get_async(), if open[0] => (0, item),
                item = queues[1].get_async(), if open[1] => (1, item),
            },
            1 => block_on(async {
                select_async! {
                    item = queues[0].get_async(), if open[0] => (0, item),
                    item = queues[1].get_async(), if open[1] => (1, item),
                }
            }),
            2 => select! {
                item = queues[0].get_async(), if open[0] => (0, item),
                item = queues[1].get_async(), if open[1] => (1, item),
                default => {
                    thread::yield_now();
                    continue;
                }
            },
            _ => {
                let mut select = Select::new();
                let arms: Vec<usize> = (0..2).filter(|which| open[*which]).collect();
                arms.iter().for_each(|which| _ = select.arm(queues[*which].get_async()));
                let (arm, item) = if way == 3 { select.wait() } else { block_on(select.wait_async()) };
                (arms[arm], item)
            }
        };
        match item {
            Ok(item) => taken.push(item.number),
            Err(why) => {
                assert_eq!(why, GetError::Closed);
                open[which] = false;
            }
        }
    }
    taken
}

/// Two who select, in ways that differ, over queues of the kinds that `make` makes.
fn all_comes_out(make: fn() -> [Queue<Item>; 2]) {
    for ways in [[0, 1], [2, 4], [3, 1]] {
        explore(move || {
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

/// A put that loses has its item, or the queue has it; so each item comes out once, whoever wins.
#[test]
fn a_put_that_loses_and_is_tried_again() {
    for capacity in [1, 2] {
        explore(move || {
            let (queue, other) = (Arc::new(Queue::bounded(capacity)), Arc::new(Queue::bounded(capacity)));
            let putting = [0_u32, 10].map(|first| {
                let (queue, other) = (Arc::clone(&queue), Arc::clone(&other));
                thread::spawn(move || {
                    let mut interrupted = 0;
                    for number in first..first + 3 {
                        let mut item = Some(number);
                        while item.is_some() {
                            let taken = block_on(async {
                                select_async! {
                                    done = queue.put_from_async(&mut item) => { done.unwrap(); 0 }
                                    taken = other.get_async() => taken.unwrap_or(0),
                                }
                            });
                            interrupted += taken;
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

/// A lock or a permit that a loser was told of goes to the next one.
#[test]
fn a_lock_a_permit_or_an_event() {
    explore(|| {
        let all = Arc::new((Mutex::new(0_u32), Semaphore::new(1), Event::new()));
        let selecting = [0, 1, 2].map(|way| {
            let all = Arc::clone(&all);
            thread::spawn(move || {
                let (mutex, permits, event) = &*all;
                let mut locked = 0;
                for _ in 0..2 {
                    if way == 0 {
                        select! {
                            mut count = mutex.lock_async() => { *count += 1; locked += 1; }
                            permit = permits.acquire_async() => drop(permit.unwrap()),
                            () = event.wait_async() => (),
                        }
                    } else {
                        block_on(async {
                            select_async! {
                                mut count = mutex.lock_async() => { *count += 1; locked += 1; }
                                permit = permits.acquire_async() => drop(permit.unwrap()),
                                () = event.wait_async() => (),
                            }
                        });
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
    });
}
