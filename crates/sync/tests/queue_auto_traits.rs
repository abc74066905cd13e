//! What of the queues of other kinds may go to another thread and be shared between threads, checked when this compiles.

#[macro_use]
#[path = "common/table.rs"]
mod table;

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use sync::queue::{
    Buffer, CloseOnDropOf, DelayQueue, Drained, Lifo, LifoQueue, Overflow, PriorityQueue, StreamOf,
    TryIterOf, broadcast, oneshot, pubsub, watch,
};

table! {
    // A queue moves its items.
    LifoQueue<Cell<u8>> => true, true;
    LifoQueue<Rc<u8>> => false, false;
    PriorityQueue<Cell<u8>> => true, true;
    PriorityQueue<Rc<u8>> => false, false;
    DelayQueue<Cell<u8>> => true, true;
    DelayQueue<Rc<u8>> => false, false;
    Buffer<Cell<u8>> => true, true;
    Buffer<Rc<u8>> => false, false;
    Drained<Lifo<Cell<u8>>> => true, false;
    StreamOf<'static, Lifo<Cell<u8>>> => true, false;
    StreamOf<'static, Lifo<Rc<u8>>> => false, false;
    TryIterOf<'static, Lifo<Cell<u8>>> => true, true;
    CloseOnDropOf<Lifo<Cell<u8>>> => true, true;
    CloseOnDropOf<Lifo<Rc<u8>>> => false, false;
    oneshot::Sender<Cell<u8>> => true, true;
    oneshot::Sender<Rc<u8>> => false, false;
    oneshot::Receiver<Cell<u8>> => true, true;
    oneshot::Receiver<Rc<u8>> => false, false;

    // Receivers share what they get.
    broadcast::Sender<u8> => true, true;
    broadcast::Sender<Cell<u8>> => false, false;
    broadcast::Receiver<u8> => true, true;
    broadcast::Receiver<Cell<u8>> => false, false;
    broadcast::SendError<Cell<u8>> => true, false;
    broadcast::ReceiveError => true, true;
    watch::Sender<u8> => true, true;
    watch::Sender<Cell<u8>> => false, false;
    watch::Receiver<u8> => true, true;
    watch::Receiver<Cell<u8>> => false, false;
    pubsub::PubSub<u8, u8> => true, true;
    pubsub::PubSub<Rc<u8>, u8> => false, false;
    pubsub::PubSub<u8, Cell<u8>> => false, false;
    pubsub::Subscription<u8, u8> => true, true;
    pubsub::Subscription<u8, Cell<u8>> => false, false;
}

fn sent<F: Future + Send>(future: F) {
    drop(future);
}

#[test]
fn futures_may_be_awaited_in_a_task_that_moves_between_threads() {
    let (sender, receiver) = oneshot::channel::<Cell<u8>>();
    sent(receiver.get_async());
    sent(receiver.get_async_timeout(Duration::ZERO));
    sent(sender.closed_async());
    let (sender, mut receiver) = broadcast::channel::<u8>(1);
    sent(receiver.get_async());
    let (value, mut seen) = watch::channel(1_u8);
    sent(seen.changed_async());
    sent(seen.wait_for_async(|value| *value == 1));
    drop((sender, value));
    sent(PriorityQueue::<Cell<u8>>::unbounded().get_async_timeout(Duration::ZERO));
    sent(LifoQueue::unbounded().put_async(Cell::new(1)));
    sent(DelayQueue::<Cell<u8>>::unbounded().join_async());
    sent(Buffer::new(1, Overflow::Block).put_async_timeout(Cell::new(1), Duration::ZERO));
}
