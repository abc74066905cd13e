//! Waiting for several tasks at once, of any kind and mixed.
//!
//! After Python's `concurrent.futures` (B. Quinlan, "futures: execute computations asynchronously", PEP 3148, 2009), with one
//! difference: the tasks may come from different pools, and be threads, processes, coroutines and async tasks.
//!
//! A task has a place for one waker (`cell.rs`), and that is all that is used here. So nothing is registered with anybody but
//! the tasks themselves, and nothing of it is left when the wait is over or its future dropped.
//!
//! - [`wait`] gives each task the waiter's own waker, and asks all of them again at each wake-up: O(n), no allocation but the
//!   answer. Right for a few.
//! - [`as_completed`] gives each task a waker of its own, which notes the task's number in a list: O(1) for each result, and an
//!   allocation for each task. Right for many.
//! - [`gather`] is the latter, and puts the results in order.
//!
//! The price of the one place: two who wait for the same task at once cannot both be woken. The types say so: whoever waits
//! has the task mutably.

mod gather;

pub use gather::{Gather, GatherAll, gather, gather_all};

use crate::catch::contain;
use crate::check::{self, Cells, How, Of, Several, Site};
use crate::error::{JoinError, TimedOut};
use crate::park;
use crate::primitive::Mutex;
use crate::task::{Task, TaskId};
use crate::timer;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// When a [`wait`] is over.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// One of the tasks has ended.
    #[doc(alias = "FIRST_COMPLETED")]
    FirstCompleted,
    /// One of them has ended with an error (it panicked, was cancelled, was killed), or all have ended.
    #[doc(alias = "FIRST_EXCEPTION")]
    FirstError,
    /// All of them have ended.
    #[doc(alias = "ALL_COMPLETED")]
    AllCompleted,
}

impl When {
    /// Any task may be the first, and any may fail.
    fn of(self) -> Of {
        match self {
            When::FirstCompleted | When::FirstError => Of::Any,
            When::AllCompleted => Of::All,
        }
    }
}

/// Something that ends: a [`Task`], or a handle around one. What it ends with does not matter here, so tasks with
/// different results can be waited for together.
///
/// # Waiting
/// As [`wait`].
pub trait Wait {
    /// Whether it has ended.
    fn is_finished(&self) -> bool;

    /// `true` if it has ended; otherwise `cx`'s waker is woken when it will have.
    fn poll_finished(&mut self, cx: &Context<'_>) -> bool;

    /// Whether it has ended with an error, which is still in it.
    fn is_failed(&self) -> bool;

    /// The task that ends when this does, and whose end is the only way for this to end; for the deadlock checker. `None`,
    /// unless it says otherwise: it may end by anything.
    fn task_id(&self) -> Option<TaskId> {
        None
    }
}

impl<T> Wait for Task<T> {
    fn is_finished(&self) -> bool {
        Task::is_finished(self)
    }

    fn poll_finished(&mut self, cx: &Context<'_>) -> bool {
        Task::poll_finished(self, cx)
    }

    fn is_failed(&self) -> bool {
        Task::is_failed(self)
    }

    fn task_id(&self) -> Option<TaskId> {
        Some(self.id())
    }
}

/// Which of the tasks that were waited for have ended: indexes into the list, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Those that have ended.
    pub done: Vec<usize>,
    /// Those that go on.
    pub pending: Vec<usize>,
}

/// Waits until one of `tasks`, or all of them, have ended, or one with an error. Blocks. The tasks stay with the caller, and their results in
/// them.
///
/// An empty list does not wait. O(n) for each wake-up. Allocates the answer, and nothing to wait: each task has a place for one
/// waker, so a task is waited for by one at a time.
///
/// # Waiting
/// - **Blocks** what runs here, but for [`wait_async`].
/// - **Allocates** the answer alone.
/// - **Order**: one waits for a task at a time. The answer has the tasks in their order in the list.
/// - **Dropped**, the future leaves the tasks and their results with the caller.
/// - **A waker that panics** is the business of whoever ends a task; see [`Task`].
///
/// # Examples
/// ```
/// use sync::{When, wait};
///
/// let (slow, mut number) = sync::promise::<u32>();
/// let (quick, mut text) = sync::promise::<String>();
/// quick.finish(Ok("done".into()));
/// let finished = wait(&mut [&mut number, &mut text], When::FirstCompleted);
/// assert_eq!((finished.done, finished.pending), (vec![1], vec![0]));
/// # drop(slow);
/// ```
#[cfg_attr(feature = "check", track_caller)]
pub fn wait(tasks: &mut [&mut dyn Wait], when: When) -> Finished {
    let (site, mut waited) = (Site::here(), Several::new());
    park::block_on(poll_fn(|cx| {
        let mut left = Cells::new();
        let poll = poll_all(tasks, when, cx, &mut left);
        if poll.is_pending() {
            waited.are_left(How::Blocks, when.of(), || left, site, cx.waker());
        }
        poll
    }));
    sorted(tasks)
}

