#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod sys;

pub mod handoff;
pub mod link;
pub mod ready;

mod packet;

pub use handoff::{Descriptor, HandoffError, Parcel};
pub use link::{Link, LinkError};
pub use ready::Interest;
