//! The timer of threads that have no other.

use super::Scheduled;
use crate::catch::contain;
use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread stays when there is nothing to do. Starting it again costs tens of microseconds, which a program
/// with a deadline now and then should not pay each time; keeping it costs a stack that nobody uses.
const LINGER: Duration = Duration::from_secs(5);

struct Schedule {
    /// In order of time; the number tells entries of the same time apart.
    entries: BTreeMap<(Instant, u64), Waker>,
    next_number: u64,
    running: bool,
}

static SCHEDULE: Mutex<Schedule> =
    Mutex::new(Schedule { entries: BTreeMap::new(), next_number: 0, running: false });

/// The first entry has changed.
static CHANGED: Condvar = Condvar::new();

/// `None` if there is no thread and the machine refuses one; the waker is dropped.
pub(super) fn schedule(at: Instant, waker: Waker) -> Option<Scheduled> {
    schedule_with(at, waker, || thread::Builder::new().name("trefoil-timer".into()).spawn(serve).is_ok())
}

fn schedule_with(at: Instant, waker: Waker, start: impl FnOnce() -> bool) -> Option<Scheduled> {
    let mut schedule = lock();
    let key = (at, schedule.next_number);
    if schedule.running {
        let first = schedule.entries.first_key_value().is_none_or(|(first, _)| key < *first);
        if first {
            CHANGED.notify_one();
        }
    } else if start() {
        schedule.running = true;
    } else {
        drop(schedule);
        return None;
    }
    schedule.next_number += 1;
    schedule.entries.insert(key, waker);
    drop(schedule);
    Some(Scheduled::new(move || {
        let removed = lock().entries.remove(&key);
        // Outside the lock: a waker's destructor may be anything.
        drop(removed);
    }))
}

fn serve() {
    let mut schedule = lock();
    loop {
        let now = Instant::now();
        let first = schedule.entries.first_entry();
        let due = first.filter(|first| first.key().0 <= now).map(OccupiedEntry::remove);
        if let Some(waker) = due {
            drop(schedule);
            // A waker that panics must not take everyone else's deadlines with it. The hook has said what there is to say.
            contain(|| waker.wake());
            schedule = lock();
            continue;
        }
        let (limit, idle) = match schedule.entries.first_key_value() {
            Some(((at, _), _)) => (at.saturating_duration_since(now), false),
            None => (LINGER, true),
        };
        let (guard, timeout) = CHANGED.wait_timeout(schedule, limit).unwrap_or_else(PoisonError::into_inner);
        schedule = guard;
        if idle && timeout.timed_out() && schedule.entries.is_empty() {
            schedule.running = false;
            return;
        }
    }
}

fn lock() -> MutexGuard<'static, Schedule> {
    SCHEDULE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn without_a_thread_nothing_is_promised() {
        let soon = Instant::now() + Duration::from_millis(1);
        assert!(schedule_with(soon, Waker::noop().clone(), || false).is_none());
        assert!(lock().entries.is_empty(), "an entry that nobody serves would wait for ever");
        assert!(!lock().running);
    }
}
