//! The structures without a lock. Blocks have 2 places here and tables 2 hazards, so that a few steps come to the ends.

use crate::lockfree::{ArrayQueue, Counter, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

mod argument;

/// An item that must be dropped once: loom complains if its count is wrong at the end. Its cell shows two threads that
/// touch it at a time, or one that touches it without having received it.
struct Item {
    number: UnsafeCell<usize>,
    drops: Arc<AtomicUsize>,
}

impl Item {
    fn number(&self) -> usize {
        // SAFETY: nobody writes it before the item is dropped; loom checks that.
        self.number.with(|number| unsafe { *number })
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        // SAFETY: as it is dropped, nobody else has it; loom checks that.
        self.number.with_mut(|number| unsafe { *number = GONE });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

const GONE: usize = usize::MAX;

/// Makes items, and says how many have been dropped.
struct Maker(Arc<AtomicUsize>);

impl Maker {
    fn new() -> Self {
        Maker(Arc::new(AtomicUsize::new(0)))
    }

    fn item(&self, number: usize) -> Item {
        Item { number: UnsafeCell::new(number), drops: Arc::clone(&self.0) }
    }

    fn dropped(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// All orders in which threads change at most so often where they need not. Without a bound some of these take hours.
fn model_bounded(changes: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(changes);
    builder.check(model);
}

mod spsc {
    use super::*;

    #[test]
    fn items_go_around_the_ring_in_order_and_once() {
        loom::model(|| {
            let maker = Maker::new();
            let items = [maker.item(0), maker.item(1), maker.item(2)];
            // Two slots for three items.
            let (mut producer, mut consumer) = spsc_ring(2);
            let producer = thread::spawn(move || {
                for mut item in items {
                    while let Err(full) = producer.push(item) {
                        item = full.into_inner();
                        thread::yield_now();
                    }
                }
            });
            let mut expected = 0;
            while expected < 3 {
                match consumer.pop() {
                    Some(item) => {
                        assert_eq!(item.number(), expected);
                        expected += 1;
                    }
                    None => thread::yield_now(),
                }
            }
            producer.join().unwrap();
            assert!(consumer.pop().is_none());
            drop(consumer);
            assert_eq!(maker.dropped(), 3);
        });
    }

    #[test]
    fn what_was_put_in_is_there_when_the_producer_is_gone() {
        loom::model(|| {
            let maker = Maker::new();
            let mut items = [maker.item(0), maker.item(1)].into_iter();
            let (mut producer, mut consumer) = spsc_ring(4);
            let producer = thread::spawn(move || producer.push_iter(&mut items));
            let mut taken = 0;
            loop {
                // In this order: nothing comes after the end was seen.
                let over = consumer.is_abandoned();
                let got = consumer.drain().inspect(|item| assert!(item.number() < 2)).count();
                taken += got;
                if over && got == 0 {
                    break;
                }
                thread::yield_now();
            }
            assert_eq!((taken, producer.join().unwrap()), (2, 2));
            assert_eq!(maker.dropped(), 2);
        });
    }

    #[test]
    fn whoever_leaves_last_drops_what_is_inside() {
        loom::model(|| {
            let maker = Maker::new();
            let items = [maker.item(0), maker.item(1)];
            let (mut producer, mut consumer) = spsc_ring(2);
            let producer = thread::spawn(move || {
                for item in items {
                    assert!(producer.push(item).is_ok());
                }
            });
            drop(consumer.pop());
            drop(consumer);
            producer.join().unwrap();
            assert_eq!(maker.dropped(), 2);
        });
    }
}

mod array {
    use super::*;

    #[test]
    fn two_producers_and_one_consumer_share_one_slot() {
        model_bounded(2, || {
            let maker = Maker::new();
            let queue = Arc::new(ArrayQueue::new(1));
            let producers = [1, 2].map(|number| {
                let (queue, item) = (Arc::clone(&queue), maker.item(number));
                thread::spawn(move || match queue.push(item) {
                    Ok(()) => number,
                    Err(full) => full.into_inner().number() - number,
                })
            });
            let mut out: usize = (0..2).filter_map(|_| queue.pop()).map(|item| item.number()).sum();
            let put: usize = producers.into_iter().map(|producer| producer.join().unwrap()).sum();
            out += queue.pop().map_or(0, |item| item.number());
            assert!(put > 0, "the first of them found the slot empty");
            assert_eq!((out, queue.is_empty(), maker.dropped()), (put, true, 2));
        });
    }

    #[test]
    fn a_place_is_filled_again_after_its_item_has_left() {
        loom::model(|| {
            let maker = Maker::new();
            let queue = Arc::new(ArrayQueue::new(1));
            assert!(queue.push(maker.item(1)).is_ok());
            let consumer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.pop().map(|item| item.number()))
            };
            let refused = queue.push(maker.item(2)).map_err(|full| full.into_inner().number()).err();
            assert_eq!(consumer.join().unwrap(), Some(1));
            let left = queue.pop().map(|item| item.number());
            assert_eq!(left.or(refused), Some(2));
            assert!(left.is_none() || refused.is_none());
            assert_eq!(maker.dropped(), 2);
        });
    }

    #[test]
    fn two_consumers_never_have_the_same_item() {
        model_bounded(3, || {
            let maker = Maker::new();
            let queue = Arc::new(ArrayQueue::new(2));
            assert!(queue.push(maker.item(0)).is_ok());
            let consumer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || queue.pop().map(|item| item.number()))
            };
            let producer = {
                let (queue, item) = (Arc::clone(&queue), maker.item(1));
                thread::spawn(move || assert!(queue.push(item).is_ok()))
            };
            let mine = queue.pop().map(|item| item.number());
            let other = consumer.join().unwrap();
            producer.join().unwrap();
            assert!(mine != other || mine.is_none());
            assert!(mine == Some(0) || other == Some(0), "the first item was there all the time");
            let left = queue.len();
            drop(queue);
            assert_eq!(left + usize::from(mine.is_some()) + usize::from(other.is_some()), 2);
            assert_eq!(maker.dropped(), 2);
        });
    }
}

mod segmented {
    use super::*;

    #[test]
    fn two_producers_and_one_consumer_come_to_the_next_block() {
        model_bounded(2, || {
            let maker = Maker::new();
            let queue = Arc::new(SegmentedQueue::new());
            queue.push(maker.item(0));
            let producers = [1, 2].map(|number| {
                let (queue, item) = (Arc::clone(&queue), maker.item(number));
                thread::spawn(move || queue.push(item))
            });
            // Two, so that one can come before a producer who has drawn the same number.
            let mut seen = Vec::new();
            for _ in 0..2 {
                seen.extend(queue.pop().map(|item| item.number()));
            }
            for producer in producers {
                producer.join().unwrap();
            }
            seen.extend(std::iter::from_fn(|| queue.pop()).map(|item| item.number()));
            assert_eq!(seen[0], 0, "what was there before comes first");
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
            drop(queue);
            assert_eq!(maker.dropped(), 3);
        });
    }

    #[test]
    fn a_consumer_is_in_a_new_block_before_its_producer_has_told_everybody() {
        loom::model(|| {
            let maker = Maker::new();
            let queue = Arc::new(SegmentedQueue::new());
            (0..2).for_each(|number| queue.push(maker.item(number)));
            (0..2).for_each(|number| assert_eq!(queue.pop().map(|item| item.number()), Some(number)));
            let producer = {
                let (queue, item) = (Arc::clone(&queue), maker.item(2));
                thread::spawn(move || queue.push(item))
            };
            let early = queue.pop().map(|item| item.number());
            producer.join().unwrap();
            let late = queue.pop().map(|item| item.number());
            assert_eq!((early.or(late), early.and(late)), (Some(2), None));
            drop(queue);
            assert_eq!(maker.dropped(), 3);
        });
    }

    #[test]
    fn two_consumers_free_a_block_under_each_other() {
        model_bounded(3, || {
            let maker = Maker::new();
            let queue = Arc::new(SegmentedQueue::new());
            (0..3).for_each(|number| queue.push(maker.item(number)));
            let consumer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || [queue.pop(), queue.pop()].map(|item| item.map(|item| item.number())))
            };
            let mine = queue.pop().map(|item| item.number());
            let [first, second] = consumer.join().unwrap();
            let mut seen: Vec<_> = [mine, first, second].into_iter().flatten().collect();
            assert!(first < second);
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
            drop(queue);
            assert_eq!(maker.dropped(), 3);
        });
    }
}