/// As [`wait`], for at most `limit`. Blocks. That the time has passed shows in [`Finished::pending`].
///
/// # Waiting
/// As [`wait`].
pub fn wait_timeout(tasks: &mut [&mut dyn Wait], when: When, limit: Duration) -> Finished {
    let deadline = Instant::now().checked_add(limit);
    let _late_or_not =
        park::block_on_until(poll_fn(|cx| poll_all(tasks, when, cx, &mut Cells::new())), deadline);
    sorted(tasks)
}

/// As [`wait`], awaited.
///
/// The future can be sent to another thread if the tasks can. Those with results of different types need a name for what they
/// have in common:
/// ```
/// use sync::completion::Wait;
/// use sync::{When, promise, wait_async};
///
/// fn can_be_spawned(future: impl Future<Output = usize> + Send + 'static) -> usize {
///     sync::park::block_on(future)
/// }
/// let (slow, mut number) = promise::<u32>();
/// let (quick, mut text) = promise::<String>();
/// quick.finish(Ok("done".into()));
/// let first = can_be_spawned(async move {
///     let tasks: &mut [&mut (dyn Wait + Send)] = &mut [&mut number, &mut text];
///     wait_async(tasks, When::FirstCompleted).await.done[0]
/// });
/// assert_eq!(first, 1);
/// # drop(slow);
/// ```
///
/// # Waiting
/// As [`wait`].
///
/// # Cancel safety
/// The tasks and their results stay with the caller.
#[cfg_attr(feature = "check", track_caller)]
pub fn wait_async<W: Wait + ?Sized>(tasks: &mut [&mut W], when: When) -> impl Future<Output = Finished> {
    let site = Site::here();
    poll_fn(move |cx| {
        let mut left = Cells::new();
        let poll = poll_all(tasks, when, cx, &mut left);
        if poll.is_pending() {
            check::awaited_together(when.of(), left, site, cx.waker());
        }
        poll.map(|()| sorted(tasks))
    })
}

/// Those that have not ended are `left`, if nothing ends the wait.
fn poll_all<W: Wait + ?Sized>(
    tasks: &mut [&mut W],
    when: When,
    cx: &Context<'_>,
    left: &mut Cells,
) -> Poll<()> {
    let mut finished = 0;
    for task in tasks.iter_mut() {
        if task.poll_finished(cx) {
            finished += 1;
            let over = match when {
                When::FirstCompleted => true,
                When::FirstError => task.is_failed(),
                When::AllCompleted => false,
            };
            if over {
                return Poll::Ready(());
            }
        } else {
            left.add(|| task.task_id().map(TaskId::checked));
        }
    }
    if finished == tasks.len() { Poll::Ready(()) } else { Poll::Pending }
}

fn sorted<W: Wait + ?Sized>(tasks: &[&mut W]) -> Finished {
    let (done, pending) = (0..tasks.len()).partition(|index| tasks[*index].is_finished());
    Finished { done, pending }
}

/// What [`as_completed`] takes: a task, or a pair of a key and a task.
///
/// # Waiting
/// As [`AsCompleted`].
pub trait Completes {
    /// What stays here while the task runs, to name it by.
    type Key;
    /// What the task gives.
    type Output;
    /// What the iterator yields.
    type Item;

    /// Key and task.
    fn split(self) -> (Self::Key, Task<Self::Output>);

