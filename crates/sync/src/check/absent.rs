//! What the locks call where the deadlock checker is compiled out: nothing, of no size.

mod names;

pub(crate) use names::{How, Kind, Mode, Of};

use std::task::Waker;

/// That nothing is all they do, a constant shows: it can neither read a flag or a clock, nor ask which thread it is of.
const _: () = {
    let (tag, site, mut followed) = (Tag::new(Kind::Mutex), Site::here(), Followed::from(Site::here()));
    tag.permits_acquired(1, site);
    tag.permits_released(1);
    tag.permits_change();
    tag.released(Mode::Exclusive);
    tag.changed(Mode::Exclusive, Mode::Shared, site);
    followed.waits(&tag, Mode::Exclusive, Waker::noop());
    followed.has(&tag, Mode::Exclusive);
    followed.over();
    awaited(Cell(1), site, Waker::noop());
    ended(Cell(1));
    awaited_no_more(Cell(1));
    Several::new().over();
    awaited_together(Of::All, Cells::new(), site, Waker::noop());
};

/// Where a lock was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Site;

/// What the checker knows a lock by.
pub(crate) struct Tag;

/// A lock is no bigger for it.
const _: () = assert!(size_of::<Tag>() == 0 && size_of::<Site>() == 0);

impl Site {
    #[inline(always)]
    pub(crate) const fn here() -> Self {
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
    pub(crate) const fn permits_acquired(&self, _: usize, _: Site) {}

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
    pub(crate) const fn permits_released(&self, _: usize) {}

    #[inline(always)]
    pub(crate) const fn permits_change(&self) {}

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
    pub(crate) const fn released(&self, _: Mode) {}

    #[inline(always)]
    pub(crate) const fn changed(&self, _: Mode, _: Mode, _: Site) {}

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
    pub(crate) const fn waits(&mut self, _: &Tag, _: Mode, _: &Waker) {}

    #[inline(always)]
    pub(crate) const fn has(&mut self, _: &Tag, _: Mode) {}

    #[inline(always)]
    pub(crate) const fn over(&mut self) {}
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
pub(crate) const fn awaited(_: Cell, _: Site, _: &Waker) {}

#[inline(always)]
pub(crate) const fn ended(_: Cell) {}

#[inline(always)]
pub(crate) const fn awaited_no_more(_: Cell) {}

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
    pub(crate) const fn over(&mut self) {}
}

#[inline(always)]
pub(crate) const fn awaited_together(_: Of, _: Cells, _: Site, _: &Waker) {}

#[inline(always)]
pub(crate) fn uncounted(_: &Waker) -> Option<Waker> {
    None
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;
    use crate::extra::RLock;
    use crate::lock::RawLock;
    use crate::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit};
    use std::mem::{needs_drop, size_of_val};

    /// In bytes, each is what it has for something else than the checker.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn no_lock_no_guard_and_no_future_is_bigger() {
        let locks =
            [size_of::<Mutex<()>>(), size_of::<RLock<()>>(), size_of::<RwLock<()>>(), size_of::<Semaphore>()];
        assert_eq!(locks, [32, 56, 256, 96]);
        let guards = [
            size_of::<MutexGuard<'_, ()>>(),
            size_of::<RwLockReadGuard<'_, ()>>(),
            size_of::<RwLockWriteGuard<'_, ()>>(),
            size_of::<SemaphorePermit<'_>>(),
        ];
        assert_eq!(guards, [8, 16, 8, 16]);
        let futures = [
            size_of_val(&RawLock::new().acquire_async()),
            size_of_val(&Mutex::new(()).lock_async()),
            size_of_val(&RwLock::new(()).write_async()),
            size_of_val(&Semaphore::new(1).acquire_async()),
        ];
        // The compiler lays out the last three.
        for (bytes, most) in futures.into_iter().zip([184, 200, 296, 272]) {
            assert!(bytes <= most, "{futures:?}");
        }
    }

    #[test]
    fn nothing_is_left_to_be_dropped() {
        let dropped = [
            needs_drop::<Site>(),
            needs_drop::<Tag>(),
            needs_drop::<Followed>(),
            needs_drop::<Cell>(),
            needs_drop::<Cells>(),
            needs_drop::<Several>(),
        ];
        assert_eq!(dropped, [false; 6]);
    }

    #[test]
    fn what_is_called_in_between_is_what_would_be_called_without() {
        let (tag, site) = (Tag::new(Kind::Mutex), Site::here());
        fn not_asked<R>() -> R {
            panic!("the checker looks first whether it has to wait");
        }
        assert_eq!(tag.blocking(Mode::Exclusive, site, not_asked, || 7), 7);
        assert_eq!(tag.blocking_for_permits(1, site, not_asked, || Err::<(), _>(7)), Err(7));
        assert_eq!(tag.taking(Mode::Exclusive, site, || Some(7)), Some(7));
        assert_eq!(tag.taking_in_task(Mode::Exclusive, site, || None::<u8>), None);
        assert_eq!(tag.taking_permits_in_task(1, site, || Err::<(), _>(7)), Err(7));
        // The futures themselves.
        assert_eq!(tag.awaiting(Mode::Exclusive, site, || std::future::ready(7)).into_inner(), 7);
        assert_eq!(tag.awaiting_permits(1, site, || std::future::ready(7)).into_inner(), 7);
        assert_eq!((running(Cell(1), || 7), joining(Cell(1), site, || 7)), (7, 7));
        Cells::new().add(not_asked);
        Several::new().are_left(How::Blocks, Of::All, not_asked, site, Waker::noop());
        assert!(uncounted(Waker::noop()).is_none(), "the waker is used as it is");
    }
}
