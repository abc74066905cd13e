//! Two parties that swap what they have.

use crate::catch::contain;
use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

/// A place where two meet and swap what they have brought.
///
/// Whoever comes first waits; whoever comes next takes what the first has brought, leaves his own, and goes on at once. So they pair
/// by arrival, the first with the second and the third with the fourth, and any number of pairs may use one object.
///
/// Two full buffers and two empty ones are swapped without copying, two halves of a game find each other. After William Scherer,
/// Doug Lea and Michael Scott, "A Scalable Elimination-based Exchange Channel" (SCOOL 2005), and `java.util.concurrent.Exchanger`;
/// ours has one place under a short lock instead of an arena, so that it pairs by arrival.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing, but for the places where values lie: as many as there have been at once, kept for the next.
/// - **Order**: that of arrival.
/// - **Dropped** before somebody has come, a future drops its value; later, what it got for it.
/// - **A waker that panics** when it is woken is caught; the panic hook tells of it, for nothing that was swapped may be lost to it.
///
/// # Examples
/// ```
/// use sync::extra::Exchanger;
///
/// let exchanger = Exchanger::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(exchanger.exchange("tea"), "coffee"));
///     assert_eq!(exchanger.exchange("coffee"), "tea");
/// });
/// ```
pub struct Exchanger<T> {
    state: Guarded<State<T>>,
}

struct State<T> {
    /// The place of the one who waits for a partner.
    offered: Option<usize>,
    /// What he has brought is in his place, or, for one who has had a partner, what that one has brought.
    places: Vec<Option<T>>,
    /// Places where nothing lies.
    free: Vec<usize>,
    waiters: Waiters,
}

/// Nobody came to swap. The value is given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NotExchanged<T>(pub T);

impl<T> Exchanger<T> {
    /// Nobody is there.
    #[must_use]
    pub const fn new() -> Self {
        let state =
            State { offered: None, places: Vec::new(), free: Vec::new(), waiters: Waiters::barging() };
        Exchanger { state: Guarded::new(state) }
    }

    /// Swaps `value` for what somebody else brings. Blocks until somebody comes.
    pub fn exchange(&self, value: T) -> T {
        match self.exchange_until(value, None) {
            Ok(theirs) => theirs,
            Err(_) => unreachable!("a wait without a deadline ends with a result"),
        }
    }

    /// Swaps `value` if somebody waits for that. Does not wait.
    ///
    /// # Errors
    /// [`NotExchanged`] with the value if nobody waits.
    pub fn try_exchange(&self, value: T) -> Result<T, NotExchanged<T>> {
        self.change(|state, afterwards| state.meet(value, afterwards)).map_err(NotExchanged)
    }

    /// Swaps `value` for what somebody else brings, if one comes within `limit`. Blocks.
    ///
    /// # Errors
    /// [`NotExchanged`] with the value if nobody has come by then.
    pub fn exchange_timeout(&self, value: T, limit: Duration) -> Result<T, NotExchanged<T>> {
        self.exchange_until(value, Some(limit))
    }

    /// Swaps `value` for what somebody else brings.
    ///
    /// # Cancel safety
    /// Who drops the future before somebody has come takes his value back and drops it; nobody swaps with him. Who drops it later
    /// has swapped, and drops what he has got. To have the value back, take a limit. A future that is forgotten before somebody has come
    /// swaps with the next one all the same.
    pub async fn exchange_async(&self, value: T) -> T {
        let offer = match self.arrive(value) {
            Ok(theirs) => return theirs,
            Err(offer) => offer,
        };
        let theirs = self.state.wait_for(|state| &mut state.waiters, offer.answered()).await;
        mem::forget(offer);
        theirs
    }

    /// Swaps `value` for what somebody else brings, if one comes within `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`NotExchanged`] with the value if nobody has come by then.
    ///
    /// # Cancel safety
    /// As [`exchange_async`](Exchanger::exchange_async).
    pub async fn exchange_async_timeout(&self, value: T, limit: Duration) -> Result<T, NotExchanged<T>> {
        let offer = match self.arrive(value) {
            Ok(theirs) => return Ok(theirs),
            Err(offer) => offer,
        };
        let wait = self.state.wait_for(|state| &mut state.waiters, offer.answered());
        match timer::timeout(limit, wait).await {
            Ok(theirs) => {
                mem::forget(offer);
                Ok(theirs)
            }
            Err(TimedOut) => offer.withdraw(),
        }
    }

