//! Every item for every receiver, and items by topic.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, many};
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::thread;
use std::time::{Duration, Instant};
use sync::catch;
use sync::park::block_on;
use sync::queue::broadcast::{ReceiveError, Receiver, Sender, channel};
use sync::queue::pubsub::{PubSub, Subscription};

type Way = fn(&mut Receiver<u32>) -> Result<u32, ReceiveError>;

const WAYS: [Way; 4] = [
    |receiver| receiver.get(),
    |receiver| receiver.get_timeout(LONG),
    |receiver| block_on(receiver.get_async()),
    |receiver| block_on(receiver.get_async_timeout(Duration::MAX)),
];

#[test]
fn five_ways() {
    let (sender, mut receiver) = channel(8);
    assert_eq!(receiver.try_get(), Err(ReceiveError::Empty));
    let late: [Way; 2] =
        [|receiver| receiver.get_timeout(SHORT), |receiver| block_on(receiver.get_async_timeout(SHORT))];
    for way in late {
        let begin = Instant::now();
        assert_eq!(way(&mut receiver), Err(ReceiveError::TimedOut));
        assert!(begin.elapsed() >= SHORT);
    }
    let waiters = WAYS.map(|way| {
        let mut receiver = sender.subscribe();
        thread::spawn(move || (way(&mut receiver), way(&mut receiver), way(&mut receiver)))
    });
    assert_eq!(sender.send(1).unwrap(), 5);
    let another = sender.clone();
    drop(sender);
    another.send(2).unwrap();
    drop(another);
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), (Ok(1), Ok(2), Err(ReceiveError::Closed)));
    }
    assert_eq!((receiver.try_get(), receiver.len()), (Ok(1), 1));
    assert_eq!((receiver.try_get(), receiver.try_get()), (Ok(2), Err(ReceiveError::Closed)));
}

#[test]
fn who_is_slow_is_told_what_he_lost_in_every_way() {
    for way in WAYS {
        let (sender, mut slow) = channel(2);
        let mut fast = slow.clone();
        for number in 1..=5 {
            sender.send(number).unwrap();
            assert_eq!(fast.try_get(), Ok(number));
        }
        assert_eq!((slow.len(), way(&mut slow)), (2, Err(ReceiveError::Lagged(3))));
        assert_eq!((way(&mut slow), way(&mut slow)), (Ok(4), Ok(5)));
    }
}

#[test]
fn a_clone_gets_what_the_original_has_still_to_get_and_is_told_what_both_have_lost() {
    let items = Counted::default();
    let (sender, mut original) = channel(2);
    for number in 1..=3 {
        sender.send((number, items.clone())).unwrap();
    }
    let mut clone = original.clone();
    let get = |receiver: &mut Receiver<(u32, Counted)>| receiver.try_get().map(|(number, _)| number);
    assert_eq!((clone.len(), sender.receivers()), (2, 2));
    assert_eq!(get(&mut original), Err(ReceiveError::Lagged(1)));
    assert_eq!((get(&mut original), get(&mut original)), (Ok(2), Ok(3)));
    assert_eq!(items.others(), 2, "the clone is still to get them");
    let third = clone.clone();
    assert_eq!(get(&mut clone), Err(ReceiveError::Lagged(1)));
    assert_eq!((get(&mut clone), get(&mut clone)), (Ok(2), Ok(3)));
    assert_eq!(items.others(), 2);
    drop(third);
    assert_eq!(
        (items.others(), get(&mut clone), get(&mut original)),
        (0, Err(ReceiveError::Empty), Err(ReceiveError::Empty))
    );
}

#[test]
fn without_a_receiver_the_item_comes_back() {
    let (sender, receiver) = channel(1);
    drop(receiver);
    assert_eq!(sender.send(1).unwrap_err().into_inner(), 1);
    let mut late = sender.subscribe();
    assert_eq!(sender.send(2).unwrap(), 1);
    assert_eq!(late.get(), Ok(2));
}

#[test]
fn an_item_is_kept_no_longer_than_somebody_is_to_get_it() {
    let items = Counted::default();
    let (sender, mut first) = channel(4);
    let second = sender.subscribe();
    for _ in 0..3 {
        sender.send(items.clone()).unwrap();
    }
    assert_eq!(items.others(), 3);
    drop(first.get().unwrap());
    assert_eq!(items.others(), 3, "the other one is still to get it");
    drop(second);
    assert_eq!(items.others(), 2);
    drop(first);
    assert_eq!(items.others(), 0);
}

