//! A point that all must reach before any goes on.

use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

/// Holds everyone back until a given number have come. It can be used again and again.
///
/// # Examples
/// ```
/// let barrier = sync::Barrier::new(2);
/// let leaders = std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_leader());
///     let mine = barrier.wait().is_leader();
///     [mine, other.join().unwrap_or(false)].iter().filter(|leads| **leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    parties: usize,
    state: Guarded<State>,
}

struct State {
    /// How many of this generation have come and not left again.
    arrived: usize,
    /// The indexes of those who have left again, for those who come now.
    vacated: Vec<usize>,
    generation: u64,
    waiters: Waiters,
}

/// The place of someone among those whom a barrier let through together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierPlace {
    index: usize,
    leads: bool,
}

impl BarrierPlace {
    /// From 0 to the number of parties less one, different for each of them. It is the order in which they came, unless
    /// somebody left again and another got his index.
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// Whether this one came last, which exactly one did.
    #[must_use]
    pub fn is_leader(self) -> bool {
        self.leads
    }
}

impl Barrier {
    /// A barrier for `parties` of them. With 0 or 1, nobody waits.
    #[must_use]
    pub const fn new(parties: usize) -> Self {
        Barrier {
            parties: if parties == 0 { 1 } else { parties },
            state: Guarded::new(State {
                arrived: 0,
                vacated: Vec::new(),
                generation: 0,
                waiters: Waiters::barging(),
            }),
        }
    }

    /// Waits for the others. Blocks.
    pub fn wait(&self) -> BarrierPlace {
        let arrival = self.arrive();
        self.state.wait(|state| &mut state.waiters, None, arrival.opened());
        arrival.place
    }

    /// Waits for the others, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if they had not all come by then: this one has left again, as if it had never come, and nobody goes
    /// through who counts on it.
    pub fn wait_timeout(&self, limit: Duration) -> Result<BarrierPlace, TimedOut> {
        let arrival = self.arrive();
        let deadline = Instant::now().checked_add(limit);
        match self.state.wait(|state| &mut state.waiters, deadline, arrival.opened()) {
            Some(()) => Ok(arrival.place),
            None => arrival.leave(),
        }
    }

    /// Waits for the others.
    ///
    /// # Cancel safety
    /// Who drops the future before the others have come leaves, as if it had never come; the index of those who came
    /// later does not change. Who drops it later was counted, and cannot tell: for a limit, take
    /// [`wait_async_timeout`](Barrier::wait_async_timeout), which can.
    pub async fn wait_async(&self) -> BarrierPlace {
        let arrival = self.arrive();
        arrival.opening().await;
        arrival.place
    }

    /// Waits for the others, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`wait_timeout`](Barrier::wait_timeout).
    ///
    /// # Cancel safety
    /// As [`wait_async`](Barrier::wait_async).
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<BarrierPlace, TimedOut> {
        let arrival = self.arrive();
        match timer::timeout(limit, arrival.opening()).await {
            Ok(()) => Ok(arrival.place),
            Err(TimedOut) => arrival.leave(),
        }
    }

    /// How many wait now.
    #[must_use]
    #[doc(alias = "n_waiting")]
    pub fn arrived(&self) -> usize {
        self.state.with(|state, _| state.arrived)
    }

    /// Comes. The last one opens the barrier for all.
    fn arrive(&self) -> Arrival<'_> {
        self.state.with(|state, afterwards| {
            // With nobody's index vacant, those who are here have 0 to `arrived` less one.
            let index = state.vacated.pop().unwrap_or(state.arrived);
            let generation = state.generation;
            state.arrived += 1;
            let leads = state.arrived == self.parties;
            if leads {
                debug_assert!(state.vacated.is_empty(), "as many as there are indexes have come");
                state.arrived = 0;
                state.generation += 1;
                state.waiters.tell_all(afterwards);
            }
            Arrival { barrier: self, place: BarrierPlace { index, leads }, generation }
        })
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.arrived();
        f.debug_struct("Barrier").field("parties", &self.parties).field("arrived", &arrived).finish()
    }
}

/// That somebody has come; taken back when dropped before the barrier has opened.
struct Arrival<'a> {
    barrier: &'a Barrier,
    place: BarrierPlace,
    generation: u64,
}

impl Arrival<'_> {
    /// Ends when the barrier has opened.
    async fn opening(&self) {
        self.barrier.state.wait_for(|state| &mut state.waiters, self.opened()).await;
    }

    /// The attempt to go through.
    fn opened(&self) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<()> + 'static {
        let generation = self.generation;
        move |state, _, _| (state.generation != generation).then_some(())
    }

    /// Takes the arrival back, unless the barrier has opened since somebody looked.
    fn leave(self) -> Result<BarrierPlace, TimedOut> {
        // It is taken back once.
        let arrival = ManuallyDrop::new(self);
        if arrival.take_back() { Err(TimedOut) } else { Ok(arrival.place) }
    }

    /// `false` if the others have gone through with this one.
    fn take_back(&self) -> bool {
        self.barrier.state.with(|state, _| {
            let closed = state.generation == self.generation;
            if closed {
                state.arrived -= 1;
                state.vacated.push(self.place.index);
            }
            closed
        })
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.take_back();
    }
}
