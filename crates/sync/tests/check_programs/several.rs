//! Several tasks that are waited for at once while something is held.

use crate::joins::{LONGER, PATIENCE, account, run_by};
use crate::{Expected, Program};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Barrier;
use std::task::{Context as Cx, Poll};
use std::thread;
use sync::check::{self, Context};
use sync::completion::{Wait, gather, gather_all, wait_async};
use sync::park::block_on;
use sync::task::TaskId;
use sync::{Event, JoinError, Mutex, Task, When, as_completed, promise, timer, wait};

pub(crate) const PROGRAMS: &[Program] = &[
    certain("all_of_whom_one_wants_the_lock", &["all of the task at ", "runs the task at "], || {
        with_one_that_goes_on(|mut stuck, mut goes_on| {
            wait(&mut [&mut goes_on, &mut stuck], When::AllCompleted);
        });
    }),
    certain("all_of_whom_one_wants_the_lock_awaited", &["all of the task at "], || {
        awaited_with_one_that_goes_on(async |mut stuck, mut goes_on| {
            wait_async(&mut [&mut goes_on, &mut stuck], When::AllCompleted).await;
        });
    }),
    certain("the_first_of_two_that_both_want_the_lock", &["any of the task at ", "several.rs:"], || {
        with_two_that_are_stuck(|one, other| drop(wait(&mut [one, other], When::FirstCompleted)));
    }),
    certain("the_first_error_of_what_is_left", &["any of the task at "], || {
        with_one_that_has_ended(|stuck, ended| drop(wait(&mut [ended, stuck], When::FirstError)));
    }),
    certain("results_as_they_come", &["any of the task at ", "several.rs:"], || {
        with_tasks(|tasks| as_completed(tasks).for_each(|result| result.unwrap()));
    }),
    certain("results_as_they_come_awaited", &["any of the task at "], || {
        awaited_with_tasks(async |tasks| {
            let mut completed = as_completed(tasks);
            while let Some(result) = completed.next_async().await {
                result.unwrap();
            }
        });
    }),
    certain("a_gather", &["any of the task at ", "several.rs:"], || {
        with_tasks(|tasks| drop(gather(tasks).join()));
    }),
    certain("a_gather_that_is_awaited", &["any of the task at "], || {
        awaited_with_tasks(async |tasks| drop(gather(tasks).await));
    }),
    certain("a_gather_of_all", &["all of the task at ", "several.rs:"], || {
        with_one_that_goes_on(|stuck, goes_on| drop(gather_all([goes_on, stuck]).join()));
    }),
    certain("a_gather_of_all_that_is_awaited", &["all of the task at "], || {
        awaited_with_one_that_goes_on(async |stuck, goes_on| {
            drop(gather_all([goes_on, stuck]).await);
        });
    }),
    certain("a_handle_that_says_which_task_it_is", &["any of the task at "], || {
        with_two_that_are_stuck(|one, other| {
            let mut handles = [one, other].map(|task| Handle { task, says: true });
            let [one, other] = &mut handles;
            wait(&mut [one, other], When::FirstCompleted);
        });
    }),
    certain(
        "a_lock_after_the_first_of_two",
        &["Mutex `other`", "Mutex `account`"],
        a_lock_after_the_first_of_two,
    ),
    silent("one_of_several_goes_on", one_of_several_goes_on),
    silent("one_of_several_fails_later", one_of_several_fails_later),
    silent("a_handle_that_may_end_by_itself", a_handle_that_may_end_by_itself),
    silent("several_with_a_limit", several_with_a_limit),
    silent("a_task_that_gathers_or_awaits_an_event", a_task_that_gathers_or_awaits_an_event),
    silent("results_to_which_more_are_added", results_to_which_more_are_added),
    silent("a_lock_with_a_limit_after_a_gather_with_one", a_lock_with_a_limit_after_a_gather_with_one),
    silent("a_future_that_somebody_may_stop", a_future_that_somebody_may_stop),
    silent("several_cells_at_the_same_addresses", several_cells_at_the_same_addresses),
];

