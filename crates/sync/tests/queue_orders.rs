//! The queues with an order of their own: five ways to wait, closing, counting what is done, and what panics leave.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, Sharp, many};
use std::cell::Cell;
use std::cmp::Ordering;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use sync::catch;
use sync::park::block_on;
use sync::queue::{DelayQueue, Delayed, GetError, LifoQueue, Prioritized, PriorityQueue};

/// The answer of `wait`, which must take at least `SHORT`.
#[track_caller]
fn late<R>(wait: impl FnOnce() -> R) -> R {
    let begin = Instant::now();
    let answer = wait();
    assert!(begin.elapsed() >= SHORT, "it gave up after {:?} already", begin.elapsed());
    answer
}

/// The suite that every queue passes. `$item` makes an item of a number, `$number` the reverse.
macro_rules! five_ways {
    ($name:ident, $queue:ident, $item:expr, $number:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn empty() {
                let queue = $queue::unbounded();
                assert_eq!(queue.try_get().map($number), Err(GetError::Empty));
                assert_eq!(queue.get_timeout(Duration::ZERO).map($number), Err(GetError::TimedOut));
                assert_eq!(late(|| queue.get_timeout(SHORT)).map($number), Err(GetError::TimedOut));
                let answer = late(|| block_on(queue.get_async_timeout(SHORT)));
                assert_eq!(answer.map($number), Err(GetError::TimedOut));
                thread::scope(|scope| {
                    let getters = [
                        scope.spawn(|| queue.get()),
                        scope.spawn(|| queue.get_timeout(LONG)),
                        scope.spawn(|| queue.get_timeout(Duration::MAX)),
                        scope.spawn(|| block_on(queue.get_async())),
                        scope.spawn(|| block_on(queue.get_async_timeout(Duration::MAX))),
                    ];
                    for number in 0..5 {
                        queue.put($item(number)).unwrap();
                    }
                    let mut numbers = getters.map(|getter| getter.join().unwrap().map($number).unwrap());
                    numbers.sort_unstable();
                    assert_eq!(numbers, [0, 1, 2, 3, 4]);
                });
                assert!(queue.is_empty());
            }

            #[test]
            fn full() {
                let queue = $queue::bounded(1);
                queue.put($item(0)).unwrap();
                let refused = queue.try_put($item(1)).unwrap_err();
                assert!(refused.is_full());
                assert_eq!($number(refused.into_inner()), 1);
                let refused = late(|| queue.put_timeout($item(2), SHORT)).unwrap_err();
                assert!(refused.is_timeout());
                assert_eq!($number(refused.into_inner()), 2);
                let refused = late(|| block_on(queue.put_async_timeout($item(3), SHORT))).unwrap_err();
                assert!(refused.is_timeout());
                assert_eq!($number(refused.into_inner()), 3);
                thread::scope(|scope| {
                    scope.spawn(|| queue.put($item(1)).unwrap());
                    scope.spawn(|| queue.put_timeout($item(2), LONG).unwrap());
                    scope.spawn(|| block_on(queue.put_async($item(3))).unwrap());
                    scope.spawn(|| block_on(queue.put_async_timeout($item(4), LONG)).unwrap());
                    let mut numbers: Vec<_> = queue.iter().take(5).map($number).collect();
                    numbers.sort_unstable();
                    assert_eq!(numbers, [0, 1, 2, 3, 4]);
                });
                assert_eq!((queue.len(), queue.capacity()), (0, Some(1)));
            }

            #[test]
            fn closed() {
                let queue = Arc::new($queue::<u32>::bounded(1));
                thread::scope(|scope| {
                    let getters = [
                        scope.spawn(|| queue.get()),
                        scope.spawn(|| queue.get_timeout(LONG)),
                        scope.spawn(|| block_on(queue.get_async())),
                        scope.spawn(|| block_on(queue.get_async_timeout(LONG))),
                    ];
                    drop(queue.close_on_drop());
                    for getter in getters {
                        assert!(getter.join().unwrap().unwrap_err().is_closed());
                    }
                });
                assert!(queue.is_closed());
                let queue = $queue::bounded(1);
                queue.put($item(1)).unwrap();
                thread::scope(|scope| {
                    let putters = [
                        scope.spawn(|| queue.put($item(2))),
                        scope.spawn(|| queue.put_timeout($item(2), LONG)),
                        scope.spawn(|| block_on(queue.put_async($item(2)))),
                        scope.spawn(|| block_on(queue.put_async_timeout($item(2), LONG))),
                    ];
                    queue.close();
                    for putter in putters {
                        let refused = putter.join().unwrap().unwrap_err();
                        assert!(refused.is_closed());
                        assert_eq!($number(refused.into_inner()), 2);
                    }
                });
                assert!(queue.try_put($item(3)).unwrap_err().is_closed());
                assert_eq!(queue.iter().map($number).collect::<Vec<_>>(), [1], "what is inside can be taken");
                assert_eq!(queue.try_get().map($number), Err(GetError::Closed));
            }

            #[test]
            fn shut_down_at_once() {
                let queue = $queue::bounded(3);
                for number in 1..=3 {
                    queue.put($item(number)).unwrap();
                }
                let putter = ByHand::waiting(queue.put_async($item(4)));
                let joiner = ByHand::waiting(queue.join_async());
                let mut left: Vec<_> = queue.close_now().map($number).collect();
                left.sort_unstable();
                assert_eq!(left, [1, 2, 3]);
                assert_eq!(queue.try_get().map($number), Err(GetError::Closed));
                assert!(putter.is_told() && joiner.is_told());
                assert!(queue.unfinished() == 0, "nobody will get what was inside");
            }

            #[test]
            fn drained() {
                let queue = $queue::bounded(2);
                queue.put($item(1)).unwrap();
                queue.put($item(2)).unwrap();
                let mut putter = ByHand::waiting(queue.put_async($item(3)));
                let drained = queue.drain();
                assert_eq!(drained.len(), 2);
                let mut left: Vec<_> = drained.map($number).collect();
                left.sort_unstable();
                assert_eq!(left, [1, 2]);
                assert!(putter.poll().unwrap().is_ok());
                assert_eq!((queue.len(), queue.is_closed(), queue.unfinished()), (1, false, 3));
            }

            #[test]
            fn done() {
                let queue = $queue::unbounded();
                queue.join();
                queue.put($item(1)).unwrap();
                queue.put($item(2)).unwrap();
                assert!(queue.unfinished() > 0);
                assert!(late(|| queue.join_timeout(SHORT)).is_err());
                assert!(late(|| block_on(queue.join_async_timeout(SHORT))).is_err());
                thread::scope(|scope| {
                    scope.spawn(|| queue.join());
                    scope.spawn(|| queue.join_timeout(LONG).unwrap());
                    scope.spawn(|| block_on(queue.join_async()));
                    scope.spawn(|| block_on(queue.join_async_timeout(LONG)).unwrap());
                    for _ in 0..2 {
                        queue.get().unwrap();
                        assert!(queue.unfinished() > 0);
                        queue.task_done();
                    }
                });
                assert!(catch_unwind(AssertUnwindSafe(|| queue.task_done())).is_err());
                assert!(queue.unfinished() == 0);
            }

            #[test]
            fn polled_once_and_dropped() {
                let queue = $queue::bounded(1);
                for _ in 0..many() {
                    drop(ByHand::waiting(queue.get_async()));
                }
                queue.put($item(1)).unwrap();
                for _ in 0..many() {
                    drop(ByHand::waiting(queue.put_async($item(2))));
                }
                let first = ByHand::waiting(queue.put_async($item(2)));
                let mut second = ByHand::waiting(queue.put_async($item(3)));
                queue.get().unwrap();
                drop(first);
                assert!(second.is_told(), "room goes to the next producer");
                assert!(second.poll().unwrap().is_ok());
                queue.get().unwrap();
                let first = ByHand::waiting(queue.get_async());
                let mut second = ByHand::waiting(queue.get_async());
                queue.put($item(4)).unwrap();
                drop(first);
                assert!(second.is_told(), "an item goes to the next consumer");
                assert_eq!(second.poll().unwrap().map($number), Ok(4));
            }

            #[test]
            fn a_waker_that_panics_loses_no_item() {
                let queue = $queue::bounded(1);
                queue.put($item(1)).unwrap();
                let mut bomb = Box::pin(queue.put_async($item(2)));
                assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
                assert_eq!(queue.try_get().map($number), Ok(1));
                let mut bomb = Box::pin(queue.get_async());
                assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
                queue.put($item(3)).unwrap();
                assert_eq!(queue.try_get().map($number), Ok(3));
                // Nor does it make a second panic of one that closes the queue.
                let queue = Arc::new($queue::bounded(1));
                let mut bomb = Box::pin(queue.get_async());
                assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
                drop(queue.close_on_drop());
                assert!(queue.put($item(4)).is_err_and(|refused| refused.is_closed()));
            }
        }
    };
}

