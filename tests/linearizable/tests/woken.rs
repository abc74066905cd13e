//! Who waits is woken. Each wait here is ended by another thread of the scenario, whichever is drawn, so an operation that reaches its
//! limit has lost a wake-up. In other trials it could not be told from one whose time has just passed.

#![forbid(unsafe_code)]

use linearizable::models::meeting::{self, Meeting};
use linearizable::models::permits::{self, Permits};
use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::register::{self, Register};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use sync::extra::{Owner, RLock};
use sync::park::block_on;
use sync::queue::LifoQueue;
use sync::{Barrier, Mutex, MutexGuard, Queue, RwLock, Semaphore, SemaphorePermit};

/// The limit of those who wait with one.
const LIMIT: Duration = Duration::from_secs(4);
/// A thread that has been woken has had a CPU by then.
const SOON: Duration = Duration::from_secs(2);

const PUTS: &[Kind<(Way, Operation)>] = &[
    |item| (Way::Block, Operation::Put(item)),
    |item| (Way::Timeout, Operation::Put(item)),
    |item| (Way::Async, Operation::Put(item)),
    |item| (Way::AsyncTimeout, Operation::Put(item)),
];
const GETS: &[Kind<(Way, Operation)>] = &[
    |_| (Way::Block, Operation::Get),
    |_| (Way::Timeout, Operation::Get),
    |_| (Way::Async, Operation::Get),
    |_| (Way::AsyncTimeout, Operation::Get),
];

#[test]
fn at_queues() {
    for capacity in [1, 2, 3] {
        let trial = || {
            let name = format!("sync::Queue of {capacity}, waited for");
            let model = Ways(Model::fifo().bounded(capacity));
            Trial::new(&name, model, move || Queue::bounded(capacity), on_queue).answered_within(SOON)
        };
        // Who is to get something has put something before.
        trial().rounds(3, &[PUTS, GETS]).check();
        trial().rounds(2, &[PUTS]).rounds(2, &[GETS]).check();
    }
}

/// Each puts and then drains, so there is room again for whoever waits. Of one place, as nobody is to see that a queue drains in steps.
#[test]
fn at_queues_that_are_drained() {
    const DRAINS: &[Kind<(Way, Operation)>] = &[|_| (Way::Try, Operation::Drain)];
    let model = || Ways(Model::fifo().bounded(1));
    Trial::new("sync::Queue of 1, drained", model(), || Queue::bounded(1), on_queue)
        .answered_within(SOON)
        .rounds(3, &[PUTS, DRAINS])
        .check();
    Trial::new("sync::queue::LifoQueue of 1, drained", model(), || LifoQueue::bounded(1), on_stack)
        .answered_within(SOON)
        .rounds(3, &[PUTS, DRAINS])
        .check();
}

#[test]
fn at_a_queue_without_bound() {
    Trial::new("sync::Queue without bound, waited for", Ways(Model::fifo()), Queue::unbounded, on_queue)
        .answered_within(SOON)
        .rounds(1, &[PUTS])
        .rounds(1, &[PUTS, PUTS])
        .rounds(3, &[GETS])
        .check();
}

#[test]
fn at_a_queue_without_places() {
    Trial::new(
        "sync::Queue without places, waited for",
        Ways(Rendezvous::new()),
        Queue::rendezvous,
        on_queue,
    )
    .answered_within(SOON)
    .rounds(2, &[PUTS])
    .rounds(2, &[GETS])
    .check();
}

#[test]
fn at_a_stack() {
    Trial::new(
        "sync::queue::LifoQueue, waited for",
        Ways(Model::lifo().bounded(1)),
        || LifoQueue::bounded(1),
        on_stack,
    )
    .answered_within(SOON)
    .rounds(3, &[PUTS, GETS])
    .check();
}

/// Queues of all kinds have the same operations, by the same names.
macro_rules! perform {
    ($queue:expr, $way:expr, $operation:expr) => {
        match *$operation {
            Operation::Put(item) => {
                let put = match $way {
                    Way::Try => $queue.try_put(item),
                    Way::Block => $queue.put(item),
                    Way::Timeout => $queue.put_timeout(item, LIMIT),
                    Way::Async => block_on($queue.put_async(item)),
                    Way::AsyncTimeout => block_on($queue.put_async_timeout(item, LIMIT)),
                };
                put.map_or(Response::Full, |()| Response::Done)
            }
            Operation::Drain => Response::TakenOut($queue.drain().collect()),
            _ => {
                let item = match $way {
                    Way::Try => $queue.try_get(),
                    Way::Block => $queue.get(),
                    Way::Timeout => $queue.get_timeout(LIMIT),
                    Way::Async => block_on($queue.get_async()),
                    Way::AsyncTimeout => block_on($queue.get_async_timeout(LIMIT)),
                };
                item.map_or(Response::Empty, Response::Got)
            }
        }
    };
}

