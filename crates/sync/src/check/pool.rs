//! Work that is queued in a pool, for those who build pools.
//!
//! A pool whose workers all wait for work that stands in the queue behind them waits for ever: each of them would have to end before
//! it is begun. The pool says who its workers are and what it has queued, and whoever waits for work says so by
//! [`Work::wait`](Work::wait).
//!
//! # Examples
//! ```standalone_crate
//! use sync::check::pool::Pool;
//!
//! let pool = Pool::new("images", 1);
//! let work = pool.queue();
//! // On the thread that takes it from the queue:
//! let worker = pool.join();
//! let running = work.run();
//! drop(running);
//! // On the thread that waits for it:
//! work.wait(|| ());
//! # drop(worker);
//! ```

use super::context::{self, ContextId};
use super::hook::{Site, Waiting};
use super::is_on;
use super::state::{self, Crew, State, Target};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A pool of a fixed number of workers.
#[derive(Debug)]
pub struct Pool {
    number: u64,
}

/// The thread, coroutine or task that made this works for a pool, until it is dropped.
#[must_use = "the worker leaves when this is dropped"]
#[derive(Debug)]
pub struct Worker<'a> {
    pool: &'a Pool,
    context: Option<ContextId>,
}

/// Something that a pool is to do. When the last clone is dropped, it counts as done or never to be.
#[derive(Clone, Debug)]
pub struct Work {
    number: Arc<Number>,
}

/// Work that is being done, until this is dropped.
#[must_use = "the work is done when this is dropped"]
#[derive(Debug)]
pub struct Running<'a> {
    number: u64,
    work: PhantomData<&'a Work>,
}

/// Goes with the last clone.
#[derive(Debug)]
struct Number(u64);

/// How far work has come.
pub(super) struct Stages {
    pub(super) pool: Arc<str>,
    pub(super) stage: WorkStage,
}

pub(super) enum WorkStage {
    /// In the pool of this number.
    Queued(u64),
    Runs(ContextId),
    /// It was begun by nobody knows whom, or is done.
    Unknown,
}

static LAST: AtomicU64 = AtomicU64::new(0);

impl Pool {
    /// A pool of so many workers, none of which has come yet. Until all have, it is taken to be able to go on.
    #[must_use]
    pub fn new(name: &str, workers: usize) -> Self {
        let number = next();
        let crew = Crew { name: Arc::from(name), size: workers, workers: BTreeSet::new() };
        state::with(|state| state.pools.insert(number, crew));
        Pool { number }
    }

    /// Whoever calls this works for the pool.
    pub fn join(&self) -> Worker<'_> {
        let context = if is_on() { context::current().id() } else { None };
        if let Some(id) = context {
            self.crew(|crew| _ = crew.workers.insert(id));
        }
        Worker { pool: self, context }
    }

    /// Work has been queued, behind all that is queued or runs.
    #[must_use]
    pub fn queue(&self) -> Work {
        let number = next();
        state::with(|state| {
            let Some(crew) = state.pools.get(&self.number) else { return };
            let stages = Stages { pool: Arc::clone(&crew.name), stage: WorkStage::Queued(self.number) };
            state.works.insert(number, stages);
        });
        Work { number: Arc::new(Number(number)) }
    }

    fn crew(&self, change: impl FnOnce(&mut Crew)) {
        state::with(|state| state.pools.get_mut(&self.number).map(change));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        state::with(|state| state.pools.remove(&self.number));
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.context {
            self.pool.crew(|crew| _ = crew.workers.remove(&id));
        }
    }
}

impl Work {
    /// Whoever calls this has taken the work from the queue and does it now.
    pub fn run(&self) -> Running<'_> {
        let by = if is_on() { context::current().id() } else { None };
        set(self.number.0, by.map_or(WorkStage::Unknown, WorkStage::Runs));
        Running { number: self.number.0, work: PhantomData }
    }

    /// Calls `wait`, which waits for the work for as long as it takes.
    #[track_caller]
    pub fn wait<R>(&self, wait: impl FnOnce() -> R) -> R {
        let _waiting = if is_on() { Waiting::begin(Target::Work(self.number.0), Site::here()) } else { None };
        wait()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        set(self.number, WorkStage::Unknown);
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        state::with(|state| drop(state.works.remove(&self.0)));
    }
}

fn set(number: u64, stage: WorkStage) {
    state::with(|state| {
        if let Some(stages) = state.works.get_mut(&number) {
            stages.stage = stage;
        }
    });
}

fn next() -> u64 {
    // Relaxed: a number, which stands for nothing but itself.
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl State {
    pub(super) fn work_name(&self, number: u64) -> String {
        let Some(stages) = self.works.get(&number) else { return format!("work #{number}") };
        match &stages.stage {
            WorkStage::Queued(_) => format!("work #{number}, queued in pool `{}`", stages.pool),
            WorkStage::Runs(by) => {
                format!("work #{number} of pool `{}`, which {} does", stages.pool, self.context_name(*by))
            }
            WorkStage::Unknown => format!("work #{number} of pool `{}`", stages.pool),
        }
    }
}
