//! Who runs: what a lock knows its owner by.
//!
//! A thread is known by itself, and so is a coroutine whose crate [tells them apart](Owner::tell_coroutines_apart). Everything else
//! that takes turns on a thread has to be named, by an [`Owner`].
//!
//! Whom somebody acts as is noted in a place of his own, [`here`]: the thread's, or the coroutine's. Each entry puts back what was there
//! before. What runs in between may be suspended in the middle, so others must not find it there:
//!
//! - A coroutine whose crate tells them apart takes its place along.
//! - Whoever waits by a parker sets aside whom he acts as, until he goes on.
//! - Whoever installs a parker that is cooperative is a hub, and what it runs is not who it is.
//! - A coroutine that a hub [runs](Owner::run) as an owner, and that is suspended in another way, is found by that owner again.

mod here;

use here::{Acting, Coroutines, at_place};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub(crate) use here::{Identity, SetAside, Taking};

/// An async task, or a coroutine, in the eyes of an [`RLock`](crate::extra::RLock).
///
/// An async task has no identity that a library could see: what is polled on a thread may be any of a thousand tasks, and the next poll
/// another one. Whoever spawns a task that uses an `RLock` therefore gives it one, by [`Owner::task`]. What the task spawns is not
/// part of it; what it awaits, and joins or selects, is.
///
/// Never waits and allocates nothing: it is the lock that does. The future of [`Owner::task`] is dropped as this owner, with its guards.
///
/// # Examples
/// ```
/// use sync::extra::{Owner, RLock};
/// use sync::park::block_on;
///
/// let log = RLock::new(std::cell::RefCell::new(vec![]));
/// block_on(Owner::new().task(async {
///     let outer = log.lock_async().await;
///     let inner = log.lock_async().await;
///     inner.borrow_mut().push("twice");
///     assert_eq!(log.depth(), 2);
/// }));
/// assert!(!log.is_locked());
/// ```
///
/// It may be handed to a thread, but not used by two at once:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sync::extra::Owner>();
/// ```
#[derive(Default)]
pub struct Owner {
    /// The thread that `number` and `acting` are of. Zero until somebody asks.
    thread: Cell<usize>,
    number: Cell<u64>,
    /// Whom it acts as where it is a place; whom it acted as when its hub was here last where it is not.
    acting: Cell<Option<Acting>>,
}

/// Another crate tells its coroutines apart already: an [`RLock`](crate::extra::RLock) cannot ask two which of theirs is inside of the
/// other's. The coroutines of the second one can be run by [`Owner::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyToldApart;

/// The future of [`Owner::task`].
struct AsTask<F> {
    owner: Owner,
    /// Gone when this is being dropped.
    future: Option<F>,
}

/// Somebody acts as an owner, until this is dropped.
struct Entered<'a> {
    owner: &'a Owner,
    thread: usize,
    entry: Acting,
    before: Option<Acting>,
}

