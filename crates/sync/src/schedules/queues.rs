//! Queues: whatever each producer and each consumer does, each item comes out once, and those of one producer in order.

use super::{Item, Witness, explore, explore_a_part, join, poll_and_drop};
use crate::Queue;
use crate::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, Prioritized, PriorityQueue, PutError, mpsc, spsc,
};
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of each producer.
const ITEMS: u32 = 3;

/// All ways to put, one after the other.
macro_rules! put_in_all_ways {
    ($queue:expr, $witness:expr, $producer:expr) => {
        for number in 0..ITEMS {
            let item = $witness.item($producer * 10 + number);
            let done = match (number + $producer) % 3 {
                0 => $queue.put(item.into()),
                1 => block_on($queue.put_async(item.into())),
                // Whoever is refused has the item and puts it as well as he can.
                _ => match $queue.put_timeout(item.into(), Duration::ZERO) {
                    Err(refused) => $queue.put(PutError::into_inner(refused)),
                    done => done,
                },
            };
            assert!(done.is_ok(), "nobody has closed it");
        }
    };
}

/// All ways to take, until it is closed and empty: the numbers in their order.
macro_rules! take_in_all_ways {
    ($queue:expr, $first:expr) => {{
        let mut taken = Vec::new();
        for way in $first.. {
            let item = match way % 4 {
                0 => $queue.get(),
                1 => block_on($queue.get_async()),
                // A future that leaves takes nothing with it.
                2 => match poll_and_drop($queue.get_async()) {
                    Some(item) => item,
                    None => continue,
                },
                _ => match $queue.get_timeout(Duration::ZERO) {
                    Err(why) if why.is_timeout() => continue,
                    item => item,
                },
            };
            match item {
                Ok(item) => taken.push(Item::from(item).number),
                Err(_closed) => break,
            }
        }
        taken
    }};
}

/// Two producers and two consumers of a queue; it is closed when all is put.
macro_rules! all_comes_out {
    ($($name:ident: $queue:expr, $in_order:expr;)+) => {$(
        #[test]
        fn $name() {
            explore(|| {
                let (queue, witness) = (Arc::new($queue), Witness::new());
                let producers = [1, 2].map(|producer| {
                    let (queue, witness) = (Arc::clone(&queue), witness.clone());
                    thread::spawn(move || put_in_all_ways!(queue, witness, producer))
                });
                let consumers = [0_u32, 1].map(|first| {
                    let queue = Arc::clone(&queue);
                    thread::spawn(move || take_in_all_ways!(queue, first))
                });
                join(producers);
                queue.close();
                let taken = join(consumers);
                if $in_order {
                    taken.iter().for_each(|taken| in_order(taken));
                }
                all_of(&[1, 2], taken.into_iter().flatten());
                drop(queue);
                assert!(witness.is_last(), "an item leaks");
            });
        }
    )+};
}

all_comes_out! {
    a_ring: Queue::<Item>::bounded(2), true;
    blocks: Queue::<Item>::unbounded(), true;
    one_place: Queue::<Item>::bounded(1), true;
    no_place: Queue::<Item>::rendezvous(), true;
    last_in_first_out: LifoQueue::<Item>::bounded(2), false;
    by_priority: PriorityQueue::<Prioritized<u32, Item>>::bounded(2), false;
    by_time: DelayQueue::<Item>::bounded(2), false;
    a_buffer_that_blocks: Buffer::<Item>::new(2, Overflow::Block), true;
}

/// As [`all_comes_out`], or comes back to whoever puts.
#[test]
fn a_buffer_gives_out_or_gives_back() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Error] {
        explore_a_part(3, move || {
            let (buffer, witness) = (Arc::new(Buffer::<Item>::new(2, overflow)), Witness::new());
            let producers = [1, 2].map(|producer| {
                let (buffer, witness) = (Arc::clone(&buffer), witness.clone());
                thread::spawn(move || {
                    let put = |number: u32| {
                        let item = witness.item(producer * 10 + number);
                        let done = match number % 3 {
                            0 => buffer.put(item),
                            1 => block_on(buffer.put_async(item)),
                            _ => buffer.put_timeout(item, Duration::ZERO),
                        };
                        let back = done.unwrap_or_else(|refused| {
                            assert_eq!(overflow, Overflow::Error, "nobody has closed it");
                            Some(refused.into_inner())
                        });
                        back.map(|item| item.number)
                    };
                    (0..ITEMS).filter_map(put).collect::<Vec<_>>()
                })
            });
            let consumer = thread::spawn({
                let buffer = Arc::clone(&buffer);
                move || take_in_all_ways!(buffer, 0_u32)
            });
            let back = join(producers);
            buffer.close();
            let taken = consumer.join().unwrap();
            in_order(&taken);
            all_of(&[1, 2], back.into_iter().flatten().chain(taken));
            drop(buffer);
            assert!(witness.is_last(), "an item leaks");
        });
    }
}

/// As [`all_comes_out`], where ends are of one thread; the channel ends with its senders.
#[test]
fn many_senders_to_one() {
    for bounded in [true, false] {
        explore(move || {
            let (sender, mut receiver) = if bounded { mpsc::bounded::<Item>(1) } else { mpsc::unbounded() };
            let witness = Witness::new();
            let senders = [1, 2].map(|producer| {
                let (sender, witness) = (sender.clone(), witness.clone());
                thread::spawn(move || put_in_all_ways!(sender, witness, producer))
            });
            drop(sender);
            let taken = take_in_all_ways!(receiver, 0_u32);
            join(senders);
            in_order(&taken);
            all_of(&[1, 2], taken.into_iter());
            drop(receiver);
            assert!(witness.is_last(), "an item leaks");
        });
    }
}

