//! The queue that hands items from frame to frame: each item arrives or comes back, whoever gives up meanwhile, and nobody waits
//! for what is there.
//!
//! Items are loom's `Arc`s, so one that is lost or comes twice is a leak or a double free, which loom reports.

use super::poll_and_drop;
use crate::queue::hand::Hand;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

type Item = Arc<u32>;

fn item(number: u32) -> Item {
    Arc::new(number)
}

fn queue(has_place: bool) -> Arc<Hand<Item>> {
    Arc::new(Hand::new(has_place))
}

/// A deadline passes at once under loom.
fn late() -> Option<Instant> {
    Some(Instant::now())
}

/// Three threads are many for loom: at most two of them are interrupted at a time.
fn model_of_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Runs `other` beside `this`, with the same queue.
fn beside<R: 'static, S>(
    queue: &Arc<Hand<Item>>,
    other: impl FnOnce(&Hand<Item>) -> R + 'static,
    this: impl FnOnce(&Hand<Item>) -> S,
) -> (R, S) {
    let shared = Arc::clone(queue);
    let other = thread::spawn(move || other(&shared));
    let this = this(queue);
    (other.join().unwrap(), this)
}

#[test]
fn two_threads_meet() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let ((), sum) = beside(
                &queue,
                |queue| (1..3).for_each(|number| queue.put(item(number), None).unwrap()),
                |queue| *queue.get(None).unwrap() * 10 + *queue.get(None).unwrap(),
            );
            assert_eq!(sum, 12);
        });
    }
}

#[test]
fn a_receiver_that_is_late_has_the_item_or_leaves_it() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let (sent, got) = beside(&queue, |queue| queue.try_put(item(1)), |queue| queue.get(late()));
            let left = queue.try_get();
            assert_eq!(sent.is_ok(), got.is_ok() || left.is_ok());
            assert!(got.is_err() || left.is_err());
        });
    }
}

#[test]
fn a_sender_that_is_late_has_sent_the_item_or_has_it_back() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let filled = has_place.then(|| queue.try_put(item(7)).unwrap());
            let (sent, got) = beside(&queue, |queue| queue.put(item(1), late()), |queue| queue.try_get());
            let mut came = usize::from(got.is_ok());
            while queue.try_get().is_ok() {
                came += 1;
            }
            assert_eq!(came, usize::from(sent.is_ok()) + usize::from(filled.is_some()));
            if let Err(refused) = sent {
                assert_eq!(*refused.into_inner(), 1);
            }
        });
    }
}

#[test]
fn both_are_late() {
    loom::model(|| {
        let queue = queue(false);
        let (sent, got) = beside(&queue, |queue| queue.put(item(1), late()), |queue| queue.get(late()));
        assert_eq!(sent.is_ok(), got.is_ok());
    });
}

#[test]
fn closing_ends_both_waits_and_loses_nothing() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let closer = Arc::clone(&queue);
            let closer = thread::spawn(move || closer.close());
            let (sent, got) = beside(&queue, |queue| queue.put(item(1), None), |queue| queue.get(None));
            closer.join().unwrap();
            assert_eq!(sent.is_ok(), got.is_ok() || queue.try_get().is_ok());
        });
    }
}

#[test]
fn closing_wakes_tasks() {
    loom::model(|| {
        let queue = queue(false);
        let ((), got) = beside(&queue, |queue| queue.close(), |queue| block_on(queue.get_async()));
        assert!(got.is_err());
        assert!(queue.try_put(item(1)).is_err());
    });
}

#[test]
fn a_task_is_told_and_comes() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let (sent, got) =
                beside(&queue, |queue| queue.put(item(1), None), |queue| block_on(queue.get_async()));
            assert!(sent.is_ok() && got.is_ok());
        });
    }
}

/// It may find that there is an item, then that there is none, and that there is another before it waits on.
#[test]
fn a_told_task_whose_item_another_takes_has_the_next() {
    loom::model(|| {
        let queue = queue(true);
        let (taken, got) = beside(
            &queue,
            |queue| {
                queue.try_put(item(1)).unwrap();
                let taken = queue.try_get().is_ok();
                if taken {
                    queue.try_put(item(2)).unwrap();
                }
                taken
            },
            |queue| *block_on(queue.get_async()).unwrap(),
        );
        assert_eq!(got, 1 + u32::from(taken));
    });
}

#[test]
fn a_task_sends_to_a_thread() {
    loom::model(|| {
        let queue = queue(false);
        let (got, sent) = beside(&queue, |queue| queue.get(None), |queue| block_on(queue.put_async(item(1))));
        assert!(sent.is_ok() && got.is_ok());
    });
}

#[test]
fn a_task_that_sends_and_is_polled_with_another_waker_is_told_by_the_last_one() {
    loom::model(|| {
        let queue = queue(false);
        let receiver = Arc::clone(&queue);
        let receiver = thread::spawn(move || receiver.get(None));
        let mut put = Box::pin(queue.put_async(item(1)));
        if put.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            assert!(block_on(put).is_ok());
        }
        assert!(receiver.join().unwrap().is_ok());
    });
}

