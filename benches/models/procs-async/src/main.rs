//! One event loop per process: this project's own `procs` and `async-rt` together.
//!
//! The idiom is the one that the tutorials recommend for many cores and many waits: as many processes as workers, each
//! with one event loop on one thread, each with its share of the units. Units that talk to each other are in one share.
//! Work that computes goes to the processes one item at a time, as to any pool.

#![forbid(unsafe_code)]

mod shares;

use kit::forms::{Forms, OwnForms};
use kit::protocol::Uses;
use kit::remote::{self, Argument, Jobs};
use kit::{Capability, Facts, Lost, Stage};
use procs::ipc::{self, Descriptor, Receiver, Sender};
use procs::{Executor, Pool, Process, Task};
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

struct ProcsAsync {
    pool: Pool,
}

const LEAVES: &str = "a future cannot leave its process";

impl Forms for ProcsAsync {
    fn facts() -> Facts {
        Facts {
            name: "procs-async",
            version: format!("{}, {}", kit::version!("procs"), kit::version!("async-rt")),
            about: "one event loop per process: this project's `procs` and `async-rt` together",
            uses: Uses::Processes,
            cannot: &[
                (Capability::Spawn, LEAVES),
                (Capability::Switch, LEAVES),
                (Capability::Channel, LEAVES),
                (Capability::Gate, LEAVES),
                (Capability::Map, LEAVES),
                (Capability::Net, LEAVES),
            ],
            own_forms: &[
                "spawn", "switch", "pingpong", "pipeline", "primes", "files", "fetch", "sleepers", "crash",
            ],
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        let pool = Pool::new(workers)?;
        start_loops(&pool)?;
        Ok(ProcsAsync { pool })
    }

    fn form(&self, workload: &str, stage: &Stage) -> Vec<u64> {
        let salt = stage.input.salt;
        let units = |units: Range<u64>| (salt, units);
        match workload {
            "spawn" => self.in_shares(stage.n, shares::spawn, units),
            "switch" => self.in_shares(stage.n, shares::switch, units),
            "pingpong" => self.in_shares(stage.n, shares::pingpong, units),
            // One line is one conversation: it stays in one process, on one loop.
            "pipeline" => self.join(self.pool.submit(shares::pipeline, (salt, stage.n))),
            "fetch" => self.fetch(stage),
            "primes" => remote::primes(self, stage),
            "files" => remote::files(self, stage),
            "sleepers" => self.sleepers(stage),
            "crash" => self.crash(stage),
            other => panic!("procs-async has no form of `{other}`"),
        }
    }
}

impl ProcsAsync {
    /// Gives each process a share of the units, and puts the results together in order.
    fn in_shares<A: Argument>(
        &self,
        n: u64,
        share: impl Fn(A) -> Vec<u64> + Copy + Send + 'static,
        argument: impl Fn(Range<u64>) -> A,
    ) -> Vec<u64> {
        let tasks: Vec<_> = self.shares(n).map(|units| self.pool.submit(share, argument(units))).collect();
        tasks.into_iter().flat_map(|task| self.join(task)).collect()
    }

    /// As many ranges as there are processes, of nearly the same length.
    fn shares(&self, n: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let processes = self.pool.workers() as u64;
        (0..processes).map(move |share| n * share / processes..n * (share + 1) / processes)
    }

    fn join<T>(&self, task: Task<T>) -> T {
        task.join().unwrap_or_else(|why| panic!("a share was lost: {why}"))
    }

    fn fetch(&self, stage: &Stage) -> Vec<u64> {
        let (address, targets) = (&stage.input.texts[0], &stage.input.texts[1..]);
        self.in_shares(targets.len() as u64, shares::fetch, |units| {
            let place = |unit: u64| usize::try_from(unit).expect("the number of targets fits");
            let targets = targets[place(units.start)..place(units.end)].to_vec();
            (stage.input.salt, address.clone(), targets)
        })
    }

    fn sleepers(&self, stage: &Stage) -> Vec<u64> {
        let (arrive, arrived) = ipc::channel::<u64>(1).expect("descriptors are to be had");
        let (keeper, gate) = UnixStream::pair().expect("descriptors are to be had");
        stage.hold("base");
        let start = |units: Range<u64>| {
            let gate = share(&gate).expect("one more descriptor is to be had");
            self.pool.submit(shares::sleep, (stage.input.salt, units, arrive.clone(), gate))
        };
        let tasks: Vec<_> = self.shares(stage.n).map(start).collect();
        drop(arrive);
        let waiting: u64 = arrived.iter().map(|count| count.expect("a number arrives whole")).sum();
        assert_eq!(waiting, stage.n, "not all units came to wait");
        stage.hold("waiting");
        assert!(tasks.iter().all(|task| !task.is_finished()), "units finished before the gate was opened");
        drop(keeper);
        tasks.into_iter().flat_map(|task| self.join(task)).collect()
    }

