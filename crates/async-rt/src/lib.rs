#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod primitive;

mod backend;
mod builder;
mod context;
mod runtime;

mod blocking;
mod spawn;
mod tasks;

mod gather;
mod time;
mod yield_now;

mod net;

mod drivers;
mod native;

pub use backend::{Backend, UnknownBackend};
pub use blocking::{spawn_blocking, to_thread};
pub use builder::{Builder, StartError};
pub use gather::{Gather, GatherAll, gather, gather_all};
pub use net::{Address, ReadHalf, Server, TcpListener, TcpStream, WriteHalf, start_server};
pub use runtime::{Runtime, run};
pub use spawn::spawn;
pub use time::{Sleep, Timeout, sleep, sleep_until, timeout};
pub use yield_now::{YieldNow, yield_now};

pub use executor::{self, Executor, Shutdown};
pub use sync::{self, JoinError, Task, TimedOut};
