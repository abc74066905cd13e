//! The goals of `benches/goals.toml`: what they say, and whether they are met.

mod file;
mod judge;

pub(super) use file::Goals;
pub(super) use judge::{Judged, ROUNDS_NEEDED};
