//! A structure on trial: scenarios, runs, verdict.

use crate::crew::{self, Patience, Perform, Trouble, TroubleKind};
use crate::history::THREADS_MAX;
use crate::model::Model;
use crate::scenario::{Kind, PER_THREAD, Role, Scenario, scenarios};
use crate::search::judge;
use crate::violation::{Violation, timeline};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::env;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

/// Threads use a structure `S` in many ways, and each time it is judged whether a [`Model`] could have answered so.
///
/// Say who takes part with [`threads`](Trial::threads), then [`check`](Trial::check). By default a trial tries 40
/// scenarios 25 times each; with `TREFOIL_FULL=1` in the environment, 400 scenarios 100 times.
///
/// # Examples
/// ```
/// use linearizable::Trial;
/// use linearizable::models::register::{Operation, Register, Response};
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
///
/// Trial::new("an atomic", Register::new(0), || AtomicU32::new(0), |atomic, operation| match *operation {
///     Operation::Read => Response::Value(atomic.load(SeqCst)),
///     Operation::Swap(value) => Response::Value(atomic.swap(value, SeqCst)),
///     Operation::Add(more) => Response::Value(atomic.fetch_add(more, SeqCst)),
///     Operation::Write(value) => {
///         atomic.store(value, SeqCst);
///         Response::Done
///     }
/// })
/// .threads(3, &[Operation::Write, Operation::Swap, |_| Operation::Add(1), |_| Operation::Read])
/// .ending(|_| Operation::Read)
/// .check();
/// ```
pub struct Trial<M: Model, S> {
    name: String,
    initial: M,
    make: Box<dyn Fn() -> S>,
    perform: Arc<Perform<S, M::Operation, M::Response>>,
    roles: Vec<Role<M::Operation>>,
    ending: Option<Kind<M::Operation>>,
    wanted: Vec<Wanted<M>>,
    operations_max: usize,
    seed: Option<u64>,
    patience: Patience,
}

