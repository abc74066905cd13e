//! The streams of queues are those of `futures-core`.

#![cfg(feature = "stream")]

mod common;

use common::ByHand;
use futures_core::Stream;
use std::future::poll_fn;
use std::pin::pin;
use sync::Queue;
use sync::park::block_on;
use sync::queue::{DelayQueue, Delayed, LifoQueue, mpsc, spsc};

/// As an adapter does: it knows nothing but the trait.
async fn collected<T>(stream: impl Stream<Item = T>) -> Vec<T> {
    let (mut stream, mut items) = (pin!(stream), Vec::new());
    while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        items.push(item);
    }
    items
}

#[test]
fn a_queue_is_collected_until_it_is_closed_and_empty() {
    for queue in [Queue::bounded(1), Queue::bounded(4), Queue::unbounded()] {
        let mut collecting = ByHand::waiting(collected(queue.stream()));
        queue.try_put(1).unwrap();
        assert_eq!((collecting.wakes(), collecting.poll()), (1, None));
        queue.try_put(2).unwrap();
        queue.close();
        assert_eq!(collecting.poll(), Some(vec![1, 2]));
    }
}

#[test]
fn so_are_those_with_an_order_of_their_own() {
    let stack = LifoQueue::unbounded();
    (1..=3).for_each(|number| stack.put(number).unwrap());
    stack.close();
    assert_eq!(block_on(collected(stack.stream())), [3, 2, 1]);
    let later = DelayQueue::unbounded();
    let now = std::time::Instant::now();
    (1..=2).for_each(|number| later.put(Delayed::until(now, number)).unwrap());
    later.close();
    let items: Vec<_> = block_on(collected(later.stream())).into_iter().map(|delayed| delayed.item).collect();
    assert_eq!(items, [1, 2]);
}

#[test]
fn so_are_the_receivers_of_channels() {
    let (mut one, mut from_one) = spsc::bounded(3);
    let (many, mut from_many) = mpsc::bounded(3);
    for number in 1..=3 {
        one.put(number).unwrap();
        many.clone().put(number).unwrap();
    }
    drop((one, many));
    assert_eq!(block_on(collected(from_one.stream())), [1, 2, 3]);
    assert_eq!(block_on(collected(from_many.stream())), [1, 2, 3]);
}
