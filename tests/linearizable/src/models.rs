//! Models of what most structures are.
//!
//! Each is a file with its operations, its responses and its state. A structure takes part with those operations that it
//! has. [`ways`] goes around any of them, for operations that come in several forms.

pub mod exchange;
pub mod flag;
pub mod map;
pub mod meeting;
pub mod news;
pub mod once;
pub mod owned;
pub mod permits;
pub mod queue;
pub mod register;
pub mod rendezvous;
pub mod unfinished;
pub mod ways;
