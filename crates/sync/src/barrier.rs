//! A place where several meet before they go on.
//!
//! What is counted is under one short lock, with the number of the *generation*: who waits, waits for it to change. That is the
//! sense-reversing barrier of J. Mellor-Crummey and M. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
//! Multiprocessors" (ACM TOCS 9(1), 1991) with a number for a sense, since one who leaves and comes again may be two
//! generations behind. Their trees, which spare the cache lines of hundreds of CPUs, know beforehand who comes; here anybody may.
//!
//! The rest is Python's: an action, an index, `abort`, `reset`. Different is that a wait which is given up (a deadline, a
//! dropped future) takes its arrival back, where Python breaks the barrier for all. The price is a list of the indexes that have
//! become free. Those who wait do so awake for a while where that has paid of late, which on two CPUs is the difference between a
//! fraction of a microsecond and some tens.

use crate::primitive::const_but_for_loom;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::collections::BTreeMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

/// Keeps threads, coroutines and async tasks waiting until a given number of them have come, and then lets all of them go on
/// at once. It can be used again and again.
///
/// Who waits in vain (a deadline, a dropped future) leaves as if he had never come. [`abort`](Barrier::abort) ends the wait of everybody
/// with an error, and so does an [action](Barrier::with_action) that panics.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
///   Whoever comes last runs the action.
/// - **Allocates** nothing; the last to come allocates nothing either. One who leaves may make the list of free places longer,
///   if more have left at once than ever before. Breaking it up while others wait may allocate.
/// - **Order**: there is none. All who wait are woken together.
/// - **Dropped** before the others have come, a future leaves as if it had never come; later, it was counted.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of the
///   last one's wait, of [`abort`](Barrier::abort) and of [`reset`](Barrier::reset).
///
/// # Examples
/// ```
/// let barrier = sync::Barrier::new(2);
/// let leaders = std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_ok_and(|place| place.is_leader()));
///     let mine = barrier.wait().is_ok_and(|place| place.is_leader());
///     [mine, other.join().unwrap_or(false)].iter().filter(|leads| **leads).count()
/// });
/// assert_eq!(leaders, 1);
/// ```
pub struct Barrier {
    parties: usize,
    action: Option<Box<dyn Fn() + Send + Sync>>,
    state: Guarded<State>,
}

struct State {
    /// How many of this generation have come and not left again.
    arrived: usize,
    /// The indexes of those who have left again, for those who come now.
    vacated: Vec<usize>,
    generation: u64,
    /// All have come, and the last one runs the action. Nobody leaves or comes.
    opening: bool,
    /// Until the next reset, whoever comes is refused.
    broken: bool,
    /// The generations that were broken up, and how many of each have not heard of it.
    broken_up: BTreeMap<u64, usize>,
    waiters: Waiters,
}

/// The place of someone among those whom a barrier let through together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierPlace {
    index: usize,
    leads: bool,
}

