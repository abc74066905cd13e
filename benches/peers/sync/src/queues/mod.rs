//! Queues between threads, from threads to tasks, and between tasks: from one or two producers to one or two consumers.
//!
//! A row is a [`Case`] in one place; `contestants` has a function for each contestant, which opens its channel and hands its
//! ends to one of the bodies in `bodies` as closures. So the loop around them is the same for all, and a call of an end costs
//! what the contestant makes of it.

pub mod bodies;
pub mod contestants;
pub mod rings;

use std::time::Duration;

use peers_kit::{Contestant, Cpus, Measure, Order, Place, Row, Sample, adaptive};

use self::contestants::{Candidate, Form, Kind};

/// Who sends how to whom.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Threads or tasks that send.
    pub producers: usize,
    /// Threads or tasks that receive.
    pub consumers: usize,
    /// How many items fit; `None` for as many as there are.
    pub capacity: Option<usize>,
    /// Which of both are tasks.
    pub ends: Ends,
}

/// Which ends of a channel are tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// None: each is a thread.
    Threads,
    /// Those that receive; all of them share a thread.
    ThreadsToTasks,
    /// All, in one thread.
    Tasks,
}

/// What goes through: copied in and out, and verified by the number that it bears.
pub trait Item: Copy + Send + Unpin + 'static {
    /// The item with this number.
    fn of(number: u64) -> Self;
    /// Its number; what it is made of agrees on it, or this is none that was sent.
    fn number(self) -> u64;
}

/// How one run of a body is done.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Where its threads go.
    pub place: &'a Place,
    /// How many items go through.
    pub count: u64,
    /// Whether each send is timed, which costs two readings of the clock.
    pub watched: bool,
}

/// What a run gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// From the first start to the last end.
    pub took: Duration,
    /// The longest send, where sends were watched.
    pub worst_send: Duration,
}

/// A contestant's way to do a case.
pub type Body = Box<dyn Fn(&Run<'_>) -> Result<Done, String>>;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (shape, producers, consumers) in [("spsc", 1, 1), ("mpsc", 2, 1), ("mpmc", 2, 2)] {
        for capacity in [Some(0), Some(1), Some(128), Some(1024), None] {
            for ends in [Ends::Threads, Ends::ThreadsToTasks, Ends::Tasks] {
                let case = Case { producers, consumers, capacity, ends };
                for &cpus in ends.cpus() {
                    rows.push(row::<u64>(shape, case, "u64", cpus));
                    rows.push(row::<[u64; 8]>(shape, case, "64b", cpus));
                }
            }
        }
    }
    rows.extend(rings::rows());
    rows
}

fn row<T: Item>(shape: &str, case: Case, item: &str, cpus: Cpus) -> Row {
    let capacity = case.capacity_word();
    let Case { producers, consumers, ends, .. } = case;
    let mut measures = vec![Measure::NS];
    if cpus == Cpus::Hogs {
        measures.push(Measure::less("worst_send_us", "us"));
    }
    Row {
        name: format!("queue/{shape}/{capacity}/{}/{item}/{}", ends.word(), cpus.word()),
        about: format!(
            "{producers} to {consumers}, {}, capacity {capacity}, {}; an item",
            ends.about(),
            Form::of(case).about()
        ),
        cpus,
        measures,
        contestants: contestants::all::<T>(case)
            .into_iter()
            .map(|Candidate { name, kind, body }| {
                let contestant = Contestant::new(name, move |order| sample(&body, order, cpus == Cpus::Hogs));
                match kind {
                    Kind::Sleeps => contestant,
                    Kind::Spins => contestant.spinning(),
                    Kind::AlsoOurs => contestant.also_ours(),
                }
            })
            .collect(),
    }
}