fn on_queue(queue: &Queue<u32>, (way, operation): &(Way, Operation)) -> Response {
    perform!(queue, way, operation)
}

fn on_stack(queue: &LifoQueue<u32>, (way, operation): &(Way, Operation)) -> Response {
    perform!(queue, way, operation)
}

/// Locks are given back by whoever has them, in the same operation.
const UNDER_LOCK: &[Kind<(Way, register::Operation)>] = &[
    |_| (Way::Block, register::Operation::Add(1)),
    |_| (Way::Timeout, register::Operation::Add(1)),
    |value| (Way::Async, register::Operation::Swap(value)),
    |value| (Way::AsyncTimeout, register::Operation::Swap(value)),
    |_| (Way::Block, register::Operation::Read),
    |_| (Way::AsyncTimeout, register::Operation::Read),
    |_| (Way::Try, register::Operation::Add(1)),
];

fn locked<S: Send + Sync + 'static>(
    name: &str,
    make: fn() -> S,
    perform: fn(&S, &(Way, register::Operation)) -> register::Response,
) {
    Trial::new(name, Ways(Register::new(0)), make, perform)
        .threads(3, UNDER_LOCK)
        .ending(|_| (Way::Block, register::Operation::Read))
        .answered_within(SOON)
        .check();
}

fn change(value: &mut u32, operation: register::Operation) -> register::Response {
    let before = *value;
    match operation {
        register::Operation::Read => {}
        register::Operation::Write(new) | register::Operation::Swap(new) => *value = new,
        register::Operation::Add(more) => *value += more,
    }
    // Long enough for another one to come.
    (0..20).for_each(|_| std::hint::spin_loop());
    register::Response::Value(before)
}

#[test]
fn at_a_mutex() {
    locked(
        "sync::Mutex, waited for",
        || Mutex::new(0),
        |mutex, (way, operation)| {
            let guard = match way {
                Way::Try => mutex.try_lock(),
                Way::Block => Some(mutex.lock()),
                Way::Timeout => mutex.lock_timeout(LIMIT).ok(),
                Way::Async => Some(block_on(mutex.lock_async())),
                Way::AsyncTimeout => block_on(mutex.lock_async_timeout(LIMIT)).ok(),
            };
            guard.map_or(register::Response::Refused, |mut value| change(&mut value, *operation))
        },
    );
}

#[test]
fn at_a_mutex_whose_guards_own_it() {
    locked(
        "sync::Mutex in an Arc, waited for",
        || Arc::new(Mutex::new(0)),
        |mutex, (way, operation)| {
            let guard = match way {
                Way::Try => mutex.try_lock_arc(),
                Way::Block => Some(mutex.lock_arc()),
                Way::Timeout => mutex.lock_arc_timeout(LIMIT).ok(),
                Way::Async => Some(block_on(mutex.lock_arc_async())),
                Way::AsyncTimeout => block_on(mutex.lock_arc_async_timeout(LIMIT)).ok(),
            };
            guard.map_or(register::Response::Refused, |mut value| change(&mut value, *operation))
        },
    );
}

/// A queue as one builds it from a mutex alone.
#[test]
fn at_a_mutex_with_a_condition() {
    type Items = Mutex<VecDeque<u32>>;
    fn when(
        items: &Items,
        way: Way,
        condition: fn(&VecDeque<u32>) -> bool,
    ) -> Option<MutexGuard<'_, VecDeque<u32>>> {
        match way {
            Way::Try => items.try_when(condition),
            Way::Block => Some(items.when(condition)),
            Way::Timeout => items.when_timeout(condition, LIMIT).ok(),
            Way::Async => Some(block_on(items.when_async(condition))),
            Way::AsyncTimeout => block_on(items.when_async_timeout(condition, LIMIT)).ok(),
        }
    }
    let perform = |items: &Items, (way, operation): &(Way, Operation)| match *operation {
        Operation::Put(item) => when(items, *way, VecDeque::is_empty).map_or(Response::Full, |mut items| {
            items.push_back(item);
            Response::Done
        }),
        _ => when(items, *way, |items| !items.is_empty())
            .and_then(|mut items| items.pop_front())
            .map_or(Response::Empty, Response::Got),
    };
    let trial = || {
        let model = Ways(Model::fifo().bounded(1));
        Trial::new("a queue with sync::Mutex::when, waited for", model, Items::default, perform)
            .answered_within(SOON)
    };
    trial().rounds(3, &[PUTS, GETS]).check();
    trial().rounds(2, &[PUTS]).rounds(2, &[GETS]).check();
}

