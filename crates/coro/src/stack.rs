//! Stacks: mapped memory with a guard page below, kept for the next coroutine of the thread.
//!
//! Mapping a stack, touching it for the first time and unmapping it takes microseconds; taking over one that has just
//! been left takes nanoseconds and finds its pages in the cache. So each thread keeps some.
#![allow(unsafe_code, reason = "a stack is given to a crate that runs code on it")]

use corosensei::stack::{DefaultStack, StackPointer};
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::io;
use std::mem::ManuallyDrop;

/// What a stack has if nothing else was asked for.
///
/// The other side of the trade: a panic that prints a backtrace with symbols takes some 20 KiB, formatting a number
/// under one. Only pages that are touched take memory, so a larger stack costs address space alone; but that is what
/// strict overcommit and `ulimit -v` count, and 10,000 of these are 640 MB of it already.
pub(crate) const BYTES_DEFAULT: usize = 64 * 1024;

/// The least a stack has, and the step in which sizes are rounded up, so that few sizes share what is kept.
const BYTES_MIN: usize = 16 * 1024;

/// How much a thread keeps at most, in sizes of stacks: 64 of the default ones.
///
/// More would serve larger bursts of short coroutines; but what is kept holds every page that a coroutine ever touched,
/// until the thread ends.
const IDLE_BYTES_MAX: usize = 64 * BYTES_DEFAULT;

/// A stack, for one coroutine. Dropped, it is kept for the next one or unmapped.
pub(crate) struct Stack {
    mapped: ManuallyDrop<DefaultStack>,
    bytes: usize,
}

#[derive(Default)]
struct Idle {
    stacks: Vec<(usize, DefaultStack)>,
    bytes: usize,
}

thread_local! {
    static IDLE: RefCell<Idle> = RefCell::default();
}

impl Stack {
    /// A stack of at least so many bytes.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let bytes = rounded(bytes)?;
        let mapped = match Idle::take(bytes) {
            Some(mapped) => mapped,
            None => map(bytes)?,
        };
        Ok(Stack { mapped: ManuallyDrop::new(mapped), bytes })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: this is the drop, which happens once, and nothing uses the field after it.
        let mapped = unsafe { ManuallyDrop::take(&mut self.mapped) };
        Idle::keep(self.bytes, mapped);
    }
}

// SAFETY: everything is that of corosensei's own stack, which has a guard page and more than the least size.
unsafe impl corosensei::stack::Stack for Stack {
    #[inline]
    fn base(&self) -> StackPointer {
        self.mapped.base()
    }

    #[inline]
    fn limit(&self) -> StackPointer {
        self.mapped.limit()
    }

    #[cfg(windows)]
    #[inline]
    fn teb_fields(&self) -> corosensei::stack::StackTebFields {
        self.mapped.teb_fields()
    }

    #[cfg(windows)]
    #[inline]
    fn update_teb_fields(&mut self, stack_limit: usize, guaranteed_stack_bytes: usize) {
        self.mapped.update_teb_fields(stack_limit, guaranteed_stack_bytes);
    }
}

impl Idle {
    fn take(bytes: usize) -> Option<DefaultStack> {
        // A destructor of another thread-local may make coroutines after what is kept is gone.
        IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            // The last one in is the warmest.
            let at = idle.stacks.iter().rposition(|(size, _)| *size == bytes)?;
            idle.bytes -= bytes;
            Some(idle.stacks.remove(at).1)
        })
        .ok()
        .flatten()
    }

    fn keep(bytes: usize, stack: DefaultStack) {
        let _ = IDLE.try_with(|idle| {
            let mut idle = idle.borrow_mut();
            if idle.bytes + bytes <= IDLE_BYTES_MAX {
                idle.bytes += bytes;
                idle.stacks.push((bytes, stack));
            }
        });
    }

    fn release_all() {
        let _ = IDLE.try_with(RefCell::take);
    }
}

fn rounded(bytes: usize) -> io::Result<usize> {
    let least = bytes.max(BYTES_MIN);
    match least.checked_next_multiple_of(BYTES_MIN) {
        Some(rounded) if rounded <= isize::MAX as usize - BYTES_MIN => Ok(rounded),
        _ => Err(no_stack(bytes, io::ErrorKind::OutOfMemory.into())),
    }
}

fn map(bytes: usize) -> io::Result<DefaultStack> {
    DefaultStack::new(bytes)
        .or_else(|_| {
            // What is kept in other sizes may be what is missing.
            Idle::release_all();
            DefaultStack::new(bytes)
        })
        .map_err(|source| no_stack(bytes, source))
}

fn no_stack(bytes: usize, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), NoStack { bytes, source })
}

#[derive(Debug)]
struct NoStack {
    bytes: usize,
    source: io::Error,
}

impl fmt::Display for NoStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoStack { bytes, source } = self;
        write!(
            f,
            "no stack of {bytes} bytes for a coroutine: {source}; drop coroutines that are done with, ask for smaller \
             stacks, or raise the limit (on Linux `ulimit -v`, and vm.max_map_count, of which each stack takes two)"
        )
    }
}

impl Error for NoStack {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
