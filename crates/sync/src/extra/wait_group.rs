//! Waiting until all that has been begun has ended.

use crate::catch::contain;
use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counts what is under way, and lets others wait until nothing is.
///
/// Work comes in by [`enter`](WaitGroup::enter), whose guard leaves when it is dropped, be it by a panic; or, where no guard
/// can be carried along, by [`add`](WaitGroup::add) and [`done`](WaitGroup::done), as in Go. Enter before the work is handed to
/// another thread: what nobody has begun yet, nobody waits for.
///
/// It can be used again and again. A wait ends when the count has been zero at some moment since it began, even if more
/// has come in before the waiter looks.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: there is none. All who wait are woken when the count comes to zero.
/// - **Dropped** while it waits, a future loses nothing.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`done`](WaitGroup::done), and out of no [`Member`] that is dropped.
///
/// # Examples
/// ```
/// use sync::extra::WaitGroup;
///
/// static UNDER_WAY: WaitGroup = WaitGroup::new();
/// for number in 0..3 {
///     let member = UNDER_WAY.enter();
///     std::thread::spawn(move || {
///         assert!(number < 3);
///         drop(member);
///     });
/// }
/// UNDER_WAY.wait();
/// assert!(UNDER_WAY.is_idle());
/// ```
pub struct WaitGroup {
    state: Guarded<State>,
}

struct State {
    under_way: usize,
    waiters: Waiters,
}

/// Something that is under way; see [`WaitGroup::enter`]. Dropping it leaves the group, and wakes those who wait for the last.
///
/// # Waiting
/// As [`WaitGroup`]. Dropping it waits for nobody.
#[must_use = "dropping it leaves the group"]
pub struct Member<G: Deref<Target = WaitGroup>> {
    group: G,
}

/// Something was said to be [done](WaitGroup::done) that had never been begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NobodyIsIn;

impl WaitGroup {
    /// Nothing is under way.
    #[must_use]
    pub const fn new() -> Self {
        WaitGroup { state: Guarded::new(State { under_way: 0, waiters: Waiters::barging() }) }
    }

    /// Begins something, which ends when the answer is dropped. Does not wait.
    ///
    /// # Panics
    /// As [`add`](WaitGroup::add).
    #[track_caller]
    pub fn enter(&self) -> Member<&WaitGroup> {
        self.add(1);
        Member { group: self }
    }

    /// As [`enter`](WaitGroup::enter), for work that outlives this frame: the answer keeps the group.
    ///
    /// # Panics
    /// As [`add`](WaitGroup::add).
    #[track_caller]
    pub fn enter_arc(self: &Arc<Self>) -> Member<Arc<WaitGroup>> {
        self.add(1);
        Member { group: Arc::clone(self) }
    }

    /// Begins `count` things, each of which ends by a [`done`](WaitGroup::done). Does not wait.
    ///
    /// # Panics
    /// If there would be more than `usize::MAX`.
    #[track_caller]
    pub fn add(&self, count: usize) {
        let fits = self.state.with(|state, _| {
            let more = state.under_way.checked_add(count);
            state.under_way = more.unwrap_or(state.under_way);
            more.is_some()
        });
        assert!(fits, "a group cannot have {count} more under way: that is more than usize::MAX");
    }

    /// Ends one of those that were [added](WaitGroup::add). Does not wait.
    ///
    /// # Errors
    /// [`NobodyIsIn`] if nothing is under way.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn done(&self) -> Result<(), NobodyIsIn> {
        self.state.with(|state, afterwards| {
            state.under_way = state.under_way.checked_sub(1).ok_or(NobodyIsIn)?;
            if state.under_way == 0 {
                state.waiters.tell_all(afterwards);
            }
            Ok(())
        })
    }

    /// How many are under way. Does not wait.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.state.with(|state, _| state.under_way)
    }

    /// Whether nothing is under way. Does not wait.
    #[must_use]
    #[doc(alias = "try_wait")]
    pub fn is_idle(&self) -> bool {
        self.under_way() == 0
    }

    /// Waits until nothing is under way. Blocks.
    pub fn wait(&self) {
        self.state.wait(|state| &mut state.waiters, None, State::passing);
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if something was under way all the time.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        self.state.wait(|state| &mut state.waiters, deadline, State::passing).ok_or(TimedOut)
    }

    /// Waits until nothing is under way.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future. The wait begins with the first poll.
    pub async fn wait_async(&self) {
        self.state.wait_for(|state| &mut state.waiters, State::passing).await;
    }

    /// Waits at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if something was under way all the time.
    ///
    /// # Cancel safety
    /// As [`wait_async`](WaitGroup::wait_async).
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt to go through. Who was told goes through, even if something was begun before he looked.
    fn passing(&mut self, turn: Turn, _: &mut Afterwards) -> Option<()> {
        (self.under_way == 0 || turn.told.is_some()).then_some(())
    }
}

impl<G: Deref<Target = WaitGroup>> Drop for Member<G> {
    fn drop(&mut self) {
        // Somebody may have said `done` for it, which is his mistake; there is nothing left to end here.
        // A waker's panic must not leave a destructor, which may run in another panic.
        contain(|| _ = self.group.done());
    }
}

impl<G: Deref<Target = WaitGroup>> fmt::Debug for Member<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("group", &*self.group).finish()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (under_way, waiting) = self.state.with(|state, _| (state.under_way, state.waiters.len()));
        f.debug_struct("WaitGroup").field("under_way", &under_way).field("waiting", &waiting).finish()
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        WaitGroup::new()
    }
}

impl fmt::Display for NobodyIsIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing of the group is under way that could be done: `add` comes before `done`")
    }
}

impl std::error::Error for NobodyIsIn {}
