//! The goals of `benches/goals.toml`: what they say, and whether they are met.

#[cfg(test)]
mod agreed;
mod file;
mod judge;

pub(super) use file::Goals;
pub(super) use judge::{Judged, ROUNDS_NEEDED};
