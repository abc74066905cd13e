//! A bounded channel: many senders in many processes, one receiver.
//!
//! The messages wait in the queue of a socket, where the system keeps them whole and in order, whoever dies. What a socket
//! cannot do is count them, and that is what the rest is for. These are the parts, all of them descriptors:
//!
//! ```text
//!   senders (any number)                                   receiver (one)
//!   ────────────────────                                   ──────────────
//!   permits ◄──── as many as the channel has free places ──── permits
//!   baton_out ◄── the baton: the writing end of the segment ── baton_in      (senders hold both ends)
//!                 segment ════ messages ════════════════════► segment
//!   line ──────── further segments; its end is the end ─────► line
//! ```
//!
//! Who wants to send **takes the baton**: receives the packet in which the writing end of the current segment travels, so
//! that it is his alone. With it in hand he takes a permit, sends, and puts the baton back. He never waits with the baton in
//! hand. The receiver gives a permit for each message that it takes.
//!
//! 1. The baton is in the queue, in one sender's hand, or lost. It is lost only with its holder: the system closes what he
//!    held. Then the segment has no writing end any more, and the receiver, behind the last message in it, finds its
//!    end. Only then. So the receiver knows, without asking anyone, that **nobody sends now, and nothing is under way**.
//! 2. That is when it sets things right: no permits but those that it gives now, as many as the channel has places, a new
//!    segment, a new baton. Until then senders wait for the baton, as they wait when the channel is full.
//! 3. In between, permits + messages in segments + the holder's permit = capacity. So there are never more messages than
//!    places, and a permit that was lost comes back by 2.
//! 4. When a segment's own buffer is full, while there are places left, the holder makes another one: sends its reading
//!    end along the line, **then** puts its writing end back as the baton, then closes the old one. So the receiver,
//!    at the end of a segment, finds the next one in the line, or else there is none.
//! 5. All senders have gone when the line has ended; the receiver has gone when the line has ended at the other side.
//!    Whoever waits for anything waits for that too.
//!
//! `docs/design/ipc.md` goes through a sender's death at each step, and says what else was considered.

mod receiving;
mod sending;

#[cfg(test)]
mod crash;
#[cfg(not(test))]
use not_in_tests as crash;

use crate::carry::{carry, carry_async};
use crate::error::{RecvError, SendError};
use crate::handoff::{self, Descriptor, Lent, Parcel};
use crate::link::{Link, LinkError};
use crate::sys::{self, AsFd};
use receiving::Receiving;
use sending::Sending;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use sync::timer;

/// A channel that holds at most `capacity` messages: who sends when it is full waits.
///
/// Senders can be cloned and sent to other processes, as arguments of those that `procs` starts or inside messages. The
/// receiver is one, and can be sent to another process too. The bound holds across all of them.
///
/// It takes 8 descriptors, and one more for every 200 messages or so that wait in it; a sender in another process takes 4.
///
/// # Errors
/// `Unsupported` on systems other than Linux; else what the system says: too many descriptors, no memory.
///
/// # Panics
/// If `capacity` is 0: such a channel would never have room.
///
/// # Examples
/// ```
/// # #[cfg(target_os = "linux")] {
/// let (sender, receiver) = ipc::channel::<(u32, String)>(2)?;
/// let other = sender.clone();
/// let thread = std::thread::spawn(move || other.send((1, "one".to_owned())));
/// sender.send((2, "two".to_owned()))?;
/// thread.join().map_err(|_| "it panicked")??;
/// drop(sender);
///
/// let mut received = receiver.iter().collect::<Result<Vec<_>, _>>()?;
/// received.sort();
/// assert_eq!(received, [(1, "one".to_owned()), (2, "two".to_owned())]);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "Queue")]
#[doc(alias = "SimpleQueue")]
#[track_caller]
pub fn channel<T>(capacity: u32) -> io::Result<(Sender<T>, Receiver<T>)> {
    assert!(capacity > 0, "a channel needs a capacity of at least 1");
    let (baton_in, baton_out) = sys::packet_pair()?;
    let (line, receiving_line) = sys::packet_pair()?;
    let permits = sys::permits()?;
    let receiving = Receiving::new(capacity, baton_in.try_clone()?, receiving_line, permits.try_clone()?)?;
    let bytes_max = AtomicU64::new(Link::BYTES_MAX);
    let sending = Arc::new(Sending { baton_in, baton_out, line, permits, bytes_max });
    Ok((Sender { sending, values: PhantomData }, Receiver { receiving, values: PhantomData }))
}

