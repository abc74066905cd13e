//! All results in the order of the tasks, or the first error.

mod common;

use common::{ByHand, Counted, LONG, SHORT};
use std::thread;
use sync::park::block_on;
use sync::{
    CancelToken, JoinError, Task, When, as_completed, catch, completion::Gather, gather, gather_all, promise,
    promise_cancelling, task::Promise, timer, wait, wait_async,
};

fn promises<T: Send + 'static>(count: usize) -> (Vec<Promise<T>>, Vec<Task<T>>) {
    (0..count).map(|_| promise()).unzip()
}

#[test]
fn results_are_in_the_order_of_the_tasks_whatever_ends_first() {
    let (promises, tasks) = promises(100);
    let producer = thread::spawn(move || {
        for (number, promise) in promises.into_iter().enumerate().rev() {
            promise.finish(Ok(number));
        }
    });
    assert_eq!(gather(tasks).join().unwrap(), (0..100).collect::<Vec<_>>());
    producer.join().unwrap();
}

#[test]
fn in_five_ways() {
    let ways: [fn(Gather<u32>) -> Vec<u32>; 4] = [
        |gather| gather.join().unwrap(),
        |gather| gather.join_timeout(LONG).unwrap().unwrap(),
        |gather| block_on(gather).unwrap(),
        |gather| block_on(timer::timeout(LONG, gather)).unwrap().unwrap(),
    ];
    for way in ways {
        let (promises, tasks) = promises(3);
        let waiter = thread::spawn(move || way(gather(tasks)));
        for (promise, number) in promises.into_iter().zip(1..) {
            promise.finish(Ok(number));
        }
        assert_eq!(waiter.join().unwrap(), [1, 2, 3]);
    }
}

#[test]
fn a_limit_keeps_what_was_given_so_far() {
    let (mut promises, tasks) = promises(3);
    promises.remove(1).finish(Ok(2));
    let mut gather = gather(tasks).try_join().unwrap_err().into_inner();
    gather = gather.join_timeout(SHORT).unwrap_err().into_inner();
    assert_eq!(format!("{gather:?}"), "Gather { tasks: 3, left: 2 }");
    assert!(block_on(timer::timeout(SHORT, &mut gather)).is_err());
    for (promise, number) in promises.into_iter().zip([1, 3]) {
        promise.finish(Ok(number));
    }
    assert_eq!(gather.try_join().unwrap().unwrap(), [1, 2, 3]);
}

#[test]
fn nothing_to_gather() {
    assert!(gather::<u32>([]).join().unwrap().is_empty());
    assert!(gather_all::<u32>([]).join().is_empty());
}

#[test]
fn the_first_error_asks_the_others_to_stop() {
    let token = CancelToken::new();
    let (first, one) = promise_cancelling::<u32>(token.clone());
    let (second, two) = promise::<u32>();
    let (third, three) = promise::<u32>();
    third.finish(Ok(3));
    let mut gather = gather([one, two, three]);
    let mut waiting = ByHand::waiting(&mut gather);
    second.finish(Err(JoinError::failed("the second")));
    assert!(waiting.is_told());
    let error = waiting.poll().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the second");
    assert!(token.is_cancelled() && first.is_cancelled());
    drop(waiting);
    let again = catch(|| block_on(&mut gather)).unwrap_err();
    assert!(again.panic().unwrap().message().contains("given once"));
}

#[test]
fn all_results_with_the_errors_among_them() {
    let token = CancelToken::new();
    let (first, one) = promise_cancelling(token.clone());
    let (second, two) = promise();
    drop(second);
    let mut gather = gather_all([one, two]).try_join().unwrap_err().into_inner();
    assert!(!token.is_cancelled(), "nobody is stopped because of another");
    let mut waiting = ByHand::waiting(&mut gather);
    first.finish(Ok(1));
    let results = waiting.poll().unwrap();
    assert!(matches!(results[..], [Ok(1), Err(JoinError::Abandoned)]));
}

#[test]
fn cancelling_asks_those_that_are_left() {
    let (promises, tasks) = promises::<u32>(3);
    let gather = gather_all(tasks);
    gather.cancel();
    assert!(promises.iter().all(Promise::is_cancelled));
    drop(promises);
    assert!(gather.join().iter().all(|result| matches!(result, Err(JoinError::Cancelled))));
}

