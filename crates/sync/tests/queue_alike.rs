//! What all queues can do alike, whatever their order: streams, puts that keep their item, and taking out what is left.

mod common;

use common::{ByHand, Counted, LONG, SHORT, await_waiters, many};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{Buffer, DelayQueue, Delayed, GetError, LifoQueue, Overflow, Prioritized, PriorityQueue};
use sync::{Queue, TimedOut};

/// A thread that has been woken has had a CPU by then.
const SOON: Duration = Duration::from_secs(10);

fn later<T>(item: T) -> Delayed<T> {
    Delayed::after(SHORT, item)
}

fn due<T>(item: T) -> Delayed<T> {
    Delayed::after(Duration::ZERO, item)
}

/// `$bounded` makes a queue for so many, `$item` an item of a number, `$number` a number of an item, `$order` says in which order 0, 1,
/// and 2 come out.
macro_rules! alike {
    ($($name:ident: $bounded:expr, $item:expr, $number:expr, $order:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn a_put_that_is_dropped_leaves_the_item_with_its_owner() {
                let queue = $bounded(1);
                let mut item = Some($item(0));
                assert!(block_on(queue.put_from_async(&mut item)).is_ok());
                assert!(item.is_none(), "it is in");
                item = Some($item(1));
                let mut waiting = ByHand::waiting(queue.put_from_async(&mut item));
                assert!(waiting.poll().is_none());
                drop(waiting);
                assert!(item.is_some(), "it was not put");
                assert_eq!(queue.get().map($number), Ok(0));
                assert!(block_on(queue.put_from_async(&mut item)).is_ok());
                assert_eq!((queue.get().map($number), item.is_none()), (Ok(1), true));
            }

            #[test]
            fn a_put_that_is_told_and_dropped_tells_the_next() {
                let queue = $bounded(1);
                queue.try_put($item(0)).unwrap();
                let (mut first, mut second) = (Some($item(1)), Some($item(2)));
                let one = ByHand::waiting(queue.put_from_async(&mut first));
                let mut other = ByHand::waiting(queue.put_from_async(&mut second));
                assert_eq!(queue.get().map($number), Ok(0));
                assert!(one.is_told());
                drop(one);
                assert!(other.is_told() && other.poll().unwrap().is_ok());
                drop(other);
                assert_eq!((first.is_some(), second.is_some()), (true, false));
            }

            #[test]
            fn a_put_into_what_is_closed_leaves_the_item_too() {
                let queue = $bounded(1);
                queue.try_put($item(0)).unwrap();
                let mut item = Some($item(1));
                let mut waiting = ByHand::waiting(queue.put_from_async(&mut item));
                queue.close();
                assert!(waiting.poll().unwrap().unwrap_err().is_closed());
                drop(waiting);
                assert!(item.is_some());
                let nothing = sync::catch(AssertUnwindSafe(|| block_on(queue.put_from_async(&mut None))));
                assert!(nothing.unwrap_err().to_string().contains("`item` is `None`"));
            }

            #[test]
            fn a_select_whose_put_has_lost_keeps_the_item() {
                let (queue, other) = ($bounded(1), Queue::bounded(1));
                queue.try_put($item(0)).unwrap();
                other.put(7).unwrap();
                let mut item = Some($item(1));
                let won = sync::select! {
                    _done = queue.put_from_async(&mut item) => 0,
                    number = other.get_async() => number.unwrap(),
                };
                assert_eq!((won, item.is_some(), queue.len()), (7, true, 1));
            }

            #[test]
            fn a_stream_gives_all_in_order_and_ends_with_the_queue() {
                let queue = $bounded(3);
                for number in 0..3 {
                    queue.try_put($item(number)).unwrap();
                }
                queue.close();
                let numbers = block_on(async {
                    let (mut stream, mut numbers) = (pin!(queue.stream()), vec![]);
                    while let Some(item) = stream.as_mut().next().await {
                        numbers.push($number(item));
                    }
                    assert!(stream.as_mut().next().await.is_none(), "it has ended");
                    numbers
                });
                assert_eq!(numbers, $order);
            }

            #[test]
            fn a_stream_waits_for_items_and_for_the_end() {
                let queue = $bounded(1);
                let mut stream = pin!(queue.stream());
                let mut next = ByHand::waiting(stream.as_mut().next());
                queue.try_put($item(1)).unwrap();
                assert!(next.is_told());
                assert_eq!(next.poll().unwrap().map($number), Some(1));
                drop(next);
                let mut next = ByHand::waiting(stream.as_mut().next());
                queue.close();
                assert!(next.is_told());
                assert!(next.poll().unwrap().is_none());
            }

            /// The future of `next` is nothing; it is the stream that waits.
            #[test]
            fn a_stream_that_is_told_and_dropped_tells_the_next() {
                let queue = $bounded(1);
                let (mut one, mut other) = (Box::pin(queue.stream()), Box::pin(queue.stream()));
                drop(ByHand::waiting(one.as_mut().next()));
                let mut next = ByHand::waiting(other.as_mut().next());
                queue.try_put($item(1)).unwrap();
                assert_eq!(queue.len(), 1);
                drop(one);
                assert!(next.is_told());
                assert_eq!(next.poll().unwrap().map($number), Some(1));
            }

            #[test]
            fn streams_that_are_polled_and_dropped_leave_nothing() {
                let queue = $bounded(1);
                for _ in 0..many() {
                    let mut stream = pin!(queue.stream());
                    drop(ByHand::waiting(stream.as_mut().next()));
                    let mut item = None;
                    drop(queue.put_from_async(&mut item));
                }
                queue.try_put($item(1)).unwrap();
                assert_eq!(queue.try_iter().map($number).collect::<Vec<_>>(), [1]);
            }

            #[test]
            fn what_is_there_is_taken_without_waiting() {
                let queue = $bounded(3);
                assert_eq!(queue.try_iter().map($number).count(), 0);
                for number in 0..3 {
                    queue.try_put($item(number)).unwrap();
                }
                assert_eq!(queue.try_iter().map($number).collect::<Vec<_>>(), $order);
                assert!(!queue.is_closed());
                for number in 0..3 {
                    queue.try_put($item(number)).unwrap();
                }
                assert_eq!(queue.into_iter().map($number).collect::<Vec<_>>(), $order);
            }

            #[test]
            fn a_loop_waits_for_what_comes_and_ends_when_it_is_closed() {
                let queue = $bounded(3);
                for number in 0..3 {
                    queue.try_put($item(number)).unwrap();
                }
                thread::scope(|scope| {
                    let looping = scope.spawn(|| {
                        let mut numbers = Vec::new();
                        for item in &queue {
                            numbers.push($number(item));
                            queue.task_done();
                        }
                        numbers
                    });
                    queue.join_timeout(SOON).unwrap();
                    queue.put($item(7)).unwrap();
                    queue.join_timeout(SOON).unwrap();
                    queue.close();
                    assert_eq!(looping.join().unwrap(), [&$order[..], &[7]].concat());
                });
            }

            #[test]
            fn what_is_left_when_it_is_closed_now_comes_in_order_and_is_done() {
                let queue = $bounded(3);
                for number in 0..3 {
                    queue.try_put($item(number)).unwrap();
                }
                assert_eq!((queue.unfinished(), queue.join_timeout(Duration::ZERO)), (3, Err(TimedOut)));
                let mut left = queue.close_now();
                assert_eq!((left.len(), queue.len(), queue.unfinished()), (3, 0, 0));
                queue.join();
                block_on(queue.join_async());
                assert_eq!(left.next().map($number), Some($order[0]));
                assert_eq!(left.map($number).collect::<Vec<_>>(), $order[1..]);
                assert_eq!(queue.close_now().len(), 0);
            }
        }
    )*};
}

