//! What a task's handle points to, for pools that bring their own memory.
//!
//! A [`Task<T>`](crate::Task) is one pointer to a **cell**: memory that starts with a [`Header`] and holds the task's
//! result behind it. Everyone who can afford one allocation per task uses [`promise`](crate::promise), which makes the
//! cell on the heap and is safe. A pool that has a better place (a slab, the top of a coroutine's stack, a shared page)
//! defines its own cell, describes it by a [`Vtable`] and makes the handle by [`Task::from_cell`](crate::Task::from_cell).
//!
//! # Protocol
//!
//! Two sides share a cell: the **handle** (the `Task`) and the **producer** (who runs the work).
//!
//! ```text
//!   producer                                handle
//!   ────────                                ──────
//!   write the result                        poll: leave a waker in the header
//!   Header::finish ── DONE, wake ────────►  sees DONE: Vtable::take
//!        └ leaves                                └ leaves
//!                 the last to leave calls Vtable::free
//! ```
//!
//! 1. The producer writes the result before it calls [`Header::finish`], exactly once, and touches the cell no more
//!    afterwards.
//! 2. The result is read only after `DONE` was seen; `finish` releases and the handle acquires, so it is whole.
//! 3. The waker's slot belongs to the handle alone while `WAKER` is clear. While it is set, both sides may read the slot
//!    and nobody writes it. The handle clears the bit only while `DONE` is clear, so the producer, which reads the slot
//!    only if it saw `WAKER` in the very step that set `DONE`, never reads what is being written.
//! 4. Each side leaves once. The one that finds the other gone frees the cell.

use crate::catch::contain;
use crate::check;
use crate::primitive::{AtomicUsize, Ordering, UnsafeCell};
use std::fmt;
use std::ptr::NonNull;
use std::task::{Context, Waker};

/// The result is in place. Set once by the producer, never cleared.
const DONE: usize = 1 << 0;
/// The waker's slot is filled and may be read by both sides (invariant 3).
const WAKER: usize = 1 << 1;
/// The handle exists.
const HANDLE: usize = 1 << 2;
/// The producer has not called `finish` to its end.
const PRODUCER: usize = 1 << 3;
/// The handle has taken the result, so `free` must not drop it.
const TAKEN: usize = 1 << 4;
/// The handle has asked the task to stop.
const CANCEL: usize = 1 << 5;

/// The beginning of every task's cell: a state word, the functions that know the rest of the cell, and the waker of
/// whoever waits for the task.
///
/// A cell is a `#[repr(C)]` struct whose first field is its header.
pub struct Header {
    state: AtomicUsize,
    vtable: &'static Vtable,
    waker: UnsafeCell<Option<Waker>>,
}

/// What the handle needs to know of a cell whose type it does not know.
///
/// Each function is given the pointer that [`Task::from_cell`](crate::Task::from_cell) was given.
#[derive(Debug)]
pub struct Vtable {
    /// Moves the result out: writes a `Result<T, JoinError>` to the second pointer. Called at most once, after the task
    /// has finished. Does not panic.
    pub take: unsafe fn(NonNull<Header>, *mut ()),
    /// Whether the result is an error. Called by the handle after the task has finished and before `take`, perhaps by several threads
    /// at once: it only reads. Does not panic.
    pub is_err: unsafe fn(NonNull<Header>) -> bool,
    /// The handle asks the task to stop. Called at most once, on the thread that asked, possibly while the producer
    /// finishes. It may do nothing: cancelling is a request.
    pub cancel: unsafe fn(NonNull<Header>),
    /// Both sides have left: drops what is in the cell, its header included, and gives its memory back. Called exactly
    /// once, by whichever side left last. [`Leftover`] says whether a result is still inside.
    pub free: unsafe fn(NonNull<Header>, Leftover),
}

/// Whether a cell that is freed still holds its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// The result was never taken and must be dropped.
    Result,
    /// There is nothing left to drop.
    Nothing,
}

