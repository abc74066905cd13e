#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod error;
mod step;
mod thrown;

mod frame;
mod stack;
mod yielder;

mod builder;
mod coroutine;
mod generator;
mod greenlet;

pub use builder::Builder;
pub use coroutine::Coroutine;
pub use error::{IgnoredExit, ResumeError, SwitchError};
pub use generator::Generator;
pub use greenlet::Greenlet;
pub use step::Step;
pub use thrown::{Exit, Thrown};
pub use yielder::Yielder;
