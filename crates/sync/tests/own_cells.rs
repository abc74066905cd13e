//! A pool that brings its own memory: here a slot that is used again and again.

#![expect(unsafe_code, reason = "the constructor for pools is unsafe, and this is what it is for")]

mod common;

use common::Counted;
use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use sync::cell::{Header, Leftover, Vtable};
use sync::{JoinError, Task};

type Output = Result<Counted, JoinError>;

/// A cell that goes back to a list instead of the heap.
#[repr(C)]
struct Slot {
    header: Header,
    result: UnsafeCell<Option<Output>>,
}

/// Addresses of free slots, which all have the same type.
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static MADE: AtomicUsize = AtomicUsize::new(0);
static CANCELLED: AtomicUsize = AtomicUsize::new(0);

static VTABLE: Vtable = Vtable { take, is_err, cancel, free };

unsafe fn take(cell: NonNull<Header>, out: *mut ()) {
    // SAFETY: the handle calls this before it leaves, so the slot is in use.
    let result = unsafe { cell.cast::<Slot>().as_ref() }.result.get();
    // SAFETY: the task has finished and the result is taken once, so nobody else uses it now.
    let result = unsafe { &mut *result }.take().expect("a finished task has a result");
    // SAFETY: the handle gives room for the result.
    unsafe { out.cast::<Output>().write(result) };
}

unsafe fn is_err(cell: NonNull<Header>) -> bool {
    // SAFETY: the handle calls this before it leaves, so the slot is in use.
    let result = unsafe { cell.cast::<Slot>().as_ref() }.result.get();
    // SAFETY: the task has finished, and the handle, which calls this, is the only one to use the result.
    unsafe { &*result }.as_ref().is_some_and(Result::is_err)
}

unsafe fn cancel(_: NonNull<Header>) {
    CANCELLED.fetch_add(1, Ordering::Relaxed);
}

unsafe fn free(cell: NonNull<Header>, leftover: Leftover) {
    let mut slot = cell.cast::<Slot>();
    // SAFETY: both sides have left, and this is called once, so the slot is nobody else's.
    let has_result = unsafe { slot.as_mut() }.result.get_mut().is_some();
    assert_eq!(leftover == Leftover::Result, has_result);
    // SAFETY: as above; what is in the slot is dropped once.
    unsafe { slot.drop_in_place() };
    FREE.lock().unwrap().push(slot.as_ptr().expose_provenance());
}

/// The producer's side.
struct Producer(NonNull<Slot>);

// SAFETY: what the producer moves to the slot is `Send`.
unsafe impl Send for Producer {}

impl Producer {
    fn start() -> (Producer, Task<Counted>) {
        let reused = FREE.lock().unwrap().pop();
        let slot = match reused {
            Some(address) => NonNull::new(std::ptr::with_exposed_provenance_mut::<Slot>(address)).unwrap(),
            None => {
                MADE.fetch_add(1, Ordering::Relaxed);
                NonNull::from(Box::leak(Box::<Slot>::new_uninit())).cast()
            }
        };
        let fresh = Slot { header: Header::new(&VTABLE), result: UnsafeCell::new(None) };
        // SAFETY: the slot is memory for a `Slot`, and free.
        unsafe { slot.write(fresh) };
        // SAFETY: the slot starts with its header, is free to be written only after `free`, and has no other handle.
        let task = unsafe { Task::from_cell(slot.cast()) };
        (Producer(slot), task)
    }

    fn finish(self, result: Output) {
        // SAFETY: the producer has not left, so the slot is in use.
        let place = unsafe { self.0.as_ref() }.result.get();
        // SAFETY: before the task has finished, the result is the producer's alone.
        unsafe { *place = Some(result) };
        // SAFETY: the result is written, and the producer is used up.
        unsafe { Header::finish(self.0.cast()) };
    }

    fn is_cancelled(&self) -> bool {
        // SAFETY: the producer has not left, so the slot is in use.
        unsafe { self.0.as_ref() }.header.is_cancelled()
    }
}

#[test]
fn a_slot_is_used_again_and_again() {
    let counted = Counted::default();
    for round in 0..100 {
        let (producer, task) = Producer::start();
        let item = counted.clone();
        let thread = thread::spawn(move || producer.finish(Ok(item)));
        match round % 3 {
            0 => drop(task.join().unwrap()),
            1 => drop(task),
            _ => task.on_done(drop),
        }
        thread.join().unwrap();
        assert_eq!(counted.others(), 0);
    }

    let (producer, task) = Producer::start();
    task.cancel();
    task.cancel();
    assert_eq!(CANCELLED.load(Ordering::Relaxed), 1, "a pool is told once");
    assert!(producer.is_cancelled());
    assert!(!task.is_failed(), "it has not ended");
    producer.finish(Err(JoinError::Cancelled));
    assert!(task.is_failed());
    assert!(task.join().unwrap_err().is_cancelled());

    // One slot was enough, for each was free before the next was asked for; given back to the heap at the end.
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
    for address in FREE.lock().unwrap().drain(..) {
        let slot = std::ptr::with_exposed_provenance_mut::<std::mem::MaybeUninit<Slot>>(address);
        // SAFETY: the slot came from a `Box` of this type, is free, and is on the list once.
        drop(unsafe { Box::from_raw(slot) });
    }
}