/// Why somebody was not let through a barrier.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierError {
    /// Not all the others have come; this one has left again, as if it had never come.
    NotAll,
    /// The others had not all come until the time had passed; this one has left again, as if it had never come.
    TimedOut,
    /// Somebody has called [`abort`](Barrier::abort), or [`reset`](Barrier::reset) while this one waited, or the action panicked.
    #[doc(alias = "BrokenBarrierError")]
    Broken,
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
    const_but_for_loom! {
        /// A barrier for `parties` of them. With 0 or 1, nobody waits.
        #[must_use]
        pub fn new(parties: usize) -> Self {
            Barrier {
                parties: if parties == 0 { 1 } else { parties },
                action: None,
                state: Guarded::new(State {
                    arrived: 0,
                    vacated: Vec::new(),
                    generation: 0,
                    opening: false,
                    broken: false,
                    broken_up: BTreeMap::new(),
                    waiters: Waiters::barging(),
                }),
            }
        }
    }

    /// As [`new`](Barrier::new). Whoever comes last runs `action`, with no lock held, before anybody goes on. If it panics, the barrier
    /// is broken for the others, and the panic goes on there.
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// static ROUNDS: AtomicU32 = AtomicU32::new(0);
    ///
    /// let barrier = sync::Barrier::with_action(1, || {
    ///     ROUNDS.fetch_add(1, Ordering::Relaxed);
    /// });
    /// assert!(barrier.wait()?.is_leader());
    /// assert_eq!(ROUNDS.load(Ordering::Relaxed), 1);
    /// # Ok::<(), sync::barrier::BarrierError>(())
    /// ```
    #[must_use]
    pub fn with_action(parties: usize, action: impl Fn() + Send + Sync + 'static) -> Self {
        Barrier { action: Some(Box::new(action)), ..Barrier::new(parties) }
    }

    /// Waits for the others. Blocks.
    ///
    /// # Errors
    /// [`BarrierError::Broken`].
    ///
    /// # Panics
    /// Where the last one comes: if the action does, or a waker of somebody who waits. So do the other ways to wait.
    pub fn wait(&self) -> Result<BarrierPlace, BarrierError> {
        self.wait_until(None)
    }

    /// Goes on with the others if this is the last one to come.
    ///
    /// # Errors
    /// [`BarrierError::NotAll`] if it is not, [`BarrierError::Broken`].
    pub fn try_wait(&self) -> Result<BarrierPlace, BarrierError> {
        let arrival = self.state.with(|state, _| match state.is_open() && state.arrived + 1 < self.parties {
            true => None,
            false => self.arriving()(state),
        });
        self.act(arrival.unwrap_or(Err(BarrierError::NotAll))?).map(|arrival| arrival.place)
    }

    /// Waits for the others, at most `limit`. Blocks; for as long as the action takes on top, if they have all come by then.
    ///
    /// # Errors
    /// [`BarrierError::TimedOut`] if they had not all come by then: this one has left again, and nobody goes through who counts on
    /// it. [`BarrierError::Broken`].
    pub fn wait_timeout(&self, limit: Duration) -> Result<BarrierPlace, BarrierError> {
        // A time beyond what the clock can say is never reached.
        self.wait_until(Instant::now().checked_add(limit))
    }

    /// Waits for the others. The last one's poll runs the action.
    ///
    /// # Errors
    /// [`BarrierError::Broken`].
    ///
    /// # Cancel safety
    /// Who drops the future before the others have come leaves, as if it had never come; the index of those who came
    /// later does not change. Who drops it later was counted, and cannot tell: for a limit, take
    /// [`wait_async_timeout`](Barrier::wait_async_timeout), which can.
    pub async fn wait_async(&self) -> Result<BarrierPlace, BarrierError> {
        let arrival = self.arrive_async().await?;
        self.state.wait_for(|state| &mut state.waiters, arrival.opened()).await?;
        Ok(arrival.went_through())
    }

    /// Waits for the others, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// As [`wait_timeout`](Barrier::wait_timeout).
    ///
    /// # Cancel safety
    /// As [`wait_async`](Barrier::wait_async).
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<BarrierPlace, BarrierError> {
        let begin = Instant::now();
        let arrival =
            timer::timeout(limit, self.arrive_async()).await.unwrap_or(Err(BarrierError::TimedOut))?;
        let opened = self.state.wait_for(|state| &mut state.waiters, arrival.opened());
        match timer::timeout(limit.saturating_sub(begin.elapsed()), opened).await {
            Ok(outcome) => outcome.map(|()| arrival.went_through()),
            Err(_) => {
                let arrival = arrival.leave().ok_or(BarrierError::TimedOut)?;
                // All have come, and it takes no longer than the action.
                self.state.wait_for(|state| &mut state.waiters, arrival.opened()).await?;
                Ok(arrival.went_through())
            }
        }
    }

    /// Ends the wait of everybody, and of all who come, with [`BarrierError::Broken`], until somebody calls
    /// [`reset`](Barrier::reset): for whoever knows that he will not come.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn abort(&self) {
        self.state.with(|state, afterwards| {
            state.broken = true;
            state.break_up(afterwards);
        });
    }

    /// Makes a broken barrier whole again. Who waits now is sent away with [`BarrierError::Broken`].
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn reset(&self) {
        self.state.with(|state, afterwards| {
            state.broken = false;
            state.break_up(afterwards);
        });
    }

    /// Whether whoever comes is refused.
    #[must_use]
    #[doc(alias = "broken")]
    pub fn is_broken(&self) -> bool {
        self.state.with(|state, _| state.broken)
    }

    /// How many wait now.
    #[must_use]
    #[doc(alias = "n_waiting")]
    pub fn arrived(&self) -> usize {
        self.state.with(|state, _| state.arrived)
    }

    /// For how many it is.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.parties
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<BarrierPlace, BarrierError> {
        let mut arriving = self.arriving();
        let arrival =
            self.state.wait(|state| &mut state.waiters, deadline, move |state, _, _| arriving(state));
        let arrival = self.act(arrival.unwrap_or(Err(BarrierError::TimedOut))?)?;
        if arrival.place.leads {
            return Ok(arrival.went_through());
        }
        if let Some(outcome) = self.state.wait(|state| &mut state.waiters, deadline, arrival.opened()) {
            return outcome.map(|()| arrival.went_through());
        }
        let arrival = arrival.leave().ok_or(BarrierError::TimedOut)?;
        // All have come, and it takes no longer than the action.
        self.state.wait(|state| &mut state.waiters, None, arrival.opened()).unwrap_or(Ok(()))?;
        Ok(arrival.went_through())
    }

    async fn arrive_async(&self) -> Result<Arrival<'_>, BarrierError> {
        let mut arriving = self.arriving();
        let arrival =
            self.state.wait_for(|state| &mut state.waiters, move |state, _, _| arriving(state)).await?;
        self.act(arrival)
    }

    /// The attempt to come. While the last ones are about to go on, it is too early.
    fn arriving<'a>(&'a self) -> impl FnMut(&mut State) -> Option<Result<Arrival<'a>, BarrierError>> {
        move |state| {
            if state.broken {
                return Some(Err(BarrierError::Broken));
            }
            if state.opening {
                return None;
            }
            // With nobody's index vacant, those who are here have 0 to `arrived` less one.
            let index = state.vacated.pop().unwrap_or(state.arrived);
            state.arrived += 1;
            let leads = state.arrived == self.parties;
            state.opening = leads;
            let place = BarrierPlace { index, leads };
            Some(Ok(Arrival { barrier: self, place, generation: state.generation }))
        }
    }

    /// If this one came last, runs the action and opens the barrier for all.
    fn act<'a>(&'a self, arrival: Arrival<'a>) -> Result<Arrival<'a>, BarrierError> {
        if !arrival.place.leads {
            return Ok(arrival);
        }
        let acted =
            self.action.as_ref().map_or(Ok(()), |action| panic::catch_unwind(AssertUnwindSafe(action)));
        let whole = self.state.with(|state, afterwards| {
            let whole = state.generation == arrival.generation;
            if whole && acted.is_ok() {
                debug_assert!(state.vacated.is_empty(), "as many as there are indexes have come");
                state.next_generation(afterwards);
            } else if whole {
                state.broken = true;
                // This one hears of it by the panic.
                state.arrived -= 1;
                state.break_up(afterwards);
            }
            whole
        });
        match acted {
            Ok(()) if whole => Ok(arrival),
            // `opened` says so.
            Ok(()) => Err(BarrierError::Broken),
            Err(payload) => {
                if whole {
                    let _ = ManuallyDrop::new(arrival);
                }
                panic::resume_unwind(payload)
            }
        }
    }
}