mod stack {
    use super::*;

    #[test]
    fn two_threads_pop_while_one_pushes() {
        model_bounded(2, || {
            let maker = Maker::new();
            let stack = Arc::new(Stack::new());
            stack.push(maker.item(0));
            stack.push(maker.item(1));
            // Takes one out and puts another in: the classic way to bring a freed address back.
            let changer = {
                let (stack, item) = (Arc::clone(&stack), maker.item(2));
                thread::spawn(move || {
                    let taken = stack.pop().map(|item| item.number());
                    stack.push(item);
                    taken
                })
            };
            let popper = {
                let stack = Arc::clone(&stack);
                thread::spawn(move || stack.pop().map(|item| item.number()))
            };
            let mine = stack.pop().map(|item| item.number());
            let mut seen: Vec<_> =
                [mine, changer.join().unwrap(), popper.join().unwrap()].into_iter().flatten().collect();
            seen.extend(stack.take_all().map(|item| item.number()));
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2]);
            drop(stack);
            assert_eq!(maker.dropped(), 3);
        });
    }

    #[test]
    fn all_are_taken_while_one_is_popped() {
        loom::model(|| {
            let maker = Maker::new();
            let stack = Arc::new(Stack::new());
            stack.push(maker.item(0));
            stack.push(maker.item(1));
            let popper = {
                let stack = Arc::clone(&stack);
                thread::spawn(move || stack.pop().map(|item| item.number()))
            };
            let mut seen: Vec<_> = stack.take_all().map(|item| item.number()).collect();
            seen.extend(popper.join().unwrap());
            seen.sort_unstable();
            assert_eq!(seen, [0, 1]);
            drop(stack);
            assert_eq!(maker.dropped(), 2);
        });
    }
}

