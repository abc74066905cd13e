//! The structures without a lock, used by several threads at once: sums, order and drops must come out right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use sync::lockfree::{ArrayQueue, Counter, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};

/// How many items each producer puts in.
const EACH: usize = if cfg!(miri) { 60 } else { 20_000 };

/// As [`EACH`], where the threads wait for each other at every few items: a loaded machine must not take minutes.
const EACH_BY_TURNS: usize = if cfg!(miri) { 60 } else { 500 };

/// An item that counts how many of its kind are alive, and owns memory, so that a second drop shows under Miri.
struct Item {
    producer: usize,
    number: Box<usize>,
    alive: Arc<AtomicUsize>,
}

impl Item {
    fn new(producer: usize, number: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Item { producer, number: Box::new(number), alive: Arc::clone(alive) }
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        let before = self.alive.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "dropped twice");
    }
}

/// Two producers of `each` items and two consumers. Checks that each item comes out once, that a consumer sees each producer's items in
/// order if `in_order`, and that all are dropped.
fn many_to_many(
    each: usize,
    push: impl Fn(Item) + Sync,
    pop: impl Fn() -> Option<Item> + Sync,
    in_order: bool,
) {
    let alive = Arc::new(AtomicUsize::new(0));
    let left = AtomicUsize::new(2 * each);
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        for producer in 0..2 {
            let (push, alive) = (&push, &alive);
            scope.spawn(move || (0..each).for_each(|number| push(Item::new(producer, number, alive))));
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = [None; 2];
                while left.load(Ordering::Relaxed) > 0 {
                    let Some(item) = pop() else {
                        thread::yield_now();
                        continue;
                    };
                    left.fetch_sub(1, Ordering::Relaxed);
                    sum.fetch_add(*item.number, Ordering::Relaxed);
                    assert!(!in_order || last[item.producer] < Some(*item.number));
                    last[item.producer] = Some(*item.number);
                }
            });
        }
    });
    assert!(pop().is_none());
    assert_eq!(sum.into_inner(), each * (each - 1));
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn an_array_queue_carries_each_item_once() {
    for capacity in [1, 2, 3, 64] {
        let queue = ArrayQueue::new(capacity);
        let push = |mut item| {
            while let Err(full) = queue.push(item) {
                item = full.into_inner();
                thread::yield_now();
            }
        };
        let each = if capacity < 64 { EACH_BY_TURNS } else { EACH };
        many_to_many(each, push, || queue.pop(), true);
    }
}

#[test]
fn a_segmented_queue_carries_each_item_once() {
    let queue = SegmentedQueue::new();
    many_to_many(EACH, |item| queue.push(item), || queue.pop(), true);
}

#[test]
fn a_stack_carries_each_item_once() {
    let stack = Stack::new();
    many_to_many(EACH, |item| stack.push(item), || stack.pop(), false);
}

