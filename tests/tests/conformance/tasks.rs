//! Single tasks: what goes in, what comes out, and how it is waited for.

use super::gate::{Gate, wait_at};
use super::subjects::{Subject, skip};
use executor::sync::{When, as_completed, park, wait};
use executor::{Executor, JoinError};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn a_task_gives_its_result<S: Subject>() {
    let pool = S::start_two();
    assert_eq!(pool.submit(|number: u32| number + 1, 41).join().unwrap(), 42);
    assert_eq!(pool.submit(str_len, "seven".to_string()).join().unwrap(), 5);
}

#[expect(clippy::needless_pass_by_value, reason = "a task owns its argument")]
fn str_len(text: String) -> usize {
    text.len()
}

pub(crate) fn many_tasks_give_their_results<S: Subject>() {
    let pool = S::start_two();
    let tasks: Vec<_> = (0..300).map(|number: u64| pool.submit(|number| number * 2, number)).collect();
    let results: Vec<u64> = tasks.into_iter().map(|task| task.join().unwrap()).collect();
    assert!(results.into_iter().eq((0..300).map(|number| number * 2)));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    item: String,
    prices: BTreeMap<String, (u32, Option<f64>)>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Empty,
    Some { count: i64 },
    Pair(char, bool),
}

pub(crate) fn arguments_and_results_are_of_all_kinds<S: Subject>() {
    let pool = S::start_two();
    pool.submit(|()| (), ()).join().unwrap();
    let swapped = pool.submit(|(a, b, c): (u8, String, Vec<i64>)| (c, b, a), (1, "two".into(), vec![3, -3]));
    assert_eq!(swapped.join().unwrap(), (vec![3, -3], "two".into(), 1));
    let optional = pool.submit(|text: Option<String>| text.ok_or("nothing".to_string()), None);
    assert_eq!(optional.join().unwrap(), Err("nothing".into()));
    for kind in [Kind::Empty, Kind::Some { count: i64::MIN }, Kind::Pair('ß', true)] {
        let order = Order { item: "naïve".into(), prices: [("a".into(), (1, Some(0.5)))].into(), kind };
        assert_eq!(pool.submit(|order: Order| order, order.clone()).join().unwrap(), order);
    }
}

pub(crate) fn a_mebibyte_goes_there_and_back<S: Subject>() {
    let pool = S::start_two();
    let bytes: Vec<u8> = (0..1 << 20).map(|index: u32| (index % 251) as u8).collect();
    let reversed = pool.submit(
        |mut bytes: Vec<u8>| {
            bytes.reverse();
            bytes
        },
        bytes.clone(),
    );
    assert!(reversed.join().unwrap().into_iter().rev().eq(bytes));
}

pub(crate) fn a_panic_reaches_the_handle_and_the_pool_goes_on<S: Subject>() {
    let pool = S::start_two();
    for number in 0..5 {
        let error = pool.submit(|number: u32| -> u32 { panic!("number {number} is unlucky") }, number);
        let error = error.join().unwrap_err();
        let panic = error.panic().expect("a panic");
        assert_eq!(panic.message(), format!("number {number} is unlucky"));
        assert!(panic.place().expect("a place").contains("tasks.rs"));
        assert_eq!(pool.submit(|number: u32| number, number).join().unwrap(), number);
    }
}

pub(crate) fn a_task_can_be_awaited<S: Subject>() {
    let pool = S::start_two();
    let sum = park::block_on(async {
        let (first, second) = (pool.submit(|number: u32| number, 1), pool.submit(|number: u32| number, 2));
        Ok::<_, JoinError>(first.await? + second.await?)
    });
    assert_eq!(sum.unwrap(), 3);
}

pub(crate) fn a_limit_gives_the_handle_back<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let task = pool.submit(wait_at, gate.path());
    let task = task.try_join().unwrap_err().into_inner();
    let limit = Duration::from_millis(10);
    let begun = Instant::now();
    let task = task.join_timeout(limit).unwrap_err().into_inner();
    assert!(begun.elapsed() >= limit);
    gate.open();
    assert_eq!(task.join_timeout(Duration::MAX).unwrap().unwrap(), 7);
}

