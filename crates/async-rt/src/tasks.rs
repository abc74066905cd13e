//! The tasks of a runtime that have not ended, so that closing it can reach them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use sync::CancelToken;

/// How each task is told to look whether it should stop.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    tokens: Vec<Option<CancelToken>>,
    free: Vec<usize>,
}

/// A task's place; freed by [`Tasks::remove`].
#[derive(Debug)]
pub(crate) struct Slot(usize);

impl Tasks {
    /// O(1).
    pub(crate) fn insert(&self, token: CancelToken) -> Slot {
        let mut slots = self.lock();
        let index = slots.free.pop().unwrap_or_else(|| {
            slots.tokens.push(None);
            slots.tokens.len() - 1
        });
        slots.tokens[index] = Some(token);
        Slot(index)
    }

    /// O(1).
    #[expect(clippy::needless_pass_by_value, reason = "a slot is given up once")]
    pub(crate) fn remove(&self, slot: Slot) {
        let mut slots = self.lock();
        let token = slots.tokens[slot.0].take();
        slots.free.push(slot.0);
        drop(slots);
        // Outside the lock: a token's callback holds a waker, whose destructor may be anything.
        drop(token);
    }

    /// Tells every task.
    pub(crate) fn cancel_all(&self) {
        let tokens: Vec<_> = self.lock().tokens.iter().flatten().cloned().collect();
        for token in tokens {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
