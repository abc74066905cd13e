//! The handle of work that has been started somewhere, and the promise that keeps it.
//!
//! Futures and promises are as old as H. Baker and C. Hewitt, "The incremental garbage collection of processes" (1977), and
//! B. Liskov and L. Shrira, "Promises: linguistic support for efficient asynchronous procedure calls in distributed systems"
//! (PLDI 1988). Decided here:
//!
//! - **The handle is one pointer** to a cell that the work shares with it; the last of both frees it. A pool puts the cell
//!   where its task lies already, so that a handle costs it no allocation; everybody else gets one from [`promise`], which
//!   costs one. The state is a word of flags (`cell.rs`), so finishing and taking are an exchange each, without a lock.
//! - **The type does not say who runs the work**, so threads, processes, coroutines and tasks mix in one list. What it costs is
//!   a call through a table to take the result.
//! - **Dropping detaches**, as with `std::thread` and tokio, and unlike smol, where it cancels: a handle that stops work when it goes
//!   out of scope loses work by accident, and one that cannot be dropped would be leaked. Asking to stop is a call.
//! - **One waits for a task at a time**: there is a place for one waker. For many waiters, share what the task makes.

mod promise;

pub use promise::{Promise, promise, promise_cancelling};

use crate::catch::contain;
use crate::cell::Header;
use crate::check::{self, Site};
use crate::error::{JoinError, Unfinished};
use crate::park;
use crate::primitive::Mutex;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// The handle of work that runs somewhere else: in a thread, another process, a pool, a coroutine or an event loop.
///
/// Wait for it by [`join`](Task::join), or `.await` it: a `Task` is a [`Future`] for any runtime. **Dropping the handle
/// detaches**: the work goes on and its result is dropped when it is there. To stop it, [`cancel`](Task::cancel) first.
///
/// A `Task` is one pointer. What it points to is described in [`cell`](crate::cell).
///
/// # Waiting
/// - **Blocks**: the calls that say so. All others wait for nobody.
/// - **Allocates** nothing.
/// - **Order**: one waits at a time.
/// - **Dropped** as any handle is, the future detaches. To wait with a limit and keep the task, await `&mut task`.
/// - **A waker that panics** does so on the thread that finishes the task, which is finished all the same.
///
/// # Examples
/// ```
/// let (promise, task) = sync::promise();
/// std::thread::spawn(move || promise.run(|| 6 * 7));
/// assert_eq!(task.join()?, 42);
/// # Ok::<(), sync::JoinError>(())
/// ```
///
/// # Cancel safety
/// Dropping the future detaches, as dropping any handle does. To wait with a limit and keep the task, await `&mut task`.
#[must_use = "dropping a task detaches it; wait for it with `join` or `.await`"]
pub struct Task<T> {
    /// Marked by [`TAKEN`] once the handle has taken the result and left.
    cell: NonNull<Header>,
    result: PhantomData<T>,
}

/// Which task a handle belongs to, for use as a key.
///
/// It stays the same as long as the handle exists. No two tasks share an identity as long as neither has given its
/// result; later ones may get it again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(usize);

impl TaskId {
    /// What the checker knows the task by.
    pub(crate) fn checked(self) -> check::Cell {
        check::Cell(self.0)
    }
}

// SAFETY: the handle moves the result to its thread, which needs `T: Send`; the state word is atomic, and the vtable's
// functions may be called from any thread, as `from_cell` demands.
unsafe impl<T: Send> Send for Task<T> {}

// SAFETY: through `&Task` one can only read atomics, ask for cancelling, which any thread may, and ask whether the result is an error,
// for which several threads may look at it, but at nothing of a `T`. It is taken by whoever has the handle for himself.
unsafe impl<T: Send> Sync for Task<T> {}

/// The result is moved out whole or not at all, whatever panics.
impl<T> UnwindSafe for Task<T> {}
impl<T> RefUnwindSafe for Task<T> {}
impl<T> Unpin for Task<T> {}

