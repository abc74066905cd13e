//! Queues whose items are to be done: `task_done`, `join` and `unfinished`, beside those who put and get.

#![forbid(unsafe_code)]

use linearizable::models::queue::{self, Queue as Model};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::models::unfinished::{Operation, Response, Unfinished};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use sync::Queue;
use sync::park::block_on;
use sync::queue::{Buffer, GetError, LifoQueue, Overflow};

/// Who waits with a limit for what may never come: long enough to park, short enough to time out often.
const SHORT: Duration = Duration::from_micros(20);
/// The limit of those who wait for what another thread soon ends.
const LONG: Duration = Duration::from_secs(4);
/// A thread that has been woken has had a CPU by then.
const SOON: Duration = Duration::from_secs(2);

const PUTS: [Kind<(Way, Operation)>; 3] = [
    |item| (Way::Try, Operation::Queue(queue::Operation::Put(item))),
    |item| (Way::Timeout, Operation::Queue(queue::Operation::Put(item))),
    |item| (Way::AsyncTimeout, Operation::Queue(queue::Operation::Put(item))),
];
const GETS: [Kind<(Way, Operation)>; 3] = [
    |_| (Way::Try, Operation::Queue(queue::Operation::Get)),
    |_| (Way::Timeout, Operation::Queue(queue::Operation::Get)),
    |_| (Way::AsyncTimeout, Operation::Queue(queue::Operation::Get)),
];
const FINISH: Kind<(Way, Operation)> = |_| (Way::Try, Operation::Finish);
const COUNT: Kind<(Way, Operation)> = |_| (Way::Try, Operation::Count);
const JOINS: [Kind<(Way, Operation)>; 3] = [
    |_| (Way::Try, Operation::Join),
    |_| (Way::Timeout, Operation::Join),
    |_| (Way::AsyncTimeout, Operation::Join),
];

/// A queue, and how many items were taken out of it that nobody has said to be done.
struct Shop<Q> {
    queue: Q,
    taken: AtomicUsize,
    /// Of those who wait with one.
    limit: Duration,
}

impl<Q> Shop<Q> {
    fn new(queue: Q, limit: Duration) -> Self {
        Shop { queue, taken: AtomicUsize::new(0), limit }
    }
}

#[test]
fn a_queue_is_joined_when_all_that_was_put_is_done() {
    for capacity in [1, 2] {
        let name = format!("sync::Queue bounded by {capacity}, joined");
        let make = move || Shop::new(Queue::bounded(capacity), SHORT);
        joined(Trial::new(&name, shop_of(Model::fifo().bounded(capacity)), make, on_queue));
    }
    let make = || Shop::new(Queue::unbounded(), SHORT);
    joined(Trial::new("sync::Queue without bound, joined", shop_of(Model::fifo()), make, on_queue));
}

#[test]
fn so_is_one_without_places() {
    let make = || Shop::new(Queue::rendezvous(), SHORT);
    // Not `try_put`: what that leaves to a task that waits, another consumer may take who comes later.
    let producer = [PUTS[1], PUTS[2]];
    Trial::new("sync::Queue without places, joined", shop_of(Rendezvous::new()), make, on_queue)
        .threads(1, &producer)
        .threads(2, &[GETS[0], GETS[1], GETS[2], FINISH, FINISH, JOINS[0]])
        .threads(1, &[JOINS[0], JOINS[1], JOINS[2], COUNT])
        .ending(COUNT)
        .wanting("a join that ended", |answer| *answer == Response::Done)
        .check();
}

#[test]
fn so_is_a_stack_that_is_drained_and_closed_at_once() {
    let drain: Kind<_> = |_| (Way::Try, Operation::Queue(queue::Operation::Drain));
    let close_now: Kind<_> = |_| (Way::Try, Operation::Queue(queue::Operation::CloseNow));
    let make = || Shop::new(LifoQueue::bounded(2), SHORT);
    let trial =
        || Trial::new("sync::queue::LifoQueue, joined", shop_of(Model::lifo().bounded(2)), make, on_stack);
    joined(trial());
    joined(trial().threads(1, &[drain, FINISH, FINISH, close_now]).operations(4));
}

#[test]
fn so_is_a_buffer() {
    let make = || Shop::new(Buffer::new(2, Overflow::Block), SHORT);
    joined(Trial::new("sync::queue::Buffer, joined", shop_of(Model::fifo().bounded(2)), make, on_buffer));
}

