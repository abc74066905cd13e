//! As many arms as there are at run time.

use super::asking::asking;
use super::first::NO_ARM;
use super::order::Order;
use super::support;
use crate::error::TimedOut;
use crate::park;
use crate::timer;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Waits for the first of as many arms as there are at run time; all have the same output.
///
/// Arms are numbered from 0 in the order in which they are added. Waiting, in whichever way, uses the `Select` up: the
/// losers are dropped, and have left their queues, when the winner is told. See the [module](super) for the rest.
///
/// Each arm is a box, and waiting asks every arm again whenever one of them has been woken, so that it takes time in
/// proportion to their number. For a few arms that are known when the program is written, [`select!`](crate::select!)
/// allocates nothing; for many tasks, there is [`as_completed`](crate::as_completed()).
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody; what polling an arm does is its own affair.
/// - **Allocates** a box for each arm, and nothing to wait.
/// - **Order**: of those that are ready, each arm is as likely to win as any other; after [`biased`](Select::biased), the one
///   that was added first.
/// - **Dropped** while it waits, a future drops its arms; each says what it loses.
/// - **A waker that panics** is the business of what the arms wait for.
///
/// # Examples
/// ```
/// use sync::Queue;
/// use sync::select::Select;
///
/// let queues: Vec<Queue<&str>> = (0..10).map(|_| Queue::unbounded()).collect();
/// queues[7].put("here")?;
/// let select: Select<'_, _> = queues.iter().map(Queue::get_async).collect();
/// assert_eq!(select.wait(), (7, Ok("here")));
/// # Ok::<(), sync::queue::PutError<&str>>(())
/// ```
pub struct Select<'a, T> {
    arms: Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
    order: Order,
    /// The numbers of the arms, in the order in which they were last asked.
    numbers: Vec<usize>,
}

impl<'a, T> Select<'a, T> {
    /// No arm yet, and no preference. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Select { arms: Vec::new(), order: Order::Random, numbers: Vec::new() }
    }

    /// Prefers arms that were added earlier to later ones.
    #[must_use]
    pub fn biased(mut self) -> Self {
        self.order = Order::Written;
        self
    }

    /// Adds an arm and returns its number. Allocates.
    pub fn arm(&mut self, future: impl Future<Output = T> + Send + 'a) -> usize {
        let number = self.arms.len();
        self.arms.push(Box::pin(future));
        self.numbers.push(number);
        number
    }

    /// How many arms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arms.len()
    }

    /// Whether there is no arm.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arms.is_empty()
    }

    /// Waits for an arm to be ready; returns its number and its output. Blocks this thread, or this coroutine only.
    ///
    /// # Panics
    /// If there is no arm.
    #[track_caller]
    pub fn wait(self) -> (usize, T) {
        assert!(!self.is_empty(), "{NO_ARM}");
        park::block_on(First(self))
    }

    /// The number and the output of an arm that is ready. Does not wait: each arm is asked once.
    #[must_use]
    pub fn try_wait(self) -> Option<(usize, T)> {
        support::now(First(self))
    }

    /// Waits for an arm to be ready, at most `limit`; returns its number and its output. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if none was by then. Without an arm, that takes as long as with some.
    pub fn wait_timeout(self, limit: Duration) -> Result<(usize, T), TimedOut> {
        park::block_on_timeout(First(self), limit)
    }

    /// Waits for an arm to be ready; returns its number and its output.
    ///
    /// # Panics
    /// If there is no arm.
    ///
    /// # Cancel safety
    /// That of the arms, which are dropped with the future.
    pub async fn wait_async(self) -> (usize, T) {
        assert!(!self.is_empty(), "{NO_ARM}");
        First(self).await
    }

    /// Waits for an arm to be ready, at most `limit`; returns its number and its output. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if none was by then.
    ///
    /// # Cancel safety
    /// As [`wait_async`](Select::wait_async).
    pub async fn wait_async_timeout(self, limit: Duration) -> Result<(usize, T), TimedOut> {
        timer::timeout(limit, First(self)).await
    }
}

/// The arms are gone when this is.
struct First<'a, T>(Select<'a, T>);

impl<T> Future for First<'_, T> {
    type Output = (usize, T);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(usize, T)> {
        let Select { arms, order, numbers } = &mut self.get_mut().0;
        asking(|| order.ask(numbers, |number| arms[number].as_mut().poll(cx).map(|output| (number, output))))
    }
}

impl<T> Default for Select<'_, T> {
    fn default() -> Self {
        Select::new()
    }
}

impl<'a, T, F: Future<Output = T> + Send + 'a> Extend<F> for Select<'a, T> {
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.arm(future);
        }
    }
}

impl<'a, T, F: Future<Output = T> + Send + 'a> FromIterator<F> for Select<'a, T> {
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut select = Select::new();
        select.extend(futures);
        select
    }
}

impl<T> fmt::Debug for Select<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").field("arms", &self.len()).field("order", &self.order).finish()
    }
}