pub(crate) fn wait_tells_which_has_ended<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let mut slow = pool.submit(wait_at, gate.path());
    let mut quick = pool.submit(|()| "quick".to_string(), ());
    let finished = wait(&mut [&mut slow, &mut quick], When::FirstCompleted);
    assert_eq!((finished.done, finished.pending), (vec![1], vec![0]));
    gate.open();
    let finished = wait(&mut [&mut slow, &mut quick], When::AllCompleted);
    assert_eq!((finished.done, finished.pending), (vec![0, 1], vec![]));
    assert_eq!((slow.join().unwrap(), quick.join().unwrap()), (7, "quick".into()));
}

pub(crate) fn results_come_as_they_are_there<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    let tasks =
        [("slow", pool.submit(wait_at, gate.path())), ("quick", pool.submit(|number: u32| number, 1))];
    let mut results = as_completed(tasks);
    let (name, result) = results.next().expect("two tasks");
    assert_eq!((name, result.unwrap()), ("quick", 1));
    gate.open();
    let (name, result) = results.next().expect("two tasks");
    assert_eq!((name, result.unwrap()), ("slow", 7));
    assert!(results.next().is_none());
}

thread_local! {
    /// How many times `enter` has run here, less those of `leave`: where the task runs, be it in another process.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

fn enter() {
    INSIDE.set(INSIDE.get() + 1);
}

fn leave() {
    INSIDE.set(INSIDE.get() - 1);
}

pub(crate) fn hooks_run_around_each_task<S: Subject>() {
    let pool = S::start_two().hooked(enter, leave);
    let tasks: Vec<_> = (0..20)
        .map(|number: u32| {
            // Every second task panics, and the next one finds things as they should be.
            let work = |number: u32| if number % 2 == 0 { INSIDE.get() } else { panic!("on purpose") };
            pool.submit(work, number)
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        match task.join() {
            Ok(inside) => assert_eq!((number % 2, inside), (0, 1)),
            Err(error) => {
                assert_eq!((number % 2, error.panic().expect("a panic").message()), (1, "on purpose"));
            }
        }
    }
}

pub(crate) fn tasks_may_submit_to_their_own_pool<S: Subject>() {
    let pool = Arc::new(S::start_two());
    for number in 0..20 {
        let Some(outer) = S::nest(&pool, number) else {
            return skip::<S>("a task does not reach its own pool");
        };
        assert_eq!(outer.join().unwrap().unwrap(), number + 1);
    }
}

pub(crate) fn as_many_run_at_a_time_as_there_are_workers<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task runs where it is submitted");
    }
    let (pool, gate) = (S::start_two(), Gate::closed());
    assert_eq!(pool.workers(), 2);
    let tasks = [(); 2].map(|()| pool.submit(wait_at, gate.path()));
    gate.wait_for_arrivals(2);
    gate.open();
    tasks.into_iter().for_each(|task| assert_eq!(task.join().unwrap(), 7));

    let room = tempfile::tempdir().unwrap();
    let tasks: Vec<_> = (0..12).map(|_| pool.submit(count_inside, room.path().into())).collect();
    let most = tasks.into_iter().map(|task| task.join().unwrap()).max();
    assert!(most <= Some(2), "{most:?} tasks ran at a time");
}

/// A task: how many of its kind are in the room when it has entered. It stays for a while, so that others meet it.
#[expect(clippy::needless_pass_by_value, reason = "a task owns its argument")]
fn count_inside(room: PathBuf) -> usize {
    let here = tempfile::NamedTempFile::new_in(&room).unwrap();
    let inside = std::fs::read_dir(&room).unwrap().count();
    std::thread::sleep(Duration::from_millis(5));
    drop(here);
    inside
}
