//! Pools of a fixed size: what a runtime's blocking threads are.

use crate::joins::{LONGER, PATIENCE, account};
use crate::{Expected, Program};
use std::collections::VecDeque;
use std::sync::{Barrier, Condvar, Mutex, PoisonError};
use std::thread;
use sync::check::{self, pool};
use sync::{Task, promise};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "a_job_wants_a_lock_of_who_joins_it",
        expected: Expected::Certain(&[
            "`main` (#",
            "holds Mutex `account`",
            "waits for the task at ",
            "`worker 0` (#",
            "runs the task at ",
            "pools.rs:",
        ]),
        run: a_job_wants_a_lock_of_who_joins_it,
    },
    Program {
        name: "all_workers_join_what_is_said_to_be_queued_behind_them",
        expected: Expected::Certain(&["queued in pool `small`", "`worker 0`", "`worker 1`", "pools.rs:"]),
        run: all_workers_join_what_is_said_to_be_queued_behind_them,
    },
    Program {
        name: "all_workers_join_what_a_late_worker_takes",
        expected: Expected::Silence,
        run: all_workers_join_what_a_late_worker_takes,
    },
];

type Job = Box<dyn FnOnce() + Send>;

/// The queue of a pool that tells nobody of it.
#[derive(Default)]
struct Jobs {
    queue: Mutex<(VecDeque<Job>, bool)>,
    changed: Condvar,
}

impl Jobs {
    fn submit<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
        let (promise, task) = promise();
        self.queue.lock().unwrap().0.push_back(Box::new(move || promise.run(work)));
        self.changed.notify_one();
        task
    }

    fn close(&self) {
        self.queue.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    /// What a worker does, until the pool is closed and nothing is left.
    fn work(&self) {
        loop {
            let idle = |(jobs, closed): &mut (VecDeque<_>, bool)| jobs.is_empty() && !*closed;
            let queue = self.queue.lock().unwrap();
            let mut queue = self.changed.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner);
            let Some(job) = queue.0.pop_front() else { return };
            drop(queue);
            job();
        }
    }

    fn start(&'static self, workers: usize) {
        for number in 0..workers {
            thread::Builder::new().name(format!("worker {number}")).spawn(|| self.work()).unwrap();
        }
    }
}

/// Jobs use it for as long as the process lives, which ends with a report.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn a_job_wants_a_lock_of_who_joins_it() {
    let (account, jobs) = (kept(account()), kept(Jobs::default()));
    jobs.start(1);
    let _held = account.lock();
    jobs.submit(|| drop(account.lock())).join().unwrap();
}

/// Each of two workers joins what it has queued behind the other, and the pool says so.
fn all_workers_join_what_is_said_to_be_queued_behind_them() {
    let (small, met, jobs) =
        (kept(pool::Pool::new("small", 2)), kept(Barrier::new(2)), kept(Jobs::default()));
    let outer = || {
        let _worker = small.join();
        let outer = small.queue();
        let _running = outer.run();
        met.wait();
        let (work, inner) = (small.queue(), jobs.submit(|| ()));
        work.wait(|| inner.join()).unwrap();
    };
    jobs.start(2);
    for task in [jobs.submit(outer), jobs.submit(outer)] {
        task.join().unwrap();
    }
}

/// The same where the pool does not say how large it is: it may take on another worker, and then it goes on.
fn all_workers_join_what_a_late_worker_takes() {
    check::set_patience(PATIENCE);
    let (met, jobs) = (kept(Barrier::new(2)), kept(Jobs::default()));
    let outer = || {
        met.wait();
        jobs.submit(|| ()).join().unwrap();
    };
    jobs.start(2);
    let tasks = [jobs.submit(outer), jobs.submit(outer)];
    thread::sleep(LONGER);
    let late = thread::spawn(|| jobs.work());
    for task in tasks {
        task.join().unwrap();
    }
    jobs.close();
    late.join().unwrap();
}
