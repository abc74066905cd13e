//! The locks, signals and queues of `sync` beside their peers: one file for each piece of work.
//!
//! An operation body is a plain function of a number of operations; it verifies its work and says how long it took. The
//! rows of [`area`] and the criterion benches under `benches/` run the same bodies. To add a contestant, implement the
//! trait of the work for it and name it in the list of that file's rows; to add a row, write a body and a function
//! `rows`, and name that in [`area`].

#![deny(unsafe_code)]

use peers_kit::Area;

pub mod counts;
pub mod locks;
pub mod queues;
#[expect(unsafe_code, reason = "two questions to the system that no safe wrapper asks")]
mod system;
pub mod waits;

/// All rows of `sync`.
#[must_use]
pub fn area() -> Area {
    let rows = [locks::rows(), queues::rows(), waits::rows(), counts::rows()].into_iter().flatten().collect();
    Area { name: "sync", ours: "sync", facts: system::facts(), rows }
}
