//! The queues of `sync` with an order of their own, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{
    Buffer, DelayQueue, Delayed, GetError, LifoQueue, Order, Overflow, PriorityQueue, QueueOf,
};

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

#[test]
fn a_stack_with_two_places() {
    let model = Ways(Model::lifo().bounded(2));
    bounded(Trial::new("sync::LifoQueue", model, || LifoQueue::bounded(2), on_queue));
}

#[test]
fn the_smallest_first_with_two_places() {
    let model = Ways(Model::smallest_first().bounded(2));
    bounded(Trial::new("sync::PriorityQueue", model, || PriorityQueue::bounded(2), on_queue));
}

#[test]
fn a_stack_that_is_closed() {
    let model = Ways(Model::lifo());
    closed(Trial::new("sync::LifoQueue, closed", model, LifoQueue::unbounded, on_queue));
}

#[test]
fn the_smallest_first_until_it_is_closed() {
    let model = Ways(Model::smallest_first());
    closed(Trial::new("sync::PriorityQueue, closed", model, PriorityQueue::unbounded, on_queue));
}

#[test]
fn the_first_due_with_two_places() {
    let model = Ways(Model::smallest_first().bounded(2));
    bounded(Trial::new("sync::DelayQueue", model, || DelayQueue::bounded(2), on_delays));
}

#[test]
fn the_first_due_until_it_is_closed() {
    let model = Ways(Model::smallest_first());
    closed(Trial::new("sync::DelayQueue, closed", model, DelayQueue::unbounded, on_delays));
}

#[test]
fn a_buffer_with_two_places() {
    let model = Ways(Model::fifo().bounded(2));
    bounded(Trial::new("sync::Buffer", model, || Buffer::new(2, Overflow::Block), on_buffer));
}

#[test]
fn a_buffer_that_refuses_what_is_too_much() {
    let model = Ways(Model::fifo().bounded(1));
    bounded(Trial::new("sync::Buffer, refusing", model, || Buffer::new(1, Overflow::Error), on_buffer));
}

#[test]
fn a_buffer_that_drops_the_oldest() {
    let model = Ways(Model::fifo().bounded(2).giving_back_the_next());
    bounded(Trial::new(
        "sync::Buffer, the last two",
        model,
        || Buffer::new(2, Overflow::DropOldest),
        on_buffer,
    ));
}

#[test]
fn a_buffer_that_drops_the_newest() {
    let model = Ways(Model::fifo().bounded(2).giving_back_the_new());
    bounded(Trial::new(
        "sync::Buffer, the first two",
        model,
        || Buffer::new(2, Overflow::DropNewest),
        on_buffer,
    ));
}

#[test]
fn a_buffer_that_is_closed() {
    let model = Ways(Model::fifo().bounded(100));
    closed(Trial::new("sync::Buffer, closed", model, || Buffer::new(100, Overflow::Block), on_buffer));
}

fn bounded<Q: Send + Sync + 'static>(trial: Trial<Ways<Model>, Q>) {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, Operation::Put(item)),
        |item| (Way::Timeout, Operation::Put(item)),
        |item| (Way::AsyncTimeout, Operation::Put(item)),
        |_| (Way::Try, Operation::Get),
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
        |_| (Way::Try, Operation::Drain),
        |_| (Way::Try, Operation::Len),
    ];
    trial.threads(3, kinds).ending(|_| (Way::Try, Operation::Get)).check();
}

fn closed<Q: Send + Sync + 'static>(trial: Trial<Ways<Model>, Q>) {
    let producer: &[Kind<_>] =
        &[|item| (Way::Block, Operation::Put(item)), |item| (Way::Async, Operation::Put(item))];
    let consumer: &[Kind<_>] = &[|_| (Way::Timeout, Operation::Get), |_| (Way::AsyncTimeout, Operation::Get)];
    let closer: &[Kind<_>] = &[
        |_| (Way::Try, Operation::Close),
        |_| (Way::Try, Operation::CloseNow),
        |_| (Way::Try, Operation::Drain),
        |_| (Way::Try, Operation::Len),
        |_| (Way::Try, Operation::Len),
    ];
    trial
        .threads(1, producer)
        .threads(2, consumer)
        .threads(1, closer)
        .operations(4)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

/// What is done on each of them, which have the same ways; what goes in and comes out is made of a number and is one.
macro_rules! on {
    ($queue:ident, $way:ident, $operation:ident, $item:expr, $number:expr, $done:expr) => {
        match *$operation {
            Operation::Put(item) => {
                let done = match $way {
                    Way::Try => $queue.try_put($item(item)),
                    Way::Block => $queue.put($item(item)),
                    Way::Timeout => $queue.put_timeout($item(item), LIMIT),
                    Way::Async => block_on($queue.put_async($item(item))),
                    Way::AsyncTimeout => block_on($queue.put_async_timeout($item(item), LIMIT)),
                };
                match done {
                    Ok(done) => $done(done),
                    Err(refused) => {
                        let response = if refused.is_closed() { Response::Closed } else { Response::Full };
                        assert_eq!(
                            $number(refused.into_inner()),
                            item,
                            "somebody else's item was given back"
                        );
                        response
                    }
                }
            }
            Operation::Get => {
                let item = match $way {
                    Way::Try => $queue.try_get(),
                    Way::Block => $queue.get(),
                    Way::Timeout => $queue.get_timeout(LIMIT),
                    Way::Async => block_on($queue.get_async()),
                    Way::AsyncTimeout => block_on($queue.get_async_timeout(LIMIT)),
                };
                match item {
                    Ok(item) => Response::Got($number(item)),
                    Err(GetError::Closed) => Response::Closed,
                    Err(_) => Response::Empty,
                }
            }
            Operation::Len => Response::Len($queue.len()),
            Operation::Drain => Response::TakenOut($queue.drain().map($number).collect()),
            Operation::Close => {
                $queue.close();
                Response::Done
            }
            Operation::CloseNow => Response::TakenOut($queue.close_now().map($number).collect()),
        }
    };
}

fn on_queue<O: Order<Item = u32>>(queue: &QueueOf<O>, (way, operation): &(Way, Operation)) -> Response {
    on!(queue, way, operation, |item| item, |item| item, |()| Response::Done)
}

/// Nothing here waits for the clock: all of it is due, the smaller since longer ago.
fn on_delays(queue: &DelayQueue<u32>, (way, operation): &(Way, Operation)) -> Response {
    static DUE: LazyLock<Instant> = LazyLock::new(Instant::now);
    let began = *DUE;
    let due = |item: u32| Delayed::until(began - Duration::from_micros(u64::from(1_000 - item)), item);
    on!(queue, way, operation, due, |delayed: Delayed<u32>| delayed.item, |()| Response::Done)
}

fn on_buffer(buffer: &Buffer<u32>, (way, operation): &(Way, Operation)) -> Response {
    let done = |back: Option<u32>| back.map_or(Response::Done, Response::GivenBack);
    on!(buffer, way, operation, |item| item, |item| item, done)
}
