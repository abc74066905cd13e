//! What the locks call where the deadlock checker is compiled out: nothing, of no size.

mod names;

pub(crate) use names::{How, Kind, Mode, Of};

use std::task::Waker;

/// Where a lock was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Site;

/// What the checker knows a lock by.
pub(crate) struct Tag;

/// A lock is no bigger for it.
const _: () = assert!(size_of::<Tag>() == 0 && size_of::<Site>() == 0);

impl Site {
    #[inline(always)]
    pub(crate) fn here() -> Self {
        Site
    }
}

impl Tag {
    pub(crate) const fn new(_: Kind) -> Self {
        Tag
    }

    pub(crate) const fn of_permits(_: usize) -> Self {
        Tag
    }

    #[inline(always)]
    pub(crate) fn blocking_for_permits<R, E>(
        &self,
        _: usize,
        _: Site,
        _attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        wait()
    }

    #[inline(always)]
    pub(crate) fn permits_acquired(&self, _: usize, _: Site) {}

    #[inline(always)]
    pub(crate) fn taking_permits_in_task<R, E>(
        &self,
        _: usize,
        _: Site,
        attempt: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        attempt()
    }

    #[inline(always)]
    pub(crate) fn permits_released(&self, _: usize) {}

    #[inline(always)]
    pub(crate) fn permits_change(&self) {}

    /// The future itself.
    #[inline(always)]
    pub(crate) fn awaiting_permits<F>(&self, _: usize, _: Site, make: impl FnOnce() -> F) -> F {
        make()
    }

    #[inline(always)]
    pub(crate) fn blocking<R>(
        &self,
        _: Mode,
        _: Site,
        _attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> R,
    ) -> R {
        wait()
    }

    #[inline(always)]
    pub(crate) fn taking<R>(&self, _: Mode, _: Site, attempt: impl FnOnce() -> Option<R>) -> Option<R> {
        attempt()
    }

    #[inline(always)]
    pub(crate) fn taking_in_task<R>(
        &self,
        _: Mode,
        _: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        attempt()
    }

    #[inline(always)]
    pub(crate) fn released(&self, _: Mode) {}

    #[inline(always)]
    pub(crate) fn changed(&self, _: Mode, _: Mode, _: Site) {}

    /// The future itself.
    #[inline(always)]
    pub(crate) fn awaiting<F>(&self, _: Mode, _: Site, make: impl FnOnce() -> F) -> F {
        make()
    }
}

/// What is known of a task's wait for a lock.
pub(crate) struct Followed;

/// The future by which it waits is no bigger for it.
const _: () = assert!(size_of::<Followed>() == 0);

impl Followed {
    #[inline(always)]
    pub(crate) const fn not() -> Self {
        Followed
    }

    #[inline(always)]
    pub(crate) const fn from(_: Site) -> Self {
        Followed
    }

    #[inline(always)]
    pub(crate) fn waits(&mut self, _: &Tag, _: Mode, _: &Waker) {}

    #[inline(always)]
    pub(crate) fn has(&mut self, _: &Tag, _: Mode) {}

    #[inline(always)]
    pub(crate) fn over(&mut self) {}
}

/// Which task.
#[derive(Clone, Copy)]
pub(crate) struct Cell(#[expect(dead_code, reason = "nobody asks which")] pub(crate) usize);

#[inline(always)]
pub(crate) fn running<R>(_: Cell, work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(always)]
pub(crate) fn joining<R>(_: Cell, _: Site, wait: impl FnOnce() -> R) -> R {
    wait()
}

#[inline(always)]
pub(crate) fn awaited(_: Cell, _: Site, _: &Waker) {}

#[inline(always)]
pub(crate) fn ended(_: Cell) {}

#[inline(always)]
pub(crate) fn awaited_no_more(_: Cell) {}

/// Tasks for which a wait goes on.
pub(crate) struct Cells;

/// Somebody waits for several tasks.
pub(crate) struct Several;

/// Nobody who waits for several is any bigger for it.
const _: () = assert!(size_of::<Cells>() == 0 && size_of::<Several>() == 0);

impl Cells {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Cells
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, _cell: impl FnOnce() -> Option<Cell>) {}
}

impl Several {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Several
    }

    #[inline(always)]
    pub(crate) fn are_left(&mut self, _: How, _: Of, _: impl FnOnce() -> Cells, _: Site, _: &Waker) {}

    #[inline(always)]
    pub(crate) fn over(&mut self) {}
}

#[inline(always)]
pub(crate) fn awaited_together(_: Of, _: Cells, _: Site, _: &Waker) {}

#[inline(always)]
pub(crate) fn uncounted(_: &Waker) -> Option<Waker> {
    None
}