#[test]
fn dropping_detaches_and_drops_the_results() {
    let (counted, token) = (Counted::default(), CancelToken::new());
    let (first, one) = promise_cancelling(token.clone());
    let (second, two) = promise();
    first.finish(Ok(counted.clone()));
    let gather = gather([one, two]).try_join().unwrap_err().into_inner();
    assert_eq!(counted.others(), 1);
    drop(gather);
    assert_eq!(counted.others(), 0);
    assert!(!token.is_cancelled() && !second.is_cancelled());
    second.finish(Ok(counted.clone()));
    assert_eq!(counted.others(), 0);
}

#[test]
fn tasks_of_several_threads_by_the_ten_thousand() {
    const COUNT: usize = if cfg!(miri) { 20 } else { 20_000 };
    let (promises, tasks) = promises(COUNT);
    let mut halves = promises.into_iter().enumerate();
    let first: Vec<_> = halves.by_ref().take(COUNT / 2).collect();
    let second: Vec<_> = halves.collect();
    let threads = [first, second].map(|half| {
        thread::spawn(move || half.into_iter().for_each(|(number, promise)| promise.finish(Ok(number))))
    });
    assert_eq!(gather(tasks).join().unwrap(), (0..COUNT).collect::<Vec<_>>());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn as_completed_yields_a_long_list_in_the_order_of_completion() {
    const COUNT: usize = if cfg!(miri) { 20 } else { 20_000 };
    let (promises, tasks) = promises(COUNT);
    let mut results = as_completed(tasks);
    // Backwards, so that a search from the front would take quadratic time.
    for (number, promise) in promises.into_iter().enumerate().rev() {
        promise.finish(Ok(number));
    }
    let in_order = results.by_ref().map(Result::unwrap);
    assert!(in_order.eq((0..COUNT).rev()));
    assert!(results.next().is_none());
}

#[test]
fn as_completed_takes_tasks_with_equal_keys() {
    let (mut promises, tasks) = promises(4);
    let keyed = tasks.into_iter().zip(["same", "same", "other", "same"]).map(|(task, key)| (key, task));
    let results = as_completed(keyed);
    promises.remove(2).finish(Ok(0));
    promises.into_iter().for_each(|promise| promise.finish(Ok(1)));
    let mut sums = [("other", 0, 0), ("same", 0, 0)];
    for (key, result) in results {
        let sum = sums.iter_mut().find(|sum| sum.0 == key).unwrap();
        sum.1 += 1;
        sum.2 += result.unwrap();
    }
    assert_eq!(sums, [("other", 1, 0), ("same", 3, 3)]);
}

#[test]
fn asking_what_is_left_to_stop() {
    let (mut promises, tasks) = promises::<u32>(3);
    let mut results = as_completed(tasks);
    promises.remove(0).finish(Ok(1));
    assert_eq!(results.next().unwrap().unwrap(), 1);
    results.cancel();
    assert!(promises.iter().all(Promise::is_cancelled));
    drop(promises);
    assert!(results.all(|result| matches!(result, Err(JoinError::Cancelled))));
}

#[test]
fn waiting_for_the_first_error() {
    let (one_kept, mut one) = promise::<u32>();
    let (two_kept, mut two) = promise::<String>();
    let (three_kept, mut three) = promise::<()>();
    one_kept.finish(Ok(1));
    assert!(!one.is_failed());
    {
        let mut tasks: [&mut dyn sync::completion::Wait; 3] = [&mut one, &mut two, &mut three];
        let mut waiting = ByHand::waiting(wait_async(&mut tasks, When::FirstError));
        two_kept.finish(Err(JoinError::Cancelled));
        assert!(waiting.is_told());
        let finished = waiting.poll().unwrap();
        assert_eq!((finished.done, finished.pending), (vec![0, 1], vec![2]));
    }
    assert!(two.is_failed() && two.join().unwrap_err().is_cancelled());
    three_kept.finish(Ok(()));
    // Without an error, all must have ended.
    let finished = wait(&mut [&mut one, &mut three], When::FirstError);
    assert_eq!((finished.done, finished.pending), (vec![0, 1], vec![]));
    assert_eq!(one.join().unwrap(), 1);
    assert!(wait(&mut [], When::FirstError).done.is_empty());
}