#[test]
fn a_told_task_that_goes_away_has_the_next_one_served() {
    for has_place in [false, true] {
        model_of_three(move || {
            let queue = queue(has_place);
            let first = Arc::clone(&queue);
            let mut leaver = Box::pin(async move { first.get_async().await.is_ok() });
            assert!(leaver.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let leaver = thread::spawn(move || drop(leaver));
            let (sent, got) = beside(&queue, |queue| queue.put(item(1), None), |queue| queue.get(None));
            assert!(sent.is_ok() && got.is_ok());
            leaver.join().unwrap();
        });
    }
}

#[test]
fn what_a_task_was_told_of_by_one_who_does_not_wait_stays() {
    loom::model(|| {
        let queue = queue(false);
        let (sent, ()) =
            beside(&queue, |queue| queue.try_put(item(1)), |queue| poll_and_drop(queue.get_async()));
        // The future took it, or it was left to whoever comes next; or there was nobody yet.
        if queue.len() == 1 {
            assert!(sent.is_ok() && queue.try_get().is_ok());
        }
    });
}

/// A future that offers an item, polled once.
fn offering(queue: &Arc<Hand<Item>>, number: u32) -> Pin<Box<dyn Future<Output = bool>>> {
    let queue = Arc::clone(queue);
    let mut offer = Box::pin(async move { queue.offer(Some(item(number))).await.is_ok() });
    assert!(offer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    offer
}

#[test]
fn who_offers_an_item_and_who_waits_for_one_meet() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let filled = has_place.then(|| queue.try_put(item(7)).unwrap());
            let (got, sent) = beside(
                &queue,
                move |queue| {
                    filled.map(|()| queue.try_get().unwrap());
                    *queue.get(None).unwrap()
                },
                |queue| block_on(queue.offer(Some(item(1)))),
            );
            assert!(got == 1 && sent.is_ok());
        });
    }
}

#[test]
fn two_tasks_meet_where_one_offers() {
    loom::model(|| {
        let queue = queue(false);
        let (got, sent) = beside(
            &queue,
            |queue| *block_on(queue.get_async()).unwrap(),
            |queue| block_on(queue.offer(Some(item(1)))),
        );
        assert!(got == 1 && sent.is_ok());
    });
}

#[test]
fn what_is_offered_stays_until_the_future_is_polled() {
    for has_place in [false, true] {
        loom::model(move || {
            let queue = queue(has_place);
            let filled = has_place.then(|| queue.try_put(item(7)).unwrap());
            let mut own = Some(item(1));
            let (got, ()) = beside(
                &queue,
                move |queue| (filled.map(|()| queue.try_get().is_ok()), queue.get(late())),
                |queue| poll_and_drop(queue.offer(&mut own)),
            );
            // It was put in that one poll, or not at all.
            let came = got.1.or_else(|_| queue.try_get());
            assert_eq!(came.is_ok(), own.is_none());
        });
    }
}

#[test]
fn a_told_offer_that_goes_away_has_the_next_one_told() {
    for has_place in [false, true] {
        model_of_three(move || {
            let queue = queue(has_place);
            let filled = has_place.then(|| queue.try_put(item(7)).unwrap());
            let leaver = offering(&queue, 10);
            let leaver = thread::spawn(move || drop(leaver));
            let (got, sent) = beside(
                &queue,
                move |queue| {
                    filled.map(|()| queue.try_get().unwrap());
                    *queue.get(None).unwrap()
                },
                |queue| block_on(queue.offer(Some(item(1)))),
            );
            assert!(got == 1 && sent.is_ok());
            leaver.join().unwrap();
        });
    }
}

/// The receiver is told of the sender's item, and then that goes away.
#[test]
fn a_sender_that_leaves_makes_way_for_an_offer() {
    model_of_three(|| {
        let queue = queue(false);
        let leaver = Arc::clone(&queue);
        let leaver = thread::spawn(move || leaver.put(item(10), late()).is_ok());
        let (got, sent) = beside(
            &queue,
            |queue| {
                let first = *block_on(queue.get_async()).unwrap();
                if first == 10 { first + *block_on(queue.get_async()).unwrap() } else { first }
            },
            |queue| block_on(queue.offer(Some(item(1)))),
        );
        assert!(sent.is_ok());
        let left = queue.try_get().is_ok();
        assert_eq!(leaver.join().unwrap(), got == 11 || left);
    });
}

#[test]
fn closing_ends_an_offer() {
    loom::model(|| {
        let queue = queue(false);
        let mut own = Some(item(1));
        let ((), sent) = beside(&queue, |queue| queue.close(), |queue| block_on(queue.offer(&mut own)));
        assert!(sent.is_err() && own.is_some());
    });
}

#[test]
fn two_senders_and_one_receiver() {
    for has_place in [false, true] {
        model_of_three(move || {
            let queue = queue(has_place);
            let second = Arc::clone(&queue);
            let second = thread::spawn(move || second.put(item(10), None).unwrap());
            let ((), sum) = beside(
                &queue,
                |queue| queue.put(item(1), None).unwrap(),
                |queue| *queue.get(None).unwrap() + *queue.get(None).unwrap(),
            );
            second.join().unwrap();
            assert_eq!(sum, 11);
        });
    }
}

#[test]
fn a_sender_that_leaves_beside_one_that_stays() {
    model_of_three(|| {
        let queue = queue(false);
        let leaver = Arc::clone(&queue);
        let leaver = thread::spawn(move || leaver.put(item(10), late()).is_ok());
        let (sent, got) = beside(
            &queue,
            |queue| queue.put(item(1), None),
            |queue| {
                let first = *queue.get(None).unwrap();
                // Who was the first to be taken may be the one who could have left.
                if first == 10 { first + *queue.get(None).unwrap() } else { first }
            },
        );
        assert!(sent.is_ok());
        let left = queue.try_get().is_ok();
        let stayed = leaver.join().unwrap();
        assert_eq!(stayed, got == 11 || left);
    });
}
