//! Items for those who have asked for their topic.
//!
//! # Waiting
//! As [`broadcast`](super::broadcast#waiting).

use super::broadcast::{self, ReceiveError};
use crate::Mutex;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Topics, and a [broadcast] to the subscribers of each.
///
/// A topic comes into being with its first subscription and vanishes with its last, so any number of topics costs nothing
/// when nobody listens. Publishing never waits for a subscriber: who is more than `capacity` items behind is told how many
/// he [lost](ReceiveError::Lagged).
///
/// Clones are handles to the same topics. When the last one is dropped, subscribers get what is left and then
/// [`ReceiveError::Closed`].
///
/// Topics are found by [`Ord`], under a lock for which other publishers and subscribers wait, and which a comparison must not
/// take again. A comparison that panics leaves everything as it was.
///
/// # Examples
/// ```
/// use sync::queue::pubsub::PubSub;
///
/// let news = PubSub::new(8);
/// let mut sport = news.subscribe("sport");
/// assert_eq!(news.publish("sport", "1:0"), 1);
/// assert_eq!(news.publish("weather", "rain"), 0);
/// assert_eq!(sport.get()?, "1:0");
/// drop(sport);
/// assert_eq!(news.topics(), 0);
/// # Ok::<(), sync::queue::broadcast::ReceiveError>(())
/// ```
pub struct PubSub<K, T> {
    shared: Arc<Shared<K, T>>,
}

struct Shared<K, T> {
    capacity: usize,
    topics: Mutex<BTreeMap<K, broadcast::Sender<T>>>,
}

/// Where the items of one topic arrive. Dropping it unsubscribes.
pub struct Subscription<K: Ord, T> {
    /// There until this is dropped.
    receiver: Option<broadcast::Receiver<T>>,
    topic: K,
    /// Subscribers do not keep the topics open.
    shared: Weak<Shared<K, T>>,
}

impl<K: Ord, T> PubSub<K, T> {
    /// No topics yet. Each will keep up to `capacity` items for its slowest subscriber.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a topic needs a capacity of at least 1");
        PubSub { shared: Arc::new(Shared { capacity, topics: Mutex::new(BTreeMap::new()) }) }
    }

    /// Sends `item` to all who have subscribed to `topic`, and says how many they are. If there are none, it is dropped.
    /// Never waits for a subscriber, but for other publishers, as long as finding the topic takes. One allocation.
    ///
    /// # Panics
    /// If comparing topics does: nothing is sent then. Also if a waker of somebody who waits does, once all the others are woken.
    pub fn publish<Q>(&self, topic: &Q, item: T) -> usize
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let sender = self.shared.topics.lock().get(topic).cloned();
        // Sent, woken and dropped without the lock. Who has just unsubscribed may have been the last.
        sender.map_or(0, |sender| sender.send(item).unwrap_or(0))
    }

    /// Subscribes to what is published on `topic` from now on.
    pub fn subscribe(&self, topic: K) -> Subscription<K, T>
    where
        K: Clone,
    {
        let key = topic.clone();
        let mut topics = self.shared.topics.lock();
        let receiver = match topics.get(&key) {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = broadcast::channel(self.shared.capacity);
                topics.insert(key, sender);
                receiver
            }
        };
        drop(topics);
        Subscription { receiver: Some(receiver), topic, shared: Arc::downgrade(&self.shared) }
    }

    /// How many topics have subscribers now.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.shared.topics.lock().len()
    }

    /// How many subscribers a topic has now.
    #[must_use]
    pub fn subscribers<Q>(&self, topic: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.shared.topics.lock().get(topic).map_or(0, broadcast::Sender::receivers)
    }
}

impl<K, T> Clone for PubSub<K, T> {
    fn clone(&self) -> Self {
        PubSub { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Ord, T> Subscription<K, T> {
    /// What it is subscribed to.
    pub fn topic(&self) -> &K {
        &self.topic
    }

    /// How many items it is still to get; those that it has lost do not count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.receiver.as_ref().map_or(0, broadcast::Receiver::len)
    }

    /// Whether there is nothing to get now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn receiver(&mut self) -> &mut broadcast::Receiver<T> {
        match &mut self.receiver {
            Some(receiver) => receiver,
            None => unreachable!("it is there until the subscription is dropped"),
        }
    }
}

impl<K: Ord, T: Clone> Subscription<K, T> {
    /// Waits for the next item. Blocks.
    ///
    /// # Errors
    /// [`ReceiveError::Lagged`] if items were lost before it, once; [`ReceiveError::Closed`] if there will be none.
    ///
    /// # Panics
    /// If cloning the item does; it counts as got.
    pub fn get(&mut self) -> Result<T, ReceiveError> {
        self.receiver().get()
    }

    /// The next item if it is there.
    ///
    /// # Errors
    /// As [`get`](Subscription::get), and [`ReceiveError::Empty`] if there is none now.
    ///
    /// # Panics
    /// As [`get`](Subscription::get).
    pub fn try_get(&mut self) -> Result<T, ReceiveError> {
        self.receiver().try_get()
    }

    /// Waits for the next item, at most `limit`. Blocks.
    ///
    /// # Errors
    /// As [`get`](Subscription::get), and [`ReceiveError::TimedOut`] if there was none by then.
    ///
    /// # Panics
    /// As [`get`](Subscription::get).
    pub fn get_timeout(&mut self, limit: Duration) -> Result<T, ReceiveError> {
        self.receiver().get_timeout(limit)
    }

    /// Waits for the next item.
    ///
    /// # Errors
    /// As [`get`](Subscription::get).
    ///
    /// # Panics
    /// As [`get`](Subscription::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async(&mut self) -> Result<T, ReceiveError> {
        self.receiver().get_async().await
    }

    /// Waits for the next item, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`get_timeout`](Subscription::get_timeout).
    ///
    /// # Panics
    /// As [`get`](Subscription::get).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn get_async_timeout(&mut self, limit: Duration) -> Result<T, ReceiveError> {
        self.receiver().get_async_timeout(limit).await
    }
}

impl<K: Ord, T> Drop for Subscription<K, T> {
    fn drop(&mut self) {
        drop(self.receiver.take());
        let Some(shared) = self.shared.upgrade() else { return };
        let mut topics = shared.topics.lock();
        // Whoever subscribed in between has found the topic, or made it anew.
        let vanished = match topics.get(&self.topic) {
            Some(sender) if sender.receivers() == 0 => topics.remove_entry(&self.topic),
            _ => None,
        };
        // The key's destructor is anybody's code.
        drop(topics);
        drop(vanished);
    }
}

impl<K, T> fmt::Debug for PubSub<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = self.shared.topics.lock().len();
        f.debug_struct("PubSub").field("topics", &topics).finish_non_exhaustive()
    }
}

impl<K: Ord + fmt::Debug, T> fmt::Debug for Subscription<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
