//! A value that knows how it is made.

use super::OnceCell;
use crate::error::TimedOut;
use crate::park;
use crate::timer;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

/// A value that is made when it is first used, by the function that it was given, or by the future that this function
/// [returns](Lazy::new_async).
///
/// If that panics, or the future is dropped, the next one who needs the value makes it by another call; so the function is one
/// that can be called again. All that holds for [`OnceCell`] holds here.
///
/// # Waiting
/// As [`OnceCell`].
///
/// # Examples
/// ```
/// use std::future::{Ready, ready};
/// use sync::extra::{Awaited, Lazy};
///
/// static PRIMES: Lazy<Vec<u32>> = Lazy::new(|| vec![2, 3, 5, 7]);
/// assert_eq!(PRIMES.len(), 4);
///
/// // A real one would open a connection. Threads and tasks use the same object.
/// static ANSWER: Lazy<u32, Awaited<fn() -> Ready<u32>>> = Lazy::new_async(|| ready(42));
/// let thread = std::thread::spawn(|| *ANSWER.force());
/// assert_eq!(*sync::park::block_on(ANSWER.force_async()), 42);
/// assert_eq!(thread.join().map_err(|_| "it panicked")?, 42);
/// # Ok::<(), &str>(())
/// ```
#[doc(alias = "LazyLock")]
pub struct Lazy<T, F = fn() -> T> {
    cell: OnceCell<T>,
    init: F,
}

/// A function that returns a future, as what makes the value of a [`Lazy`].
///
/// # Waiting
/// As [`Lazy`]. Nobody waits for this itself: the future that the function returns lies in the call or the future that makes the value,
/// which needs no allocation, is polled by it alone, and is dropped with it.
#[derive(Clone, Copy, Debug)]
pub struct Awaited<F>(F);

impl<T, F> Lazy<T, F> {
    /// The value, if it is there. Never waits: one load.
    #[inline]
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, if it is there.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// The cell that the value is in, to [wait](OnceCell::wait) for it without making it, with a limit as well, or to
    /// [set](OnceCell::set) it.
    #[must_use]
    pub fn cell(&self) -> &OnceCell<T> {
        &self.cell
    }
}

impl<T, F: Fn() -> T> Lazy<T, F> {
    /// A value that `init` will make.
    #[must_use]
    pub const fn new(init: F) -> Self {
        Lazy { cell: OnceCell::new(), init }
    }

    /// The value; makes it if it is not there. Blocks while somebody else makes it.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init`].
    #[inline]
    #[track_caller]
    #[doc(alias = "deref")]
    pub fn force(&self) -> &T {
        self.cell.get_or_init(&self.init)
    }

    /// The value; makes it if it is not there, however long that takes. Waits at most `limit` for somebody else who makes it. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody else was still making it by then.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_timeout`].
    pub fn force_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        self.cell.get_or_init_timeout(&self.init, limit)
    }

    /// The value; makes it if it is not there, in the poll. Waits while somebody else makes it.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn force_async(&self) -> &T {
        self.cell.get_or_init_async(async { (self.init)() }).await
    }

    /// As [`force_timeout`](Lazy::force_timeout); if it makes the value, it does so in the poll, however long that takes. Needs no
    /// runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody else was still making it by then.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async_timeout`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn force_async_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        timer::timeout(limit, self.cell.init_until_late(async { (self.init)() })).await
    }
}

impl<T, F, M> Lazy<T, Awaited<F>>
where
    F: Fn() -> M,
    M: Future<Output = T>,
{
    /// A value that a future will make, which `init` returns.
    #[must_use]
    pub const fn new_async(init: F) -> Self {
        Lazy { cell: OnceCell::new(), init: Awaited(init) }
    }

    /// The value; makes it if it is not there. Blocks while it is made, and polls the future on this thread if nobody else does.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async`].
    #[track_caller]
    pub fn force(&self) -> &T {
        match self.get() {
            Some(value) => value,
            None => park::block_on(self.force_async()),
        }
    }

    /// As [`force`](Lazy::force), at most `limit`, be it that somebody else makes the value or this call does. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not there by then. If this call was making it, the future is dropped, and the next one makes the value from
    /// the beginning. A poll that takes longer than the limit is not ended by it.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async_timeout`].
    pub fn force_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        match self.get() {
            Some(value) => Ok(value),
            None => park::block_on_timeout(self.until_late(), limit),
        }
    }

    /// The value; makes it if it is not there. Waits while somebody else makes it.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async`].
    ///
    /// # Cancel safety
    /// If the future is dropped while it makes the value, the next one makes it from the beginning.
    pub async fn force_async(&self) -> &T {
        self.cell.get_or_init_async(async { (self.init.0)().await }).await
    }

    /// As [`force_async`](Lazy::force_async), at most `limit`, be it that somebody else makes the value or this future does. Needs no
    /// runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if it was not there by then. If this future was making it, the next one makes it from the beginning.
    ///
    /// # Panics
    /// As [`OnceCell::get_or_init_async_timeout`].
    ///
    /// # Cancel safety
    /// As [`force_async`](Lazy::force_async).
    pub async fn force_async_timeout(&self, limit: Duration) -> Result<&T, TimedOut> {
        timer::timeout(limit, self.until_late()).await
    }

    async fn until_late(&self) -> &T {
        self.cell.init_until_late(async { (self.init.0)().await }).await
    }
}

impl<T, F: Fn() -> T> Deref for Lazy<T, F> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.force()
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Lazy<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").field("cell", &self.cell).finish_non_exhaustive()
    }
}