impl State {
    /// Whether whoever comes is counted at once.
    fn is_open(&self) -> bool {
        !self.broken && !self.opening
    }

    fn next_generation(&mut self, afterwards: &mut Afterwards) {
        self.arrived = 0;
        self.vacated.clear();
        self.generation += 1;
        self.opening = false;
        self.waiters.tell_all(afterwards);
    }

    /// Sends away all who have come.
    fn break_up(&mut self, afterwards: &mut Afterwards) {
        if self.arrived > 0 {
            self.broken_up.insert(self.generation, self.arrived);
        }
        self.next_generation(afterwards);
    }

    /// `false` if that generation has gone.
    fn take_back(&mut self, arrival: &Arrival<'_>) -> bool {
        let here = self.generation == arrival.generation;
        if here {
            self.arrived -= 1;
            if !self.opening {
                self.vacated.push(arrival.place.index);
            }
        }
        here
    }

    /// Whether that generation was broken up; somebody of it hears of it now.
    fn hears(&mut self, generation: u64) -> bool {
        let Some(count) = self.broken_up.get_mut(&generation) else { return false };
        *count -= 1;
        if *count == 0 {
            self.broken_up.remove(&generation);
        }
        true
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (arrived, broken) = self.state.with(|state, _| (state.arrived, state.broken));
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("arrived", &arrived)
            .field("broken", &broken)
            .finish()
    }
}

/// That somebody has come; taken back when dropped before the barrier has opened.
struct Arrival<'a> {
    barrier: &'a Barrier,
    place: BarrierPlace,
    generation: u64,
}

impl Arrival<'_> {
    /// The attempt to go through. It says once that the generation was broken up.
    fn opened(
        &self,
    ) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<Result<(), BarrierError>> + 'static {
        let generation = self.generation;
        move |state, _, _| {
            if state.generation == generation {
                return None;
            }
            match state.broken_up.contains_key(&generation) {
                true => Some(Err(BarrierError::Broken)),
                false => Some(Ok(())),
            }
        }
    }

    fn went_through(self) -> BarrierPlace {
        // Nothing is to be taken back.
        ManuallyDrop::new(self).place
    }

    /// Takes the arrival back. It is still there if the others have gone through with this one, or are about to, or have been sent
    /// away.
    fn leave(self) -> Option<Self> {
        let taken_back = self.barrier.state.with(|state, _| !state.opening && state.take_back(&self));
        match taken_back {
            true => {
                let _taken_back = ManuallyDrop::new(self);
                None
            }
            false => Some(self),
        }
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.barrier.state.with(|state, _| {
            if !state.hears(self.generation) {
                state.take_back(self);
            }
        });
    }
}

impl BarrierError {
    /// Whether the barrier is broken, so that trying again is in vain until it is reset.
    #[must_use]
    pub fn is_broken(self) -> bool {
        self == BarrierError::Broken
    }

    /// Whether the time had passed.
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == BarrierError::TimedOut
    }
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BarrierError::NotAll => "the others have not all come to the barrier",
            BarrierError::TimedOut => {
                "the others had not all come to the barrier until the time limit passed"
            }
            BarrierError::Broken => "the barrier is broken",
        })
    }
}

impl std::error::Error for BarrierError {}
