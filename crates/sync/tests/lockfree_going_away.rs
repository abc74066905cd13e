//! What the structures without a lock do with items that nobody takes, with destructors that panic, with ends and guards
//! that are dropped or forgotten; and the errors of making them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use sync::lockfree::{ArrayQueue, Full, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};

/// Counts its drops; the one with number `PANICS` panics in its destructor.
struct Item {
    number: u32,
    drops: Rc<Cell<u32>>,
}

const PANICS: u32 = 3;

impl Drop for Item {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
        assert!(self.number != PANICS, "the destructor of item {PANICS}");
    }
}

/// Puts `count` items into what `make` makes with them, drops it, and checks that each was dropped once, although one
/// panicked.
fn drops_all<C>(count: u32, make: impl FnOnce(Vec<Item>) -> C) {
    let drops = Rc::new(Cell::new(0));
    let items = (0..count).map(|number| Item { number, drops: Rc::clone(&drops) }).collect();
    let container = make(items);
    let before = drops.get();
    let outcome = catch_unwind(AssertUnwindSafe(|| drop(container)));
    assert!(outcome.is_err(), "the panic goes on when all are dropped");
    assert_eq!((before, drops.get()), (0, count));
}

#[test]
fn items_that_nobody_took_are_dropped_although_one_panics() {
    drops_all(5, |items| {
        let (mut producer, mut consumer) = spsc_ring(6);
        // So that the items go over the end of the ring.
        for _ in 0..4 {
            let passes = producer.push(Item { number: 99, drops: Rc::default() });
            assert!(passes.is_ok() && consumer.pop().is_some());
        }
        assert_eq!(producer.push_iter(&mut items.into_iter()), 5);
        drop(producer);
        consumer
    });
    drops_all(5, |items| {
        let queue = ArrayQueue::new(6);
        for item in items {
            assert!(queue.push(item).is_ok());
        }
        queue
    });
    drops_all(200, |items| {
        let queue = SegmentedQueue::new();
        items.into_iter().for_each(|item| queue.push(item));
        queue
    });
    drops_all(5, |items| {
        let mut stack = Stack::new();
        stack.extend(items);
        stack
    });
}

#[test]
fn items_of_a_stack_that_were_taken_at_once_are_dropped_although_one_panics() {
    let drops = Rc::new(Cell::new(0));
    let mut stack = Stack::new();
    stack.extend((0..6).map(|number| Item { number, drops: Rc::clone(&drops) }));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut all = stack.take_all();
        assert_eq!(all.next().map(|item| item.number), Some(5));
    }));
    assert!(outcome.is_err());
    assert_eq!(drops.get(), 6);
    assert!(stack.pop().is_none());
}

#[test]
fn values_of_an_rcu_cell_are_dropped_although_one_panics() {
    let drops = Rc::new(Cell::new(0));
    let item = |number| Item { number, drops: Rc::clone(&drops) };
    let cell = RcuCell::new(item(0));
    let guard = cell.load();
    cell.store(item(PANICS));
    assert_eq!((guard.number, drops.get()), (0, 0), "the guard keeps the first");
    let second = cell.load();
    cell.store(item(4));
    drop((guard, second));

    // Both old values can go now, and the panic of one does not keep the other.
    assert!(catch_unwind(AssertUnwindSafe(|| cell.store(item(5)))).is_err());
    assert_eq!(cell.load().number, 5, "the new value is in place");
    cell.collect();
    assert_eq!(drops.get(), 3);
    drop(cell);
    assert_eq!(drops.get(), 4);
}

#[test]
fn a_change_that_panics_leaves_the_value_as_it_was() {
    let cell = RcuCell::new(1);
    assert!(catch_unwind(|| cell.update(|_| panic!("no new value"))).is_err());
    cell.update(|number| number + 1);
    assert_eq!(*cell.load(), 2);

    let lock = SeqLock::new(1);
    assert!(catch_unwind(AssertUnwindSafe(|| lock.update(|_| panic!("no new value")))).is_err());
    lock.update(|number| number + 1);
    assert_eq!(lock.read(), 2);
}

