//! Queues: items that are passed on, those who wait, and all ways to leave.
//!
//! Slots are loom's own cells, so a slot that two use at once shows; items are counted, so one that is lost shows as a leak.
//! Where a producer or a consumer is alone, what is modelled is the barrier that both sides make: loom knows no other. The one
//! that is made for both is in `schedules`, and what needs none in one model here.

use super::{Over, Plain, model_without_barriers};
use crate::Queue;
use crate::queue::{GetError, mpsc, spsc};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;

#[expect(unsafe_code, reason = "only a waker of its own says when it is cloned")]
mod argument;

/// Something that must be dropped exactly once.
type Token = Arc<()>;

fn token() -> Token {
    Arc::new(())
}

/// So often a thread is interrupted where it could go on. An operation of a queue has dozens of steps, and each more of
/// these makes a model of seconds one of minutes.
fn interrupted(times: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(times);
    builder.max_branches = 20_000;
    builder.check(model);
}

#[test]
fn an_item_and_its_place_are_handed_over_without_a_barrier() {
    model_without_barriers(3, || {
        let (mut sender, mut receiver) = spsc::bounded(1);
        // Whoever looks is the one that is spawned: of each word, loom notes the last look alone, and that would be the other's own.
        let consumer = thread::spawn(move || (0..2).for_each(|_| drop(receiver.try_get())));
        assert!(sender.try_put(token()).is_ok());
        // Into the same place, if it is free by now.
        let _full = sender.try_put(token());
        consumer.join().unwrap();
    });
}

#[test]
fn a_thread_that_sleeps_is_woken_by_an_item_and_by_room() {
    interrupted(1, || {
        // With one place, a queue is of another kind.
        let queue = Plain::new(Queue::bounded(2));
        (0..2).for_each(|_| queue.put(0).unwrap());
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || producer.put(1).unwrap());
        (0..3).for_each(|_| assert!(queue.get().is_ok()));
        producer.join().unwrap();
    });
}

#[test]
fn room_made_without_a_look_reaches_a_producer() {
    interrupted(2, || {
        let queue = Plain::new(Queue::bounded(2));
        (0..2).for_each(|item| queue.put(item).unwrap());
        // From here on it is known that there is another item.
        assert_eq!(queue.get(), Ok(0));
        queue.put(2).unwrap();
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || producer.put(3).unwrap());
        assert_eq!(queue.get(), Ok(1));
        producer.join().unwrap();
    });
}

#[test]
fn each_of_two_consumers_gets_an_item() {
    interrupted(1, || {
        let queue = Plain::new(Queue::unbounded());
        let mut task = Box::pin(queue.get_async());
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let consumer = Plain::clone(&queue);
        let consumer = thread::spawn(move || assert!(consumer.get().is_ok()));
        (0..2).for_each(|item| queue.put(item).unwrap());
        assert!(block_on(task).is_ok());
        consumer.join().unwrap();
    });
}

#[test]
fn blocks_are_linked_and_given_back_while_both_sides_move() {
    interrupted(2, || {
        let queue = Plain::new(Queue::unbounded());
        let over = Arc::new(Over::new());
        // A block has two slots here: the first is full, and begun.
        (0..2).for_each(|_| queue.put(token()).unwrap());
        drop(queue.try_get());
        let (producer, said) = (Plain::clone(&queue), Arc::clone(&over));
        // The second block, and the third, which may be the first again.
        let producer = thread::spawn(move || {
            for _ in 0..3 {
                producer.put(token()).unwrap();
                said.say();
            }
        });
        let take = |_: &_| {
            over.is_said();
            queue.try_get().is_ok()
        };
        let taken = (0..3).filter(take).count();
        producer.join().unwrap();
        assert_eq!(queue.len(), 4 - taken);
    });
}

#[test]
fn what_was_accepted_before_a_close_is_taken() {
    interrupted(1, || {
        let queue = Plain::new(Queue::bounded(2));
        let (producer, closer) = (Plain::clone(&queue), Plain::clone(&queue));
        let producer = thread::spawn(move || usize::from(producer.put(0).is_ok()));
        let closer = thread::spawn(move || closer.close());
        let mut taken = 0;
        while queue.get().is_ok() {
            taken += 1;
        }
        closer.join().unwrap();
        assert_eq!(taken, producer.join().unwrap());
    });
}

#[test]
fn a_closed_queue_takes_nothing_although_there_is_known_to_be_room() {
    interrupted(2, || {
        let queue = Plain::new(Queue::bounded(2));
        // From here on it is known that there is room for another.
        queue.put(0).unwrap();
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || usize::from(producer.put(0).is_ok()));
        queue.close();
        let taken = (0..2).filter(|_| queue.try_get().is_ok()).count();
        assert_eq!(taken, 1 + producer.join().unwrap());
    });
}

