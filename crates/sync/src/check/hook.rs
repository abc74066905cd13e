//! What the locks call. Each call is one relaxed load while the checker is switched off.
//!
//! The order of these calls and of what they tell about is what the verdicts rest on: **taking is said after the lock was taken,
//! and giving back before it is given back.** So who is down as holding a lock does hold it, and who is down as waiting for a
//! lock that somebody is down as holding does wait.

use super::context::{self, Who};
use super::state::{self, Hold, LockId, State, Target, Wait};
use super::{is_on, order, report, waits};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

/// In what way a lock is held or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mode {
    /// Alone.
    Exclusive,
    /// Together with others that share it.
    Shared,
    /// Together with others that share it, and as the only one who may go on to have it alone.
    Upgradable,
}

/// What a lock is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Mutex,
    RLock,
}

/// Where a lock was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site(&'static Location<'static>);

/// What the checker knows a lock by: a number that it gets when it is first seen, and that no other lock ever gets. It moves with
/// the lock.
#[derive(Debug)]
pub struct Tag {
    id: AtomicUsize,
    kind: Kind,
}

/// The numbers given so far.
static LAST_ID: AtomicUsize = AtomicUsize::new(0);

impl Mode {
    /// Whether two cannot have the lock like this at the same time.
    pub(super) fn excludes(self, other: Mode) -> bool {
        match (self, other) {
            (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => false,
            (Mode::Exclusive, _) | (_, Mode::Exclusive) | (Mode::Upgradable, Mode::Upgradable) => true,
        }
    }
}

impl Site {
    #[inline]
    #[track_caller]
    pub(crate) fn here() -> Self {
        Site(Location::caller())
    }

    pub(super) fn location(self) -> &'static Location<'static> {
        self.0
    }
}

impl Tag {
    pub(crate) const fn new(kind: Kind) -> Self {
        Tag { id: AtomicUsize::new(0), kind }
    }

    /// Takes the lock by `wait`, which is for as long as it takes. `attempt` tries without waiting.
    #[inline]
    pub(crate) fn blocking(
        &self,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> bool,
        wait: impl FnOnce(),
    ) {
        if is_on() {
            self.blocking_checked(mode, site, attempt, wait);
        } else {
            wait();
        }
    }

    #[cold]
    fn blocking_checked(&self, mode: Mode, site: Site, attempt: impl FnOnce() -> bool, wait: impl FnOnce()) {
        let who = context::current();
        if self.with(|state, lock| order::wanted(state, who, lock, mode, site)) == Some(true) {
            report::deliver_elsewhere();
        }
        if !attempt() {
            let _waiting = self.waiting(who, mode, site);
            wait();
        }
        self.hold(who, mode, site);
    }

    /// The lock was taken by somebody who would not have waited for ever.
    #[inline]
    pub(crate) fn acquired(&self, mode: Mode, site: Site) {
        if is_on() {
            self.hold(context::current(), mode, site);
        }
    }

    /// As [`acquired`](Tag::acquired), in a future, which may go on on another thread.
    #[inline]
    pub(crate) fn acquired_in_task(&self, mode: Mode, site: Site) {
        if is_on() {
            self.hold(context::current_task(), mode, site);
        }
    }

    /// The lock is about to be given back.
    #[inline]
    pub(crate) fn released(&self, mode: Mode) {
        // Who has no number was never taken while the checker was on. Relaxed: it was given by whoever took the lock.
        if is_on() && self.id.load(Ordering::Relaxed) != 0 {
            self.released_checked(mode);
        }
    }

    #[cold]
    fn released_checked(&self, mode: Mode) {
        let who = context::current().id();
        self.with(|state, lock| state.released(who, lock, mode));
    }

    #[cold]
    fn hold(&self, who: Who, mode: Mode, site: Site) {
        self.with(|state, lock| {
            let serial = state.tick();
            state.acquired(lock, Hold { context: who.id(), mode, site, serial });
        });
    }

    /// Waits by a future, which ends when the lock is taken.
    pub(crate) async fn awaiting<F: Future>(&self, mode: Mode, site: Site, future: F) -> F::Output {
        let mut future = pin!(future);
        // Declared after the future, so that it goes first.
        let mut waiting = None;
        let output = poll_fn(|cx| {
            let poll = future.as_mut().poll(cx);
            if poll.is_pending() && waiting.is_none() && is_on() {
                waiting = self.waiting_in_task(mode, site, cx.waker());
            }
            poll
        })
        .await;
        drop(waiting);
        output
    }

    /// `None` also for a task that waits by another waker than its own: it has put something around this that awaits more.
    fn waiting_in_task(&self, mode: Mode, site: Site, waker: &Waker) -> Option<Waiting> {
        let id = context::current_task().id()?;
        let serial = self.with(|state, lock| {
            let own = state.contexts.get(&id)?.waker.as_ref()?;
            if own.as_ptr().cast() != waker.data() {
                return None;
            }
            let wait = Wait { serial: state.tick(), target: Target::Lock(lock, mode), site, blocks: false };
            Some(state.begin_wait(id, wait))
        })??;
        Some(Waiting { context: id, serial })
    }

    fn waiting(&self, who: Who, mode: Mode, site: Site) -> Option<Waiting> {
        let id = who.id()?;
        let (serial, suspicion) = self.with(|state, lock| {
            let wait = Wait { serial: state.tick(), target: Target::Lock(lock, mode), site, blocks: true };
            (state.begin_wait(id, wait), waits::suspicion(state, id))
        })?;
        waits::follow(suspicion);
        Some(Waiting { context: id, serial })
    }

    fn with<R>(&self, work: impl FnOnce(&mut State, LockId) -> R) -> Option<R> {
        let id = self.id()?;
        state::with(|state| {
            // A lock may move while nobody has it.
            state.see(id, self.kind, std::ptr::from_ref(self).addr());
            work(state, id)
        })
    }

    /// `None` if there are no numbers left, which takes a machine of 32 bits and a long time.
    pub(super) fn id(&self) -> Option<LockId> {
        // Relaxed: a number, which stands for nothing but itself.
        let id = self.id.load(Ordering::Relaxed);
        if id != 0 {
            return Some(LockId(id));
        }
        let last =
            LAST_ID.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1)).ok()?;
        match self.id.compare_exchange(0, last + 1, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Some(LockId(last + 1)),
            Err(earlier) => Some(LockId(earlier)),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        let id = *self.id.get_mut();
        if id != 0 {
            state::with(|state| state.forget_lock(LockId(id)));
        }
    }
}

/// Somebody waits, until this is dropped: be it that he gave up or was unwound.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) context: context::ContextId,
    pub(super) serial: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        state::with(|state| state.end_wait(self.context, self.serial));
    }
}
