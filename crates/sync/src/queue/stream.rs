//! Taking items one after the other, in async code.

use super::Queue;
use super::error::GetError;
use super::flavour::GetNext;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Takes items until the queue is closed and empty, in async code; see [`Queue::stream`].
///
/// With the feature `stream` it is a `Stream` of the crate `futures-core`, for which others have adapters.
///
/// # Waiting
/// - **Blocks** nobody: a poll waits for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing.
/// - **Order**: as [`get_async`](Queue::get_async). For each item it queues up anew.
/// - **Dropped**, it has taken nothing that it has not given, and if it had been told of an item, the next one who waits is. The future of
///   [`next`](Stream::next) only borrows it: where that alone is dropped, the stream waits on.
/// - **A waker that panics**: as [`Queue`].
///
/// # Examples
/// ```
/// let queue = sync::Queue::unbounded();
/// (1..=3).try_for_each(|number| queue.put(number))?;
/// queue.close();
/// let sum = sync::park::block_on(async {
///     let (mut stream, mut sum) = (std::pin::pin!(queue.stream()), 0);
///     while let Some(number) = stream.as_mut().next().await {
///         sum += number;
///     }
///     sum
/// });
/// assert_eq!(sum, 6);
/// # Ok::<(), sync::queue::PutError<i32>>(())
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Stream<'a, T> {
    queue: &'a Queue<T>,
    /// There while an item is waited for.
    get: Option<GetNext<'a, T>>,
}

impl<'a, T> Stream<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Self {
        Stream { queue, get: None }
    }
}

/// What every stream of items does that keeps the future of the next one in `get`, pinned with itself. `$begin` is that future, or
/// what is there without one; it may use `$source`, which the stream borrows.
macro_rules! one_by_one {
    ($source:ident, $begin:expr) => {
        impl<T> Stream<'_, T> {
            /// The next item; `None` when nothing is left and nothing will come.
            ///
            /// # Cancel safety
            /// A stream that is dropped after `Pending` has taken nothing.
            #[doc(alias = "poll_get", alias = "poll_recv")]
            pub fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                let $source = self.$source;
                let begun = if self.get.is_none() { Some($begin) } else { None };
                // SAFETY: the future is never moved out of the stream, and the rest is not pinned.
                let mut get = unsafe { self.as_mut().map_unchecked_mut(|this| &mut this.get) };
                match begun {
                    Some(Ok(future)) => get.set(Some(future)),
                    Some(Err(done)) => return Poll::Ready(Result::ok(done)),
                    None => {}
                }
                let taken = get.as_mut().as_pin_mut().map_or(Poll::Pending, |get| get.poll(cx));
                if taken.is_ready() {
                    get.set(None);
                }
                taken.map(Result::ok)
            }

            /// The next item; `None` when nothing is left and nothing will come.
            ///
            /// # Cancel safety
            /// Nothing is lost by dropping the future.
            pub fn next(mut self: Pin<&mut Self>) -> impl Future<Output = Option<T>> {
                std::future::poll_fn(move |cx| self.as_mut().poll_next(cx))
            }
        }

        #[cfg(feature = "stream")]
        impl<T> futures_core::Stream for Stream<'_, T> {
            type Item = T;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                Stream::poll_next(self, cx)
            }
        }
    };
}
pub(super) use one_by_one;

one_by_one!(queue, Ok::<_, Result<T, GetError>>(queue.flavour.next()));

impl<T> fmt::Debug for Stream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("queue", &self.queue).field("waits", &self.get.is_some()).finish()
    }
}
