//! Queues of all kinds, and channels.

use super::{EVERYTHING, LONG, NOTHING, SHORT, in_vain, told};
use std::time::Instant;
use sync::Queue;
use sync::park::block_on;
use sync::queue::{
    Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue, broadcast, mpsc, oneshot, pubsub, spsc,
    watch,
};

/// Of what has places: those who put and those who take, and those who wait until all is done.
macro_rules! places {
    ($make:expr, $item:expr) => {{
        let (empty, full) = ($make, $make);
        while full.try_put($item).is_ok() {}
        limits!(
            limit,
            empty.get_timeout(limit).is_ok(),
            empty.get_async_timeout(limit).await.is_ok(),
            // One, if there is room: who waits may have been served already.
            _ = empty.try_put($item)
        );
        while empty.try_get().is_ok() {}
        limits!(
            limit,
            full.put_timeout($item, limit).is_ok(),
            full.put_async_timeout($item, limit).await.is_ok(),
            _ = full.try_get()
        );
        while full.try_put($item).is_ok() {}
        there!(limit, full.get_timeout(limit).is_ok() && full.put_timeout($item, limit).is_ok());
        there!(
            limit,
            block_on(full.get_async_timeout(limit)).is_ok()
                && block_on(full.put_async_timeout($item, limit)).is_ok()
        );
        limits!(limit, full.join_timeout(limit).is_ok(), full.join_async_timeout(limit).await.is_ok(),);
        told(
            |limit| full.join_timeout(limit).is_ok(),
            || {
                if full.unfinished() > 0 {
                    full.task_done()
                }
            },
        );
        there!(limit, full.join_timeout(limit).is_ok(), block_on(full.join_async_timeout(limit)).is_ok());
        full.try_get().unwrap();
        full.put($item).unwrap();
        told(
            |limit| block_on(full.join_async_timeout(limit)).is_ok(),
            || {
                if full.unfinished() > 0 {
                    full.task_done()
                }
            },
        );
    }};
}

#[test]
fn queues() {
    places!(Queue::bounded(1), 1);
    places!(Queue::bounded(3), 1);
    places!(LifoQueue::bounded(2), 1);
    places!(PriorityQueue::bounded(2), 1);
    places!(DelayQueue::bounded(2), Delayed::after(NOTHING, 1));
    places!(Buffer::new(2, Overflow::Block), 1);

    let hand = Queue::rendezvous();
    limits!(
        limit,
        hand.get_timeout(limit).is_ok(),
        hand.get_async_timeout(limit).await.is_ok(),
        _ = hand.try_put(1)
    );
    limits!(
        limit,
        hand.put_timeout(1, limit).is_ok(),
        hand.put_async_timeout(1, limit).await.is_ok(),
        _ = hand.try_get()
    );
    let unbounded = Queue::unbounded();
    limits!(
        limit,
        unbounded.get_timeout(limit).is_ok(),
        unbounded.get_async_timeout(limit).await.is_ok(),
        if unbounded.is_empty() {
            unbounded.put(1).unwrap();
        }
    );

    // An item that was due before it came, and one that never will be.
    let delayed = DelayQueue::unbounded();
    delayed.put(Delayed::until(Instant::now() + LONG, 2)).unwrap();
    in_vain(|limit| delayed.get_timeout(limit).is_ok());
    in_vain(|limit| block_on(delayed.get_async_timeout(limit)).is_ok());
    let now = Instant::now();
    for past in [Some(now), now.checked_sub(SHORT), now.checked_sub(LONG)].into_iter().flatten() {
        delayed.put(Delayed::until(past, 1)).unwrap();
        assert_eq!(delayed.get_timeout(NOTHING).map(|item| item.item), Ok(1));
        delayed.put(Delayed::until(past, 1)).unwrap();
        assert_eq!(block_on(delayed.get_async_timeout(EVERYTHING)).map(|item| item.item), Ok(1));
    }
}

