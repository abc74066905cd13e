//! A lock that its owner may take again.

use crate::check::{Kind, Site};
use crate::condvar::{Guard, Sealed};
use crate::error::TimedOut;
use crate::lock::RawLock;
use crate::owner::{self, Identity};
use crate::primitive::{AtomicUsize, Ordering, UnsafeCell, const_but_for_loom};
use crate::timer;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::{Duration, Instant};

/// A [`Mutex`](crate::Mutex) that whoever holds it may take again; it is free when all his guards are gone.
///
/// The owner may have several guards at once, so a guard gives a shared reference. To change the value, put a [`Cell`](std::cell::Cell)
/// or a [`RefCell`](std::cell::RefCell) around it: that needs no lock, for a guard stays on its thread and all guards are of one owner.
///
/// Who needs this lock calls himself under it, and finds the value in the middle of a change; so a `Mutex` and a function for those who
/// have its guard is nearly always better.
///
/// # Who the owner is
/// Whatever runs by itself, and **never the thread alone**: two tasks that take turns on one thread would both be it, and the second
/// would walk into what the first has locked and not finished.
///
/// | what runs | is the owner |
/// |---|---|
/// | a thread | as it is |
/// | a coroutine, generator or greenlet of `coro` | as it is, and apart from whoever resumes it |
/// | an async task | as [`Owner::task`](crate::extra::Owner::task), which its spawner puts around it. [`lock_async`](RLock::lock_async) elsewhere panics |
/// | a coroutine of another hub | as an [`Owner`](crate::extra::Owner) that the hub [runs](crate::extra::Owner::run). [`lock`](RLock::lock) panics where a parker says that several take turns ([`is_cooperative`](crate::park::is_cooperative)) and no owner runs |
///
/// What waits by a parker goes on as who it was, whatever ran meanwhile. A hub that suspends a coroutine in another way, inside of a poll,
/// has to run each of them as its owner; otherwise they are taken for one another.
///
/// Two other ways were left out. A token that is handed to each call cannot be forgotten, but it has to be handed through all that lies
/// between the outer call and the inner one; whoever can do that can hand the guard through, and needs no `RLock`. And one owner for
/// each call where none is known is a lock that nobody can take again, and hangs where it was meant to go on: so a panic says so
/// at the first call.
///
/// `lock` in an async task that nobody named is the thread's. Do not await while holding that guard: other tasks of the
/// thread are let in.
///
/// Two futures of one task are one owner. Each looks when it is first polled: who waits already waits until the lock is free.
///
/// A [`Condvar`](crate::Condvar) takes a guard that is its owner's only one, and gives it back; with another beside it, the lock would not be
/// released, and the wait panics. Awaited, it is a wait of the [`Owner::task`](crate::extra::Owner::task) that has the guard.
///
/// A panic releases it and poisons nothing. A guard that is forgotten keeps the lock with its owner for ever.
///
/// # Waiting
/// As [`Mutex`](crate::Mutex).
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// use sync::extra::RLock;
///
/// struct Account {
///     balance: RLock<Cell<i64>>,
/// }
///
/// impl Account {
///     fn withdraw(&self, amount: i64) {
///         let balance = self.balance.lock();
///         balance.set(balance.get() - amount);
///     }
///
///     fn pay_with_fee(&self, amount: i64) {
///         let _one_step = self.balance.lock();
///         self.withdraw(amount);
///         self.withdraw(1);
///     }
/// }
///
/// let account = Account { balance: RLock::new(Cell::new(100)) };
/// account.pay_with_fee(30);
/// assert_eq!(account.balance.lock().get(), 69);
/// ```
#[doc(alias = "ReentrantMutex")]
#[doc(alias = "ReentrantLock")]
#[doc(alias = "recursive_mutex")]
#[doc(alias = "threading.RLock")]
pub struct RLock<T: ?Sized> {
    lock: RawLock,
    /// The owner's thread, zero while nobody has the lock; written by that thread only. Whoever finds his own there has written it.
    thread: AtomicUsize,
    /// The owner's number on his thread; used by that thread only, while it has the lock.
    owner: UnsafeCell<u64>,
    /// How many guards the owner has; used by his thread only.
    depth: UnsafeCell<u32>,
    value: T,
}

/// A right to use the value of an [`RLock`]. Dropping the owner's last one releases the lock.
///
/// It stays on its thread:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<sync::extra::RLockGuard<'static, u8>>();
/// ```
///
/// # Waiting
/// As [`Mutex`](crate::Mutex). Dropping it waits for nobody.
#[must_use = "the lock is released when the guard is dropped"]
pub struct RLockGuard<'a, T: ?Sized> {
    lock: &'a RLock<T>,
    /// The owner is of this thread.
    not_send: PhantomData<*const ()>,
}