alike! {
    first_in_first_out: Queue::bounded, |number: u32| number, |number| number, [0, 1, 2];
    last_in_first_out: LifoQueue::bounded, |number: u32| number, |number| number, [2, 1, 0];
    by_priority: PriorityQueue::bounded, |number: u32| Prioritized::new(9 - number, number),
        |item: Prioritized<u32, u32>| item.item, [2, 1, 0];
    by_time: DelayQueue::bounded, |number: u32| due(number), |item: Delayed<u32>| item.item, [0, 1, 2];
    with_a_policy: |places| Buffer::new(places, Overflow::Block), |number: u32| number, |number| number, [0, 1, 2];
}

#[test]
fn a_stream_gives_an_item_when_it_is_due_and_not_before() {
    let queue = DelayQueue::unbounded();
    let begun = Instant::now();
    queue.put(Delayed::after(Duration::from_secs(3600), "much later")).unwrap();
    let mut stream = pin!(queue.stream());
    drop(ByHand::waiting(stream.as_mut().next()));
    // One that comes before what is waited for.
    queue.put(later("soon")).unwrap();
    let item = block_on(stream.as_mut().next()).unwrap();
    assert_eq!(item.item, "soon");
    assert!(begun.elapsed() >= SHORT);
    drop(ByHand::waiting(stream.as_mut().next()));
    assert_eq!(queue.close_now().len(), 1);
    assert!(block_on(stream.next()).is_none(), "what was not due was taken out");
}

#[test]
fn who_has_a_queue_for_himself_takes_what_is_not_due_as_well() {
    let queue = DelayQueue::unbounded();
    let hour = Duration::from_secs(3600);
    queue.put(Delayed::after(2 * hour, 2)).unwrap();
    queue.put(Delayed::after(hour, 1)).unwrap();
    queue.put(due(0)).unwrap();
    let left = queue.into_iter();
    assert_eq!(left.len(), 3);
    assert!(left.map(|item| item.item).eq(0..3));
}

#[test]
fn a_buffer_takes_the_item_only_where_it_does_not_fail() {
    let put = |overflow| {
        let buffer = Buffer::new(1, overflow);
        buffer.put(1).unwrap();
        let mut item = Some(2);
        let displaced = block_on(buffer.put_from_async(&mut item));
        let left = (buffer.try_get().unwrap(), item);
        buffer.close();
        item = Some(3);
        assert!(block_on(buffer.put_from_async(&mut item)).unwrap_err().is_closed());
        assert_eq!(item, Some(3));
        (displaced.map_err(|refused| refused.is_full()), left)
    };
    assert_eq!(put(Overflow::DropOldest), (Ok(Some(1)), (2, None)));
    assert_eq!(put(Overflow::DropNewest), (Ok(Some(2)), (1, None)));
    assert_eq!(put(Overflow::Error), (Err(true), (1, Some(2))));
}

