//! The ways for one item, for the latest, and for all.

use super::{Witness, explore, join, poll_and_drop};
use crate::queue::broadcast::{self, ReceiveError};
use crate::queue::pubsub::PubSub;
use crate::queue::{GetError, oneshot, watch};
use shuttle::future::block_on;
use shuttle::rand::Rng;
use shuttle::thread;
use std::sync::Arc;

#[test]
fn an_item_is_taken_or_goes_with_the_channel() {
    explore(|| {
        let witness = Witness::new();
        let (sender, receiver) = oneshot::channel();
        let sending = thread::spawn({
            let witness = witness.clone();
            move || sender.send(witness.item(1)).map_err(|refused| refused.into_inner().number)
        });
        let receiving = thread::spawn(move || {
            let early = poll_and_drop(receiver.get_async());
            // One in two goes away without another look.
            early.or_else(|| {
                if shuttle::rand::thread_rng().gen_bool(0.5) {
                    Some(block_on(receiver.get_async()))
                } else {
                    None
                }
            })
        });
        let (sent, got) = (sending.join().unwrap(), receiving.join().unwrap());
        match got {
            Some(item) => assert_eq!((sent, item.map(|item| item.number).ok()), (Ok(()), Some(1))),
            None => assert!(matches!(sent, Ok(()) | Err(1))),
        }
        assert!(witness.is_last(), "the item leaks");
    });
}

#[test]
fn who_waits_for_one_item_learns_that_there_will_be_none() {
    explore(|| {
        let (sender, receiver) = oneshot::channel::<u32>();
        let (other_sender, other_receiver) = oneshot::channel::<u32>();
        let leaving = thread::spawn(move || drop((sender, other_receiver)));
        let waiting = thread::spawn(move || other_sender.closed());
        assert_eq!(receiver.get(), Err(GetError::Closed));
        waiting.join().unwrap();
        leaving.join().unwrap();
    });
}

#[test]
fn everybody_hears_all_or_is_told_what_he_missed() {
    const SENT: u32 = 5;
    explore(|| {
        let (sender, receiver) = broadcast::channel(2);
        let receivers = [0, 1, 2].map(|way| {
            let mut receiver = receiver.clone();
            thread::spawn(move || {
                let (mut heard, mut missed) = (Vec::new(), 0);
                loop {
                    let next = match way {
                        0 => receiver.get(),
                        1 => block_on(receiver.get_async()),
                        _ => match poll_and_drop(receiver.get_async()) {
                            Some(next) => next,
                            None => receiver.get(),
                        },
                    };
                    match next {
                        Ok(item) => heard.push(item),
                        Err(ReceiveError::Lagged(lost)) => missed += lost,
                        Err(why) => {
                            assert!(why.is_closed(), "{why}");
                            return (heard, missed);
                        }
                    }
                }
            })
        });
        drop(receiver);
        let senders = [0, 1].map(|first| {
            let sender = sender.clone();
            thread::spawn(move || (0..SENT).skip(first).step_by(2).for_each(|item| _ = sender.send(item)))
        });
        drop(sender);
        join(senders);
        for receiver in receivers {
            let (heard, missed) = receiver.join().unwrap();
            assert_eq!(heard.len() as u64 + missed, u64::from(SENT), "{heard:?}");
            for one in [0, 1] {
                assert!(heard.iter().filter(|item| *item % 2 == one).is_sorted(), "{heard:?}");
            }
        }
    });
}

/// Of what is published while he is subscribed, a subscriber hears all of his topic or is told what he missed; topics go with their last
/// subscriber, whoever publishes meanwhile.
#[test]
fn a_subscriber_hears_his_topic_alone() {
    const SENT: u32 = 4;
    explore(|| {
        let news = PubSub::new(2);
        let whole = news.subscribe(0);
        let subscribers = [0, 1].map(|topic| {
            let news = news.clone();
            thread::spawn(move || {
                let mut subscription = news.subscribe(topic);
                drop(news);
                let first = poll_and_drop(subscription.get_async());
                let heard = first.is_some_and(|item| item.is_ok_and(|item| item % 2 != topic));
                assert!(!heard, "of another topic");
            })
        });
        let hearing = thread::spawn(move || {
            let (mut whole, mut heard, mut missed) = (whole, Vec::new(), 0);
            for way in 0.. {
                match if way % 2 == 0 { whole.get() } else { block_on(whole.get_async()) } {
                    Ok(item) => heard.push(item),
                    Err(ReceiveError::Lagged(lost)) => missed += lost,
                    Err(why) => {
                        assert!(why.is_closed(), "{why}");
                        break;
                    }
                }
            }
            (heard, missed)
        });
        let publishers = [0, 1].map(|topic| {
            let news = news.clone();
            thread::spawn(move || {
                (0..SENT).map(|number| news.publish(&topic, 2 * number + topic)).for_each(|heard_by| {
                    assert!(heard_by <= 2 && (heard_by > 0 || topic == 1), "{heard_by} hear {topic}");
                });
            })
        });
        join(publishers);
        join(subscribers);
        assert_eq!(news.topics(), 1, "one has a subscriber");
        drop(news);
        let (heard, missed) = hearing.join().unwrap();
        assert_eq!(heard.len() as u64 + missed, u64::from(SENT), "{heard:?}");
        assert!(heard.is_sorted() && heard.iter().all(|item| item % 2 == 0), "{heard:?}");
    });
}

#[test]
fn the_latest_is_seen_whatever_was_written_over() {
    explore(|| {
        let (sender, receiver) = watch::channel(0);
        let sender = Arc::new(sender);
        let receivers = [false, true].map(|awaited| {
            let mut receiver = receiver.clone();
            thread::spawn(move || {
                let mut last = 0;
                loop {
                    if let Some(Ok(value)) = poll_and_drop(receiver.changed_async()) {
                        assert!(*value > last);
                        last = *value;
                    }
                    let next = if awaited { block_on(receiver.changed_async()) } else { receiver.changed() };
                    let Ok(value) = next else { return last };
                    assert!(*value > last, "an old value came after a newer one");
                    last = *value;
                }
            })
        });
        let senders = [(); 2].map(|()| {
            let sender = Arc::clone(&sender);
            thread::spawn(move || (0..2).for_each(|_| sender.send_modify(|value| *value += 1)))
        });
        join(senders);
        drop(sender);
        for receiver in receivers {
            assert_eq!(receiver.join().unwrap(), 4, "the last one is missed");
        }
    });
}
