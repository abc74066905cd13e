//! What all queues can do alike, whatever their order: streams, puts that keep their item, and taking out what is left.

mod common;

use common::{ByHand, Counted, SHORT, many};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{Buffer, DelayQueue, Delayed, LifoQueue, Overflow, Prioritized, PriorityQueue};
use sync::{Queue, TimedOut};

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