const fn certain(name: &'static str, parts: &'static [&'static str], run: fn()) -> Program {
    Program { name, expected: Expected::Certain(parts), run }
}

const fn silent(name: &'static str, run: fn()) -> Program {
    Program { name, expected: Expected::Silence, run }
}

/// A task that wants the lock which is held, and one that never ends and waits for nobody in particular.
fn with_one_that_goes_on(waits: impl FnOnce(Task<()>, Task<()>)) {
    let (account, never) = (account(), Event::new());
    thread::scope(|scope| {
        let _held = account.lock();
        let stuck = run_by(scope, "worker", || drop(account.lock()));
        waits(stuck, run_by(scope, "goes on", || never.wait()));
    });
}

/// As [`with_one_that_goes_on`]; it is a task that holds the lock.
fn awaited_with_one_that_goes_on(waits: impl AsyncFnOnce(Task<()>, Task<()>)) {
    let (account, never) = (account(), Event::new());
    thread::scope(|scope| {
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            let stuck = run_by(scope, "worker", || drop(account.lock()));
            waits(stuck, run_by(scope, "goes on", || never.wait())).await;
        }));
    });
}

fn with_two_that_are_stuck(waits: impl FnOnce(&mut Task<()>, &mut Task<()>)) {
    let account = account();
    thread::scope(|scope| {
        let _held = account.lock();
        let [mut one, mut other] = ["one", "other"].map(|name| run_by(scope, name, || drop(account.lock())));
        waits(&mut one, &mut other);
    });
}

/// The one ends while it is waited for.
fn with_one_that_has_ended(waits: impl FnOnce(&mut Task<()>, &mut Task<()>)) {
    let account = account();
    thread::scope(|scope| {
        let _held = account.lock();
        let mut stuck = run_by(scope, "worker", || drop(account.lock()));
        let mut ends = run_by(scope, "ends", || thread::sleep(LONGER));
        waits(&mut stuck, &mut ends);
    });
}

/// The first of them ends while they are waited for.
fn tasks<'scope>(scope: &'scope thread::Scope<'scope, '_>, account: &'scope Mutex<()>) -> Vec<Task<()>> {
    let stuck = || drop(account.lock());
    let ends = run_by(scope, "ends", || thread::sleep(LONGER));
    vec![ends, run_by(scope, "one", stuck), run_by(scope, "other", stuck)]
}

fn with_tasks(waits: impl FnOnce(Vec<Task<()>>)) {
    let account = account();
    thread::scope(|scope| {
        let _held = account.lock();
        waits(tasks(scope, &account));
    });
}

/// As [`with_tasks`]; it is a task that holds the lock.
fn awaited_with_tasks(waits: impl AsyncFnOnce(Vec<Task<()>>)) {
    let account = account();
    thread::scope(|scope| {
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            waits(tasks(scope, &account)).await;
        }));
    });
}

/// What it has awaited, and what is left of that, does not hide what it awaits now.
fn a_lock_after_the_first_of_two() {
    let (account, other, taken) = (account(), Mutex::new(()), Event::new());
    check::name(&other, "other");
    thread::scope(|scope| {
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            let crosswise = || {
                let _other = other.lock();
                taken.set();
                drop(account.lock());
            };
            let mut stuck = run_by(scope, "worker", crosswise);
            let mut ends = run_by(scope, "ends", || taken.wait());
            wait_async(&mut [&mut stuck, &mut ends], When::FirstCompleted).await;
            ends.try_join().expect("it has ended").unwrap();
            drop(other.lock_async().await);
        }));
    });
}

/// A handle around a task.
struct Handle<'a> {
    task: &'a mut Task<()>,
    says: bool,
}

impl Wait for Handle<'_> {
    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    fn poll_finished(&mut self, cx: &Cx<'_>) -> bool {
        Wait::poll_finished(self.task, cx)
    }

    fn is_failed(&self) -> bool {
        self.task.is_failed()
    }

    fn task_id(&self) -> Option<TaskId> {
        self.says.then(|| self.task.id())
    }
}

/// Sets the event when somebody has waited for the lock for a while.
fn set_later(account: &Mutex<()>, event: &Event) {
    while !account.has_waiters() {
        thread::yield_now();
    }
    thread::sleep(LONGER);
    event.set();
}

