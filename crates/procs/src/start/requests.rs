//! What the program and its zygote say to each other, over a [`Link`].

use crate::engine::Exit;
use ipc::handoff::{self, Descriptor};
use ipc::{Link, LinkError, Parcel};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io;

/// Which worker a message is about. The program gives the numbers, beginning with 1.
pub(crate) type WorkerId = u64;

/// To the zygote: fork a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fork {
    pub(crate) id: WorkerId,
    /// What `ps` shows.
    pub(crate) name: Option<String>,
    /// The worker's end of its own link.
    pub(crate) link: Link,
}

/// From the zygote.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The worker was forked.
    Started { id: WorkerId, pid: u32, pidfd: Descriptor },
    /// It could not be forked; the number is the system's error.
    Refused { id: WorkerId, errno: i32 },
    /// A request came without its descriptor, for which the zygote had no room, and nobody knows which it was.
    RequestLost,
    /// It has ended, and there is nothing left of it.
    Ended { id: WorkerId, how: Exit },
}

/// A message on its way.
///
/// # Errors
/// What the system says to one descriptor more.
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Parcel> {
    handoff::encode(message).map_err(|why| {
        let system =
            why.source().and_then(|why| why.downcast_ref::<io::Error>()).and_then(io::Error::raw_os_error);
        system.map_or_else(|| io::Error::other(why), io::Error::from_raw_os_error)
    })
}

/// Sends a message; waits while the other side does not read.
///
/// # Errors
/// It was not sent, and the next one may be.
pub(super) fn send<T: Serialize>(link: &Link, message: &T) -> io::Result<()> {
    link.send(&encode(message)?, None).map_err(system_error)
}

/// What the system says, if that was it.
pub(crate) fn system_error(why: LinkError) -> io::Error {
    match why {
        LinkError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// What the other side has to say.
pub(super) enum Heard<T> {
    Message(T),
    /// A message whose descriptors did not fit into this process.
    Lost,
    /// There is nobody any more.
    End,
}

/// Waits for the next message.
pub(super) fn receive<T: DeserializeOwned>(link: &Link) -> io::Result<Heard<T>> {
    match link.receive(None) {
        Ok(parcel) => handoff::decode(parcel).map(Heard::Message).map_err(io::Error::other),
        Err(LinkError::DescriptorsLost) => Ok(Heard::Lost),
        Err(LinkError::Disconnected) => Ok(Heard::End),
        Err(why) => Err(io::Error::other(why)),
    }
}