impl<T> Task<T> {
    /// The handle of a cell that a pool has made itself.
    ///
    /// # Safety
    /// - `cell` points to the [`Header`], made by [`Header::new`], of a live cell that follows the protocol of
    ///   [`cell`](crate::cell), and stays valid until its vtable's `free` is called.
    /// - The vtable's `take` writes a `Result<T, JoinError>`. Its `is_err` only reads that result.
    /// - The vtable's functions may be called on any thread, or `T` is not `Send`.
    /// - No other handle of this cell is ever made.
    /// - `T` is `'static`, or whoever makes the handle ensures that the cell is freed while `T` is valid: a handle that is
    ///   dropped leaves the result to the producer.
    pub unsafe fn from_cell(cell: NonNull<Header>) -> Self {
        Task { cell, result: PhantomData }
    }

    /// The handle of work that is already done.
    pub fn ready(result: Result<T, JoinError>) -> Self
    where
        T: Send + 'static,
    {
        let (promise, task) = promise();
        promise.finish(result);
        task
    }

    /// Waits until the work has ended and returns its result. Blocks this thread, or only this coroutine or green
    /// thread where a cooperative [`Parker`](crate::park::Parker) is installed.
    ///
    /// # Errors
    /// A [`JoinError`] that says why there is no result: the work panicked, was cancelled, was killed.
    #[cfg_attr(feature = "check", track_caller)]
    pub fn join(mut self) -> Result<T, JoinError> {
        if !self.is_finished() {
            let finished = poll_fn(|cx| match self.header().is_none_or(|header| header.poll_finished(cx)) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            });
            check::joining(self.checked(), Site::here(), || park::block_on(finished));
        }
        self.take()
    }

    /// Waits at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if the work has not ended by then: it goes on and can be waited for again. The
    /// inner result is that of [`join`](Task::join).
    pub fn join_timeout(mut self, limit: Duration) -> Result<Result<T, JoinError>, Unfinished<Self>> {
        match park::block_on_until(&mut self, Instant::now().checked_add(limit)) {
            Some(result) => Ok(result),
            None => Err(Unfinished(self)),
        }
    }

    /// Takes the result if the work has ended. Never blocks.
    ///
    /// # Errors
    /// [`Unfinished`] with this handle if it has not.
    pub fn try_join(mut self) -> Result<Result<T, JoinError>, Unfinished<Self>> {
        if self.is_finished() { Ok(self.take()) } else { Err(Unfinished(self)) }
    }

    /// Whether the work has ended, so that [`join`](Task::join) would not wait.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.header().is_none_or(Header::is_finished)
    }

    /// Whether the work has ended with an error, which [`join`](Task::join) would give.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        // SAFETY: this is the handle, and it has not left.
        !self.is_taken() && unsafe { Header::is_failed(self.cell) }
    }

    /// Asks the work to stop. Returns at once and may be called more than once.
    ///
    /// What that does depends on where the work runs; each pool's documentation has the answer. Work that ends because
    /// of it gives [`JoinError::Cancelled`]; work that was finished, or finishes all the same, gives its result.
    #[doc(alias = "abort")]
    pub fn cancel(&self) {
        if !self.is_taken() {
            // SAFETY: the handle has not left, so the cell lives, and this is the handle.
            unsafe { Header::cancel(self.cell) };
        }
    }

    /// Hands the result to `f` once it is there: on the thread that completes the task, with no lock held; on this
    /// thread, before `on_done` returns, if it is there already.
    ///
    /// `f` should be short, for the completing thread waits for it. If it panics, the panic hook says so and that is all:
    /// the completing thread goes on. One allocation.
    #[doc(alias = "add_done_callback")]
    pub fn on_done(mut self, f: impl FnOnce(Result<T, JoinError>) + Send + 'static)
    where
        T: Send + 'static,
    {
        let callback = Arc::new(Callback { stage: Mutex::new(Stage::Registering) });
        if self.poll_finished(&Context::from_waker(&Waker::from(Arc::clone(&callback)))) {
            return call(f, self);
        }
        let mut stage = callback.stage.lock();
        if matches!(*stage, Stage::Registering) {
            *stage = Stage::Waiting(self, f);
        } else {
            drop(stage);
            call(f, self);
        }
    }

    /// Which task this is.
    #[must_use]
    pub fn id(&self) -> TaskId {
        TaskId(self.cell.as_ptr().addr() & !TAKEN)
    }

    /// `true` if finished; otherwise `cx`'s waker is woken when it will be.
    #[cfg_attr(feature = "check", track_caller)]
    pub(crate) fn poll_finished(&mut self, cx: &Context<'_>) -> bool {
        let finished = self.header().is_none_or(|header| header.poll_finished(cx));
        if !finished {
            check::awaited(self.checked(), Site::here(), cx.waker());
        }
        finished
    }

    /// The result of a task that has finished.
    #[track_caller]
    fn take(&mut self) -> Result<T, JoinError> {
        assert!(
            !self.is_taken(),
            "the result of a task is given once; this one was waited for again after it had given it"
        );
        assert!(self.is_finished(), "the result of a task is taken when it has finished");
        check::awaited_no_more(self.checked());
        let cell = self.cell;
        self.cell = cell.map_addr(|address| address | TAKEN);
        // SAFETY: this is the handle, it has seen the task finished, its mark says from now on that it has left, and the
        // result's type is what `from_cell` was promised.
        unsafe { Header::take(cell) }
    }

    /// What the checker knows it by.
    fn checked(&self) -> check::Cell {
        self.id().checked()
    }

    /// A handle whose result was taken has left its cell.
    fn is_taken(&self) -> bool {
        self.cell.as_ptr().addr() & TAKEN != 0
    }

    /// `None` if the handle has left.
    fn header(&self) -> Option<&Header> {
        if self.is_taken() {
            return None;
        }
        // SAFETY: the handle has not left, so the cell lives.
        Some(unsafe { self.cell.as_ref() })
    }
}

