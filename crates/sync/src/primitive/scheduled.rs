//! What shuttle replaces. It runs the threads of a model one at a time and draws at each operation of these who is next,
//! from a seed. All orderings count as `SeqCst`: weaker ones are loom's field.

pub(crate) use super::cell::UnsafeCell;
pub(crate) use shuttle::hint::spin_loop;
use shuttle::rand::Rng;
pub(crate) use shuttle::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub(crate) use shuttle::sync::{Arc, MutexGuard};
pub(crate) use shuttle::{lazy_static, thread_local};
use std::sync::PoisonError;

/// Nothing: every operation is in the one order.
pub(crate) fn fence_for_loom() {}

/// Where a deadline passes: others may have done a good deal meanwhile, or nothing.
pub(crate) fn give_way() {
    for _ in 0..random_below(4) {
        shuttle::thread::yield_now();
    }
}

/// Drawn with the schedule, so that it is the same when that is run again.
pub(crate) fn random_below(bound: usize) -> usize {
    shuttle::rand::thread_rng().gen_range(0..bound)
}

/// A small number for each modelled thread.
pub(crate) fn thread_index() -> u32 {
    u32::try_from(usize::from(shuttle::current::me())).expect("a few threads")
}

/// The real one spins; what matters is that one at a time has it.
pub(crate) struct ShortLock(shuttle::sync::Mutex<()>);

pub(crate) struct ShortGuard<'a>(#[expect(dead_code, reason = "dropped")] MutexGuard<'a, ()>);

impl ShortLock {
    pub(crate) const fn new() -> Self {
        ShortLock(shuttle::sync::Mutex::new(()))
    }

    pub(crate) fn lock(&self) -> ShortGuard<'_> {
        ShortGuard(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Lets another thread go on, which is what all waiting comes to here.
pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Backoff
    }

    pub(crate) fn spin(&self) {
        spin_loop();
    }

    pub(crate) fn snooze(&self) {
        spin_loop();
    }
}

/// As the real one, whose lock shuttle knows.
pub(crate) struct Mutex<S>(shuttle::sync::Mutex<S>);

impl<S> Mutex<S> {
    pub(crate) const fn new(state: S) -> Self {
        Mutex(shuttle::sync::Mutex::new(state))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
