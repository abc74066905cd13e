//! The structures of `sync` that wait, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::flag::{self, Flag};
use linearizable::models::permits::{self, Permits};
use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::register::{self, Register};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::models::ways::{Doors, Way, Ways};
use linearizable::{Kind, Trial};
use std::hint;
use std::sync::Arc;
use std::time::Duration;
use sync::park::block_on;
use sync::queue::{GetError, PutError};
use sync::{Event, Mutex, Queue, Semaphore, SemaphorePermit};

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

#[test]
fn a_queue_with_one_place() {
    bounded_queue(1).check();
}

#[test]
fn a_queue_with_two_places() {
    bounded_queue(2).check();
}

#[test]
fn a_queue_without_bound() {
    // There is always room, so even a producer that waits as long as it takes is done at once.
    let kinds: &[Kind<_>] = &[
        |item| (Way::Block, Operation::Put(item)),
        |item| (Way::Async, Operation::Put(item)),
        |_| (Way::Try, Operation::Get),
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::Try, Operation::Len),
    ];
    Trial::new("sync::Queue without bound", Ways(Model::fifo()), Queue::unbounded, on_queue)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

#[test]
fn a_queue_that_is_closed() {
    let producer: &[Kind<_>] =
        &[|item| (Way::Try, Operation::Put(item)), |item| (Way::Timeout, Operation::Put(item))];
    let consumer: &[Kind<_>] = &[|_| (Way::Try, Operation::Get), |_| (Way::AsyncTimeout, Operation::Get)];
    let closer: &[Kind<_>] = &[|_| (Way::Try, Operation::Close), |_| (Way::Try, Operation::Len)];
    Trial::new("sync::Queue, closed", Ways(Model::fifo().bounded(2)), || Queue::bounded(2), on_queue)
        .threads(1, producer)
        .threads(2, consumer)
        .threads(1, closer)
        .operations(4)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

/// Items are taken out one by one, so beside another consumer, or where a producer sees the room that they leave, this is no one step.
#[test]
fn a_queue_that_its_only_consumer_drains() {
    let producer: &[Kind<_>] = &[|item| (Way::Block, Operation::Put(item))];
    let consumer: &[Kind<_>] = &[
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
        |_| (Way::Try, Operation::Drain),
        |_| (Way::Try, Operation::Drain),
        |_| (Way::Try, Operation::Len),
    ];
    Trial::new("sync::Queue, drained", Ways(Model::fifo()), Queue::unbounded, on_queue)
        .threads(2, producer)
        .threads(1, consumer)
        .ending(|_| (Way::Try, Operation::Drain))
        .wanting(
            "several items at once",
            |answer| matches!(answer, Response::TakenOut(items) if items.len() > 1),
        )
        .check();
}

#[test]
fn a_queue_that_its_only_consumer_closes_at_once() {
    let consumer: &[Kind<_>] = &[
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
        |_| (Way::Try, Operation::CloseNow),
    ];
    for capacity in [1, 2] {
        let name = format!("sync::Queue bounded by {capacity}, closed at once");
        let model = Ways(Model::fifo().bounded(capacity));
        Trial::new(&name, model, move || Queue::bounded(capacity), on_queue)
            .threads(2, &PUTS)
            .threads(1, consumer)
            .operations(4)
            .ending(|_| (Way::Try, Operation::Get))
            .wanting(
                "an item that was left",
                |answer| matches!(answer, Response::TakenOut(items) if !items.is_empty()),
            )
            .check();
    }
}

fn bounded_queue(capacity: usize) -> Trial<Ways<Model>, Queue<u32>> {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, Operation::Put(item)),
        |item| (Way::Timeout, Operation::Put(item)),
        |item| (Way::AsyncTimeout, Operation::Put(item)),
        |_| (Way::Try, Operation::Get),
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
    ];
    let name = format!("sync::Queue bounded by {capacity}");
    Trial::new(&name, Ways(Model::fifo().bounded(capacity)), move || Queue::bounded(capacity), on_queue)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Operation::Get))
}

/// Who waits for a partner without end in sight takes no part: trials end.
const PUTS: [Kind<(Way, Operation)>; 3] = [
    |item| (Way::Try, Operation::Put(item)),
    |item| (Way::Timeout, Operation::Put(item)),
    |item| (Way::AsyncTimeout, Operation::Put(item)),
];
const GETS: [Kind<(Way, Operation)>; 3] = [
    |_| (Way::Try, Operation::Get),
    |_| (Way::Timeout, Operation::Get),
    |_| (Way::AsyncTimeout, Operation::Get),
];

#[test]
fn a_queue_without_places_between_threads() {
    rendezvous("between threads", Rendezvous::new(), &[PUTS[0], PUTS[1], PUTS[2], GETS[0], GETS[1]]);
}

#[test]
fn a_queue_without_places_in_which_producers_wait() {
    rendezvous("whose producers wait", Rendezvous::new(), &[PUTS[1], PUTS[2], GETS[0], GETS[1], GETS[2]]);
}

