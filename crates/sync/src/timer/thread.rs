//! The timer of threads that have no other: one thread for the whole program.

use super::deadlines::Deadlines;

pub(super) static DEADLINES: Deadlines = Deadlines::new(start);

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
use real::start;

/// No model has one: neither loom nor shuttle knows the time.
#[cfg(any(trefoil_loom, trefoil_shuttle))]
fn start() -> bool {
    false
}

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
mod real {
    use super::DEADLINES;
    use std::sync::PoisonError;
    use std::thread;
    use std::time::{Duration, Instant};

    /// How long the thread stays when there is nothing to do, at least, and at most twice. Starting it again costs tens of
    /// microseconds, which a program with a deadline now and then should not pay each time; keeping it costs a stack that
    /// nobody uses.
    const LINGER: Duration = Duration::from_secs(5);

    pub(super) fn start() -> bool {
        thread::Builder::new().name("trefoil-timer".into()).spawn(serve).is_ok()
    }

    fn serve() {
        let mut state = DEADLINES.lock();
        loop {
            state = DEADLINES.ring(state, Instant::now);
            let (first, now) = (state.heap.first(), Instant::now());
            let until = first.unwrap_or(now + LINGER);
            (state.sleeps_until, state.was_asked) = (Some(until), false);
            let limit = until.saturating_duration_since(now);
            let slept = DEADLINES.changed.wait_timeout(state, limit);
            let (guard, timeout) = slept.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.sleeps_until = None;
            if first.is_none() && timeout.timed_out() && state.heap.first().is_none() && !state.was_asked {
                state.is_served = false;
                return;
            }
        }
    }
}
