//! The only module that names atomics, so that a build for loom replaces all of them.

#[cfg(not(trefoil_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

#[cfg(trefoil_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, Ordering};
