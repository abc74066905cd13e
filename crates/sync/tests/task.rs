//! A task: one result, given once, to whoever holds the handle.

mod common;

use common::{ByHand, Counted, LONG, Sharp};
use std::collections::HashSet;
use std::panic::panic_any;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use sync::park::block_on;
use sync::{CancelToken, JoinError, Task, catch, promise, promise_cancelling};

#[test]
fn a_handle_is_one_pointer() {
    assert_eq!(size_of::<Task<[u64; 100]>>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Task<u8>>>(), size_of::<usize>());
}

#[test]
fn a_task_is_woken_once_and_by_the_last_waker() {
    let (promise, mut task) = promise();
    let early = ByHand::waiting(&mut task).wakes();
    assert_eq!(early, 0);
    let mut waiting = ByHand::waiting(task);
    assert!(waiting.poll().is_none());
    promise.finish(Ok(5));
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(waiting.poll().unwrap().unwrap(), 5);
}

#[test]
fn a_promise_that_is_dropped_abandons_the_task() {
    let (promise, task) = promise::<()>();
    let waiter = thread::spawn(|| task.join());
    drop(promise);
    assert!(matches!(waiter.join().unwrap(), Err(JoinError::Abandoned)));
}

#[test]
fn a_promise_that_is_dropped_after_a_cancel_says_so() {
    let (promise, task) = promise::<()>();
    task.cancel();
    drop(promise);
    assert!(task.join().unwrap_err().is_cancelled());
}

#[test]
fn a_promise_that_is_dropped_by_a_panic_abandons_the_task() {
    let (promise, task) = promise::<()>();
    let panicked = catch(move || {
        let _kept = promise;
        panic!("in the middle");
    });
    assert!(panicked.unwrap_err().is_panic());
    assert!(matches!(task.join(), Err(JoinError::Abandoned)));
}

#[test]
fn nothing_is_dropped_twice_or_never() {
    let counted = Counted::default();
    let pair = || {
        let (promise, task) = promise();
        (promise, task, counted.clone())
    };

    let (promise, task, item) = pair();
    promise.finish(Ok(item));
    assert_eq!(counted.others(), 1);
    drop(task);
    assert_eq!(counted.others(), 0, "a result that nobody took is dropped with the handle");

    let (promise, task, item) = pair();
    drop(task);
    promise.finish(Ok(item));
    assert_eq!(counted.others(), 0, "a result that nobody can take is dropped at once");

    let (promise, task, item) = pair();
    promise.finish(Ok(item));
    let item = task.join().unwrap();
    assert_eq!(counted.others(), 1, "a result that was taken is the taker's");
    drop(item);

    let (promise, task, item) = pair();
    promise.finish(Ok(item));
    task.on_done(drop);
    assert_eq!(counted.others(), 0);

    let (promise, task, item) = pair();
    let captured = counted.clone();
    task.on_done(move |result| drop((result, captured)));
    assert_eq!(counted.others(), 2);
    promise.finish(Ok(item));
    assert_eq!(counted.others(), 0);

    let (promise, task, item) = pair();
    let captured = counted.clone();
    task.on_done(move |result| drop((result, captured)));
    drop(promise);
    assert_eq!(counted.others(), 1, "the callback is gone, the item was never given");
    drop(item);
}

