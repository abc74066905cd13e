//! The bound of a pool's queue.

use std::fmt;
use std::time::Duration;
use sync::{Queue, TimedOut};

/// One ticket for each task in the queue, in a bounded queue of tickets: it has all ways to wait for room, and to end the
/// waiting. Without a bound there is always room.
pub(super) struct Room {
    tickets: Option<Queue<()>>,
}

/// There will be no room, for the pool is closed.
#[derive(Clone, Copy)]
pub(super) struct Closed;

impl Room {
    pub(super) fn new(bound: Option<usize>) -> Self {
        Room { tickets: bound.map(Queue::bounded) }
    }

    /// Waits for room. Blocks.
    pub(super) fn enter(&self) -> Result<(), Closed> {
        self.tickets.as_ref().map_or(Ok(()), |tickets| tickets.put(()).map_err(|_| Closed))
    }

    /// The outer error: there was no room.
    pub(super) fn try_enter(&self) -> Result<Result<(), Closed>, TimedOut> {
        self.enter_by(|tickets| tickets.try_put(()))
    }

    /// As [`enter`](Room::enter), waiting at most `limit`. Blocks. The outer error: there was no room until then.
    pub(super) fn enter_timeout(&self, limit: Duration) -> Result<Result<(), Closed>, TimedOut> {
        self.enter_by(|tickets| tickets.put_timeout((), limit))
    }

    /// `tasks` have left the queue. Wakes who waits, so no lock may be held. Does not panic, whatever is woken.
    pub(super) fn leave(&self, tasks: usize) {
        for tickets in self.tickets.iter() {
            for _ in 0..tasks {
                sync::contain(|| {
                    // Each task has put one in, so there is one.
                    let _ = tickets.try_get();
                });
            }
        }
    }

    /// Wakes who waits, as [`leave`](Room::leave) does.
    pub(super) fn close(&self) {
        self.tickets.iter().for_each(|tickets| sync::contain(|| tickets.close()));
    }

    fn enter_by(
        &self,
        put: impl FnOnce(&Queue<()>) -> Result<(), sync::queue::PutError<()>>,
    ) -> Result<Result<(), Closed>, TimedOut> {
        match self.tickets.as_ref().map(put) {
            None | Some(Ok(())) => Ok(Ok(())),
            Some(Err(refused)) if refused.is_closed() => Ok(Err(Closed)),
            Some(Err(_)) => Err(TimedOut),
        }
    }
}

/// The pool's queue is full; here is what was to be put there.
pub struct Full<T>(pub T);

impl<T> Full<T> {
    /// What was to be put there: the argument, or the closure.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue of the pool is full")
    }
}

impl<T> std::error::Error for Full<T> {}