impl Owner {
    /// Somebody who has nothing yet. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Owner { thread: Cell::new(0), number: Cell::new(0), acting: Cell::new(None) }
    }

    /// The future, run as this owner. Polling it costs some nanoseconds more. It may be sent if `future` may.
    ///
    /// # Cancel safety
    /// That of `future`, which is dropped as this owner too.
    pub fn task<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        AsTask { owner: self, future: Some(future) }
    }

    /// Does `work` as this owner: for a hub, which switches to one of its coroutines there. The coroutines of `coro` need none.
    ///
    /// A hub that has a [`Parker`](crate::park::Parker) installs it first: what runs under a parker that says that several take turns is
    /// none of those who ran outside of it.
    ///
    /// # Panics
    /// With the panic of `work`.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.enter(false);
        work()
    }

    /// Has `ask` called by whoever wants to know which coroutine runs on the thread: it calls back with that coroutine's own `Owner`, or
    /// not at all. For a crate of coroutines, which does this once, and then needs to say nothing when it switches.
    ///
    /// # Errors
    /// [`AlreadyToldApart`] if this was called before. Nothing has changed then, and the coroutines of this caller are not told apart.
    pub fn tell_coroutines_apart(ask: Coroutines) -> Result<(), AlreadyToldApart> {
        if here::tell_coroutines_apart(ask) { Ok(()) } else { Err(AlreadyToldApart) }
    }

    fn enter(&self, is_task: bool) -> Entered<'_> {
        let number = self.number();
        at_place(|_, acting| {
            let before = acting.get();
            let entry = Acting { number, is_task };
            // A coroutine that was suspended inside of a poll goes on there.
            let goes_on = self.acting.take().filter(|_| !is_task);
            acting.set(Some(goes_on.unwrap_or(entry)));
            Entered { owner: self, thread: self.thread.get(), entry, before }
        })
    }

    /// The number on this thread. On another it is somebody else: it has no guards there, but those that were forgotten.
    fn number(&self) -> u64 {
        let thread = here::this_thread();
        if self.thread.replace(thread) != thread {
            self.number.set(here::next_number());
            self.acting.set(None);
        }
        self.number.get()
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // A hub may have taken the coroutine to another thread in the middle; nobody acts as this one there.
        if self.thread != here::this_thread() {
            return;
        }
        at_place(|_, acting| {
            let now = acting.get();
            if !self.entry.is_task {
                // The hub is back. If its coroutine is inside of a poll, or of a hub of its own, it goes on there.
                self.owner.acting.set(now);
                acting.set(self.before);
            } else if now == Some(self.entry) {
                acting.set(self.before);
            }
            // Else it was suspended in its poll, and goes away while somebody else runs.
        });
    }
}

impl<F: Future> Future for AsTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with this and not moved out of it; the owner is not pinned.
        let AsTask { owner, future } = unsafe { self.get_unchecked_mut() };
        let _entered = owner.enter(true);
        let Some(future) = future else { unreachable!("the future stays until this is dropped") };
        // SAFETY: as above.
        unsafe { Pin::new_unchecked(future) }.poll(cx)
    }
}

impl<F> Drop for AsTask<F> {
    fn drop(&mut self) {
        // What it drops may take locks that it holds.
        let _entered = self.owner.enter(true);
        // It is dropped in its place, and the place is not used again.
        self.future = None;
    }
}

/// Whoever runs, if that is known.
#[inline]
pub(crate) fn current() -> Option<Identity> {
    here::current().map(|(identity, _)| identity)
}

/// The task that runs, if that is known.
pub(crate) fn current_task() -> Option<Identity> {
    here::current().filter(|(_, is_task)| *is_task).map(|(identity, _)| identity)
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(..)")
    }
}

impl fmt::Display for AlreadyToldApart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another crate tells its coroutines apart already; run these by `extra::Owner::run`")
    }
}

impl Error for AlreadyToldApart {}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{Owner, current, here};
    use std::sync::mpsc;
    use std::thread;

    /// On 32 bits there would be an end of them, after some days of a task that is polled here and there.
    #[test]
    fn who_goes_from_thread_to_thread_uses_up_nothing_that_all_share() {
        const MOVES: usize = if cfg!(miri) { 100 } else { 2_000 };
        let before = here::threads();
        let (to_the_other, from_here) = mpsc::channel::<Owner>();
        let (back, from_there) = mpsc::channel();
        let other = thread::spawn(move || {
            for owner in from_here {
                let there = owner.run(current);
                back.send((owner, there)).expect("it is waited for");
            }
        });
        let mut owner = Owner::new();
        let mut last = None;
        for _ in 0..MOVES {
            let here = owner.run(current);
            to_the_other.send(owner).expect("it waits");
            let (its, there) = from_there.recv().expect("it answers");
            assert!(here.is_some() && here != there && here != last, "a number was given again");
            (owner, last) = (its, here);
        }
        drop(to_the_other);
        other.join().unwrap();
        assert!(here::threads() - before < MOVES, "a number of the whole program for each move");
    }
}
