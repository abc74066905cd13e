//! Waits for several tasks at once: for the first of them that ends, or for all.
//!
//! Each of them is kept up by whoever [runs](super::join) what ends it, as when it is waited for alone. A wait for the first ends by
//! any of them, so it lasts for ever when all are kept up; a wait for all does when one is. One that ends at the first
//! error counts as one for the first, for any task may fail.
//!
//! The tasks that are left are said at each poll that ends nothing, and before the waiter sleeps. Those that have ended
//! since then are still named, until it is polled again: nobody runs them any more, so they keep nobody up. Their cells live, for their
//! handles are with the waiter. Where a task has given them one waker in common, the first of them that ends has used it up: then that
//! is no wait any more, or a waker that is with somebody else would be counted for it.

use super::context::{self, ContextId};
use super::hook::{Site, Waiting};
use super::is_on;
use super::join::Cell;
use super::names::{How, Of};
use super::state::{self, By, State, Target, Wait};
use std::task::Waker;

/// The tasks for which a wait goes on.
#[derive(Debug)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    /// There is something else that may end.
    unknown: bool,
}

/// Somebody waits for several tasks, until this is dropped. One word, as it is in handles that are given about.
#[derive(Debug)]
pub(crate) struct Several(Option<Box<Waiting>>);

impl Cells {
    pub(crate) const fn new() -> Self {
        Cells { cells: Vec::new(), unknown: false }
    }

    /// One more, if that is what it is.
    #[inline]
    pub(crate) fn add(&mut self, cell: impl FnOnce() -> Option<Cell>) {
        if is_on() {
            match cell() {
                Some(cell) => self.cells.push(cell),
                None => self.unknown = true,
            }
        }
    }

    /// Nothing, if another may end the wait, or if the checker was off when they were asked for.
    fn target(self, of: Of) -> Option<Target> {
        let may_end = self.unknown && of == Of::Any;
        (!may_end && !self.cells.is_empty()).then_some(Target::Tasks(of, self.cells))
    }
}

impl Several {
    pub(crate) const fn new() -> Self {
        Several(None)
    }

    /// These are left, and the waiter goes to sleep.
    #[inline]
    pub(crate) fn are_left(
        &mut self,
        how: How,
        of: Of,
        cells: impl FnOnce() -> Cells,
        site: Site,
        waker: &Waker,
    ) {
        if is_on() {
            self.note(how, of, cells(), site, waker);
        }
    }

    /// The wait is over.
    #[inline]
    pub(crate) fn over(&mut self) {
        if self.0.is_some() {
            self.0 = None;
        }
    }

    #[cold]
    fn note(&mut self, how: How, of: Of, cells: Cells, site: Site, waker: &Waker) {
        let who = match how {
            How::Blocks => context::current(),
            How::Awaits => context::current_task(),
        };
        let (Some(who), Some(target)) = (who.id(), cells.target(of)) else { return self.over() };
        let is_known = |noted: &Waiting| {
            noted.context == who
                && state::with(|state| {
                    state.wait(who, noted.serial).is_some_and(|wait| wait.target == target)
                }) == Some(true)
        };
        if self.0.as_deref().is_some_and(is_known) {
            return;
        }
        self.over();
        self.0 = match how {
            How::Blocks => Waiting::begin(target, site),
            How::Awaits => begin_to_await(who, waker, Wait { serial: 0, target, site, by: By::Common }),
        }
        .map(Box::new);
    }
}

/// `None` if the task has put something around this that awaits more.
fn begin_to_await(task: ContextId, waker: &Waker, mut wait: Wait) -> Option<Waiting> {
    let begin = |state: &mut State| {
        wait.serial = state.tick();
        state.wakes(task, waker).then(|| state.begin_wait(task, wait))
    };
    let serial = state::with(begin)??;
    Some(Waiting { context: task, serial })
}

/// These are awaited by this waker, which each of them has, as one and not one by one.
#[inline]
pub(crate) fn awaited_together(of: Of, cells: Cells, site: Site, waker: &Waker) {
    if is_on() {
        awaited_together_checked(of, cells, site, waker);
    }
}

#[cold]
fn awaited_together_checked(of: Of, cells: Cells, site: Site, waker: &Waker) {
    let (Some(task), Some(target)) = (context::current_task().id(), cells.target(of)) else { return };
    state::with(|state| {
        if !state.wakes(task, waker) {
            return;
        }
        let Target::Tasks(_, cells) = &target else { return };
        let is_part = |wait: &Wait| matches!(&wait.target, Target::Task(cell) if cells.contains(cell));
        let Some(context) = state.contexts.get_mut(&task) else { return };
        context.waits.retain(|wait| wait.by == By::Blocking || !is_part(wait));
        if context.waits.iter().any(|wait| wait.target == target) {
            return;
        }
        // From another wait, with others.
        let wakers = cells.len();
        for cell in cells {
            state.end_awaiting(*cell);
        }
        let wait = Wait { serial: state.tick(), target, site, by: By::Wakers(wakers) };
        state.begin_wait(task, wait);
    });
}

impl Wait {
    /// So many clones of a task's waker are with what it waits for.
    pub(super) fn wakers(&self) -> usize {
        match self.by {
            By::Blocking => 0,
            By::Wakers(clones) => clones,
            By::Common => 1,
        }
    }

    /// Whether nobody wakes by this any more when that task has ended: it is polled, and says again what is left.
    pub(super) fn is_used_up_by(&self, task: Cell) -> bool {
        let awaits = || matches!(&self.target, Target::Tasks(_, cells) if cells.contains(&task));
        self.by == By::Common && awaits()
    }

    /// Takes a task out of what is awaited; whether anything is left.
    pub(super) fn still_awaits_without(&mut self, task: Cell) -> bool {
        if self.by == By::Blocking {
            return true;
        }
        match &mut self.target {
            Target::Task(cell) => *cell != task,
            Target::Tasks(_, cells) => {
                cells.retain(|cell| *cell != task);
                if let By::Wakers(clones) = &mut self.by {
                    *clones = cells.len();
                }
                !cells.is_empty()
            }
            Target::Lock(..) | Target::Permits(..) | Target::Work(_) => true,
        }
    }
}

impl State {
    fn wait(&self, context: ContextId, serial: u64) -> Option<&Wait> {
        self.contexts.get(&context)?.waits.iter().find(|wait| wait.serial == serial)
    }

    pub(super) fn tasks_name(&self, of: Of, cells: &[Cell]) -> String {
        let names: Vec<String> = cells.iter().map(|cell| self.task_name(*cell)).collect();
        match of {
            Of::Any => format!("any of {}", names.join(", ")),
            Of::All => format!("all of {}", names.join(", ")),
        }
    }
}
