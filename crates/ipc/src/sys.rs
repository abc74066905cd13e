//! What is asked of the operating system, in the few calls that the rest of the crate is written in.
//!
//! Linux has all of it. Elsewhere the crate compiles, and what would make a descriptor says [`unsupported`].

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use elsewhere as system;

pub(crate) use system::*;
pub use system::{AsFd, BorrowedFd, OwnedFd};

use std::io;

/// What arrived in one packet.
#[derive(Debug)]
pub(crate) struct Packet {
    /// How much of the buffer was filled.
    pub(crate) bytes: usize,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// The packet was longer than the buffer, and its rest is lost.
    pub(crate) longer: bool,
    /// Descriptors that came with it are lost: this process may not have more of them.
    pub(crate) descriptors_lost: bool,
}

/// The error of everything on a system where this crate does nothing.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "everything is supported here"))]
pub(crate) fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "ipc works on Linux alone so far")
}
