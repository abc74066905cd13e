//! A connection between two processes that carries parcels, on which the typed ends are built.

use crate::handoff::{self, Parcel};
use crate::packet::{Incoming, Outgoing};
use crate::ready::{self, Interest};
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// One end of a connection that carries [`Parcel`]s both ways: bytes of any length and any number of descriptors, in order.
///
/// **A parcel arrives whole or not at all.** It is one packet of a socket, which the system moves in one step, so a sender
/// that is killed, or whose deadline passes, has sent it or has not; nothing is ever half there, and the connection is
/// always usable afterwards. For the same reason any number of threads, and of processes that were given a duplicate of
/// this end, may send and receive at the same time.
///
/// Dropping an end closes it, unless another process holds a duplicate. The other side then receives what was sent before,
/// and after it [`LinkError::Disconnected`].
///
/// The blocking forms wait through [`ready`]: cooperatively where a coroutine runs.
///
/// # Examples
/// ```
/// # #[cfg(target_os = "linux")] {
/// use ipc::{Link, Parcel};
///
/// let (here, there) = Link::pair()?;
/// here.send(&Parcel { bytes: b"hello".to_vec(), descriptors: Vec::new() }, None)?;
/// assert_eq!(there.receive(None)?.bytes, b"hello");
/// drop(here);
/// assert!(there.receive(None).is_err_and(|error| error.is_disconnected()));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    bytes_max: AtomicU64,
}

impl Link {
    /// The most bytes in one parcel, unless [`set_bytes_max`](Link::set_bytes_max) says otherwise: 1 GiB.
    ///
    /// It keeps a peer that has gone wrong from taking all memory of this process.
    pub const BYTES_MAX: u64 = 1 << 30;

    /// Two connected ends, in this process as yet. Both are closed on exec.
    ///
    /// # Errors
    /// `Unsupported` where this crate does nothing yet; else what the system says: too many descriptors, no memory.
    pub fn pair() -> io::Result<(Link, Link)> {
        let (one, other) = sys::packet_pair()?;
        Ok((Link::with(one), Link::with(other)))
    }

    /// The end that `socket` is: one that came from `OwnedFd::from(link)`, here or in another process.
    ///
    /// # Errors
    /// `InvalidInput` if it is no socket for packets.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Link> {
        if !sys::is_packet_socket(socket.as_fd()) {
            let why = "this descriptor is not a socket for packets, so it was never the end of a link";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        sys::close_on_exec(socket.as_fd())?;
        Ok(Link::with(socket))
    }

    /// Changes how many bytes a parcel may have that this end sends or receives. The other end has a limit of its own.
    pub fn set_bytes_max(&self, bytes: u64) {
        // Relaxed, here and below: the number guards no other data.
        self.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes a parcel may have that this end sends or receives.
    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max.load(Ordering::Relaxed)
    }

    /// Sends a parcel, waiting for room until `deadline`. Blocks.
    ///
    /// The system keeps what was not received yet: about 200 KiB, or 250 small parcels, or 4 of more than 64 KiB.
    ///
    /// # Errors
    /// [`LinkError`]; the parcel was not sent, in part neither, and the link is as it was.
    pub fn send(&self, parcel: &Parcel, deadline: Option<Instant>) -> Result<(), LinkError> {
        let mut outgoing = Outgoing::new(parcel, self.bytes_max())?;
        loop {
            match self.attempt(&mut outgoing) {
                Err(LinkError::WouldBlock) => {}
                done => return done,
            }
            if !ready::wait(self.as_fd(), Interest::Write, deadline)? {
                return Err(LinkError::TimedOut);
            }
        }
    }

    /// Sends a parcel if there is room now.
    ///
    /// # Errors
    /// As [`send`](Link::send), and [`LinkError::WouldBlock`] if there is no room.
    pub fn try_send(&self, parcel: &Parcel) -> Result<(), LinkError> {
        self.attempt(&mut Outgoing::new(parcel, self.bytes_max())?)
    }

    /// Sends a parcel, waiting for room, on any runtime.
    ///
    /// # Errors
    /// As [`send`](Link::send).
    ///
    /// # Cancel safety
    /// A future that is dropped has not sent the parcel.
    pub async fn send_async(&self, parcel: &Parcel) -> Result<(), LinkError> {
        let mut outgoing = Outgoing::new(parcel, self.bytes_max())?;
        loop {
            match self.attempt(&mut outgoing) {
                Err(LinkError::WouldBlock) => ready::wait_async(self.as_fd(), Interest::Write).await?,
                done => return done,
            }
        }
    }

    /// Receives the next parcel, waiting for it until `deadline`. Blocks.
    ///
    /// # Errors
    /// [`LinkError`]. After `Disconnected` there will be nothing more; after `TimedOut` nothing is lost; a parcel that was
    /// refused is gone, and the next one can be received.
    pub fn receive(&self, deadline: Option<Instant>) -> Result<Parcel, LinkError> {
        loop {
            match self.try_receive() {
                Err(LinkError::WouldBlock) => {}
                done => return done,
            }
            if !ready::wait(self.as_fd(), Interest::Read, deadline)? {
                return Err(LinkError::TimedOut);
            }
        }
    }

