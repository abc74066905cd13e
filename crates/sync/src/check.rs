//! Finds deadlocks, while the program runs: those that are there, and those that may come. Feature `check`.
//!
//! Compiled in, the checker is switched off until [`enable`]; an operation of a lock costs one look at a flag then. Switched on, it
//! notes who takes and who wants which lock, under one lock of its own: for tests and for looking after a bug, not for production.
//!
//! It gives two verdicts, and would rather give none than a wrong one:
//!
//! - [`Verdict::Certain`]: threads, coroutines and tasks wait for each other in a circle, each for as long as it takes, or the workers
//!   of a [`pool`] for what is queued behind them. Waits with a limit, attempts, and what a task awaits besides other things do not
//!   count.
//! - [`Verdict::Potential`]: at least two of them take locks in different orders, and no lock that they have in common keeps them
//!   apart.
//!
//! What it takes for granted: a guard is with the one who took it, until somebody else is seen to give it back; then the lock is
//! left out for good. For a deadlock to be there, nobody must have moved for [a while](patience).
//!
//! It knows [`Mutex`](crate::Mutex), [`RwLock`](crate::RwLock), [`RLock`](crate::extra::RLock), what is built on them, and, as long as
//! they go back by their guards, the permits of a [`Semaphore`](crate::Semaphore). Who waits for a [`Task`](crate::Task), alone or
//! among [several](crate::completion), waits for whoever [runs](crate::task::Promise::run) what ends it. It does not see what anybody may end: a wait for an event, an
//! item, a notification, a promise that nobody runs. Where several things run in turns on a thread, it
//! has to be told which: see [`Context`].
//!
//! # Waiting
//! - **Blocks**: every call waits for the checker's own lock, and for nothing else. While the checker is off, locks do not take it.
//! - **Allocates** what it notes, while it is switched on: those who take locks do so too.
//! - **Order**: there is none; it does not change the order in which those who wait for a lock go on.
//! - **Dropped**: what is noted of a [`Context`], or of the work of a [`pool`], goes with it.
//! - **A waker that panics** is the business of the lock: none is woken here.
//!
//! # Examples
//! ```standalone_crate
//! use std::thread;
//! use sync::{Event, Mutex, check};
//!
//! check::enable();
//! let (from, to) = (Mutex::new(100), Mutex::new(0));
//! check::name(&from, "from");
//! let first_is_done = Event::new();
//! thread::scope(|scope| {
//!     scope.spawn(|| {
//!         let (mut from, mut to) = (from.lock(), to.lock());
//!         (*from, *to) = (*from - 10, *to + 10);
//!         drop((from, to));
//!         first_is_done.set();
//!         // It goes on for a while.
//!         while check::reports().is_empty() {
//!             thread::yield_now();
//!         }
//!     });
//!     first_is_done.wait();
//!     // The other way round: this time nobody is in the way.
//!     let (mut to, mut from) = (to.lock(), from.lock());
//!     (*from, *to) = (*from + 10, *to - 10);
//! });
//! let report = &check::reports()[0];
//! assert_eq!(report.verdict, check::Verdict::Potential);
//! assert!(report.to_string().contains("Mutex `from`"));
//! ```

pub mod pool;

mod awaited;
mod context;
mod hook;
mod join;
mod names;
mod order;
mod report;
mod several;
mod state;
mod task;
mod waits;

pub use context::{Context, Entered};
pub use names::Mode;
pub use report::{Entry, Held, Report, Verdict};

pub(crate) use awaited::Followed;
pub(crate) use hook::{Site, Tag};
pub(crate) use join::{Cell, awaited, awaited_no_more, ended, joining, running};
pub(crate) use names::{How, Kind, Of};
pub(crate) use several::{Cells, Several, awaited_together};
pub(crate) use task::uncounted;

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static ON: AtomicBool = AtomicBool::new(false);

/// What keeps the checker's number of a lock.
mod sealed {
    pub trait Tagged {
        fn tag(&self) -> &super::Tag;
    }
}

/// A lock that the checker knows.
pub trait Lock: sealed::Tagged {}

impl<T: ?Sized> sealed::Tagged for crate::Mutex<T> {
    fn tag(&self) -> &Tag {
        self.tag()
    }
}

impl<T: ?Sized> Lock for crate::Mutex<T> {}

impl<T: ?Sized> sealed::Tagged for crate::extra::RLock<T> {
    fn tag(&self) -> &Tag {
        self.tag()
    }
}