#[test]
fn one_to_one() {
    for bounded in [true, false] {
        explore(move || {
            let (mut sender, mut receiver) =
                if bounded { spsc::bounded::<Item>(1) } else { spsc::unbounded() };
            let witness = Witness::new();
            let sending = thread::spawn({
                let witness = witness.clone();
                move || put_in_all_ways!(sender, witness, 1)
            });
            let taken = take_in_all_ways!(receiver, 1_u32);
            sending.join().unwrap();
            in_order(&taken);
            all_of(&[1], taken.into_iter());
            drop(receiver);
            assert!(witness.is_last(), "an item leaks");
        });
    }
}

/// Items enough for a lone end to begin with barriers of its own, and to give them up.
#[test]
fn lone_ends_change_their_barriers() {
    const ITEMS: u32 = 12;
    explore(|| {
        let (mut sender, mut receiver) = spsc::bounded(1);
        let sending = thread::spawn(move || (0..ITEMS).for_each(|item| sender.put(item).unwrap()));
        (0..ITEMS).for_each(|item| assert_eq!(receiver.get(), Ok(item)));
        sending.join().unwrap();
    });
    explore(|| {
        let (sender, mut receiver) = mpsc::bounded(1);
        let senders = [1, 2].map(|_| {
            let sender = sender.clone();
            thread::spawn(move || (0..ITEMS / 2).for_each(|item| sender.put(item).unwrap()))
        });
        drop(sender);
        assert_eq!((0..).find(|_| receiver.get().is_err()), Some(ITEMS));
        join(senders);
    });
}

/// A queue that is closed at any moment: what was taken in comes out, what was not comes back.
macro_rules! closed_at_any_moment {
    ($($name:ident: $queue:expr;)+) => {$(
        #[test]
        fn $name() {
            explore(|| {
                let (queue, witness) = (Arc::new($queue), Witness::new());
                let producers = [1, 2].map(|producer| {
                    let (queue, witness) = (Arc::clone(&queue), witness.clone());
                    thread::spawn(move || {
                        let awaited = producer == 2;
                        (0..ITEMS)
                            .filter(|number| {
                                let item = witness.item(producer * 10 + number);
                                let put = if awaited { block_on(queue.put_async(item)) } else { queue.put(item) };
                                put.is_ok()
                            })
                            .count()
                    })
                });
                let closer = thread::spawn({
                    let queue = Arc::clone(&queue);
                    move || queue.close()
                });
                let consumers = [0_u32, 1].map(|first| {
                    let queue = Arc::clone(&queue);
                    thread::spawn(move || take_in_all_ways!(queue, first).len())
                });
                let put: usize = join(producers).into_iter().sum();
                let taken: usize = join(consumers).into_iter().sum();
                closer.join().unwrap();
                assert_eq!(put, taken, "put and taken");
                drop(queue);
                assert!(witness.is_last(), "an item leaks");
            });
        }
    )+};
}

closed_at_any_moment! {
    a_ring_is_closed: Queue::<Item>::bounded(2);
    blocks_are_closed: Queue::<Item>::unbounded();
    one_place_is_closed: Queue::<Item>::bounded(1);
    no_place_is_closed: Queue::<Item>::rendezvous();
    last_in_first_out_is_closed: LifoQueue::<Item>::bounded(1);
}

/// Whoever waits until all is done goes on when all is.
#[test]
fn a_queue_is_joined_when_all_is_done() {
    explore(|| {
        let queue = Arc::new(Queue::bounded(2));
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                (0..ITEMS).for_each(|item| queue.put(item).unwrap());
                queue.join();
                queue.unfinished()
            }
        });
        let consumers = [false, true].map(|awaited| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                while (if awaited { block_on(queue.get_async()) } else { queue.get() }).is_ok() {
                    queue.task_done();
                }
            })
        });
        assert_eq!(producer.join().unwrap(), 0);
        queue.close();
        join(consumers);
    });
}

#[track_caller]
fn in_order(taken: &[u32]) {
    for producer in [1, 2] {
        let items = taken.iter().filter(|item| *item / 10 == producer);
        assert!(items.is_sorted(), "an item overtook another of its producer: {taken:?}");
    }
}

#[track_caller]
fn all_of(producers: &[u32], taken: impl Iterator<Item = u32>) {
    let mut taken: Vec<_> = taken.collect();
    taken.sort_unstable();
    let put: Vec<_> =
        producers.iter().flat_map(|producer| (0..ITEMS).map(move |number| producer * 10 + number)).collect();
    assert_eq!(taken, put);
}

impl From<Item> for Prioritized<u32, Item> {
    fn from(item: Item) -> Self {
        Prioritized::new(item.number % 2, item)
    }
}

impl From<Prioritized<u32, Item>> for Item {
    fn from(item: Prioritized<u32, Item>) -> Self {
        item.item
    }
}

/// Due at once.
impl From<Item> for Delayed<Item> {
    fn from(item: Item) -> Self {
        Delayed::until(Instant::now(), item)
    }
}

impl From<Delayed<Item>> for Item {
    fn from(delayed: Delayed<Item>) -> Self {
        delayed.item
    }
}
