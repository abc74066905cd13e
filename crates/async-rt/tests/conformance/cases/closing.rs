//! How a runtime ends.

use super::{Drops, runtime};
use async_rt::{Backend, Executor, JoinError, Runtime, Shutdown, TimedOut, sleep, yield_now};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use sync::{Barrier, Event, Queue};

pub(crate) fn refuses_after_shutdown(backend: Backend) {
    let runtime = runtime(backend);
    runtime.shutdown(Shutdown::Finish);
    assert!(matches!(runtime.spawn(async { 1 }).join(), Err(JoinError::ShutDown)));
    assert!(matches!(runtime.spawn_blocking(|| 1).join(), Err(JoinError::ShutDown)));
    assert!(matches!(Executor::submit(&runtime, |x: u8| x, 1).join(), Err(JoinError::ShutDown)));
}

pub(crate) fn finish_waits_for_tasks(backend: Backend) {
    let runtime = runtime(backend);
    let task = runtime.spawn(async {
        sleep(Duration::from_millis(10)).await;
        1
    });
    let function = runtime.spawn_blocking(|| {
        thread::sleep(Duration::from_millis(10));
        2
    });
    runtime.shutdown(Shutdown::Finish);
    assert!(task.is_finished() && function.is_finished());
    assert_eq!((task.join().unwrap(), function.join().unwrap()), (1, 2));
}

pub(crate) fn cancel_pending_stops_tasks(backend: Backend) {
    let runtime = Runtime::builder(backend).blocking_threads(1).build().unwrap();
    let (began, gate) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let running = runtime.spawn_blocking({
        let (began, gate) = (Arc::clone(&began), Arc::clone(&gate));
        move || {
            began.set();
            gate.wait();
        }
    });
    let waiting = runtime.spawn_blocking(|| ());
    let started = Arc::new(Event::new());
    let task = runtime.spawn({
        let started = Arc::clone(&started);
        async move {
            started.set();
            pending::<()>().await;
        }
    });
    began.wait();
    started.wait();
    assert_eq!(runtime.shutdown_timeout(Shutdown::CancelPending, Duration::ZERO), Err(TimedOut));
    assert!(task.join().unwrap_err().is_cancelled());
    gate.set();
    runtime.shutdown(Shutdown::CancelPending);
    assert!(running.join().is_ok());
    assert!(matches!(waiting.join(), Err(JoinError::ShutDown)));
}

pub(crate) fn shutdown_can_time_out(backend: Backend) {
    let runtime = runtime(backend);
    let task = runtime.spawn(pending::<()>());
    assert_eq!(runtime.shutdown_timeout(Shutdown::Finish, Duration::from_millis(5)), Err(TimedOut));
    assert!(!task.is_finished());
    task.cancel();
    runtime.shutdown(Shutdown::Finish);
}

pub(crate) fn drop_runs_destructors(backend: Backend) {
    let drops = Drops::default();
    let runtime = runtime(backend);
    let started = Arc::new(Queue::unbounded());
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let (guard, started) = (drops.guard(), Arc::clone(&started));
            runtime.spawn(async move {
                let _guard = guard;
                started.try_put(()).unwrap();
                if number % 2 == 0 { pending::<()>().await } else { sleep(Duration::from_secs(3600)).await }
            })
        })
        .collect();
    for _ in 0..100 {
        started.get().unwrap();
    }
    assert_eq!(drops.count(), 0);
    drop(runtime);
    assert_eq!(drops.count(), 100);
    for task in tasks {
        assert!(task.join().unwrap_err().is_cancelled());
    }
}

pub(crate) fn drop_waits_for_functions_that_run(backend: Backend) {
    let runtime = runtime(backend);
    let (began, ended) = (Arc::new(Event::new()), Arc::new(AtomicBool::new(false)));
    drop(runtime.spawn_blocking({
        let (began, ended) = (Arc::clone(&began), Arc::clone(&ended));
        move || {
            began.set();
            thread::sleep(Duration::from_millis(10));
            ended.store(true, Ordering::SeqCst);
        }
    }));
    began.wait();
    drop(runtime);
    assert!(ended.load(Ordering::SeqCst));
}