#[test]
fn what_a_buffer_displaces_is_done() {
    let buffer = Buffer::new(1, Overflow::DropOldest);
    assert_eq!((buffer.put(1).unwrap(), buffer.put(2).unwrap()), (None, Some(1)));
    assert_eq!((buffer.unfinished(), buffer.get().unwrap()), (1, 2));
    buffer.task_done();
    buffer.join();
    assert!(block_on(buffer.join_async_timeout(Duration::ZERO)).is_ok());
}

#[test]
fn what_nobody_takes_of_what_was_left_is_dropped_with_it() {
    let witness = Counted::default();
    let queue = Queue::unbounded();
    (0..3).for_each(|_| queue.put(witness.clone()).unwrap());
    let mut left = queue.close_now();
    drop(left.next());
    assert_eq!(witness.others(), 2);
    drop(left);
    assert_eq!(witness.others(), 0);
}

/// One of each design: from hand to hand, with one place, in a ring, and in blocks with a bound and without one.
fn of_each_design() -> [Queue<u32>; 5] {
    [Queue::rendezvous(), Queue::bounded(1), Queue::bounded(2), Queue::bounded(100_000), Queue::unbounded()]
}

#[test]
fn closing_at_once_ends_every_wait_at_a_queue_and_gives_out_what_is_inside() {
    for queue in of_each_design() {
        let places = queue.capacity().filter(|capacity| *capacity <= 2);
        let inside = u32::try_from(places.unwrap_or(2)).unwrap();
        (0..inside).for_each(|number| queue.put(number).unwrap());
        let mut offered = Some(8);
        let mut producers = places.map(|_| {
            (ByHand::waiting(queue.put_async(7)), ByHand::waiting(queue.put_from_async(&mut offered)))
        });
        let mut joiner = (inside > 0).then(|| ByHand::waiting(queue.join_async()));
        thread::scope(|scope| {
            let producer = places.map(|_| {
                let producer = scope.spawn(|| queue.put_timeout(9, LONG));
                await_waiters(&queue, 3);
                producer
            });
            let joining = scope.spawn(|| queue.join_timeout(LONG));
            assert!(queue.close_now().eq(0..inside));
            if let Some(producer) = producer {
                let refused = producer.join().unwrap().unwrap_err();
                assert!(refused.is_closed() && refused.into_inner() == 9);
            }
            assert_eq!(joining.join().unwrap(), Ok(()));
        });
        if let Some((put, offer)) = &mut producers {
            assert!(put.is_told() && offer.is_told());
            assert_eq!(put.poll().unwrap().unwrap_err().into_inner(), 7);
            assert!(offer.poll().unwrap().unwrap_err().is_closed());
        }
        if let Some(joiner) = &mut joiner {
            assert!(joiner.is_told() && joiner.poll().is_some());
        }
        drop(producers);
        assert_eq!((offered, queue.len(), queue.unfinished()), (Some(8), 0, 0));
    }
    for queue in of_each_design() {
        let mut consumer = ByHand::waiting(queue.get_async());
        let mut stream = Box::pin(queue.stream());
        let mut next = ByHand::waiting(stream.as_mut().next());
        thread::scope(|scope| {
            let iterating = scope.spawn(|| queue.iter().next());
            await_waiters(&queue, 3);
            assert_eq!(queue.close_now().len(), 0);
            assert_eq!(iterating.join().unwrap(), None);
        });
        assert!(consumer.is_told() && next.is_told());
        assert_eq!((consumer.poll(), next.poll()), (Some(Err(GetError::Closed)), Some(None)));
    }
}

#[test]
fn a_queue_of_each_design_is_iterated_and_streamed_while_others_put() {
    for queue in of_each_design() {
        let taken = thread::scope(|scope| {
            let producers = [0, 100].map(|first| {
                let queue = &queue;
                scope.spawn(move || (first..first + 20).try_for_each(|number| queue.put(number)).unwrap())
            });
            let iterating = scope.spawn(|| queue.iter().collect::<Vec<_>>());
            let streaming = scope.spawn(|| {
                block_on(async {
                    let (mut stream, mut taken) = (pin!(queue.stream()), Vec::new());
                    while let Some(item) = stream.as_mut().next().await {
                        taken.push(item);
                    }
                    taken
                })
            });
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
            [iterating.join().unwrap(), streaming.join().unwrap()]
        });
        let of = |taken: &[u32], first: u32| -> Vec<u32> {
            taken.iter().copied().filter(|item| item / 100 == first / 100).collect()
        };
        assert!(
            taken.iter().all(|taken| of(taken, 0).is_sorted() && of(taken, 100).is_sorted()),
            "{taken:?}"
        );
        let mut all = taken.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq((0..20).chain(100..120)));
    }
}
