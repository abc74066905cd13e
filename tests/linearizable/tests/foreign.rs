//! Structures of std and crossbeam, which the judge must let pass.

#![forbid(unsafe_code)]

use crossbeam::channel::{self, RecvTimeoutError, SendTimeoutError};
use crossbeam::queue::{ArrayQueue, SegQueue};
use linearizable::models::map::{self, Map};
use linearizable::models::queue::{Operation, Queue, Response};
use linearizable::models::register::{self, Register};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::mpsc;
use std::sync::{Mutex, RwLock};
use std::time::Duration;

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

const PUT_AND_GET: &[Kind<Operation>] = &[Operation::Put, |_| Operation::Get];

/// A thread that can only put, or only get.
const PUT: &[Kind<Operation>] = &[Operation::Put];
const GET: &[Kind<Operation>] = &[|_| Operation::Get];

type Channel = (channel::Sender<u32>, channel::Receiver<u32>);

const PUT_AND_GET_IN_TWO_WAYS: &[Kind<(Way, Operation)>] = &[
    |item| (Way::Try, Operation::Put(item)),
    |item| (Way::Timeout, Operation::Put(item)),
    |_| (Way::Try, Operation::Get),
    |_| (Way::Timeout, Operation::Get),
];

#[test]
fn a_bounded_channel_of_crossbeam() {
    let model = Ways(Queue::fifo().bounded(2));
    Trial::new("a channel of crossbeam", model, || channel::bounded(2), on_channel)
        .threads(3, PUT_AND_GET_IN_TWO_WAYS)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

#[test]
fn a_channel_of_crossbeam_without_places() {
    let model = Ways(Rendezvous::new());
    Trial::new("a channel of crossbeam without places", model, || channel::bounded(0), on_channel)
        .threads(3, PUT_AND_GET_IN_TWO_WAYS)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

fn on_channel((sender, receiver): &Channel, (way, operation): &(Way, Operation)) -> Response {
    match (way, *operation) {
        (Way::Timeout, Operation::Put(item)) => match sender.send_timeout(item, LIMIT) {
            Ok(()) => Response::Done,
            Err(SendTimeoutError::Timeout(_)) => Response::Full,
            Err(SendTimeoutError::Disconnected(_)) => Response::Closed,
        },
        (_, Operation::Put(item)) => done_or_full(sender.try_send(item).is_ok()),
        (Way::Timeout, _) => match receiver.recv_timeout(LIMIT) {
            Ok(item) => Response::Got(item),
            Err(RecvTimeoutError::Timeout) => Response::Empty,
            Err(RecvTimeoutError::Disconnected) => Response::Closed,
        },
        (_, _) => got_or_empty(receiver.try_recv().ok()),
    }
}

#[test]
fn an_array_queue_of_crossbeam() {
    let make = || ArrayQueue::new(2);
    Trial::new("an ArrayQueue", Queue::fifo().bounded(2), make, |queue, operation| match *operation {
        Operation::Put(item) => done_or_full(queue.push(item).is_ok()),
        _ => got_or_empty(queue.pop()),
    })
    .threads(3, PUT_AND_GET)
    .ending(|_| Operation::Get)
    .check();
}

#[test]
fn a_segmented_queue_of_crossbeam() {
    Trial::new("a SegQueue", Queue::fifo(), SegQueue::new, |queue, operation| match *operation {
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

#[test]
fn a_channel_of_std_with_its_one_consumer() {
    let make = || {
        let (sender, receiver) = mpsc::sync_channel(2);
        (sender, Mutex::new(receiver))
    };
    Trial::new("a channel of std", Queue::fifo().bounded(2), make, |(sender, receiver), operation| {
        match *operation {
            Operation::Put(item) => done_or_full(sender.try_send(item).is_ok()),
            _ => got_or_empty(receiver.lock().unwrap().recv_timeout(LIMIT).ok()),
        }
    })
    .threads(2, PUT)
    .threads(1, GET)
    .ending(|_| Operation::Get)
    .check();
}

#[test]
fn a_stack_and_a_heap_of_std_under_a_lock() {
    Trial::new("a stack", Queue::lifo(), Mutex::<Vec<u32>>::default, |stack, operation| {
        let mut stack = stack.lock().unwrap();
        match *operation {
            Operation::Put(item) => {
                stack.push(item);
                Response::Done
            }
            _ => got_or_empty(stack.pop()),
        }
    })
    .threads(3, PUT_AND_GET)
    .ending(|_| Operation::Get)
    .check();

    let make = Mutex::<BinaryHeap<Reverse<u32>>>::default;
    Trial::new("a heap", Queue::smallest_first(), make, |heap, operation| {
        let mut heap = heap.lock().unwrap();
        match *operation {
            Operation::Put(item) => {
                heap.push(Reverse(item));
                Response::Done
            }
            _ => got_or_empty(heap.pop().map(|Reverse(item)| item)),
        }
    })
    .threads(3, PUT_AND_GET)
    .ending(|_| Operation::Get)
    .check();
}

#[test]
fn what_a_lock_of_std_guards() {
    use register::Operation::{Read, Swap, Write};
    use register::Response::{Done, Refused, Value};
    let kinds: &[Kind<_>] = &[
        |value| (Way::Block, Write(value)),
        |value| (Way::Try, Swap(value)),
        |_| (Way::Block, Read),
        |_| (Way::Try, Read),
    ];
    let make = || RwLock::new(0);
    Trial::new("std's RwLock", Ways(Register::new(0)), make, |lock, operation| match *operation {
        (Way::Block, Read) => Value(*lock.read().unwrap()),
        (_, Read) => lock.try_read().map_or(Refused, |value| Value(*value)),
        (_, Write(value)) => {
            *lock.write().unwrap() = value;
            Done
        }
        (_, Swap(new)) => {
            lock.try_write().map_or(Refused, |mut value| Value(std::mem::replace(&mut *value, new)))
        }
        (_, register::Operation::Add(_)) => unreachable!("no thread of this trial adds"),
    })
    .threads(3, kinds)
    .ending(|_| (Way::Block, Read))
    .check();
}

#[test]
fn a_map_of_std_under_a_lock() {
    use map::Operation::{Add, Clear, Entries, Insert, Len, Look, Remove, RemoveIfOdd, TryInsert};
    // Two keys for everybody, so that threads meet.
    let kinds: &[Kind<_>] = &[
        |fresh| Insert(fresh % 2, fresh),
        |fresh| TryInsert(fresh % 2, fresh),
        |fresh| Add(fresh % 2, fresh),
        |fresh| Remove(fresh % 2),
        |fresh| RemoveIfOdd(fresh % 2),
        |_| Look(1),
        |_| Clear,
        |_| Len,
        |_| Entries,
    ];
    let make = Mutex::<HashMap<u32, u32>>::default;
    Trial::new("a map", Map::new(), make, |map, operation| {
        let mut map = map.lock().unwrap();
        map::Response::Value(match *operation {
            Insert(key, value) => map.insert(key, value),
            TryInsert(key, value) => {
                let before = map.get(&key).copied();
                map.entry(key).or_insert(value);
                before
            }
            Add(key, more) => {
                let before = map.get(&key).copied();
                *map.entry(key).or_default() += more;
                before
            }
            Remove(key) => map.remove(&key),
            RemoveIfOdd(key) => {
                let is_odd = map.get(&key).is_some_and(|value| value % 2 == 1);
                map.retain(|other, _| *other != key || !is_odd);
                return map::Response::Had(is_odd);
            }
            Look(key) => map.get(&key).copied(),
            Clear => {
                map.clear();
                return map::Response::Cleared;
            }
            Len => return map::Response::Len(map.len()),
            Entries => {
                let mut entries: Vec<_> = map.iter().map(|(key, value)| (*key, *value)).collect();
                entries.sort_unstable();
                return map::Response::Entries(entries);
            }
        })
    })
    .threads(3, kinds)
    .ending(|_| Entries)
    .check();
}

fn done_or_full(done: bool) -> Response {
    if done { Response::Done } else { Response::Full }
}

fn got_or_empty(item: Option<u32>) -> Response {
    item.map_or(Response::Empty, Response::Got)
}
