//! A lock that a task awaits.

use super::context;
use super::hook::{Site, Tag, Waiting};
use super::is_on;
use super::names::Mode;
use super::state::{By, LockId, Target, Wait};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// What can be had of a lock.
pub(super) trait Wanted {
    fn of(&self, lock: LockId) -> Target;

    /// The task that runs has it now.
    fn hold(&self, tag: &Tag, site: Site);
}

impl Wanted for Mode {
    fn of(&self, lock: LockId) -> Target {
        Target::Lock(lock, *self)
    }

    fn hold(&self, tag: &Tag, site: Site) {
        tag.hold(context::current_task(), *self, site);
    }
}

/// So many.
pub(super) struct Permits(pub(super) usize);

impl Wanted for Permits {
    fn of(&self, lock: LockId) -> Target {
        Target::Permits(lock, self.0)
    }

    fn hold(&self, tag: &Tag, site: Site) {
        tag.hold_permits(context::current_task(), self.0, site);
    }
}

/// What a task awaits, and where.
pub(super) struct Awaited<'a, T> {
    pub(super) tag: &'a Tag,
    pub(super) wanted: T,
    pub(super) site: Site,
}

impl<T: Wanted> Awaited<'_, T> {
    /// Awaits it by the future that `make` makes, and whose output says whether it `is_taken` then.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    pub(super) fn by<F: Future>(
        self,
        make: impl FnOnce() -> F,
        is_taken: impl FnOnce(&F::Output) -> bool,
    ) -> impl Future<Output = F::Output> {
        async move {
            let future = pin!(make());
            // It is dropped before the future.
            let output = Polled { awaited: &self, future, waiting: None }.await;
            if is_on() && is_taken(&output) {
                self.wanted.hold(self.tag, self.site);
            }
            output
        }
    }

    /// It was not to be had at once. `None` also for a task that waits by another waker than its own: it has put something around this
    /// that awaits more.
    #[cold]
    fn begin(&self, waker: &Waker) -> Option<Waiting> {
        let id = context::current_task().id()?;
        let serial = self.tag.with(|state, lock| {
            if !state.wakes(id, waker) {
                return None;
            }
            let (serial, target) = (state.tick(), self.wanted.of(lock));
            Some(state.begin_wait(id, Wait { serial, target, site: self.site, by: By::Wakers(1) }))
        })??;
        Some(Waiting { context: id, serial })
    }
}

/// The future by which it is awaited, and what is known of the wait.
struct Polled<'a, 'b, T, F> {
    awaited: &'b Awaited<'a, T>,
    future: Pin<&'b mut F>,
    waiting: Option<Waiting>,
}

impl<T: Wanted, F: Future> Future for Polled<'_, '_, T, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let poll = self.future.as_mut().poll(cx);
        if poll.is_pending() && is_on() && self.waiting.is_none() {
            self.waiting = self.awaited.begin(cx.waker());
        }
        poll
    }
}

/// What is known of a task's wait for a lock: a part of the future by which it waits, which is made only where the lock was not free.
/// Where an `async` block around that future kept it, what `lock_async` returns was larger, and the compiler no longer inlined its
/// poll: 2 to 3 ns of 32.
pub(crate) struct Followed {
    /// `None` where who waits says so by other means.
    site: Option<Site>,
    waiting: Option<Waiting>,
}

impl Followed {
    pub(crate) const fn not() -> Self {
        Followed { site: None, waiting: None }
    }

    pub(crate) const fn from(site: Site) -> Self {
        Followed { site: Some(site), waiting: None }
    }

    /// It was not to be had at this look.
    #[inline]
    pub(crate) fn waits(&mut self, tag: &Tag, mode: Mode, waker: &Waker) {
        if !is_on() || self.waiting.is_some() {
            return;
        }
        if let Some(site) = self.site {
            self.waiting = Awaited { tag, wanted: mode, site }.begin(waker);
        }
    }

    /// The lock is taken.
    #[inline]
    pub(crate) fn has(&mut self, tag: &Tag, mode: Mode) {
        self.over();
        if !is_on() {
            return;
        }
        if let Some(site) = self.site {
            mode.hold(tag, site);
        }
    }

    /// It waits no more: to be said before it leaves the queue, or once it has the lock.
    #[inline]
    pub(crate) fn over(&mut self) {
        self.waiting = None;
    }
}