// SAFETY: `waker` is the only field that is not `Sync` by itself. It is written by the handle alone and read by the
// producer only when invariant 3 of the module says that nobody writes it.
unsafe impl Sync for Header {}

impl Header {
    /// The header of a task that has just been started: it has a handle and a producer.
    #[must_use]
    pub fn new(vtable: &'static Vtable) -> Self {
        Header { state: AtomicUsize::new(HANDLE | PRODUCER), vtable, waker: UnsafeCell::new(None) }
    }

    /// Whether the handle has asked the task to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Relaxed: the bit is a hint that publishes no other data.
        self.state.load(Ordering::Relaxed) & CANCEL != 0
    }

    /// The producer's last step: marks the task as finished, wakes whoever waits for it, and leaves the cell.
    ///
    /// The waiter's waker runs on this thread, with no lock held.
    ///
    /// # Safety
    /// `cell` is the header of a live cell whose result has been written. Only the producer calls this, once, and
    /// touches the cell no more afterwards: it may be gone when this returns.
    pub unsafe fn finish(cell: NonNull<Header>) {
        // SAFETY: the producer has not left, so the cell lives (invariant 4).
        let header = unsafe { cell.as_ref() };
        // Leaves at the end, be it that the waker panics.
        let _producer = Producer(cell);
        // Release: publishes the result to the handle's acquire load in `is_finished`. Acquire: the handle's write of
        // the waker, published when it set WAKER, is seen below.
        let before = header.state.fetch_or(DONE, Ordering::AcqRel);
        debug_assert!(before & DONE == 0, "a task finishes once");
        if before & WAKER != 0 {
            header.waker.with(|slot| {
                // SAFETY: DONE was set while WAKER was set, so the handle only reads the slot from now on (invariant 3).
                let slot = unsafe { &*slot };
                if let Some(waker) = slot {
                    waker.wake_by_ref();
                }
            });
        }
    }

    /// Acquire: pairs with `finish`, so that the result is seen by whoever sees this `true`.
    pub(crate) fn is_finished(&self) -> bool {
        self.state.load(Ordering::Acquire) & DONE != 0
    }

    /// `true` if finished; otherwise the waker is woken when it will be. Called by the handle alone, one call at a time.
    pub(crate) fn poll_finished(&self, cx: &Context<'_>) -> bool {
        let state = self.state.load(Ordering::Acquire);
        if state & DONE != 0 {
            return true;
        }
        if state & WAKER != 0 {
            let same = self.waker.with(|slot| {
                // SAFETY: WAKER is set, so nobody writes the slot (invariant 3): the only writer is this function.
                let slot = unsafe { &*slot };
                slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
            });
            if same {
                return false;
            }
        }
        // Cloning and dropping wakers may run anything, so it is done while the slot is whole and nobody is inside it.
        let waker = cx.waker().clone();
        if state & WAKER != 0 && self.change_unless_done(|state| state & !WAKER) {
            return true;
        }
        let old = self.waker.with_mut(|slot| {
            // SAFETY: WAKER is clear, so the slot is the handle's alone (invariant 3).
            let slot = unsafe { &mut *slot };
            slot.replace(waker)
        });
        let done = self.change_unless_done(|state| state | WAKER);
        drop(old);
        done
    }

    /// Changes the state word; `true` if the task had finished, in which case nothing is changed.
    fn change_unless_done(&self, change: impl Fn(usize) -> usize) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & DONE != 0 {
                return true;
            }
            // Release: the slot's new content is published together with WAKER, to `finish`. There is nothing to receive: before
            // DONE the producer leaves nothing.
            match self.state.compare_exchange_weak(state, change(state), Ordering::Release, Ordering::Acquire)
            {
                Ok(_) => return false,
                Err(now) => state = now,
            }
        }
    }

    /// Records the handle's request to stop; tells the cell the first time.
    ///
    /// # Safety
    /// `cell` is live and the caller is its handle.
    pub(crate) unsafe fn cancel(cell: NonNull<Header>) {
        // SAFETY: the handle has not left, so the cell lives (invariant 4).
        let header = unsafe { cell.as_ref() };
        // Relaxed: see `is_cancelled`.
        let before = header.state.fetch_or(CANCEL, Ordering::Relaxed);
        if before & (CANCEL | DONE) == 0 {
            // SAFETY: `cell` is what the vtable's maker described, and this is the first request.
            unsafe { (header.vtable.cancel)(cell) };
        }
    }

    /// Moves the result of a finished task out and leaves for the handle.
    ///
    /// # Safety
    /// The caller is the handle, has seen `is_finished`, and touches the cell no more. `R` is the cell's result type.
    pub(crate) unsafe fn take<R>(cell: NonNull<Header>) -> R {
        let mut result = std::mem::MaybeUninit::<R>::uninit();
        // SAFETY: the handle has not left, so the cell lives (invariant 4).
        let vtable = unsafe { cell.as_ref() }.vtable;
        // SAFETY: the task has finished, and only the handle takes, once: it leaves below.
        unsafe { (vtable.take)(cell, result.as_mut_ptr().cast()) };
        // SAFETY: the handle leaves here or in `abandon`, never in both.
        unsafe { Header::leave(cell, HANDLE, TAKEN) };
        // SAFETY: `take` has written it.
        unsafe { result.assume_init() }
    }

    /// Whether a finished task's result, which is still in the cell, is an error.
    ///
    /// # Safety
    /// The caller is the handle, which has not left.
    pub(crate) unsafe fn is_failed(cell: NonNull<Header>) -> bool {
        // SAFETY: the handle has not left, so the cell lives (invariant 4).
        let header = unsafe { cell.as_ref() };
        // SAFETY: the task has finished, and the handle takes the result when it leaves, so it is there.
        header.is_finished() && unsafe { (header.vtable.is_err)(cell) }
    }

    /// The handle leaves without the result.
    ///
    /// # Safety
    /// The caller is the handle and touches the cell no more.
    pub(crate) unsafe fn abandon(cell: NonNull<Header>) {
        // SAFETY: the handle leaves here or in `take`, never in both.
        unsafe { Header::leave(cell, HANDLE, 0) };
    }

    /// Clears the bit of a side, sets `mark` in the same step, and frees the cell if the other side has gone.
    ///
    /// # Safety
    /// `side` is the caller's own side, which has not left, and `mark` is not yet set.
    unsafe fn leave(cell: NonNull<Header>, side: usize, mark: usize) {
        // SAFETY: the caller's side has not left, so the cell lives (invariant 4).
        let header = unsafe { cell.as_ref() };
        let vtable = header.vtable;
        // Release: what this side did to the cell comes before the other side's `free`. Acquire: the reverse.
        let before = header.state.fetch_xor(side | mark, Ordering::AcqRel);
        debug_assert!(before & side != 0, "a side leaves once");
        let after = before ^ (side | mark);
        if after & (HANDLE | PRODUCER) == 0 {
            let leftover = if after & (DONE | TAKEN) == DONE { Leftover::Result } else { Leftover::Nothing };
            // SAFETY: both sides have left, and only the last of them gets here.
            unsafe { (vtable.free)(cell, leftover) };
        }
    }
}

/// The producer of a cell that it has finished, and leaves when this is dropped.
struct Producer(NonNull<Header>);

impl Drop for Producer {
    fn drop(&mut self) {
        check::ended(check::Cell(self.0.as_ptr().addr()));
        // SAFETY: `Header::finish` makes the only one of these, and the producer leaves nowhere else.
        unsafe { Header::leave(self.0, PRODUCER, 0) };
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        let waker = self.waker.with_mut(|slot| {
            // SAFETY: the header goes away, so nobody else uses it.
            unsafe { &mut *slot }.take()
        });
        // Foreign, in the destructor of a handle, which a panic may drop.
        contain(|| drop(waker));
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.load(Ordering::Relaxed);
        f.debug_struct("Header")
            .field("finished", &(state & DONE != 0))
            .field("cancelled", &(state & CANCEL != 0))
            .field("awaited", &(state & WAKER != 0))
            .finish_non_exhaustive()
    }
}
