//! The results of many tasks, in the order in which the tasks were given.

use super::{AsCompleted, as_completed};
use crate::check::{How, Of};
use crate::error::{JoinError, Unfinished};
use crate::park;
use crate::task::Task;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// All results in the order of `tasks`, or the first error.
///
/// At the first error, in the order in which they end, the tasks that are left are asked to stop and detached; it does not
/// wait for them. For every result whatever becomes of the others, take [`gather_all`].
///
/// The answer is waited for as a task is: [`join`](Gather::join), [`join_timeout`](Gather::join_timeout),
/// [`try_join`](Gather::try_join), `.await`, and `.await` in a [`timeout`](crate::timer::timeout()). It begins to wait at once,
/// and takes constant time for each task that ends, however many there are. One allocation for each task.
///
/// # Waiting
/// As [`Gather`].
///
/// # Examples
/// ```
/// let tasks = ["one", "three", "fifteen"].map(|text| {
///     let (promise, task) = sync::promise();
///     std::thread::spawn(move || promise.run(|| text.len()));
///     task
/// });
/// assert_eq!(sync::gather(tasks).join()?, [3, 5, 7]);
/// # Ok::<(), sync::JoinError>(())
/// ```
#[cfg_attr(feature = "check", track_caller)]
pub fn gather<T>(tasks: impl IntoIterator<Item = Task<T>>) -> Gather<T> {
    Gather { collect: Collect::new(tasks) }
}

/// All results in the order of `tasks`, errors included. Otherwise as [`gather`].
///
/// # Waiting
/// As [`GatherAll`].
///
/// # Examples
/// ```
/// let (kept, first) = sync::promise();
/// let (broken, second) = sync::promise::<u32>();
/// drop(broken);
/// kept.finish(Ok(1));
/// let results = sync::gather_all([first, second]).join();
/// assert!(results[0].is_ok() && results[1].is_err());
/// ```
#[doc(alias = "return_exceptions")]
#[cfg_attr(feature = "check", track_caller)]
pub fn gather_all<T>(tasks: impl IntoIterator<Item = Task<T>>) -> GatherAll<T> {
    GatherAll { collect: Collect::new(tasks) }
}

/// Several tasks whose results are waited for together; see [`gather`].
///
/// Dropping it detaches the tasks that are left, as dropping any handle does; [`cancel`](Gather::cancel) them first to stop them.
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing while it waits, in whichever way. It is made with an allocation for each task and some for all of them; the
///   list that it gives in the end may take another.
/// - **Order**: the results are in that of the tasks, which may end in any.
/// - **Dropped** while it waits, it detaches the tasks that are left, and drops the results that they have given so far.
/// - **A waker that panics** is the business of whoever ends a task; see [`Task`].
///
/// # Cancel safety
/// Dropping the future detaches. To wait with a limit and keep it, await `&mut gather`.
#[must_use = "dropping it detaches the tasks; wait for them with `join` or `.await`"]
pub struct Gather<T> {
    collect: Collect<T, T>,
}

/// As [`Gather`], for results and errors; see [`gather_all`].
///
/// # Waiting
/// As [`Gather`].
///
/// # Cancel safety
/// Dropping the future detaches. To wait with a limit and keep it, await `&mut gather`.
#[must_use = "dropping it detaches the tasks; wait for them with `join` or `.await`"]
pub struct GatherAll<T> {
    collect: Collect<T, Result<T, JoinError>>,
}

/// What is left of the tasks, and what they have given so far.
struct Collect<T, R> {
    completed: AsCompleted<(usize, Task<T>)>,
    results: Vec<Option<R>>,
    given: bool,
}

/// The ways to wait, which are those of a [`Task`].
macro_rules! ways_to_wait {
    ($gather:ident, $output:ty, $errors:literal) => {
        impl<T> $gather<T> {
            /// Waits for the results. Blocks.
            #[doc = $errors]
            pub fn join(mut self) -> $output {
                park::block_on(poll_fn(|cx| self.poll_as(How::Blocks, cx)))
            }

            /// Waits at most `limit`. Blocks.
            ///
            /// # Errors
            /// [`Unfinished`] with this handle if it was not over by then: the tasks go on, what they have given so far is
            /// kept, and they can be waited for again.
            pub fn join_timeout(mut self, limit: Duration) -> Result<$output, Unfinished<Self>> {
                match park::block_on_until(&mut self, Instant::now().checked_add(limit)) {
                    Some(output) => Ok(output),
                    None => Err(Unfinished(self)),
                }
            }

            /// Takes the results if all are there. Never blocks.
            ///
            /// # Errors
            /// [`Unfinished`] with this handle if it is not over.
            pub fn try_join(mut self) -> Result<$output, Unfinished<Self>> {
                match Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(output) => Ok(output),
                    Poll::Pending => Err(Unfinished(self)),
                }
            }

            /// Asks all tasks that are left to [stop](Task::cancel). Returns at once.
            pub fn cancel(&self) {
                self.collect.completed.cancel();
            }
        }

        impl<T> fmt::Debug for $gather<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($gather))
                    .field("tasks", &self.collect.results.len())
                    .field("left", &self.collect.completed.len())
                    .finish()
            }
        }
    };
}

ways_to_wait!(Gather, Result<Vec<T>, JoinError>, "\n# Errors\nThe first of the tasks' errors.");
ways_to_wait!(GatherAll, Vec<Result<T, JoinError>>, "");

impl<T> Future for Gather<T> {
    type Output = Result<Vec<T>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_as(How::Awaits, cx)
    }
}

impl<T> Gather<T> {
    fn poll_as(&mut self, how: How, cx: &Context<'_>) -> Poll<Result<Vec<T>, JoinError>> {
        let collect = &mut self.collect;
        // It ends at the first error, which may be any one's.
        while let Some((index, result)) = std::task::ready!(collect.next(Of::Any, how, cx)) {
            match result {
                Ok(value) => collect.results[index] = Some(value),
                Err(error) => {
                    collect.given = true;
                    collect.completed.cancel();
                    collect.completed = as_completed([]);
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(Ok(collect.take()))
    }
}

impl<T> Future for GatherAll<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_as(How::Awaits, cx)
    }
}

impl<T> GatherAll<T> {
    fn poll_as(&mut self, how: How, cx: &Context<'_>) -> Poll<Vec<Result<T, JoinError>>> {
        let collect = &mut self.collect;
        while let Some((index, result)) = std::task::ready!(collect.next(Of::All, how, cx)) {
            collect.results[index] = Some(result);
        }
        Poll::Ready(collect.take())
    }
}

/// Nothing in it is pinned.
impl<T, R> Unpin for Collect<T, R> {}

impl<T, R> Collect<T, R> {
    #[cfg_attr(feature = "check", track_caller)]
    fn new(tasks: impl IntoIterator<Item = Task<T>>) -> Self {
        let completed = as_completed(tasks.into_iter().enumerate());
        let results = (0..completed.len()).map(|_| None).collect();
        Collect { completed, results, given: false }
    }

    /// Index and result of the next task that ends.
    #[track_caller]
    fn next(&mut self, of: Of, how: How, cx: &Context<'_>) -> Poll<Option<(usize, Result<T, JoinError>)>> {
        assert!(
            !self.given,
            "the results of a `gather` are given once; this one was waited for again after it had given them"
        );
        self.completed.poll_next_of(of, how, cx)
    }

    /// The results, when all are there.
    fn take(&mut self) -> Vec<R> {
        self.given = true;
        mem::take(&mut self.results).into_iter().flatten().collect()
    }
}