    /// Whether somebody waits to swap. Does not wait.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.state.with(|state, _| state.offered.is_some())
    }

    fn exchange_until(&self, value: T, limit: Option<Duration>) -> Result<T, NotExchanged<T>> {
        let offer = match self.arrive(value) {
            Ok(theirs) => return Ok(theirs),
            Err(offer) => offer,
        };
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        match self.state.wait(|state| &mut state.waiters, deadline, offer.answered()) {
            Some(theirs) => {
                mem::forget(offer);
                Ok(theirs)
            }
            None => offer.withdraw(),
        }
    }

    /// Swaps with the one who waits, or becomes him.
    fn arrive(&self, value: T) -> Result<T, Offer<'_, T>> {
        self.change(|state, afterwards| {
            state
                .meet(value, afterwards)
                .map_err(|value| Offer { exchanger: self, place: state.offer(value) })
        })
    }

    /// Changes the state. What was swapped must not be lost to a waker that panics; the panic hook has spoken.
    fn change<R>(&self, change: impl FnOnce(&mut State<T>, &mut Afterwards) -> R) -> R {
        let mut answer = None;
        contain(|| self.state.with(|state, afterwards| answer = Some(change(state, afterwards))));
        match answer {
            Some(answer) => answer,
            None => unreachable!("the state was changed before anybody was woken"),
        }
    }
}

impl<T> State<T> {
    /// Swaps with the one who waits. The error is the value, if nobody does.
    fn meet(&mut self, value: T, afterwards: &mut Afterwards) -> Result<T, T> {
        let waiting = self.offered.take();
        match waiting.and_then(|place| self.places[place].as_mut()) {
            Some(offered) => {
                let theirs = mem::replace(offered, value);
                // If he has not queued up yet, he will look before he does.
                let _he_queues = self.waiters.tell_one(afterwards);
                Ok(theirs)
            }
            None => Err(value),
        }
    }

    /// Lays a value down for the next who comes.
    fn offer(&mut self, value: T) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(value);
        self.offered = Some(place);
        place
    }

    /// What lies in a place, which is free afterwards.
    fn clear(&mut self, place: usize) -> Option<T> {
        let value = self.places[place].take();
        self.free.push(place);
        value
    }
}

impl<T> Queues for State<T> {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

/// That somebody has laid a value down; taken back when dropped, or what he has got for it.
struct Offer<'a, T> {
    exchanger: &'a Exchanger<T>,
    place: usize,
}

impl<T> Offer<'_, T> {
    /// The attempt to see the partner's value. When it has succeeded, the place is another's.
    fn answered(&self) -> impl FnMut(&mut State<T>, Turn, &mut Afterwards) -> Option<T> + use<T> {
        let place = self.place;
        move |state, _, _| if state.offered == Some(place) { None } else { state.clear(place) }
    }

    /// Takes the value back, unless somebody has come since this one looked.
    fn withdraw(self) -> Result<T, NotExchanged<T>> {
        // It is taken back once.
        let offer = mem::ManuallyDrop::new(self);
        match offer.clear() {
            (Some(theirs), true) => Ok(theirs),
            (Some(mine), false) => Err(NotExchanged(mine)),
            (None, _) => unreachable!("the place is this one's until it has been cleared"),
        }
    }

    /// What lies in the place, and whether it is the partner's.
    fn clear(&self) -> (Option<T>, bool) {
        self.exchanger.state.with(|state, _| {
            let swapped = state.offered != Some(self.place);
            if !swapped {
                state.offered = None;
            }
            (state.clear(self.place), swapped)
        })
    }
}

impl<T> Drop for Offer<'_, T> {
    fn drop(&mut self) {
        // Outside the lock: a value's destructor may be anything.
        drop(self.clear());
    }
}

impl<T> NotExchanged<T> {
    /// The value that was not swapped.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for NotExchanged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotExchanged(..)")
    }
}

impl<T> fmt::Display for NotExchanged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody came to swap; the value is in the error")
    }
}

impl<T> std::error::Error for NotExchanged<T> {}

impl<T> fmt::Debug for Exchanger<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (awaited, in_use) =
            self.state.with(|state, _| (state.offered.is_some(), state.places.len() - state.free.len()));
        f.debug_struct("Exchanger").field("awaited", &awaited).field("places_in_use", &in_use).finish()
    }
}

impl<T> Default for Exchanger<T> {
    fn default() -> Self {
        Exchanger::new()
    }
}
