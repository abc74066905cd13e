//! Tasks and coroutines.

use crate::parker::OwnThread;
use crate::{Expected, Program};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::{Context as Cx, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::check::{self, Context};
use sync::park::{self, Parker, block_on};
use sync::{Event, Mutex};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "two_tasks_on_one_thread",
        expected: Expected::Certain(&["`first`", "`second`", "tasks.rs:"]),
        run: two_tasks_on_one_thread,
    },
    Program {
        name: "two_tasks_on_two_threads",
        expected: Expected::Certain(&["`first`", "`second`"]),
        run: two_tasks_on_two_threads,
    },
    Program {
        name: "a_task_and_a_thread",
        expected: Expected::Certain(&["`task`", "`main`"]),
        run: a_task_and_a_thread,
    },
    Program {
        name: "a_task_that_awaits_two_locks_of_its_own",
        expected: Expected::Certain(&["`both`"]),
        run: a_task_that_awaits_two_locks_of_its_own,
    },
    Program {
        name: "a_coroutine_and_a_thread",
        expected: Expected::Certain(&["`coroutine`", "`main`"]),
        run: a_coroutine_and_a_thread,
    },
    Program {
        name: "a_task_that_is_polled_by_whoever_wakes_it",
        expected: Expected::Certain(&["`inline`", "`worker`"]),
        run: a_task_that_is_polled_by_whoever_wakes_it,
    },
    Program {
        name: "a_task_that_was_passed_over_holds_the_lock_once",
        expected: Expected::Silence,
        run: a_task_that_was_passed_over_holds_the_lock_once,
    },
    Program { name: "a_task_with_a_limit", expected: Expected::Silence, run: a_task_with_a_limit },
    Program {
        name: "a_task_that_awaits_something_else_as_well",
        expected: Expected::Silence,
        run: a_task_that_awaits_something_else_as_well,
    },
    Program {
        name: "tasks_that_nobody_tells_apart",
        expected: Expected::Silence,
        run: tasks_that_nobody_tells_apart,
    },
    Program {
        name: "coroutines_that_nobody_tells_apart",
        expected: Expected::Silence,
        run: coroutines_that_nobody_tells_apart,
    },
    Program {
        name: "a_task_that_is_dropped_with_a_guard",
        expected: Expected::Potential,
        run: a_task_that_is_dropped_with_a_guard,
    },
];

/// Both futures, polled in turn.
async fn both(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut done = (false, false);
    poll_fn(|cx| {
        done.0 = done.0 || first.as_mut().poll(cx).is_ready();
        done.1 = done.1 || second.as_mut().poll(cx).is_ready();
        if done.0 && done.1 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn one_and_then_the_other(one: &Mutex<()>, other: &Mutex<()>) {
    let _one = one.lock_async().await;
    yield_once().await;
    drop(other.lock_async().await);
}

fn two_tasks_on_one_thread() {
    let (a, b) = (Mutex::new(()), Mutex::new(()));
    block_on(both(
        Context::new("first").task(one_and_then_the_other(&a, &b)),
        Context::new("second").task(one_and_then_the_other(&b, &a)),
    ));
}

fn two_tasks_on_two_threads() {
    let (a, b, met) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
    let task = |one: &Mutex<()>, other: &Mutex<()>, name| {
        block_on(Context::new(name).task(async {
            let _one = one.lock_async().await;
            met.wait();
            drop(other.lock_async().await);
        }));
    };
    thread::scope(|scope| {
        scope.spawn(|| task(&a, &b, "first"));
        task(&b, &a, "second");
    });
}

fn a_task_and_a_thread() {
    let (a, b, met) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(Context::new("task").task(async {
                let _a = a.lock_async().await;
                met.wait();
                drop(b.lock_async().await);
            }));
        });
        let _b = b.lock();
        met.wait();
        drop(a.lock());
    });
}

/// Two waits at once, and none of them can end.
fn a_task_that_awaits_two_locks_of_its_own() {
    let (a, b) = (Mutex::new(()), Mutex::new(()));
    block_on(Context::new("both").task(both(one_and_then_the_other(&a, &b), one_and_then_the_other(&b, &a))));
}

fn as_coroutine(work: impl FnOnce()) {
    let _installed = park::install(Rc::new(OwnThread::default()));
    work();
}

fn a_coroutine_and_a_thread() {
    let (a, b, met) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            as_coroutine(|| {
                let context = Context::new("coroutine");
                let _entered = context.enter();
                let _a = a.lock();
                met.wait();
                drop(b.lock());
            });
        });
        let _b = b.lock();
        met.wait();
        drop(a.lock());
    });
}

/// A task whose waker polls it, on the spot.
struct Inline(std::sync::Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let _it_never_ends = self.0.lock().unwrap().as_mut().poll(&mut Cx::from_waker(&waker));
    }
}