    /// Key and result.
    fn item(key: Self::Key, result: Result<Self::Output, JoinError>) -> Self::Item;
}

impl<T> Completes for Task<T> {
    type Key = ();
    type Output = T;
    type Item = Result<T, JoinError>;

    fn split(self) -> ((), Task<T>) {
        ((), self)
    }

    fn item((): (), result: Result<T, JoinError>) -> Self::Item {
        result
    }
}

impl<K, T> Completes for (K, Task<T>) {
    type Key = K;
    type Output = T;
    type Item = (K, Result<T, JoinError>);

    fn split(self) -> (K, Task<T>) {
        self
    }

    fn item(key: K, result: Result<T, JoinError>) -> Self::Item {
        (key, result)
    }
}

/// Yields the results of `tasks` in the order in which they end, waiting for each. Pairs of a key and a task yield pairs
/// of the key and the result.
///
/// O(1) for each result, whatever the number of tasks. Handles of other kinds, such as threads and processes, go in by
/// their `into_task`. Dropping the iterator detaches what is left; [`AsCompleted::into_pending`] gives it back.
///
/// # Waiting
/// As [`AsCompleted`].
///
/// # Examples
/// ```
/// let (slow, first) = sync::promise();
/// let (quick, second) = sync::promise();
/// quick.finish(Ok(1));
/// slow.finish(Ok(2));
/// let results: Vec<_> = sync::as_completed([("slow", first), ("quick", second)])
///     .map(|(key, result)| Ok((key, result?)))
///     .collect::<Result<_, sync::JoinError>>()?;
/// assert_eq!(results.len(), 2);
/// # Ok::<(), sync::JoinError>(())
/// ```
#[cfg_attr(feature = "check", track_caller)]
pub fn as_completed<I>(tasks: I) -> AsCompleted<I::Item>
where
    I: IntoIterator,
    I::Item: Completes,
{
    let ended = Arc::new(Mutex::new(Ended { order: VecDeque::new(), waker: None }));
    let (site, waited) = (Site::here(), Several::new());
    let mut completed = AsCompleted { slots: Vec::new(), free: Vec::new(), left: 0, ended, site, waited };
    completed.extend(tasks);
    completed
}

/// The results of tasks in the order in which they end; see [`as_completed`].
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing. A task costs an allocation when it is added.
/// - **Order**: that in which the tasks end.
/// - **Dropped**, the future of the next result loses nothing; the iterator detaches the tasks that are left.
/// - **A waker that panics** is the business of whoever ends a task; see [`Task`].
pub struct AsCompleted<C: Completes> {
    /// By index; empty once the result was yielded.
    slots: Vec<Option<Slot<C>>>,
    /// Indexes of empty slots.
    free: Vec<usize>,
    left: usize,
    ended: Arc<Mutex<Ended>>,
    /// What the checker is told.
    site: Site,
    waited: Several,
}

type Slot<C> = (<C as Completes>::Key, Task<<C as Completes>::Output>);

struct Ended {
    /// Indexes of tasks that have ended, in that order.
    order: VecDeque<usize>,
    /// Of the one who waits for the next: there is one, for it takes `&mut`.
    waker: Option<Waker>,
}

/// The waker that a task is given: says which one it was. A task may wake it more than once.
struct Notice {
    index: usize,
    ended: Arc<Mutex<Ended>>,
}

impl Wake for Notice {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut ended = self.ended.lock();
        ended.order.push_back(self.index);
        let waker = ended.waker.take();
        drop(ended);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<C: Completes> AsCompleted<C> {
    /// Adds a task, whose result will be yielded too.
    pub fn push(&mut self, task: C) {
        self.waited.over();
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let (key, mut task) = task.split();
        let notice = Arc::new(Notice { index, ended: Arc::clone(&self.ended) });
        if task.poll_finished(&Context::from_waker(&Waker::from(Arc::clone(&notice)))) {
            notice.wake();
        }
        self.slots[index] = Some((key, task));
        self.left += 1;
    }

    /// The next result; `None` when there are no tasks left.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn next_async(&mut self) -> Option<C::Item> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next_async`](AsCompleted::next_async), for those who write a future or a stream: the waker of the last call is woken.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<C::Item>> {
        self.poll_next_of(Of::Any, How::Awaits, cx)
    }

