//! The only module that names what loom and shuttle replace: atomics, the cell that they guard, the pointer that counts its
//! owners, waiting for another thread to go on, and the short locks.

#[cfg(not(trefoil_loom))]
mod cell;
#[cfg(trefoil_shuttle)]
mod scheduled;

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
pub(crate) use real::{
    Arc, AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Backoff, Mutex, MutexGuard, Ordering,
    ShortGuard, ShortLock, UnsafeCell, fence, fence_for_loom, spin_loop, thread_local,
};
#[cfg(all(not(any(trefoil_loom, trefoil_shuttle)), target_has_atomic = "64"))]
pub(crate) use real::{AtomicI64, AtomicU64};

#[cfg(trefoil_shuttle)]
pub(crate) use scheduled::{
    Arc, AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Backoff, Mutex,
    MutexGuard, Ordering, ShortGuard, ShortLock, UnsafeCell, fence, fence_for_loom, give_way, lazy_static,
    random_below, spin_loop, thread_index, thread_local,
};

/// How a thread sleeps that waits for a future. Under loom no model does: loom has a `block_on` of its own.
#[cfg(not(trefoil_shuttle))]
pub(crate) use std::sync::{Condvar as Sleep, Mutex as SleepLock};

#[cfg(trefoil_shuttle)]
pub(crate) use shuttle::sync::{Condvar as Sleep, Mutex as SleepLock};

/// Whether this is built to be run by loom or shuttle. Neither knows the time, and both try the orders by themselves.
pub(crate) const IS_MODEL: bool = cfg!(any(trefoil_loom, trefoil_shuttle));

#[cfg(not(trefoil_loom))]
pub(crate) use std::sync::OnceLock;

