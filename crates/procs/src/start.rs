//! How a process becomes a worker: what runs in the processes that this crate starts.
//!
//! ```text
//!   program ── exec of itself ──► hook, before main ──► zygote ── fork ──► worker, worker, ...
//! ```
//!
//! [`hook`] recognises the start and never lets it reach `main`. [`zygote`] forks on request, reaps and reports. It has
//! one thread and runs nobody's code, which is what makes its forks harmless and cheap. [`worker`] runs the jobs.

pub(crate) mod hook;
pub(crate) mod requests;
mod system;
mod worker;
mod zygote;
