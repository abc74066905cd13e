//! How this project waits: every blocking call of every crate asks here how.
//!
//! Where a [`Parker`] is installed on the thread, a blocking call does not put the thread to sleep. It asks the parker to park
//! *whatever runs there*. Where none is, it is the thread that waits: asleep on a word of its own, where the system offers that, or by a
//! parker of its own. Whoever runs several things on one thread (a coroutine hub, an
//! event loop, a pool's worker) installs a parker that suspends one of them and lets the others run, and so
//! `queue.get()` in a green thread never stops the loop.
//!
//! The rules, on which every wait relies:
//!
//! 1. A waiting call polls for what it wants with a waker from [`Parker::waker`], and parks while it is not there. It
//!    always asks again after `park` returns: **spurious returns are allowed**.
//! 2. **A wake before the park is remembered**: the next `park` returns at once. Wakes do not add up.
//! 3. The waker may be woken from any thread, and after the wait is over; a late wake is a spurious return of a later
//!    wait and nothing else.
//! 4. The poll and the park are on the same thread and see the same parker.
//! 5. A wait that is made inside the poll of another wait shares its parker, and may use up a wake that was meant for the
//!    outer one. It therefore wakes the parker again when it ends.
//!
//! # Waiting
//! As [`block_on`]. Nothing else here waits but [`Parker::park`]: the others set what the thread uses, or look at it.

pub(crate) mod plain;
mod signal;
mod thread;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::catch::contain;
use crate::error::TimedOut;
use crate::hook::{self, Guard};
use crate::owner::{SetAside, Taking};
use crate::select::asking;
use thread::ThreadParker;

pub(crate) use plain::is_plain_thread;
pub use signal::Signal;

/// Suspends what runs on this thread until it is woken. See the [module](self) for the rules.
pub trait Parker {
    /// A waker that ends the current or the next [`park`](Parker::park) of this parker, from any thread.
    fn waker(&self) -> Waker;

    /// Suspends until woken or until `deadline`, whichever comes first. It may return early; it returns at once if a
    /// wake has come since the last park.
    fn park(&self, deadline: Option<Instant>);

    /// Whether others go on on this thread during a park, so that waiting here is cheap and never holds them up.
    fn cooperative(&self) -> bool;
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<dyn Parker>>> = const { RefCell::new(None) };
    /// How many polls of a waiting call are under way on this thread. Those of a coroutine that was suspended inside one
    /// count too, and make other waits wake their parker once for nothing, as they may.
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// Puts back the parker that was there before, when dropped. Guards must be dropped in reverse order, on their thread.
///
/// It cannot leave its thread:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<sync::park::Installed>();
/// ```
#[must_use = "the parker is installed only as long as the guard lives"]
#[derive(Debug)]
pub struct Installed {
    _guard: Guard<Rc<dyn Parker>>,
    _turns: Taking,
}

/// Makes `parker` the one that blocking calls on this thread use, until the guard is dropped.
///
/// If it is [cooperative](Parker::cooperative), what runs meanwhile is taken for coroutines of whoever calls this, and not for himself: a
/// lock that knows its owner ([`RLock`](crate::extra::RLock)) does not take them for the task that he runs in.
pub fn install(parker: Rc<dyn Parker>) -> Installed {
    let turns = Taking::turns(parker.cooperative());
    Installed { _guard: hook::install(&CURRENT, parker), _turns: turns }
}

/// The parker that blocking calls on this thread use now.
#[must_use]
pub fn current() -> Rc<dyn Parker> {
    // A destructor of another thread-local may wait after ours is gone: it gets a parker of its own.
    hook::current(&CURRENT).unwrap_or_else(ThreadParker::of_this_thread)
}

/// Whether a blocking call here lets others go on on this thread; see [`Parker::cooperative`].
#[must_use]
pub fn is_cooperative() -> bool {
    CURRENT
        .try_with(|current| current.borrow().as_ref().is_some_and(|parker| parker.cooperative()))
        .unwrap_or(false)
}

/// Waits for `future` by parking. Blocks.
///
/// # Waiting
/// - **Blocks** what runs here, by the [parker](current) that is installed: the thread, or a coroutine alone.
/// - **Allocates** nothing on a thread that has waited before; a parker that is installed, what it does.
/// - **Order**: the future's own.
/// - **Dropped**: `future` is, before this returns or passes its panic on; what that loses, it says itself.
/// - **A waker that panics** is not met here: those that this hands out only wake the parker.
///
/// # Examples
/// ```
/// assert_eq!(sync::park::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    match block_on_until(future, None) {
        Some(output) => output,
        None => unreachable!("a wait without a deadline ends with a result"),
    }
}

/// Waits for `future` by parking, at most `limit`; the future is dropped when the time has passed. Blocks.
///
/// # Waiting
/// As [`block_on`]. The deadline is the parker's affair; no [timer](crate::timer) is asked.
///
/// # Errors
/// [`TimedOut`] if it was not ready by then. It is polled once more after the time has passed, so that a result that is
/// there is never lost to the clock.
pub fn block_on_timeout<F: Future>(future: F, limit: Duration) -> Result<F::Output, TimedOut> {
    // A time beyond what the clock can say is never reached.
    block_on_until(future, Instant::now().checked_add(limit)).ok_or(TimedOut)
}

/// Waits for `future` by parking until `deadline`; `None` if it was not ready by then, and it is dropped. Blocks.
///
/// # Waiting
/// As [`block_on_timeout`].
pub fn block_on_until<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let _of_no_select = asking::set_aside();
    let parker = current();
    let waker = parker.waker();
    let answer = poll_until(future, deadline, &*parker, &waker);
    // They may be anybody's, and the last of their kind: their destructors must not lose what the future has answered.
    contain(|| drop(waker));
    contain(|| drop(parker));
    answer
}

fn poll_until<F: Future>(
    future: F,
    deadline: Option<Instant>,
    parker: &dyn Parker,
    waker: &Waker,
) -> Option<F::Output> {
    let mut used = Used { waker, inside_a_poll: POLLS.get() > 0, parked: false };
    let mut future = pin!(future);
    let mut cx = Context::from_waker(waker);
    let mut late = false;
    loop {
        let poll = {
            let _counted = Polling::begin();
            future.as_mut().poll(&mut cx)
        };
        if let Poll::Ready(output) = poll {
            return Some(output);
        }
        if late {
            return None;
        }
        used.parked = true;
        {
            let _others_may_run = SetAside::new();
            parker.park(deadline);
        }
        late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
    }
}

/// A parker in use; see rule 5.
struct Used<'a> {
    waker: &'a Waker,
    inside_a_poll: bool,
    parked: bool,
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        if self.inside_a_poll && self.parked {
            // A parker may be anybody's, and a panic may drop this.
            contain(|| self.waker.wake_by_ref());
        }
    }
}

/// Counts a poll, for as long as it lasts, be it that it panics.
struct Polling;

impl Polling {
    fn begin() -> Self {
        POLLS.set(POLLS.get() + 1);
        Polling
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        // A coroutine may have gone to another thread in the middle.
        POLLS.set(POLLS.get().saturating_sub(1));
    }
}
