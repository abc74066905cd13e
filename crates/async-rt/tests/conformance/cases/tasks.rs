//! Starting, ending and combining tasks.

use super::{Bomb, Drops, runtime, runtime_of_one};
use async_rt::{Backend, JoinError, gather, gather_all, run, spawn, yield_now};
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use sync::Event;

pub(crate) fn spawn_and_join(backend: Backend) {
    let sum = run(backend, async {
        let tasks: Vec<_> = (0..10_u32).map(|number| spawn(async move { number * number })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum.unwrap(), 285);
}

pub(crate) fn nested_spawn(backend: Backend) {
    fn down(depth: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async move { if depth == 0 { 0 } else { spawn(down(depth - 1)).await.unwrap() + 1 } })
    }
    assert_eq!(run(backend, down(20)).unwrap(), 20);
}

pub(crate) fn a_panic_is_an_error_of_its_task(backend: Backend) {
    let runtime = runtime(backend);
    let task = runtime.spawn(async { planted(7) });
    let Err(JoinError::Panicked(panic)) = task.join() else { panic!("it did not panic") };
    assert_eq!(panic.message(), "planted 7");
    assert!(panic.place().unwrap().contains("tasks.rs"));
    assert_eq!(runtime.spawn(async { 1 }).join().unwrap(), 1, "the runtime goes on");
}

pub(crate) fn a_panicking_destructor_is_an_error_of_its_task(backend: Backend) {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("planted in a destructor");
        }
    }
    let runtime = runtime(backend);
    let started = Arc::new(Event::new());
    let task = runtime.spawn({
        let started = Arc::clone(&started);
        async move {
            let _bomb = Bomb;
            started.set();
            pending::<()>().await;
        }
    });
    started.wait();
    task.cancel();
    assert!(task.join().unwrap_err().is_panic());
    assert_eq!(runtime.spawn(async { 1 }).join().unwrap(), 1, "the runtime goes on");
}

pub(crate) fn a_result_that_nobody_wants_may_panic(backend: Backend) {
    let runtime = runtime_of_one(backend);
    let (gate, dropped) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let (detached, bomb) = (Arc::clone(&gate), Bomb(Arc::clone(&dropped)));
    drop(runtime.spawn(async move {
        detached.wait_async().await;
        bomb
    }));
    gate.set();
    dropped.wait();
    assert_eq!(runtime.spawn(async { 1 }).join().unwrap(), 1, "the runtime goes on");
}