/// The sending side of a [`channel`]. Clones are senders of the same channel.
///
/// A message is in the channel whole or not at all: a sender that is killed at any instruction has sent it or has not, and
/// nothing that it held is lost to the others. If it is killed in the very moment of sending, the others wait, as if the
/// channel were full, until the receiver has received what is there and looks for more.
///
/// The receiver sees that the channel is disconnected when all senders in all processes are dropped.
#[doc(alias = "Queue")]
pub struct Sender<T> {
    sending: Arc<Sending>,
    values: PhantomData<fn(T)>,
}

impl<T> Sender<T> {
    /// Changes how many bytes a message may have that this sender or its clones in this process send. It is
    /// [`Link::BYTES_MAX`] at first. The receiver has a limit of its own.
    pub fn set_bytes_max(&self, bytes: u64) {
        // Relaxed, here and below: the number guards no other data.
        self.sending.bytes_max.store(bytes, Ordering::Relaxed);
    }
}

impl<T: Serialize> Sender<T> {
    /// Sends a value, waiting for room. Blocks.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    #[doc(alias = "put")]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        carry(value, |parcel| self.sending.send(parcel, None))
    }

    /// Sends a value if there is room.
    ///
    /// It waits for others who send in the same moment, some microseconds; at most 10 ms, and then takes the channel for
    /// full.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    #[doc(alias = "put_nowait")]
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        carry(value, |parcel| self.sending.try_send(parcel))
    }

    /// Sends a value, waiting at most `limit` for room. Blocks.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    pub fn send_timeout(&self, value: T, limit: Duration) -> Result<(), SendError<T>> {
        // A time beyond what the clock can say is never reached.
        let deadline = Instant::now().checked_add(limit);
        carry(value, |parcel| self.sending.send(parcel, deadline))
    }

    /// Sends a value, waiting for room, on any runtime.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    ///
    /// # Cancel safety
    /// A future that is dropped has not sent the value, and drops it.
    pub async fn send_async(&self, value: T) -> Result<(), SendError<T>> {
        carry_async(value, async |parcel| self.sending.send_async(parcel).await).await
    }

    /// Sends a value, waiting at most `limit` for room, on any runtime.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    ///
    /// # Cancel safety
    /// As [`send_async`](Sender::send_async).
    pub async fn send_async_timeout(&self, value: T, limit: Duration) -> Result<(), SendError<T>> {
        let send = async |parcel: &Parcel| timer::timeout(limit, self.sending.send_async(parcel)).await;
        carry_async(value, async |parcel| send(parcel).await.unwrap_or(Err(LinkError::TimedOut))).await
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { sending: Arc::clone(&self.sending), values: PhantomData }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.sending).finish()
    }
}

/// A sender travels as a copy: this one stays one of the channel's senders until it is dropped.
impl<T> Serialize for Sender<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Sending { baton_in, baton_out, line, permits, bytes_max } = &*self.sending;
        let descriptors = [baton_in, baton_out, line, permits].map(|fd| Lent(fd.as_fd()));
        (descriptors, bytes_max.load(Ordering::Relaxed)).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Sender<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (descriptors, bytes_max) = <([Descriptor; 4], u64)>::deserialize(deserializer)?;
        let [baton_in, baton_out, line, permits] = descriptors.map(Descriptor::into_inner);
        let bytes_max = AtomicU64::new(bytes_max);
        let sending = Sending { baton_in, baton_out, line, permits, bytes_max };
        Ok(Sender { sending: Arc::new(sending), values: PhantomData })
    }
}

/// The receiving side of a [`channel`].
///
/// Any number of threads of one process may receive from it; each message goes to one of them. It can be sent to another
/// process, which then receives in its place, beginning with what waits in the channel: here it
/// [is moved](RecvError::is_moved) from then on, and says so.
///
/// Dropping it disconnects the senders. Messages that wait in the channel are dropped with it.
pub struct Receiver<T> {
    receiving: Receiving,
    values: PhantomData<fn() -> T>,
}