fn same(number: u32) -> u32 {
    number
}

/// Due already.
fn due(number: u32) -> Delayed<u32> {
    Delayed::until(Instant::now(), number)
}

fn number_of(delayed: Delayed<u32>) -> u32 {
    delayed.item
}

five_ways!(lifo, LifoQueue, same, same);
five_ways!(priority, PriorityQueue, same, same);
five_ways!(delay, DelayQueue, due, number_of);

#[test]
fn equal_priorities_come_in_the_order_of_putting() {
    let queue = PriorityQueue::unbounded();
    for number in 0..100 {
        queue.put(Prioritized::new(number % 3, number)).unwrap();
    }
    let taken: Vec<_> = queue.drain().map(|entry| (entry.priority, entry.item)).collect();
    assert_eq!(taken.len(), 100);
    assert!(taken.is_sorted(), "{taken:?}");
}

#[test]
fn an_item_is_never_got_before_its_time_whatever_way_it_is_waited_for() {
    let queue = DelayQueue::unbounded();
    type Way = fn(&DelayQueue<u32>) -> Result<Delayed<u32>, GetError>;
    let ways: [Way; 4] = [
        |queue| queue.get(),
        |queue| queue.get_timeout(LONG),
        |queue| block_on(queue.get_async()),
        |queue| block_on(queue.get_async_timeout(LONG)),
    ];
    for way in ways {
        queue.put(Delayed::after(SHORT, 1)).unwrap();
        for early in [queue.try_get(), queue.get_timeout(Duration::from_millis(1))] {
            assert!(early.is_err() || early.is_ok_and(|item| Instant::now() >= item.due));
        }
        if queue.is_empty() {
            // On a machine that took its time.
            continue;
        }
        let item = way(&queue).unwrap();
        assert!(Instant::now() >= item.due);
    }
}