pub(crate) fn who_awaits_may_panic(backend: Backend) {
    struct Awaits(Mutex<Option<Bomb>>);
    impl Wake for Awaits {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let runtime = runtime_of_one(backend);
    let (gate, woken) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let mut task = runtime.spawn({
        let gate = Arc::clone(&gate);
        async move { gate.wait_async().await }
    });
    let waker = Waker::from(Arc::new(Awaits(Mutex::new(Some(Bomb(Arc::clone(&woken)))))));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    gate.set();
    woken.wait();
    assert!(task.join().is_ok());
    assert_eq!(runtime.spawn(async { 1 }).join().unwrap(), 1, "the runtime goes on");
}

pub(crate) fn run_passes_the_panic_on(backend: Backend) {
    let caught = sync::catch(|| run(backend, async { planted(8) }).unwrap());
    assert_eq!(caught.unwrap_err().panic().unwrap().message(), "planted 8");
}

fn planted(number: u32) -> u32 {
    panic!("planted {number}");
}

pub(crate) fn cancel_drops_at_the_await(backend: Backend) {
    let runtime = runtime(backend);
    let drops = Drops::default();
    let started = Arc::new(Event::new());
    let task = runtime.spawn({
        let (guard, started) = (drops.guard(), Arc::clone(&started));
        async move {
            let _guard = guard;
            started.set();
            pending::<()>().await;
        }
    });
    started.wait();
    assert_eq!(drops.count(), 0);
    task.cancel();
    assert!(task.join().unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 1, "destructors have run when the task has ended");
}

pub(crate) fn cancel_before_the_first_poll(backend: Backend) {
    // With one worker, which is here and comes to the task later.
    runtime_of_one(backend).run(async move {
        loop {
            let (drops, polled) = (Drops::default(), Arc::new(AtomicBool::new(false)));
            let task = spawn({
                let (guard, polled) = (drops.guard(), Arc::clone(&polled));
                async move {
                    let _guard = guard;
                    polled.store(true, Ordering::SeqCst);
                }
            });
            task.cancel();
            let ended = task.await;
            assert_eq!(drops.count(), 1);
            if !polled.load(Ordering::SeqCst) {
                assert!(ended.unwrap_err().is_cancelled());
                break;
            }
            // Where there are more, another may have been quicker.
            assert_eq!(backend, Backend::AsyncStd);
        }
    });
}

pub(crate) fn dropping_the_handle_detaches(backend: Backend) {
    let runtime = runtime(backend);
    let (sender, receiver) = mpsc::channel();
    drop(runtime.spawn(async move {
        yield_now().await;
        sender.send(5).unwrap();
    }));
    assert_eq!(receiver.recv().unwrap(), 5);
}

pub(crate) fn gather_keeps_order(backend: Backend) {
    let (tuple, all) = run(backend, async {
        let late = async {
            for _ in 0..10 {
                yield_now().await;
            }
            "late"
        };
        let tuple = gather((late, async { 2 }, spawn(async { 3 }))).await;
        let all = gather_all((0..100_u64).map(|number| async move {
            for _ in number..100 {
                yield_now().await;
            }
            number
        }));
        (tuple, all.await)
    })
    .unwrap();
    assert_eq!((tuple.0, tuple.1, tuple.2.unwrap()), ("late", 2, 3));
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

pub(crate) fn gather_polls_all(backend: Backend) {
    // Each waits for the one after it: gathered futures make progress together or not at all.
    let passed = run(backend, async {
        let events: Vec<_> = (0..50).map(|_| Event::new()).collect();
        let waits = events.iter().enumerate().map(|(index, event)| {
            let next = events.get(index + 1);
            async move {
                if let Some(next) = next {
                    next.wait_async().await;
                }
                event.set();
            }
        });
        gather_all(waits).await.len()
    });
    assert_eq!(passed.unwrap(), 50);
    assert_eq!(run(backend, gather_all(Vec::<std::future::Ready<()>>::new())).unwrap(), []);
}

pub(crate) fn gathered_futures_may_be_woken_by_threads(backend: Backend) {
    let runtime = runtime(backend);
    let sum = runtime.block_on(async {
        let functions = (0..40_u64).map(|number| runtime.spawn_blocking(move || number));
        gather_all(functions).await.into_iter().map(Result::unwrap).sum::<u64>()
    });
    assert_eq!(sum, 780);
}

pub(crate) fn ten_thousand_tasks(backend: Backend) {
    let runtime = runtime(backend);
    let gate = Arc::new(Event::new());
    let tasks: Vec<_> = (0..10_000_u64)
        .map(|number| {
            let gate = Arc::clone(&gate);
            runtime.spawn(async move {
                gate.wait_async().await;
                number
            })
        })
        .collect();
    assert!(tasks.iter().all(|task| !task.is_finished()));
    gate.set();
    let sum: u64 = tasks.into_iter().map(|task| task.join().unwrap()).sum();
    assert_eq!(sum, 49_995_000);
}

pub(crate) fn woken_from_another_thread(backend: Backend) {
    let runtime = runtime(backend);
    for _ in 0..200 {
        let (sender, receiver) = mpsc::channel::<Waker>();
        let ready = Arc::new(AtomicBool::new(false));
        let task = runtime.spawn({
            let ready = Arc::clone(&ready);
            let mut sender = Some(sender);
            poll_fn(move |cx| {
                if ready.load(Ordering::SeqCst) {
                    return Poll::Ready(());
                }
                if let Some(sender) = sender.take() {
                    sender.send(cx.waker().clone()).unwrap();
                }
                Poll::Pending
            })
        });
        let waker = receiver.recv().unwrap();
        ready.store(true, Ordering::SeqCst);
        waker.wake();
        task.join().unwrap();
    }
}

pub(crate) fn woken_while_running(backend: Backend) {
    let runtime = runtime(backend);
    let polls = Arc::new(AtomicUsize::new(0));
    let task = runtime.spawn({
        let polls = Arc::clone(&polls);
        poll_fn(move |cx| {
            if polls.fetch_add(1, Ordering::SeqCst) == 3 {
                return Poll::Ready(());
            }
            // Several wakes during one poll, from here and from elsewhere, are one more poll.
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake()).join().unwrap();
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    });
    task.join().unwrap();
    assert_eq!(polls.load(Ordering::SeqCst), 4);
}

pub(crate) fn yield_lets_others_run(backend: Backend) {
    // With one worker, so that nobody runs the other task meanwhile.
    runtime_of_one(backend).run(async {
        let flag = Arc::new(AtomicBool::new(false));
        let other = spawn({
            let flag = Arc::clone(&flag);
            async move { flag.store(true, Ordering::SeqCst) }
        });
        while !flag.load(Ordering::SeqCst) {
            yield_now().await;
        }
        other.await.unwrap();
    });
}

pub(crate) fn a_root_that_is_not_send(backend: Backend) {
    let runtime = runtime(backend);
    let local = Rc::new(Cell::new(1));
    let borrowed = &local;
    let sum = runtime.block_on(async move {
        let here = thread::current().id();
        async_rt::sleep(std::time::Duration::from_millis(1)).await;
        assert_eq!(thread::current().id(), here);
        borrowed.set(borrowed.get() + spawn(async { 41 }).await.unwrap());
        borrowed.get()
    });
    assert_eq!((sum, local.get()), (42, 42));
}

pub(crate) fn spawn_from_outside(backend: Backend) {
    let runtime = runtime(backend);
    let sum: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let tasks: Vec<_> = (0..100).map(|number| runtime.spawn(async move { number })).collect();
                    tasks.into_iter().map(|task| task.join().unwrap()).sum::<u64>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(sum, 4 * 4950);
}

pub(crate) fn current_backend(backend: Backend) {
    assert_eq!(Backend::current(), None);
    let runtime = runtime(backend);
    assert_eq!(runtime.backend(), backend);
    assert_eq!(runtime.run(async { Backend::current() }), Some(backend));
    assert_eq!(runtime.block_on(async { Backend::current() }), Some(backend));
    assert_eq!(Backend::current(), None);
}