/// So what has woken it still runs when it begins to wait again.
fn a_task_that_is_polled_by_whoever_wakes_it() {
    let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
    let (promise, ends) = sync::promise::<()>();
    let all = Arc::clone(&locks);
    let body = async move {
        let _first = all[0].lock_async().await;
        ends.await.unwrap();
        drop(all[1].lock_async().await);
    };
    let task = Inline(std::sync::Mutex::new(Box::pin(Context::new("inline").task(body))));
    Arc::new(task).wake();
    let all = Arc::clone(&locks);
    let worker = thread::Builder::new().name("worker".into()).spawn(move || {
        let _second = all[1].lock();
        drop(all[0].lock());
    });
    while !locks[0].has_waiters() {
        thread::yield_now();
    }
    promise.finish(Ok(()));
    worker.unwrap().join().unwrap();
}

/// The thread waits for ever, but the task does not.
fn a_task_with_a_limit() {
    check::set_patience(Duration::from_millis(20));
    let (a, b, met) = (Mutex::new(()), Mutex::new(()), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(Context::new("task").task(async {
                let _a = a.lock_async().await;
                met.wait();
                assert!(b.lock_async_timeout(Duration::from_millis(200)).await.is_err());
            }));
        });
        let _b = b.lock();
        met.wait();
        drop(a.lock());
    });
}

/// It would go on if the event were set, and then it is.
fn a_task_that_awaits_something_else_as_well() {
    check::set_patience(Duration::from_millis(20));
    let (a, b, met, event) = (Mutex::new(()), Mutex::new(()), Barrier::new(2), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(Context::new("task").task(async {
                let _a = a.lock_async().await;
                met.wait();
                let (mut lock, mut set) = (pin!(b.lock_async()), pin!(event.wait_async()));
                poll_fn(|cx| {
                    if lock.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    set.as_mut().poll(cx)
                })
                .await;
            }));
        });
        scope.spawn(|| {
            while !a.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(200));
            event.set();
        });
        let _b = b.lock();
        met.wait();
        drop(a.lock());
    });
}

/// To the checker, they would be one that waits for itself.
fn tasks_that_nobody_tells_apart() {
    check::set_patience(Duration::from_millis(20));
    let (a, go_on) = (Mutex::new(()), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            while !a.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(200));
            go_on.set();
        });
        block_on(both(
            async {
                let _a = a.lock_async().await;
                go_on.wait_async().await;
            },
            async { drop(a.lock_async().await) },
        ));
    });
}

/// As above; in the place of a scheduler, the parker runs what else is there.
fn coroutines_that_nobody_tells_apart() {
    struct RunsTheOther(OwnThread, std::cell::Cell<Option<Box<dyn FnOnce()>>>);

    impl Parker for RunsTheOther {
        fn waker(&self) -> Waker {
            self.0.waker()
        }

        fn park(&self, deadline: Option<Instant>) {
            if let Some(other) = self.1.take() {
                thread::sleep(Duration::from_millis(200));
                other();
            }
            self.0.park(deadline);
        }

        fn cooperative(&self) -> bool {
            true
        }
    }

    check::set_patience(Duration::from_millis(20));
    let mutex: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
    let parker = RunsTheOther(OwnThread::default(), std::cell::Cell::new(None));
    let parker = Rc::new(parker);
    let _installed = park::install(Rc::clone(&parker) as Rc<dyn Parker>);
    let of_the_other = mutex.lock();
    parker.1.set(Some(Box::new(move || drop(of_the_other))));
    drop(mutex.lock());
}

/// Its guards go back as its own: the lock is not taken for one whose guards travel.
fn a_task_that_is_dropped_with_a_guard() {
    let (a, b) = (Mutex::new(()), Mutex::new(()));
    let mut task: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(Context::new("dropped").task(async {
        let _a = a.lock();
        std::future::pending::<()>().await;
    }));
    assert!(task.as_mut().poll(&mut Cx::from_waker(Waker::noop())).is_pending());
    drop(task);
    let (done, other_is_done) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let (a, b) = (a.lock(), b.lock());
            drop((a, b));
            done.wait();
            other_is_done.wait();
        });
        done.wait();
        let (b, a) = (b.lock(), a.lock());
        drop((a, b));
        other_is_done.wait();
    });
}

/// It takes the lock at a later poll than the first, and without having been told.
fn a_task_that_was_passed_over_holds_the_lock_once() {
    let account = Mutex::new(());
    let held = account.lock();
    let mut task = pin!(Context::new("late").task(async {
        drop(account.lock_async().await);
        check::assert_nothing_held();
    }));
    let mut cx = Cx::from_waker(Waker::noop());
    assert!(task.as_mut().poll(&mut cx).is_pending());
    // It waits for so long that the lock is kept for it.
    thread::sleep(Duration::from_millis(5));
    drop(held);
    assert!(account.is_locked(), "anybody could take it, and nobody would be passed over");
    // It is told, and does not come.
    while account.try_lock().is_none() {
        thread::yield_now();
    }
    assert!(task.poll(&mut cx).is_ready());
}
