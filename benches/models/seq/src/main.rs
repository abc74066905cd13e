//! One thing after the other: what the work costs when nothing is gained by concurrency and nothing paid for it.
//!
//! A unit runs to its end where it is spawned, as any function call does, so it can wait for nobody. This contestant is
//! also the comparison's oracle, by the kit's own second implementation of every workload.

#![forbid(unsafe_code)]

use kit::{Capability, Facts, Lost, Model, blocking, unwind};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;

struct Seq;

impl Model for Seq {
    type Task = Result<u64, Lost>;
    type Sender = ();
    type Receiver = ();
    type Gate = ();

    fn facts() -> Facts {
        Facts {
            name: "seq",
            version: kit::version::STD.into(),
            about: "plain function calls, one after the other",
            uses: kit::protocol::Uses::OneThread { helpers: 0 },
            cannot: &[
                (Capability::Switch, "one unit at a time: there is nothing to switch to"),
                (Capability::Channel, "one unit at a time: nobody would answer"),
                (Capability::Gate, "one unit at a time: the first to wait would wait for ever"),
            ],
            ..Facts::default()
        }
    }

    fn start(_workers: usize) -> io::Result<Self> {
        Ok(Seq)
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        blocking::finish(root)
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Self::Task {
        unwind::call(|| blocking::finish(unit))
    }

    fn join(task: Self::Task) -> impl Future<Output = Result<u64, Lost>> + Send {
        ready(task)
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        items.into_iter().map(job).collect()
    }

    fn exchange(address: SocketAddr, request: Vec<u8>) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        ready(blocking::exchange(address, &request))
    }
}

kit::main!(Seq);