    /// Receives the next parcel if it is there.
    ///
    /// # Errors
    /// As [`receive`](Link::receive), and [`LinkError::WouldBlock`] if there is none.
    pub fn try_receive(&self) -> Result<Parcel, LinkError> {
        Incoming::take(self.as_fd())?.open(self.bytes_max())
    }

    /// Receives the next parcel, waiting for it, on any runtime.
    ///
    /// # Errors
    /// As [`receive`](Link::receive).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: a parcel is taken in the moment in which it is returned.
    pub async fn receive_async(&self) -> Result<Parcel, LinkError> {
        loop {
            match self.try_receive() {
                Err(LinkError::WouldBlock) => ready::wait_async(self.as_fd(), Interest::Read).await?,
                done => return done,
            }
        }
    }

    /// Ends one direction, for all who hold this end: after `Write` the other side receives what was sent and then
    /// `Disconnected`; after `Read` it can send no more.
    ///
    /// # Errors
    /// What the system says. The second time, nothing happens.
    pub fn shut_down(&self, direction: Interest) -> io::Result<()> {
        match sys::shut_down(self.as_fd(), direction) {
            // The other side has gone, and with it both directions.
            Err(error) if sys::nobody_receives(&error) => Ok(()),
            done => done,
        }
    }

    /// A second handle of the same end.
    ///
    /// # Errors
    /// What the system says: too many descriptors.
    pub fn try_clone(&self) -> io::Result<Link> {
        Ok(Link { socket: self.socket.try_clone()?, bytes_max: AtomicU64::new(self.bytes_max()) })
    }

    fn with(socket: OwnedFd) -> Self {
        Link { socket, bytes_max: AtomicU64::new(Link::BYTES_MAX) }
    }

    fn attempt(&self, outgoing: &mut Outgoing<'_>) -> Result<(), LinkError> {
        outgoing.send(self.as_fd()).map_err(LinkError::of_send)
    }
}

impl AsFd for Link {
    /// The socket, to watch it. Who reads from it or writes to it breaks the connection.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<Link> for OwnedFd {
    fn from(link: Link) -> Self {
        link.socket
    }
}

/// A link travels as a duplicate of its socket: this end stays open until it is dropped. The limit travels too.
impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (handoff::Lent(self.as_fd()), self.bytes_max()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (socket, bytes_max) = <(handoff::Descriptor, u64)>::deserialize(deserializer)?;
        let link = Link::from_fd(socket.into_inner()).map_err(serde::de::Error::custom)?;
        link.set_bytes_max(bytes_max);
        Ok(link)
    }
}

/// Why a parcel was not sent or received.
#[non_exhaustive]
#[derive(Debug)]
pub enum LinkError {
    /// The other side is closed: by itself, or because its processes have ended.
    Disconnected,
    /// There is no room, or nothing to receive, now.
    WouldBlock,
    /// There was no room, or nothing to receive, until the deadline.
    TimedOut,
    /// A parcel has more bytes than [`Link::set_bytes_max`] allows on this end.
    TooLarge {
        /// Its bytes.
        length: u64,
        /// The limit of this end.
        max: u64,
    },
    /// What arrived was not sent by a link. The text says what was wrong with it.
    Corrupt(&'static str),
    /// The descriptors of a parcel did not fit into this process, and it was dropped. The limit is `ulimit -n`.
    DescriptorsLost,
    /// What the system says otherwise.
    Io(io::Error),
}

impl LinkError {
    /// Whether the other side is closed, so that trying again is in vain.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        matches!(self, LinkError::Disconnected)
    }

    /// Whether it would have had to wait.
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        matches!(self, LinkError::WouldBlock)
    }

    /// Whether the deadline had passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, LinkError::TimedOut)
    }

    pub(crate) fn of_send(error: io::Error) -> Self {
        if sys::nobody_receives(&error) { LinkError::Disconnected } else { error.into() }
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock => LinkError::WouldBlock,
            _ => LinkError::Io(error),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Disconnected => f.write_str("the other side is closed"),
            LinkError::WouldBlock => f.write_str("it would have to wait"),
            LinkError::TimedOut => f.write_str("the time limit passed"),
            LinkError::TooLarge { length, max } => write!(
                f,
                "a message of {length} bytes is over this end's limit of {max}; `set_bytes_max` raises it, on both sides"
            ),
            LinkError::Corrupt(what) => write!(f, "the other side sent what is no message: {what}"),
            LinkError::DescriptorsLost => f.write_str(
                "a message was dropped because this process may not hold all its descriptors; `ulimit -n` raises the limit",
            ),
            LinkError::Io(error) if sys::is_for_want_of_descriptors(error) => {
                write!(f, "the connection failed: {error}; `ulimit -n` raises the limit")
            }
            LinkError::Io(error) => write!(f, "the connection failed: {error}"),
        }
    }
}

impl std::error::Error for LinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LinkError::Io(error) => Some(error),
            _ => None,
        }
    }
}