// SAFETY: `value`, `owner` and `depth` are used by the owner's thread only, and after it by the next one's. That takes the value
// from thread to thread, which needs `T: Send`.
unsafe impl<T: ?Sized + Send> Sync for RLock<T> {}

/// What is wrong where nobody knows who runs.
const NOBODY: &str = "an RLock cannot tell who takes it: several coroutines take turns on this thread, so their hub has to run \
    each as an `extra::Owner`, under the parker that it has installed";
const NO_TASK: &str =
    "an RLock cannot tell which task takes it: run the task as `extra::Owner::new().task(future)`";

impl<T> RLock<T> {
    const_but_for_loom! {
        /// A free lock around `value`. Allocates nothing.
        pub fn new(value: T) -> Self {
            RLock {
                lock: RawLock::of_kind(Kind::RLock),
                thread: AtomicUsize::new(0),
                owner: UnsafeCell::new(0),
                depth: UnsafeCell::new(0),
                value,
            }
        }
    }

    /// The value. Nobody can hold the lock, for this is the only reference.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: ?Sized> RLock<T> {
    /// Waits for the lock, unless the caller has it. Blocks this thread, or this coroutine only.
    ///
    /// # Panics
    /// If nobody knows which coroutine this is; and if its owner has more than 4 billion guards.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock(&self) -> RLockGuard<'_, T> {
        match self.again(owner::current().expect(NOBODY)) {
            Some(guard) => guard,
            None => {
                self.lock.acquire();
                self.taken(owner::current(), NOBODY)
            }
        }
    }

    /// Takes the lock if it is free or the caller's. Does not wait. In a task that is run as [`Owner::task`](crate::extra::Owner::task), it is the task's.
    ///
    /// # Panics
    /// As [`lock`](RLock::lock).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn try_lock(&self) -> Option<RLockGuard<'_, T>> {
        let me = owner::current().expect(NOBODY);
        match self.again(me) {
            Some(guard) => Some(guard),
            // Not in a closure: where this was called from is noted.
            None => self.lock.try_acquire().then(|| self.taken(Some(me), NOBODY)),
        }
    }

    /// Waits for the lock, at most `limit`, unless the caller has it. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody else had it until then; the lock is not held.
    ///
    /// # Panics
    /// As [`lock`](RLock::lock).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_timeout(&self, limit: Duration) -> Result<RLockGuard<'_, T>, TimedOut> {
        if let Some(guard) = self.try_lock() {
            return Ok(guard);
        }
        // A time beyond what the clock can say is never reached.
        match self.lock.acquire_until(Instant::now().checked_add(limit)) {
            true => Ok(self.taken(owner::current(), NOBODY)),
            false => Err(TimedOut),
        }
    }

    /// Waits for the lock, unless the task has it.
    ///
    /// # Panics
    /// If it is polled by anything else than an [`Owner::task`](crate::extra::Owner::task); and if that has more than 4 billion guards.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: a wake-up that it had got goes to the next in the queue.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async(&self) -> impl Future<Output = RLockGuard<'_, T>> {
        self.lock_async_at(Site::here())
    }

    /// As [`lock_async`](RLock::lock_async), called from there.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its parameters twice")]
    fn lock_async_at(&self, site: Site) -> impl Future<Output = RLockGuard<'_, T>> {
        async move {
            // No guard lives across the wait, so that the future may be sent.
            if self.is_held_by(owner::current_task().expect(NO_TASK)) {
                return self.deeper();
            }
            if !self.lock.try_acquire_in_task(site) {
                self.lock.acquire_in_task(site).await;
            }
            self.taken(owner::current_task(), NO_TASK)
        }
    }

    /// Waits for the lock, at most `limit`, unless the task has it. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody else had it until then; the lock is not held.
    ///
    /// # Panics
    /// As [`lock_async`](RLock::lock_async).
    ///
    /// # Cancel safety
    /// As [`lock_async`](RLock::lock_async).
    #[cfg_attr(feature = "check", track_caller)]
    pub fn lock_async_timeout(
        &self,
        limit: Duration,
    ) -> impl Future<Output = Result<RLockGuard<'_, T>, TimedOut>> {
        timer::timeout(limit, self.lock_async())
    }

    /// How many guards the caller has, those that were forgotten included. Zero if somebody else has the lock, or nobody.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self.is_owner() {
            // SAFETY: the caller is the owner.
            true => self.depth.with(|depth| unsafe { *depth }) as usize,
            false => 0,
        }
    }

    /// Whether the caller has the lock.
    #[must_use]
    #[doc(alias = "_is_owned")]
    pub fn is_owner(&self) -> bool {
        owner::current().is_some_and(|me| self.is_held_by(me))
    }

    /// Whether somebody has the lock now, or it is kept for a task that has been told to take it.
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.lock.is_held()
    }

    /// Whether somebody waits for it now.
    #[must_use]
    pub fn has_waiters(&self) -> bool {
        self.lock.has_waiters()
    }

    /// What the deadlock checker knows the lock by.
    #[cfg(feature = "check")]
    pub(crate) fn tag(&self) -> &crate::check::Tag {
        self.lock.tag()
    }

    /// The value, without locking: this is the only reference.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// One guard more, if it is this one's lock.
    #[inline]
    fn again(&self, me: Identity) -> Option<RLockGuard<'_, T>> {
        self.is_held_by(me).then(|| self.deeper())
    }

    #[inline]
    fn is_held_by(&self, me: Identity) -> bool {
        // Relaxed: no other thread writes this one's number, and this one writes another before it gives the lock up.
        self.thread.load(Ordering::Relaxed) == me.thread
            // SAFETY: this thread has the lock.
            && self.owner.with(|owner| unsafe { *owner }) == me.number
    }

    /// As the owner.
    fn deeper(&self) -> RLockGuard<'_, T> {
        self.depth.with_mut(|depth| {
            // SAFETY: the caller is the owner.
            let deeper = unsafe { *depth }.checked_add(1);
            let deeper = deeper.expect(
                "an RLock has 4294967295 guards of one owner already: some are made and forgotten in a loop",
            );
            // SAFETY: as above.
            unsafe { *depth = deeper };
        });
        RLockGuard { lock: self, not_send: PhantomData }
    }

    /// The lock under this one has just been taken, by `me`.
    #[inline]
    fn taken(&self, me: Option<Identity>, otherwise: &str) -> RLockGuard<'_, T> {
        let Some(me) = me else {
            // It has gone on somewhere else than where it began.
            self.lock.release();
            panic!("{otherwise}");
        };
        // SAFETY: the caller has taken the lock.
        self.owner.with_mut(|owner| unsafe { *owner = me.number });
        // Relaxed: see `is_held_by`.
        self.thread.store(me.thread, Ordering::Relaxed);
        self.deeper()
    }
}

