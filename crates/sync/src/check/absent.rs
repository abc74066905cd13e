//! What the locks call where the deadlock checker is compiled out: nothing, of no size.

/// In what way a lock is held or wanted.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Exclusive,
}

/// What a lock is called.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Mutex,
    RLock,
}

/// Where a lock was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Site;

/// What the checker knows a lock by.
pub(crate) struct Tag;

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

    #[inline(always)]
    pub(crate) fn blocking(&self, _: Mode, _: Site, _attempt: impl FnOnce() -> bool, wait: impl FnOnce()) {
        wait();
    }

    #[inline(always)]
    pub(crate) fn acquired(&self, _: Mode, _: Site) {}

    #[inline(always)]
    pub(crate) fn acquired_in_task(&self, _: Mode, _: Site) {}

    #[inline(always)]
    pub(crate) fn released(&self, _: Mode) {}

    /// The future itself.
    #[inline(always)]
    pub(crate) fn awaiting<F>(&self, _: Mode, _: Site, future: F) -> F {
        future
    }
}