impl<M, S> Trial<M, S>
where
    M: Model + 'static,
    M::Operation: Send + Sync,
    M::Response: Send,
    S: Send + Sync + 'static,
{
    /// A trial of what `make` makes, which begins in the state `initial`. `perform` performs one operation and returns
    /// its answer; it is called by several threads at once.
    ///
    /// An operation that waits for another thread may wait for ever in some scenario: take its form with a time limit,
    /// and answer a time-out as the model answers when there is nothing, or no room.
    pub fn new(
        name: &str,
        initial: M,
        make: impl Fn() -> S + 'static,
        perform: impl Fn(&S, &M::Operation) -> M::Response + Send + Sync + 'static,
    ) -> Self {
        Trial {
            name: name.to_owned(),
            initial,
            make: Box::new(make),
            perform: Arc::new(perform),
            roles: Vec::new(),
            ending: None,
            wanted: Vec::new(),
            operations_max: OPERATIONS_MAX,
            seed: None,
            patience: Patience { whole: PATIENCE, each: None },
        }
    }

    /// Adds `count` threads that perform operations of these kinds, each of which comes as often as the others; name one
    /// twice to have it twice as often. Call it again for threads with other rights, such as a queue's only consumer.
    ///
    /// # Panics
    /// If there are no kinds, or more than 63 threads.
    #[must_use]
    #[track_caller]
    pub fn threads(mut self, count: usize, kinds: &[Kind<M::Operation>]) -> Self {
        assert!(!kinds.is_empty(), "threads need at least one kind of operation");
        self.roles.extend((0..count).map(|_| Role::Any(kinds.to_vec())));
        self.expect_room();
        self
    }

    /// Adds `count` threads that go through `steps` again and again, each step an operation of one of some kinds. All threads
    /// of a trial that were added so go as many rounds, whatever scenario is drawn: so where one puts in each
    /// round and another gets, there is an item for each get.
    ///
    /// # Panics
    /// If there are no steps, a step without kinds, or more than 63 threads.
    #[must_use]
    #[track_caller]
    pub fn rounds(mut self, count: usize, steps: &[&[Kind<M::Operation>]]) -> Self {
        let steps: Vec<_> = steps.iter().map(|kinds| kinds.to_vec()).collect();
        assert!(
            !steps.is_empty() && steps.iter().all(|kinds| !kinds.is_empty()),
            "a round needs at least one step, and each step at least one kind of operation"
        );
        self.roles.extend((0..count).map(|_| Role::Rounds(steps.clone())));
        self.expect_room();
        self
    }

    /// Fails the trial as one of a **lost wake-up** if an operation takes longer than this: for trials in which another thread soon
    /// ends each wait, as [`rounds`](Trial::rounds) makes them. Give operations that wait a longer limit than this, and one that
    /// is never told is found: be it that it answers in the end that the time has passed, or that it looks once more by then and is
    /// right. While the machine stands still, nobody is late.
    #[must_use]
    pub fn answered_within(mut self, limit: Duration) -> Self {
        self.patience.each = Some(limit);
        self
    }

    /// When all threads have ended, this is done as often as they did anything, and once more: take out what was put in,
    /// so that nothing is lost unseen.
    #[must_use]
    pub fn ending(mut self, kind: Kind<M::Operation>) -> Self {
        self.ending = Some(kind);
        self
    }

    /// Fails the trial if no operation is ever answered so. A structure that always refuses fits a model that allows
    /// refusing; this is how a trial says what must happen now and then. `what` completes "there never was".
    #[must_use]
    pub fn wanting(mut self, what: &'static str, answer: fn(&M::Response) -> bool) -> Self {
        self.wanted.push(Wanted { what, answer, overlaps: 0 });
        self
    }

    /// As [`wanting`](Trial::wanting), for an answer that needs two threads at a time. On a machine that is so busy that
    /// operations hardly ever overlapped, it is not missed.
    #[must_use]
    pub fn wanting_together(mut self, what: &'static str, answer: fn(&M::Response) -> bool) -> Self {
        self.wanted.push(Wanted { what, answer, overlaps: MANY_OVERLAPS });
        self
    }

    /// A thread performs at most so many operations in a run; 6 by default.
    ///
    /// # Panics
    /// If that is more than 99.
    #[must_use]
    #[track_caller]
    pub fn operations(mut self, most: usize) -> Self {
        assert!(most < PER_THREAD, "{most} operations of a thread: {} at most", PER_THREAD - 1);
        self.operations_max = most;
        self
    }

    /// The number from which scenarios and pauses follow. By default it is `TREFOIL_SEED` of the environment, or else
    /// random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// A scenario that takes longer than this with all its runs hangs; one minute by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience.whole = patience;
        self
    }

    /// Fails a test if the structure fails. Blocks; takes about a tenth of a second, or some seconds in the long form.
    ///
    /// # Panics
    /// As [`search`](Trial::search), and if that finds a [`Failure`], with the failure as the message.
    #[track_caller]
    pub fn check(&self) {
        if let Err(failure) = self.search() {
            panic!("{failure}");
        }
    }

    /// Looks for a failure, in a bounded number of runs. Blocks.
    ///
    /// # Errors
    /// [`Failure`] with a scenario that was made as small as proptest could.
    ///
    /// # Panics
    /// If nobody takes part, if `make` or the model panics, or if `TREFOIL_SEED` is no number. And if nothing failed, but
    /// there never was an answer that is [wanted](Trial::wanting).
    #[track_caller]
    pub fn search(&self) -> Result<(), Failure<M>> {
        assert!(!self.roles.is_empty(), "{}: a trial needs `threads`", self.name);
        let seed = self.seed.unwrap_or_else(seed_of_environment);
        let effort = Effort::of_environment();
        let (runs, goes) = (Cell::new(0), Cell::new(0));
        let found = RefCell::new(None);
        let seen = RefCell::new(Seen { overlaps: 0, wanted: vec![false; self.wanted.len()] });
        let config = Config {
            cases: effort.scenarios,
            failure_persistence: None,
            max_shrink_iters: SHRINKS_MAX,
            max_shrink_time: SHRINK_MS_MAX,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let verdict = runner.run(&scenarios(&self.roles, self.operations_max, self.ending), |scenario| {
            // One that hung leaves its threads behind and takes a minute, one that was late takes its time: no more of those.
            if matches!(&*found.borrow(), Some(Found { what: What::Trouble(trouble), .. }) if trouble.is_hang()) {
                return Ok(());
            }
            let smaller = found.borrow().is_some();
            if !smaller {
                runs.set(runs.get() + effort.runs);
            }
            let times = if smaller { SHRINK_EFFORT } else { 1 };
            let outcome = (0..times).try_for_each(|_| {
                goes.set(goes.get() + 1);
                self.runs(&scenario, effort.runs, seed.wrapping_add(goes.get()), &mut seen.borrow_mut())
            });
            match outcome {
                Ok(()) => Ok(()),
                Err(what) => {
                    found.replace(Some(Found { scenario, what }));
                    Err(TestCaseError::fail("it fits no order"))
                }
            }
        });
        // The last failure that was found is the one of the smallest scenario.
        match (found.into_inner(), verdict) {
            (Some(found), _) => {
                Err(Failure { name: self.name.clone(), seed, runs: runs.get(), found: Box::new(found) })
            }
            (None, Ok(())) => {
                self.expect_a_trial(&seen.into_inner());
                Ok(())
            }
            (None, Err(why)) => {
                panic!("{}: there was no trial, for `make` or the model panicked: {why}", self.name)
            }
        }
    }

    /// Performs one scenario many times.
    fn runs(
        &self,
        scenario: &Scenario<M::Operation>,
        runs: usize,
        seed: u64,
        seen: &mut Seen,
    ) -> Result<(), What<M>> {
        let subjects = (0..runs).map(|_| (self.make)()).collect();
        let histories = crew::perform_all(scenario, subjects, &self.perform, seed, self.patience);
        for history in histories.map_err(What::Trouble)? {
            seen.overlaps += history.overlaps();
            for (wanted, seen) in self.wanted.iter().zip(&mut seen.wanted) {
                *seen |= history.responses().any(wanted.answer);
            }
            judge(self.initial.clone(), &history).map_err(What::Violation)?;
        }
        Ok(())
    }
}

