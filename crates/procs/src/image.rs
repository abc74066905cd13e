//! Where a function is, in words that another process of the same program understands.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::in_program;

use serde::{Deserialize, Serialize};

/// A place in the program or in a library that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// Which image.
    image: u64,
    /// How far from where it is loaded.
    offset: u64,
}