#[test]
fn an_earlier_item_reaches_who_waits_for_a_later_one() {
    let queue = DelayQueue::unbounded();
    queue.put(Delayed::after(LONG, "late")).unwrap();
    thread::scope(|scope| {
        let blocked = scope.spawn(|| queue.get().unwrap().item);
        let awaited = scope.spawn(|| block_on(queue.get_async()).unwrap().item);
        queue.put(Delayed::after(SHORT, "early")).unwrap();
        queue.put(Delayed::after(SHORT, "early")).unwrap();
        assert_eq!((blocked.join().unwrap(), awaited.join().unwrap()), ("early", "early"));
    });
    assert_eq!(queue.len(), 1);
}

#[test]
fn who_leaves_after_an_earlier_item_was_announced_leaves_the_others_awake_for_it() {
    let queue = DelayQueue::unbounded();
    queue.put(Delayed::after(LONG, 1)).unwrap();
    let mut first = ByHand::waiting(queue.get_async());
    let mut second = ByHand::waiting(queue.get_async());
    queue.put(Delayed::until(Instant::now(), 2)).unwrap();
    assert!(first.is_told() && second.is_told());
    drop(first);
    assert_eq!(second.poll().unwrap().unwrap().item, 2);
    first = ByHand::waiting(queue.get_async());
    drop(first);
}

