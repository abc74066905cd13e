//! Threads and who they are.

use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::{Event, Queue};
use threads::{JoinError, Task, Thread, Timer, Wait, When, as_completed, wait};

#[test]
fn it_has_the_name_and_the_numbers_that_it_sees_itself() {
    let thread = Thread::builder()
        .name("who")
        .spawn(|| {
            let myself = threads::current().expect("it was started by this crate");
            let std = std::thread::current();
            (
                myself.name().to_owned(),
                std.name().map(String::from),
                std.id(),
                myself.native_id(),
                myself.is_daemon(),
            )
        })
        .unwrap();
    let (id, native_id, identity) = (thread.id(), thread.native_id(), thread.identity());
    assert_eq!(identity.id(), id);
    assert_eq!(thread.join().unwrap(), ("who".into(), Some("who".into()), id, native_id, false));
    assert!(!identity.is_alive());
    assert_eq!(native_id.is_some(), cfg!(target_os = "linux"));
    assert!(threads::current().is_none());
}

#[test]
fn it_is_listed_while_it_lives() {
    let go = Arc::new(Event::new());
    let thread = Thread::builder()
        .name("listed")
        .daemon(true)
        .spawn({
            let go = Arc::clone(&go);
            move || go.wait()
        })
        .unwrap();
    let listed = |name: &str| threads::enumerate().into_iter().find(|thread| thread.name() == name);
    assert!(threads::active_count() >= 1);
    let found = listed("listed").expect("it lives");
    assert!(found.is_alive() && found.is_daemon());
    go.set();
    thread.join().unwrap();
    assert!(listed("listed").is_none());
}

#[test]
fn waiting_with_a_limit_gives_the_handle_back() {
    let go = Arc::new(Event::new());
    let thread = threads::spawn({
        let go = Arc::clone(&go);
        move || {
            go.wait();
            "done"
        }
    })
    .unwrap();
    let thread = thread.try_join().unwrap_err().into_inner();
    let begun = Instant::now();
    let limit = Duration::from_millis(10);
    let thread = thread.join_timeout(limit).unwrap_err().into_inner();
    assert!(begun.elapsed() >= limit && !thread.is_finished());
    go.set();
    assert_eq!(thread.join().unwrap(), "done");
}

#[test]
fn it_can_be_awaited_waited_for_and_mixed_with_other_tasks() {
    let thread = threads::spawn(|| 1).unwrap();
    assert_eq!(sync::park::block_on(thread).unwrap(), 1);

    let mut first = threads::spawn(|| 1).unwrap();
    let mut timer = Timer::start(Duration::ZERO, || "later").unwrap();
    let finished = wait(&mut [&mut first, &mut timer], When::AllCompleted);
    assert_eq!(finished.done, [0, 1]);
    assert!(Wait::is_finished(&first) && Wait::is_finished(&timer));

    let pool = threads::Pool::new(1);
    let tasks: [Task<u32>; 3] = [first.into(), pool.spawn(|| 2), threads::spawn(|| 3).unwrap().into_task()];
    let mut results: Vec<u32> = as_completed(tasks).map(Result::unwrap).collect();
    results.sort_unstable();
    assert_eq!(results, [1, 2, 3]);
}

#[test]
fn one_that_waits_for_itself_is_told_so() {
    let handles = Arc::new(Queue::<Thread<Result<(), JoinError>>>::unbounded());
    let outcomes = Arc::new(Queue::unbounded());
    let thread = threads::spawn({
        let (handles, outcomes) = (Arc::clone(&handles), Arc::clone(&outcomes));
        move || {
            let myself = handles.get().unwrap();
            outcomes.put(myself.join().unwrap_err().to_string()).unwrap();
            Ok(())
        }
    })
    .unwrap();
    handles.put(thread).unwrap();
    assert!(outcomes.get().unwrap().contains("waits for its own end"));
}

#[test]
fn what_cannot_start_is_an_error() {
    let error = Thread::builder().name("a\0b").spawn(|| ()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("zero byte"));

    // More than there are addresses.
    let before = threads::enumerate().len();
    assert!(Thread::builder().name("huge").stack_size(1 << 47).spawn(|| ()).is_err());
    assert!(!threads::enumerate().iter().any(|thread| thread.name() == "huge"), "{before}");

    let pool = threads::Pool::builder().name("huge").workers(2).stack_size(1 << 47).build();
    let error = pool.spawn(|| ()).join().unwrap_err().to_string();
    assert!(error.contains("pool `huge`") && error.contains("ulimit"), "{error}");
    assert_eq!((pool.threads(), pool.queued()), (0, 0));
}

#[test]
fn a_timer_waits_and_can_be_taken_back() {
    let begun = Instant::now();
    let delay = Duration::from_millis(15);
    let timer = Thread::builder().name("soon").spawn_after(delay, Instant::now).unwrap();
    assert!(timer.join().unwrap() >= begun + delay);

    let held = Arc::new(());
    let timer = Timer::start(Duration::MAX, {
        let held = Arc::clone(&held);
        move || drop(held)
    })
    .unwrap();
    let timer = timer.join_timeout(Duration::from_millis(1)).unwrap_err().into_inner();
    timer.cancel();
    assert!(matches!(timer.into_thread().join(), Err(JoinError::Cancelled)));
    assert_eq!(Arc::strong_count(&held), 1);
}