fn one_of_several_goes_on() {
    check::set_patience(PATIENCE);
    let account = account();
    thread::scope(|scope| {
        let pair = || {
            let event = std::sync::Arc::new(Event::new());
            let (sets, waits) = (event.clone(), event);
            let account = &account;
            scope.spawn(move || set_later(account, &sets));
            let stuck = run_by(scope, "worker", || drop(account.lock()));
            let goes_on = run_by(scope, "goes on", move || waits.wait());
            (stuck, goes_on)
        };
        let held = account.lock();
        let (mut stuck, mut goes_on) = pair();
        wait(&mut [&mut stuck, &mut goes_on], When::FirstCompleted);
        let (mut late, mut sooner) = pair();
        block_on(Context::new("awaits").task(async {
            wait_async(&mut [&mut late, &mut sooner], When::FirstCompleted).await;
        }));
        let (last, first) = pair();
        let mut completed = as_completed([last, first]);
        completed.next().expect("two are left").unwrap();
        drop(held);
        [stuck, goes_on, late, sooner].into_iter().for_each(|task| task.join().unwrap());
        completed.next().expect("one is left").unwrap();
    });
}

/// Which ends the wait, though the others wait for what its waiter holds.
fn one_of_several_fails_later() {
    check::set_patience(PATIENCE);
    let (account, event) = (account(), Event::new());
    thread::scope(|scope| {
        let held = account.lock();
        let fails = || {
            event.wait();
            std::panic::resume_unwind(Box::new("a panic that the program asked for"));
        };
        let mut stuck = run_by(scope, "worker", || drop(account.lock()));
        let mut failing = run_by(scope, "fails", fails);
        scope.spawn(|| set_later(&account, &event));
        wait(&mut [&mut stuck, &mut failing], When::FirstError);
        assert!(gather([stuck, failing]).join().is_err());
        drop(held);
    });
}

fn a_handle_that_may_end_by_itself() {
    /// At the second poll.
    struct Ends<'a>(Handle<'a>, usize);

    impl Wait for Ends<'_> {
        fn is_finished(&self) -> bool {
            self.1 > 1
        }

        fn poll_finished(&mut self, cx: &Cx<'_>) -> bool {
            self.1 += 1;
            if self.1 == 1 {
                let waker = cx.waker().clone();
                thread::spawn(move || {
                    thread::sleep(LONGER);
                    waker.wake();
                });
            }
            self.0.poll_finished(cx);
            self.is_finished()
        }

        fn is_failed(&self) -> bool {
            false
        }
    }

    check::set_patience(PATIENCE);
    let account = account();
    thread::scope(|scope| {
        let held = account.lock();
        let [mut stuck, mut other] =
            ["one", "other"].map(|name| run_by(scope, name, || drop(account.lock())));
        let handle = Handle { task: &mut stuck, says: false };
        wait(&mut [&mut other, &mut Ends(handle, 0)], When::FirstCompleted);
        let handle = Handle { task: &mut stuck, says: false };
        let mut ends = Ends(handle, 0);
        block_on(Context::new("awaits").task(async {
            wait_async::<dyn Wait>(&mut [&mut other, &mut ends], When::FirstCompleted).await;
        }));
        drop(held);
        [stuck, other].into_iter().for_each(|task| task.join().unwrap());
    });
}

fn several_with_a_limit() {
    check::set_patience(PATIENCE);
    let account = account();
    thread::scope(|scope| {
        let held = account.lock();
        let mut stuck = run_by(scope, "worker", || drop(account.lock()));
        sync::completion::wait_timeout(&mut [&mut stuck], When::AllCompleted, LONGER);
        let mut completed = as_completed([stuck]);
        completed.next_timeout(LONGER).expect_err("it wants the lock");
        block_on(Context::new("awaits").task(async {
            completed.next_async_timeout(LONGER).await.expect_err("it wants the lock");
        }));
        let tasks = completed.into_pending().map(|((), task)| task);
        let gathered = gather(tasks).join_timeout(LONGER).expect_err("it wants the lock").into_inner();
        drop(held);
        gathered.join().unwrap();
    });
}

fn a_task_that_gathers_or_awaits_an_event() {
    check::set_patience(PATIENCE);
    let (account, event) = (account(), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| set_later(&account, &event));
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            let mut gathered = gather([run_by(scope, "worker", || drop(account.lock()))]);
            let mut set = pin!(event.wait_async());
            let ended = poll_fn(|cx| {
                let set = set.as_mut().poll(cx).is_ready();
                let gathered = Pin::new(&mut gathered).poll(cx).is_ready();
                if set || gathered { Poll::Ready(gathered) } else { Poll::Pending }
            });
            assert!(!ended.await, "the worker wants the lock");
        }));
    });
}