#[test]
fn a_queue_without_places_in_all_ways() {
    // What `try_put` leaves to a task that waits, another consumer may take who comes later.
    let model = OftenFull(Model::fifo().bounded(1));
    rendezvous("in all ways", model, &[PUTS[0], PUTS[1], PUTS[2], GETS[0], GETS[1], GETS[2]]);
}

fn rendezvous<M>(name: &str, model: M, kinds: &[Kind<(Way, Operation)>])
where
    M: linearizable::Model<Operation = Operation, Response = Response> + Send + 'static,
{
    Trial::new(&format!("sync::Queue without places, {name}"), Ways(model), Queue::rendezvous, on_queue)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Operation::Get))
        .wanting_together("an item that changed hands", |answer| matches!(answer, Response::Got(_)))
        .check();
}

/// A queue that may refuse an item for no reason that can be seen from outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OftenFull(Model);

impl linearizable::Model for OftenFull {
    type Operation = Operation;
    type Response = Response;

    fn apply(&mut self, operation: &Operation) -> Response {
        self.0.apply(operation)
    }

    fn allows(&self, operation: &Operation, response: &Response) -> Option<Self> {
        match response {
            Response::Full => Some(self.clone()),
            _ => self.0.allows(operation, response).map(OftenFull),
        }
    }
}

fn on_queue(queue: &Queue<u32>, (way, operation): &(Way, Operation)) -> Response {
    match *operation {
        Operation::Put(item) => put(match way {
            Way::Try => queue.try_put(item),
            Way::Block => queue.put(item),
            Way::Timeout => queue.put_timeout(item, LIMIT),
            Way::Async => block_on(queue.put_async(item)),
            Way::AsyncTimeout => block_on(queue.put_async_timeout(item, LIMIT)),
        }),
        Operation::Get => got(match way {
            Way::Try => queue.try_get(),
            Way::Block => queue.get(),
            Way::Timeout => queue.get_timeout(LIMIT),
            Way::Async => block_on(queue.get_async()),
            Way::AsyncTimeout => block_on(queue.get_async_timeout(LIMIT)),
        }),
        Operation::Len => Response::Len(queue.len()),
        Operation::Drain => Response::TakenOut(queue.drain().collect()),
        Operation::Close => {
            queue.close();
            Response::Done
        }
        Operation::CloseNow => Response::TakenOut(queue.close_now().collect()),
    }
}

fn put(result: Result<(), PutError<u32>>) -> Response {
    match result {
        Ok(()) => Response::Done,
        Err(why) if why.is_closed() => Response::Closed,
        Err(_) => Response::Full,
    }
}

fn got(result: Result<u32, GetError>) -> Response {
    match result {
        Ok(item) => Response::Got(item),
        Err(why) if why.is_closed() => Response::Closed,
        Err(_) => Response::Empty,
    }
}

/// How a mutex is had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Door {
    Lock,
    /// By a guard that owns a share of the mutex.
    Arc,
    /// When the value is even.
    When,
}

#[test]
fn what_a_mutex_guards() {
    use register::Operation::{Add, Read, Swap};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Block, (Door::Lock, Add(1))),
        |value| (Way::Async, (Door::Lock, Swap(value))),
        |value| (Way::Try, (Door::Lock, Swap(value))),
        |_| (Way::Timeout, (Door::Lock, Add(1))),
        |_| (Way::AsyncTimeout, (Door::Lock, Read)),
        |_| (Way::Block, (Door::Arc, Add(1))),
        |value| (Way::Async, (Door::Arc, Swap(value))),
        |value| (Way::Try, (Door::Arc, Swap(value))),
        |_| (Way::Timeout, (Door::Arc, Add(1))),
        |value| (Way::AsyncTimeout, (Door::Arc, Swap(value))),
        |_| (Way::Try, (Door::When, Add(1))),
        |_| (Way::Timeout, (Door::When, Add(1))),
        |_| (Way::AsyncTimeout, (Door::When, Add(1))),
    ];
    let make = || Arc::new(Mutex::new([0; 2]));
    Trial::new("sync::Mutex", Ways(Doors::of(Register::new(0))), make, on_mutex)
        .threads(3, kinds)
        .ending(|_| (Way::Block, (Door::Lock, Read)))
        .wanting("a lock that was had", |answer| matches!(answer, register::Response::Value(_)))
        .check();
}

