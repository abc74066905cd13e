//! What a pool promises.

mod common;

use common::eventually;
use procs::{Executor, JoinError, Pool, Shutdown, Task};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn for_ever(_: ()) {
    loop {
        std::thread::park();
    }
}

fn double(number: u64) -> u64 {
    number * 2
}

#[test]
fn results_are_those_of_the_functions_in_any_order_of_joining() -> Result {
    let pool = Pool::new(3)?;
    assert_eq!(pool.workers(), 3);
    let tasks: Vec<_> = (0..200_u64).map(|n| pool.submit(double, n)).collect();
    for (n, task) in tasks.into_iter().enumerate().rev() {
        assert_eq!(task.join()?, n as u64 * 2);
    }
    assert_eq!(pool.map(double, 0..50).collect::<std::result::Result<Vec<_>, _>>()?.len(), 50);
    let mut unordered: Vec<u64> =
        pool.map_unordered(double, 0..50).map(|(_, result)| result).collect::<std::result::Result<_, _>>()?;
    unordered.sort_unstable();
    assert_eq!(unordered, (0..50).map(|n| n * 2).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_pool_takes_what_is_not_send() -> Result {
    let pool = Pool::new(1)?;
    let order = Order { number: 21, here: std::rc::Rc::default() };
    assert_eq!(pool.submit(|order: Order| order.number * 2 + u64::from(order.here.get()), order).join()?, 42);
    Ok(())
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    number: u64,
    #[serde(skip)]
    here: std::rc::Rc<std::cell::Cell<u8>>,
}

#[test]
fn at_most_so_many_tasks_run_at_once_and_they_run_at_once() -> Result {
    let pool = Pool::new(2)?;
    // Two tasks that need each other: through a pipe, which only processes that run at the same time can fill and empty.
    let (reader, writer) = io::pipe()?;
    let reader = ipc::Descriptor::from(std::os::fd::OwnedFd::from(reader));
    let writer = ipc::Descriptor::from(std::os::fd::OwnedFd::from(writer));
    let read = pool.submit(
        |reader: ipc::Descriptor| {
            let mut heard = String::new();
            let mut file = std::fs::File::from(reader.into_inner());
            io::Read::read_to_string(&mut file, &mut heard).map(|_| heard).map_err(|error| error.to_string())
        },
        reader,
    );
    let write = pool.submit(
        |writer: ipc::Descriptor| {
            let mut file = std::fs::File::from(writer.into_inner());
            io::Write::write_all(&mut file, &[b'x'; 1 << 20]).map_err(|error| error.to_string())
        },
        writer,
    );
    write.join()??;
    assert_eq!(read.join()??.len(), 1 << 20);
    assert_eq!(pool.pids().len(), 2);
    Ok(())
}

#[test]
fn tasks_begin_in_the_order_of_submission() -> Result {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let pool = Pool::new(1)?;
    let tasks: Vec<_> =
        (0..50_u64).map(|_| pool.submit(|()| NEXT.fetch_add(1, Ordering::Relaxed), ())).collect();
    for (n, task) in (0..50).zip(tasks) {
        assert_eq!(task.join()?, n, "one worker counts in its own memory");
    }
    Ok(())
}

#[test]
fn a_task_is_cancelled_while_it_waits_and_while_it_runs() -> Result {
    let pool = Pool::new(1)?;
    let running = pool.submit(for_ever, ());
    let waiting = pool.submit(for_ever, ());
    let last = pool.submit(double, 4);
    eventually("the first task runs", || pool.pids().len() == 1);
    waiting.cancel();
    assert!(waiting.join().unwrap_err().is_cancelled());
    assert!(!running.is_finished());
    running.cancel();
    assert!(running.join().unwrap_err().is_cancelled());
    assert_eq!(last.join()?, 8);

    // At once, when its worker is only just being started.
    let pool = Pool::new(1)?;
    let early = pool.submit(for_ever, ());
    early.cancel();
    assert!(early.join().unwrap_err().is_cancelled());
    assert_eq!(pool.submit(double, 5).join()?, 10);
    Ok(())
}

/// The limit holds for the quick task too, and on a busy machine a short one is over before a new worker has done it. So
/// there may be longer ones; but if the time in which the quick task waits for the slow one counted, none would do.
#[test]
fn a_task_that_takes_too_long_is_timed_out() -> Result {
    let mut limit = Duration::from_millis(40);
    loop {
        let pool = Pool::builder().workers(1).task_timeout(limit).build()?;
        let start = Instant::now();
        let slow = pool.submit(for_ever, ());
        let quick = pool.submit(double, 1);
        assert!(matches!(slow.join(), Err(JoinError::TimedOut)));
        assert!(start.elapsed() >= limit);
        match quick.join() {
            Ok(two) => break assert_eq!(two, 2),
            Err(JoinError::TimedOut) if limit < Duration::from_secs(10) => limit *= 2,
            Err(error) => return Err(format!("with {limit:?} for each task: {error}").into()),
        }
    }
    Ok(())
}

#[test]
fn a_worker_is_replaced_after_so_many_tasks() -> Result {
    let pool = Pool::builder().workers(1).tasks_per_worker(3).build()?;
    let tasks: Vec<_> = (0..9).map(|_| pool.submit(|()| std::process::id(), ())).collect();
    let pids: Vec<u32> = tasks.into_iter().map(Task::join).collect::<std::result::Result<_, _>>()?;
    let mut different = pids.clone();
    different.dedup();
    assert_eq!(different.len(), 3, "{pids:?}");
    assert!(pids.chunks(3).all(|three| three.iter().all(|pid| *pid == three[0])), "{pids:?}");
    Ok(())
}

static READY: AtomicU64 = AtomicU64::new(0);

#[test]
fn the_initializer_runs_once_in_each_worker_before_its_first_task() -> Result {
    let pool = Pool::builder()
        .workers(2)
        .initializer(|| READY.store(READY.load(Ordering::Relaxed) + 1, Ordering::Relaxed))
        .build()?;
    let seen: Vec<u64> =
        pool.map(|_: u64| READY.load(Ordering::Relaxed), 0..40).collect::<std::result::Result<_, _>>()?;
    assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
    assert_eq!(READY.load(Ordering::Relaxed), 0, "here it does not run");
    Ok(())
}

#[test]
fn an_initializer_that_fails_fails_tasks_and_never_hangs() -> Result {
    let pool = Pool::builder().workers(2).initializer(|| panic!("not today")).build()?;
    let tasks: Vec<_> = (0..6_u64).map(|n| pool.submit(double, n)).collect();
    for task in tasks {
        let error = task.join().unwrap_err();
        assert_eq!(error.panic().map(procs::Panic::message), Some("not today"), "{error}");
    }
    let pool = Pool::builder().workers(2).initializer(|| std::process::exit(5)).build()?;
    let tasks: Vec<_> = (0..6_u64).map(|n| pool.submit(double, n)).collect();
    for task in tasks {
        assert!(matches!(task.join(), Err(JoinError::Exited { code: 5, .. })));
    }
    Ok(())
}

#[test]
fn large_arguments_and_results_at_the_same_time_do_not_wait_for_each_other() -> Result {
    const BYTES: usize = 64 << 20;
    let pool = Pool::new(2)?;
    let tasks: Vec<Task<String>> =
        (0..2).map(|_| pool.submit(|text: String| text, "b".repeat(BYTES))).collect();
    for task in tasks {
        assert_eq!(task.join()?.len(), BYTES);
    }
    Ok(())
}

#[test]
fn shutting_down_finishes_or_gives_up_what_waits_and_leaves_no_process() -> Result {
    let pool = Pool::new(2)?;
    let tasks: Vec<_> = (0..20_u64).map(|n| pool.submit(double, n)).collect();
    pool.shutdown(Shutdown::Finish);
    assert!(tasks.iter().all(Task::is_finished));
    assert!(pool.pids().is_empty());
    assert!(tasks.into_iter().all(|task| task.join().is_ok()));
    assert!(matches!(pool.submit(double, 1).join(), Err(JoinError::ShutDown)));
    pool.shutdown(Shutdown::CancelPending);

    let pool = Pool::new(1)?;
    let running = pool.submit(for_ever, ());
    let waiting = pool.submit(double, 1);
    eventually("the first task runs", || pool.pids().len() == 1);
    let limit = Duration::from_millis(20);
    assert!(pool.shutdown_timeout(Shutdown::CancelPending, limit).is_err(), "a task that runs is waited for");
    assert!(matches!(waiting.join(), Err(JoinError::ShutDown)));
    running.cancel();
    pool.shutdown(Shutdown::CancelPending);
    assert!(pool.pids().is_empty());
    Ok(())
}

#[test]
fn dropping_a_pool_kills_and_leaves_no_process() -> Result {
    let pool = Pool::new(2)?;
    let running = [pool.submit(for_ever, ()), pool.submit(for_ever, ())];
    let waiting = pool.submit(double, 1);
    eventually("two tasks run", || pool.pids().len() == 2);
    let pids = pool.pids();
    drop(pool);
    assert!(pids.into_iter().all(|pid| !common::exists(pid)));
    assert!(running.into_iter().all(|task| task.join().unwrap_err().is_cancelled()));
    assert!(matches!(waiting.join(), Err(JoinError::ShutDown)));

    // With workers that are only just being started, and with none at all.
    let pool = Pool::new(2)?;
    let early = pool.submit(for_ever, ());
    drop(pool);
    assert!(early.join().unwrap_err().is_cancelled());
    drop(Pool::new(2)?);
    Ok(())
}

#[test]
fn when_a_pool_was_dropped_all_its_tasks_have_ended() -> Result {
    let pool = Pool::new(1)?;
    let (here, there) = ipc::Link::pair()?;
    let says_and_stays = |link: ipc::Link| {
        let said = link.send(&ipc::Parcel::default(), None).is_ok();
        for_ever(());
        said
    };
    let ended = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&ended);
    pool.submit(says_and_stays, there).on_done(move |result| {
        // Long enough for a drop that does not wait for this.
        std::thread::sleep(Duration::from_millis(100));
        told.store(1 + u64::from(matches!(result, Err(JoinError::Cancelled))), Ordering::Relaxed);
    });
    here.receive(None)?;
    drop(pool);
    assert_eq!(ended.load(Ordering::Relaxed), 2, "it was cancelled, and its callback has run");
    Ok(())
}

#[test]
fn descriptors_in_arguments_and_results_work_in_pools() -> Result {
    let pool = Pool::new(1)?;
    for _ in 0..20 {
        let (here, there) = ipc::Link::pair()?;
        let back = pool.submit(|link: ipc::Link| link, there).join()?;
        here.send(&ipc::Parcel { bytes: vec![7], descriptors: Vec::new() }, None)?;
        assert_eq!(back.receive(None)?.bytes, [7]);
    }
    Ok(())
}

#[test]
fn what_cannot_be_built_is_refused() {
    assert_eq!(Pool::new(0).map(|_| ()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let text = Pool::new(0).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("at least 1"), "{text}");
}

#[test]
fn pools_in_many_threads_and_of_many_kinds_do_not_disturb_each_other() -> Result {
    let sums: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6_u64)
            .map(|thread| {
                scope.spawn(move || -> u64 {
                    let pool = Pool::new(2).expect("a pool");
                    let values = pool.map(|(a, b): (u64, u64)| a * b, (0..30).map(|n| (thread, n)));
                    values.map(|value| value.expect("a result")).sum()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(sums, (0..6).map(|thread| thread * 435).collect::<Vec<u64>>());
    Ok(())
}

#[test]
fn hooks_run_in_the_workers() -> Result {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let pool =
        Pool::new(1)?.hooked(|| BEFORE.store(BEFORE.load(Ordering::Relaxed) + 1, Ordering::Relaxed), || ());
    let seen: Vec<u64> =
        pool.map(|_: u64| BEFORE.load(Ordering::Relaxed), 0..3).collect::<std::result::Result<_, _>>()?;
    assert_eq!(seen, [1, 2, 3]);
    Ok(())
}
