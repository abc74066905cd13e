//! The only module that names atomics, so that a build for loom replaces all of them.

#[cfg(not(trefoil_loom))]
pub(crate) use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(trefoil_loom)]
pub(crate) use loom::sync::atomic::{AtomicU8, Ordering};
