//! The safe way to make a task: a cell on the heap.

use super::Task;
use crate::cancel::CancelToken;
use crate::catch::contain;
use crate::cell::{Header, Leftover, Vtable};
use crate::check;
use crate::error::JoinError;
use crate::primitive::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;

/// A task and the promise to finish it. One allocation.
///
/// [`Task::cancel`] only sets a flag, which [`Promise::is_cancelled`] shows; see [`promise_cancelling`] for more.
///
/// # Waiting
/// As [`Promise`]: nobody waits to make it.
///
/// # Examples
/// ```
/// let (promise, task) = sync::promise();
/// promise.finish(Ok("done"));
/// assert_eq!(task.join()?, "done");
/// # Ok::<(), sync::JoinError>(())
/// ```
pub fn promise<T: Send + 'static>() -> (Promise<T>, Task<T>) {
    new_cell(None)
}

/// As [`promise`], and [`Task::cancel`] cancels `token`, through which a running task learns of it at once.
///
/// # Waiting
/// As [`Promise`]: nobody waits to make it.
pub fn promise_cancelling<T: Send + 'static>(token: CancelToken) -> (Promise<T>, Task<T>) {
    new_cell(Some(token))
}

/// The duty to finish a [`Task`], once:
///
/// ```compile_fail,E0382
/// let (promise, task) = sync::promise();
/// promise.finish(Ok(1));
/// promise.finish(Ok(2));
/// # drop(task);
/// ```
///
/// Dropped without having done so, it finishes the task with [`JoinError::Abandoned`], or [`JoinError::Cancelled`] where
/// that was asked for, so that nobody waits for ever.
///
/// # Waiting
/// - **Blocks** nobody: whoever finishes the task waits for nobody.
/// - **Allocates** nothing: task and promise were made with one allocation, and the result goes there.
/// - **Order**: the one who waits for the task is woken when the result is there.
/// - **Dropped**, it finishes the task as said above.
/// - **A waker that panics** gets out of the call that finishes the task, when that is done, but not of dropping.
///
/// It takes results of one type and no other, not even of a supertype, as the handle counts on it:
///
/// ```compile_fail,E0308
/// type Any = for<'a> fn(&'a u8) -> &'a u8;
/// type Static = fn(&'static u8) -> &'static u8;
/// fn wider(promise: sync::task::Promise<Any>) -> sync::task::Promise<Static> {
///     promise
/// }
/// ```
pub struct Promise<T: Send + 'static> {
    /// Makes the promise invariant in `T`, because the cell holds its result in an `UnsafeCell`.
    cell: NonNull<HeapCell<T>>,
    result: PhantomData<T>,
}

/// Invariant: `result` is initialised from the moment before DONE is set until it is taken or dropped.
#[repr(C)]
struct HeapCell<T> {
    header: Header,
    result: UnsafeCell<MaybeUninit<Result<T, JoinError>>>,
    token: Option<CancelToken>,
}

// SAFETY: the promise moves a `T` to the cell, which needs `T: Send`; nothing else of it is bound to a thread.
unsafe impl<T: Send> Send for Promise<T> {}

// SAFETY: through `&Promise` one can only read an atomic.
unsafe impl<T: Send> Sync for Promise<T> {}

/// The result is put in whole or not at all, whatever panics.
impl<T: Send> UnwindSafe for Promise<T> {}
impl<T: Send> RefUnwindSafe for Promise<T> {}

impl<T: Send + 'static> Promise<T> {
    /// Finishes the task. Whoever waits for it is woken on this thread, with no lock held. Never waits.
    ///
    /// # Panics
    /// If the waker of whoever waits does. The task is finished all the same.
    pub fn finish(self, result: Result<T, JoinError>) {
        let cell = self.cell;
        std::mem::forget(self);
        // SAFETY: the promise was forgotten unfinished, so this is the producer's only end.
        unsafe { HeapCell::finish(cell, result) };
    }

    /// Runs `work` and finishes the task with what it returns, or with how it panicked.
    ///
    /// If the task was cancelled before, `work` is dropped and not run. Whatever `work` owns is gone when the task ends.
    pub fn run(self, work: impl FnOnce() -> T) {
        let result = if self.is_cancelled() {
            crate::catch(|| drop(work)).and(Err(JoinError::Cancelled))
        } else {
            check::running(check::Cell(self.cell.as_ptr().addr()), || crate::catch(work))
        };
        self.finish(result);
    }

    /// Whether the handle has asked the work to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cell().header.is_cancelled()
    }

    fn cell(&self) -> &HeapCell<T> {
        // SAFETY: the producer has not left, so the cell lives.
        unsafe { self.cell.as_ref() }
    }
}

