//! The channels of `sync` for one item, for all and for the latest, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::news::{News, Operation, Response};
use linearizable::models::queue;
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Model, Trial};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use sync::park::block_on;
use sync::queue::broadcast::{self, ReceiveError};
use sync::queue::{GetError, oneshot, pubsub, watch};

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

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

/// A queue for one item, which is closed when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Once(queue::Queue);

impl Model for Once {
    type Operation = queue::Operation;
    type Response = queue::Response;

    fn apply(&mut self, operation: &queue::Operation) -> queue::Response {
        let response = self.0.apply(operation);
        if matches!(operation, queue::Operation::Put(_)) {
            self.0.apply(&queue::Operation::Close);
        }
        response
    }
}

type Oneshot = (End<Option<oneshot::Sender<u32>>>, oneshot::Receiver<u32>);

#[test]
fn one_item() {
    use queue::Operation::{Close, Get, Put};
    let make = || -> Oneshot {
        let (sender, receiver) = oneshot::channel();
        (End::new(Some(sender)), receiver)
    };
    let sender: &[Kind<_>] =
        &[|item| (Way::Try, Put(item)), |item| (Way::Try, Put(item)), |_| (Way::Try, Close)];
    let receiver: &[Kind<_>] = &[|_| (Way::Try, Get), |_| (Way::Timeout, Get), |_| (Way::AsyncTimeout, Get)];
    Trial::new("sync::queue::oneshot", Ways(Once(queue::Queue::fifo())), make, on_oneshot)
        .threads(1, sender)
        // Its receiver may be shared; one of those who wait gets the item.
        .threads(2, receiver)
        .ending(|_| (Way::Try, Get))
        .wanting("an item that came", |answer| matches!(answer, queue::Response::Got(_)))
        .wanting("a sender that went", |answer| *answer == queue::Response::Closed)
        .check();
}

fn on_oneshot((sender, receiver): &Oneshot, (way, operation): &(Way, queue::Operation)) -> queue::Response {
    let got = match *operation {
        queue::Operation::Put(item) => {
            let sent = sender.lock().take().map(|sender| sender.send(item));
            return match sent {
                Some(Ok(())) => queue::Response::Done,
                _ => queue::Response::Closed,
            };
        }
        queue::Operation::Close => {
            drop(sender.lock().take());
            return queue::Response::Done;
        }
        queue::Operation::Get => match way {
            Way::Try => receiver.try_get(),
            Way::Block => receiver.get(),
            Way::Timeout => receiver.get_timeout(LIMIT),
            Way::Async => block_on(receiver.get_async()),
            Way::AsyncTimeout => block_on(receiver.get_async_timeout(LIMIT)),
        },
        _ => unreachable!("nobody asks for more"),
    };
    match got {
        Ok(item) => queue::Response::Got(item),
        Err(GetError::Closed) => queue::Response::Closed,
        Err(_) => queue::Response::Empty,
    }
}

const TELLS: [Kind<(Way, Operation)>; 1] = [|news| (Way::Try, Operation::Tell(news))];
/// Of each receiver.
const HEARS: [[Kind<(Way, Operation)>; 3]; 2] = [
    [
        |_| (Way::Try, Operation::Hear(0)),
        |_| (Way::Timeout, Operation::Hear(0)),
        |_| (Way::AsyncTimeout, Operation::Hear(0)),
    ],
    [
        |_| (Way::Try, Operation::Hear(1)),
        |_| (Way::Timeout, Operation::Hear(1)),
        |_| (Way::AsyncTimeout, Operation::Hear(1)),
    ],
];

type Broadcast = (broadcast::Sender<u32>, [End<broadcast::Receiver<u32>>; 2]);

#[test]
fn all_to_everybody() {
    let make = || -> Broadcast {
        let (sender, receiver) = broadcast::channel(2);
        (sender, [End::new(receiver.clone()), End::new(receiver)])
    };
    Trial::new("sync::queue::broadcast", Ways(News::for_receivers(2, 2)), make, on_broadcast)
        .threads(2, &TELLS)
        .threads(1, &HEARS[0])
        .threads(1, &HEARS[1])
        .ending(|_| (Way::Try, Operation::Hear(0)))
        .wanting("something heard", |answer| matches!(answer, Response::Heard(_)))
        .wanting("something missed", |answer| matches!(answer, Response::Missed(_)))
        .check();
}

