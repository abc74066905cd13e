//! The structures of `sync::lockfree`.

#![forbid(unsafe_code)]

use linearizable::models::map::{self, Map as MapModel};
use linearizable::models::permits::{self, Permits};
use linearizable::models::queue::{Operation, Queue, Response};
use linearizable::models::register::{self, Register};
use linearizable::{Kind, Trial};
use std::sync::Mutex;
use sync::lockfree::{ArrayQueue, Counter, Map, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};

const PUT_AND_GET: &[Kind<Operation>] = &[Operation::Put, |_| Operation::Get];

#[test]
fn a_ring_of_one_producer_and_one_consumer() {
    for capacity in 1..=3 {
        let make = move || {
            let (producer, consumer) = spsc_ring(capacity);
            (Mutex::new(producer), Mutex::new(consumer))
        };
        let name = format!("an SPSC ring of {capacity}");
        // Each end has one user, so nobody ever waits for these locks.
        Trial::new(&name, Queue::fifo().bounded(capacity), make, |(producer, consumer), operation| {
            match *operation {
                Operation::Put(item) => done_or_full(producer.lock().unwrap().push(item).is_ok()),
                _ => got_or_empty(consumer.lock().unwrap().pop()),
            }
        })
        .threads(1, &[Operation::Put])
        .threads(1, &[|_| Operation::Get])
        .operations(12)
        .ending(|_| Operation::Get)
        .check();
    }
}

#[test]
fn an_array_queue() {
    for capacity in [1, 3] {
        let name = format!("an ArrayQueue of {capacity}");
        let make = move || ArrayQueue::new(capacity);
        Trial::new(&name, Queue::fifo().bounded(capacity), make, |queue, operation| match *operation {
            Operation::Put(item) => done_or_full(queue.push(item).is_ok()),
            Operation::Len => Response::Len(queue.len()),
            _ => got_or_empty(queue.pop()),
        })
        .threads(
            3,
            &[Operation::Put, Operation::Put, |_| Operation::Get, |_| Operation::Get, |_| Operation::Len],
        )
        .ending(|_| Operation::Get)
        .check();
    }
}

#[test]
fn a_segmented_queue_within_a_block_and_from_one_to_the_next() {
    for used in [0, 60] {
        let make = move || {
            let queue = SegmentedQueue::new();
            // A block has 64 places, so the threads soon come to its end.
            (0..used).for_each(|item| queue.push(item));
            (0..used).for_each(|item| assert_eq!(queue.pop(), Some(item)));
            queue
        };
        let name = format!("a SegmentedQueue after {used} items");
        Trial::new(&name, Queue::fifo(), make, |queue, operation| match *operation {
            Operation::Put(item) => {
                queue.push(item);
                Response::Done
            }
            _ => got_or_empty(queue.pop()),
        })
        .threads(3, PUT_AND_GET)
        .ending(|_| Operation::Get)
        .check();
    }
}

#[test]
fn a_stack() {
    Trial::new("a Stack", Queue::lifo(), Stack::new, |stack, operation| match *operation {
        Operation::Put(item) => {
            stack.push(item);
            Response::Done
        }
        _ => got_or_empty(stack.pop()),
    })
    .threads(3, PUT_AND_GET)
    .ending(|_| Operation::Get)
    .check();
}

fn done_or_full(done: bool) -> Response {
    if done { Response::Done } else { Response::Full }
}

fn got_or_empty(item: Option<u32>) -> Response {
    item.map_or(Response::Empty, Response::Got)
}

const ON_REGISTER: &[Kind<register::Operation>] =
    &[register::Operation::Write, |_| register::Operation::Add(1), |_| register::Operation::Read];

#[test]
fn a_seqlock() {
    let make = || SeqLock::new([0; 3]);
    Trial::new("a SeqLock", Register::new(0), make, |lock, operation| match *operation {
        register::Operation::Read => register::Response::Value(the_one_value_of(lock.read())),
        register::Operation::Add(more) => {
            let mut before = [0; 3];
            lock.update(|words| {
                before = words;
                words.map(|word| word + more)
            });
            register::Response::Value(the_one_value_of(before))
        }
        register::Operation::Write(value) => {
            lock.write([value; 3]);
            register::Response::Done
        }
        register::Operation::Swap(_) => unreachable!("no thread of this trial swaps"),
    })
    .threads(3, ON_REGISTER)
    .ending(|_| register::Operation::Read)
    .check();
}

#[test]
fn a_cell_that_is_read_while_it_is_replaced() {
    let make = || RcuCell::new([0; 3]);
    Trial::new("an RcuCell", Register::new(0), make, |cell, operation| match *operation {
        register::Operation::Read => register::Response::Value(the_one_value_of(*cell.load())),
        register::Operation::Add(more) => {
            let mut before = [0; 3];
            cell.update(|words| {
                before = *words;
                words.map(|word| word + more)
            });
            register::Response::Value(the_one_value_of(before))
        }
        register::Operation::Write(value) => {
            cell.store([value; 3]);
            register::Response::Done
        }
        register::Operation::Swap(_) => unreachable!("no thread of this trial swaps"),
    })
    .threads(3, ON_REGISTER)
    .ending(|_| register::Operation::Read)
    .check();
}

#[track_caller]
fn the_one_value_of(words: [u32; 3]) -> u32 {
    assert!(words.iter().all(|&word| word == words[0]), "half of one value and half of another: {words:?}");
    words[0]
}

/// A sum of parts is a number that the counter had at one moment as long as all steps are of one size: on its way from
/// what was there at the beginning to what is there at the end, it met every number.
#[test]
fn a_counter_in_steps_of_one() {
    Trial::new(
        "a Counter",
        Permits::new(0),
        || Counter::with_places(4),
        |counter, operation| match operation {
            permits::Operation::Free => permits::Response::Count(usize::try_from(counter.sum()).unwrap()),
            _ => {
                counter.add(1);
                permits::Response::Done
            }
        },
    )
    .threads(3, &[|_| permits::Operation::Release(1), |_| permits::Operation::Free])
    .ending(|_| permits::Operation::Free)
    .check();
}

#[test]
fn a_map() {
    use map::Operation::{Insert, Len, Look, Remove};
    // Two keys for everybody, so that threads meet.
    let kinds: &[Kind<_>] =
        &[|fresh| Insert(fresh % 2, fresh), |fresh| Remove(fresh % 2), |fresh| Look(fresh % 2)];
    Trial::new("a Map", MapModel::new(), Map::new, |map, operation| match *operation {
        Insert(key, value) => map::Response::Had(!map.insert(key, value)),
        Remove(key) => map::Response::Value(map.remove(&key)),
        Look(key) => map::Response::Value(map.get(&key)),
        Len => map::Response::Len(map.len()),
    })
    .threads(3, kinds)
    .ending(|fresh| Look(fresh % 2))
    .check();
}
