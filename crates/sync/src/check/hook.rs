//! What the locks call. Each call is one relaxed load while the checker is switched off.
//!
//! The order of these calls and of what they tell about is what the verdicts rest on: **taking is said after the lock was taken,
//! and giving back before it is given back.** So who is down as holding a lock does hold it, and who is down as waiting for a
//! lock that somebody is down as holding does wait.

use super::awaited::{Awaited, Permits};
use super::context::{self, Who};
use super::names::{Kind, Mode};
use super::state::{self, By, Hold, LockId, State, Target, Wait};
use super::{is_on, order, report, waits};
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Where a lock was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Site(&'static Location<'static>);

/// What the checker knows a lock by: a number that it gets when it is first seen, and that no other lock ever gets. It moves with
/// the lock.
#[derive(Debug)]
pub struct Tag {
    id: AtomicUsize,
    /// How many permits there are; [`UNCOUNTED`] where that is not known, and of a lock.
    permits: AtomicU32,
    kind: Kind,
}

/// Too many, or given back by those who have not taken them.
const UNCOUNTED: u32 = u32::MAX;

/// The numbers given so far.
static LAST_ID: AtomicUsize = AtomicUsize::new(0);

impl Mode {
    /// Whether two cannot have the lock like this at the same time. Who upgrades gives up what he has, so that is not in his way.
    pub(super) fn excludes(self, other: Mode) -> bool {
        let together = |one, other| match (one, other) {
            (Mode::Shared | Mode::SharedAgain, Mode::Shared | Mode::SharedAgain | Mode::Upgradable) => true,
            (one, other) => (one, other) == (Mode::Upgrade, Mode::Upgradable),
        };
        !together(self, other) && !together(other, self)
    }

    /// Whether who wants it stands behind those who wait to have it alone.
    pub(super) fn queues_behind_writers(self) -> bool {
        matches!(self, Mode::Shared | Mode::Upgradable)
    }

    /// Whether those who want to share it stand behind who waits like this.
    pub(super) fn is_alone(self) -> bool {
        matches!(self, Mode::Exclusive | Mode::Upgrade)
    }