pub(crate) fn dropped_inside_its_own_task(backend: Backend) {
    let drops = Drops::default();
    let runtime = Arc::new(runtime(backend));
    let (began, dropped) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let other = runtime.spawn({
        let (guard, began) = (drops.guard(), Arc::clone(&began));
        async move {
            let _guard = guard;
            began.set();
            pending::<()>().await;
        }
    });
    // One that has not begun would end with another error.
    began.wait();
    let last = runtime.spawn({
        let (runtime, dropped) = (Arc::clone(&runtime), Arc::clone(&dropped));
        async move {
            // Until this is the only one who holds it.
            let mut runtime = runtime;
            let runtime = loop {
                match Arc::try_unwrap(runtime) {
                    Ok(runtime) => break runtime,
                    Err(shared) => runtime = shared,
                }
                yield_now().await;
            };
            drop(runtime);
            dropped.set();
            yield_now().await;
            "never"
        }
    });
    drop(runtime);
    dropped.wait();
    assert!(last.join().unwrap_err().is_cancelled());
    assert!(other.join().unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 1);
}

/// The last one who holds a runtime, which tells when it has dropped it.
struct Last {
    runtime: Option<Arc<Runtime>>,
    dropped: Arc<Event>,
}

impl Last {
    fn new(runtime: &Arc<Runtime>) -> (Self, Arc<Event>) {
        let dropped = Arc::new(Event::new());
        (Last { runtime: Some(Arc::clone(runtime)), dropped: Arc::clone(&dropped) }, dropped)
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        drop(self.runtime.take());
        self.dropped.set();
    }
}

pub(crate) fn dropped_by_a_callback_of_its_own_task(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let gate = Arc::new(Event::new());
    let task = runtime.spawn({
        let gate = Arc::clone(&gate);
        async move { gate.wait_async().await }
    });
    let (last, dropped) = Last::new(&runtime);
    task.on_done(move |_| drop(last));
    drop(runtime);
    gate.set();
    dropped.wait();
}

pub(crate) fn dropped_by_a_callback_of_its_own_function(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let gate = Arc::new(Event::new());
    let task = runtime.spawn_blocking({
        let gate = Arc::clone(&gate);
        move || gate.wait()
    });
    let (last, dropped) = Last::new(&runtime);
    task.on_done(move |_| drop(last));
    drop(runtime);
    gate.set();
    dropped.wait();
}

pub(crate) fn dropped_with_the_result_of_its_own_task(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let gate = Arc::new(Event::new());
    let (last, dropped) = Last::new(&runtime);
    drop(runtime.spawn({
        let gate = Arc::clone(&gate);
        async move {
            gate.wait_async().await;
            last
        }
    }));
    drop(runtime);
    gate.set();
    dropped.wait();
}

