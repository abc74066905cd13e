//! A pool of processes, by this project's own `procs`.
//!
//! The idioms are those of its README: `Pool::submit` with a function that captures nothing, `join`, and `map` for work
//! over many items.

#![forbid(unsafe_code)]

use kit::forms::OwnForms;
use kit::remote::{self, Apart, Argument, Jobs, Remote};
use kit::{Capability, Facts, Lost};
use procs::{Executor, Pool, Task};
use std::io;

struct ProcsPool {
    pool: Pool,
}

impl Remote for ProcsPool {
    type Task<T: Argument> = Task<T>;
    type Sender = ();
    type Receiver = ();
    type Gate = ();
    type Keeper = ();

    fn facts() -> Facts {
        Facts {
            name: "procs-pool",
            version: kit::version!("procs"),
            about: "tasks on the pool of this project's `procs`: as many processes as workers",
            uses: kit::protocol::Uses::Processes,
            cannot: &[
                (
                    Capability::Switch,
                    "a task keeps its process until it ends, so a yield lets no task run that is queued",
                ),
                (
                    Capability::Channel,
                    "a task that waits for a message keeps its process from the task that would send it",
                ),
                (
                    Capability::Gate,
                    "a task that waits keeps its process: no more can wait than there are workers",
                ),
            ],
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        Ok(ProcsPool { pool: Pool::new(workers)? })
    }

    fn spawn<A: Argument, T: Argument>(
        &self,
        unit: impl Fn(A) -> T + Copy + Send + 'static,
        argument: A,
    ) -> Task<T> {
        self.pool.submit(unit, argument)
    }

    fn join<T: Argument>(task: Task<T>) -> Result<T, Lost> {
        task.join().map_err(Lost::new)
    }
}

impl Jobs for ProcsPool {
    fn map<A: Argument, T: Argument>(
        &self,
        job: impl Fn(A) -> T + Copy + Send + 'static,
        items: Vec<A>,
    ) -> Vec<T> {
        remote::all_of(self.pool.map(job, items))
    }
}

kit::main!(OwnForms<Apart<ProcsPool>>);