/// Items enough to fill the time; beside hogs as many again, in a few runs, with each send timed.
fn sample(body: &Body, order: &Order, worst: bool) -> Result<Sample, String> {
    let run = |count, watched| body(&Run { place: &order.place, count, watched });
    let least = if worst { order.least.max(BESIDE_HOGS) } else { order.least };
    let timed = adaptive(least, STEP, |count| run(count, false).map(|done| done.took))?;
    let mut sample = timed.sample();
    if worst {
        let mut longest = Vec::with_capacity(WORST_OF);
        let some = (timed.count / WORST_OF as u64).next_multiple_of(STEP);
        for _ in 0..WORST_OF {
            longest.push(run(some, true)?.worst_send);
        }
        sample.values.push(("worst_send_us", middle(longest).as_nanos() as f64 / 1e3));
    }
    Ok(sample)
}

/// The median of an odd number of times.
fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A single maximum says more of the moment than of the queue: the median of so many is told.
const WORST_OF: usize = 3;

/// Some fifty time slices. In a dozen, whether one more was lost is half of the result: one and the same queue took 16 and 14,000 ns.
const BESIDE_HOGS: Duration = Duration::from_millis(200);

/// As many items as two producers and two consumers can share evenly.
pub const STEP: u64 = 2;

impl Case {
    fn capacity_word(self) -> String {
        self.capacity.map_or_else(|| "unbounded".to_owned(), |capacity| capacity.to_string())
    }
}

impl Ends {
    fn word(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::ThreadsToTasks => "mixed",
            Self::Tasks => "tasks",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Threads => "thread to thread",
            Self::ThreadsToTasks => "thread to task",
            Self::Tasks => "task to task in one thread",
        }
    }

    /// One thread is nowhere but on one CPU.
    fn cpus(self) -> &'static [Cpus] {
        match self {
            Self::Threads | Self::ThreadsToTasks => &[Cpus::Free, Cpus::Two, Cpus::One, Cpus::Hogs],
            Self::Tasks => &[Cpus::One, Cpus::Hogs],
        }
    }
}

impl Item for u64 {
    fn of(number: u64) -> Self {
        number
    }

    fn number(self) -> u64 {
        self
    }
}

impl Item for [u64; 8] {
    fn of(number: u64) -> Self {
        [number, 0, 0, 0, 0, 0, 0, !number]
    }

    fn number(self) -> u64 {
        // One that was torn or never written bears a number that no sum is right with.
        if self[7] == !self[0] { self[0] } else { u64::MAX / 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_send_is_the_median_of_several_maxima() {
        let runs = std::rc::Rc::new(std::cell::Cell::new(0));
        let body: Body = {
            let runs = std::rc::Rc::clone(&runs);
            Box::new(move |run| {
                // One of them meets what none of the others does.
                let us = if run.watched { [7, 9_000, 8][runs.replace(runs.get() + 1)] } else { 0 };
                Ok(Done { took: BESIDE_HOGS, worst_send: Duration::from_micros(us) })
            })
        };
        let order = Order { least: Duration::ZERO, seed: 1, place: Place::free() };
        let worst = |sample: Sample| sample.values.into_iter().find(|it| it.0 == "worst_send_us");
        assert_eq!(worst(sample(&body, &order, true).expect("it is right")), Some(("worst_send_us", 8.0)));
        assert_eq!(worst(sample(&body, &order, false).expect("it is right")), None);
        assert_eq!(runs.get(), WORST_OF);
    }

    #[test]
    fn every_contestant_of_every_case_brings_all_items() {
        let place = Place::free();
        for row in [(1, 1), (2, 1), (2, 2)] {
            for capacity in [Some(0), Some(1), Some(128), None] {
                for ends in [Ends::Threads, Ends::ThreadsToTasks, Ends::Tasks] {
                    let case = Case { producers: row.0, consumers: row.1, capacity, ends };
                    for Candidate { name, body, .. } in contestants::all::<[u64; 8]>(case) {
                        for watched in [false, true] {
                            let done = body(&Run { place: &place, count: 2_000, watched });
                            let done = done.unwrap_or_else(|why| panic!("{name} {case:?}: {why}"));
                            assert_eq!(done.worst_send > Duration::ZERO, watched, "{name} {case:?}");
                        }
                    }
                }
            }
        }
    }
}
