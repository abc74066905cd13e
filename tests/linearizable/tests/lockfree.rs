//! The structures of `sync::lockfree`.

#![forbid(unsafe_code)]

use linearizable::models::map::{self, Map as MapModel};
use linearizable::models::permits::{self, Permits};
use linearizable::models::queue::{Operation, Queue, Response};
use linearizable::models::register::{self, Register};
use linearizable::{Kind, Trial};
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
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

/// The producer gets the room of all that was drained at once, and later than that was looked for; so either it has no room
/// meanwhile, or always some.
#[test]
fn a_ring_that_is_drained() {
    for capacity in [1, 12] {
        let make = move || {
            let (producer, consumer) = spsc_ring(capacity);
            (Mutex::new(producer), Mutex::new(consumer))
        };
        let name = format!("an SPSC ring of {capacity}, drained");
        Trial::new(&name, Queue::fifo().bounded(capacity), make, |(producer, consumer), operation| {
            match *operation {
                Operation::Put(item) => done_or_full(producer.lock().unwrap().push(item).is_ok()),
                Operation::Drain => Response::TakenOut(consumer.lock().unwrap().drain().collect()),
                _ => got_or_empty(consumer.lock().unwrap().pop()),
            }
        })
        .threads(1, &[Operation::Put])
        .threads(1, &[|_| Operation::Get, |_| Operation::Drain])
        .operations(12)
        .ending(|_| Operation::Get)
        .check();
    }
}

