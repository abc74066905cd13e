//! The pool of this project's own `threads`.
//!
//! The idioms are those of its README: `Pool::spawn` for closures, `join` on the task inside other tasks, which never
//! deadlocks because a worker that waits makes room for another one, and `threads::blocking` around what waits in a way
//! that the pool cannot see, such as a socket of `std`.

#![forbid(unsafe_code)]

use kit::blocking;
use kit::{Capability, Facts, Lost, Model};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use threads::sync::queue::CloseOnDrop;
use threads::sync::{Event, Queue};
use threads::{Pool, Task};

/// Room for as many units that wait as a plain run asks for.
const MAX_THREADS: usize = 11_000;

struct ThreadsPool {
    pool: Pool,
}

impl Model for ThreadsPool {
    type Task = Task<u64>;
    type Sender = CloseOnDrop<u64>;
    type Receiver = CloseOnDrop<u64>;
    type Gate = Arc<Event>;

    fn facts() -> Facts {
        Facts {
            name: "threads-pool",
            version: kit::version!("threads"),
            about: "tasks on the pool of this project's `threads`, which adds a thread where a task waits",
            cannot: &[(
                Capability::Switch,
                "a task keeps its thread until it waits or ends, so a yield lets no task run that is queued",
            )],
            most_units: Some((
                10_000,
                "a unit that waits keeps a thread, of which vm.max_map_count allows 32,700 by default",
            )),
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        Ok(ThreadsPool { pool: Pool::builder().workers(workers).max_threads(MAX_THREADS).build() })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        let root = self.pool.spawn(move || blocking::finish(root));
        root.join().unwrap_or_else(|why| panic!("the root was lost: {}", why.resume_panic()))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Task<u64> {
        self.pool.spawn(move || blocking::finish(unit))
    }

    fn join(task: Task<u64>) -> impl Future<Output = Result<u64, Lost>> + Send {
        ready(task.join().map_err(Lost::new))
    }

    fn channel(capacity: usize) -> (CloseOnDrop<u64>, CloseOnDrop<u64>) {
        let queue = Arc::new(Queue::bounded(capacity));
        (queue.close_on_drop(), queue.close_on_drop())
    }

    async fn send(sender: &mut CloseOnDrop<u64>, word: u64) -> bool {
        sender.put(word).is_ok()
    }

    async fn receive(receiver: &mut CloseOnDrop<u64>) -> Option<u64> {
        receiver.get().ok()
    }

    fn gate() -> Arc<Event> {
        Arc::default()
    }

    async fn wait(gate: &Arc<Event>) {
        gate.wait();
    }

    fn open(gate: &Arc<Event>) {
        gate.set();
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let start = |item| self.pool.submit(job.clone(), item);
        let jobs: Vec<Task<T>> = items.into_iter().map(start).collect();
        let result =
            |job: Task<T>| job.join().unwrap_or_else(|why| panic!("a job was lost: {}", why.resume_panic()));
        jobs.into_iter().map(result).collect()
    }

    fn exchange(address: SocketAddr, request: Vec<u8>) -> impl Future<Output = io::Result<Vec<u8>>> + Send {
        ready(threads::blocking(|| blocking::exchange(address, &request)))
    }
}

kit::main!(ThreadsPool);
