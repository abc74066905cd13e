//! A lock that its owner takes again, where a hub runs several things on one thread.

mod common;
#[path = "common/parker.rs"]
mod parker;

use common::SHORT;
use corosensei::{Coroutine, CoroutineResult, ScopedCoroutine, Yielder};
use parker::OwnThread;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use sync::Event;
use sync::extra::{Owner, RLock};
use sync::park::{self, Parker, Signal, block_on};

/// The message of the panic that `work` ends with.
fn panic_of<R>(work: impl FnOnce() -> R) -> String {
    let panicked = sync::catch(AssertUnwindSafe(work)).err().expect("it should panic");
    panicked.to_string()
}

#[test]
fn coroutines_of_a_hub_are_told_apart_by_the_hub() {
    let lock = RLock::new(());
    let of_the_thread = lock.lock();
    let hub = park::install(Rc::new(OwnThread::default()));
    let message = panic_of(|| lock.lock());
    assert!(message.contains("run each as an `extra::Owner`"), "{message}");
    assert!(panic_of(|| lock.try_lock()).contains("run each as an `extra::Owner`"));
    assert!(panic_of(|| lock.lock_timeout(SHORT)).contains("run each as an `extra::Owner`"));
    assert_eq!((lock.depth(), lock.is_owner()), (0, false));
    assert_eq!(format!("{lock:?}"), "RLock { <locked> }");
    drop(of_the_thread);

    let (one, other) = (Owner::new(), Owner::new());
    let guards = one.run(|| (lock.lock(), lock.lock()));
    other.run(|| assert!(lock.try_lock().is_none()));
    one.run(|| {
        assert_eq!(lock.depth(), 2);
        drop(guards);
    });
    other.run(|| assert!(lock.try_lock().is_some()));
    drop(hub);
    assert!(lock.try_lock().is_some(), "the thread is itself again");
}

/// Each is again who it was, be he run twice, one inside the other, or by way of a panic.
#[test]
fn who_ran_before_goes_on_when_an_owner_has_run() {
    let lock = RLock::new(());
    let (one, other) = (Owner::new(), Owner::new());
    let guard = one.run(|| lock.lock());
    one.run(|| {
        other.run(|| {
            assert!(!lock.is_owner());
            one.run(|| assert!(lock.is_owner()));
            assert!(!lock.is_owner());
            assert!(panic_of(|| one.run(|| panic!("asked for"))).contains("asked for"));
            assert!(!lock.is_owner());
        });
        assert!(lock.is_owner());
    });
    assert!(!lock.is_owner());
    drop(guard);
    drop(lock.lock());
}

type Body = Coroutine<(), (), ()>;

/// A coroutine that no crate tells apart.
fn coroutine(body: impl FnOnce(&Yielder<(), ()>) + 'static) -> Body {
    Coroutine::new(move |yielder, ()| body(yielder))
}

fn is_suspended(coroutine: &mut Body) -> bool {
    matches!(coroutine.resume(()), CoroutineResult::Yield(()))
}

/// Takes the lock twice, as a task, and is suspended in the middle of its poll after each.
fn task_in_a_coroutine(lock: &Rc<RLock<RefCell<Vec<&'static str>>>>, name: &'static str) -> Body {
    let lock = Rc::clone(lock);
    coroutine(move |yielder| {
        block_on(Owner::new().task(async {
            yielder.suspend(());
            let Some(outer) = lock.try_lock() else {
                assert!(!lock.is_owner());
                return;
            };
            outer.borrow_mut().push(name);
            yielder.suspend(());
            assert!(lock.is_owner(), "it is still the task that took it");
            let inner = lock.lock_async().await;
            assert_eq!(lock.depth(), 2);
            inner.borrow_mut().push(name);
            yielder.suspend(());
        }));
    })
}

#[test]
#[cfg_attr(miri, ignore = "Miri knows no stacks but the thread's")]
fn coroutines_that_are_suspended_while_they_poll_a_task_are_told_apart() {
    let lock = Rc::default();
    let (one, other) = (Owner::new(), Owner::new());
    let (mut first, mut second) = (task_in_a_coroutine(&lock, "first"), task_in_a_coroutine(&lock, "second"));
    assert!(one.run(|| is_suspended(&mut first)));
    assert!(other.run(|| is_suspended(&mut second)));
    // The first one has it, and the second is not let in.
    assert!(one.run(|| is_suspended(&mut first)));
    assert!(!lock.is_owner(), "the hub is neither of them");
    assert!(!other.run(|| is_suspended(&mut second)), "it ends where it may not have the lock");
    assert!(one.run(|| is_suspended(&mut first)));
    assert!(!one.run(|| is_suspended(&mut first)));
    one.run(|| assert_eq!((lock.is_locked(), lock.depth()), (false, 0)));
    assert_eq!(*lock.lock().borrow(), ["first", "first"]);
}

