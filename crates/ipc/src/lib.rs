#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// The tests in here share a file with those in `tests/`, which call the crate by its name.
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
#[cfg(test)]
extern crate self as ipc;

mod sys;

mod channel;
mod pipe;

mod carry;
mod error;

pub mod handoff;
pub mod link;
mod packet;
pub mod ready;

pub use channel::{Receiver, RecvIter, Sender, channel};
pub use error::{RecvError, SendError};
pub use handoff::{Descriptor, HandoffError, Parcel};
pub use link::{Link, LinkError};
pub use pipe::{Pipe, pipe};
pub use ready::Interest;

/// Descriptors: those of `std` on Unix. Elsewhere, types of the same names that have no values.
pub mod fd {
    pub use crate::sys::{AsFd, BorrowedFd, OwnedFd};
}
