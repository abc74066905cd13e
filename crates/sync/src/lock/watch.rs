//! Those who wait for a change of what a lock protects, without anybody telling them: [`Mutex::when`](crate::Mutex::when).
//!
//! Whoever watches a lock owns it while he looks at the value. If it is not as he wants it, he queues up, marks the lock
//! `WATCHED`, and releases it. The next owner who releases it clears the mark and tells everybody to look again.
//!
//! **No change is missed.** The mark is set and cleared by the lock's owner alone. So whoever may have changed the value after a
//! watcher's look has seen the mark, or an owner between them has cleared it and told the watcher, who has not looked since. A
//! watcher who has looked in vain releases without telling, since he has changed nothing: else two of them would wake each other
//! for ever.
//!
//! The lock has no room for a queue, so the queues are a table of the program, by the lock's address. Locks that share a place
//! wake each other's watchers for nothing, which costs time and nothing else. A place does not lead back to a lock: a future that is
//! forgotten stays in its place for good, and its lock may be moved or dropped.

use super::{RawLock, WATCHED};
use crate::catch::contain;
use crate::check::Mode;
use crate::primitive::Ordering;
use crate::wait::{Afterwards, Guarded, Turn, Waiters};
use std::future::poll_fn;
use std::pin::pin;
use std::time::Instant;

type Place = Guarded<Waiters>;

/// Locks that are watched are few; with 64 places two of them rarely share one.
#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
static PLACES: [Place; 64] = [const { Guarded::new(Waiters::barging()) }; 64];

// What a model watches over is made anew for each run, and an address is not the same in each.
#[cfg(any(trefoil_loom, trefoil_shuttle))]
crate::primitive::lazy_static! {
    static ref PLACES: [Place; 1] = [Guarded::new(Waiters::barging())];
}

/// Tells those who watch a lock, when dropped: after the lock is released, be it that this panics.
pub(super) struct Watchers(Option<&'static Place>);

impl RawLock {
    /// As the owner, who is about to release: those who are to be told after that.
    pub(super) fn watchers(&self, flags: u8) -> Watchers {
        // The mark is set and cleared by owners.
        let watched = flags & WATCHED != 0;
        if watched {
            self.queue().clear(WATCHED);
        }
        Watchers(watched.then(|| self.place()))
    }

    /// As the owner: gives the lock up, and waits until somebody else has released it, or until the deadline; whether somebody
    /// has. Blocks. `owner` is the guard that would release the lock.
    pub(crate) fn release_and_watch<G>(&self, owner: G, deadline: Option<Instant>) -> bool {
        let told =
            self.place().wait_after(|queue| queue, deadline, when_told, || self.release_unchanged(owner));
        told.is_some()
    }

    /// As [`release_and_watch`](RawLock::release_and_watch), without a deadline.
    ///
    /// # Cancel safety
    /// Before the first poll the lock is held, and is released by dropping the owner. Afterwards nothing is lost: everybody is told.
    pub(crate) async fn release_and_watch_async<G>(&self, owner: G) {
        let mut told = pin!(self.place().wait_for(|queue| queue, when_told));
        let mut owner = Some(owner);
        poll_fn(move |cx| {
            let poll = told.as_mut().poll(cx);
            if let Some(owner) = owner.take() {
                self.release_unchanged(owner);
            }
            poll
        })
        .await;
    }

    /// Has queued up already, so whoever sees the mark finds him.
    fn release_unchanged<G>(&self, owner: G) {
        if self.flags.load(Ordering::Relaxed) & WATCHED == 0 {
            self.queue().set(WATCHED);
        }
        std::mem::forget(owner);
        self.tag.released(Mode::Exclusive);
        self.release_queued(self.flags.load(Ordering::Relaxed));
    }

    fn place(&self) -> &'static Place {
        // The multiplier is 2^32 divided by the golden ratio: neighbours come to lie far from each other.
        let address = std::ptr::from_ref(self).addr() >> 5;
        let index = (address as u32).wrapping_mul(0x9E37_79B9) >> 16;
        &PLACES[index as usize % PLACES.len()]
    }
}

fn when_told(_: &mut Waiters, turn: Turn, _: &mut Afterwards) -> Option<()> {
    turn.told.map(drop)
}

impl Drop for Watchers {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            contain(|| place.with(Waiters::tell_all));
        }
    }
}
