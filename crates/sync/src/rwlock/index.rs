//! A small number for each thread that runs, which no other thread has at the same time.

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
pub(super) use real::here;

#[cfg(any(trefoil_loom, trefoil_shuttle))]
pub(super) use crate::primitive::thread_index as here;

#[cfg(not(any(trefoil_loom, trefoil_shuttle)))]
mod real {
    use std::cell::Cell;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    use std::sync::{Mutex, PoisonError};

    /// The thread has no number yet.
    const NONE: u32 = u32::MAX;
    /// The thread has given its number back: it is going away. No slot belongs to this one.
    const GONE: u32 = u32::MAX - 1;

    thread_local! {
        static INDEX: Cell<u32> = const { Cell::new(NONE) };
        static GIVES_BACK: GivesBack = const { GivesBack };
    }

    struct Numbers {
        next: u32,
        free: BinaryHeap<Reverse<u32>>,
    }

    static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { next: 0, free: BinaryHeap::new() });

    struct GivesBack;

    /// The number of this thread. Whoever has it next sees all that this thread has done with it.
    #[inline]
    pub(in crate::rwlock) fn here() -> u32 {
        match INDEX.get() {
            NONE => take(),
            index => index,
        }
    }

    /// The smallest one that is free, so that few threads have small numbers.
    #[cold]
    fn take() -> u32 {
        // Once more in the life of each thread, a destructor is registered.
        if GIVES_BACK.try_with(|_| ()).is_err() {
            INDEX.set(GONE);
            return GONE;
        }
        let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match numbers.free.pop() {
            Some(Reverse(index)) => index,
            None => {
                // As many threads as that do not fit into memory.
                numbers.next += 1;
                numbers.next - 1
            }
        };
        drop(numbers);
        INDEX.set(index);
        index
    }

    impl Drop for GivesBack {
        fn drop(&mut self) {
            let index = INDEX.replace(GONE);
            if index < GONE {
                NUMBERS.lock().unwrap_or_else(PoisonError::into_inner).free.push(Reverse(index));
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::sync::Barrier;

        #[test]
        fn threads_that_run_at_once_have_numbers_of_their_own() {
            let all_have_one = Barrier::new(3);
            let mut numbers = std::thread::scope(|scope| {
                let threads = [(); 3].map(|()| {
                    scope.spawn(|| {
                        let number = here();
                        all_have_one.wait();
                        assert_eq!(here(), number);
                        number
                    })
                });
                threads.map(|thread| thread.join().unwrap())
            });
            numbers.sort_unstable();
            assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
        }
    }
}