#[test]
fn an_iterator_that_panics_has_put_in_what_it_gave() {
    let (mut producer, mut consumer) = spsc_ring(8);
    let mut items = (0..8).map(|number| if number < 3 { Box::new(number) } else { panic!("no more") });
    assert!(catch_unwind(AssertUnwindSafe(|| producer.push_iter(&mut items))).is_err());
    assert_eq!(consumer.drain().map(|item| *item).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(producer.room(), 8);
}

#[test]
fn an_iterator_over_a_ring_that_is_forgotten_gives_nothing_twice() {
    let (mut producer, mut consumer) = spsc_ring(4);
    assert_eq!(producer.push_iter(&mut (0..4).map(Box::new)), 4);
    let mut drain = consumer.drain();
    assert_eq!(drain.next().as_deref(), Some(&0));
    std::mem::forget(drain);
    assert_eq!(producer.room(), 0, "it could not hand the place back");
    assert_eq!(consumer.pop().as_deref(), Some(&1));
    assert_eq!(producer.room(), 2, "the next operation does");
}

#[test]
fn what_a_forgotten_iterator_has_given_is_not_dropped_with_the_ring() {
    let (mut producer, mut consumer) = spsc_ring(4);
    assert_eq!(producer.push_iter(&mut (0..4).map(Box::new)), 4);
    let mut drain = consumer.drain();
    let first = drain.next();
    std::mem::forget(drain);
    drop((producer, consumer));
    assert_eq!(first.as_deref(), Some(&0));

    let drops = Rc::new(Cell::new(0));
    let (mut producer, mut consumer) = spsc_ring(2);
    producer.push_iter(&mut (0..2).map(|number| Item { number, drops: Rc::clone(&drops) }));
    let mut drain = consumer.drain();
    let first = drain.next();
    std::mem::forget(drain);
    drop((consumer, producer));
    assert_eq!(drops.get(), 1, "the second alone");
    drop(first);
    assert_eq!(drops.get(), 2);
}

#[test]
fn a_guard_that_is_forgotten_keeps_its_value_and_no_other() {
    let values: Vec<_> = (0..4).map(Arc::new).collect();
    let cell = RcuCell::new(Arc::clone(&values[0]));
    std::mem::forget(cell.load());
    for value in &values[1..] {
        cell.store(Arc::clone(value));
    }
    let owners = || values.iter().map(Arc::strong_count).collect::<Vec<_>>();
    assert_eq!(owners(), [2, 1, 1, 2]);
    drop(cell);
    assert_eq!(owners(), [1; 4]);
}

#[test]
fn any_number_of_guards_is_kept_apart_and_given_back() {
    let count = if cfg!(miri) { 30 } else { 300 };
    let drops = Rc::new(Cell::new(0));
    let item = |number| Item { number, drops: Rc::clone(&drops) };
    let cell = RcuCell::new(item(100));
    let mut guards = Vec::new();
    for number in 0..count {
        guards.push(cell.load());
        cell.store(item(101 + number));
    }
    assert_eq!(drops.get(), 0);
    assert!(guards.iter().zip(100..).all(|(guard, number)| guard.number == number));
    guards.truncate(1);
    cell.collect();
    assert_eq!(drops.get(), count - 1);
    drop(guards);
    cell.collect();
    assert_eq!(drops.get(), count);
}

#[test]
fn a_guard_may_go_to_another_thread() {
    let cell = RcuCell::new(vec![7]);
    thread::scope(|scope| {
        let guard = cell.load();
        cell.store(vec![8]);
        scope.spawn(move || assert_eq!(*guard, [7]));
    });
    assert_eq!(*cell.load(), [8]);
}

#[test]
fn each_end_of_a_ring_learns_that_the_other_is_gone() {
    let (producer, mut consumer) = spsc_ring::<u8>(1);
    assert!(!producer.is_abandoned() && !consumer.is_abandoned());
    drop(producer);
    assert!(consumer.is_abandoned());
    assert_eq!(consumer.pop(), None);

    let (mut producer, consumer) = spsc_ring(1);
    drop(consumer);
    assert!(producer.is_abandoned());
    assert_eq!(producer.push(1), Ok(()), "there is room, be it that nobody comes for it");
}

#[test]
fn items_without_a_size_and_large_ones_are_carried() {
    let queue = SegmentedQueue::new();
    let stack = Stack::new();
    let array = ArrayQueue::new(2);
    let (mut producer, mut consumer) = spsc_ring(3);
    for _ in 0..2 {
        queue.push(());
        stack.push(());
        assert_eq!((array.push(()), producer.push(())), (Ok(()), Ok(())));
    }
    for expected in [Some(()), Some(()), None] {
        assert_eq!(
            (queue.pop(), stack.pop(), array.pop(), consumer.pop()),
            (expected, expected, expected, expected)
        );
    }

    if !cfg!(miri) {
        let queue = SegmentedQueue::new();
        for number in 0..70 {
            queue.push([number; 10_000]);
        }
        assert_eq!((0..70).map(|_| queue.pop().unwrap()[9_999]).sum::<u32>(), 69 * 70 / 2);
    }
}

#[test]
fn a_capacity_that_cannot_be_is_refused_with_the_remedy() {
    let message = |make: fn()| {
        let panic = catch_unwind(make).unwrap_err();
        panic
            .downcast::<String>()
            .map_or_else(|panic| panic.downcast::<&str>().unwrap().to_string(), |text| *text)
    };
    assert_eq!(message(|| drop(spsc_ring::<u8>(0))), "a ring of capacity 0 holds nothing; ask for 1 or more");
    assert_eq!(
        message(|| drop(ArrayQueue::<u8>::new(0))),
        "a queue of capacity 0 holds nothing; ask for 1 or more"
    );
    for message in
        [message(|| drop(spsc_ring::<()>(usize::MAX))), message(|| drop(ArrayQueue::<()>::new(usize::MAX)))]
    {
        assert!(message.ends_with(&format!("of capacity {} fits into no memory; ask for less", usize::MAX)));
    }

    let refused: Full<_> = ArrayQueue::new(1).push_all([1, 2]).unwrap_err();
    assert_eq!(refused.to_string(), "the queue is full: it holds 1 items; take one out first");
}

/// What a caller who does not care about each item would write.
trait PushAll<T> {
    fn push_all<const N: usize>(&self, items: [T; N]) -> Result<(), Full<T>>;
}

impl<T> PushAll<T> for ArrayQueue<T> {
    fn push_all<const N: usize>(&self, items: [T; N]) -> Result<(), Full<T>> {
        items.into_iter().try_for_each(|item| self.push(item))
    }
}
