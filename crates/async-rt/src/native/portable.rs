//! Where idle workers wait on systems for which there is no reactor yet: a condition variable. There are no sockets here;
//! whoever asks for one is told so.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Poller {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    called: bool,
    alarm: Option<Instant>,
}

/// How long to wait for events.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    None,
    Endless,
}

/// What a worker has brought back from a wait.
#[derive(Debug)]
pub(super) struct Events {
    alarm: bool,
}

/// What events there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dispatched {
    pub(super) alarm: bool,
}

impl Poller {
    #[expect(clippy::unnecessary_wraps, reason = "the poller of Linux can fail")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Poller::default())
    }

    /// Brings one worker back from its wait, now or as soon as it waits.
    pub(super) fn call(&self) {
        self.lock().called = true;
        self.changed.notify_one();
    }

    /// Brings one worker back at `at`, with [`Dispatched::alarm`]. There is one alarm: setting it again moves it.
    pub(super) fn set_alarm(&self, at: Instant) {
        self.lock().alarm = Some(at);
        // Every wait has to end at the new time.
        self.changed.notify_all();
    }

    /// Waits for events, as long as `patience` says.
    pub(super) fn collect(&self, events: &mut Events, patience: Patience) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            events.alarm = state.alarm.take_if(|alarm| *alarm <= now).is_some();
            let called = std::mem::take(&mut state.called);
            if events.alarm || called || matches!(patience, Patience::None) {
                return;
            }
            state = match state.alarm {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(alarm) => {
                    let left = alarm.saturating_duration_since(now);
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    pub(super) fn dispatch(&self, events: &mut Events) -> Dispatched {
        Dispatched { alarm: std::mem::take(&mut events.alarm) }
    }

    pub(super) fn close(&self) {
        // There are no sockets to be told.
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    pub(super) fn new() -> Self {
        Events { alarm: false }
    }
}