mod rcu {
    use super::*;

    #[test]
    fn a_value_outlives_its_guard_whoever_replaces_it() {
        model_bounded(3, || {
            let maker = Maker::new();
            let cell = Arc::new(RcuCell::new(maker.item(0)));
            let writer = {
                let (cell, items) = (Arc::clone(&cell), [maker.item(1), maker.item(2)]);
                thread::spawn(move || items.into_iter().for_each(|item| cell.store(item)))
            };
            let first = cell.load();
            let number = first.number();
            let second = cell.load().number();
            assert!(number <= second && second <= 2, "newer ones come later");
            assert_eq!(first.number(), number);
            drop(first);
            writer.join().unwrap();
            assert_eq!(cell.load().number(), 2);
            cell.collect();
            assert_eq!(maker.dropped(), 2, "the old ones are gone");
            drop(cell);
            assert_eq!(maker.dropped(), 3);
        });
    }

    #[test]
    fn no_change_is_lost_between_two_writers() {
        model_bounded(3, || {
            let cell = Arc::new(RcuCell::new(0));
            let other = {
                let cell = Arc::clone(&cell);
                thread::spawn(move || cell.update(|number| number + 1))
            };
            cell.update(|number| number + 1);
            other.join().unwrap();
            assert_eq!(*cell.load(), 2);
        });
    }
}

mod seqlock {
    use super::*;

    #[test]
    fn a_reader_sees_one_write_or_none() {
        loom::model(|| {
            let lock = Arc::new(SeqLock::new([0_u32, 0]));
            let writer = {
                let lock = Arc::clone(&lock);
                thread::spawn(move || [1, 2].map(|number| lock.write([number; 2])))
            };
            let [first, second] = [lock.try_read(), lock.try_read()];
            for [a, b] in [first, second].into_iter().flatten() {
                assert_eq!(a, b);
            }
            assert!(first.is_none() || second.is_none() || first <= second, "newer ones come later");
            writer.join().unwrap();
            assert_eq!(lock.read(), [2, 2]);
        });
    }

    #[test]
    fn two_writers_keep_each_other_out() {
        model_bounded(3, || {
            let lock = Arc::new(SeqLock::new([0_u32, 0]));
            let other = {
                let lock = Arc::clone(&lock);
                thread::spawn(move || lock.update(|[a, b]| [a + 1, b + 1]))
            };
            lock.update(|[a, b]| [a + 1, b + 1]);
            other.join().unwrap();
            assert_eq!(lock.read(), [2, 2]);
        });
    }
}

mod counter {
    use super::*;

    #[test]
    fn what_is_taken_is_counted_once() {
        loom::model(|| {
            let counter = Arc::new(Counter::with_places(2));
            let other = {
                let counter = Arc::clone(&counter);
                thread::spawn(move || [1, 2].map(|amount| counter.add(amount)))
            };
            counter.add(4);
            let taken = counter.take();
            other.join().unwrap();
            assert_eq!(taken + counter.sum(), 7);
        });
    }
}
