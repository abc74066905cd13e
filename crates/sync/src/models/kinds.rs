//! The ways for one item, for the latest, for all, and the queues with an order of their own.

use super::poll_and_drop;
use crate::queue::{Buffer, GetError, LifoQueue, Overflow, broadcast, oneshot, watch};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

/// Something that must be dropped exactly once: loom's `Arc` complains when it leaks.
type Token = Arc<()>;

#[test]
fn an_item_is_sent_or_given_back_once_whenever_the_receiver_goes() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<Token>();
        let sending = thread::spawn(move || sender.send(Arc::new(())).is_ok());
        drop(receiver);
        sending.join().unwrap();
        let (sender, receiver) = oneshot::channel::<Token>();
        drop(receiver);
        assert!(sender.send(Arc::new(())).is_err());
    });
}

#[test]
fn an_item_reaches_a_thread_and_a_task() {
    for awaited in [false, true] {
        loom::model(move || {
            let (sender, receiver) = oneshot::channel::<Token>();
            let sending = thread::spawn(move || sender.send(Arc::new(())).unwrap());
            let item = if awaited { block_on(receiver.get_async()) } else { receiver.get() };
            assert!(item.is_ok());
            sending.join().unwrap();
        });
    }
}

#[test]
fn a_sender_that_goes_ends_the_wait() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<Token>();
        let leaving = thread::spawn(move || drop(sender));
        assert_eq!(block_on(receiver.get_async()).err(), Some(GetError::Closed));
        leaving.join().unwrap();
    });
}

#[test]
fn a_receiver_that_goes_ends_the_sender_s_wait() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<Token>();
        let leaving = thread::spawn(move || drop(receiver));
        block_on(sender.closed_async());
        leaving.join().unwrap();
    });
}

#[test]
fn who_waits_for_an_item_learns_that_another_has_closed_the_way() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<Token>();
        let receiver = Arc::new(receiver);
        let closing = Arc::clone(&receiver);
        let closing = thread::spawn(move || closing.close());
        assert_eq!(block_on(receiver.get_async()).err(), Some(GetError::Closed));
        closing.join().unwrap();
        drop(sender);
    });
}

#[test]
fn a_future_that_is_dropped_leaves_the_item_for_the_next() {
    loom::model(|| {
        let (sender, receiver) = oneshot::channel::<Token>();
        let sending = thread::spawn(move || sender.send(Arc::new(())).unwrap());
        let mut taken = false;
        poll_and_drop(async { taken = receiver.get_async().await.is_ok() });
        assert_eq!(block_on(receiver.get_async()).is_ok(), !taken);
        sending.join().unwrap();
    });
}

#[test]
fn an_item_put_beside_a_look_in_vain_is_announced() {
    for awaited in [false, true] {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let queue = Arc::new(LifoQueue::unbounded());
            let producer = Arc::clone(&queue);
            let producer = thread::spawn(move || producer.put(1).unwrap());
            let item = if awaited { block_on(queue.get_async()) } else { queue.get() };
            assert_eq!(item, Ok(1));
            producer.join().unwrap();
        });
    }
}

#[test]
fn room_made_beside_a_look_in_vain_is_announced() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let queue = Arc::new(LifoQueue::bounded(1));
        queue.put(1).unwrap();
        let consumer = Arc::clone(&queue);
        let consumer = thread::spawn(move || consumer.get().unwrap());
        block_on(queue.put_async(2)).unwrap();
        assert_eq!(consumer.join().unwrap() + queue.try_get().unwrap(), 3);
    });
}

#[test]
fn changes_that_are_announced_in_another_order_than_they_were_made_are_seen() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let queue = Arc::new(LifoQueue::unbounded());
        queue.put(1).unwrap();
        let consumer = Arc::clone(&queue);
        let consumer = thread::spawn(move || _ = consumer.get().unwrap());
        let producer = Arc::clone(&queue);
        let producer = thread::spawn(move || producer.put(2).unwrap());
        // Loom's first thread: it changes first, and may announce that last.
        let taken = queue.try_get().is_ok();
        producer.join().unwrap();
        consumer.join().unwrap();
        assert_eq!(queue.try_get().is_ok(), !taken);
    });
}

