//! The rules of the module, checked after every step of simulated threads.

use super::{Call, State};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thread {
    Starting,
    Idle,
    Running(u64),
    Blocked(u64),
}

#[derive(Clone, Debug)]
enum Step {
    /// A task is submitted.
    Push,
    /// A task is cancelled, if it is queued.
    Cancel(u64),
    /// A thread does what it does next.
    Advance(usize),
    /// The task of a thread begins to wait, if it runs.
    Block(usize),
    /// The system gives no threads until the next such step.
    Refuse(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Push),
        1 => (0..40_u64).prop_map(Step::Cancel),
        6 => (0..100_usize).prop_map(Step::Advance),
        3 => (0..100_usize).prop_map(Step::Block),
        1 => prop::bool::weighted(0.3).prop_map(Step::Refuse),
    ];
    prop::collection::vec(step, 0..120)
}

/// A pool whose threads are values.
struct Simulation {
    state: State<u64>,
    threads: Vec<Thread>,
    workers: usize,
    max_threads: usize,
    refusing: bool,
    pushed: u64,
    /// Tasks that began, in that order.
    began: Vec<u64>,
    cancelled: Vec<u64>,
    /// Tasks that ended because there was no thread.
    given_up: Vec<u64>,
}

impl Simulation {
    fn new(workers: usize, max_threads: usize) -> Self {
        Simulation {
            state: State::new(),
            threads: Vec::new(),
            workers,
            max_threads,
            refusing: false,
            pushed: 0,
            began: Vec::new(),
            cancelled: Vec::new(),
            given_up: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Push => {
                self.state.push(self.pushed, self.pushed).expect("the pool is open");
                self.pushed += 1;
                self.call();
            }
            Step::Cancel(ticket) => self.cancelled.extend(self.state.withdraw(ticket)),
            Step::Advance(index) if !self.threads.is_empty() => self.advance(index % self.threads.len()),
            Step::Block(index) if !self.threads.is_empty() => {
                let index = index % self.threads.len();
                if let Thread::Running(ticket) = self.threads[index] {
                    self.threads[index] = Thread::Blocked(ticket);
                    self.state.block();
                    self.call();
                }
            }
            Step::Refuse(refusing) => self.refusing = refusing,
            Step::Advance(_) | Step::Block(_) => {}
        }
    }

    fn call(&mut self) {
        let call = self.state.call(self.workers, self.max_threads);
        let coming = self.state.starting + self.state.told;
        assert!(
            call == Call::Nobody || coming <= self.state.queue.len(),
            "rule 3: {coming} for {:?}",
            self.state
        );
        if call == Call::New {
            if self.refusing {
                self.given_up.extend(self.state.not_started().into_values());
            } else {
                self.state.spawned();
                self.threads.push(Thread::Starting);
            }
        }
    }

    fn advance(&mut self, index: usize) {
        match self.threads[index] {
            Thread::Starting => {
                self.state.started();
                self.look(index);
            }
            Thread::Idle => {
                if self.state.wakes() {
                    self.look(index);
                } else if self.state.is_over() {
                    self.state.wakes_by_itself();
                    self.look(index);
                }
            }
            Thread::Running(_) => {
                self.state.done();
                self.look(index);
            }
            Thread::Blocked(ticket) => {
                self.state.unblock();
                self.threads[index] = Thread::Running(ticket);
            }
        }
    }

    fn look(&mut self, index: usize) {
        if let Some(ticket) = self.state.take(self.workers) {
            self.began.push(ticket);
            self.threads[index] = Thread::Running(ticket);
        } else if self.state.is_over() {
            self.state.ended();
            self.threads.swap_remove(index);
        } else {
            self.state.sleeps();
            self.threads[index] = Thread::Idle;
        }
    }

    fn count(&self, what: impl Fn(&Thread) -> bool) -> usize {
        self.threads.iter().filter(|thread| what(thread)).count()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let state = &self.state;
        let blocked = self.count(|thread| matches!(thread, Thread::Blocked(_)));
        let running = self.count(|thread| matches!(thread, Thread::Running(_))) + blocked;
        prop_assert_eq!((state.running, state.blocked), (running, blocked));
        prop_assert_eq!(state.threads, self.threads.len());
        // An idle thread that has been told is still asleep, until it notices.
        prop_assert_eq!(state.idle + state.told, self.count(|thread| *thread == Thread::Idle));
        prop_assert!(state.threads <= self.max_threads);

        // Rule 2.
        let may_take = state.queue.len().min(self.workers.saturating_sub(running - blocked));
        let coming = state.starting + state.told;
        let nobody_left = state.idle == 0 && state.threads == self.max_threads;
        prop_assert!(coming >= may_take || nobody_left, "{:?} with {} for {}", state, coming, may_take);
        Ok(())
    }

    /// Lets every thread go on until nothing changes any more, and checks after each step.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        while !self.is_at_rest() {
            for index in (0..self.threads.len()).rev() {
                self.advance(index);
                self.check()?;
            }
        }
        Ok(())
    }

    /// The same without checks, where the system has refused threads.
    fn advance_until_all_rest(&mut self) {
        while !self.is_at_rest() {
            (0..self.threads.len()).rev().for_each(|index| self.advance(index));
        }
    }

    fn is_at_rest(&self) -> bool {
        let over = self.state.is_over();
        self.state.told == 0 && self.threads.iter().all(|thread| *thread == Thread::Idle && !over)
    }
}

proptest! {
    #[test]
    fn the_rules_hold_after_every_step(steps in steps(), workers in 1..4_usize, spare in 0..4_usize) {
        let mut pool = Simulation::new(workers, workers + spare);
        for step in steps.iter().filter(|step| !matches!(step, Step::Refuse(_))) {
            pool.step(step);
            pool.check()?;
        }
    }

    #[test]
    fn every_task_begins_once_and_in_order_or_ends_otherwise(
        steps in steps(),
        workers in 1..4_usize,
        spare in 0..4_usize,
    ) {
        let steps: Vec<_> = steps.into_iter().filter(|step| !matches!(step, Step::Refuse(_))).collect();
        let mut pool = Simulation::new(workers, workers + spare);
        steps.iter().for_each(|step| pool.step(step));
        pool.settle()?;
        prop_assert!(pool.state.has_drained(false), "{:?}", pool.state);
        prop_assert!(pool.began.is_sorted());
        let mut all = [pool.began.clone(), pool.cancelled.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..pool.pushed).collect::<Vec<_>>());

        pool.state.close();
        pool.settle()?;
        prop_assert!(pool.state.is_deserted() && pool.threads.is_empty());
        prop_assert_eq!(pool.state.push(0, 0), Err(0));
    }

    #[test]
    fn a_system_that_gives_no_threads_loses_no_task(steps in steps(), workers in 1..4_usize) {
        let mut pool = Simulation::new(workers, workers + 2);
        steps.iter().for_each(|step| pool.step(step));
        // Whatever was refused, a thread that lives is enough to run all.
        pool.refusing = false;
        pool.step(&Step::Push);
        pool.advance_until_all_rest();
        let mut all = [pool.began.clone(), pool.cancelled.clone(), pool.given_up.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..pool.pushed).collect::<Vec<_>>());
    }
}