#[test]
fn a_closed_delay_queue_gives_what_is_inside_when_it_is_due() {
    let queue = DelayQueue::unbounded();
    queue.put(Delayed::after(SHORT, 1)).unwrap();
    queue.close();
    let item = queue.get().unwrap();
    assert!(item.item == 1 && Instant::now() >= item.due);
    assert_eq!(queue.get(), Err(GetError::Closed));
}

/// Compares by its number, and panics when it is told to.
#[derive(Debug)]
struct Fragile(u32, #[allow(dead_code, reason = "counted")] Counted);

thread_local! {
    /// So many comparisons go well.
    static COMPARISONS: Cell<u32> = const { Cell::new(u32::MAX) };
}

impl Ord for Fragile {
    fn cmp(&self, other: &Self) -> Ordering {
        match COMPARISONS.get().checked_sub(1) {
            Some(left) => COMPARISONS.set(left),
            None => panic!("a panic that the test asked for"),
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Fragile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Fragile {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Fragile {}

#[test]
fn who_waits_for_what_is_drained_from_a_closed_queue_goes_on_at_once() {
    let queue = DelayQueue::unbounded();
    queue.put(Delayed::after(LONG, 1)).unwrap();
    queue.close();
    let mut consumer = ByHand::waiting(queue.get_async());
    assert_eq!(queue.drain().len(), 1);
    assert!(consumer.is_told());
    assert_eq!(consumer.poll(), Some(Err(GetError::Closed)));
}

#[test]
fn a_comparison_that_panics_leaves_the_queue_as_it_was() {
    let items = Counted::default();
    for length in 0..20 {
        let queue = PriorityQueue::unbounded();
        for number in 0..length {
            // Scrambled.
            queue.put(Fragile(number * 7 % 20, items.clone())).unwrap();
        }
        let mut panics = 0;
        for comparisons in 0..6 {
            COMPARISONS.set(comparisons);
            let put = catch(|| queue.try_put(Fragile(0, items.clone())).is_ok());
            COMPARISONS.set(comparisons);
            let got = catch(|| queue.try_get().map(|item| item.0));
            COMPARISONS.set(u32::MAX);
            panics += u32::from(put.is_err()) + u32::from(got.is_err());
            // What was put or got all the same is evened out.
            match (put, got) {
                (Ok(_), Ok(number)) => assert_eq!(number, Ok(0)),
                (Ok(_), Err(_)) => assert_eq!(queue.get().unwrap().0, 0),
                (Err(_), Ok(Ok(number))) => queue.put(Fragile(number, items.clone())).unwrap(),
                (Err(_), Ok(Err(_)) | Err(_)) => {}
            }
            assert_eq!((queue.len(), items.others()), (length as usize, length as usize));
        }
        assert!(panics > 0 || length < 2);
        let numbers: Vec<_> = queue.drain().map(|item| item.0).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(items.others(), 0);
    }
}

#[test]
fn a_comparison_that_panics_leaves_the_item_to_whoever_keeps_it() {
    let items = Counted::default();
    let queue = PriorityQueue::bounded(2);
    queue.put(Fragile(1, items.clone())).unwrap();
    queue.put(Fragile(2, items.clone())).unwrap();
    let mut item = Some(Fragile(0, items.clone()));
    let mut put = ByHand::waiting(queue.put_from_async(&mut item));
    assert_eq!(queue.get().unwrap().0, 1);
    COMPARISONS.set(0);
    let panicked = catch(|| put.poll().is_some());
    COMPARISONS.set(u32::MAX);
    assert!(panicked.is_err());
    drop(put);
    assert_eq!((item.as_ref().map(|item| item.0), queue.len()), (Some(0), 1));
    assert!(block_on(queue.put_from_async(&mut item)).is_ok() && item.is_none());
    assert_eq!((queue.get().unwrap().0, queue.get().unwrap().0), (0, 2));
    assert_eq!(items.others(), 0);
}

#[test]
fn a_comparison_that_panics_hands_on_what_it_was_told() {
    let items = Counted::default();
    let item = |number| Fragile(number, items.clone());
    let queue = PriorityQueue::unbounded();
    let mut waiting: Vec<_> = (0..4).map(|_| ByHand::waiting(queue.get_async())).collect();
    // Taking one of three needs a comparison.
    for number in 1..=3 {
        queue.put(item(number)).unwrap();
    }
    let told: Vec<_> = waiting.iter().map(ByHand::is_told).collect();
    assert_eq!(told, [true, true, true, false]);
    COMPARISONS.set(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| waiting[0].poll().is_some()));
    COMPARISONS.set(u32::MAX);
    assert!(panicked.is_err());
    assert_eq!(queue.len(), 3);
    assert!(waiting[3].is_told(), "an item is left for which nobody else was told");
    let taken = waiting.drain(1..).map(|mut waiting| waiting.poll().unwrap().unwrap().0);
    assert_eq!(taken.collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(items.others(), 0);
}

/// Panics when it is dropped, once told so.
struct Bad<'a>(&'a Cell<u32>, bool);

impl Drop for Bad<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        if self.1 {
            panic_any(Sharp);
        }
    }
}

#[test]
fn a_destructor_that_panics_keeps_no_other_item_from_being_dropped() {
    let dropped = Cell::new(0);
    let queue = LifoQueue::unbounded();
    for number in 0..5 {
        queue.put(Bad(&dropped, number == 3)).unwrap_or_else(|_| unreachable!("it is open"));
    }
    let payload = catch_unwind(AssertUnwindSafe(|| drop(queue.close_now()))).unwrap_err();
    assert!(payload.is::<Sharp>());
    std::mem::forget(payload);
    assert_eq!(dropped.get(), 5);
    assert!(queue.is_closed() && queue.is_empty());
    assert!(queue.try_get().is_err_and(GetError::is_closed), "the lock is free");
}

#[test]
fn a_queue_drops_what_is_inside() {
    let items = Counted::default();
    let queue = DelayQueue::unbounded();
    for _ in 0..10 {
        queue.put(Delayed::after(LONG, items.clone())).unwrap();
    }
    assert_eq!(items.others(), 10);
    drop(queue);
    assert_eq!(items.others(), 0);
}

static SHARED: PriorityQueue<u32> = PriorityQueue::bounded(3);

#[test]
fn every_item_arrives_once() {
    const ITEMS: u32 = if cfg!(miri) { 12 } else { 300 };
    thread::scope(|scope| {
        let producers = [0, 1].map(|offset| {
            scope.spawn(move || {
                for number in (offset..ITEMS).step_by(2) {
                    if number % 3 == 0 {
                        block_on(SHARED.put_async(number)).unwrap();
                    } else {
                        SHARED.put(number).unwrap();
                    }
                }
            })
        });
        let consumers = [
            scope.spawn(|| SHARED.iter().collect::<Vec<_>>()),
            scope.spawn(|| std::iter::from_fn(|| block_on(SHARED.get_async()).ok()).collect::<Vec<_>>()),
        ];
        for producer in producers {
            producer.join().unwrap();
        }
        SHARED.close();
        let mut all: Vec<_> = consumers.into_iter().flat_map(|consumer| consumer.join().unwrap()).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..ITEMS));
    });
}