    /// As `poll_next`, for somebody who waits for the next one of the tasks or for all.
    fn poll_next_of(&mut self, of: Of, how: How, cx: &Context<'_>) -> Poll<Option<C::Item>> {
        while self.left > 0 {
            let Poll::Ready(index) = self.poll_ended(cx) else {
                let cells = || {
                    let mut cells = Cells::new();
                    let tasks = self.slots.iter().flatten().map(|(_, task)| task);
                    tasks.for_each(|task| cells.add(|| Some(task.id().checked())));
                    cells
                };
                self.waited.are_left(how, of, cells, self.site, cx.waker());
                return Poll::Pending;
            };
            self.waited.over();
            if let Some(item) = self.result_of(index) {
                return Poll::Ready(Some(item));
            }
        }
        Poll::Ready(None)
    }

    /// The result of the task with this index, which has probably ended.
    fn result_of(&mut self, index: usize) -> Option<C::Item> {
        let (key, task) = self.slots.get_mut(index)?.take()?;
        match task.try_join() {
            Ok(result) => {
                self.left -= 1;
                self.free.push(index);
                Some(C::item(key, result))
            }
            // A waker may be woken for nothing.
            Err(unfinished) => {
                self.slots[index] = Some((key, unfinished.into_inner()));
                None
            }
        }
    }

    /// The index of a task that has probably ended.
    fn poll_ended(&self, cx: &Context<'_>) -> Poll<usize> {
        if let Some(index) = self.ended.lock().order.pop_front() {
            return Poll::Ready(index);
        }
        // Wakers are cloned and dropped outside the lock: they may run anything.
        let waker = cx.waker().clone();
        let mut ended = self.ended.lock();
        let index = ended.order.pop_front();
        let old = if index.is_none() { ended.waker.replace(waker) } else { Some(waker) };
        drop(ended);
        // A waker that panics when it is dropped must not take the index along.
        contain(|| drop(old));
        index.map_or(Poll::Pending, Poll::Ready)
    }

    /// Asks all tasks that are left to [stop](Task::cancel). They still end, and are yielded then.
    pub fn cancel(&self) {
        for (_, task) in self.slots.iter().flatten() {
            task.cancel();
        }
    }

    /// The next result, if a task has ended already. `None` as well when there are no tasks left; `len` is 0 then.
    pub fn try_next(&mut self) -> Option<C::Item> {
        loop {
            let index = self.ended.lock().order.pop_front()?;
            self.waited.over();
            let item = self.result_of(index);
            if item.is_some() {
                return item;
            }
        }
    }

    /// As `next`, waiting at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`TimedOut`] if none ended by then; they go on, and the iterator with them.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<C::Item>, TimedOut> {
        park::block_on_timeout(self.next_async(), limit)
    }

    /// As [`next_async`](AsCompleted::next_async), waiting at most `limit`. Needs no runtime.
    ///
    /// # Errors
    /// [`TimedOut`] if none ended by then; they go on, and the iterator with them.
    ///
    /// # Cancel safety
    /// As [`next_async`](AsCompleted::next_async).
    pub async fn next_async_timeout(&mut self, limit: Duration) -> Result<Option<C::Item>, TimedOut> {
        timer::timeout(limit, self.next_async()).await
    }

    /// The tasks whose results have not been yielded, with their keys: in the order in which they were given, unless some
    /// were [pushed](AsCompleted::push) after others had ended.
    pub fn into_pending(self) -> impl Iterator<Item = (C::Key, Task<C::Output>)> {
        self.slots.into_iter().flatten()
    }
}

impl<C: Completes> Extend<C> for AsCompleted<C> {
    fn extend<I: IntoIterator<Item = C>>(&mut self, tasks: I) {
        for task in tasks {
            self.push(task);
        }
    }
}

impl<C: Completes> Iterator for AsCompleted<C> {
    type Item = C::Item;

    fn next(&mut self) -> Option<C::Item> {
        park::block_on(poll_fn(|cx| self.poll_next_of(Of::Any, How::Blocks, cx)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<C: Completes> ExactSizeIterator for AsCompleted<C> {}

impl<C: Completes> fmt::Debug for AsCompleted<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}
