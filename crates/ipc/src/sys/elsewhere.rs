//! The same names for systems where this crate does nothing yet: they compile, and nothing can be made.

#[cfg(unix)]
pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

#[cfg(not(unix))]
pub use placeholder::{AsFd, BorrowedFd, OwnedFd};

use super::{Packet, unsupported};
use crate::ready::Interest;
use std::io;
use std::time::{Duration, Instant};

pub(crate) const DESCRIPTORS_IN_PACKET: usize = 200;

pub(crate) fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Err(unsupported())
}

pub(crate) fn is_packet_socket(_: BorrowedFd<'_>) -> bool {
    false
}

pub(crate) fn close_on_exec(_: BorrowedFd<'_>) -> io::Result<()> {
    Err(unsupported())
}

pub(crate) fn send_packet(_: BorrowedFd<'_>, _: &[u8], _: &[u8], _: &[BorrowedFd<'_>]) -> io::Result<()> {
    Err(unsupported())
}

pub(crate) fn receive_packet(_: BorrowedFd<'_>, _: &mut [u8]) -> io::Result<Packet> {
    Err(unsupported())
}

pub(crate) fn look_at_packet(_: BorrowedFd<'_>, _: &mut [u8]) -> io::Result<Packet> {
    Err(unsupported())
}

pub(crate) fn packet_waits(_: BorrowedFd<'_>) -> io::Result<bool> {
    Err(unsupported())
}

pub(crate) fn too_many_descriptors() -> io::Error {
    unsupported()
}

pub(crate) fn shut_down(_: BorrowedFd<'_>, _: Interest) -> io::Result<()> {
    Err(unsupported())
}

pub(crate) fn nobody_receives(_: &io::Error) -> bool {
    false
}

pub(crate) fn is_for_want_of_descriptors(_: &io::Error) -> bool {
    false
}

pub(crate) fn is_too_long(_: &io::Error) -> bool {
    false
}

pub(crate) fn memory_file(_: &[u8]) -> io::Result<OwnedFd> {
    Err(unsupported())
}

pub(crate) fn read_memory_file(_: OwnedFd, _: usize, _: &mut Vec<u8>) -> io::Result<()> {
    Err(unsupported())
}

pub(crate) fn permits() -> io::Result<OwnedFd> {
    Err(unsupported())
}

pub(crate) fn give_permits(_: BorrowedFd<'_>, _: u64) -> io::Result<()> {
    Err(unsupported())
}

pub(crate) fn take_permit(_: BorrowedFd<'_>) -> io::Result<bool> {
    Err(unsupported())
}

pub(crate) fn poll(_: &[(BorrowedFd<'_>, Interest)], _: Option<Instant>) -> io::Result<Option<usize>> {
    Err(unsupported())
}

#[derive(Debug)]
pub(crate) enum Epoll {}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Err(unsupported())
    }

    pub(crate) fn add(&self, _: BorrowedFd<'_>, _: u64, _: Interest) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn remove(&self, _: BorrowedFd<'_>) {
        match *self {}
    }

    pub(crate) fn wait(&self, _: Duration, _: impl FnMut(u64)) -> io::Result<bool> {
        match *self {}
    }
}

/// Descriptors on a system that has none: there are no values of these types.
#[cfg(not(unix))]
mod placeholder {
    use std::convert::Infallible;
    use std::io;
    use std::marker::PhantomData;

    /// A descriptor, of which there is none here.
    #[derive(Debug)]
    pub struct OwnedFd {
        never: Infallible,
    }

    /// A descriptor that somebody else owns, of which there is none here.
    #[derive(Clone, Copy, Debug)]
    pub struct BorrowedFd<'fd> {
        never: Infallible,
        owner: PhantomData<&'fd OwnedFd>,
    }

    /// What has a descriptor.
    pub trait AsFd {
        /// The descriptor.
        fn as_fd(&self) -> BorrowedFd<'_>;
    }

    impl OwnedFd {
        /// A second descriptor for the same thing.
        ///
        /// # Errors
        /// None: there is no descriptor to ask.
        pub fn try_clone(&self) -> io::Result<OwnedFd> {
            match self.never {}
        }
    }

    impl BorrowedFd<'_> {
        /// A descriptor of one's own for the same thing.
        ///
        /// # Errors
        /// None: there is no descriptor to ask.
        pub fn try_clone_to_owned(&self) -> io::Result<OwnedFd> {
            match self.never {}
        }
    }

    impl AsFd for OwnedFd {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self.never {}
        }
    }

    impl AsFd for BorrowedFd<'_> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            *self
        }
    }
}