#[test]
fn lone_ends() {
    macro_rules! ends {
        ($make:expr, $($lone:tt)?) => {{
            let ($($lone)? sender, mut receiver) = $make;
            in_vain(|limit| receiver.get_timeout(limit).is_ok());
            in_vain(|limit| block_on(receiver.get_async_timeout(limit)).is_ok());
            told(|limit| receiver.get_timeout(limit).is_ok(), || _ = sender.try_put(1));
            while receiver.try_get().is_ok() {}
            told(|limit| block_on(receiver.get_async_timeout(limit)).is_ok(), || _ = sender.try_put(1));
            while sender.try_put(1).is_ok() {}
            in_vain(|limit| sender.put_timeout(1, limit).is_ok());
            in_vain(|limit| block_on(sender.put_async_timeout(1, limit)).is_ok());
            told(|limit| sender.put_timeout(1, limit).is_ok(), || _ = receiver.try_get());
            while sender.try_put(1).is_ok() {}
            told(|limit| block_on(sender.put_async_timeout(1, limit)).is_ok(), || _ = receiver.try_get());
            while receiver.try_get().is_ok() {}
            there!(limit, sender.put_timeout(1, limit).is_ok() && receiver.get_timeout(limit).is_ok());
            there!(
                limit,
                block_on(sender.put_async_timeout(1, limit)).is_ok()
                    && block_on(receiver.get_async_timeout(limit)).is_ok()
            );
        }};
    }
    ends!(spsc::bounded(1), mut);
    ends!(spsc::bounded(4), mut);
    ends!(mpsc::bounded(1),);
    ends!(mpsc::bounded(4),);

    macro_rules! without_a_bound {
        ($make:expr, $($lone:tt)?) => {{
            let ($($lone)? sender, mut receiver) = $make;
            limits!(
                limit,
                receiver.get_timeout(limit).is_ok(),
                receiver.get_async_timeout(limit).await.is_ok(),
            );
            told(|limit| receiver.get_timeout(limit).is_ok(), || sender.put(1).unwrap());
            while receiver.try_get().is_ok() {}
            told(|limit| block_on(receiver.get_async_timeout(limit)).is_ok(), || sender.put(1).unwrap());
            there!(
                limit,
                sender.put_timeout(1, limit).is_ok() && receiver.get_timeout(limit).is_ok(),
                block_on(sender.put_async_timeout(1, limit)).is_ok()
                    && block_on(receiver.get_async_timeout(limit)).is_ok()
            );
        }};
    }
    without_a_bound!(spsc::unbounded(), mut);
    without_a_bound!(mpsc::unbounded(),);
}

#[test]
fn channels() {
    for awaited in [false, true] {
        let (sender, receiver) = oneshot::channel();
        let get = |limit| match awaited {
            true => block_on(receiver.get_async_timeout(limit)).is_ok(),
            false => receiver.get_timeout(limit).is_ok(),
        };
        in_vain(get);
        in_vain(|limit| sender.closed_timeout(limit).is_ok());
        in_vain(|limit| block_on(sender.closed_async_timeout(limit)).is_ok());
        let mut sender = Some(sender);
        told(get, || _ = sender.take().map(|sender| sender.send(1)));

        let (sender, receiver) = oneshot::channel::<u8>();
        let mut receiver = Some(receiver);
        let closed = |limit| match awaited {
            true => block_on(sender.closed_async_timeout(limit)).is_ok(),
            false => sender.closed_timeout(limit).is_ok(),
        };
        told(closed, || drop(receiver.take()));
        there!(limit, closed(limit));
        for limit in [NOTHING, EVERYTHING] {
            let (sender, receiver) = oneshot::channel();
            sender.send(1).unwrap();
            let got = match awaited {
                true => block_on(receiver.get_async_timeout(limit)),
                false => receiver.get_timeout(limit),
            };
            assert_eq!(got, Ok(1));
        }
    }

    let (shouts, mut ears) = broadcast::channel(2);
    limits!(limit, ears.get_timeout(limit).is_ok(), ears.get_async_timeout(limit).await.is_ok(),);
    for awaited in [false, true] {
        let is_told = |limit| match awaited {
            true => !block_on(ears.get_async_timeout(limit)).is_err_and(broadcast::ReceiveError::is_timeout),
            false => !ears.get_timeout(limit).is_err_and(broadcast::ReceiveError::is_timeout),
        };
        told(is_told, || _ = shouts.send(1));
        while !ears.is_empty() {
            _ = ears.try_get();
        }
    }
    there!(
        limit,
        shouts.send(1).is_ok() && ears.get_timeout(limit).is_ok(),
        shouts.send(1).is_ok() && block_on(ears.get_async_timeout(limit)).is_ok()
    );

    let topics = pubsub::PubSub::new(2);
    let mut all = topics.subscribe("all");
    limits!(limit, all.get_timeout(limit).is_ok(), all.get_async_timeout(limit).await.is_ok(),);
    for awaited in [false, true] {
        let is_told = |limit| match awaited {
            true => !block_on(all.get_async_timeout(limit)).is_err_and(broadcast::ReceiveError::is_timeout),
            false => !all.get_timeout(limit).is_err_and(broadcast::ReceiveError::is_timeout),
        };
        told(is_told, || _ = topics.publish("all", 1));
        while !all.is_empty() {
            _ = all.try_get();
        }
    }
    there!(
        limit,
        topics.publish("all", 1) == 1 && all.get_timeout(limit).is_ok(),
        topics.publish("all", 1) == 1 && block_on(all.get_async_timeout(limit)).is_ok()
    );

    let (board, mut eyes) = watch::channel(0);
    limits!(
        limit,
        eyes.changed_timeout(limit).is_ok(),
        eyes.changed_async_timeout(limit).await.is_ok(),
        _ = board.send(1)
    );
    _ = eyes.latest();
    limits!(
        limit,
        eyes.wait_for_timeout(|value| *value == 2, limit).is_ok(),
        eyes.wait_for_async_timeout(|value| *value == 2, limit).await.is_ok(),
    );
    told(|limit| eyes.wait_for_timeout(|value| *value == 2, limit).is_ok(), || _ = board.send(2));
    told(
        |limit| block_on(eyes.wait_for_async_timeout(|value| *value == 3, limit)).is_ok(),
        || _ = board.send(3),
    );
}