impl<'a, T: ?Sized> RLockGuard<'a, T> {
    /// The lock that the guard holds.
    #[must_use]
    pub fn rlock(guard: &Self) -> &'a RLock<T> {
        guard.lock
    }
}

impl<T: ?Sized> Deref for RLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.lock.value
    }
}

impl<T: ?Sized> Drop for RLockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let left = self.lock.depth.with_mut(|depth| {
            // SAFETY: the owner has this guard, and is on this thread.
            let left = unsafe { *depth } - 1;
            // SAFETY: as above.
            unsafe { *depth = left };
            left
        });
        if left == 0 {
            // Relaxed: whoever finds it takes the lock itself, or waits for it.
            self.lock.thread.store(0, Ordering::Relaxed);
            self.lock.lock.release();
        }
    }
}

impl<T: ?Sized> Sealed for RLockGuard<'_, T> {}

impl<'a, T: ?Sized> Guard for RLockGuard<'a, T> {
    /// The guard itself, for it shares its value, and gives it to nobody to be changed.
    type Value = Self;
    type Back = Self;
    type Lock = &'a RLock<T>;

    fn value(&mut self) -> &mut Self {
        self
    }

    fn release(self) -> &'a RLock<T> {
        // SAFETY: the owner has this guard, and is on this thread.
        let guards = self.lock.depth.with(|depth| unsafe { *depth });
        assert!(
            guards == 1,
            "a wait on a Condvar would not release the RLock, of which its owner has {guards} guards; drop all but one"
        );
        self.lock
    }

    #[cfg_attr(feature = "check", track_caller)]
    fn lock(lock: &'a RLock<T>) -> Self {
        lock.lock()
    }

    fn lock_async(lock: &'a RLock<T>, site: Site) -> impl Future<Output = Self> {
        lock.lock_async_at(site)
    }

    fn back(self) -> Self {
        self
    }
}

impl<T: Default> Default for RLock<T> {
    fn default() -> Self {
        RLock::new(T::default())
    }
}

impl<T> From<T> for RLock<T> {
    fn from(value: T) -> Self {
        RLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match owner::current().and_then(|_| self.try_lock()) {
            Some(guard) => f.debug_struct("RLock").field("value", &&*guard).finish(),
            None => f.write_str("RLock { <locked> }"),
        }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RLockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::RLock;

    #[test]
    #[should_panic(expected = "4294967295 guards of one owner")]
    fn guards_are_counted() {
        let mut lock = RLock::new(());
        std::mem::forget(lock.lock());
        lock.depth = crate::primitive::UnsafeCell::new(u32::MAX);
        drop(lock.lock());
    }
}