#[test]
fn a_stack_that_is_taken_whole_carries_each_item_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let stack = Stack::new();
    let done = AtomicUsize::new(0);
    let (mut popped, mut sum) = (0, 0);
    thread::scope(|scope| {
        let popper = scope.spawn(|| {
            let mut sum = 0;
            while done.load(Ordering::Acquire) < 2 {
                sum += stack.pop().map_or(0, |item: Item| *item.number);
                thread::yield_now();
            }
            sum
        });
        for producer in 0..2 {
            let (stack, alive, done) = (&stack, &alive, &done);
            scope.spawn(move || {
                (0..EACH).for_each(|number| stack.push(Item::new(producer, number, alive)));
                done.fetch_add(1, Ordering::Release);
            });
        }
        while done.load(Ordering::Acquire) < 2 {
            sum += stack.take_all().map(|item| *item.number).sum::<usize>();
            thread::yield_now();
        }
        popped += popper.join().unwrap();
    });
    sum += stack.take_all().map(|item| *item.number).sum::<usize>();
    assert_eq!(popped + sum, EACH * (EACH - 1));
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn a_ring_carries_each_item_once_and_in_order() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (mut producer, mut consumer) = spsc_ring(7);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut items = (0..EACH).map(|number| Item::new(0, number, &alive));
            let mut put = 0;
            while put < EACH {
                // One by one and in batches by turns.
                let batch = producer.push_iter(&mut items);
                put += batch;
                if batch == 0 {
                    thread::yield_now();
                } else if let Some(mut item) = items.next() {
                    put += 1;
                    while let Err(full) = producer.push(item) {
                        item = full.into_inner();
                        thread::yield_now();
                    }
                }
            }
        });
        let mut expected = 0;
        while expected < EACH {
            let single = consumer.pop();
            for item in single.into_iter().chain(consumer.drain().take(5)) {
                assert_eq!(*item.number, expected);
                expected += 1;
            }
            thread::yield_now();
        }
    });
    assert!(consumer.pop().is_none());
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn slices_go_around_a_ring_whole() {
    let (mut producer, mut consumer) = spsc_ring::<usize>(13);
    let sent: Vec<usize> = (0..EACH).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rest = sent.as_slice();
            while !rest.is_empty() {
                let put = producer.push_slice(&rest[..rest.len().min(9)]);
                rest = &rest[put..];
                thread::yield_now();
            }
        });
        let (mut received, mut block) = (Vec::new(), [0; 6]);
        while received.len() < EACH {
            let count = consumer.pop_slice(&mut block);
            received.extend_from_slice(&block[..count]);
            thread::yield_now();
        }
        assert_eq!(received, sent);
    });
}

#[test]
fn readers_of_an_rcu_cell_see_whole_values_and_none_twice_dropped() {
    let alive = Arc::new(AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let cell = RcuCell::new(Item::new(0, 0, &alive));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut kept = cell.load();
                while !stop.load(Ordering::Relaxed) {
                    let fresh = cell.load();
                    assert!(kept.number <= fresh.number, "values get newer");
                    kept = fresh;
                }
            });
        }
        let writers = [0, 1].map(|writer| {
            let (cell, alive) = (&cell, &alive);
            scope.spawn(move || {
                for _ in 0..EACH {
                    cell.update(|old| Item::new(writer, *old.number + 1, alive));
                }
            })
        });
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(*cell.load().number, 2 * EACH, "no change was lost");
    cell.collect();
    assert_eq!(alive.load(Ordering::Relaxed), 1, "the old values are gone");
    drop(cell);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn readers_of_a_seqlock_never_see_half_a_write() {
    let stop = AtomicBool::new(false);
    let lock = SeqLock::new([0_usize; 4]);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !stop.load(Ordering::Relaxed) {
                let values = lock.read();
                assert_eq!(values, [values[0]; 4]);
                assert!(values[0] >= last, "values get newer");
                last = values[0];
                thread::yield_now();
            }
        });
        let writers = [0, 1]
            .map(|_| scope.spawn(|| (0..EACH).for_each(|_| lock.update(|values| values.map(|n| n + 1)))));
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(lock.read(), [2 * EACH; 4], "no change was lost");
}

#[test]
fn a_counter_counts_what_all_threads_add() {
    let counter = Counter::new();
    let mut taken = 0;
    thread::scope(|scope| {
        let adders = [0, 1, 2].map(|_| scope.spawn(|| (0..EACH).for_each(|_| counter.add(1))));
        while adders.iter().any(|adder| !adder.is_finished()) {
            taken += counter.take();
            thread::yield_now();
        }
    });
    assert_eq!(usize::try_from(taken + counter.sum()), Ok(3 * EACH));
}

#[cfg(feature = "map")]
#[test]
fn a_map_loses_no_change_of_any_thread() {
    let map = sync::lockfree::Map::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                (0..EACH).for_each(|number| map.update_or_insert(number % 50, |old| old + 1, || 1));
            });
        }
    });
    let mut total = 0;
    map.for_each(|_, count| total += count);
    assert_eq!((total, map.len()), (3 * EACH, 50));
}