/// Set in a handle's pointer when it no longer points to a cell; free, because headers have an even address.
const TAKEN: usize = 1;
const _: () = assert!(align_of::<Header>() > TAKEN);

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    #[cfg_attr(feature = "check", track_caller)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.poll_finished(cx) { Poll::Ready(self.take()) } else { Poll::Pending }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if !self.is_taken() {
            check::awaited_no_more(self.checked());
            // SAFETY: this is the handle, which has not left, and it goes away.
            unsafe { Header::abandon(self.cell) };
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("id", &self.id()).field("finished", &self.is_finished()).finish()
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({:#x})", self.0)
    }
}

/// A function that waits for a task, in the shape of a waker. The task's cell holds the waker, the waker the handle:
/// the circle is broken when the task finishes, which every producer does, be it by being dropped.
struct Callback<T, F> {
    /// Locked for a moment; no code of a user runs meanwhile.
    stage: Mutex<Stage<T, F>>,
}

enum Stage<T, F> {
    /// The waker is on its way to the cell, and handle and function are with the thread that brings it.
    Registering,
    Waiting(Task<T>, F),
    /// The task has finished. Whoever comes second, the waker or the thread that brought it, calls the function.
    Finished,
}

impl<T, F> Wake for Callback<T, F>
where
    T: Send + 'static,
    F: FnOnce(Result<T, JoinError>) + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut stage = self.stage.lock();
        let before = std::mem::replace(&mut *stage, Stage::Finished);
        drop(stage);
        if let Stage::Waiting(task, f) = before {
            call(f, task);
        }
    }
}

/// Gives a finished task's result to `f`.
fn call<T>(f: impl FnOnce(Result<T, JoinError>), mut task: Task<T>) {
    // What a panic leaves half done belongs to `f` alone.
    contain(|| f(task.take()));
}
