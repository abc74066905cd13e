#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod protocol;

#[cfg(feature = "engine")]
mod cell;
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
pub mod stats;
#[cfg(feature = "engine")]
pub mod summary;
#[cfg(feature = "engine")]
pub mod table;
#[cfg(feature = "engine")]
mod texts;