#[test]
fn a_producer_that_waits_learns_of_a_close() {
    loom::model(|| {
        let queue = Plain::new(Queue::bounded(2));
        (0..2).for_each(|_| queue.put(0).unwrap());
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || assert!(producer.put(0).unwrap_err().is_closed()));
        queue.close();
        producer.join().unwrap();
    });
}

#[test]
fn an_item_reaches_a_thread_although_a_future_that_was_told_of_it_goes() {
    interrupted(1, || {
        let queue = Plain::new(Queue::unbounded());
        let theirs = Plain::clone(&queue);
        let mut fickle = Box::pin(async move { theirs.get_async().await });
        assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || producer.put(0).unwrap());
        let leaves = thread::spawn(move || drop(fickle));
        // Loom's first thread, so it is behind the future before that is told.
        assert!(queue.get().is_ok());
        producer.join().unwrap();
        leaves.join().unwrap();
    });
}

#[test]
fn a_deadline_that_passes_takes_no_item_with_it() {
    loom::model(|| {
        let queue = Plain::new(Queue::unbounded());
        let hasty = Plain::clone(&queue);
        let hasty = thread::spawn(move || hasty.get_timeout(Duration::from_secs(1)).is_ok());
        let producer = Plain::clone(&queue);
        let producer = thread::spawn(move || producer.put(token()).unwrap());
        let taken = hasty.join().unwrap();
        producer.join().unwrap();
        assert_eq!(queue.try_get().is_ok(), !taken);
    });
}

#[test]
fn one_to_one_both_wait() {
    interrupted(1, || {
        let (mut sender, mut receiver) = spsc::bounded(1);
        let sending = thread::spawn(move || {
            sender.put(0).unwrap();
            block_on(sender.put_async(0)).unwrap();
        });
        assert!(receiver.get().is_ok());
        assert!(block_on(receiver.get_async()).is_ok());
        assert_eq!(receiver.get().map(drop), Err(GetError::Closed));
        sending.join().unwrap();
    });
}

#[test]
fn one_to_one_both_have_barriers_of_their_own() {
    interrupted(2, || {
        let (mut sender, mut receiver) = spsc::bounded(1);
        receiver.fence_from_now_on();
        let sending = thread::spawn(move || {
            sender.put(0).unwrap();
            sender
        });
        assert!(receiver.get().is_ok());
        drop(sending.join().unwrap());
    });
}

#[test]
fn one_to_one_the_receiver_goes() {
    interrupted(1, || {
        let (mut sender, receiver) = spsc::bounded(1);
        let sending = thread::spawn(move || (0..2).for_each(|_| drop(sender.put(token()))));
        drop(receiver);
        sending.join().unwrap();
    });
}

#[test]
fn room_that_a_lone_consumer_makes_reaches_every_producer() {
    interrupted(1, || {
        let (sender, mut receiver) = mpsc::bounded(2);
        (0..2).for_each(|_| sender.put(0).unwrap());
        let sender = Plain::new(sender);
        let sending = [(); 2].map(|()| {
            let sender = Plain::clone(&sender);
            thread::spawn(move || sender.put(1).unwrap())
        });
        // As much room as the two need: a consumer who waits as well, as below, makes this a model of minutes.
        (0..2).for_each(|_| assert!(receiver.get().is_ok()));
        sending.into_iter().for_each(|it| it.join().unwrap());
    });
}

#[test]
fn items_of_one_of_many_reach_a_lone_consumer_who_waits() {
    interrupted(1, || {
        let (sender, mut receiver) = mpsc::bounded(2);
        let sending = thread::spawn(move || {
            (0..2).for_each(|_| sender.put(0).unwrap());
            sender
        });
        (0..2).for_each(|_| assert!(receiver.get().is_ok()));
        drop(sending.join().unwrap());
    });
}

/// Nothing orders the producers but the lock that each of them takes for his item, and the last one to close.
#[test]
fn the_last_producer_closes_behind_the_items_of_all() {
    interrupted(1, || {
        let (sender, mut receiver) = mpsc::bounded(2);
        let other = sender.clone();
        let sending = thread::spawn(move || other.put(token()).unwrap());
        // Either of the two may be the last.
        drop(sender);
        assert!(receiver.get().is_ok());
        assert!(receiver.get().is_err());
        sending.join().unwrap();
    });
}

#[test]
fn a_producer_that_gives_up_leaves_the_room_to_another() {
    interrupted(1, || {
        let (sender, mut receiver) = mpsc::bounded(1);
        sender.put(0).unwrap();
        let sender = Plain::new(sender);
        let mut fickle = Box::pin(sender.put_async(1));
        assert!(fickle.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let patient = Plain::clone(&sender);
        let patient = thread::spawn(move || patient.put(2).unwrap());
        let receiving = thread::spawn(move || {
            assert_eq!((receiver.get(), receiver.get()), (Ok(0), Ok(2)));
        });
        drop(fickle);
        patient.join().unwrap();
        receiving.join().unwrap();
    });
}
