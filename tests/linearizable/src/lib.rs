#![doc = include_str!("../../../docs/design/linearizability.md")]
#![forbid(unsafe_code)]

mod history;
mod model;
mod search;
mod violation;

mod crew;
mod gate;
mod pause;
mod scenario;
mod trial;

pub mod models;

pub use history::History;
pub use model::Model;
pub use scenario::{Kind, Scenario};
pub use search::judge;
pub use trial::{Failure, Trial};
pub use violation::Violation;
