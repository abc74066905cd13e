//! The lock: nobody starves, a task that does not come holds up nobody, and threads, tasks and coroutines share it.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, others_may_be_woken};
use proptest::prelude::*;
use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::{block_on, block_on_timeout};
use sync::{Event, Mutex, TimedOut};

/// So often somebody gets the lock that another takes again and again.
const TURNS: usize = if cfg!(miri) { 3 } else { 200 };

#[test]
fn a_task_that_was_told_and_does_not_come_keeps_nobody_out() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    // As in a `select` that has gone on to something else: told, held, and not polled.
    let stuck = ByHand::waiting(mutex.lock_async());
    let mut behind = ByHand::waiting(mutex.lock_async());
    thread::scope(|scope| {
        let thread = scope.spawn(|| *mutex.lock() += 1);
        // Mostly enough for it to queue up; the test holds all the same if not.
        thread::sleep(SHORT);
        drop(guard);
        // It passes over both, one after the other.
        thread.join().unwrap();
    });
    assert!(stuck.is_told());
    assert!(behind.poll().is_some());
    drop(stuck);
    assert_eq!(*mutex.lock(), 1);
}

#[test]
fn who_did_not_come_in_time_may_come_later() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut stuck = ByHand::waiting(mutex.lock_async());
    let mut behind = ByHand::waiting(mutex.lock_async());
    drop(guard);
    assert!(stuck.is_told());
    // Whoever comes by sees to it that the next one is told, and by then the lock is free, be it that it was kept.
    let begin = Instant::now();
    while !behind.is_told() {
        assert!(begin.elapsed() < LONG, "nobody passed the first one over");
        thread::sleep(Duration::from_millis(1));
        drop(mutex.try_lock());
    }
    let guard = behind.poll().expect("told, and nobody else has come");
    assert!(stuck.poll().is_none(), "he queues up anew");
    drop(guard);
    assert!(stuck.poll().is_some());
    assert!(!mutex.is_locked());
}

#[test]
fn a_lock_that_is_kept_for_a_task_that_does_not_come_is_free_again() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let stuck = ByHand::waiting(mutex.lock_async());
    // Long enough for the head to be due: the lock is kept for it.
    thread::sleep(SHORT);
    drop(guard);
    assert!(stuck.is_told());
    let begin = Instant::now();
    while mutex.try_lock().is_none() {
        assert!(begin.elapsed() < LONG, "it is kept for ever");
        thread::yield_now();
    }
    drop(mutex.lock());
    drop(block_on(mutex.lock_async()));
}

#[test]
fn a_task_may_be_passed_over_in_the_middle_of_its_poll() {
    /// Its destructor runs in the middle of the next poll, when the queue has been given back.
    struct Releases {
        give_up: mpsc::Sender<()>,
        mutex: Arc<Mutex<()>>,
    }
    impl Wake for Releases {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Releases {
        fn drop(&mut self) {
            // The release tells the task, which does not come: it is in its poll. So it is passed over.
            let _ = self.give_up.send(());
            let begin = Instant::now();
            while self.mutex.has_waiters() && begin.elapsed() < LONG {
                thread::sleep(Duration::from_millis(1));
                drop(self.mutex.try_lock());
            }
        }
    }
    let mutex = Arc::new(Mutex::new(()));
    let owned = Arc::clone(&mutex);
    thread::scope(|scope| {
        let (give_up, told_to) = mpsc::channel::<()>();
        let (holds, is_held) = mpsc::channel();
        let holder = scope.spawn({
            let mutex = &mutex;
            move || {
                let guard = mutex.lock();
                holds.send(()).expect("the test listens");
                let _ = told_to.recv();
                drop(guard);
            }
        });
        is_held.recv().expect("the holder speaks");
        let mut future = Box::pin(mutex.lock_async());
        let before = Waker::from(Arc::new(Releases { give_up, mutex: owned }));
        assert!(future.as_mut().poll(&mut Context::from_waker(&before)).is_pending());
        drop(before);
        // The poll drops the waker of the last one.
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(future);
        holder.join().unwrap();
    });
    drop(mutex.lock());
}

fn take_again_and_again(mutex: &Mutex<()>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let _guard = mutex.lock();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_micros(20) {}
    }
}

#[test]
fn a_thread_gets_its_turn_while_another_takes_the_lock_again_and_again() {
    let mutex = Mutex::new(());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| take_again_and_again(&mutex, &over));
        for _ in 0..TURNS {
            drop(mutex.lock());
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_task_gets_its_turn_while_a_thread_takes_the_lock_again_and_again() {
    let mutex = Mutex::new(());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| take_again_and_again(&mutex, &over));
        block_on(async {
            for _ in 0..TURNS {
                drop(mutex.lock_async().await);
            }
        });
        over.store(true, Ordering::Relaxed);
    });
}