impl<M: Model, S> Trial<M, S> {
    #[track_caller]
    fn expect_room(&self) {
        // One more has the ending.
        assert!(self.roles.len() < THREADS_MAX, "a trial has at most {} threads", THREADS_MAX - 1);
    }

    #[track_caller]
    fn expect_a_trial(&self, seen: &Seen) {
        let name = &self.name;
        // Shown where the output is: a trial without overlaps, as on a very busy machine, says little.
        println!("{name}: {} operations began while another was under way", seen.overlaps);
        for (wanted, is_seen) in self.wanted.iter().zip(&seen.wanted) {
            let what = wanted.what;
            assert!(
                *is_seen || seen.overlaps < wanted.overlaps,
                "{name}: there never was {what}, so its answers prove nothing"
            );
        }
    }
}

/// An answer without which a trial proves nothing.
struct Wanted<M: Model> {
    what: &'static str,
    answer: fn(&M::Response) -> bool,
    /// It is missed only where so many operations overlapped.
    overlaps: usize,
}

/// What has happened in a trial.
struct Seen {
    /// So many operations began while another was open.
    overlaps: usize,
    wanted: Vec<bool>,
}

impl<M: Model, S> fmt::Debug for Trial<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("name", &self.name)
            .field("initial", &self.initial)
            .field("threads", &self.roles.len())
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// A structure did what its model cannot do, or panicked, hung, or lost a wake-up.
///
/// Displayed, it says in which scenario, from which seed, and shows the run as a timeline.
pub struct Failure<M: Model> {
    name: String,
    seed: u64,
    runs: usize,
    found: Box<Found<M>>,
}

struct Found<M: Model> {
    scenario: Scenario<M::Operation>,
    what: What<M>,
}

enum What<M: Model> {
    Violation(Violation<M>),
    Trouble(Trouble<M::Operation, M::Response>),
}

impl<M: Model> Failure<M> {
    /// The history that fits no order; `None` if the structure panicked, hung or lost a wake-up.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation<M>> {
        match &self.found.what {
            What::Violation(violation) => Some(violation),
            What::Trouble(_) => None,
        }
    }
}

impl<M: Model> fmt::Display for Failure<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { name, seed, runs, found } = self;
        let Found { scenario, what } = &**found;
        let summary = match what {
            What::Violation(_) => "is not linearizable".to_owned(),
            What::Trouble(Trouble { kind: TroubleKind::Panicked(message), .. }) => {
                format!("panicked: {message}")
            }
            What::Trouble(Trouble { kind: TroubleKind::Hung(limit), .. }) => format!("hung for {limit:?}"),
            What::Trouble(Trouble { kind: TroubleKind::Late(limit), .. }) => {
                format!("lost a wake-up: an operation waited for more than {limit:?}")
            }
        };
        writeln!(
            f,
            "{name} {summary} (found within {runs} runs; TREFOIL_SEED={seed} repeats the scenarios)"
        )?;
        write!(f, "\nthe smallest scenario that was found:\n{scenario:?}\n")?;
        match what {
            What::Violation(violation) => violation.fmt(f),
            What::Trouble(Trouble { history, .. }) => {
                write!(f, "what had happened:\n\n{}", timeline(history, history.len(), ""))
            }
        }
    }
}

/// As it is displayed: whoever fails a test by it wants to read it.
impl<M: Model> fmt::Debug for Failure<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<M: Model> std::error::Error for Failure<M> {}

impl<O, R> Trouble<O, R> {
    fn is_hang(&self) -> bool {
        matches!(self.kind, TroubleKind::Hung(_) | TroubleKind::Late(_))
    }
}

/// How much is tried.
struct Effort {
    scenarios: u32,
    runs: usize,
}

impl Effort {
    fn of_environment() -> Self {
        if env::var_os("TREFOIL_FULL").is_some_and(|value| value == "1") {
            Effort { scenarios: 400, runs: 100 }
        } else {
            Effort { scenarios: 40, runs: 25 }
        }
    }
}

#[track_caller]
fn seed_of_environment() -> u64 {
    match env::var("TREFOIL_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| {
            panic!("TREFOIL_SEED={text}: a seed is a whole number; take the one that a failure has printed")
        }),
        // A fresh hasher is keyed at random.
        Err(_) => RandomState::new().build_hasher().finish(),
    }
}

/// Longer scenarios find no more, and people cannot read them.
const OPERATIONS_MAX: usize = 6;

/// Of some thousands, on a machine with two CPUs.
const MANY_OVERLAPS: usize = 1_000;

/// A scenario takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many smaller scenarios are tried once one has failed, and no longer than this: a rare fault in the long form would
/// take minutes for a little beauty.
const SHRINKS_MAX: u32 = 300;
const SHRINK_MS_MAX: u32 = 20_000;

/// A smaller scenario gets so many times the runs of another, for a fault that was rare may be rarer there.
const SHRINK_EFFORT: u32 = 10;