fn on_broadcast((sender, receivers): &Broadcast, (way, operation): &(Way, Operation)) -> Response {
    let heard = match *operation {
        Operation::Tell(news) => {
            assert_eq!(sender.send(news).expect("both receivers are there"), 2);
            return Response::Done;
        }
        Operation::Latest => unreachable!("a broadcast has none"),
        Operation::Hear(receiver) => {
            let mut receiver = receivers[receiver].lock();
            match way {
                Way::Try => receiver.try_get(),
                Way::Block => receiver.get(),
                Way::Timeout => receiver.get_timeout(LIMIT),
                Way::Async => block_on(receiver.get_async()),
                Way::AsyncTimeout => block_on(receiver.get_async_timeout(LIMIT)),
            }
        }
    };
    match heard {
        Ok(news) => Response::Heard(news),
        Err(ReceiveError::Lagged(missed)) => Response::Missed(missed),
        Err(_) => Response::Nothing,
    }
}

type Topic = (pubsub::PubSub<&'static str, u32>, [End<pubsub::Subscription<&'static str, u32>>; 2]);

/// Beside one that nobody hears.
#[test]
fn a_topic_to_its_subscribers() {
    let make = || -> Topic {
        let topics = pubsub::PubSub::new(2);
        let both = [(); 2].map(|()| End::new(topics.subscribe("news")));
        (topics, both)
    };
    Trial::new("sync::queue::pubsub", Ways(News::for_receivers(2, 2)), make, on_topic)
        .threads(2, &TELLS)
        .threads(1, &HEARS[0])
        .threads(1, &HEARS[1])
        .ending(|_| (Way::Try, Operation::Hear(0)))
        .wanting("something heard", |answer| matches!(answer, Response::Heard(_)))
        .wanting("something missed", |answer| matches!(answer, Response::Missed(_)))
        .check();
}

fn on_topic((topics, subscribers): &Topic, (way, operation): &(Way, Operation)) -> Response {
    let heard = match *operation {
        Operation::Tell(news) => {
            assert_eq!(topics.publish("weather", 0), 0);
            assert_eq!(topics.publish("news", news), 2);
            return Response::Done;
        }
        Operation::Latest => unreachable!("a topic has none"),
        Operation::Hear(subscriber) => {
            let mut subscriber = subscribers[subscriber].lock();
            match way {
                Way::Try => subscriber.try_get(),
                Way::Block => subscriber.get(),
                Way::Timeout => subscriber.get_timeout(LIMIT),
                Way::Async => block_on(subscriber.get_async()),
                Way::AsyncTimeout => block_on(subscriber.get_async_timeout(LIMIT)),
            }
        }
    };
    match heard {
        Ok(news) => Response::Heard(news),
        Err(ReceiveError::Lagged(missed)) => Response::Missed(missed),
        Err(_) => Response::Nothing,
    }
}

type Watch = (watch::Sender<u32>, [End<watch::Receiver<u32>>; 2]);

#[test]
fn the_latest() {
    let make = || -> Watch {
        let (sender, receiver) = watch::channel(0);
        (sender, [End::new(receiver.clone()), End::new(receiver)])
    };
    let sender: Vec<Kind<_>> = [&TELLS[..], &[|_| (Way::Try, Operation::Latest)]].concat();
    Trial::new("sync::queue::watch", Ways(News::of_the_latest(2, 0)), make, on_watch)
        .threads(2, &sender)
        .threads(1, &HEARS[0])
        .threads(1, &HEARS[1])
        .ending(|_| (Way::Try, Operation::Hear(1)))
        .wanting("something new", |answer| matches!(answer, Response::Heard(_)))
        .wanting("nothing new", |answer| *answer == Response::Nothing)
        .check();
}

fn on_watch((sender, receivers): &Watch, (way, operation): &(Way, Operation)) -> Response {
    let seen = match *operation {
        Operation::Tell(news) => {
            sender.send(news);
            return Response::Done;
        }
        Operation::Latest => return Response::Heard(*sender.borrow()),
        Operation::Hear(receiver) => {
            let mut receiver = receivers[receiver].lock();
            match way {
                Way::Try => receiver.try_changed(),
                Way::Block => receiver.changed(),
                Way::Timeout => receiver.changed_timeout(LIMIT),
                Way::Async => block_on(receiver.changed_async()),
                Way::AsyncTimeout => block_on(receiver.changed_async_timeout(LIMIT)),
            }
        }
    };
    seen.map_or(Response::Nothing, |news| Response::Heard(*news))
}
