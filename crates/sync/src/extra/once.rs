//! A value that is made once.

mod lazy;

pub use lazy::{Awaited, Lazy};

use crate::catch::contain;
use crate::error::TimedOut;
use crate::park;
use crate::primitive::{OnceLock, this_thread};
use crate::timer;
use crate::wait::{Afterwards, Guarded, Queues, Turn, Waiters};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::time::{Duration, Instant};

/// A place for a value that is made when it is first needed, by a function or by a future, and stays.
///
/// Whoever comes while somebody else makes the value waits for it, as a thread, as a coroutine or as a future, however it is being
/// made. [`get`](OnceCell::get) is one load (`Acquire`) and never waits.
///
/// Only one makes it at a time. If he fails, be it that his function panics, that it returns an error, or that his future is
/// dropped, the next one who waits makes it in his own way; nothing is poisoned. A future that makes the value and that nobody
/// polls, or that is forgotten, keeps all others waiting: they have nothing else to wait for.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: those who would make the value are told in order of arrival, but who comes at the right moment may be first. When it
///   is made, all are woken.
/// - **Dropped** while it waits, a future loses nothing; while it makes the value, it leaves that to the next one.
/// - **A waker that panics** keeps nobody else from being woken. Its panic gets out of the call that woke it, at its end: of the
///   call that made the value, which is there.
///
/// # Examples
/// ```
/// use sync::extra::OnceCell;
///
/// static LIMIT: OnceCell<usize> = OnceCell::new();
/// assert_eq!(LIMIT.get(), None);
/// let mine = LIMIT.get_or_init(|| 1024);
/// // On the same object, awaited; the future is not polled, for the value is there.
/// let same = sync::park::block_on(LIMIT.get_or_init_async(async { 7 }));
/// assert_eq!((*mine, *same), (1024, 1024));
/// ```
#[doc(alias = "OnceLock")]
#[doc(alias = "Once")]
pub struct OnceCell<T> {
    value: OnceLock<T>,
    state: Guarded<State>,
}

struct State {
    phase: Phase,
    /// Those who would make the value.
    makers: Waiters,
    /// Those who only wait for it.
    waiters: Waiters,
}

#[derive(Clone, Copy)]
enum Phase {
    Empty,
    /// Somebody makes the value.
    Making(Option<Here>),
    /// The value is there.
    Ready,
}

/// What has the thread to itself while a value is made, where that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Here {
    thread: usize,
    /// It is the poll of a future.
    polls: bool,
}

/// Who asks.
#[derive(Clone, Copy)]
enum Asks {
    /// A call that blocks.
    Blocking,
    /// A future.
    Awaiting,
    /// Either of them, where somebody has a limit, so that no wait is for ever.
    WithLimit,
}

/// What somebody is to do who would make the value.
enum Entry {
    /// Nothing, it is there.
    Ready,
    /// Make it.
    Make,
    /// It is he himself who makes it.
    Inside,
}

/// Why a value could not be [set](OnceCell::set). It is given back.
pub struct SetError<T> {
    value: T,
    being_made: bool,
}

impl<T> OnceCell<T> {
    /// A cell without a value.
    #[must_use]
    pub const fn new() -> Self {
        let state = State { phase: Phase::Empty, makers: Waiters::barging(), waiters: Waiters::barging() };
        OnceCell { value: OnceLock::new(), state: Guarded::new(state) }
    }

    /// The value, if it is there. Never waits: one load.
    #[inline]
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it is there, to be changed.
    #[must_use]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value, if it is there.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, if it is there; the cell is as new.
    #[must_use]
    pub fn take(&mut self) -> Option<T> {
        let value = self.value.take()?;
        self.state.with(|state, _| state.phase = Phase::Empty);
        Some(value)
    }

