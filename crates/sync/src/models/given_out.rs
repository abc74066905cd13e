//! What a queue gives out: streams, and handles that close it.

use super::{Plain, block_on, pin, thread};
use crate::Queue;
use crate::queue::LifoQueue;

/// With one place, a queue is of another kind than with more.
const CAPACITIES: [usize; 2] = [1, 2];

/// A queue has dozens of steps, and a stream is one more around each of them.
fn interrupted_twice(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(model);
}

#[test]
fn an_item_put_beside_a_stream_s_look_in_vain_is_given() {
    for capacity in CAPACITIES {
        interrupted_twice(move || {
            let queue = Plain::new(Queue::bounded(capacity));
            let producer = Plain::clone(&queue);
            let producer = thread::spawn(move || producer.put(1).unwrap());
            let item = block_on(async { pin!(queue.stream()).next().await });
            assert_eq!(item, Some(1));
            producer.join().unwrap();
        });
    }
}

#[test]
fn so_it_is_by_the_stream_of_a_queue_with_its_own_order() {
    interrupted_twice(|| {
        let queue = Plain::new(LifoQueue::unbounded());
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || producer.put(1).unwrap());
        assert_eq!(block_on(async { pin!(queue.stream()).next().await }), Some(1));
        producer.join().unwrap();
    });
}

#[test]
fn a_stream_gives_what_was_put_and_ends_when_the_handle_goes() {
    for capacity in CAPACITIES {
        interrupted_twice(move || {
            let queue = Plain::new(Queue::bounded(capacity));
            let producer = queue.close_on_drop();
            let producer = thread::spawn(move || producer.put(1).unwrap());
            block_on(async {
                let mut stream = pin!(queue.stream());
                assert_eq!(stream.as_mut().next().await, Some(1));
                assert_eq!(stream.as_mut().next().await, None);
            });
            producer.join().unwrap();
        });
    }
}

#[test]
fn so_does_the_stream_of_a_queue_with_its_own_order() {
    interrupted_twice(|| {
        let queue = Plain::new(LifoQueue::unbounded());
        let producer = queue.close_on_drop();
        let producer = thread::spawn(move || producer.put(1).unwrap());
        block_on(async {
            let mut stream = pin!(queue.stream());
            assert_eq!(stream.as_mut().next().await, Some(1));
            assert_eq!(stream.as_mut().next().await, None);
        });
        producer.join().unwrap();
    });
}