#[test]
fn polled_once_and_dropped() {
    let (sender, mut receiver) = channel(1);
    for _ in 0..many() {
        drop(ByHand::waiting(receiver.get_async()));
    }
    let waiting = ByHand::waiting(receiver.get_async());
    sender.send(1).unwrap();
    assert!(waiting.is_told());
    drop(waiting);
    assert_eq!(receiver.try_get(), Ok(1), "nothing is lost by dropping the future");
}

/// Cannot be cloned while the thread says so.
#[derive(Debug)]
struct Fragile(Counted);

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!PANICS.get(), "a panic that the test asked for");
        Fragile(self.0.clone())
    }
}

#[test]
fn a_receiver_that_goes_does_not_wait_for_whoever_sends_meanwhile() {
    /// Sends another of its kind when it is dropped; not for ever, so that the test can fail.
    struct Echo {
        sender: Option<Sender<Echo>>,
        sent: Arc<AtomicUsize>,
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            let Some(sender) = self.sender.take().filter(|_| self.sent.load(Ordering::Relaxed) < 100) else {
                return;
            };
            let another = Echo { sender: Some(sender.clone()), sent: Arc::clone(&self.sent) };
            match sender.send(another) {
                Ok(_) => _ = self.sent.fetch_add(1, Ordering::Relaxed),
                Err(refused) => refused.into_inner().sender = None,
            }
        }
    }

    let (sender, receiver) = channel(2);
    let sent = Arc::default();
    sender.send(Echo { sender: Some(sender.clone()), sent: Arc::clone(&sent) }).unwrap();
    drop(receiver);
    assert_eq!(sent.load(Ordering::Relaxed), 0, "it was still there for what its items sent");
    assert_eq!(sender.receivers(), 0);
}

#[test]
fn a_clone_that_panics_costs_one_receiver_one_item() {
    let items = Counted::default();
    let (sender, mut first) = channel(4);
    let mut second = sender.subscribe();
    sender.send(Fragile(items.clone())).unwrap();
    sender.send(Fragile(items.clone())).unwrap();
    PANICS.set(true);
    assert!(catch(|| first.get().is_ok()).is_err());
    // The last one needs no clone.
    assert!(second.get().is_ok());
    PANICS.set(false);
    assert_eq!(first.len(), 1);
    assert!(first.get().is_ok() && second.get().is_ok());
    assert_eq!(items.others(), 0);
}

/// Panics when it is dropped, if it is to.
#[derive(Clone)]
struct Bad(bool);

impl Drop for Bad {
    fn drop(&mut self) {
        // A second panic would end the process.
        assert!(!self.0 || thread::panicking(), "a panic that the test asked for");
    }
}

#[test]
fn an_item_whose_destructor_panics_makes_room_all_the_same() {
    let (sender, mut slow) = channel(1);
    assert!(sender.send(Bad(true)).is_ok());
    let mut quick = sender.subscribe();
    let waiting = ByHand::waiting(quick.get_async());
    assert!(catch(|| drop(sender.send(Bad(false)))).is_err(), "the panic goes on");
    assert!(waiting.is_told(), "who waits hears nothing of the item");
    drop(waiting);
    assert!(quick.get().is_ok() && quick.is_empty());
    assert!(matches!(slow.get(), Err(ReceiveError::Lagged(1))));
    assert!(slow.get().is_ok() && slow.is_empty());
}

#[test]
fn a_waker_that_panics_keeps_the_item_from_nobody() {
    let (sender, mut first) = channel(1);
    let mut second = sender.subscribe();
    {
        let mut bomb = Box::pin(first.get_async());
        assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
        let waiting = ByHand::waiting(second.get_async());
        assert!(catch(|| sender.send(1)).is_err());
        assert!(waiting.is_told());
    }
    assert_eq!((first.try_get(), second.try_get()), (Ok(1), Ok(1)));
}