/// One of the tasks ends when they are not looked at any more, and has used up the waker that they had in common. That of the
/// limit is not to be taken for it.
fn a_lock_with_a_limit_after_a_gather_with_one() {
    check::set_patience(PATIENCE);
    let (account, other) = (account(), Mutex::new(()));
    let (taken, end) = (Event::new(), Event::new());
    thread::scope(|scope| {
        block_on(Context::new("awaits").task(async {
            let held = account.lock_async().await;
            let crosswise = || {
                let _other = other.lock();
                taken.set();
                drop(account.lock());
            };
            let tasks = [run_by(scope, "worker", crosswise), run_by(scope, "ends", || end.wait())];
            let mut gathered = gather_all(tasks);
            timer::timeout(PATIENCE, &mut gathered).await.expect_err("they wait");
            taken.wait_async().await;
            scope.spawn(|| {
                while !other.has_waiters() {
                    thread::yield_now();
                }
                end.set();
            });
            assert!(other.lock_async_timeout(LONGER).await.is_err(), "the worker has it");
            drop(held);
            gathered.await.into_iter().for_each(|result| result.unwrap());
        }));
    });
}

/// A stream that adds a task after it has asked for the next result, which is then that task's.
fn results_to_which_more_are_added() {
    check::set_patience(PATIENCE);
    let (account, event) = (account(), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| set_later(&account, &event));
        block_on(Context::new("awaits").task(async {
            let _held = account.lock_async().await;
            let mut completed = as_completed([run_by(scope, "worker", || drop(account.lock()))]);
            let mut added = Some(run_by(scope, "goes on", || event.wait()));
            poll_fn(|cx| {
                let poll = completed.poll_next(cx);
                completed.extend(added.take());
                poll
            })
            .await
            .expect("two are left")
            .unwrap();
        }));
    });
}

/// As an executor's future is: who has the executor drops it, and that ends the task.
fn a_future_that_somebody_may_stop() {
    check::set_patience(PATIENCE);
    let (account, stop, wants) = (account(), Event::new(), Barrier::new(2));
    thread::scope(|scope| {
        let (promise, task) = promise::<()>();
        let held = account.lock();
        let body = async {
            drop(account.lock_async().await);
            promise.finish(Ok(()));
        };
        let (stop, wants, account) = (&stop, &wants, &account);
        scope.spawn(move || {
            let mut body = Box::pin(Context::new("future").task(body));
            let mut stopped = pin!(stop.wait_async());
            block_on(poll_fn(|cx| match body.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => stopped.as_mut().poll(cx).map(drop),
            }));
            drop(body);
            wants.wait();
        });
        scope.spawn(move || set_later(account, stop));
        assert!(matches!(gather([task]).join(), Err(JoinError::Abandoned)));
        wants.wait();
        drop(held);
    });
}

/// Nothing of earlier tasks is taken for later ones'.
fn several_cells_at_the_same_addresses() {
    check::set_patience(std::time::Duration::ZERO);
    let account = account();
    thread::scope(|scope| {
        for round in 0..200 {
            let tasks = [(); 2].map(|()| {
                let (promise, task) = promise();
                scope.spawn(|| {
                    promise.run(|| ());
                    // The task has ended.
                    drop(account.lock());
                });
                task
            });
            let held = account.lock();
            match round % 6 {
                0 => drop(gather(tasks).join().unwrap()),
                1 => drop(gather_all(tasks).join()),
                2 => as_completed(tasks).for_each(|result| result.unwrap()),
                3 => drop(block_on(Context::new("awaits").task(gather_all(tasks)))),
                4 => {
                    let [mut one, mut other] = tasks;
                    wait(&mut [&mut one, &mut other], When::AllCompleted);
                }
                _ => block_on(Context::new("awaits").task(async {
                    let [mut one, mut other] = tasks;
                    wait_async(&mut [&mut one, &mut other], When::FirstCompleted).await;
                })),
            }
            drop(held);
        }
    });
}
