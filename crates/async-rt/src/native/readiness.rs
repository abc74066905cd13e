//! Who waits for a socket, and whether trying is worth while.
//!
//! An operation is tried first and waits only when the system says "not now". Between the two lies a gap in which the
//! event may come, which an edge-triggered reactor delivers once. It is not lost:
//!
//! 1. `ready` says that trying may succeed. It is true at first and after each event.
//! 2. It becomes false only when a try says "not now" (or takes less than there was room for, which empties the socket)
//!    **and no event has come since before that try**, which `events`, a count, shows.
//!    Data and the end of a stream may come in one event, and reading the data does not consume the end: so once the end
//!    has been announced, only "not now" counts.
//! 3. It is looked at, and the waker is left, under one lock; an event sets it and takes the wakers under the same lock.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The two directions of one socket.
#[derive(Debug)]
pub(super) struct Readiness {
    read: Mutex<Direction>,
    write: Mutex<Direction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Read,
    Write,
}

/// Whether a direction goes on after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    NotYet,
    Reached,
}

#[derive(Debug)]
struct Direction {
    ready: bool,
    /// Wraps around; a try does not last so long.
    events: u32,
    /// The end of the stream, or an error, was announced.
    ended: bool,
    /// Who waits alone, as every direction of a stream does: no allocation for him.
    only: Option<Waker>,
    others: Vec<(WaiterKey, Waker)>,
    next_waiter: u64,
    closed: bool,
}

/// Tells apart those who wait for the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaiterKey(u64);

impl WaiterKey {
    /// For a direction that only one can wait for, because that takes `&mut`.
    pub(super) const ONLY: WaiterKey = WaiterKey(0);
}

impl Readiness {
    pub(super) fn new() -> Self {
        let direction = || Direction {
            ready: true,
            events: 0,
            ended: false,
            only: None,
            others: Vec::new(),
            next_waiter: 1,
            closed: false,
        };
        Readiness { read: Mutex::new(direction()), write: Mutex::new(direction()) }
    }

    /// Tries `attempt` until it does not say "not now", or waits.
    ///
    /// `emptied` says of a success whether it shows that the next attempt would be in vain. `key` is what this waiter is
    /// known by from its first wait on; see [`leave`](Readiness::leave).
    pub(super) fn poll_io<T>(
        &self,
        which: Which,
        key: &mut Option<WaiterKey>,
        cx: &Context<'_>,
        mut attempt: impl FnMut() -> io::Result<T>,
        emptied: impl Fn(&T) -> bool,
    ) -> Poll<io::Result<T>> {
        loop {
            let seen = {
                let mut direction = self.lock(which);
                if direction.closed {
                    return Poll::Ready(Err(closed()));
                }
                if !direction.ready {
                    let replaced = direction.wait(key, cx.waker());
                    drop(direction);
                    drop(replaced);
                    return Poll::Pending;
                }
                direction.events
            };
            match attempt() {
                Ok(done) => {
                    if emptied(&done) {
                        let mut direction = self.lock(which);
                        // The end is still to be read, and will not be announced again.
                        if !direction.ended {
                            direction.exhausted(seen);
                        }
                    }
                    return Poll::Ready(Ok(done));
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => self.lock(which).exhausted(seen),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Poll::Ready(Err(why)),
            }
        }
    }

    /// A waiter goes away.
    pub(super) fn leave(&self, which: Which, key: WaiterKey) {
        let mut direction = self.lock(which);
        let left = direction.place(key).map(|place| direction.others.swap_remove(place));
        drop(direction);
        // Outside the lock: a waker's destructor may be anything.
        drop(left);
    }

    /// An event has come; with `end`, one after which there is nothing to wait for.
    pub(super) fn announce(&self, which: Which, end: End) {
        let mut direction = self.lock(which);
        direction.ended |= end == End::Reached;
        direction.ready = true;
        direction.events = direction.events.wrapping_add(1);
        release(direction);
    }

    /// Nobody watches the socket any more: whoever waits, or tries, gets an error.
    pub(super) fn close(&self) {
        for which in [Which::Read, Which::Write] {
            let mut direction = self.lock(which);
            direction.closed = true;
            release(direction);
        }
    }

    fn lock(&self, which: Which) -> MutexGuard<'_, Direction> {
        let direction = match which {
            Which::Read => &self.read,
            Which::Write => &self.write,
        };
        direction.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Direction {
    /// A try that began when `seen` events had come shows that there is nothing to be had.
    fn exhausted(&mut self, seen: u32) {
        if self.events == seen {
            self.ready = false;
        }
    }

    /// Leaves a waker; the one that was there before is returned, to be dropped outside the lock.
    fn wait(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        let key = *key.get_or_insert_with(|| {
            self.next_waiter += 1;
            WaiterKey(self.next_waiter)
        });
        if key == WaiterKey::ONLY {
            return match &self.only {
                Some(there) if there.will_wake(waker) => None,
                _ => self.only.replace(waker.clone()),
            };
        }
        match self.place(key) {
            Some(place) => Some(std::mem::replace(&mut self.others[place].1, waker.clone())),
            None => {
                self.others.push((key, waker.clone()));
                None
            }
        }
    }

    fn place(&self, key: WaiterKey) -> Option<usize> {
        self.others.iter().position(|(other, _)| *other == key)
    }
}

/// Wakes all who wait, outside the lock.
fn release(mut direction: MutexGuard<'_, Direction>) {
    let only = direction.only.take();
    let others = std::mem::take(&mut direction.others);
    drop(direction);
    only.into_iter().chain(others.into_iter().map(|(_, waker)| waker)).for_each(super::wake);
}

pub(super) fn closed() -> io::Error {
    io::Error::other(
        "the runtime that watched this socket is closed; keep the `Runtime` as long as its sockets",
    )
}