    /// In what way it is held when it is got.
    fn held(self) -> Mode {
        match self {
            Mode::SharedAgain => Mode::Shared,
            Mode::Upgrade => Mode::Exclusive,
            mode => mode,
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
        Tag { id: AtomicUsize::new(0), permits: AtomicU32::new(UNCOUNTED), kind }
    }

    pub(crate) const fn of_permits(permits: usize) -> Self {
        let permits = if permits < UNCOUNTED as usize { permits as u32 } else { UNCOUNTED };
        Tag { id: AtomicUsize::new(0), permits: AtomicU32::new(permits), kind: Kind::Semaphore }
    }

    /// Takes the lock by `wait`, which is for as long as it takes. `attempt` tries without waiting.
    #[inline]
    pub(crate) fn blocking<R>(
        &self,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> R,
    ) -> R {
        if is_on() { self.blocking_checked(mode, site, attempt, wait) } else { wait() }
    }

    #[cold]
    fn blocking_checked<R>(
        &self,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> R,
    ) -> R {
        let who = context::current();
        if self.with(|state, lock| order::wanted(state, who, lock, mode, site)) == Some(true) {
            report::deliver_elsewhere();
        }
        let taken = attempt().unwrap_or_else(|| {
            let _waiting = self.waiting(who, |lock| Target::Lock(lock, mode), site);
            wait()
        });
        self.hold(who, mode, site);
        taken
    }

    /// Takes so many permits by `wait`, which is for as long as it takes, and may be refused.
    #[inline]
    pub(crate) fn blocking_for_permits<R, E>(
        &self,
        count: usize,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        if is_on() { self.blocking_for_permits_checked(count, site, attempt, wait) } else { wait() }
    }

    #[cold]
    fn blocking_for_permits_checked<R, E>(
        &self,
        count: usize,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
        wait: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let who = context::current();
        let taken = match attempt() {
            Some(taken) => taken,
            None => {
                let _waiting = self.waiting(who, |lock| Target::Permits(lock, count), site);
                wait()?
            }
        };
        self.hold_permits(who, count, site);
        Ok(taken)
    }

    /// So many permits were taken by somebody who would not have waited for ever.
    #[inline]
    pub(crate) fn permits_acquired(&self, count: usize, site: Site) {
        if is_on() {
            self.permits_acquired_checked(count, site);
        }
    }

    /// Takes so many permits by `attempt`, which may be in vain, in a future.
    #[inline]
    pub(crate) fn taking_permits_in_task<R, E>(
        &self,
        count: usize,
        site: Site,
        attempt: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        // Before it, as in `taking`.
        if is_on() { self.taking_permits_checked(count, site, attempt) } else { attempt() }
    }

    #[cold]
    fn taking_permits_checked<R, E>(
        &self,
        count: usize,
        site: Site,
        attempt: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let taken = attempt()?;
        self.hold_permits(context::current_task(), count, site);
        Ok(taken)
    }

    /// So many permits are about to be given back by who has them.
    #[inline]
    pub(crate) fn permits_released(&self, count: usize) {
        if is_on() {
            self.released_checked(Mode::Shared, count);
        }
    }

    /// Somebody gives or keeps permits as he likes, so it is not known any more how many there are. Be the checker on or off.
    #[inline]
    pub(crate) fn permits_change(&self) {
        // Relaxed: a number that stands for nothing but itself.
        self.permits.store(UNCOUNTED, Ordering::Relaxed);
        if is_on() {
            self.with(|_, _| ());
        }
    }

    #[cold]
    fn permits_acquired_checked(&self, count: usize, site: Site) {
        self.hold_permits(context::current(), count, site);
    }

    #[cold]
    pub(super) fn hold_permits(&self, who: Who, permits: usize, site: Site) {
        self.with(|state, lock| {
            let serial = state.tick();
            state.acquired(lock, Hold { context: who.id(), mode: Mode::Shared, permits, site, serial });
        });
    }

    /// Takes the lock by `attempt`, which may fail, and does not wait for ever.
    #[inline]
    pub(crate) fn taking<R>(&self, mode: Mode, site: Site, attempt: impl FnOnce() -> Option<R>) -> Option<R> {
        // Before it: between the exchange that takes a lock and what is done under it, this look was 3 ns.
        if is_on() { self.taking_checked(context::current, mode, site, attempt) } else { attempt() }
    }

    /// As [`taking`](Tag::taking), in a future, which may go on on another thread.
    #[inline]
    pub(crate) fn taking_in_task<R>(
        &self,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        if is_on() { self.taking_checked(context::current_task, mode, site, attempt) } else { attempt() }
    }

    #[cold]
    fn taking_checked<R>(
        &self,
        who: fn() -> Who,
        mode: Mode,
        site: Site,
        attempt: impl FnOnce() -> Option<R>,
    ) -> Option<R> {
        let taken = attempt();
        if taken.is_some() {
            self.hold(who(), mode, site);
        }
        taken
    }

    /// The lock is about to be given back.
    #[inline]
    pub(crate) fn released(&self, mode: Mode) {
        if is_on() {
            self.released_checked(mode, 0);
        }
    }

    /// The owner goes on with less.
    #[inline]
    pub(crate) fn changed(&self, from: Mode, to: Mode, site: Site) {
        if is_on() {
            self.changed_checked(from, to, site);
        }
    }

    #[cold]
    fn changed_checked(&self, from: Mode, to: Mode, site: Site) {
        if self.was_taken() {
            self.released_checked(from, 0);
            self.hold(context::current(), to, site);
        }
    }

    #[cold]
    fn released_checked(&self, mode: Mode, permits: usize) {
        if !self.was_taken() {
            return;
        }
        let who = context::current().id();
        self.with(|state, lock| state.released(who, lock, mode, permits));
    }

    /// Whether it was ever, while the checker was on. Or else it has no number.
    fn was_taken(&self) -> bool {
        // Relaxed: it was given by whoever took the lock.
        self.id.load(Ordering::Relaxed) != 0
    }

    #[cold]
    pub(super) fn hold(&self, who: Who, mode: Mode, site: Site) {
        self.with(|state, lock| {
            if mode == Mode::Upgrade {
                state.released(who.id(), lock, Mode::Upgradable, 0);
            }
            let serial = state.tick();
            state.acquired(lock, Hold { context: who.id(), mode: mode.held(), permits: 0, site, serial });
        });
    }

    /// Takes the lock by the future that `make` makes, which ends when it is taken.
    ///
    /// Whoever awaits a lock moves the whole future once or twice, be the lock free or not, so it is to be small: `make` makes it in its
    /// place, for what an `async` block or function is given it keeps room for twice.
    pub(crate) fn awaiting<F: Future>(
        &self,
        mode: Mode,
        site: Site,
        make: impl FnOnce() -> F,
    ) -> impl Future<Output = F::Output> {
        Awaited { tag: self, wanted: mode, site }.by(make, |_| true)
    }

    /// As [`awaiting`](Tag::awaiting), for permits, which may be refused.
    pub(crate) fn awaiting_permits<R, E, F: Future<Output = Result<R, E>>>(
        &self,
        count: usize,
        site: Site,
        make: impl FnOnce() -> F,
    ) -> impl Future<Output = F::Output> {
        Awaited { tag: self, wanted: Permits(count), site }.by(make, Result::is_ok)
    }

    fn waiting(&self, who: Who, target: impl Fn(LockId) -> Target, site: Site) -> Option<Waiting> {
        let id = who.id()?;
        let (serial, suspicion) = self.with(|state, lock| {
            let wait = Wait { serial: state.tick(), target: target(lock), site, by: By::Blocking };
            (state.begin_wait(id, wait), waits::suspicion(state, id))
        })?;
        waits::follow(suspicion);
        Some(Waiting { context: id, serial })
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State, LockId) -> R) -> Option<R> {
        let id = self.id()?;
        state::with(|state| {
            // A lock may move while nobody has it.
            self.show(state, id);
            work(state, id)
        })
    }

    /// Says what is known of the lock.
    pub(super) fn show(&self, state: &mut State, id: LockId) {
        let permits = self.permits.load(Ordering::Relaxed);
        let permits = (permits != UNCOUNTED).then_some(permits as usize);
        state.see(id, self.kind, std::ptr::from_ref(self).addr(), permits);
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

impl Waiting {
    /// Whoever calls this waits, and does nothing else meanwhile.
    pub(super) fn begin(target: Target, site: Site) -> Option<Self> {
        let id = context::current().id()?;
        let (serial, suspicion) = state::with(|state| {
            let wait = Wait { serial: state.tick(), target, site, by: By::Blocking };
            (state.begin_wait(id, wait), waits::suspicion(state, id))
        })?;
        waits::follow(suspicion);
        Some(Waiting { context: id, serial })
    }
}

impl Drop for Waiting {
    #[cold]
    fn drop(&mut self) {
        state::with(|state| state.end_wait(self.context, self.serial));
    }
}
