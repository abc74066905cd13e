//! crossbeam: threads of the standard library that talk over crossbeam's channels.
//!
//! The idioms are those of `crossbeam::channel` ("Sharing channels": both ends of a channel can be cloned, so that one channel
//! feeds many workers) and of `std::thread`, to which crossbeam itself points for scoped threads. crossbeam has no event
//! that many wait for, so the gate is a condition variable of std's.

#![forbid(unsafe_code)]

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use kit::blocking::{self, Gate};
use kit::{Facts, Lost, Model, unwind};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

struct Crossbeam {
    workers: usize,
}

impl Model for Crossbeam {
    type Task = JoinHandle<u64>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Gate = Gate;

    fn facts() -> Facts {
        Facts {
            name: "crossbeam",
            version: kit::version!("crossbeam"),
            about: "a std::thread per unit and crossbeam's channels; computing work by workers that share one channel",
            most_units: Some((
                10_000,
                "a thread takes two memory mappings, of which vm.max_map_count allows 65,530 by default",
            )),
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        Ok(Crossbeam { workers })
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

    fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        bounded(capacity)
    }

    async fn send(sender: &mut Sender<u64>, word: u64) -> bool {
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
        let (waiting, work) = unbounded();
        let (done, results) = unbounded();
        for numbered in items.into_iter().enumerate() {
            waiting.send(numbered).expect("the channel is open");
        }
        drop(waiting);
        let take_work =
            || work.iter().for_each(|(place, item)| done.send((place, job(item))).expect("it is open"));
        // A panic of a worker is one of the scope.
        thread::scope(|scope| (0..self.workers).for_each(|_| drop(scope.spawn(take_work))));
        let mut results: Vec<(usize, T)> = results.try_iter().collect();
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

kit::main!(Crossbeam);
