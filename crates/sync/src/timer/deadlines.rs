//! The wake-ups that are asked for, under their lock, and who sees to it that somebody serves them.
//!
//! # Who may touch a node
//! An [`Entry`](super::entry::Entry) lies in the future that waits, and its node is in the heap while a wake-up is to come. The
//! lock decides between the timer and the future, whatever the future does meanwhile:
//!
//! - **The timer** takes the first node out while it has the lock, and the waker out of the node. Its last touch of the
//!   node is to note that it is out; the waker, which is its own by then, is woken when the lock is given back.
//! - **A future that is polled** again, with another waker, takes the lock. If its node is still in, the new waker takes
//!   the place of the old one, which nobody wakes any more. If it is out, the old one has been woken, or is about to be, and
//!   the new one is put in, to be woken as well.
//! - **A future that is dropped**, or has come to its end, looks whether its node is in. If it is not, the timer has
//!   done its last touch. If it is, the future takes the lock and looks again: now it takes the node out itself, or the timer has
//!   done so while it had the lock. Whichever it is, when the destructor returns nobody points to the node.
//! - **A future that is forgotten** is pinned, so that its memory is never used for anything else: its node is taken out
//!   when its time has come, and woken like any other.
//!
//! # Why nobody is forgotten
//! The thread looks for what is due and goes to sleep in one step under the lock, and says there until when. Whoever puts in an
//! earlier time does so under the lock, and wakes it. Where there is no thread, one is started before the node is put in; if
//! that cannot be, the node is not put in, and whoever asked is told.

use super::heap::Heap;
use crate::catch::contain;
use crate::primitive::{Mutex, MutexGuard};
use std::sync::Condvar;
use std::time::Instant;

pub(crate) struct Deadlines {
    state: Mutex<State>,
    /// There is something to do before the thread would wake up.
    pub(crate) changed: Condvar,
    /// Starts the thread; `false` if the machine refuses one.
    start: fn() -> bool,
}

pub(crate) struct State {
    pub(crate) heap: Heap,
    /// When the [patrol](crate::wait::patrol) is to walk.
    pub(crate) patrol: Option<Instant>,
    /// Whether there is a thread.
    pub(crate) is_served: bool,
    /// While the thread sleeps, until when. Only an earlier time wakes it: many are taken back long before they come.
    pub(crate) sleeps_until: Option<Instant>,
    /// Whether somebody has asked since the thread began to sleep.
    pub(crate) was_asked: bool,
}

impl Deadlines {
    pub(crate) const fn new(start: fn() -> bool) -> Self {
        let state =
            State { heap: Heap::new(), patrol: None, is_served: false, sleeps_until: None, was_asked: false };
        Deadlines { state: Mutex::new(state), changed: Condvar::new(), start }
    }

    /// Held for some instructions, in which nothing foreign runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Wakes all whose time has come. The lock is given back for each of them.
    pub(crate) fn ring<'d>(
        &'d self,
        mut state: MutexGuard<'d, State>,
        now: impl Fn() -> Instant,
    ) -> MutexGuard<'d, State> {
        while let Some(waker) = state.heap.take_due(now()) {
            drop(state);
            // A waker that panics must not take everyone else's deadlines with it. The hook has said what there is to say.
            contain(|| waker.wake());
            state = self.lock();
        }
        state
    }

    /// Sees to it that the thread is there and awake at that time; `false` if there is none and none can be started.
    pub(crate) fn is_served_at(&self, state: &mut State, at: Instant) -> bool {
        state.was_asked = true;
        if !state.is_served {
            state.is_served = (self.start)();
        } else if state.sleeps_until.is_some_and(|until| at < until) {
            // The others of that time need not wake it again.
            state.sleeps_until = Some(at);
            self.changed.notify_one();
        }
        state.is_served
    }

    /// Has the thread walk the patrol at that time, unless it is to walk already; `false` if there is no thread.
    pub(crate) fn is_patrolled_at(&self, at: Instant) -> bool {
        let mut state = self.lock();
        if state.patrol.is_none() {
            if !self.is_served_at(&mut state, at) {
                return false;
            }
            state.patrol = Some(at);
        }
        true
    }
}

impl State {
    /// When there is something to do.
    #[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
    pub(crate) fn next(&self) -> Option<Instant> {
        match (self.heap.first(), self.patrol) {
            (Some(first), Some(patrol)) => Some(first.min(patrol)),
            (first, patrol) => first.or(patrol),
        }
    }
}