    /// Puts a value in. Does not wait.
    ///
    /// # Errors
    /// [`SetError`] with the value if there is one already, or somebody is making one.
    ///
    /// # Panics
    /// If a waker of somebody who waits does, once all the others are woken.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let before = self.state.with(|state, _| {
            let before = state.phase;
            if matches!(before, Phase::Empty) {
                state.phase = Phase::Making(None);
            }
            before
        });
        if !matches!(before, Phase::Empty) {
            return Err(SetError { value, being_made: matches!(before, Phase::Making(_)) });
        }
        Making { cell: self }.finish(value);
        Ok(())
    }

    /// The value; `init` makes it if it is not there. Blocks while somebody else makes it.
    ///
    /// # Panics
    /// If `init` does: then the next one makes the value. If `init` comes back to this cell and would wait for itself for ever:
    /// that is noticed on a plain thread. If a waker of somebody who waits does, once all the others are woken.
    #[track_caller]
    pub fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        match self.get_or_try_init(|| Ok::<T, Infallible>(init())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// As [`get_or_init`](OnceCell::get_or_init), with an `init` that may fail. Blocks while somebody else makes the value.
    ///
    /// # Errors
    /// That of `init`. The next one makes the value.
    ///
    /// # Panics
    /// As [`get_or_init`](OnceCell::get_or_init).
    #[track_caller]
    pub fn get_or_try_init<E>(&self, init: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if self.get().is_none() {
            let entry = self.state.wait(|state| &mut state.makers, None, State::entering(Asks::Blocking));
            match entry {
                Some(Entry::Make) => {
                    let making = Making { cell: self };
                    making.runs(Here::calling());
                    making.finish(init()?);
                }
                Some(Entry::Ready) | None => {}
                Some(Entry::Inside) => inside(),
            }
        }
        Ok(self.made())
    }

    /// As [`get_or_init`](OnceCell::get_or_init), but waits at most `limit` for somebody else who makes the value. Blocks.
    ///
    /// The limit is one of waiting. Where it is for the caller to make the value, `init` takes as long as it takes, and its value is
    /// there in the end, also if the time has passed meanwhile.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody else was still making the value by then, or if it is `init` that has come back to this cell. `init` is
    /// not called.
    ///
    /// # Panics
    /// If `init` does: then the next one makes the value. If a waker of somebody who waits does, once all the others are woken.
    pub fn get_or_init_timeout(&self, init: impl FnOnce() -> T, limit: Duration) -> Result<&T, TimedOut> {
        if self.get().is_none() {
            // A time beyond what the clock can say is never reached.
            let deadline = Instant::now().checked_add(limit);
            let entering = State::entering(Asks::WithLimit);
            let entry = self.state.wait(|state| &mut state.makers, deadline, entering).ok_or(TimedOut)?;
            if let Entry::Make = entry {
                let making = Making { cell: self };
                making.runs(Here::calling());
                making.finish(init());
            }
        }
        Ok(self.made())
    }

    /// The value; `init` makes it if it is not there, and is not polled if it is. Waits while somebody else makes it.
    ///
    /// # Panics
    /// If `init` does, when it is polled: then the next one makes the value. If `init` awaits this cell and would wait for itself: that is
    /// noticed on a plain thread. If a waker of somebody who waits does, once all the others are woken.
    ///
    /// # Cancel safety
    /// If the future is dropped while it makes the value, `init` is dropped with it, and the next one makes the value.
    pub async fn get_or_init_async(&self, init: impl Future<Output = T>) -> &T {
        match self.get_or_try_init_async(async { Ok::<T, Infallible>(init.await) }).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// As [`get_or_init_async`](OnceCell::get_or_init_async), with an `init` that may fail.
    ///
    /// # Errors
    /// That of `init`. The next one makes the value.
    ///
    /// # Panics
    /// As [`get_or_init_async`](OnceCell::get_or_init_async).
    ///
    /// # Cancel safety
    /// As [`get_or_init_async`](OnceCell::get_or_init_async).
    pub async fn get_or_try_init_async<E>(&self, init: impl Future<Output = Result<T, E>>) -> Result<&T, E> {
        self.make_async(Asks::Awaiting, init).await
    }

    /// As [`get_or_init_async`](OnceCell::get_or_init_async), at most `limit`, be it that somebody else makes the value or this future
    /// does. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if the value was not there by then. If `init` was making it, it is dropped, and the next one makes the value.
    ///
    /// # Panics
    /// If `init` does, when it is polled: then the next one makes the value. If a waker of somebody who waits does, once all the others
    /// are woken.
    ///
    /// # Cancel safety
    /// As [`get_or_init_async`](OnceCell::get_or_init_async).
    pub async fn get_or_init_async_timeout(
        &self,
        init: impl Future<Output = T>,
        limit: Duration,
    ) -> Result<&T, TimedOut> {
        timer::timeout(limit, self.init_until_late(init)).await
    }

    /// As [`get_or_init_async`](OnceCell::get_or_init_async), for who goes away at some time.
    async fn init_until_late(&self, init: impl Future<Output = T>) -> &T {
        match self.make_async(Asks::WithLimit, async { Ok::<T, Infallible>(init.await) }).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Waits until the value is there, and makes none. Blocks.
    ///
    /// # Panics
    /// If it is called by who makes the value, and would wait for itself for ever: that is noticed on a plain thread.
    #[track_caller]
    pub fn wait(&self) -> &T {
        if self.get().is_none() {
            let looking = |state: &mut State, _: Turn, _: &mut Afterwards| state.look(Asks::Blocking);
            if let Some(Entry::Inside) = self.state.wait(|state| &mut state.waiters, None, looking) {
                inside();
            }
        }
        self.made()
    }

    /// Waits until the value is there, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not there by then.
    pub fn wait_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        if self.get().is_none() {
            let deadline = Instant::now().checked_add(limit);
            self.state.wait(|state| &mut state.waiters, deadline, State::passing).ok_or(TimedOut)?;
        }
        Ok(self.made())
    }

    /// Waits until the value is there, and makes none.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async(&self) -> &T {
        if self.get().is_none() {
            self.state.wait_for(|state| &mut state.waiters, State::passing).await;
        }
        self.made()
    }

    /// Waits until the value is there, at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not there by then.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn wait_async_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        timer::timeout(limit, self.wait_async()).await
    }

    async fn make_async<E>(&self, asks: Asks, init: impl Future<Output = Result<T, E>>) -> Result<&T, E> {
        if self.get().is_none() {
            let entering = State::entering(asks);
            match self.state.wait_for(|state| &mut state.makers, entering).await {
                Entry::Make => {
                    let making = Making { cell: self };
                    let mut init = pin!(init);
                    let poll = |cx: &mut std::task::Context<'_>| {
                        let _polled = Polled::begin(&making);
                        init.as_mut().poll(cx)
                    };
                    let value = poll_fn(poll).await?;
                    making.finish(value);
                }
                Entry::Ready => {}
                Entry::Inside => inside(),
            }
        }
        Ok(self.made())
    }

    fn made(&self) -> &T {
        match self.get() {
            Some(value) => value,
            None => unreachable!("the value is put in before anybody is told"),
        }
    }
}

