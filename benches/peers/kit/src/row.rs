//! What there is to measure: areas, rows, contestants, and what one sample gives.

use std::fmt;
use std::time::Duration;

use crate::cpus::{Cpus, Place};
use crate::sample::{Timed, adaptive};

/// All rows of one area, which is one crate of ours and its peers.
#[derive(Debug)]
pub struct Area {
    /// Its name: that of our crate.
    pub name: &'static str,
    /// The contestant that is ours.
    pub ours: &'static str,
    /// What a machine may be able to do, and whether this one is, for goals that depend on it.
    pub facts: Vec<(&'static str, bool)>,
    /// The rows, in the order of their list.
    pub rows: Vec<Row>,
}

/// One piece of work that several contestants do in their own ways.
#[derive(Debug)]
pub struct Row {
    /// Its name, in parts that slashes separate.
    pub name: String,
    /// What is done, in one line.
    pub about: String,
    /// Where it runs.
    pub cpus: Cpus,
    /// What a sample gives; the first is what contestants are ranked by.
    pub measures: Vec<Measure>,
    /// Who does it.
    pub contestants: Vec<Contestant>,
}

/// A number that a sample gives.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its name, which ends in its unit where it has one.
    pub name: &'static str,
    /// The unit, as it is printed.
    pub unit: &'static str,
    /// Whether less of it is better.
    pub less_is_better: bool,
}

/// One way to do the work of a row.
pub struct Contestant {
    /// Whose way it is.
    pub name: &'static str,
    /// Whether one who waits sleeps; who only spins is shown, and compared with only where a goal names it.
    pub blocks: bool,
    /// Ours in another form: shown, and no peer of ours unless a goal names it.
    pub also_ours: bool,
    /// Runs one sample.
    pub run: Box<Run>,
}

/// How a contestant runs one sample. `Err` says what was wrong with the work.
pub type Run = dyn Fn(&Order) -> Result<Sample, String>;

/// What the engine wants of one sample.
#[derive(Clone, Debug)]
pub struct Order {
    /// The least time that must be timed.
    pub least: Duration,
    /// From which all that is random follows.
    pub seed: u64,
    /// Where threads go.
    pub place: Place,
}

/// What one sample gave.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The values by the names of their measures.
    pub values: Vec<(&'static str, f64)>,
    /// How long was timed; `None` for what is counted and not timed.
    pub timed: Option<Duration>,
}

impl Measure {
    /// Nanoseconds for one operation: what most rows are ranked by.
    pub const NS: Self = Self::less("ns", "ns");

    /// A number of which less is better.
    #[must_use]
    pub const fn less(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, less_is_better: true }
    }

    /// A number of which more is better.
    #[must_use]
    pub const fn more(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, less_is_better: false }
    }
}

impl Contestant {
    /// A contestant whose waiters sleep.
    pub fn new(name: &'static str, run: impl Fn(&Order) -> Result<Sample, String> + 'static) -> Self {
        Self { name, blocks: true, also_ours: false, run: Box::new(run) }
    }

    /// A contestant of which one sample is `body(place, operations)`, run as often as it takes to fill the time. The body
    /// says how long the operations took, and counts in steps of `step` operations.
    pub fn timed(
        name: &'static str,
        step: u64,
        body: impl Fn(&Place, u64) -> Result<Duration, String> + 'static,
    ) -> Self {
        Self::new(name, move |order| {
            adaptive(order.least, step, |count| body(&order.place, count)).map(Timed::sample)
        })
    }

    /// The same, which has to pass `check` after each sample: for what is not seen while it is timed.
    #[must_use]
    pub fn checked_by(self, check: impl Fn() -> Result<(), String> + 'static) -> Self {
        let run = self.run;
        let checked = move |order: &Order| {
            let sample = run(order)?;
            check().map(|()| sample)
        };
        Self { run: Box::new(checked), ..self }
    }

    /// The same, whose waiters only spin.
    #[must_use]
    pub fn spinning(self) -> Self {
        Self { blocks: false, ..self }
    }

    /// The same, as another form of ours beside the one that is judged.
    #[must_use]
    pub fn also_ours(self) -> Self {
        Self { also_ours: true, ..self }
    }
}

impl fmt::Debug for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contestant")
            .field("name", &self.name)
            .field("blocks", &self.blocks)
            .field("also_ours", &self.also_ours)
            .finish_non_exhaustive()
    }
}
