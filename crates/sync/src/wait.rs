//! How everything but the [`lock`](crate::lock) waits: a state under a short lock, and those who wait for it to change, in
//! lists of nodes that lie in their own frames.
//!
//! - [`list`]: the nodes, and the lists that they stand in; how one is told, and how a thread sleeps until he is.
//! - [`guarded`]: the state, the attempt that ends a wait, and the five ways to wait made of it.
//! - [`waiters`]: those who wait for one thing, in which order, and who is told.
//! - [`patience`]: whether it pays to wait awake; [`crowd`]: where many do.
//! - [`patrol`]: who comes by where a task was told and does not come, and all others are tasks that sleep.

pub(crate) mod crowd;
pub(crate) mod guarded;
#[expect(unsafe_code, reason = "nodes lie in the frames of those who wait")]
pub(crate) mod list;
pub(crate) mod patience;
#[expect(unsafe_code, reason = "bells lie in the frames of those who wait")]
pub(crate) mod patrol;
#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
pub(crate) mod steps;
pub(crate) mod waiters;

pub(crate) use guarded::{Guarded, Queues};
pub(crate) use patrol::Beside;
pub(crate) use waiters::{Afterwards, Told, Turn, Waiters, patience_with_tasks, sleep_until};
