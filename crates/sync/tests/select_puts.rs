//! Puts that may lose: where the item is meanwhile, and who hears of room.

mod common;

use common::{ByHand, LONG, SHORT};
use std::future::pending;
use std::thread;
use std::time::Instant;
use sync::park::block_on;
use sync::queue::GetError;
use sync::{Queue, select};

/// Another crate's select drops what lost, and knows no more of it.
#[test]
fn what_was_to_be_put_stays_where_it_is_until_the_future_is_polled() {
    let queue = Queue::rendezvous();
    let mut item = Some(1);
    let put = ByHand::waiting(queue.put_from_async(&mut item));
    assert_eq!((queue.try_get(), queue.get_timeout(SHORT)), (Err(GetError::Empty), Err(GetError::TimedOut)));
    assert!(put.is_told());
    drop(put);
    assert_eq!(item, Some(1));
    thread::scope(|scope| {
        let consumer = scope.spawn(|| queue.get());
        block_on(queue.put_from_async(&mut item)).unwrap();
        assert_eq!(consumer.join().unwrap(), Ok(1));
    });
    assert_eq!(item, None);
}

/// It is over before the poll of the arm is, so nothing of it could be taken back; and others may run on this thread meanwhile.
#[test]
fn a_blocking_wait_inside_an_arm_is_no_arm() {
    let queue = Queue::rendezvous();
    thread::scope(|scope| {
        let consumer = scope.spawn(|| {
            let start = Instant::now();
            while start.elapsed() < LONG {
                // It takes from a sender that waits, and never from one that only offers.
                if let Ok(item) = queue.try_get() {
                    return Some(item);
                }
                thread::yield_now();
            }
            queue.close();
            None
        });
        let won = select! {
            done = async { block_on(queue.put_async(7)) } => done,
            () = pending() => unreachable!(),
        };
        assert_eq!((consumer.join().unwrap(), won.is_ok()), (Some(7), true));
    });
}

/// The first was told of the room that the first `try_get` made.
#[test]
fn an_offer_that_nobody_polls_hides_no_room_from_the_next() {
    let queue = Queue::bounded(1);
    queue.put(0).unwrap();
    let (mut one, mut other) = (Some(1), Some(2));
    let first = ByHand::waiting(queue.put_from_async(&mut one));
    let second = ByHand::waiting(queue.put_from_async(&mut other));
    assert_eq!(queue.try_get(), Ok(0));
    assert!(first.is_told() && !second.is_told());
    assert_eq!(queue.try_get(), Err(GetError::Empty));
    assert!(second.is_told());
}
