//! Taking items one after the other, in async code.

use super::attempts::{After, Changes, Take};
use super::{Order, QueueOf};
use crate::timer::{self, Sleep};
use crate::wait::guarded::WaitFor;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Takes items until the queue is closed and empty, in async code; see [`QueueOf::stream`].
///
/// With the feature `stream` it is a `Stream` of the crate `futures-core`, for which others have adapters.
///
/// # Waiting
/// - **Blocks** nobody: a poll waits for nobody, but for a lock that is held for some instructions and comparisons.
/// - **Allocates** nothing.
/// - **Order**: as [`get_async`](QueueOf::get_async). For each item it queues up anew.
/// - **Dropped**, it has taken nothing that it has not given, and if it had been told of an item, the next one who waits is. The future of
///   [`next`](StreamOf::next) only borrows it: where that alone is dropped, the stream waits on.
/// - **A waker that panics**: as [`QueueOf`].
///
/// # Examples
/// ```
/// use sync::queue::LifoQueue;
///
/// let stack = LifoQueue::unbounded();
/// (1..=3).try_for_each(|number| stack.put(number))?;
/// stack.close();
/// let numbers = sync::park::block_on(async {
///     let (mut stream, mut numbers) = (std::pin::pin!(stack.stream()), vec![]);
///     while let Some(number) = stream.as_mut().next().await {
///         numbers.push(number);
///     }
///     numbers
/// });
/// assert_eq!(numbers, [3, 2, 1]);
/// # Ok::<(), sync::queue::PutError<i32>>(())
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct StreamOf<'a, O: Order> {
    queue: &'a QueueOf<O>,
    /// There while an item is waited for.
    change: Option<WaitFor<'a, Changes, After>>,
    /// There while one is waited for that is not due.
    due: Option<Sleep>,
}

impl<'a, O: Order> StreamOf<'a, O> {
    pub(super) fn of(queue: &'a QueueOf<O>) -> Self {
        StreamOf { queue, change: None, due: None }
    }

    /// The next item; `None` when the queue is closed and empty.
    ///
    /// # Panics
    /// As [`QueueOf::get`].
    ///
    /// # Cancel safety
    /// A stream that is dropped after `Pending` has taken nothing.
    #[doc(alias = "poll_get")]
    pub fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O::Item>> {
        // SAFETY: nothing is moved out of the stream; `change` and `due` are pinned with it, and the rest is not.
        let StreamOf { queue, change, due } = unsafe { self.get_unchecked_mut() };
        // SAFETY: it is pinned with the stream, and only replaced by way of the pin.
        let mut change = unsafe { Pin::new_unchecked(change) };
        // SAFETY: as above.
        let mut due = unsafe { Pin::new_unchecked(due) };
        loop {
            if let Some(waiting) = change.as_mut().as_pin_mut() {
                let has_changed = waiting.poll(cx).is_ready();
                let is_due = due.as_mut().as_pin_mut().is_some_and(|due| due.poll(cx).is_ready());
                if !has_changed && !is_due {
                    return Poll::Pending;
                }
            }
            // Whether it is due or something has changed, the next look tells.
            change.set(None);
            due.set(None);
            match queue.take() {
                Take::Item(item) => return Poll::Ready(Some(item)),
                Take::Closed => return Poll::Ready(None),
                Take::Nothing { seen, due: at } => {
                    change.set(Some(queue.changes.wait_by(|changes| &mut changes.consumers, After(seen))));
                    due.set(at.map(timer::sleep_until));
                }
            }
        }
    }

    /// The next item; `None` when the queue is closed and empty.
    ///
    /// # Panics
    /// As [`QueueOf::get`].
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub fn next(mut self: Pin<&mut Self>) -> impl Future<Output = Option<O::Item>> {
        std::future::poll_fn(move |cx| self.as_mut().poll_next(cx))
    }
}

#[cfg(feature = "stream")]
impl<O: Order> futures_core::Stream for StreamOf<'_, O> {
    type Item = O::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O::Item>> {
        StreamOf::poll_next(self, cx)
    }
}

impl<O: Order> fmt::Debug for StreamOf<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOf")
            .field("queue", &self.queue)
            .field("waits", &self.change.is_some())
            .finish_non_exhaustive()
    }
}