impl<T: ?Sized> Lock for crate::extra::RLock<T> {}

impl<T: ?Sized> sealed::Tagged for crate::RwLock<T> {
    fn tag(&self) -> &Tag {
        self.tag()
    }
}

impl<T: ?Sized> Lock for crate::RwLock<T> {}

impl sealed::Tagged for crate::Semaphore {
    fn tag(&self) -> &Tag {
        self.tag()
    }
}

impl Lock for crate::Semaphore {}

/// Switches the checker on. What is held already is not known to be.
///
/// In a child made by `fork` without `exec` the checker is off for good.
pub fn enable() {
    state::settle();
    // Relaxed: who has not seen it yet is not checked yet.
    state::with(|state| {
        if !ON.load(Ordering::Relaxed) {
            state.begin_anew();
            ON.store(true, Ordering::Relaxed);
        }
    });
}

/// Switches the checker off. The reports stay.
pub fn disable() {
    state::with(|_| ON.store(false, Ordering::Relaxed));
}

/// Whether the checker is on, in this process.
#[must_use]
pub fn is_enabled() -> bool {
    is_on() && state::is_at_home()
}

/// The look at the flag that each operation of a lock costs.
#[inline(always)]
fn is_on() -> bool {
    // Relaxed: it is a matter of when, and guards nothing.
    ON.load(Ordering::Relaxed)
}

/// Has `f` called with each report from now on, in place of the one before, or of printing it on standard error.
///
/// It is called on a thread of its own that holds no lock, and may do anything, such as to end the process. A panic ends its call
/// only. Call it after [`enable`].
pub fn on_report(f: impl Fn(&Report) + Send + Sync + 'static) {
    let f: report::Callback = Arc::new(f);
    state::settle();
    let before = state::with(|state| state.callback.replace(f));
    drop(before);
}

/// What has been reported so far: each deadlock once, and at most a thousand.
#[must_use]
pub fn reports() -> Vec<Report> {
    state::with(|state| state.reports.clone()).unwrap_or_default()
}

/// How long those who wait for each other are watched before that is reported. It is 200 ms unless [set](set_patience).
#[must_use]
pub fn patience() -> Duration {
    waits::patience()
}

/// Sets [`patience`]. A program that sends guards from thread to thread wants more of it than a guard is on its way.
pub fn set_patience(patience: Duration) {
    waits::set_patience(patience);
}

/// What the caller holds, as far as it was taken while the checker was on.
#[must_use]
pub fn held() -> Vec<Held> {
    if !is_on() {
        return Vec::new();
    }
    let Some(id) = context::current().id() else { return Vec::new() };
    let held = state::with(|state| {
        let held = state.contexts.get(&id).map_or(&[][..], |context| &context.held);
        let holds = held.iter().filter_map(|(lock, serial)| Some((*lock, state.hold(*lock, *serial)?)));
        holds.map(|(lock, hold)| state.held(lock, hold.mode, hold.site)).collect()
    });
    held.unwrap_or_default()
}

/// Asserts that the caller holds no lock: for the begin of what takes long, or waits for something else.
///
/// # Panics
/// If it does, and the checker was on when it took it.
#[track_caller]
pub fn assert_nothing_held() {
    let held = held();
    if !held.is_empty() {
        let held: Vec<String> = held.iter().map(Held::to_string).collect();
        panic!("no lock should be held here, but {} is: give it back before", held.join(", and "));
    }
}

/// Gives a lock a name for the reports. Locks are not taken for each other by it: many may have the same.
pub fn name(lock: &impl Lock, name: &str) {
    let tag = lock.tag();
    let name = Arc::from(name);
    state::settle();
    let Some(id) = tag.id() else { return };
    state::with(|state| {
        tag.show(state, id);
        state.locks.get_mut(&id).and_then(|lock| lock.name.replace(name))
    });
}

/// All that the checker knows, as a graph in the language of Graphviz: an edge from a lock to another that was asked for while the
/// first was held, with the places of both.
#[must_use]
pub fn graph() -> String {
    let mut text = String::from("digraph locks {\n");
    state::with(|state| {
        for edge in state.order.edges() {
            let label = format!(
                "{}: {} ({}), {} ({})",
                state.context_name(edge.context),
                edge.from_site.location(),
                edge.from_mode,
                edge.to_site.location(),
                edge.to_mode
            );
            let (from, to) = (state.lock_name(edge.from), state.lock_name(edge.to));
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {from:?} -> {to:?} [label={label:?}];");
        }
    });
    text + "}\n"
}
