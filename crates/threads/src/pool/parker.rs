//! How a task of a pool waits: its thread sleeps, and the pool knows.

use super::shared::Shared;
use std::cell::Cell;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use sync::park::{Parker, Signal};

/// One for each thread of a pool.
pub(super) struct WorkerParker {
    shared: Arc<Shared>,
    signal: Arc<Signal>,
    waker: Waker,
    /// How many waits there are on this thread, one inside the other. The pool is told of the outermost. Outside of tasks
    /// it is 1 more, for then there is nothing to tell.
    depth: Cell<usize>,
}

impl WorkerParker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let signal = Arc::<Signal>::default();
        WorkerParker { shared, waker: signal.waker(), signal, depth: Cell::new(1) }
    }

    pub(super) fn is_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// Runs a task, which does not panic.
    pub(super) fn in_task(&self, task: impl FnOnce()) {
        self.depth.set(0);
        task();
        self.depth.set(1);
    }

    /// Until the guard is dropped, this thread's task counts as waiting.
    pub(super) fn block(&self) -> Blocked<'_> {
        self.depth.set(self.depth.get() + 1);
        if self.depth.get() == 1 {
            self.shared.block();
        }
        Blocked(self)
    }
}

impl Parker for WorkerParker {
    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn park(&self, deadline: Option<Instant>) {
        // Who has been woken already does not wait, and nobody need come for him.
        if self.signal.take() {
            return;
        }
        let _blocked = self.block();
        self.signal.wait(deadline);
    }

    /// Others go on on other threads; this one is held up.
    fn cooperative(&self) -> bool {
        false
    }
}

/// See [`WorkerParker::block`].
pub(super) struct Blocked<'a>(&'a WorkerParker);

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        let worker = self.0;
        worker.depth.set(worker.depth.get() - 1);
        if worker.depth.get() == 0 {
            worker.shared.unblock();
        }
    }
}