#[test]
fn a_consumer_that_goes_hands_on_the_item_that_it_was_told_of() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let queue = Arc::new(LifoQueue::unbounded());
        let fickle = Arc::clone(&queue);
        let fickle = thread::spawn(move || {
            let mut got = 0;
            poll_and_drop(async { got = fickle.get_async().await.unwrap_or(0) });
            got
        });
        let producer = Arc::clone(&queue);
        let producer = thread::spawn(move || {
            producer.put(1).unwrap();
            producer.put(2).unwrap();
        });
        block_on(queue.get_async()).unwrap();
        producer.join().unwrap();
        let got = fickle.join().unwrap();
        assert_eq!(queue.len(), usize::from(got == 0));
    });
}

#[test]
fn an_item_put_into_a_buffer_that_drops_reaches_who_waits_or_comes_back() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(move || {
            let buffer = Arc::new(Buffer::new(1, overflow));
            let producer = Arc::clone(&buffer);
            let producer = thread::spawn(move || {
                let back = [1, 2].map(|item| producer.put(item).unwrap());
                assert!(producer.len() <= 1, "it has no room for two");
                back
            });
            let got = block_on(buffer.get_async()).unwrap();
            let back = producer.join().unwrap();
            let mut all: Vec<u32> = back.into_iter().flatten().chain(buffer.try_get()).chain([got]).collect();
            all.sort_unstable();
            assert_eq!(all, [1, 2]);
        });
    }
}

#[test]
fn every_receiver_gets_an_item_and_the_end() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let (sender, mut receiver) = broadcast::channel::<Token>(1);
        let mut other = receiver.clone();
        let other = thread::spawn(move || {
            assert!(other.get().is_ok());
            assert_eq!(other.get().err(), Some(broadcast::ReceiveError::Closed));
        });
        let sending = thread::spawn(move || sender.send(Arc::new(())).unwrap());
        assert!(block_on(receiver.get_async()).is_ok());
        sending.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn every_receiver_gets_an_item_although_the_sender_stays() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let (sender, mut receiver) = broadcast::channel::<Token>(1);
        let mut other = receiver.clone();
        let other = thread::spawn(move || assert!(other.get().is_ok()));
        let sending = thread::spawn(move || {
            sender.send(Arc::new(())).unwrap();
            sender
        });
        assert!(block_on(receiver.get_async()).is_ok());
        other.join().unwrap();
        drop(sending.join().unwrap());
    });
}

#[test]
fn an_item_is_lost_or_got_beside_a_sender_in_a_hurry() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        let sending = thread::spawn(move || {
            sender.send(1).unwrap();
            sender.send(2).unwrap();
        });
        match block_on(receiver.get_async()) {
            Ok(1) => assert_eq!(block_on(receiver.get_async()), Ok(2)),
            Err(broadcast::ReceiveError::Lagged(1)) => assert_eq!(receiver.try_get(), Ok(2)),
            other => panic!("{other:?}"),
        }
        sending.join().unwrap();
    });
}

#[test]
fn a_change_beside_a_look_is_seen() {
    for awaited in [false, true] {
        loom::model(move || {
            let (sender, mut receiver) = watch::channel(1);
            let sending = thread::spawn(move || {
                drop(sender.send(2));
                // It stays, for its end would wake as well.
                sender
            });
            let seen = if awaited { block_on(receiver.changed_async()) } else { receiver.changed() };
            assert_eq!(*seen.unwrap(), 2);
            let sender = sending.join().unwrap();
            let leaving = thread::spawn(move || drop(sender));
            let end = block_on(receiver.changed_async());
            assert_eq!(end, Err(GetError::Closed));
            leaving.join().unwrap();
        });
    }
}

#[test]
fn two_changes_at_once_are_both_made() {
    loom::model(|| {
        let (sender, receiver) = watch::channel(0);
        let another = sender.clone();
        let another = thread::spawn(move || another.send_modify(|value| *value += 1));
        sender.send_modify(|value| *value += 1);
        another.join().unwrap();
        assert_eq!((*receiver.borrow(), receiver.version()), (2, 2));
    });
}