pub(crate) fn dropped_by_who_awaits_its_own_task(backend: Backend) {
    struct Awaits(Mutex<Option<Last>>);
    impl Wake for Awaits {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let runtime = Arc::new(runtime(backend));
    let gate = Arc::new(Event::new());
    let mut task = runtime.spawn({
        let gate = Arc::clone(&gate);
        async move { gate.wait_async().await }
    });
    let (last, dropped) = Last::new(&runtime);
    let waker = Waker::from(Arc::new(Awaits(Mutex::new(Some(last)))));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(runtime);
    gate.set();
    dropped.wait();
    assert!(task.join().is_ok());
}

pub(crate) fn dropped_inside_another_runtime_inside_its_own_function(backend: Backend) {
    let (other, outer) = (runtime(backend), Arc::new(runtime(backend)));
    let gate = Arc::new(Event::new());
    let (last, dropped) = Last::new(&outer);
    drop(outer.spawn_blocking({
        let gate = Arc::clone(&gate);
        move || {
            gate.wait();
            other.block_on(async move { drop(last) });
        }
    }));
    drop(outer);
    gate.set();
    dropped.wait();
}

/// Starts a function that ends when the event is set, and returns when it runs.
fn keep_a_blocking_thread(runtime: &Runtime) -> Arc<Event> {
    let (began, gate) = (Arc::new(Event::new()), Arc::new(Event::new()));
    drop(runtime.spawn_blocking({
        let (began, gate) = (Arc::clone(&began), Arc::clone(&gate));
        move || {
            began.set();
            gate.wait();
        }
    }));
    began.wait();
    gate
}

pub(crate) fn dropped_with_a_function_that_is_taken_back(backend: Backend) {
    let runtime = Arc::new(Runtime::builder(backend).blocking_threads(1).build().unwrap());
    let gate = keep_a_blocking_thread(&runtime);
    let (last, dropped) = Last::new(&runtime);
    let taken_back = runtime.spawn_blocking(move || drop(last));
    assert_eq!(runtime.shutdown_timeout(Shutdown::CancelPending, Duration::ZERO), Err(TimedOut));
    drop(runtime);
    gate.set();
    dropped.wait();
    assert!(matches!(taken_back.join(), Err(JoinError::ShutDown)));
}

pub(crate) fn dropped_by_a_callback_of_a_function_that_is_taken_back(backend: Backend) {
    let runtime = Arc::new(Runtime::builder(backend).blocking_threads(1).build().unwrap());
    let gate = keep_a_blocking_thread(&runtime);
    let (last, dropped) = Last::new(&runtime);
    runtime.spawn_blocking(|| ()).on_done(move |_| drop(last));
    assert_eq!(runtime.shutdown_timeout(Shutdown::CancelPending, Duration::ZERO), Err(TimedOut));
    drop(runtime);
    gate.set();
    dropped.wait();
}

pub(crate) fn waits_in_its_own_task_are_refused(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let inside = Arc::clone(&runtime);
    let refused = runtime.spawn(async move { inside.block_on(async { 1 }) }).join();
    assert!(refused.unwrap_err().panic().unwrap().message().contains("`.await` the future there"));
    let inside = Arc::clone(&runtime);
    let refused = runtime.spawn(async move { inside.shutdown(Shutdown::Finish) }).join();
    assert!(refused.unwrap_err().panic().unwrap().message().contains("its own runtime"));
    assert_eq!(runtime.run(async { 1 }), 1, "what was refused has changed nothing");
}

pub(crate) fn closed_inside_its_own_task(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let inside = Arc::clone(&runtime);
    let refused = runtime.spawn(async move {
        inside.close();
        // The same by way of who knows no more than the contract.
        (&*inside).hooked(|| (), || ()).close();
        yield_now().await;
        async_rt::spawn(async { 1 }).await
    });
    assert!(matches!(refused.join().unwrap(), Err(JoinError::ShutDown)));
    runtime.shutdown(Shutdown::Finish);
}

pub(crate) fn its_own_functions_wait_for_the_others(backend: Backend) {
    let runtime = Arc::new(runtime(backend));
    let (gate, ended) = (Arc::new(Event::new()), Arc::new(AtomicUsize::new(0)));
    drop(runtime.spawn({
        let (gate, ended) = (Arc::clone(&gate), Arc::clone(&ended));
        async move {
            gate.wait_async().await;
            ended.fetch_add(1, Ordering::SeqCst);
        }
    }));
    drop(runtime.spawn_blocking({
        let (gate, ended) = (Arc::clone(&gate), Arc::clone(&ended));
        move || {
            gate.wait();
            ended.fetch_add(1, Ordering::SeqCst);
        }
    }));
    // Neither closes before both are there.
    let both = Arc::new(Barrier::new(2));
    let [first, second] = [(); 2].map(|()| {
        let (inside, ended, both) = (Arc::clone(&runtime), Arc::clone(&ended), Arc::clone(&both));
        runtime.spawn_blocking(move || {
            both.wait().unwrap();
            inside.shutdown(Shutdown::Finish);
            ended.load(Ordering::SeqCst)
        })
    });
    // From then on one of them waits, at least.
    while runtime.spawn(async {}).join().is_ok() {
        thread::yield_now();
    }
    assert!(!first.is_finished() && !second.is_finished());
    gate.set();
    assert_eq!((first.join().unwrap(), second.join().unwrap()), (2, 2));
}

pub(crate) fn many_runtimes(backend: Backend) {
    let runtimes: Vec<_> = (0..5).map(|_| runtime(backend)).collect();
    let tasks: Vec<_> =
        runtimes.iter().enumerate().map(|(number, runtime)| runtime.spawn(async move { number })).collect();
    let results: Vec<_> = tasks.into_iter().map(|task| task.join().unwrap()).collect();
    assert_eq!(results, [0, 1, 2, 3, 4]);
}
