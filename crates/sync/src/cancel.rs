//! Asking work to stop.
//!
//! A request, and not a command: nothing is stopped in the middle, and what is cancelled looks when it can. Tokens that are
//! handed down, and whose children can be cancelled alone, are those of .NET (2010) and of Go's contexts (S. Ajmani, "Go
//! Concurrency Patterns: Context", 2014); why a token, and not a method on each thing that can wait: N. J. Smith, "Timeouts
//! and cancellation for humans" (2018).
//!
//! Decided here: looking costs a load, for it is done in loops. A parent knows its children weakly, so that a tree of a million
//! requests keeps no memory of those that have ended; a child keeps its parent, so that it hears of it even if nobody else holds
//! the parent. Cancelling walks the tree without recursion, with no lock held while a callback runs. Deadlines are no part of it: a wait
//! has a limit, or a timer cancels the token.

use crate::catch::Every;
use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A request to stop, shared by whoever may make it and all that should heed it. Clones are the same token.
///
/// Cancelling cannot be undone. It cancels every [`child`](CancelToken::child) too, and never the parent. Trees may be as wide and
/// as deep as memory allows. Dropping the last clone of a token cancels nothing, and frees it once no child is left.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
///   [`cancel`](CancelToken::cancel) runs the callbacks.
/// - **Allocates** nothing. A token is one allocation; a child and a callback are an entry in a map each, and a callback is a box.
/// - **Order**: all who wait are woken, in order of arrival; then the callbacks run and the children are cancelled, in order of
///   registration.
/// - **Dropped** while it waits, a future loses nothing.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of
///   [`cancel`](CancelToken::cancel).
///
/// # Examples
/// ```
/// let token = sync::CancelToken::new();
/// let worker = std::thread::spawn({
///     let token = token.clone();
///     move || {
///         let mut rounds = 0_u64;
///         while !token.is_cancelled() {
///             rounds += 1;
///             std::thread::yield_now();
///         }
///         rounds
///     }
/// });
/// token.cancel();
/// worker.join().map_err(|_| "it panicked")?;
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    shared: Arc<Shared>,
}

struct Shared {
    state: Guarded<State>,
    parent: Option<Parent>,
}

/// What ties a token to its parent as long as it lives. The parent knows its children weakly, so this is no circle.
struct Parent {
    registered: OnCancel,
    /// A parent that nobody holds any more still hands on what its own parent says.
    token: CancelToken,
}

struct State {
    cancelled: bool,
    waiters: Waiters,
    /// In order of registration.
    calls: BTreeMap<u64, Call>,
    next_call: u64,
}

/// What is to be done when a token is cancelled.
enum Call {
    Function(Box<dyn FnOnce() + Send>),
    /// To be cancelled as well, unless nobody holds it any more.
    Child(Weak<Shared>),
}

/// What a token has still to do when it has been cancelled.
type Calls = btree_map::IntoValues<u64, Call>;

impl CancelToken {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled with this one, and can be cancelled alone.
    #[must_use]
    pub fn child(&self) -> Self {
        let shared = Arc::new_cyclic(|child: &Weak<Shared>| {
            let number = self.shared.register(&mut Some(Call::Child(Weak::clone(child))));
            let registered = OnCancel::of(&self.shared, number);
            let parent = Parent { registered, token: self.clone() };
            Shared { state: Guarded::new(State::new()), parent: Some(parent) }
        });
        let child = CancelToken { shared };
        // The parent may have been cancelled before the child existed, when it found nobody.
        if self.is_cancelled() {
            child.cancel();
        }
        child
    }

    /// Asks everyone who holds the token to stop: wakes who waits for it and runs the callbacks, on this thread, with no
    /// lock held, in order of registration. The second time, nothing happens.
    ///
    /// # Panics
    /// If a waker or a callback does, once all the others have run.
    pub fn cancel(&self) {
        let mut every = Every::default();
        // The way from this token down to the one whose turn it is: not on the stack, for a line of children may be long.
        let mut way = vec![self.shared.begin(&mut every)];
        while let Some(calls) = way.last_mut() {
            match calls.next() {
                Some(Call::Function(callback)) => every.run(callback),
                Some(Call::Child(child)) => {
                    if let Some(child) = child.upgrade() {
                        way.push(child.begin(&mut every));
                    }
                }
                None => drop(way.pop()),
            }
        }
        every.resume();
    }