/// Each thread takes an item and says that it is done for each that it puts, and only then waits for all to be done. So each wait ends.
#[test]
fn who_waits_for_all_to_be_done_is_woken() {
    let waits: &[Kind<_>] = &[
        |_| (Way::Block, Operation::Join),
        |_| (Way::Timeout, Operation::Join),
        |_| (Way::Async, Operation::Join),
        |_| (Way::AsyncTimeout, Operation::Join),
    ];
    let put: &[Kind<_>] = &[|item| (Way::Block, Operation::Queue(queue::Operation::Put(item)))];
    let get: &[Kind<_>] = &[|_| (Way::Block, Operation::Queue(queue::Operation::Get))];
    let rounds: &[&[Kind<_>]] = &[put, get, &[FINISH], waits];
    let make = || Shop::new(Queue::bounded(1), LONG);
    Trial::new("sync::Queue, whose joiners wait", shop_of(Model::fifo().bounded(1)), make, on_queue)
        .answered_within(SOON)
        .rounds(3, rounds)
        .operations(8)
        .check();
    let make = || Shop::new(LifoQueue::bounded(1), LONG);
    Trial::new(
        "sync::queue::LifoQueue, whose joiners wait",
        shop_of(Model::lifo().bounded(1)),
        make,
        on_stack,
    )
    .answered_within(SOON)
    .rounds(3, rounds)
    .operations(8)
    .check();
}

fn shop_of<M>(queue: M) -> Ways<Unfinished<M>> {
    Ways(Unfinished::of(queue))
}

fn joined<Q: Send + Sync + 'static>(trial: Trial<Ways<Unfinished<Model>>, Shop<Q>>) {
    trial
        .threads(1, &PUTS)
        .threads(2, &[GETS[0], GETS[1], GETS[2], FINISH, FINISH, JOINS[0]])
        .threads(1, &[JOINS[0], JOINS[1], JOINS[2], COUNT])
        .ending(COUNT)
        .wanting("an item that was done, or a join that ended", |answer| *answer == Response::Done)
        .wanting("a join that was in vain", |answer| *answer == Response::SomeAreLeft)
        .wanting("a count of some", |answer| matches!(answer, Response::Left(1..)))
        .check();
}

/// The queues have the same operations, by the same names.
macro_rules! perform {
    ($shop:expr, $way:expr, $operation:expr) => {{
        let shop = $shop;
        let (queue, taken) = (&shop.queue, &shop.taken);
        match *$operation {
            Operation::Queue(queue::Operation::Put(item)) => {
                let put = match $way {
                    Way::Try => queue.try_put(item),
                    Way::Timeout => queue.put_timeout(item, shop.limit),
                    Way::AsyncTimeout => block_on(queue.put_async_timeout(item, shop.limit)),
                    Way::Block | Way::Async => queue.put(item),
                };
                Response::Queue(match put {
                    Ok(_) => queue::Response::Done,
                    Err(refused) if refused.is_closed() => queue::Response::Closed,
                    Err(_) => queue::Response::Full,
                })
            }
            Operation::Queue(queue::Operation::Get) => {
                let got = match $way {
                    Way::Try => queue.try_get(),
                    Way::Timeout => queue.get_timeout(shop.limit),
                    Way::AsyncTimeout => block_on(queue.get_async_timeout(shop.limit)),
                    Way::Block | Way::Async => queue.get(),
                };
                Response::Queue(match got {
                    Ok(item) => {
                        taken.fetch_add(1, SeqCst);
                        queue::Response::Got(item)
                    }
                    Err(GetError::Closed) => queue::Response::Closed,
                    Err(_) => queue::Response::Empty,
                })
            }
            Operation::Queue(queue::Operation::CloseNow) => {
                Response::Queue(queue::Response::TakenOut(queue.close_now().collect()))
            }
            Operation::Queue(_) => {
                let items: Vec<_> = queue.drain().collect();
                taken.fetch_add(items.len(), SeqCst);
                Response::Queue(queue::Response::TakenOut(items))
            }
            Operation::Finish => {
                if taken.fetch_update(SeqCst, SeqCst, |taken| taken.checked_sub(1)).is_err() {
                    return Response::NothingTaken;
                }
                queue.task_done();
                Response::Done
            }
            Operation::Join => {
                let joined = match $way {
                    Way::Try => queue.join_timeout(Duration::ZERO),
                    Way::Timeout => queue.join_timeout(shop.limit),
                    Way::AsyncTimeout => block_on(queue.join_async_timeout(shop.limit)),
                    Way::Block => Ok(queue.join()),
                    Way::Async => Ok(block_on(queue.join_async())),
                };
                joined.map_or(Response::SomeAreLeft, |()| Response::Done)
            }
            Operation::Count => Response::Left(queue.unfinished()),
        }
    }};
}

fn on_queue(shop: &Shop<Queue<u32>>, (way, operation): &(Way, Operation)) -> Response {
    perform!(shop, way, operation)
}

fn on_stack(shop: &Shop<LifoQueue<u32>>, (way, operation): &(Way, Operation)) -> Response {
    perform!(shop, way, operation)
}

fn on_buffer(shop: &Shop<Buffer<u32>>, (way, operation): &(Way, Operation)) -> Response {
    perform!(shop, way, operation)
}