fn on_mutex(
    mutex: &Arc<Mutex<[u32; 2]>>,
    (way, (door, operation)): &(Way, (Door, register::Operation)),
) -> register::Response {
    let even = |[half, other]: &[u32; 2]| {
        assert_eq!(half, other, "a condition is asked without the lock");
        half % 2 == 0
    };
    let done = match door {
        Door::Lock => match way {
            Way::Try => mutex.try_lock(),
            Way::Block => Some(mutex.lock()),
            Way::Timeout => mutex.lock_timeout(LIMIT).ok(),
            Way::Async => Some(block_on(mutex.lock_async())),
            Way::AsyncTimeout => block_on(mutex.lock_async_timeout(LIMIT)).ok(),
        }
        .map(|mut halves| under_lock(&mut halves, *operation)),
        Door::Arc => match way {
            Way::Try => mutex.try_lock_arc(),
            Way::Block => Some(mutex.lock_arc()),
            Way::Timeout => mutex.lock_arc_timeout(LIMIT).ok(),
            Way::Async => Some(block_on(mutex.lock_arc_async())),
            Way::AsyncTimeout => block_on(mutex.lock_arc_async_timeout(LIMIT)).ok(),
        }
        .map(|mut halves| under_lock(&mut halves, *operation)),
        Door::When => match way {
            Way::Try => mutex.try_when(even),
            Way::Block => Some(mutex.when(even)),
            Way::Timeout => mutex.when_timeout(even, LIMIT).ok(),
            Way::Async => Some(block_on(mutex.when_async(even))),
            Way::AsyncTimeout => block_on(mutex.when_async_timeout(even, LIMIT)).ok(),
        }
        .map(|mut halves| under_lock(&mut halves, *operation))
        .inspect(|before| assert!(even(&[*before; 2]), "it was not the time")),
    };
    done.map_or(register::Response::Refused, register::Response::Value)
}

/// Takes a while between two halves that must always be alike: who sees them differ, is not alone.
fn under_lock(halves: &mut [u32; 2], operation: register::Operation) -> u32 {
    let [before, other] = *halves;
    assert_eq!(before, other, "two threads are under one lock");
    let after = match operation {
        register::Operation::Read => before,
        register::Operation::Write(value) | register::Operation::Swap(value) => value,
        register::Operation::Add(more) => before + more,
    };
    halves[0] = after;
    for _ in 0..20 {
        hint::spin_loop();
    }
    halves[1] = after;
    before
}

#[test]
fn a_semaphore_that_nobody_waits_for_counts_exactly() {
    use permits::Operation::{Acquire, Free, Release};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Try, Acquire(1)),
        |_| (Way::Try, Acquire(2)),
        |_| (Way::Try, Release(1)),
        |_| (Way::Try, Release(2)),
        |_| (Way::Try, Free),
    ];
    Trial::new("sync::Semaphore, tried", Ways(Permits::new(2)), || Semaphore::new(2), on_semaphore)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Acquire(1)))
        .check();
}

#[test]
fn a_semaphore_never_gives_more_than_it_has() {
    use permits::Operation::{Acquire, Free, Release};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Try, Acquire(1)),
        |_| (Way::Timeout, Acquire(1)),
        |_| (Way::AsyncTimeout, Acquire(1)),
        |_| (Way::Try, Release(1)),
        |_| (Way::Try, Free),
    ];
    // Who only tries is refused while somebody stands in line, be there permits or not.
    let model = Ways(Permits::new(1).hesitant());
    Trial::new("sync::Semaphore, waited for", model, || Semaphore::new(1), on_semaphore)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Free))
        .wanting("a permit", |answer| *answer == permits::Response::Done)
        .wanting("a refusal", |answer| *answer == permits::Response::Refused)
        .check();
}

fn on_semaphore(semaphore: &Semaphore, (way, operation): &(Way, permits::Operation)) -> permits::Response {
    match *operation {
        permits::Operation::Acquire(count) => {
            let permit = match way {
                Way::Try => semaphore.try_acquire_many(count).ok(),
                Way::Block => semaphore.acquire_many(count).ok(),
                Way::Timeout => semaphore.acquire_timeout(LIMIT).ok(),
                Way::Async => block_on(semaphore.acquire_many_async(count)).ok(),
                Way::AsyncTimeout => block_on(semaphore.acquire_async_timeout(LIMIT)).ok(),
            };
            let taken = permit.map(SemaphorePermit::forget).is_some();
            if taken { permits::Response::Done } else { permits::Response::Refused }
        }
        permits::Operation::Release(count) => {
            semaphore.release(count);
            permits::Response::Done
        }
        permits::Operation::Free => permits::Response::Count(semaphore.available()),
    }
}

#[test]
fn an_event() {
    use flag::Operation::{Clear, Look, Set};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Try, Set),
        |_| (Way::Try, Clear),
        |_| (Way::Try, Look),
        |_| (Way::Timeout, Look),
        |_| (Way::AsyncTimeout, Look),
    ];
    Trial::new("sync::Event", Ways(Flag::new()), Event::new, on_event)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Look))
        .wanting("an event that was set", |answer| *answer == flag::Response::IsSet)
        .check();
}

fn on_event(event: &Event, (way, operation): &(Way, flag::Operation)) -> flag::Response {
    match operation {
        flag::Operation::Set => event.set(),
        flag::Operation::Clear => event.clear(),
        flag::Operation::Look => {
            let seen = match way {
                Way::Try => event.is_set(),
                Way::Block => {
                    event.wait();
                    true
                }
                Way::Timeout => event.wait_timeout(LIMIT).is_ok(),
                Way::Async => {
                    block_on(event.wait_async());
                    true
                }
                Way::AsyncTimeout => block_on(event.wait_async_timeout(LIMIT)).is_ok(),
            };
            return if seen { flag::Response::IsSet } else { flag::Response::IsClear };
        }
    }
    flag::Response::Done
}