/// Whoever has the lock and releases it could take it again at once, long before a thread that sleeps is awake.
#[test]
fn a_thread_that_has_waited_for_long_is_handed_the_lock() {
    for _ in 0..5 {
        let (mutex, go_on) = (Mutex::new(()), Event::new());
        let guard = mutex.lock();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = mutex.lock();
                go_on.wait();
            });
            while !mutex.has_waiters() {
                thread::yield_now();
            }
            thread::sleep(SHORT);
            drop(guard);
            let newcomer = mutex.try_lock().is_some();
            go_on.set();
            assert!(!newcomer, "one who has just come passes by one who has waited for {SHORT:?}");
        });
    }
}

#[test]
fn for_a_task_that_has_waited_for_long_the_lock_is_kept() {
    for _ in 0..5 {
        let mutex = Mutex::new(());
        let guard = mutex.lock();
        let mut waiting = ByHand::waiting(mutex.lock_async());
        thread::sleep(SHORT);
        let since = Instant::now();
        drop(guard);
        let newcomer = mutex.try_lock();
        // For a millisecond.
        if !others_may_be_woken(since) {
            assert!(newcomer.is_none(), "one who has just come passes by one who has waited for {SHORT:?}");
            assert!(waiting.poll().is_some());
        }
    }
}

#[test]
fn limits_of_nothing_and_of_for_ever() {
    let mutex = Mutex::new(());
    drop(mutex.lock_timeout(Duration::ZERO).expect("it is free"));
    drop(block_on(mutex.lock_async_timeout(Duration::ZERO)).expect("it is free"));
    drop(mutex.lock_timeout(Duration::MAX).expect("it is free"));
    let guard = mutex.lock();
    assert!(matches!(mutex.lock_timeout(Duration::ZERO), Err(TimedOut)));
    thread::scope(|scope| {
        let patient = scope.spawn(|| mutex.lock_timeout(Duration::MAX).is_ok());
        while !mutex.has_waiters() {
            thread::yield_now();
        }
        drop(guard);
        assert!(patient.join().unwrap());
    });
}

#[test]
fn a_limit_is_never_early() {
    let mutex = Mutex::new(());
    let _guard = mutex.lock();
    for limit in [1, 10].map(Duration::from_millis) {
        let begin = Instant::now();
        assert!(matches!(mutex.lock_timeout(limit), Err(TimedOut)));
        assert!(begin.elapsed() >= limit);
    }
}

#[test]
fn many_who_wait_may_leave_in_any_order() {
    const TASKS: usize = if cfg!(miri) { 300 } else { 100_000 };
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut tasks: Vec<_> = (0..TASKS).map(|_| Some(ByHand::waiting(mutex.lock_async()))).collect();
    // 7919 has no divisor in common with their number, so each is met once.
    for step in 0..TASKS {
        drop(tasks[step * 7919 % TASKS].take().expect("each leaves once"));
    }
    assert!(!mutex.has_waiters());
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_guard_that_is_forgotten_keeps_the_lock_and_breaks_nothing() {
    let mutex = Mutex::new(());
    std::mem::forget(mutex.lock());
    assert!(mutex.try_lock().is_none());
    assert!(matches!(mutex.lock_timeout(Duration::from_millis(1)), Err(TimedOut)));
    // A pinned future that is forgotten stays in the queue, for its memory stays as well.
    let forgotten: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
    let guard = forgotten.lock();
    std::mem::forget(ByHand::waiting(forgotten.lock_async()));
    let behind = ByHand::waiting(forgotten.lock_async());
    drop(guard);
    drop(forgotten.lock());
    drop(behind);
    drop(forgotten.lock());
}

#[test]
fn a_lock_may_go_away_before_a_future_that_was_forgotten() {
    for moves in [false, true] {
        let mutex = Box::new(Mutex::new(0));
        let guard = mutex.lock();
        std::mem::forget([(); 2].map(|()| ByHand::waiting(mutex.lock_async())));
        drop(guard);
        if moves {
            let moved = *mutex;
            drop(moved.lock());
            thread::sleep(Duration::from_millis(3));
            drop(moved.lock());
        }
    }
}

#[test]
fn a_waker_that_cannot_be_cloned_throws_nobody_out() {
    use std::task::{RawWaker, RawWakerVTable};
    static OF_A_PANIC: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("a panic that the test asked for"), |_| {}, |_| {}, |_| {});
    // SAFETY: the table's functions use no data.
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &OF_A_PANIC)) };
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut waiting = ByHand::waiting(mutex.lock_async());
    let mut other = Box::pin(mutex.lock_async());
    let poll = std::panic::AssertUnwindSafe(|| {
        let _ = other.as_mut().poll(&mut Context::from_waker(&bad));
    });
    assert!(std::panic::catch_unwind(poll).is_err());
    drop(other);
    assert!(mutex.has_waiters());
    drop(guard);
    assert!(waiting.is_told());
    assert!(waiting.poll().is_some());
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_takes_no_lock_with_it() {
    struct Sharp;
    impl Wake for Sharp {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Sharp {
        fn drop(&mut self) {
            panic!("a panic that the test asked for");
        }
    }
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let mut waiting = Box::pin(mutex.lock_async());
    let sharp = Waker::from(Arc::new(Sharp));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&sharp)).is_pending());
    // The queue's copy is the last one from now on.
    drop(sharp);
    // Due, so that the lock is kept for it.
    thread::sleep(SHORT);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(guard);
    let mut cx = Context::from_waker(Waker::noop());
    let taken = waiting.as_mut().poll(&mut cx).is_ready();
    assert!(taken);
    drop(waiting);
    drop(mutex.lock());
}

