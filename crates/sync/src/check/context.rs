//! Who holds and who waits: a thread by default; a coroutine or a task, where its hub or its executor says so.

use super::is_on;
use super::state::{self, Context as Known};
use super::task::{self, WakesBy};
use crate::park;
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Which context. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ContextId(pub(super) NonZeroU64);

/// Something that runs by itself, and holds and waits for locks: a coroutine or an async task. Dropping it says that it has ended.
///
/// Threads need none. What runs in turns on one thread does, for the checker would take it all for one: the hub
/// [enters](Context::enter) the context of a coroutine before it switches to it; a task runs as
/// [`Context::task`](Context::task). In a cooperative context (see [`park::is_cooperative`](crate::park::is_cooperative)) without
/// one, and in a future without one that awaits a lock, the checker does not know who holds, and gives no verdict about him.
///
/// # Examples
/// ```standalone_crate
/// use sync::{Mutex, check, park::block_on};
///
/// check::enable();
/// let context = check::Context::new("reader");
/// let mutex = Mutex::new(1);
/// let sum = block_on(context.task(async {
///     let guard = mutex.lock_async().await;
///     assert_eq!(check::held().len(), 1);
///     *guard + 1
/// }));
/// assert_eq!(sum, 2);
/// ```
#[derive(Debug)]
pub struct Context {
    id: ContextId,
    name: Arc<str>,
}

/// This thread runs a context, until this is dropped; see [`Context::enter`].
#[must_use = "the context is left when this is dropped"]
#[derive(Debug)]
pub struct Entered<'a> {
    before: Current,
    /// The place is this thread's.
    not_send: PhantomData<(*const (), &'a Context)>,
}

/// Who runs on this thread.
#[derive(Clone, Copy, Debug)]
enum Current {
    Unseen,
    Thread(ContextId),
    Entered(ContextId, Kind),
    /// The thread is going away, and its context has gone.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Coroutine,
    Task,
}

/// Whoever runs now, if that is known.
#[derive(Clone, Copy)]
pub(super) struct Who(Option<ContextId>);

/// Says that a thread has ended.
struct AtExit(ContextId);

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current::Unseen) };
    static AT_EXIT: Cell<Option<AtExit>> = const { Cell::new(None) };
}

static LAST_ID: AtomicU64 = AtomicU64::new(0);

impl Context {
    /// A context with a name for the reports.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let context = Context { id: next(), name: Arc::from(name) };
        if is_on() {
            see(context.id, &context.name);
        }
        context
    }

    /// Says that this thread runs the context from now on, until the answer is dropped.
    pub fn enter(&self) -> Entered<'_> {
        self.enter_as(Kind::Coroutine)
    }

    /// The future, run as this context. It is to be a whole task: what is wrapped in it waits for its locks **until it gets
    /// them**. Where it is dropped before it has ended, a deadlock that was reported may end.
    ///
    /// # Cancel safety
    /// That of `future`.
    pub async fn task<F: Future>(self, future: F) -> F::Output {
        task::run(&self, future).await
    }

    pub(super) fn id(&self) -> ContextId {
        self.id
    }

    pub(super) fn enter_as_task(&self) -> Entered<'_> {
        self.enter_as(Kind::Task)
    }

    fn enter_as(&self, kind: Kind) -> Entered<'_> {
        if is_on() {
            see(self.id, &self.name);
        }
        let before = CURRENT.replace(Current::Entered(self.id, kind));
        Entered { before, not_send: PhantomData }
    }

    pub(super) fn wakes_by(&self, waker: WakesBy) {
        state::with(|state| {
            if let Some(context) = state.contexts.get_mut(&self.id) {
                context.waker = Some(waker);
            }
        });
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        state::with(|state| state.forget_context(self.id));
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

impl Drop for AtExit {
    fn drop(&mut self) {
        CURRENT.set(Current::Gone);
        state::with(|state| state.forget_context(self.0));
    }
}

impl Who {
    pub(super) fn id(self) -> Option<ContextId> {
        self.0
    }
}

/// Whoever runs on this thread.
pub(super) fn current() -> Who {
    match CURRENT.get() {
        Current::Entered(id, _) => Who(Some(id)),
        Current::Gone => Who(None),
        // Several take turns on this thread, and nobody says which.
        _ if park::is_cooperative() => Who(None),
        Current::Thread(id) => Who(Some(id)),
        Current::Unseen => Who(first_seen()),
    }
}

/// The task that runs on this thread, if that is known.
pub(super) fn current_task() -> Who {
    match CURRENT.get() {
        Current::Entered(id, Kind::Task) => Who(Some(id)),
        _ => Who(None),
    }
}

fn first_seen() -> Option<ContextId> {
    let id = next();
    // A thread that is going away could not say that it has gone.
    AT_EXIT.try_with(|at_exit| at_exit.set(Some(AtExit(id)))).ok()?;
    see(id, &Arc::from(thread::current().name().unwrap_or("unnamed thread")));
    CURRENT.set(Current::Thread(id));
    Some(id)
}

fn next() -> ContextId {
    // Relaxed: a number, which stands for nothing but itself.
    ContextId(NonZeroU64::MIN.saturating_add(LAST_ID.fetch_add(1, Ordering::Relaxed)))
}

/// Makes the context known, if it was made while the checker was off.
fn see(id: ContextId, name: &Arc<str>) {
    state::with(|state| {
        if !state.contexts.contains_key(&id) {
            let (name, began) = (Arc::clone(name), state.tick());
            state
                .contexts
                .insert(id, Known { name, began, held: Vec::new(), waits: Vec::new(), waker: None });
        }
    });
}