/// Whatever runs innermost suspends the outer one, with itself on it.
#[test]
#[cfg_attr(miri, ignore = "Miri knows no stacks but the thread's")]
fn a_coroutine_inside_of_another_that_is_suspended_goes_on_as_who_it_was() {
    let lock = Rc::new(RLock::new(()));
    let (outer, of_the_inner) = (Owner::new(), Rc::clone(&lock));
    let mut outer_coroutine = coroutine(move |outer_yielder| {
        let inner = ScopedCoroutine::new(|_: &Yielder<(), ()>, ()| {
            let guard = of_the_inner.lock();
            outer_yielder.suspend(());
            assert!(of_the_inner.is_owner(), "it is still the inner one that took it");
            drop(guard);
        });
        Owner::new().run(|| inner.scope(|mut inner| _ = inner.resume(())));
    });
    assert!(outer.run(|| is_suspended(&mut outer_coroutine)));
    assert!(!lock.is_owner(), "the hub is neither of them");
    assert!(!outer.run(|| is_suspended(&mut outer_coroutine)));
    assert!(!lock.is_locked());
}

/// It is dropped by the hub, which is somebody else then.
#[test]
#[cfg_attr(miri, ignore = "Miri knows no stacks but the thread's")]
fn a_coroutine_that_ends_inside_of_its_poll_leaves_the_hub_who_it_is() {
    let lock = Rc::default();
    let (hub, one) = (Owner::new(), Owner::new());
    hub.run(|| {
        let of_the_hub = RLock::new(());
        let guard = of_the_hub.lock();
        let mut first = task_in_a_coroutine(&lock, "first");
        assert!(one.run(|| is_suspended(&mut first)));
        assert!(one.run(|| is_suspended(&mut first)));
        drop(first);
        assert!(!lock.is_locked());
        assert!(of_the_hub.is_owner());
        one.run(|| assert!(!of_the_hub.is_owner()));
        drop(guard);
    });
}

/// A hub that runs what is next on the stack of the one who parks, as one without stacks of its own does.
struct OnTop {
    signal: Arc<Signal>,
    next: RefCell<Vec<Box<dyn FnOnce()>>>,
}

impl Parker for OnTop {
    fn waker(&self) -> Waker {
        self.signal.waker()
    }

    fn park(&self, deadline: Option<Instant>) {
        let next = self.next.borrow_mut().pop();
        match next {
            Some(next) => next(),
            None => self.signal.wait(deadline),
        }
    }

    fn cooperative(&self) -> bool {
        true
    }
}

/// No owner is run by the hub: the tasks name themselves, and what is no task is nobody.
#[test]
fn whoever_runs_while_a_task_is_parked_is_not_the_task() {
    let (lock, looked) = (Rc::new(RLock::new(())), Rc::new(Cell::new(0)));
    let go_on = Rc::new([Event::new(), Event::new()]);
    let looks = || -> Box<dyn FnOnce()> {
        let (lock, go_on, looked) = (Rc::clone(&lock), Rc::clone(&go_on), Rc::clone(&looked));
        Box::new(move || {
            assert!(!lock.is_owner(), "the one who has it is parked");
            assert!(panic_of(|| lock.lock()).contains("run each as an `extra::Owner`"));
            block_on(Owner::new().task(async { assert!(lock.try_lock().is_none()) }));
            go_on[looked.replace(looked.get() + 1)].set();
        })
    };
    let parker = OnTop { signal: Arc::default(), next: RefCell::new(vec![looks(), looks()]) };
    let _hub = park::install(Rc::new(parker));
    block_on(Owner::new().task(async {
        let _outer = lock.lock_async().await;
        // It blocks inside of its poll.
        go_on[0].wait();
        assert_eq!(looked.get(), 1);
        assert!(lock.is_owner(), "it is itself again");
        go_on[1].wait();
        assert_eq!((looked.get(), lock.depth()), (2, 1));
        drop(lock.lock_async().await);
    }));
    assert!(!lock.is_locked());
}

#[test]
fn what_a_hub_runs_in_a_task_is_not_the_task() {
    let lock = RLock::new(());
    let run = async {
        let guard = lock.lock_async().await;
        let hub = park::install(Rc::new(OwnThread::default()));
        assert!(!lock.is_owner());
        assert!(panic_of(|| lock.try_lock()).contains("run each as an `extra::Owner`"));
        Owner::new().run(|| assert!(lock.try_lock().is_none()));
        block_on(Owner::new().task(async { assert!(lock.try_lock().is_none()) }));
        drop(hub);
        assert!(lock.is_owner(), "the task is itself again");
        drop(guard);
    };
    block_on(Owner::new().task(run));
    assert!(!lock.is_locked());
}

/// A hub that holds up its thread has nothing else to run there.
#[test]
fn a_parker_of_the_whole_thread_changes_nobody() {
    struct Alone(OwnThread);

    impl Parker for Alone {
        fn waker(&self) -> Waker {
            self.0.waker()
        }

        fn park(&self, deadline: Option<Instant>) {
            self.0.park(deadline);
        }

        fn cooperative(&self) -> bool {
            false
        }
    }

    let lock = RLock::new(());
    block_on(Owner::new().task(async {
        let _guard = lock.lock_async().await;
        let _installed = park::install(Rc::new(Alone(OwnThread::default())));
        drop(lock.lock());
        assert_eq!(lock.depth(), 1);
    }));
}

/// The wait is of a future's own, so that it parks.
#[test]
fn a_task_that_blocks_by_a_future_is_itself_again_after_it() {
    fn waits_inside(lock: &RLock<()>, wait: impl Future<Output = ()>) {
        let before = lock.depth();
        block_on(wait);
        assert_eq!(lock.depth(), before);
    }

    let lock = RLock::new(());
    block_on(Owner::new().task(async {
        let _guard = lock.lock_async().await;
        waits_inside(&lock, sync::timer::sleep(SHORT));
    }));
}
