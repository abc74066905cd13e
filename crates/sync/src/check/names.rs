//! What the locks, and those who wait for several tasks, say to the checker, be it compiled in or not.

/// In what way a lock is held or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(not(feature = "check"), expect(unreachable_pub, reason = "it is public where the checker is"))]
pub enum Mode {
    /// Alone.
    Exclusive,
    /// Together with others that share it.
    Shared,
    /// Together with others that share it, and as the only one who may go on to have it alone.
    Upgradable,
    /// Together with others that share it, and before all who wait. Held as `Shared`.
    SharedAgain,
    /// Alone, by the one who has it as `Upgradable`. Held as `Exclusive`.
    Upgrade,
}

/// What a lock is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Mutex,
    RLock,
    RwLock,
    /// Where the checker is not, nobody says so.
    #[cfg(feature = "check")]
    Semaphore,
}

/// How many tasks have to end before a wait does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// One, or nobody knows how many.
    Any,
    All,
}

/// How somebody waits for several tasks.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// By nothing but this, for as long as it takes.
    Blocks,
    /// By a waker, of which one clone is with the tasks, whichever ends.
    Awaits,
}
