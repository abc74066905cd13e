//! Tasks that are waited for while something is held.

use crate::{Expected, Program};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Barrier;
use std::task::Poll;
use std::thread;
use std::time::Duration;
use sync::check::{self, Context};
use sync::park::block_on;
use sync::{Event, Mutex, Task, promise};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "a_join_under_a_lock_that_the_task_wants",
        expected: Expected::Certain(&[
            "`main` (#",
            "holds Mutex `account`",
            "waits for the task at ",
            "`worker` (#",
            "runs the task at ",
            "waits for Mutex `account`",
            "joins.rs:",
        ]),
        run: a_join_under_a_lock_that_the_task_wants,
    },
    Program {
        name: "a_task_awaits_under_a_lock_that_the_other_wants",
        expected: Expected::Certain(&["`awaits` (#", "`worker` (#", "Mutex `account`", "joins.rs:"]),
        run: a_task_awaits_under_a_lock_that_the_other_wants,
    },
    Program {
        name: "two_join_each_other",
        expected: Expected::Certain(&["`one` (#", "`two` (#"]),
        run: two_join_each_other,
    },
    Program {
        name: "a_task_waits_for_itself",
        expected: Expected::Certain(&["`worker` (#"]),
        run: a_task_waits_for_itself,
    },
    Program {
        name: "a_join_of_one_whose_work_joins_another",
        expected: Expected::Certain(&["`main` (#", "`outer` (#", "`inner` (#"]),
        run: a_join_of_one_whose_work_joins_another,
    },
    Program { name: "a_join_with_a_limit", expected: Expected::Silence, run: a_join_with_a_limit },
    Program {
        name: "a_promise_that_somebody_else_keeps",
        expected: Expected::Silence,
        run: a_promise_that_somebody_else_keeps,
    },
    Program {
        name: "a_task_that_awaits_a_task_or_an_event",
        expected: Expected::Silence,
        run: a_task_that_awaits_a_task_or_an_event,
    },
    Program {
        name: "a_handle_that_goes_on_elsewhere",
        expected: Expected::Silence,
        run: a_handle_that_goes_on_elsewhere,
    },
    Program {
        name: "cells_at_the_same_address",
        expected: Expected::Silence,
        run: cells_at_the_same_address,
    },
];

pub(crate) const PATIENCE: Duration = Duration::from_millis(20);
/// Ten times as long as the checker watches.
pub(crate) const LONGER: Duration = Duration::from_millis(200);

pub(crate) fn account() -> Mutex<()> {
    let account = Mutex::new(());
    check::name(&account, "account");
    account
}

/// A thread that runs `work` as a task.
pub(crate) fn run_by<'scope, T: Send + 'static>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Task<T> {
    let (promise, task) = promise();
    thread::Builder::new().name(name.into()).spawn_scoped(scope, move || promise.run(work)).unwrap();
    task
}

fn a_join_under_a_lock_that_the_task_wants() {
    let account = account();
    thread::scope(|scope| {
        let _held = account.lock();
        run_by(scope, "worker", || drop(account.lock())).join().unwrap();
    });
}

fn a_task_awaits_under_a_lock_that_the_other_wants() {
    let account = account();
    thread::scope(|scope| {
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            run_by(scope, "worker", || drop(account.lock())).await.unwrap();
        }));
    });
}

fn two_join_each_other() {
    let (met, handles) = (Barrier::new(2), std::sync::Mutex::new([None, None]));
    thread::scope(|scope| {
        for (number, name) in ["one", "two"].into_iter().enumerate() {
            let (promise, task) = promise::<()>();
            handles.lock().unwrap()[1 - number] = Some(task);
            let (met, handles) = (&met, &handles);
            let joins = move || {
                met.wait();
                let other = handles.lock().unwrap()[number].take().expect("one for each");
                other.join().unwrap();
            };
            thread::Builder::new().name(name.into()).spawn_scoped(scope, move || promise.run(joins)).unwrap();
        }
    });
}