/// Somebody makes the value. If he goes away without having done so, the next one makes it.
struct Making<'a, T> {
    cell: &'a OnceCell<T>,
}

impl<T> Making<'_, T> {
    /// Says what has the thread to itself meanwhile.
    fn runs(&self, here: Option<Here>) {
        self.cell.state.with(|state, _| state.phase = Phase::Making(here));
    }

    fn finish(self, value: T) {
        let cell = self.cell;
        // From here on there is nothing to take back.
        mem::forget(self);
        let put_in = cell.value.set(value);
        debug_assert!(put_in.is_ok(), "one makes the value at a time");
        cell.state.with(|state, afterwards| {
            state.phase = Phase::Ready;
            state.makers.tell_all(afterwards);
            state.waiters.tell_all(afterwards);
        });
    }
}

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        // It is often a panic that drops it, in which a waker that panics would end the process.
        contain(|| {
            self.cell.state.with(|state, afterwards| {
                state.phase = Phase::Empty;
                state.makers.tell_one(afterwards);
            });
        });
    }
}

/// The poll of a future that makes the value.
struct Polled<'a, 'b, T>(&'a Making<'b, T>);

impl<'a, 'b, T> Polled<'a, 'b, T> {
    fn begin(making: &'a Making<'b, T>) -> Self {
        making.runs(Here::polling());
        Polled(making)
    }
}