    /// A process that is lost takes its whole share with it.
    fn crash(&self, stage: &Stage) -> Vec<u64> {
        let (salt, victim) = (stage.input.salt, stage.input.numbers[0]);
        let start = |units: Range<u64>| {
            let share = (salt, units.clone(), victim, stage.scale.clone());
            (units, self.pool.submit(shares::crash, share))
        };
        stage.danger();
        let tasks: Vec<_> = self.shares(stage.n).map(start).collect();
        let mut joined: Vec<Result<u64, Lost>> = Vec::new();
        for (units, task) in tasks {
            match task.join() {
                Ok(results) => joined.extend(results.into_iter().map(|result| result.map_err(Lost::new))),
                Err(why) => joined.extend(units.map(|_| Err(Lost::new(&why)))),
            }
        }
        let last = self.pool.submit(shares::spawn, (salt, 8..9)).join();
        stage.survived(&joined, last.is_ok_and(|results| results == [salt + 8]))
    }
}

/// Starts the event loop of every process before there is work.
///
/// A process that has done its first task would take the next one as well, and another would be without a loop. So each
/// stays with its first one until all have come.
fn start_loops(pool: &Pool) -> io::Result<()> {
    let (arrive, arrived) = ipc::channel::<u64>(1)?;
    let (keeper, gate) = UnixStream::pair()?;
    let start = |_| Ok(pool.submit(shares::start_loop, (arrive.clone(), share(&gate)?)));
    let mut tasks: Vec<Task<()>> = (0..pool.workers()).map(start).collect::<io::Result<_>>()?;
    for come in 0..pool.workers() {
        next_to_come(&arrived, &mut tasks, || one_more(&arrive, &gate)).map_err(|why| {
            io::Error::other(format!("{come} of {} processes have come: {why}", pool.workers()))
        })?;
    }
    drop(keeper);
    tasks.into_iter().try_for_each(Task::join).map_err(io::Error::other)
}

/// Waits until one more process has come to the gate, or says why none will.
fn next_to_come(
    arrived: &Receiver<u64>,
    tasks: &mut Vec<Task<()>>,
    one_more: impl FnOnce() -> io::Result<()>,
) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let Err(late) = arrived.recv_timeout(GLANCE) else { return Ok(()) };
        // The gate is closed, so a task has ended because its process was refused or lost.
        if let Some(lost) = tasks.iter().position(Task::is_finished) {
            let how = tasks.swap_remove(lost).join();
            return Err(how.map_or_else(|why| why.to_string(), |()| "one did not wait at the gate".into()));
        }
        if begin.elapsed() > PATIENCE {
            // A process that the system refuses never comes, and its task waits for one of the others. Why, one more attempt tells.
            let no_other = |why| format!("no other starts: {why}");
            return Err(one_more().map_or_else(no_other, |()| late.to_string()));
        }
    }
}

/// A process that is given the same as the others, and leaves again.
fn one_more(arrive: &Sender<u64>, gate: &UnixStream) -> io::Result<()> {
    let leave = |_: (Sender<u64>, Descriptor)| ();
    Process::spawn(leave, (arrive.clone(), share(gate)?))?.join().map_err(io::Error::other)
}

/// How soon it is seen that a task has ended.
const GLANCE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);

/// The same gate once more. It is a socket whose other end is closed when the gate opens.
fn share(gate: &UnixStream) -> io::Result<Descriptor> {
    gate.try_clone().map(|gate| Descriptor(OwnedFd::from(gate)))
}

impl Jobs for ProcsAsync {
    fn map<A: Argument, T: Argument>(
        &self,
        job: impl Fn(A) -> T + Copy + Send + 'static,
        items: Vec<A>,
    ) -> Vec<T> {
        remote::all_of(self.pool.map(job, items))
    }
}

kit::main!(OwnForms<ProcsAsync>);

#[cfg(test)]
#[test]
fn every_process_has_its_loop_before_there_is_work() {
    let model = ProcsAsync::start(4).unwrap();
    let pids = model.pool.pids();
    assert_eq!(pids.len(), 4);
    for pid in pids {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let name = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm")).unwrap();
        let names: Vec<String> = threads.map(|thread| name(thread.unwrap())).collect();
        assert!(names.iter().any(|name| name.starts_with("async-rt")), "process {pid} has {names:?} alone");
    }
}
