//! Whoever runs the work of a task keeps up those who wait for the task.
//!
//! The work that a promise [runs](crate::task::Promise::run) ends the task when it returns, and nobody else can end it, for the promise is
//! in that call. So who runs it is to those who wait for the task what the holder of a lock is to those who wait for the lock. It is
//! said after the work has begun, and taken back before the task ends. A promise that is anywhere else may be kept by
//! whoever has it, so a wait for it is one that may end.
//!
//! A task is known by the address of its cell. Nothing is down under it that is not taken back before the cell is freed: the
//! work, for the promise has the cell until then; the wait, for the handle has.

use super::context::{self, ContextId};
use super::hook::{Site, Waiting};
use super::is_on;
use super::state::{self, By, State, Target, Wait};
use std::task::Waker;

/// Which task: the address of its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell(pub(crate) usize);

/// Somebody runs the work of a task, until this is dropped.
struct Running {
    cell: Cell,
    by: ContextId,
}

/// Calls `work`, after which the task ends, and not before.
#[inline]
pub(crate) fn running<R>(cell: Cell, work: impl FnOnce() -> R) -> R {
    let _running = if is_on() { Running::begin(cell) } else { None };
    work()
}

/// Calls `wait`, which returns when the task has ended, and not before.
#[inline]
pub(crate) fn joining<R>(cell: Cell, site: Site, wait: impl FnOnce() -> R) -> R {
    let _waiting = if is_on() { begin_to_join(cell, site) } else { None };
    wait()
}

/// The task has not ended, and wakes this waker when it will have, and no other.
#[inline]
pub(crate) fn awaited(cell: Cell, site: Site, waker: &Waker) {
    if is_on() {
        awaited_checked(cell, site, waker);
    }
}

/// The task has ended, and has woken whoever waits for it. Its cell is still there.
#[inline]
pub(crate) fn ended(cell: Cell) {
    if is_on() {
        state::with(|state| state.has_ended(cell));
    }
}

/// The task has ended, or its handle goes away.
#[inline]
pub(crate) fn awaited_no_more(cell: Cell) {
    if is_on() {
        state::with(|state| state.end_awaiting(cell));
    }
}

#[cold]
fn begin_to_join(cell: Cell, site: Site) -> Option<Waiting> {
    // Whoever has awaited it before is not woken by it any more.
    awaited_no_more(cell);
    Waiting::begin(Target::Task(cell), site)
}

#[cold]
fn awaited_checked(cell: Cell, site: Site, waker: &Waker) {
    let target = Target::Task(cell);
    let task = context::current_task().id();
    state::with(|state| {
        // Who has put something around this that awaits more has not the task's own waker there.
        let task = task.filter(|task| state.wakes(*task, waker));
        let waits = task.and_then(|task| state.contexts.get(&task)).map_or(&[][..], |context| &context.waits);
        if waits.iter().any(|wait| wait.target == target) {
            return;
        }
        state.end_awaiting(cell);
        if let Some(task) = task {
            let wait = Wait { serial: state.tick(), target, site, by: By::Wakers(1) };
            state.begin_wait(task, wait);
        }
    });
}

impl Running {
    #[cold]
    fn begin(cell: Cell) -> Option<Self> {
        let by = context::current().id()?;
        state::with(|state| state.runs.insert(cell, by))?;
        Some(Running { cell, by })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        state::with(|state| {
            if state.runs.get(&self.cell) == Some(&self.by) {
                state.runs.remove(&self.cell);
            }
        });
    }
}

impl State {
    pub(super) fn task_name(&self, cell: Cell) -> String {
        format!("the task at {:#x}", cell.0)
    }

    /// One of these tasks whose work the context runs.
    pub(super) fn run_by(&self, context: ContextId, cells: &[Cell]) -> Option<Cell> {
        cells.iter().copied().find(|cell| self.runs.get(cell) == Some(&context))
    }
}
