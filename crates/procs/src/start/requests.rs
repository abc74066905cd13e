//! What the program and its zygote say to each other, over a [`Link`].

use crate::engine::Exit;
use ipc::handoff::{self, Descriptor};
use ipc::{Link, LinkError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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
    /// It has ended, and there is nothing left of it.
    Ended { id: WorkerId, how: Exit },
}

/// Sends a message; waits while the other side does not read.
pub(crate) fn send<T: Serialize>(link: &Link, message: &T) -> io::Result<()> {
    let parcel = handoff::encode(message).map_err(io::Error::other)?;
    link.send(&parcel, None).map_err(io::Error::other)
}

/// The next message; `None` if there is nobody on the other side any more.
pub(crate) fn receive<T: DeserializeOwned>(link: &Link) -> io::Result<Option<T>> {
    match link.receive(None) {
        Ok(parcel) => handoff::decode(parcel).map(Some).map_err(io::Error::other),
        Err(LinkError::Disconnected) => Ok(None),
        Err(why) => Err(io::Error::other(why)),
    }
}
