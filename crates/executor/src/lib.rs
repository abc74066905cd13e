#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod contract;
mod hooked;
mod ledger;
mod map;

#[cfg(any(feature = "rayon", feature = "tokio", feature = "smol", feature = "async-std"))]
mod adapter;
#[cfg(feature = "async-std")]
pub mod async_std;
#[cfg(feature = "rayon")]
pub mod rayon;
#[cfg(feature = "smol")]
pub mod smol;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use contract::{Abilities, Argument, Executor, Shutdown, no_captures};
pub use hooked::Hooked;
pub use ledger::{Closed, Entry, Ledger};
pub use map::{Map, MapUnordered};

pub use sync::{self, JoinError, Task, TimedOut};