impl<T> Drop for Polled<'_, '_, T> {
    fn drop(&mut self) {
        self.0.runs(None);
    }
}

impl Here {
    fn calling() -> Option<Self> {
        Self::if_plain(false)
    }

    fn polling() -> Option<Self> {
        Self::if_plain(true)
    }

    /// Where coroutines share a thread, others may come to the cell while one that makes the value is suspended. So it is with
    /// loom's threads.
    fn if_plain(polls: bool) -> Option<Self> {
        let thread = this_thread();
        (thread != 0 && park::is_plain_thread() && !crate::primitive::IS_MODEL)
            .then_some(Here { thread, polls })
    }
}

#[cold]
#[track_caller]
fn inside() -> ! {
    panic!(
        "who makes the value of a cell has come back to the cell and would wait for itself for ever: \
         make the value without it"
    );
}

impl Asks {
    /// Whether he would wait for ever for what is being made by himself.
    fn for_ever(self, here: Here) -> bool {
        match self {
            Asks::Blocking => true,
            // A future that is polled by a function may be one of many that this function runs; it does not wait for it alone.
            Asks::Awaiting => here.polls,
            Asks::WithLimit => false,
        }
    }
}

impl Queues for State {
    fn each_queue(&mut self, visit: &mut dyn FnMut(&mut Waiters)) {
        visit(&mut self.makers);
        visit(&mut self.waiters);
    }
}

impl State {
    /// The attempt to get the value, or the right to make it.
    fn entering(asks: Asks) -> impl FnMut(&mut State, Turn, &mut Afterwards) -> Option<Entry> {
        move |state, _, _| {
            let entry = state.look(asks);
            if entry.is_none() && matches!(state.phase, Phase::Empty) {
                state.phase = Phase::Making(None);
                return Some(Entry::Make);
            }
            entry
        }
    }

    /// Whether the value is there, or will never be.
    fn look(&self, asks: Asks) -> Option<Entry> {
        match self.phase {
            Phase::Ready => Some(Entry::Ready),
            Phase::Making(Some(here)) if here.thread == this_thread() && asks.for_ever(here) => {
                Some(Entry::Inside)
            }
            Phase::Making(_) | Phase::Empty => None,
        }
    }

    /// The attempt to see the value.
    fn passing(&mut self, _: Turn, _: &mut Afterwards) -> Option<()> {
        matches!(self.phase, Phase::Ready).then_some(())
    }
}

impl<T> SetError<T> {
    /// The value that was not put in.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Whether somebody was making a value, so that it may be there later, or not. Otherwise it was there already.
    #[must_use]
    pub fn is_being_made(&self) -> bool {
        self.being_made
    }
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetError").field("being_made", &self.being_made).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.being_made {
            "somebody is making the value of this cell: wait for it"
        } else {
            "the cell has a value already, which stays"
        })
    }
}

impl<T> std::error::Error for SetError<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<not made>")),
        };
        tuple.finish()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        let state = State { phase: Phase::Ready, makers: Waiters::barging(), waiters: Waiters::barging() };
        OnceCell { value: OnceLock::from(value), state: Guarded::new(state) }
    }
}