fn a_task_waits_for_itself() {
    let (give, own) = std::sync::mpsc::channel::<Task<()>>();
    thread::scope(|scope| {
        let task = run_by(scope, "worker", move || own.recv().unwrap().join().unwrap());
        give.send(task).unwrap();
    });
}

/// Three, of whom only two hold anything.
fn a_join_of_one_whose_work_joins_another() {
    let account = account();
    thread::scope(|scope| {
        let _held = account.lock();
        let inner = || drop(account.lock());
        run_by(scope, "outer", move || run_by(scope, "inner", inner).join().unwrap()).join().unwrap();
    });
}

/// It looks again and again, and gives the lock back in the end.
fn a_join_with_a_limit() {
    check::set_patience(PATIENCE);
    let account = account();
    thread::scope(|scope| {
        let held = account.lock();
        let task = run_by(scope, "worker", || drop(account.lock()));
        let task = task.join_timeout(LONGER).expect_err("it wants the lock").into_inner();
        drop(held);
        task.join().unwrap();
    });
}

/// The promise is with the one who waits, but not only he can keep it.
fn a_promise_that_somebody_else_keeps() {
    check::set_patience(PATIENCE);
    let account = account();
    let (promise, task) = promise();
    let promise = std::sync::Mutex::new(Some(promise));
    thread::scope(|scope| {
        let held = account.lock();
        scope.spawn(|| {
            drop(account.lock());
            assert!(promise.lock().unwrap().is_none());
        });
        scope.spawn(|| {
            while !account.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(LONGER);
            promise.lock().unwrap().take().expect("a promise").finish(Ok(()));
        });
        task.join().unwrap();
        drop(held);
    });
}

/// Whichever of both is ready first.
async fn either(first: impl Future, second: impl Future) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    poll_fn(|cx| {
        if first.as_mut().poll(cx).is_ready() || second.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

fn a_task_that_awaits_a_task_or_an_event() {
    check::set_patience(PATIENCE);
    let (account, event) = (account(), Event::new());
    thread::scope(|scope| {
        let task = run_by(scope, "sets", || {
            while !account.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(LONGER);
            event.set();
        });
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            either(run_by(scope, "worker", || drop(account.lock())), event.wait_async()).await;
        }));
        task.join().unwrap();
    });
}

/// A task polls the handle once and sends it on: it awaits it no more, though it awaits a lock that the work holds.
fn a_handle_that_goes_on_elsewhere() {
    check::set_patience(PATIENCE);
    let (account, all_hold, go_on) = (account(), Barrier::new(2), Event::new());
    let (give, handles) = std::sync::mpsc::channel::<Task<()>>();
    thread::scope(|scope| {
        let work = || {
            let _held = account.lock();
            all_hold.wait();
            go_on.wait();
        };
        let mut task = run_by(scope, "worker", work);
        all_hold.wait();
        scope.spawn(move || handles.recv().unwrap().join().unwrap());
        scope.spawn(|| {
            while !account.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(LONGER);
            go_on.set();
        });
        let account = &account;
        block_on(Context::new("awaits").task(async move {
            poll_fn(|cx| {
                assert!(pin!(&mut task).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            give.send(task).unwrap();
            drop(account.lock_async().await);
        }));
    });
}

/// Tasks that come and go at a few addresses: nothing of the earlier ones is taken for the later ones'.
fn cells_at_the_same_address() {
    check::set_patience(Duration::ZERO);
    let account = account();
    thread::scope(|scope| {
        for round in 0..200 {
            // It ends, and wants the lock afterwards.
            let (promise, task) = promise();
            scope.spawn(|| {
                promise.run(|| ());
                drop(account.lock());
            });
            let held = account.lock();
            match round % 3 {
                0 => task.join().unwrap(),
                1 => block_on(Context::new("awaits").task(task)).unwrap(),
                _ => drop(task),
            }
            drop(held);
        }
    });
}
