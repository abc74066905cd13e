//! A connection between two processes that carries values both ways.

use crate::carry::{carry, carry_async};
use crate::error::{RecvError, SendError};
use crate::handoff;
use crate::link::{Link, LinkError};
use crate::ready::{self, Interest};
use crate::sys::{AsFd, BorrowedFd, OwnedFd};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::{Duration, Instant};
use sync::timer;

/// Two connected ends. What one sends as `S`, the other receives, and the reverse with `R`.
///
/// Both are in this process as yet. An end goes to another process as an argument of one that `procs` starts, or inside a
/// message over another pipe or channel.
///
/// # Errors
/// `Unsupported` on systems other than Linux; else what the system says: too many descriptors, no memory.
///
/// # Examples
/// ```
/// # #[cfg(target_os = "linux")] {
/// let (questions, answers) = ipc::pipe::<String, usize>()?;
/// let other = std::thread::spawn(move || {
///     let question = answers.recv().map_err(|error| error.to_string())?;
///     answers.send(question.len()).map_err(|error| error.to_string())
/// });
/// questions.send("how long is this?".to_owned())?;
/// assert_eq!(questions.recv()?, 17);
/// other.join().map_err(|_| "it panicked")??;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "Pipe")]
pub fn pipe<S, R>() -> io::Result<(Pipe<S, R>, Pipe<R, S>)> {
    let (here, there) = Link::pair()?;
    Ok((Pipe::with(here), Pipe::with(there)))
}

/// One end of a [`pipe`]: sends values of type `S` and receives values of type `R`.
///
/// A value arrives whole or not at all, in order; a side that is killed in the middle of sending has not sent. Any number
/// of threads may use one end.
///
/// Dropping an end closes it. The other side then still receives what was sent, and after it
/// [`is_disconnected`](RecvError::is_disconnected). An end that was sent to another process is open until **both** are
/// dropped: a parent that keeps its own copy of its child's end never sees that the child has gone.
#[doc(alias = "Connection")]
pub struct Pipe<S, R> {
    link: Link,
    types: PhantomData<fn(S) -> R>,
}

impl<S, R> Pipe<S, R> {
    /// The end that `socket` is: one that came from `OwnedFd::from(pipe)`, in this process or in the one that started it.
    /// The types are the caller's promise; a message of another type is [refused](RecvError::is_refused).
    ///
    /// This is how a child that was started by other means than `procs` gets its end: as its standard input, say.
    ///
    /// # Errors
    /// `InvalidInput` if it is no socket for packets.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Self> {
        Link::from_fd(socket).map(Pipe::with)
    }

    /// Waits at most `limit` until there is something to receive, be it the end. Blocks.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(target_os = "linux")] {
    /// use std::time::Duration;
    ///
    /// let (here, there) = ipc::pipe::<u32, ()>()?;
    /// assert!(!there.poll(Duration::from_millis(5)));
    /// here.send(7)?;
    /// assert!(there.poll(Duration::ZERO));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn poll(&self, limit: Duration) -> bool {
        // What keeps it from waiting keeps it from receiving too, and is reported there.
        ready::wait(self.as_fd(), Interest::Read, Instant::now().checked_add(limit)).unwrap_or(true)
    }

    /// Sends no more: the other side receives what was sent, and then that this side is closed. It holds for every copy of
    /// this end. The second time, nothing happens.
    ///
    /// # Errors
    /// What the system says.
    pub fn close_sending(&self) -> io::Result<()> {
        self.link.shut_down(Interest::Write)
    }

    /// Receives no more: the other side cannot send. What it sent before can still be received.
    ///
    /// # Errors
    /// What the system says.
    pub fn close_receiving(&self) -> io::Result<()> {
        self.link.shut_down(Interest::Read)
    }

    /// Changes how many bytes a message may have, which is [`Link::BYTES_MAX`] at first. The other end has a limit of its
    /// own.
    pub fn set_bytes_max(&self, bytes: u64) {
        self.link.set_bytes_max(bytes);
    }

    fn with(link: Link) -> Self {
        Pipe { link, types: PhantomData }
    }
}

