#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod protocol;
#[cfg(feature = "engine")]
pub mod summary;
