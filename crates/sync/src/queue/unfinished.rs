//! How many items are done with, and those who wait until all are.
//!
//! How many were put, the queue knows by its producers' position, so that putting costs nothing more for this.

use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::time::Instant;

pub(super) struct Unfinished {
    state: Guarded<State>,
}

struct State {
    /// Wraps.
    done: usize,
    joining: Waiters,
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.joining);
    }
}

impl State {
    /// How many are not done. The number of those that were put has a bit less than a word, and wraps as well.
    fn left(&self, put: usize) -> usize {
        put.wrapping_sub(self.done) & (usize::MAX >> 1)
    }
}

impl Unfinished {
    pub(super) const fn new() -> Self {
        Unfinished { state: Guarded::new(State { done: 0, joining: Waiters::barging() }) }
    }

    /// So many more are done, of all that were put. False, and nothing is changed, if these are fewer.
    ///
    /// How many were put is asked under the lock, here and below: an older number may be less than what others have done since.
    pub(super) fn done(&self, count: usize, put: impl FnOnce() -> usize) -> bool {
        self.state.with(|state, afterwards| {
            let left = state.left(put());
            if left < count {
                return false;
            }
            state.done = state.done.wrapping_add(count);
            if left == count {
                state.joining.tell_all(afterwards);
            }
            true
        })
    }

    /// How many are not done, of all that were put.
    pub(super) fn count(&self, put: impl FnOnce() -> usize) -> usize {
        self.state.with(|state, _| state.left(put()))
    }

    pub(super) fn join(&self, deadline: Option<Instant>, put: impl Fn() -> usize) -> Option<()> {
        self.state.wait(|state| &mut state.joining, deadline, all_done(put))
    }

    pub(super) async fn join_async(&self, put: impl Fn() -> usize) {
        self.state.wait_for(|state| &mut state.joining, all_done(put)).await;
    }
}

fn all_done(put: impl Fn() -> usize) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<()> {
    move |state, _, _| (state.left(put()) == 0).then_some(())
}