impl<S: Serialize, R> Pipe<S, R> {
    /// Sends a value, waiting for room. Blocks.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    pub fn send(&self, value: S) -> Result<(), SendError<S>> {
        carry(value, |parcel| self.link.send(parcel, None))
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    pub fn try_send(&self, value: S) -> Result<(), SendError<S>> {
        carry(value, |parcel| self.link.try_send(parcel))
    }

    /// Sends a value, waiting at most `limit` for room. Blocks.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    pub fn send_timeout(&self, value: S, limit: Duration) -> Result<(), SendError<S>> {
        // A time beyond what the clock can say is never reached.
        let deadline = Instant::now().checked_add(limit);
        carry(value, |parcel| self.link.send(parcel, deadline))
    }

    /// Sends a value, waiting for room, on any runtime.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    ///
    /// # Cancel safety
    /// A future that is dropped has not sent the value, and drops it.
    pub async fn send_async(&self, value: S) -> Result<(), SendError<S>> {
        carry_async(value, async |parcel| self.link.send_async(parcel).await).await
    }

    /// Sends a value, waiting at most `limit` for room, on any runtime.
    ///
    /// # Errors
    /// [`SendError`] with the value.
    ///
    /// # Cancel safety
    /// As [`send_async`](Pipe::send_async).
    pub async fn send_async_timeout(&self, value: S, limit: Duration) -> Result<(), SendError<S>> {
        let send = async |parcel: &_| timer::timeout(limit, self.link.send_async(parcel)).await;
        carry_async(value, async |parcel| send(parcel).await.unwrap_or(Err(LinkError::TimedOut))).await
    }
}

impl<S, R: DeserializeOwned> Pipe<S, R> {
    /// Receives the next value, waiting for it. Blocks.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn recv(&self) -> Result<R, RecvError> {
        Ok(handoff::decode(self.link.receive(None)?)?)
    }

    /// Receives the next value if it is there.
    ///
    /// # Errors
    /// [`RecvError`].
    pub fn try_recv(&self) -> Result<R, RecvError> {
        Ok(handoff::decode(self.link.try_receive()?)?)
    }

    /// Receives the next value, waiting for it at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`RecvError`]; nothing is lost by a time limit.
    pub fn recv_timeout(&self, limit: Duration) -> Result<R, RecvError> {
        Ok(handoff::decode(self.link.receive(Instant::now().checked_add(limit))?)?)
    }

    /// Receives the next value, waiting for it, on any runtime.
    ///
    /// # Errors
    /// [`RecvError`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn recv_async(&self) -> Result<R, RecvError> {
        Ok(handoff::decode(self.link.receive_async().await?)?)
    }

    /// Receives the next value, waiting for it at most `limit`, on any runtime.
    ///
    /// # Errors
    /// [`RecvError`]; nothing is lost by a time limit.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn recv_async_timeout(&self, limit: Duration) -> Result<R, RecvError> {
        match timer::timeout(limit, self.recv_async()).await {
            Ok(received) => received,
            Err(sync::TimedOut) => Err(LinkError::TimedOut.into()),
        }
    }
}

impl<S, R> From<Pipe<S, R>> for OwnedFd {
    fn from(pipe: Pipe<S, R>) -> Self {
        pipe.link.into()
    }
}

impl<S, R> AsFd for Pipe<S, R> {
    /// The socket, to watch it. Who reads from it or writes to it breaks the connection.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}

impl<S, R> fmt::Debug for Pipe<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pipe").field(&self.as_fd()).finish()
    }
}

/// An end travels as a duplicate: this one stays open until it is dropped.
impl<S, R> Serialize for Pipe<S, R> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        self.link.serialize(serializer)
    }
}

impl<'de, S, R> Deserialize<'de> for Pipe<S, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Link::deserialize(deserializer).map(Pipe::with)
    }
}
