//! One vocabulary: work of every kind in one wait, and one queue for all who wait.

#![forbid(unsafe_code)]

use async_rt::{Backend, Runtime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use sync::{JoinError, Queue, Task, When, as_completed, wait, wait_timeout};

#[test]
fn threads_processes_pools_and_async_tasks_are_completed_together() {
    let runtime = Runtime::new(Backend::Native).unwrap();
    let threads = threads::Pool::new(2);
    let processes = procs::Pool::new(1).unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let tokio = executor::tokio::Tokio::new(tokio.handle().clone());

    let tasks: Vec<(&str, Task<u64>)> = vec![
        ("thread", threads::spawn(|| 1).unwrap().into_task()),
        ("process", procs::Process::spawn(|number: u64| number, 2).unwrap().into_task()),
        ("pool of threads", threads.spawn(|| 3)),
        ("pool of processes", processes.submit(|number: u64| number, 4)),
        ("event loop", runtime.spawn(async { 5 })),
        ("blocking thread", runtime.spawn_blocking(|| 6)),
        ("pool of somebody else", tokio.spawn(|| 7)),
        ("promise", Task::ready(Ok(8))),
    ];
    let results: BTreeMap<&str, u64> = as_completed(tasks)
        .map(|(key, result)| (key, result.unwrap_or_else(|why| panic!("{key}: {why}"))))
        .collect();
    let numbers: BTreeSet<u64> = results.values().copied().collect();
    assert_eq!((results.len(), numbers), (8, (1..=8).collect()));
    assert_eq!(results["pool of processes"], 4);
}

#[test]
fn each_kind_says_in_the_same_words_how_it_failed() {
    let runtime = Runtime::new(Backend::Native).unwrap();
    let tasks: Vec<(&str, Task<()>)> = vec![
        ("thread", threads::spawn(|| panic!("planted")).unwrap().into_task()),
        ("process", procs::Process::spawn(|()| panic!("planted"), ()).unwrap().into_task()),
        ("pool of threads", threads::Pool::new(1).spawn(|| panic!("planted"))),
        ("event loop", runtime.spawn(async { panic!("planted") })),
    ];
    for (key, result) in as_completed(tasks) {
        let why = result.expect_err(key);
        let panic = why.panic().unwrap_or_else(|| panic!("{key}: {why}"));
        assert_eq!(panic.message(), "planted", "{key}");
        assert!(panic.place().is_some_and(|place| place.contains("mixed.rs:")), "{key}: {:?}", panic.place());
    }
    let killed = procs::Process::<()>::spawn(|()| std::process::abort(), ()).unwrap();
    assert!(matches!(killed.join(), Err(JoinError::Killed { signal: 6, .. })));
}

#[test]
fn tasks_of_different_kinds_and_types_are_waited_for_together() {
    let gate = Arc::new(sync::Event::new());
    let runtime = Runtime::new(Backend::Native).unwrap();
    let mut thread = threads::spawn({
        let gate = Arc::clone(&gate);
        move || gate.wait()
    })
    .unwrap();
    let mut process = procs::Process::spawn(|text: String| text + "!", "done".to_owned()).unwrap();
    let mut task = runtime.spawn({
        let gate = Arc::clone(&gate);
        async move {
            gate.wait_async().await;
            42_u64
        }
    });

    let first = wait(&mut [&mut thread, &mut process, &mut task], When::FirstCompleted);
    assert_eq!((first.done, first.pending), (vec![1], vec![0, 2]), "the others wait for the gate");
    let limit = Duration::from_millis(20);
    let still = wait_timeout(&mut [&mut thread, &mut task], When::AllCompleted, limit);
    assert!(still.done.is_empty());
    gate.set();
    let all = wait(&mut [&mut thread, &mut process, &mut task], When::AllCompleted);
    assert!(all.pending.is_empty());
    assert_eq!((process.join().unwrap().as_str(), task.join().unwrap()), ("done!", 42));
    thread.join().unwrap();
}

/// Each puts its own numbers in and takes as many of anybody's out, with one place in between.
#[test]
fn one_queue_serves_a_thread_a_tokio_task_a_smol_task_and_a_native_task_at_once() {
    const EACH: u64 = 200;
    let queue = Arc::new(Queue::bounded(1));
    let native = Runtime::builder(Backend::Native).workers(1).build().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();

    async fn in_and_out(queue: Arc<Queue<u64>>, from: u64) -> Vec<u64> {
        let mut taken = Vec::new();
        for number in from..from + EACH {
            queue.put_async(number).await.unwrap();
            taken.push(queue.get_async().await.unwrap());
        }
        taken
    }
    let thread = threads::spawn({
        let queue = Arc::clone(&queue);
        move || {
            let mut taken = Vec::new();
            for number in 0..EACH {
                queue.put(number).unwrap();
                taken.push(queue.get().unwrap());
            }
            taken
        }
    })
    .unwrap();
    let smol = smol::spawn(in_and_out(Arc::clone(&queue), 1_000));
    let on_tokio = tokio.spawn(in_and_out(Arc::clone(&queue), 2_000));
    let on_native = native.spawn(in_and_out(Arc::clone(&queue), 3_000));

    let mut taken = thread.join().unwrap();
    taken.extend(smol::block_on(smol));
    taken.extend(tokio.block_on(on_tokio).unwrap());
    taken.extend(on_native.join().unwrap());
    taken.sort_unstable();
    let put: Vec<u64> = (0..4).flat_map(|who| who * 1_000..who * 1_000 + EACH).collect();
    assert_eq!(taken, put, "nothing is lost and nothing comes twice");
    assert!(queue.is_empty());
}
