//! Asking work to stop.

use crate::catch::Every;
use crate::error::TimedOut;
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A request to stop, shared by whoever may make it and all that should heed it. Clones are the same token.
///
/// Cancelling cannot be undone. It cancels every [`child`](CancelToken::child) too, and never the parent.
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
    _registered: OnCancel,
    /// A parent that nobody holds any more still hands on what its own parent says.
    _token: CancelToken,
}

struct State {
    cancelled: bool,
    waiters: Waiters,
    /// In order of registration.
    callbacks: BTreeMap<u64, Callback>,
    next_callback: u64,
}

type Callback = Box<dyn FnOnce() + Send>;

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
            let child = Weak::clone(child);
            let cancel = move || {
                if let Some(shared) = child.upgrade() {
                    CancelToken { shared }.cancel();
                }
            };
            let parent = Parent { _registered: self.on_cancel(cancel), _token: self.clone() };
            Shared { state: Guarded::new(State::new()), parent: Some(parent) }
        });
        let child = CancelToken { shared };
        // The parent may have been cancelled before the child existed, when the callback found nobody.
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
        let mut callbacks = BTreeMap::new();
        let mut every = Every::default();
        // A waker that panics must not take the callbacks with it, for children hear of it by them.
        every.run(|| {
            self.shared.state.with(|state, afterwards| {
                state.cancelled = true;
                state.waiters.tell_all(afterwards);
                callbacks = std::mem::take(&mut state.callbacks);
            });
        });
        for callback in callbacks.into_values() {
            every.run(callback);
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
        let mut callback: Option<Callback> = Some(Box::new(callback));
        let number = self.shared.state.with(|state, _| {
            let callback = callback.take_if(|_| !state.cancelled)?;
            let number = state.next_callback;
            state.next_callback += 1;
            state.callbacks.insert(number, callback);
            Some(number)
        });
        if let Some(callback) = callback {
            callback();
        }
        OnCancel { registered: number.map(|number| (Arc::downgrade(&self.shared), number)) }
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

impl State {
    const fn new() -> Self {
        State { cancelled: false, waiters: Waiters::barging(), callbacks: BTreeMap::new(), next_callback: 0 }
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
#[must_use = "dropping it takes the callback back"]
pub struct OnCancel {
    registered: Option<(Weak<Shared>, u64)>,
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        let Some((shared, number)) = self.registered.take() else { return };
        let Some(shared) = shared.upgrade() else { return };
        let callback = shared.state.with(|state, _| state.callbacks.remove(&number));
        // Outside the lock: what a callback holds may be anything.
        drop(callback);
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCancel(..)")
    }
}
