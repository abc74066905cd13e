//! Tasks that were told to take the lock and do not come.
//!
//! Nobody can make a task look: its future may lie in a `select` that waits for something else, or its runtime may be
//! blocked (*futurelock*: Oxide's request for discussion 609, 2025). Whoever stands behind such a task would wait for
//! ever, although the lock is free or kept. So a task that is told while others depend on it is put on a list, and the
//! timer's thread passes it over when it has not come within [`PATIENCE`]: it leaves the queue, and the next one is told.
//! When it does come, it queues up anew.
//!
//! A node on the list is in its queue, so neither it nor its lock can go away: leaving the queue takes it off the list first.
//! Whoever has a queue may take the list; whoever has the list must not wait for a queue.

use super::RawLock;
use super::queue::{InQueue, Node, Queue};
use crate::catch::contain;
use crate::os::clock;
use crate::timer;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// A task has this long to come when it was told. A runtime that is only busy should make it; who waits behind it waits
/// as long for nothing if it does not.
const PATIENCE: Duration = Duration::from_millis(1);

/// Whether a node is on the list.
pub(super) struct Watch {
    on_the_list: bool,
}

struct List {
    entries: BTreeMap<NonNull<Node>, Entry>,
    next_look: Option<timer::Scheduled>,
}

struct Entry {
    lock: NonNull<RawLock>,
    since: u32,
}

// SAFETY: the pointers are used while their entries are on the list, when what they point to stays, and is shared anyway.
unsafe impl Send for List {}

static LIST: Mutex<List> = Mutex::new(List { entries: BTreeMap::new(), next_look: None });

impl Watch {
    pub(super) const fn new() -> Self {
        Watch { on_the_list: false }
    }

    /// Puts the head of the queue on the list, by whoever has the queue; whether [`look_soon`] is to be called when the queue is
    /// given back.
    pub(super) fn begin(&mut self, lock: &RawLock, node: NonNull<Node>) -> bool {
        if self.on_the_list || cfg!(trefoil_loom) {
            return false;
        }
        self.on_the_list = true;
        let mut list = list();
        list.entries.insert(node, Entry { lock: NonNull::from(lock), since: clock::now() });
        list.next_look.is_none()
    }

    /// The node has come, or leaves the queue.
    pub(super) fn end(&mut self, node: NonNull<Node>) {
        if self.on_the_list {
            self.on_the_list = false;
            list().entries.remove(&node);
        }
    }
}

/// Arranges for a look at the list when the patience is over.
pub(super) fn look_soon() {
    let mut list = list();
    if list.next_look.is_none() && !list.entries.is_empty() {
        // Where the machine refuses even one thread, tasks that do not come are not passed over.
        list.next_look = timer::schedule_on_the_thread(Instant::now() + PATIENCE, looker());
    }
}

fn looker() -> Waker {
    struct Look;
    impl Wake for Look {
        fn wake(self: Arc<Self>) {
            look();
        }
    }
    static LOOKER: OnceLock<Waker> = OnceLock::new();
    LOOKER.get_or_init(|| Waker::from(Arc::new(Look))).clone()
}

/// On the timer's thread: passes over who has not come in time.
fn look() {
    let mut from = Bound::Unbounded;
    let mut guard = list();
    let last = guard.next_look.take();
    loop {
        let now = clock::now();
        let patience = clock::micros(PATIENCE.as_micros() as u32);
        let mut later = guard.entries.range((from, Bound::Unbounded));
        let late = later.find(|(_, entry)| now.wrapping_sub(entry.since) >= patience);
        let Some((&node, entry)) = late else { break };
        from = Bound::Excluded(node);
        // SAFETY: its node is on the list.
        let lock = unsafe { entry.lock.as_ref() };
        // If somebody has the queue just now, the next look will do.
        let Some(mut queue) = Queue::try_of(lock) else { continue };
        drop(guard);
        // SAFETY: the node was on the list when the queue was taken, so it is in the queue.
        let node = unsafe { InQueue::at(node) };
        let wake = queue.pass_over(node, now);
        drop(queue);
        contain(|| wake.now());
        guard = list();
    }
    drop(guard);
    drop(last);
    look_soon();
}

fn list() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}
