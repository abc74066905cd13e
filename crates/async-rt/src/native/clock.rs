//! The timer of the native loop: [`Timers`] and the poller's one alarm, which is set to the first of them.

use super::Poller;
use super::timers::Timers;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;
use sync::timer::{Scheduled, Timer};

/// Clones are the same clock.
#[derive(Clone)]
pub(super) struct Clock {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    poller: Arc<Poller>,
}

struct State {
    timers: Timers,
    /// What the alarm is set to. It is never later than the first timer; it may be earlier, where that was taken back.
    alarm: Option<Instant>,
}

impl Clock {
    pub(super) fn new(poller: Arc<Poller>) -> Self {
        let state = Mutex::new(State { timers: Timers::default(), alarm: None });
        Clock { shared: Arc::new(Shared { state, poller }) }
    }

    /// The alarm has gone off: wakes what is due and sets it to what is next.
    pub(super) fn strike(&self) {
        let mut state = self.shared.lock();
        let due = state.timers.take_due(Instant::now());
        state.alarm = state.timers.first();
        if let Some(at) = state.alarm {
            self.shared.poller.set_alarm(at);
        }
        drop(state);
        due.for_each(super::wake);
    }
}

impl Timer for Clock {
    fn schedule(&self, at: Instant, waker: Waker) -> Scheduled {
        let mut state = self.shared.lock();
        let key = state.timers.insert(at, waker);
        if state.alarm.is_none_or(|alarm| at < alarm) {
            state.alarm = Some(at);
            // Under the lock, so that the alarm is always what `state` says.
            self.shared.poller.set_alarm(at);
        }
        drop(state);
        let shared = Arc::clone(&self.shared);
        Scheduled::new(move || {
            let removed = shared.lock().timers.remove(key);
            // Outside the lock: a waker's destructor may be anything.
            drop(removed);
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}
