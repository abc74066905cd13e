//! The channels of `sync` whose ends are of one thread, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use sync::park::block_on;
use sync::queue::{GetError, PutError, mpsc, spsc};

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

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

/// An end has one thread in a run, so nobody ever waits for its lock.
struct End<E>(Mutex<E>);

impl<E> End<E> {
    fn new(end: E) -> Self {
        End(Mutex::new(end))
    }

    fn lock(&self) -> MutexGuard<'_, E> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender goes when it is closed.
type Spsc = (End<Option<spsc::Sender<u32>>>, End<spsc::Receiver<u32>>);
type Mpsc = (mpsc::Sender<u32>, End<mpsc::Receiver<u32>>);

#[test]
fn one_to_one_with_one_place() {
    one_to_one("bounded by 1", Model::fifo().bounded(1), || spsc::bounded(1));
}

#[test]
fn one_to_one_with_two_places() {
    one_to_one("bounded by 2", Model::fifo().bounded(2), || spsc::bounded(2));
}

#[test]
fn one_to_one_without_bound() {
    one_to_one("without bound", Model::fifo(), spsc::unbounded);
}

fn one_to_one(
    name: &str,
    model: Model,
    make: impl Fn() -> (spsc::Sender<u32>, spsc::Receiver<u32>) + 'static,
) {
    let make = move || -> Spsc {
        let (sender, receiver) = make();
        (End::new(Some(sender)), End::new(receiver))
    };
    // Puts twice, for a channel that is closed early shows little.
    let producer: Vec<Kind<_>> = [&PUTS[..], &PUTS[..], &[|_| (Way::Try, Operation::Close)]].concat();
    let consumer: Vec<Kind<_>> = [&GETS[..], &[|_| (Way::Try, Operation::Len)]].concat();
    Trial::new(&format!("sync::queue::spsc {name}"), Ways(model), make, on_spsc)
        .threads(1, &producer)
        .threads(1, &consumer)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

fn on_spsc((sender, receiver): &Spsc, (way, operation): &(Way, Operation)) -> Response {
    match *operation {
        Operation::Put(item) => match sender.lock().as_mut() {
            None => Response::Closed,
            Some(sender) => put(match way {
                Way::Try => sender.try_put(item),
                Way::Block => sender.put(item),
                Way::Timeout => sender.put_timeout(item, LIMIT),
                Way::Async => block_on(sender.put_async(item)),
                Way::AsyncTimeout => block_on(sender.put_async_timeout(item, LIMIT)),
            }),
        },
        Operation::Get => {
            let mut receiver = receiver.lock();
            got(match way {
                Way::Try => receiver.try_get(),
                Way::Block => receiver.get(),
                Way::Timeout => receiver.get_timeout(LIMIT),
                Way::Async => block_on(receiver.get_async()),
                Way::AsyncTimeout => block_on(receiver.get_async_timeout(LIMIT)),
            })
        }
        Operation::Len => Response::Len(receiver.lock().len()),
        Operation::Close => {
            drop(sender.lock().take());
            Response::Done
        }
        Operation::Drain | Operation::CloseNow => unreachable!("an end has no such method"),
    }
}

#[test]
fn many_to_one_with_one_place() {
    many_to_one("bounded by 1", Model::fifo().bounded(1), || mpsc::bounded(1));
}

#[test]
fn many_to_one_with_two_places() {
    many_to_one("bounded by 2", Model::fifo().bounded(2), || mpsc::bounded(2));
}

#[test]
fn many_to_one_without_bound() {
    many_to_one("without bound", Model::fifo(), mpsc::unbounded);
}

fn many_to_one(
    name: &str,
    model: Model,
    make: impl Fn() -> (mpsc::Sender<u32>, mpsc::Receiver<u32>) + 'static,
) {
    let make = move || -> Mpsc {
        let (sender, receiver) = make();
        (sender, End::new(receiver))
    };
    let consumer: Vec<Kind<_>> = [&GETS[..], &[|_| (Way::Try, Operation::Len)]].concat();
    Trial::new(&format!("sync::queue::mpsc {name}"), Ways(model), make, on_mpsc)
        .threads(2, &PUTS)
        .threads(1, &consumer)
        .ending(|_| (Way::Try, Operation::Get))
        .check();
}

fn on_mpsc((sender, receiver): &Mpsc, (way, operation): &(Way, Operation)) -> Response {
    match *operation {
        Operation::Put(item) => put(match way {
            Way::Try => sender.try_put(item),
            Way::Block => sender.put(item),
            Way::Timeout => sender.put_timeout(item, LIMIT),
            Way::Async => block_on(sender.put_async(item)),
            Way::AsyncTimeout => block_on(sender.put_async_timeout(item, LIMIT)),
        }),
        Operation::Get => {
            let mut receiver = receiver.lock();
            got(match way {
                Way::Try => receiver.try_get(),
                Way::Block => receiver.get(),
                Way::Timeout => receiver.get_timeout(LIMIT),
                Way::Async => block_on(receiver.get_async()),
                Way::AsyncTimeout => block_on(receiver.get_async_timeout(LIMIT)),
            })
        }
        Operation::Len => Response::Len(receiver.lock().len()),
        _ => unreachable!("no thread of these trials asks for more"),
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
        Err(GetError::Closed) => Response::Closed,
        Err(_) => Response::Empty,
    }
}
