//! The queues of `sync` with an order of their own, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::time::Duration;
use sync::park::block_on;
use sync::queue::{GetError, LifoQueue, Order, PriorityQueue, QueueOf};

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

fn bounded<O: Order<Item = u32> + Send + 'static>(trial: Trial<Ways<Model>, QueueOf<O>>) {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, Operation::Put(item)),
        |item| (Way::Timeout, Operation::Put(item)),
        |item| (Way::AsyncTimeout, Operation::Put(item)),
        |_| (Way::Try, Operation::Get),
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
        |_| (Way::Try, Operation::Len),
    ];
    trial.threads(3, kinds).ending(|_| (Way::Try, Operation::Get)).check();
}

fn closed<O: Order<Item = u32> + Send + 'static>(trial: Trial<Ways<Model>, QueueOf<O>>) {
    let producer: &[Kind<_>] =
        &[|item| (Way::Block, Operation::Put(item)), |item| (Way::Async, Operation::Put(item))];
    let consumer: &[Kind<_>] = &[|_| (Way::Timeout, Operation::Get), |_| (Way::AsyncTimeout, Operation::Get)];
    let closer: &[Kind<_>] = &[|_| (Way::Try, Operation::Close), |_| (Way::Try, Operation::Len)];
    trial
        .threads(1, producer)
        .threads(2, consumer)
        .threads(1, closer)
        .operations(4)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

fn on_queue<O: Order<Item = u32>>(queue: &QueueOf<O>, (way, operation): &(Way, Operation)) -> Response {
    match *operation {
        Operation::Put(item) => {
            let done = match way {
                Way::Try => queue.try_put(item),
                Way::Block => queue.put(item),
                Way::Timeout => queue.put_timeout(item, LIMIT),
                Way::Async => block_on(queue.put_async(item)),
                Way::AsyncTimeout => block_on(queue.put_async_timeout(item, LIMIT)),
            };
            match done {
                Ok(()) => Response::Done,
                Err(refused) => {
                    let response = if refused.is_closed() { Response::Closed } else { Response::Full };
                    assert_eq!(refused.into_inner(), item, "somebody else's item was given back");
                    response
                }
            }
        }
        Operation::Get => {
            let item = match way {
                Way::Try => queue.try_get(),
                Way::Block => queue.get(),
                Way::Timeout => queue.get_timeout(LIMIT),
                Way::Async => block_on(queue.get_async()),
                Way::AsyncTimeout => block_on(queue.get_async_timeout(LIMIT)),
            };
            match item {
                Ok(item) => Response::Got(item),
                Err(GetError::Closed) => Response::Closed,
                Err(_) => Response::Empty,
            }
        }
        Operation::Len => Response::Len(queue.len()),
        Operation::Close => {
            queue.close();
            Response::Done
        }
    }
}
