//! A process for each unit, by this project's own `procs`.
//!
//! The idioms are those of its README: `Process::spawn` with a function that captures nothing, `join`, and ends of `ipc`
//! channels as arguments. For computing work it keeps as many processes alive as there are workers, each with one item.

#![forbid(unsafe_code)]

use kit::forms::OwnForms;
use kit::remote::{Apart, Argument, Jobs, Remote};
use kit::{Facts, Lost};
use procs::Process;
use procs::ipc::{self, Descriptor};
use procs::sync::as_completed;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

struct Procs {
    workers: usize,
}

impl Remote for Procs {
    type Task<T: Argument> = Process<T>;
    type Sender = ipc::Sender<u64>;
    type Receiver = ipc::Receiver<u64>;
    type Gate = Descriptor;
    type Keeper = UnixStream;

    fn facts() -> Facts {
        Facts {
            name: "procs",
            version: kit::version!("procs"),
            about: "a process for each unit, by this project's `procs`: a clean zygote forks them",
            uses: kit::protocol::Uses::Processes,
            most_units: Some((1_000, "a process for each unit: ten thousand take gigabytes and minutes")),
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        // The zygote starts with the first process; a program pays for that once.
        Process::spawn(|()| (), ())?.join().map_err(io::Error::other)?;
        Ok(Procs { workers })
    }

    fn spawn<A: Argument, T: Argument>(
        &self,
        unit: impl Fn(A) -> T + Copy + Send + 'static,
        argument: A,
    ) -> Process<T> {
        start(unit, argument)
    }

    fn join<T: Argument>(task: Process<T>) -> Result<T, Lost> {
        task.join().map_err(Lost::new)
    }

    fn channel(capacity: usize) -> (ipc::Sender<u64>, ipc::Receiver<u64>) {
        let capacity = u32::try_from(capacity).expect("the workloads' channels are small");
        ipc::channel(capacity)
            .unwrap_or_else(|error| kit::limit(format!("no more channels: {error}; raise `ulimit -n`")))
    }

    fn send(sender: &mut ipc::Sender<u64>, word: u64) -> bool {
        sender.send(word).is_ok()
    }

    fn receive(receiver: &mut ipc::Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }

    /// A socket whose other end is closed.
    fn gate() -> (UnixStream, Descriptor) {
        let (keeper, gate) = UnixStream::pair().expect("two descriptors are to be had");
        (keeper, Descriptor(OwnedFd::from(gate)))
    }

    fn share(gate: &Descriptor) -> Descriptor {
        let gate = gate.0.try_clone();
        Descriptor(
            gate.unwrap_or_else(|error| {
                kit::limit(format!("no more descriptors: {error}; raise `ulimit -n`"))
            }),
        )
    }

    fn wait(gate: &Descriptor) {
        let mut gate = UnixStream::from(gate.0.try_clone().expect("one more descriptor is to be had"));
        let bytes = gate.read(&mut [0]).expect("a socket of our own can be read");
        assert_eq!(bytes, 0, "nobody writes to a gate");
    }
}

impl Jobs for Procs {
    fn map<A: Argument, T: Argument>(
        &self,
        job: impl Fn(A) -> T + Copy + Send + 'static,
        items: Vec<A>,
    ) -> Vec<T> {
        let mut items = items.into_iter().enumerate();
        let mut results: Vec<(usize, T)> = Vec::new();
        let mut running = as_completed([]);
        loop {
            while running.len() < self.workers {
                let Some((place, item)) = items.next() else { break };
                running.push((place, start(job, item).into_task()));
            }
            let Some((place, result)) = running.next() else { break };
            results.push((place, result.unwrap_or_else(|why| panic!("item {place} was lost: {why}"))));
        }
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

fn start<A: Argument, T: Argument>(unit: impl Fn(A) -> T + Copy + Send + 'static, argument: A) -> Process<T> {
    Process::spawn(unit, argument).unwrap_or_else(|error| {
        kit::limit(format!("no more processes: {error}; raise `ulimit -u`, `ulimit -n` or kernel.pid_max"))
    })
}

kit::main!(OwnForms<Apart<Procs>>);