/// Two items at a time are put in at once and taken out at once: each pair counts as one.
#[test]
fn a_ring_of_slices() {
    for pairs in 1..=2 {
        let make = move || {
            let (producer, consumer) = spsc_ring(2 * pairs);
            (Mutex::new(producer), Mutex::new(consumer))
        };
        let name = format!("an SPSC ring of {pairs} pairs");
        Trial::new(&name, Queue::fifo().bounded(pairs), make, |(producer, consumer), operation| {
            match *operation {
                Operation::Put(item) => {
                    let mut producer = producer.lock().unwrap();
                    let count = match item % 2 {
                        0 => producer.push_slice(&[item, item]),
                        _ => producer.push_iter(&mut [item, item].into_iter()),
                    };
                    assert_ne!(count, 1, "half a pair was put in");
                    done_or_full(count == 2)
                }
                _ => {
                    let mut pair = [0; 2];
                    let count = consumer.lock().unwrap().pop_slice(&mut pair);
                    assert!(count != 1 && pair[0] == pair[1], "half a pair was taken out");
                    got_or_empty((count == 2).then_some(pair[0]))
                }
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
        Operation::Drain => Response::TakenOut(stack.take_all().collect()),
        _ => got_or_empty(stack.pop()),
    })
    .threads(3, &[Operation::Put, Operation::Put, |_| Operation::Get, |_| Operation::Drain])
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

/// All but [`Map::clear`], which takes out one key after the other.
#[test]
fn a_map() {
    use map::Operation::{Add, Clear, Entries, Insert, Look, Remove, RemoveIfOdd, TryInsert};
    // Two keys for everybody, so that threads meet.
    let kinds: &[Kind<_>] = &[
        |fresh| Insert(fresh % 2, fresh),
        |fresh| TryInsert(fresh % 2, fresh),
        |fresh| Add(fresh % 2, fresh),
        |fresh| Remove(fresh % 2),
        |fresh| RemoveIfOdd(fresh % 2),
        |fresh| Look(fresh % 2),
    ];
    // Clearing is no one step beside others, as its documentation says: it may take out what comes meanwhile.
    let ending = |fresh| if fresh % 8 == 7 { Clear } else { Entries };
    Trial::new("a Map", MapModel::new(), Map::new, on_map).threads(3, kinds).ending(ending).check();
}

/// A walk through a map is no one step, but what it says of each key is. Some keys stay as they are, so many that the map grows in some
/// scenarios: each of them is met once.
#[test]
fn a_map_that_is_walked_through_while_it_changes_and_grows() {
    use map::Operation::{Insert, Look, Remove};
    let kinds: &[Kind<_>] = &[
        |fresh| Insert(CHANGED, fresh),
        |_| Remove(CHANGED),
        |_| Look(CHANGED),
        |_| Look(CHANGED),
        // Nobody else has this key, nor puts it in again.
        |fresh| Insert(CHANGED + 1 + fresh, fresh),
    ];
    for kept in [0, 5, 10, 20, 40] {
        let make = move || (0..kept).map(|key| (key, key)).collect::<Map<u32, u32>>();
        let walk = move |map: &Map<u32, u32>, operation: &map::Operation| match operation {
            Look(key) => map::Response::Value(met_on_a_walk(map, *key, kept)),
            _ => on_map(map, operation),
        };
        Trial::new(&format!("a walk through a Map of {kept} or more"), MapModel::new(), make, walk)
            .threads(3, kinds)
            .ending(|_| Look(CHANGED))
            .wanting("a key that was met", |answer| matches!(answer, map::Response::Value(Some(_))))
            .check();
    }
}

/// Beyond all keys that stay.
const CHANGED: u32 = 1_000;

fn met_on_a_walk(map: &Map<u32, u32>, key: u32, kept: u32) -> Option<u32> {
    let mut met = Vec::new();
    map.for_each(|key, value| met.push((*key, *value)));
    met.sort_unstable();
    let unchanged: Vec<_> = met.iter().copied().take_while(|(key, _)| *key < kept).collect();
    assert_eq!(unchanged, (0..kept).map(|key| (key, key)).collect::<Vec<_>>(), "what nobody changes");
    // What is taken out and put in again may come to lie where the walk has not been.
    let is_twice = |two: &[(u32, u32)]| two[0].0 == two[1].0 && (two[0].0 != CHANGED || two[0].1 == two[1].1);
    assert!(!met.windows(2).any(is_twice), "an entry was met twice: {met:?}");
    met.iter().find(|(other, _)| *other == key).map(|(_, value)| *value)
}

/// How many have looked, in one of three ways.
static LOOKS: AtomicU32 = AtomicU32::new(0);

fn on_map(map: &Map<u32, u32>, operation: &map::Operation) -> map::Response {
    use map::Operation::{Add, Clear, Entries, Insert, Len, Look, Remove, RemoveIfOdd, TryInsert};
    map::Response::Value(match *operation {
        Insert(key, value) => return map::Response::Had(!map.insert(key, value)),
        TryInsert(key, value) => {
            let refused = map.try_insert(key, value).err();
            assert!(refused.is_none_or(|refused| refused == value), "another value was given back");
            return map::Response::Had(refused.is_some());
        }
        Add(key, more) => {
            let (before, is_made) = (Cell::new(None), Cell::new(false));
            let change = |value: &u32| {
                before.set(Some(*value));
                value + more
            };
            let first = || {
                is_made.set(true);
                more
            };
            map.update_or_insert(key, change, first);
            // The first value is made once, and kept if another comes first: it may be put there after a change in vain.
            if is_made.get() && before.get().is_some() {
                return map::Response::Untold;
            }
            // What was there when it was changed last is what was changed.
            before.get()
        }
        Remove(key) => map.remove(&key),
        RemoveIfOdd(key) => return map::Response::Had(map.remove_if(key, |value| value % 2 == 1)),
        // In turn by a clone, by a closure, and by whether there is anything.
        Look(key) => match LOOKS.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => map.get(&key),
            1 => map.read(&key, |value| *value),
            _ => return map::Response::Had(map.contains_key(&key)),
        },
        Clear => {
            map.clear();
            return map::Response::Cleared;
        }
        Len => return map::Response::Len(map.len()),
        // At the end, when nobody changes it.
        Entries => {
            let mut entries = Vec::new();
            map.for_each(|key, value| entries.push((*key, *value)));
            entries.sort_unstable();
            assert_eq!((map.len(), map.is_empty()), (entries.len(), entries.is_empty()));
            return map::Response::Entries(entries);
        }
    })
}
