//! A lock that its owner takes again: who is asked which coroutine runs, and owners at the end of their thread.

use std::cell::{Cell, RefCell};
use std::thread;
use sync::extra::{AlreadyToldApart, Owner, RLock};

thread_local! {
    /// The coroutines that this file makes believe that it runs, the last one innermost.
    static RUNNING: RefCell<Vec<&'static Owner>> = const { RefCell::new(Vec::new()) };
}

fn show(look: &mut dyn FnMut(&Owner)) {
    let innermost = RUNNING.try_with(|running| running.borrow().last().copied());
    if let Ok(Some(owner)) = innermost {
        look(owner);
    }
}

fn as_a_coroutine<R>(owner: &'static Owner, work: impl FnOnce() -> R) -> R {
    RUNNING.with(|running| running.borrow_mut().push(owner));
    let result = work();
    RUNNING.with(|running| running.borrow_mut().pop());
    result
}

/// One test, for it can be said once in a process.
#[test]
fn who_tells_coroutines_apart_is_asked_and_a_second_one_is_refused() {
    assert_eq!(Owner::tell_coroutines_apart(show), Ok(()));
    assert_eq!(Owner::tell_coroutines_apart(|_| ()), Err(AlreadyToldApart));
    assert!(AlreadyToldApart.to_string().contains("extra::Owner::run"));

    let (one, other) = (Box::leak(Box::new(Owner::new())), Box::leak(Box::new(Owner::new())));
    let (one, other): (&'static Owner, &'static Owner) = (one, other);
    let lock = RLock::new(());
    let guard = as_a_coroutine(one, || lock.lock());
    assert!(!lock.is_owner(), "the thread is not its coroutine");
    as_a_coroutine(other, || {
        assert!(lock.try_lock().is_none());
        as_a_coroutine(one, || assert!(lock.is_owner()));
        // Whoever is run there is run on that stack, and not on another.
        Owner::new().run(|| as_a_coroutine(one, || assert!(lock.is_owner())));
    });
    drop(guard);
}

/// Both are of one thread, whose other thread-locals have gone.
#[test]
fn owners_are_told_apart_by_the_destructor_of_a_thread_local() {
    static LOCK: RLock<Cell<u32>> = RLock::new(Cell::new(0));

    struct AtExit;

    impl Drop for AtExit {
        fn drop(&mut self) {
            let guards = (LOCK.lock(), LOCK.lock());
            guards.0.set(LOCK.depth() as u32);
            drop(guards);
            let (one, other) = (Owner::new(), Owner::new());
            let guard = one.run(|| LOCK.lock());
            let kept_out = !LOCK.is_owner() && other.run(|| LOCK.try_lock().is_none());
            if kept_out && one.run(|| LOCK.is_owner()) {
                guard.set(guard.get() + 1);
            }
        }
    }

    thread_local! {
        static AT_EXIT: AtExit = const { AtExit };
    }
    thread::spawn(|| {
        AT_EXIT.with(|_| ());
        // What locks keep for the thread is made after it, and goes before it.
        Owner::new().run(|| drop(LOCK.lock()));
    })
    .join()
    .unwrap();
    assert_eq!(LOCK.lock().get(), 3);
}
