//! `wait` and `as_completed`, over tasks of any kind.

mod common;

use common::{ByHand, Counted, SHORT};
use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::Instant;
use sync::park::block_on;
use sync::{JoinError, Task, When, as_completed, promise, wait, wait_async, wait_timeout};

#[test]
fn the_first_of_tasks_with_different_results() {
    let (finish_number, mut number) = promise::<u32>();
    let (finish_text, mut text) = promise::<String>();
    let producer = thread::spawn(move || finish_text.finish(Ok("there".into())));
    let finished = wait(&mut [&mut number, &mut text], When::FirstCompleted);
    assert_eq!((finished.done, finished.pending), (vec![1], vec![0]));
    assert_eq!(text.try_join().unwrap().unwrap(), "there");
    producer.join().unwrap();
    finish_number.finish(Ok(1));
    assert_eq!(number.join().unwrap(), 1);
}

#[test]
fn what_has_ended_already_is_had_without_waiting() {
    let (first, one) = promise();
    let (second, two) = promise();
    let mut results = as_completed([("one", one), ("two", two)]);
    assert!(results.try_next().is_none() && results.len() == 2);
    second.finish(Ok(2));
    assert!(matches!(results.try_next(), Some(("two", Ok(2)))));
    let mut waiting = ByHand::waiting(results.next_async());
    first.finish(Ok(1));
    assert!(waiting.is_told() && waiting.poll().is_some_and(|result| result.is_some()));
    drop(waiting);
    assert!(results.try_next().is_none() && results.len() == 0);
}

#[test]
fn all_of_them() {
    let (promises, mut tasks): (Vec<_>, Vec<_>) = (0..10).map(|_| promise()).unzip();
    let producer = thread::spawn(move || {
        for (number, promise) in promises.into_iter().enumerate().rev() {
            promise.finish(if number == 3 { Err(JoinError::Cancelled) } else { Ok(number) });
        }
    });
    let mut list: Vec<&mut dyn sync::completion::Wait> = tasks.iter_mut().map(|task| task as _).collect();
    let finished = wait(&mut list, When::AllCompleted);
    assert_eq!(finished.done, (0..10).collect::<Vec<_>>());
    assert!(finished.pending.is_empty());
    producer.join().unwrap();
}

#[test]
fn nobody_to_wait_for() {
    for when in [When::FirstCompleted, When::AllCompleted] {
        let finished = wait(&mut [], when);
        assert!(finished.done.is_empty() && finished.pending.is_empty());
    }
}

#[test]
fn a_limit_shows_in_what_is_pending() {
    let (_never, mut slow) = promise::<()>();
    let mut done = Task::ready(Ok(1));
    let begin = Instant::now();
    let finished = wait_timeout(&mut [&mut slow, &mut done], When::AllCompleted, SHORT);
    assert!(begin.elapsed() >= SHORT);
    assert_eq!((finished.done, finished.pending), (vec![1], vec![0]));
}

#[test]
fn waiting_for_several_without_a_thread() {
    let (first, mut one) = promise::<u32>();
    let (second, mut two) = promise::<&str>();
    let mut list: [&mut dyn sync::completion::Wait; 2] = [&mut one, &mut two];
    let mut waiting = ByHand::waiting(wait_async(&mut list, When::AllCompleted));
    first.finish(Ok(1));
    assert_eq!(waiting.wakes(), 1);
    assert!(waiting.poll().is_none());
    second.finish(Ok("two"));
    assert_eq!(waiting.poll().unwrap().done, [0, 1]);
}

#[test]
fn in_the_order_in_which_they_end() {
    let (promises, tasks): (Vec<_>, Vec<_>) = (0..5).map(|_| promise()).unzip();
    let mut results = as_completed(tasks);
    assert_eq!(results.len(), 5);
    let mut promises: Vec<_> = promises.into_iter().map(Some).collect();
    for number in [3, 0, 4, 1, 2] {
        promises[number].take().unwrap().finish(Ok(number));
    }
    let numbers: Result<Vec<_>, _> = results.by_ref().collect();
    assert_eq!(numbers.unwrap(), [3, 0, 4, 1, 2]);
    assert_eq!(results.len(), 0);
}

#[test]
fn with_keys_and_from_many_threads() {
    let tasks = (0..50).map(|number| {
        let (promise, task) = promise();
        thread::spawn(move || promise.run(|| number * number));
        (format!("job {number}"), task)
    });
    let results: HashMap<String, u32> =
        as_completed(tasks).map(|(key, result)| (key, result.unwrap())).collect();
    assert_eq!(results.len(), 50);
    assert!((0..50).all(|number| results[&format!("job {number}")] == number * number));
}

#[test]
fn a_task_that_fails_is_one_of_them() {
    let (panics, first) = promise::<()>();
    let (dropped, second) = promise::<()>();
    panics.run(|| panic!("a panic that the test asked for"));
    drop(dropped);
    let results: Vec<_> = as_completed([("panics", first), ("dropped", second)]).collect();
    assert!(matches!(&results[0], ("panics", Err(error)) if error.is_panic()));
    assert!(matches!(&results[1], ("dropped", Err(JoinError::Abandoned))));
}

#[test]
fn tasks_are_added_while_others_run() {
    let mut results = as_completed([Task::ready(Ok(0))]);
    let mut seen = HashSet::new();
    while let Some(result) = results.next() {
        let number = result.unwrap();
        seen.insert(number);
        for next in [2 * number + 1, 2 * number + 2] {
            if next < 100 {
                let (promise, task) = promise();
                results.push(task);
                if next % 2 == 0 {
                    promise.finish(Ok(next));
                } else {
                    thread::spawn(move || promise.finish(Ok(next)));
                }
            }
        }
    }
    assert_eq!(seen, (0..100).collect());
}

#[test]
fn what_is_left_can_be_taken_out_and_waited_for() {
    let counted = Counted::default();
    let (never, slow) = promise::<Counted>();
    let mut results = as_completed([("slow", slow), ("quick", Task::ready(Ok(counted.clone())))]);
    assert_eq!(results.next().unwrap().0, "quick");
    let mut left: Vec<_> = results.into_pending().collect();
    assert_eq!(left.len(), 1);
    let (key, task) = left.remove(0);
    assert_eq!(key, "slow");
    let mut waiting = ByHand::waiting(task);
    never.finish(Ok(counted.clone()));
    assert_eq!(waiting.wakes(), 1, "the iterator's waker was replaced");
    drop(waiting.poll());
    assert_eq!(counted.others(), 0);
}

#[test]
fn dropping_the_iterator_detaches() {
    let counted = Counted::default();
    let (promise, task) = promise();
    drop(as_completed([task]));
    promise.finish(Ok(counted.clone()));
    assert_eq!(counted.others(), 0);
}

#[test]
fn the_next_one_that_was_not_waited_for_is_not_lost() {
    let (promise, task) = promise();
    let mut results = as_completed([task]);
    let waiting = ByHand::waiting(results.next_async());
    promise.finish(Ok(1));
    assert_eq!(waiting.wakes(), 1);
    drop(waiting);
    assert_eq!(results.next().unwrap().unwrap(), 1);
}

#[test]
fn awaited_one_after_the_other() {
    let mut results = as_completed((0..3).map(|number| (number, Task::ready(Ok(number)))));
    let mut keys = Vec::new();
    block_on(async {
        while let Some((key, result)) = results.next_async().await {
            assert_eq!(result.unwrap(), key);
            keys.push(key);
        }
    });
    assert_eq!(keys, [0, 1, 2]);
}
