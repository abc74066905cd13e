//! Threads of the operating system, by the standard library alone.
//!
//! The idioms are those of `std::thread` ("Spawning a thread", "Scoped threads") and of `std::sync::mpsc` and
//! `std::sync::Condvar`: a thread per unit, and for computing work as many scoped threads as there are workers, which
//! take the next item from a shared iterator.

#![forbid(unsafe_code)]

use kit::blocking::{self, Gate};
use kit::{Facts, Lost, Model, unwind};
use std::future::{Future, ready};
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, iter};

struct Threads {
    workers: usize,
}

impl Model for Threads {
    type Task = JoinHandle<u64>;
    type Sender = SyncSender<u64>;
    type Receiver = Receiver<u64>;
    type Gate = Gate;

    fn facts() -> Facts {
        Facts {
            name: "threads",
            version: kit::version::STD.into(),
            about: "a std::thread per unit; for computing work as many scoped threads as workers",
            most_units: Some((
                10_000,
                "a thread takes two memory mappings, of which vm.max_map_count allows 65,530 by default",
            )),
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        Ok(Threads { workers })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        start_thread(move || blocking::finish(root)).join().unwrap_or_else(|payload| resume_unwind(payload))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> JoinHandle<u64> {
        start_thread(move || blocking::finish(unit))
    }

    fn join(task: JoinHandle<u64>) -> impl Future<Output = Result<u64, Lost>> + Send {
        ready(task.join().map_err(|payload| unwind::lost(&*payload)))
    }

    async fn yield_now() {
        thread::yield_now();
    }

    fn channel(capacity: usize) -> (SyncSender<u64>, Receiver<u64>) {
        sync_channel(capacity)
    }

    async fn send(sender: &mut SyncSender<u64>, word: u64) -> bool {
        sender.send(word).is_ok()
    }

    async fn receive(receiver: &mut Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }

    fn gate() -> Gate {
        Gate::default()
    }

    async fn wait(gate: &Gate) {
        gate.wait();
    }

    fn open(gate: &Gate) {
        gate.open();
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let items = Mutex::new(items.into_iter().enumerate());
        let next = || items.lock().expect("no job runs under the lock").next();
        let work = || iter::from_fn(next).map(|(place, item)| (place, job(item))).collect::<Vec<_>>();
        let mut results: Vec<(usize, T)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn exchange(address: SocketAddr, request: Vec<u8>) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        ready(blocking::exchange(address, &request))
    }
}

fn start_thread<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new().spawn(body).unwrap_or_else(|error| {
        kit::limit(format!(
            "no more threads: {error}; raise `ulimit -u`, kernel.threads-max or vm.max_map_count"
        ))
    })
}

kit::main!(Threads);
