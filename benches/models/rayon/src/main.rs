//! rayon: jobs that run to their end on a pool of work-stealing workers.
//!
//! The idioms are those of rayon's own pages: parallel iterators for computing work ("How to use Rayon"), `rayon::spawn`
//! for single jobs (it returns nothing, so results go through a channel), `ThreadPoolBuilder::panic_handler` so that a job's panic
//! does not end the program, and `rayon::yield_now`, which lets a worker that waits run another job meanwhile.
//!
//! A job that waits keeps its worker. So rayon takes part where jobs compute or where blocking is its price (`fetch`, as
//! many requests at a time as there are workers), and not where units wait for each other.

#![forbid(unsafe_code)]

use kit::{Capability, Facts, Lost, Model, Stage, blocking};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder, Yield};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

struct Rayon {
    pool: ThreadPool,
}

impl Model for Rayon {
    type Task = Receiver<u64>;
    type Sender = ();
    type Receiver = ();
    type Gate = ();

    fn facts() -> Facts {
        Facts {
            name: "rayon",
            version: kit::version!("rayon"),
            about: "jobs on a work-stealing pool: rayon::spawn with a channel, parallel iterators for computing work",
            cannot: &[
                (
                    Capability::Switch,
                    "rayon::yield_now runs another job on top of this one, which cannot go on before that ends",
                ),
                (
                    Capability::Channel,
                    "a job that waits for a message keeps its worker from the job that would send it",
                ),
                (
                    Capability::Gate,
                    "a job that waits keeps its worker: no more can wait than there are workers",
                ),
            ],
            own_forms: &["spawn"],
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        // The panic's message is printed by the hook; the lost result tells the one who waits for it.
        let builder = ThreadPoolBuilder::new().num_threads(workers).panic_handler(|_| ());
        Ok(Rayon { pool: builder.build().map_err(io::Error::other)? })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        self.pool.install(|| blocking::finish(root))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Receiver<u64> {
        // Of one place, which is made with the channel: an unbounded one would allocate a block of 31.
        let (sender, result) = sync_channel(1);
        // Nobody listens any more if the root has panicked.
        rayon::spawn(move || _ = sender.send(blocking::finish(unit)));
        result
    }

    /// A worker that waits helps, until there is nothing left to help with.
    async fn join(task: Receiver<u64>) -> Result<u64, Lost> {
        loop {
            match task.try_recv() {
                Ok(result) => return Ok(result),
                Err(TryRecvError::Empty) if rayon::yield_now() == Some(Yield::Executed) => {}
                Err(_) => {
                    return task.recv().map_err(|_| Lost::new("the job ended without sending its result"));
                }
            }
        }
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        items.into_par_iter().map(job).collect()
    }

    fn exchange(address: SocketAddr, request: Vec<u8>) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        ready(blocking::exchange(address, &request))
    }

    /// For many small jobs rayon's users do not spawn each: a parallel iterator splits them as long as a worker is idle.
    async fn own_form(&self, workload: &str, stage: &Stage) -> Vec<u64> {
        assert_eq!(workload, "spawn", "rayon has a form of its own of `spawn` alone");
        let salt = stage.input.salt;
        (0..stage.n).into_par_iter().map(|i| salt + i).collect()
    }
}

kit::main!(Rayon);