#[cfg(trefoil_loom)]
pub(crate) use modelled::{
    Arc, AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Backoff, Mutex,
    MutexGuard, OnceLock, Ordering, ShortGuard, ShortLock, UnsafeCell, fence, fence_for_loom, give_way,
    lazy_static, random_below, spin_loop, thread_index, thread_local,
};

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
mod real {
    pub(crate) use super::cell::UnsafeCell;
    pub(crate) use crossbeam_utils::Backoff;
    pub(crate) use std::hint::spin_loop;
    use std::sync::PoisonError;
    #[cfg(target_has_atomic = "64")]
    pub(crate) use std::sync::atomic::{AtomicI64, AtomicU64};
    pub(crate) use std::sync::{
        Arc, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence},
    };
    pub(crate) use std::thread_local;

    /// Nothing: the `SeqCst` operations around it are enough.
    #[inline(always)]
    pub(crate) fn fence_for_loom() {}

    /// A lock of one byte, held for some instructions, in which nothing of a user's runs.
    pub(crate) struct ShortLock(AtomicU8);

    pub(crate) struct ShortGuard<'a>(&'a ShortLock);

    impl ShortLock {
        pub(crate) const fn new() -> Self {
            ShortLock(AtomicU8::new(0))
        }

        #[inline]
        pub(crate) fn lock(&self) -> ShortGuard<'_> {
            let mut looks = 0_u32;
            loop {
                if let Some(guard) = self.try_lock() {
                    return guard;
                }
                // Whoever has it may have lost his CPU.
                looks += 1;
                if looks % 64 == 0 { std::thread::yield_now() } else { spin_loop() }
            }
        }

        #[inline]
        fn try_lock(&self) -> Option<ShortGuard<'_>> {
            // Acquire: pairs with the store of the last guard.
            let taken = self.0.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed);
            taken.is_ok().then(|| ShortGuard(self))
        }
    }

    impl Drop for ShortGuard<'_> {
        #[inline]
        fn drop(&mut self) {
            self.0.0.store(0, Ordering::Release);
        }
    }

    /// The lock around a primitive's state, held for a few instructions.
    pub(crate) struct Mutex<S>(std::sync::Mutex<S>);

    impl<S> Mutex<S> {
        pub(crate) const fn new(state: S) -> Self {
            Mutex(std::sync::Mutex::new(state))
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
            // No code of a user runs under the lock, and ours does not panic half way through a change.
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(trefoil_loom)]
mod modelled {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
    pub(crate) use loom::thread_local;
    use std::ops::{Deref, DerefMut};

    /// Loom takes `SeqCst` operations for `AcqRel` ones, and knows the total order from fences alone. This stands where
    /// an argument rests on the total order.
    pub(crate) fn fence_for_loom() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn spin_loop() {
        loom::thread::yield_now();
    }

    /// Where a deadline passes. Loom tries the others by itself.
    pub(crate) fn give_way() {}

    /// Loom cannot draw, and does the same again for each order of the threads.
    pub(crate) fn random_below(_: usize) -> usize {
        0
    }

    pub(crate) use loom::lazy_static;

    /// A small number for each modelled thread.
    pub(crate) fn thread_index() -> u32 {
        loom::lazy_static! {
            static ref NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        }
        loom::thread_local! {
            static INDEX: u32 = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        INDEX.with(|index| *index)
    }

    /// The real one spins; what matters is that one at a time has it.
    pub(crate) struct ShortLock(loom::sync::Mutex<()>);

    pub(crate) struct ShortGuard<'a>(#[expect(dead_code, reason = "dropped")] loom::sync::MutexGuard<'a, ()>);

    impl ShortLock {
        pub(crate) fn new() -> Self {
            ShortLock(loom::sync::Mutex::new(()))
        }

        pub(crate) fn lock(&self) -> ShortGuard<'_> {
            ShortGuard(self.0.lock().expect("no model panics under the lock"))
        }
    }

    /// Lets another thread go on, which is what all waiting comes to under loom.
    pub(crate) struct Backoff;

    impl Backoff {
        pub(crate) fn new() -> Self {
            Backoff
        }

        pub(crate) fn spin(&self) {
            loom::thread::yield_now();
        }

        pub(crate) fn snooze(&self) {
            loom::thread::yield_now();
        }
    }

    /// As the real one, whose looks loom would not see: it lets threads change places only at what it knows. Of its own it knows a
    /// lock, since it would take an atomic that is made by the first who looks for one that is made while others look.
    pub(crate) struct OnceLock<T> {
        there: Mutex<bool>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) const fn new() -> Self {
            OnceLock { there: Mutex::new(false), value: std::sync::OnceLock::new() }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            if *self.there.lock() { self.value.get() } else { None }
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            *self.there.lock() = true;
            Ok(())
        }

        pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
            self.value.get_mut()
        }

        pub(crate) fn take(&mut self) -> Option<T> {
            self.there = Mutex::new(false);
            self.value.take()
        }

        pub(crate) fn into_inner(self) -> Option<T> {
            self.value.into_inner()
        }
    }

    impl<T> From<T> for OnceLock<T> {
        fn from(value: T) -> Self {
            let once = OnceLock::new();
            assert!(once.set(value).is_ok(), "it is new");
            once
        }
    }

    /// As the real one. Loom's lock cannot be made in a `const fn`, so it is made when it is first used; it decides who
    /// has the turn, and the real lock around the state is then always free.
    pub(crate) struct Mutex<S> {
        turn: std::sync::OnceLock<loom::sync::Mutex<()>>,
        state: std::sync::Mutex<S>,
    }

    /// Gives the state back before the turn, by the order of its fields.
    pub(crate) struct MutexGuard<'a, S> {
        state: std::sync::MutexGuard<'a, S>,
        _turn: loom::sync::MutexGuard<'a, ()>,
    }

    impl<S> Mutex<S> {
        pub(crate) const fn new(state: S) -> Self {
            Mutex { turn: std::sync::OnceLock::new(), state: std::sync::Mutex::new(state) }
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
            let turn = self.turn.get_or_init(|| loom::sync::Mutex::new(()));
            let turn = turn.lock().expect("no model panics under the lock");
            let state = self.state.try_lock().expect("who has the turn finds the state free");
            MutexGuard { state, _turn: turn }
        }
    }

    impl<S> Deref for MutexGuard<'_, S> {
        type Target = S;

        fn deref(&self) -> &S {
            &self.state
        }
    }

    impl<S> DerefMut for MutexGuard<'_, S> {
        fn deref_mut(&mut self) -> &mut S {
            &mut self.state
        }
    }
}

/// A number that no other living thread has. 0 if this one is about to end, where that keeps it from knowing.
pub(crate) fn this_thread() -> usize {
    #[cfg(any(trefoil_loom, trefoil_shuttle))]
    return thread_index() as usize + 1;
    #[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
    {
        std::thread_local! {
            static PLACE: u8 = const { 0 };
        }
        PLACE.try_with(|place| std::ptr::from_ref(place).addr()).unwrap_or(0)
    }
}

/// A constructor that is `const`, but for loom, whose atomics cannot be made so.
macro_rules! const_but_for_loom {
    ($(#[$about:meta])* $visible:vis fn $new:ident($($name:ident: $type:ty)?) -> Self $body:block) => {
        $(#[$about])*
        #[cfg(not(trefoil_loom))]
        $visible const fn $new($($name: $type)?) -> Self $body

        $(#[$about])*
        #[cfg(trefoil_loom)]
        $visible fn $new($($name: $type)?) -> Self $body
    };
}
pub(crate) use const_but_for_loom;