    /// Whether somebody has asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.state.with(|state, _| state.cancelled)
    }

    /// Runs `callback` when the token is cancelled, on the thread that cancels it; now, if it is cancelled already.
    /// Dropping the answer takes it back; it does not wait for a callback that is running.
    ///
    /// The callback should be short, for who cancels waits for it.
    pub fn on_cancel(&self, callback: impl FnOnce() + Send + 'static) -> OnCancel {
        let mut call = Some(Call::Function(Box::new(callback)));
        let number = self.shared.register(&mut call);
        if let Some(Call::Function(callback)) = call {
            callback();
        }
        OnCancel::of(&self.shared, number)
    }

    /// Waits until the token is cancelled. Blocks.
    pub fn wait(&self) {
        self.shared.state.wait(|state| &mut state.waiters, None, |state, _, _| state.cancelled.then_some(()));
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if nobody has cancelled it by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        let deadline = Instant::now().checked_add(limit);
        let attempt = |state: &mut State, _: Turn, _: &mut Afterwards| state.cancelled.then_some(());
        self.shared.state.wait(|state| &mut state.waiters, deadline, attempt).ok_or(TimedOut)
    }

    /// Waits until the token is cancelled.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async(&self) {
        self.shared
            .state
            .wait_for(|state| &mut state.waiters, |state, _, _| state.cancelled.then_some(()))
            .await;
    }

    /// Waits at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if nobody has cancelled it by then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<(), TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }
}

#[cfg(all(test, trefoil_loom))]
impl CancelToken {
    /// Whether there are no clones of it.
    pub(crate) fn is_only(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.waiters);
    }
}

impl Shared {
    /// Takes `call` to be made when the token is cancelled, and gives it a number; leaves it if that has happened.
    fn register(&self, call: &mut Option<Call>) -> Option<u64> {
        self.state.with(|state, _| {
            let call = call.take_if(|_| !state.cancelled)?;
            let number = state.next_call;
            state.next_call += 1;
            state.calls.insert(number, call);
            Some(number)
        })
    }

    /// Cancels this one, wakes who waits for it, and says what is to be done now.
    fn begin(&self, every: &mut Every) -> Calls {
        let mut calls = BTreeMap::new();
        // A waker that panics must not take the calls with it, for children hear of it by them.
        every.run(|| {
            self.state.with(|state, afterwards| {
                state.cancelled = true;
                state.waiters.tell_all(afterwards);
                calls = std::mem::take(&mut state.calls);
            });
        });
        calls.into_values()
    }
}

impl Drop for Shared {
    /// Lets go of the line of parents one by one, where each is held by nobody else: not one inside the other, for it may be
    /// long.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(Parent { registered, token }) = next {
            drop(registered);
            next = Arc::into_inner(token.shared).and_then(|mut shared| shared.parent.take());
        }
    }
}

impl State {
    const fn new() -> Self {
        State { cancelled: false, waiters: Waiters::barging(), calls: BTreeMap::new(), next_call: 0 }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Shared { state: Guarded::new(State::new()), parent: None }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .field("child", &self.shared.parent.is_some())
            .finish()
    }
}

/// A callback that waits for a token to be cancelled; see [`CancelToken::on_cancel`].
///
/// # Waiting
/// As [`CancelToken`]. Dropping it waits for nobody, not even for the callback.
#[must_use = "dropping it takes the callback back"]
pub struct OnCancel {
    registered: Option<(Weak<Shared>, u64)>,
}

impl OnCancel {
    fn of(shared: &Arc<Shared>, number: Option<u64>) -> Self {
        OnCancel { registered: number.map(|number| (Arc::downgrade(shared), number)) }
    }
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        let Some((shared, number)) = self.registered.take() else { return };
        let Some(shared) = shared.upgrade() else { return };
        let call = shared.state.with(|state, _| state.calls.remove(&number));
        // Outside the lock: what a callback holds may be anything.
        drop(call);
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCancel(..)")
    }
}