#[test]
fn at_an_rwlock() {
    locked(
        "sync::RwLock, waited for",
        || RwLock::new(0),
        |lock, (way, operation)| {
            if let register::Operation::Read = operation {
                let guard = match way {
                    Way::Try => lock.try_read(),
                    Way::Block => Some(lock.read()),
                    Way::Timeout => lock.read_timeout(LIMIT).ok(),
                    Way::Async => Some(block_on(lock.read_async())),
                    Way::AsyncTimeout => block_on(lock.read_async_timeout(LIMIT)).ok(),
                };
                return guard
                    .map_or(register::Response::Refused, |value| change(&mut value.clone(), *operation));
            }
            let guard = match way {
                Way::Try => lock.try_write(),
                Way::Block => Some(lock.write()),
                Way::Timeout => lock.write_timeout(LIMIT).ok(),
                Way::Async => Some(block_on(lock.write_async())),
                Way::AsyncTimeout => block_on(lock.write_async_timeout(LIMIT)).ok(),
            };
            guard.map_or(register::Response::Refused, |mut value| change(&mut value, *operation))
        },
    );
}

/// Taken twice by each, as it is there for.
#[test]
fn at_a_lock_that_its_owner_may_take_again() {
    fn twice(lock: &RLock<std::cell::Cell<u32>>, operation: register::Operation) -> register::Response {
        let again = lock.try_lock().expect("the owner may take it again");
        let mut value = again.get();
        let response = change(&mut value, operation);
        again.set(value);
        response
    }
    locked(
        "sync::extra::RLock, waited for",
        || RLock::new(std::cell::Cell::new(0)),
        |lock, (way, operation)| {
            let done = match way {
                Way::Try => lock.try_lock().map(|_guard| twice(lock, *operation)),
                Way::Block => Some(lock.lock()).map(|_guard| twice(lock, *operation)),
                Way::Timeout => lock.lock_timeout(LIMIT).ok().map(|_guard| twice(lock, *operation)),
                Way::Async => block_on(Owner::new().task(async {
                    let _guard = lock.lock_async().await;
                    Some(twice(lock, *operation))
                })),
                Way::AsyncTimeout => block_on(Owner::new().task(async {
                    let _guard = lock.lock_async_timeout(LIMIT).await.ok()?;
                    Some(twice(lock, *operation))
                })),
            };
            done.unwrap_or(register::Response::Refused)
        },
    );
}

#[test]
fn at_a_semaphore() {
    use permits::Operation::{Acquire, Free, Release};
    let acquire: &[Kind<_>] = &[
        |_| (Way::Block, Acquire(1)),
        |_| (Way::Timeout, Acquire(1)),
        |_| (Way::Async, Acquire(1)),
        |_| (Way::AsyncTimeout, Acquire(1)),
    ];
    let release: &[Kind<_>] = &[|_| (Way::Try, Release(1))];
    for permits in [1, 2] {
        let perform = |semaphore: &Semaphore, (way, operation): &(Way, permits::Operation)| {
            match *operation {
                Free => return permits::Response::Count(semaphore.available()),
                Release(count) => {
                    semaphore.release(count);
                    return permits::Response::Done;
                }
                Acquire(_) => {}
            }
            let permit = match way {
                Way::Try => semaphore.try_acquire(),
                Way::Block => semaphore.acquire(),
                Way::Timeout => semaphore.acquire_timeout(LIMIT),
                Way::Async => block_on(semaphore.acquire_async()),
                Way::AsyncTimeout => block_on(semaphore.acquire_async_timeout(LIMIT)),
            };
            let taken = permit.map(SemaphorePermit::forget).is_ok();
            if taken { permits::Response::Done } else { permits::Response::Refused }
        };
        let model = Ways(Permits::new(permits));
        Trial::new("sync::Semaphore, waited for", model, move || Semaphore::new(permits), perform)
            .rounds(3, &[acquire, release])
            .ending(|_| (Way::Try, Free))
            .answered_within(SOON)
            .check();
    }
}

#[test]
fn at_a_barrier() {
    let meet: &[Kind<_>] = &[
        |_| (Way::Block, meeting::Operation::Meet),
        |_| (Way::Timeout, meeting::Operation::Meet),
        |_| (Way::Async, meeting::Operation::Meet),
        |_| (Way::AsyncTimeout, meeting::Operation::Meet),
    ];
    let perform = |barrier: &Barrier, (way, _): &(Way, meeting::Operation)| {
        let met = match way {
            Way::Try => barrier.try_wait(),
            Way::Block => barrier.wait(),
            Way::Timeout => barrier.wait_timeout(LIMIT),
            Way::Async => block_on(barrier.wait_async()),
            Way::AsyncTimeout => block_on(barrier.wait_async_timeout(LIMIT)),
        };
        met.map_or(meeting::Response::NotAll, |place| meeting::Response::Through {
            place: place.index(),
            leads: place.is_leader(),
        })
    };
    Trial::new("sync::Barrier, waited for", Ways(Meeting::of(3)), || Barrier::new(3), perform)
        .rounds(3, &[meet])
        .answered_within(SOON)
        .check();
}
