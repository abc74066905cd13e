//! What shuttle runs: programs of several threads and tasks, under schedules that are drawn from a seed.
//!
//! `RUSTFLAGS='--cfg trefoil_shuttle' cargo test -p sync --lib`
//!
//! Loom tries every order of a few operations, weak memory included. Shuttle tries some thousand orders of some dozen
//! operations, as if memory were strong. So these programs are longer than the models: all ways to put and to take at
//! once, futures that leave, queues that are closed meanwhile.
//!
//! Each program runs under two schedulers: one draws at each step who is next; the other (PCT: Burckhardt et al., "A
//! Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010) lets the same one go on and changes
//! its mind a few times, which finds what needs a thread to stand still for long.
//!
//! # When one fails
//!
//! It prints `TREFOIL_SEED=..`. With that in the environment, the same test draws the same schedules and fails at the
//! same one. Nothing else may be drawn, so what a program of ours draws (the order of a select) comes from the schedule
//! as well, and nothing here depends on the clock: a deadline has passed when somebody looks. `replay.rs` holds that to
//! be true. `TREFOIL_FULL=1` tries a hundred times as many.

mod channels;
mod lengths;
mod queues;
mod replay;
mod rlock;
mod select;
mod semaphores;

use crate::os;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::thread::JoinHandle;
use shuttle::{Config, Runner};
use std::env;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// So many schedules of each scheduler.
const SCHEDULES: usize = 500;
/// So often the second scheduler changes its mind.
const CHANGES: usize = 3;

/// Runs the program under many schedules. What it asserts must hold in each; where all threads wait, shuttle says so.
fn explore(program: impl Fn() + Send + Sync + 'static) {
    explore_a_part(1, program);
}

/// As [`explore`], with a part of the schedules: for one of many forms of a program.
fn explore_a_part(parts: usize, program: impl Fn() + Send + Sync + 'static) {
    let seed = env::var("TREFOIL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    let full = env::var_os("TREFOIL_FULL").is_some_and(|full| full == "1");
    let schedules = if full { 100 * SCHEDULES } else { SCHEDULES } / parts;
    println!("TREFOIL_SEED={seed} draws the same schedules again");
    let program = Arc::new(program);
    run(RandomScheduler::new_from_seed(seed, schedules), Arc::clone(&program));
    run(PctScheduler::new_from_seed(seed, CHANGES, schedules), program);
}

fn run(scheduler: impl Scheduler + 'static, program: Arc<impl Fn() + Send + Sync + 'static>) {
    let mut config = Config::new();
    // It would say once that orderings weaker than `SeqCst` are not modelled.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(move || {
        os::another_machine();
        program();
    });
}

/// What each of them returns.
fn join<T, const THREADS: usize>(threads: [JoinHandle<T>; THREADS]) -> [T; THREADS] {
    threads.map(|thread| thread.join().expect("shuttle ends a program with its first panic"))
}

/// Polls once with a waker that does nothing, and drops the future: what a `select` does to its losers.
fn poll_and_drop<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Says at the end whether all its clones are gone, and none twice.
#[derive(Clone)]
struct Witness(Arc<()>);

/// An item with a witness, so that one that leaks shows.
struct Item {
    number: u32,
    _witness: Witness,
}

impl Witness {
    fn new() -> Self {
        Witness(Arc::new(()))
    }

    fn item(&self, number: u32) -> Item {
        Item { number, _witness: self.clone() }
    }

    fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}
