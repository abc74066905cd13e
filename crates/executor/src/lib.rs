#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod contract;
mod hooked;
mod ledger;
mod map;

pub use contract::{Abilities, Argument, Executor, Shutdown, no_captures};
pub use hooked::Hooked;
pub use ledger::{Closed, Entry, Ledger};
pub use map::{Map, MapUnordered};

pub use sync::{self, JoinError, Task, TimedOut};