#[test]
fn a_waker_that_panics_on_the_thread_that_passes_over_is_contained() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    let stuck = ByHand::waiting(mutex.lock_async());
    let mut bomb = Box::pin(mutex.lock_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    thread::scope(|scope| {
        let thread = scope.spawn(|| *mutex.lock() += 1);
        thread::sleep(SHORT);
        drop(guard);
        // It passes over `stuck`, tells the bomb, and goes on; or, if it came later, wants the lock and is not in the queue.
        let _ = thread.join();
    });
    drop((stuck, bomb));
    assert!(!mutex.has_waiters());
    *mutex.lock() += 1;
}

/// What one participant does with the lock, again and again.
#[derive(Clone, Copy, Debug)]
enum Way {
    Block,
    Try,
    Limit,
    Await,
    AwaitWithLimit,
    /// Polls a few times and drops the future.
    GiveUp,
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![Way::Block, Way::Try, Way::Limit, Way::Await, Way::AwaitWithLimit, Way::GiveUp])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_whoever_waits_and_however(
        ways in prop::collection::vec(prop::collection::vec(way(), 1..40), 2..6),
        hold in 0..40_u64,
    ) {
        // Not atomic: two owners at once would lose a step.
        let mutex = Mutex::new(Cell::new(0));
        let steps = AtomicUsize::new(0);
        let step = |count: &mut Cell<usize>| {
            let seen = count.get();
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(hold) {}
            count.set(seen + 1);
            steps.fetch_add(1, Ordering::Relaxed);
        };
        thread::scope(|scope| {
            for ways in &ways {
                let (mutex, step) = (&mutex, &step);
                scope.spawn(move || {
                    for way in ways {
                        match way {
                            Way::Block => step(&mut mutex.lock()),
                            Way::Try => {
                                if let Some(mut guard) = mutex.try_lock() {
                                    step(&mut guard);
                                }
                            }
                            Way::Limit => {
                                let _ = mutex.lock_timeout(Duration::from_micros(hold)).map(|mut guard| step(&mut guard));
                            }
                            Way::Await => block_on(async { step(&mut *mutex.lock_async().await) }),
                            Way::AwaitWithLimit => {
                                let limit = Duration::from_micros(hold);
                                let _ = block_on(mutex.lock_async_timeout(limit)).map(|mut guard| step(&mut guard));
                            }
                            Way::GiveUp => {
                                let mut future = ByHand::new(mutex.lock_async());
                                if let Some(mut guard) = (0..3).find_map(|_| future.poll()) {
                                    step(&mut guard);
                                }
                            }
                        }
                    }
                });
            }
        });
        prop_assert!(!mutex.has_waiters());
        prop_assert_eq!(mutex.into_inner().get(), steps.into_inner());
    }
}

#[test]
fn a_thread_that_ends_while_others_wait_leaves_the_lock_in_order() {
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 200 };
    let mutex = Arc::new(Mutex::new(0));
    for _ in 0..ROUNDS {
        let (ready, begin) = mpsc::channel();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (mutex, ready) = (Arc::clone(&mutex), ready.clone());
                thread::spawn(move || {
                    ready.send(()).expect("the test listens");
                    *mutex.lock() += 1;
                })
            })
            .collect();
        for () in begin.iter().take(3) {}
        for thread in threads {
            thread.join().unwrap();
        }
    }
    assert_eq!(Arc::try_unwrap(mutex).expect("all have ended").into_inner(), 3 * ROUNDS);
}

#[test]
fn a_wait_in_the_destructor_of_a_thread_local_is_a_wait_like_any() {
    struct Last(Arc<Mutex<u32>>);
    impl Drop for Last {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    thread_local!(static LAST: Cell<Option<Last>> = const { Cell::new(None) });
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock();
    let thread = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || LAST.set(Some(Last(mutex)))
    });
    while !mutex.has_waiters() {
        thread::yield_now();
    }
    drop(guard);
    thread.join().unwrap();
    assert_eq!(*mutex.lock(), 1);
    assert_eq!(block_on_timeout(async { *mutex.lock_async().await }, LONG), Ok(1));
}