#[test]
fn a_topic_lives_as_long_as_its_subscribers() {
    let hub = PubSub::new(2);
    assert_eq!(hub.publish("a", 0), 0);
    let mut first = hub.subscribe("a");
    let mut second = hub.subscribe("a");
    let mut other = hub.subscribe("b");
    assert_eq!((hub.topics(), hub.subscribers("a"), *other.topic()), (2, 2, "b"));
    assert_eq!(hub.publish("a", 1), 2);
    assert_eq!((first.get(), second.get()), (Ok(1), Ok(1)));
    assert_eq!(other.try_get(), Err(ReceiveError::Empty));
    drop(first);
    assert_eq!(hub.topics(), 2);
    for number in 2..=4 {
        hub.publish("a", number);
    }
    assert_eq!(second.get_timeout(LONG), Err(ReceiveError::Lagged(1)));
    assert_eq!(block_on(second.get_async()), Ok(3));
    drop(second);
    assert_eq!(hub.topics(), 1);
    let clone = hub.clone();
    drop(hub);
    clone.publish("b", 5);
    drop(clone);
    assert_eq!(block_on(other.get_async_timeout(LONG)), Ok(5));
    assert_eq!(other.get(), Err(ReceiveError::Closed));
}

#[test]
fn subscribers_come_and_go_while_others_publish() {
    let hub = PubSub::new(4);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..if cfg!(miri) { 10 } else { 200 } {
                    let mut subscription = hub.subscribe(number % 2);
                    assert!(hub.publish(&(number % 2), number) > 0, "this one has subscribed");
                    assert!(
                        subscription.try_get() != Err(ReceiveError::Empty),
                        "it was sent to this one as well"
                    );
                }
            });
        }
    });
    assert_eq!(hub.topics(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    Get(u8, usize),
    Subscribe(u8),
    Leave(u8, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let topic = 0..3_u8;
    let step = prop_oneof![
        4 => topic.clone().prop_map(Step::Send),
        4 => (topic.clone(), 0..4_usize).prop_map(|(topic, index)| Step::Get(topic, index)),
        2 => topic.clone().prop_map(Step::Subscribe),
        1 => (topic, 0..4_usize).prop_map(|(topic, index)| Step::Leave(topic, index)),
    ];
    proptest::collection::vec(step, 0..80)
}

/// What a subscriber has still to get: everything, of which only the end is left in the ring.
#[derive(Default)]
struct Pending(Vec<u32>);

type Subscriber = (Subscription<u8, u32>, Pending);

impl Pending {
    fn get(&mut self, ring: &[u32]) -> Result<u32, ReceiveError> {
        let lost = self.0.iter().take_while(|item| !ring.contains(item)).count();
        if lost > 0 {
            self.0.drain(..lost);
            return Err(ReceiveError::Lagged(lost as u64));
        }
        if self.0.is_empty() { Err(ReceiveError::Empty) } else { Ok(self.0.remove(0)) }
    }
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn every_topic_is_a_plain_ring(capacity in 1..4_usize, steps in steps()) {
        let hub = PubSub::new(capacity);
        let mut subscribed: BTreeMap<u8, Vec<Subscriber>> = BTreeMap::new();
        let mut rings: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
        let mut next = 0..;
        for step in steps {
            match step {
                Step::Send(topic) => {
                    let item = next.next().unwrap();
                    let all = subscribed.entry(topic).or_default();
                    prop_assert_eq!(hub.publish(&topic, item), all.len());
                    let ring = rings.entry(topic).or_default();
                    ring.push(item);
                    let too_many = ring.len().saturating_sub(capacity);
                    ring.drain(..too_many);
                    all.iter_mut().for_each(|(_, pending)| pending.0.push(item));
                }
                Step::Get(topic, index) => {
                    let all = subscribed.entry(topic).or_default();
                    if !all.is_empty() {
                        let index = index % all.len();
                        let (subscription, pending) = &mut all[index];
                        prop_assert_eq!(subscription.try_get(), pending.get(rings.entry(topic).or_default()));
                    }
                }
                Step::Subscribe(topic) => {
                    let all = subscribed.entry(topic).or_default();
                    all.push((hub.subscribe(topic), Pending::default()));
                }
                Step::Leave(topic, index) => {
                    let all = subscribed.entry(topic).or_default();
                    if !all.is_empty() {
                        all.remove(index % all.len());
                    }
                }
            }
            prop_assert_eq!(hub.topics(), subscribed.values().filter(|all| !all.is_empty()).count());
        }
    }
}
