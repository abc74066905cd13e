//! The book-keeping of a pool: who is inside, and whether the door is still open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use sync::{Condvar, Mutex, TimedOut};

use crate::contract::Shutdown;

/// Counts the tasks of a pool that have not ended, refuses new ones after a shutdown, and waits for the last one.
///
/// For implementors of [`Executor`](crate::Executor). Clones are the same ledger. Waiting goes through
/// [`sync::park`], so it is cooperative where the caller is.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    book: Mutex<Book>,
    empty: Condvar,
    /// Read by every task before it begins.
    cancelling: AtomicBool,
}

#[derive(Debug, Default)]
struct Book {
    inside: usize,
    closed: bool,
}

/// The pool takes no more tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A task that was let in and has not ended. Dropping it says that the task has ended, be it that it was never run.
#[must_use = "dropping it says that the task has ended"]
#[derive(Debug)]
pub struct Entry {
    ledger: Ledger,
}

impl Ledger {
    /// Open, and nobody inside.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a task in.
    ///
    /// # Errors
    /// [`Closed`] after a shutdown.
    pub fn enter(&self) -> Result<Entry, Closed> {
        let mut book = self.shared.book.lock();
        if book.closed {
            return Err(Closed);
        }
        book.inside += 1;
        Ok(Entry { ledger: self.clone() })
    }

    /// Lets nobody in any more.
    pub fn close(&self, how: Shutdown) {
        self.shared.book.lock().closed = true;
        if how == Shutdown::CancelPending {
            // Release: pairs with the load in `is_cancelling`; there is nothing else to publish.
            self.shared.cancelling.store(true, Ordering::Release);
        }
    }

    /// Whether tasks that have not begun are to end with [`JoinError::ShutDown`](sync::JoinError::ShutDown).
    #[must_use]
    pub fn is_cancelling(&self) -> bool {
        // Acquire: see `close`.
        self.shared.cancelling.load(Ordering::Acquire)
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.shared.book.lock().inside
    }

    /// Waits until nobody is inside, at most until `deadline`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still is.
    pub fn wait_until(&self, deadline: Option<Instant>) -> Result<(), TimedOut> {
        let occupied = |book: &mut Book| book.inside > 0;
        let book = self.shared.book.lock();
        match deadline {
            None => drop(self.shared.empty.wait_while(book, occupied)),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.shared.empty.wait_while_timeout(book, occupied, left).1?;
            }
        }
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let shared = &self.ledger.shared;
        let mut book = shared.book.lock();
        book.inside -= 1;
        let last = book.inside == 0;
        drop(book);
        if last {
            shared.empty.notify_all();
        }
    }
}