#[test]
fn a_waker_is_dropped_with_the_cell() {
    struct Owner(#[expect(dead_code, reason = "held")] Counted);
    impl std::task::Wake for Owner {
        fn wake(self: std::sync::Arc<Self>) {}
    }
    let counted = Counted::default();
    let (promise, mut task) = promise::<()>();
    let waker = Waker::from(std::sync::Arc::new(Owner(counted.clone())));
    assert!(pin!(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(counted.others(), 1);
    drop(task);
    assert_eq!(counted.others(), 1, "the producer may still wake it");
    drop(promise);
    assert_eq!(counted.others(), 0);
}

#[test]
fn work_that_was_cancelled_before_does_not_run() {
    let counted = Counted::default();
    let (promise, task) = promise();
    task.cancel();
    let captured = counted.clone();
    promise.run(move || {
        drop(captured);
        unreachable!("it was cancelled");
    });
    assert_eq!(counted.others(), 0);
    let result: Result<(), _> = task.join();
    assert!(result.unwrap_err().is_cancelled());
}

#[test]
fn what_the_work_owns_is_gone_when_the_task_ends() {
    let counted = Counted::default();
    let (promise, task) = promise();
    let (told, hears) = mpsc::channel();
    let (seen, owned) = (counted.clone(), counted.clone());
    task.on_done(move |_: Result<(), _>| told.send(seen.others()).unwrap());
    promise.run(move || drop(owned));
    assert_eq!(hears.recv().unwrap(), 1, "only what the callback itself holds");

    let (promise, task) = sync::promise::<()>();
    task.cancel();
    let (told, hears) = mpsc::channel();
    let (seen, owned) = (counted.clone(), counted.clone());
    task.on_done(move |_| told.send(seen.others()).unwrap());
    promise.run(move || drop(owned));
    assert_eq!(hears.recv().unwrap(), 1, "also if it never ran");
}

#[test]
fn a_cancel_sets_a_flag_and_a_token() {
    let (promise, task) = promise::<()>();
    assert!(!promise.is_cancelled());
    task.cancel();
    task.cancel();
    assert!(promise.is_cancelled());
    promise.finish(Ok(()));
    task.join().expect("what finishes all the same gives its result");

    let token = CancelToken::new();
    let (promise, task) = promise_cancelling(token.clone());
    let (started, starts) = mpsc::channel();
    let worker = thread::spawn(move || {
        promise.run(|| {
            started.send(()).unwrap();
            token.wait();
        });
    });
    starts.recv().unwrap();
    task.cancel();
    task.join().unwrap();
    worker.join().unwrap();
}

#[test]
fn a_cancel_after_the_end_reaches_nobody() {
    let token = CancelToken::new();
    let (promise, mut task) = promise_cancelling(token.clone());
    promise.finish(Ok(1));
    task.cancel();
    assert_eq!(block_on(&mut task).unwrap(), 1);
    task.cancel();
    assert!(!token.is_cancelled());
}

#[test]
fn a_promise_can_be_dropped_by_its_own_cancelling() {
    let token = CancelToken::new();
    let (promise, task) = promise_cancelling::<()>(token.clone());
    let _registered = token.on_cancel(move || drop(promise));
    task.cancel();
    assert!(task.try_join().unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_callback_runs_on_the_completing_thread() {
    let (promise, task) = promise();
    let (told, hears) = mpsc::channel();
    task.on_done(move |result| told.send((result, thread::current().id())).unwrap());
    let completing = thread::spawn(move || {
        promise.run(|| 3);
        thread::current().id()
    });
    let (result, place) = hears.recv().unwrap();
    assert_eq!(result.unwrap(), 3);
    assert_eq!(place, completing.join().unwrap());
}

#[test]
fn a_callback_runs_here_when_the_task_has_ended() {
    let here = thread::current().id();
    let (told, hears) = mpsc::channel();
    Task::ready(Ok(4)).on_done(move |result| told.send((result.unwrap(), thread::current().id())).unwrap());
    assert_eq!(hears.try_recv().unwrap(), (4, here));
}

#[test]
fn a_callback_replaces_a_waker_that_was_there() {
    let (promise, mut task) = promise();
    drop(ByHand::waiting(&mut task));
    let (told, hears) = mpsc::channel();
    task.on_done(move |result| told.send(result.unwrap()).unwrap());
    promise.finish(Ok(8));
    assert_eq!(hears.try_recv().unwrap(), 8);
}

#[test]
fn a_callback_may_drop_the_promise_of_another_task_and_start_a_third() {
    let (first, task) = promise();
    let (second, other) = promise::<()>();
    let (told, hears) = mpsc::channel();
    task.on_done(move |result| {
        drop(second);
        Task::ready(result).on_done(move |result| told.send(result.unwrap()).unwrap());
    });
    first.finish(Ok(1));
    assert_eq!(hears.try_recv().unwrap(), 1);
    assert!(matches!(other.join(), Err(JoinError::Abandoned)));
}

#[test]
fn a_callback_that_panics_is_kept_from_the_completing_thread() {
    let counted = Counted::default();
    let item = counted.clone();
    let (promise, task) = promise();
    task.on_done(|result: Result<Counted, _>| {
        assert!(result.is_err(), "a panic that the test asked for");
    });
    promise.finish(Ok(item));
    assert_eq!(counted.others(), 0);
}

#[test]
fn a_callback_whose_panic_panics_again_is_kept_from_whoever_calls_it() {
    let (promise, task) = promise();
    task.on_done(|_: Result<u32, _>| panic_any(Sharp));
    catch(|| promise.finish(Ok(1))).expect("the one who completes goes on");
    catch(|| Task::ready(Ok(2)).on_done(|_| panic_any(Sharp))).expect("so does one who comes late");
}

#[test]
fn a_callback_races_with_the_end_and_runs_once() {
    for _ in 0..200 {
        let (promise, task) = promise();
        let (told, hears) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || promise.finish(Ok(1)));
            task.on_done(move |result| told.send(result.unwrap()).unwrap());
        });
        assert_eq!(hears.iter().collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn a_task_keeps_its_identity_until_its_handle_is_gone() {
    let pairs: Vec<_> = (0..100).map(|_| promise::<u32>()).collect();
    let ids: HashSet<_> = pairs.iter().map(|(_, task)| task.id()).collect();
    assert_eq!(ids.len(), 100);
    let (promise, mut task) = promise();
    let id = task.id();
    assert_eq!(task.id(), id);
    promise.finish(Ok(()));
    block_on(&mut task).unwrap();
    assert_eq!(task.id(), id);
    assert!(format!("{task:?}").contains(&format!("{id:?}")));
}

#[test]
#[should_panic(expected = "given once")]
fn a_result_is_given_once() {
    let mut task = Task::ready(Ok(1));
    assert_eq!(block_on(&mut task).unwrap(), 1);
    assert!(task.is_finished());
    let _never = task.join();
}

#[test]
fn a_handle_that_has_given_its_result_can_still_be_asked_and_dropped() {
    let mut task = Task::ready(Ok(1));
    assert_eq!(block_on(&mut task).unwrap(), 1);
    assert!(task.is_finished());
    task.cancel();
    assert_eq!(sync::wait(&mut [&mut task], sync::When::AllCompleted).done, [0]);
    drop(task);
}

#[test]
fn handles_are_dropped_while_producers_finish() {
    let counted = Counted::default();
    for round in 0..200 {
        let (promise, mut task) = promise();
        let item = counted.clone();
        thread::scope(|scope| {
            scope.spawn(move || promise.finish(Ok(item)));
            match round % 4 {
                0 => drop(task),
                1 => drop(ByHand::new(&mut task).poll()),
                2 => task.cancel(),
                _ => drop(task.join_timeout(LONG).unwrap()),
            }
        });
    }
    assert_eq!(counted.others(), 0);
}

#[test]
fn a_waker_that_panics_does_not_keep_the_cell() {
    struct Bomb;
    impl std::task::Wake for Bomb {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("a panic that the test asked for");
        }
    }
    let counted = Counted::default();
    let (promise, mut task) = promise();
    let waker = Waker::from(std::sync::Arc::new(Bomb));
    assert!(pin!(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    let item = counted.clone();
    assert!(catch(|| promise.finish(Ok(item))).is_err());
    drop(task);
    assert_eq!(counted.others(), 0);
}
