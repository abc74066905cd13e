//! Who runs: what a lock knows its owner by.
//!
//! A thread is known by itself, and so is a coroutine whose crate [tells them apart](Owner::tell_coroutines_apart). Everything else
//! that takes turns on a thread has to be named, by an [`Owner`].
//!
//! The invariant that memory safety rests on: **a number stands for one owner on one thread**, and is never given again. So all the
//! guards of one owner are on one thread, for a guard does not leave its thread. A task that goes on on another thread is another
//! owner there; it has no guards then, but those that were forgotten.
//!
//! Who is entered is kept for each stack: a coroutine that is suspended inside of an owner takes nobody along.

use crate::park;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// An async task, or a coroutine, in the eyes of an [`RLock`](super::RLock).
///
/// An async task has no identity that a library could see: what is polled on a thread may be any of a thousand tasks, and the next poll
/// another one. Whoever spawns a task that uses an `RLock` therefore gives it one, by [`Owner::task`]. What the task spawns is not
/// part of it; what it awaits, and joins or selects, is.
///
/// # Examples
/// ```
/// use sync::extra::{Owner, RLock};
/// use sync::park::block_on;
///
/// let log = RLock::new(std::cell::RefCell::new(vec![]));
/// block_on(Owner::new().task(async {
///     let outer = log.lock_async().await;
///     let inner = log.lock_async().await;
///     inner.borrow_mut().push("twice");
///     assert_eq!(log.depth(), 2);
/// }));
/// assert!(!log.is_locked());
/// ```
///
/// It may be handed to a thread, but not used by two at once:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sync::extra::Owner>();
/// ```
#[derive(Default)]
pub struct Owner {
    /// The thread, and the number that the owner has there. Zero, both, until somebody asks.
    here: Cell<(usize, usize)>,
}

/// This thread, or the coroutine that runs on it, acts as an [`Owner`], until this is dropped.
#[must_use = "the owner is left when this is dropped"]
#[derive(Debug)]
pub struct EnteredOwner<'a> {
    entry: Entry,
    /// The place is this thread's.
    not_send: PhantomData<(*const (), &'a Owner)>,
}

/// The future of [`Owner::task`].
struct AsTask<F> {
    owner: Owner,
    /// Gone when this is being dropped.
    future: Option<F>,
}

/// Somebody is entered.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    /// The coroutine on whose stack he was entered; zero for the thread's own.
    stack: usize,
    owner: usize,
    /// What runs is polled.
    is_task: bool,
}

/// Calls back with the coroutine that runs, if one does.
type Coroutines = fn(&mut dyn FnMut(&Owner));

thread_local! {
    #[cfg(not(trefoil_loom))]
    static THREAD: Cell<usize> = const { Cell::new(0) };
    /// The last one of a stack is whoever acts there.
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

static COROUTINES: OnceLock<Coroutines> = OnceLock::new();
/// Numbers of loom's threads are given by loom.
static LAST_ID: AtomicUsize = AtomicUsize::new(if cfg!(trefoil_loom) { 1 << 16 } else { 0 });

impl Owner {
    /// Somebody who has nothing yet. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Owner { here: Cell::new((0, 0)) }
    }

    /// The future, run as this owner. Polling it costs some nanoseconds more. It may be sent if `future` may.
    ///
    /// # Cancel safety
    /// That of `future`, which is dropped as this owner too.
    pub fn task<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        AsTask { owner: self, future: Some(future) }
    }

    /// Says that what runs now acts as this owner, until the answer is dropped: for a hub, which calls it before it switches to one of
    /// its coroutines. The coroutines of `coro` need none.
    pub fn enter(&self) -> EnteredOwner<'_> {
        self.enter_as(false)
    }

    /// Has `ask` called by whoever wants to know which coroutine runs on the thread: it calls back with that coroutine's own `Owner`, or
    /// not at all. For a crate of coroutines, which then needs to say nothing when it switches. The first to call it is the only one who
    /// is asked.
    pub fn tell_coroutines_apart(ask: Coroutines) {
        let _somebody_was_first = COROUTINES.set(ask);
    }

    fn enter_as(&self, is_task: bool) -> EnteredOwner<'_> {
        let entry = Entry { stack: stack(), owner: self.id(), is_task };
        // A thread that is going away has no place for it any more: who runs is not known then.
        let _gone = ENTERED.try_with(|entered| entered.borrow_mut().push(entry));
        EnteredOwner { entry, not_send: PhantomData }
    }

    /// The number on this thread.
    fn id(&self) -> usize {
        let (thread, id) = self.here.get();
        if thread == this_thread() {
            return id;
        }
        let id = next_id();
        self.here.set((this_thread(), id));
        id
    }
}

impl Drop for EnteredOwner<'_> {
    fn drop(&mut self) {
        let _gone = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            // Not always the last one of all: another coroutine may have been entered and suspended since.
            if let Some(place) = entered.iter().rposition(|entry| *entry == self.entry) {
                entered.remove(place);
            }
        });
    }
}

impl<F: Future> Future for AsTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with this and not moved out of it; the owner is not pinned.
        let AsTask { owner, future } = unsafe { self.get_unchecked_mut() };
        let _entered = owner.enter_as(true);
        let Some(future) = future else { unreachable!("the future stays until this is dropped") };
        // SAFETY: as above.
        unsafe { Pin::new_unchecked(future) }.poll(cx)
    }
}

impl<F> Drop for AsTask<F> {
    fn drop(&mut self) {
        // What it drops may take locks that it holds.
        let _entered = self.owner.enter_as(true);
        // It is dropped in its place, and the place is not used again.
        self.future = None;
    }
}

/// Whoever runs, if that is known.
pub(super) fn current() -> Option<usize> {
    let stack = stack();
    match entered(stack) {
        Some(entry) => Some(entry.owner),
        None if stack != 0 => Some(stack),
        // Several take turns on this thread, and nobody says which.
        None if park::is_cooperative() => None,
        None => Some(this_thread()),
    }
}

/// The task that runs, if that is known.
pub(super) fn current_task() -> Option<usize> {
    entered(stack()).filter(|entry| entry.is_task).map(|entry| entry.owner)
}

#[inline]
fn entered(stack: usize) -> Option<Entry> {
    let last = |entered: &Vec<Entry>| entered.iter().rfind(|entry| entry.stack == stack).copied();
    ENTERED.try_with(|entered| last(&entered.borrow())).ok().flatten()
}

/// The coroutine that runs, or zero.
#[inline]
fn stack() -> usize {
    // Loom's threads are coroutines of one thread.
    let mut stack = if cfg!(trefoil_loom) { this_thread() } else { 0 };
    if let Some(ask) = COROUTINES.get() {
        ask(&mut |owner| stack = owner.id());
    }
    stack
}

#[inline]
fn this_thread() -> usize {
    #[cfg(trefoil_loom)]
    return crate::primitive::thread_index() as usize + 1;
    #[cfg(not(trefoil_loom))]
    match THREAD.get() {
        0 => {
            THREAD.set(next_id());
            THREAD.get()
        }
        id => id,
    }
}

fn next_id() -> usize {
    // Relaxed: a number, which stands for nothing but itself.
    let last = LAST_ID.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1));
    match last {
        Ok(last) => last + 1,
        Err(_) => panic!("the program has used all {} numbers for owners of locks", usize::MAX),
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(..)")
    }
}