impl<T: Send + 'static> Drop for Promise<T> {
    fn drop(&mut self) {
        let why = if self.is_cancelled() { JoinError::Cancelled } else { JoinError::Abandoned };
        // A waker's panic must not leave a destructor, which mostly runs in another panic.
        contain(|| {
            // SAFETY: `finish` forgets the promise, so one that is dropped has not been finished.
            unsafe { HeapCell::finish(self.cell, Err(why)) };
        });
    }
}

impl<T: Send + 'static> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

fn new_cell<T: Send + 'static>(token: Option<CancelToken>) -> (Promise<T>, Task<T>) {
    let cell = NonNull::from(Box::leak(Box::new(HeapCell {
        header: Header::new(HeapCell::<T>::VTABLE),
        result: UnsafeCell::new(MaybeUninit::uninit()),
        token,
    })));
    // SAFETY: the cell starts with its header, lives until `HeapCell::free`, holds a `Result<T, JoinError>`, its
    // functions are not bound to a thread, and this is its only handle.
    let task = unsafe { Task::from_cell(cell.cast()) };
    (Promise { cell, result: PhantomData }, task)
}

impl<T: Send + 'static> HeapCell<T> {
    const VTABLE: &'static Vtable =
        &Vtable { take: Self::take, is_err: Self::is_err, cancel: Self::cancel, free: Self::free };

    /// # Safety
    /// The caller is the producer, which does this once and touches the cell no more.
    unsafe fn finish(cell: NonNull<Self>, result: Result<T, JoinError>) {
        // SAFETY: the producer has not left, so the cell lives.
        let slot = unsafe { &cell.as_ref().result };
        // SAFETY: before DONE the result is the producer's alone.
        slot.with_mut(|slot| unsafe { &mut *slot }.write(result));
        // SAFETY: the result has been written, and the caller does this once.
        unsafe { Header::finish(cell.cast()) };
    }

    unsafe fn take(cell: NonNull<Header>, out: *mut ()) {
        // SAFETY: the handle has not left, so the cell lives; it is a `HeapCell<T>`, whose vtable this is.
        let slot = unsafe { &cell.cast::<Self>().as_ref().result };
        // SAFETY: the task has finished, so the result is there, and `Header::take` reads it out once.
        let result = slot.with(|slot| unsafe { slot.cast::<Result<T, JoinError>>().read() });
        // SAFETY: `Header::take` gives room for a `Result<T, JoinError>`.
        unsafe { out.cast::<Result<T, JoinError>>().write(result) };
    }

    unsafe fn is_err(cell: NonNull<Header>) -> bool {
        // SAFETY: the handle has not left, so the cell lives; it is a `HeapCell<T>`, whose vtable this is.
        let slot = unsafe { &cell.cast::<Self>().as_ref().result };
        slot.with(|slot| {
            // SAFETY: the task has finished and its result was not taken, so it is there. Whoever shares the handle only reads it, as here,
            // and it is taken by one who does not.
            let result = unsafe { &*slot.cast::<Result<T, JoinError>>() };
            result.is_err()
        })
    }

    unsafe fn cancel(cell: NonNull<Header>) {
        // SAFETY: the handle has not left, so the cell lives; it is a `HeapCell<T>`, whose vtable this is.
        let cell = unsafe { cell.cast::<Self>().as_ref() };
        if let Some(token) = &cell.token {
            token.cancel();
        }
    }

    unsafe fn free(cell: NonNull<Header>, leftover: Leftover) {
        // SAFETY: the cell was made by `Box` in `new_cell`, both sides have left, and this is called once.
        let cell = unsafe { Box::from_raw(cell.cast::<Self>().as_ptr()) };
        if leftover == Leftover::Result {
            // SAFETY: the result is there and was never taken.
            cell.result.with_mut(|slot| unsafe { slot.cast::<Result<T, JoinError>>().drop_in_place() });
        }
    }
}