impl<T> Receiver<T> {
    /// How many messages the channel holds at most.
    #[must_use]
    #[doc(alias = "maxsize")]
    pub fn capacity(&self) -> u32 {
        self.receiving.capacity
    }

    /// Changes how many bytes a message may have that is received here. It is [`Link::BYTES_MAX`] at first.
    pub fn set_bytes_max(&self, bytes: u64) {
        self.receiving.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Waits at most `limit` until there is something to receive, be it the end. Blocks.
    #[must_use]
    pub fn poll(&self, limit: Duration) -> bool {
        self.receiving.poll(Instant::now().checked_add(limit))
    }
}

impl<T: DeserializeOwned> Receiver<T> {
    /// Receives the next message, waiting for it. Blocks.
    ///
    /// # Errors
    /// [`RecvError`].
    #[doc(alias = "get")]
    pub fn recv(&self) -> Result<T, RecvError> {
        Ok(handoff::decode(self.receiving.receive(None)?)?)
    }

    /// Receives the next message if it is there.
    ///
    /// # Errors
    /// [`RecvError`].
    #[doc(alias = "get_nowait")]
    pub fn try_recv(&self) -> Result<T, RecvError> {
        Ok(handoff::decode(self.receiving.try_receive()?)?)
    }

    /// Receives the next message, waiting for it at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`RecvError`]; nothing is lost by a time limit.
    pub fn recv_timeout(&self, limit: Duration) -> Result<T, RecvError> {
        Ok(handoff::decode(self.receiving.receive(Instant::now().checked_add(limit))?)?)
    }

    /// Receives the next message, waiting for it, on any runtime.
    ///
    /// # Errors
    /// [`RecvError`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn recv_async(&self) -> Result<T, RecvError> {
        Ok(handoff::decode(self.receiving.receive_async().await?)?)
    }

    /// Receives the next message, waiting for it at most `limit`, on any runtime.
    ///
    /// # Errors
    /// [`RecvError`]; nothing is lost by a time limit.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn recv_async_timeout(&self, limit: Duration) -> Result<T, RecvError> {
        match timer::timeout(limit, self.recv_async()).await {
            Ok(received) => received,
            Err(sync::TimedOut) => Err(LinkError::TimedOut.into()),
        }
    }

    /// Receives messages, waiting for each, until the channel is disconnected. Blocks.
    pub fn iter(&self) -> RecvIter<'_, T> {
        RecvIter { receiver: self, over: false }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// A receiver moves: what has been written down here is received there alone. If it could not be sent after all, it is
/// back here.
impl<T> Serialize for Receiver<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.receiving.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Receiver<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let receiving = Receiving::deserialize(deserializer)?;
        Ok(Receiver { receiving, values: PhantomData })
    }
}

impl<'a, T: DeserializeOwned> IntoIterator for &'a Receiver<T> {
    type Item = Result<T, RecvError>;
    type IntoIter = RecvIter<'a, T>;

    fn into_iter(self) -> RecvIter<'a, T> {
        self.iter()
    }
}

/// Receives messages until the channel is disconnected; see [`Receiver::iter`].
///
/// A message that is [refused](RecvError::is_refused) is an error in its place and ends nothing; after any other error
/// there is nothing more.
#[derive(Debug)]
pub struct RecvIter<'a, T> {
    receiver: &'a Receiver<T>,
    over: bool,
}

impl<T: DeserializeOwned> Iterator for RecvIter<'_, T> {
    type Item = Result<T, RecvError>;

    fn next(&mut self) -> Option<Result<T, RecvError>> {
        if self.over {
            return None;
        }
        let received = self.receiver.recv();
        self.over = received.as_ref().is_err_and(|error| !error.is_refused());
        match received {
            Err(error) if error.is_disconnected() => None,
            other => Some(other),
        }
    }
}

/// The steps at which tests stop or kill a sender, as they are when nobody tests.
#[cfg(not(test))]
mod not_in_tests {
    #[inline(always)]
    pub(super) fn point(_: &str) {}
}
