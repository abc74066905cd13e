//! The timer of threads that have no other: one thread for the whole program.

use super::deadlines::Deadlines;
use std::time::Duration;

/// A patrol walks so long after it was called: a task that was told then is late.
pub(super) const PATROL: Duration = Duration::from_micros(1_100);

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
    use super::{DEADLINES, PATROL};
    use crate::wait::patrol;
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
            let now = Instant::now();
            if state.patrol.is_some_and(|at| at <= now) {
                // First, so that whoever calls from now on has it walk again.
                state.patrol = None;
                drop(state);
                let again = patrol::walk();
                state = DEADLINES.lock();
                if again {
                    state.patrol.get_or_insert(Instant::now() + PATROL);
                }
                continue;
            }
            let next = state.next();
            let until = next.unwrap_or(now + LINGER);
            (state.sleeps_until, state.was_asked) = (Some(until), false);
            let limit = until.saturating_duration_since(now);
            let slept = DEADLINES.changed.wait_timeout(state, limit);
            let (guard, timeout) = slept.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.sleeps_until = None;
            if next.is_none() && timeout.timed_out() && state.next().is_none() && !state.was_asked {
                state.is_served = false;
                return;
            }
        }
    }
}
