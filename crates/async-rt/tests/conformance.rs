//! What every backend must do, alike. The suite is stamped onto each one whose feature is on: the native loop always,
//! the others with `--all-features`.

#![cfg(target_os = "linux")]

#[macro_use]
#[path = "conformance/suite.rs"]
mod suite;

conformance!(native, Backend::Native);
#[cfg(feature = "tokio")]
conformance!(tokio, Backend::Tokio);
#[cfg(feature = "async-std")]
conformance!(async_std, Backend::AsyncStd);
#[cfg(feature = "smol")]
conformance!(smol, Backend::Smol);
