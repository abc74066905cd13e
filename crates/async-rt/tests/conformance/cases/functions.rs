//! Functions that block, and the contract of executors.

use super::{Bomb, runtime, runtime_of_one};
use async_rt::{Backend, Executor, Runtime, Shutdown, run, sleep, spawn_blocking, to_thread};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use sync::{Barrier, Event};

pub(crate) fn blocking_goes_on_beside_the_loop(backend: Backend) {
    run(backend, async {
        let loop_thread = thread::current().id();
        let (sender, receiver) = mpsc::channel();
        let function = spawn_blocking(move || (receiver.recv().unwrap(), thread::current().id()));
        // The loop goes on while the function blocks, and lets it go.
        sleep(Duration::from_millis(5)).await;
        assert!(!function.is_finished());
        sender.send(7).unwrap();
        let (value, thread) = function.await.unwrap();
        assert_eq!(value, 7);
        assert_ne!(thread, loop_thread);
        assert_eq!(to_thread(|| 8).await.unwrap(), 8);
    })
    .unwrap();
}

pub(crate) fn a_function_panics(backend: Backend) {
    let runtime = runtime(backend);
    let error = runtime.spawn_blocking(|| -> u32 { panic!("planted") }).join().unwrap_err();
    assert_eq!(error.panic().unwrap().message(), "planted");
    assert_eq!(runtime.spawn_blocking(|| 1).join().unwrap(), 1);
}

pub(crate) fn a_result_that_nobody_wants_may_panic(backend: Backend) {
    let runtime = runtime_of_one(backend);
    let (gate, dropped) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (detached, bomb) = (Arc::clone(&gate), Bomb(Arc::clone(&dropped)));
    drop(runtime.spawn_blocking(move || {
        detached.wait();
        bomb
    }));
    gate.set();
    dropped.wait();
    assert_eq!(runtime.spawn_blocking(|| 1).join().unwrap(), 1, "the runtime goes on");
}

pub(crate) fn at_most_as_many_as_asked_for(backend: Backend) {
    let runtime = Runtime::builder(backend).blocking_threads(3).build().unwrap();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Three at a time must really run at the same time, or nobody passes.
    let barrier = Arc::new(Barrier::new(3));
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (running, most, barrier) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&barrier));
            runtime.spawn_blocking(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                barrier.wait().unwrap();
                running.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    for task in tasks {
        task.join().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

pub(crate) fn a_function_that_has_not_begun_is_taken_back(backend: Backend) {
    let runtime = Runtime::builder(backend).blocking_threads(1).build().unwrap();
    let (began, gate) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let first = runtime.spawn_blocking({
        let (began, gate) = (Arc::clone(&began), Arc::clone(&gate));
        move || {
            began.set();
            gate.wait();
            "it went on"
        }
    });
    let second = runtime.spawn_blocking(|| "never");
    began.wait();
    first.cancel();
    second.cancel();
    gate.set();
    assert_eq!(first.join().unwrap(), "it went on");
    assert!(second.join().unwrap_err().is_cancelled());
}

pub(crate) fn functions_know_their_runtime(backend: Backend) {
    let runtime = runtime(backend);
    let answer = runtime.spawn_blocking(move || {
        assert_eq!(Backend::current(), Some(backend));
        async_rt::spawn(async { 3 }).join().unwrap()
    });
    assert_eq!(answer.join().unwrap(), 3);
}

pub(crate) fn executor_basics(backend: Backend) {
    let runtime = Runtime::builder(backend).blocking_threads(4).build().unwrap();
    assert_eq!(runtime.workers(), 4);
    let can = runtime.can();
    assert!(can.cancels && can.captures && !can.kills && !can.isolates);
    let doubled: Result<Vec<u64>, _> = runtime.map(|number: u64| number * 2, 0..100).collect();
    assert_eq!(doubled.unwrap(), (0..100).map(|number| number * 2).collect::<Vec<_>>());
    let mut unordered: Vec<_> = runtime
        .map_unordered(|number: u64| number + 1, 0..100)
        .map(|(index, result)| (index as u64, result.unwrap()))
        .collect();
    unordered.sort_unstable();
    assert!(unordered.into_iter().all(|(index, value)| value == index + 1));
    let sum = Executor::submit(&runtime, |(left, right): (u32, u32)| left + right, (40, 2));
    assert_eq!(sum.join().unwrap(), 42);
    runtime.shutdown(Shutdown::Finish);
    runtime.shutdown(Shutdown::Finish);
}

pub(crate) fn submit_takes_closures(backend: Backend) {
    let runtime = runtime(backend);
    let captured = String::from("captured");
    let not_serde = Arc::new(5);
    let task = runtime.submit(move |number: Arc<i32>| format!("{captured} {number}"), not_serde);
    assert_eq!(task.join().unwrap(), "captured 5");
}
