//! Awaited limits where no runtime has a timer: they allocate nothing, are never early, and may be dropped or forgotten at any time.

mod common;
#[expect(unsafe_code, reason = "an allocator is an unsafe trait")]
#[path = "common/counting.rs"]
mod counting;

use common::{ByHand, Counted, LONG, SHORT};
use counting::{ALLOCATIONS, allocations};
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::timer::{self, Scheduled, Timer};
use sync::{Event, Mutex, Queue, RwLock, Semaphore, TimedOut};

/// A thread allocates for itself at its first wait, and the first deadline starts the timer's thread.
fn warm_up() {
    assert_eq!(block_on(timer::timeout(Duration::from_micros(10), pending::<()>())), Err(TimedOut));
}

/// Wakes the thread that waits, and notes how often the thread that wakes, which is the timer's, has allocated so far.
///
/// That thread serves all tests of this program, so no waker here may allocate.
struct Witness {
    waiter: thread::Thread,
    wakes: AtomicUsize,
    allocations: AtomicUsize,
}

impl Witness {
    fn new() -> Arc<Self> {
        let (wakes, allocations) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Witness { waiter: thread::current(), wakes, allocations })
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    fn allocations(&self) -> usize {
        self.allocations.load(Ordering::SeqCst)
    }

    /// Blocks until it has been woken oftener than `before`.
    #[track_caller]
    fn await_more_than(&self, before: usize) {
        let begin = Instant::now();
        while self.wakes() <= before {
            assert!(begin.elapsed() < LONG, "it is never woken");
            thread::park_timeout(LONG);
        }
    }
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        self.allocations.store(ALLOCATIONS.get(), Ordering::SeqCst);
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.waiter.unpark();
    }
}

#[test]
fn neither_who_waits_nor_the_timer_allocates() {
    warm_up();
    let witness = Witness::new();
    let waker = Waker::from(Arc::clone(&witness));
    let waits_once = || {
        let mut wait = pin!(timer::timeout(Duration::from_millis(1), pending::<()>()));
        loop {
            let before = witness.wakes();
            if wait.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                break;
            }
            witness.await_more_than(before);
        }
    };
    // On a machine that is slow enough a wait ends at its first poll.
    while witness.wakes() == 0 {
        waits_once();
    }
    let of_the_timer = witness.allocations();
    for _ in 0..if cfg!(miri) { 3 } else { 50 } {
        assert_eq!(allocations(waits_once), (0, ()));
    }
    assert_eq!(witness.allocations(), of_the_timer);
}

#[test]
fn no_primitive_allocates_for_a_limit() {
    warm_up();
    let (mutex, lock, semaphore, event) = (Mutex::new(()), RwLock::new(()), Semaphore::new(0), Event::new());
    let _guards = (mutex.lock(), lock.write());
    let queues = [0, 1, 16].map(Queue::<u8>::bounded);
    let late = async |limit: Duration| {
        let mut late = mutex.lock_async_timeout(limit).await.is_err();
        late &= lock.read_async_timeout(limit).await.is_err();
        late &= lock.write_async_timeout(limit).await.is_err();
        late &= semaphore.acquire_async_timeout(limit).await.is_err();
        late &= event.wait_async_timeout(limit).await.is_err();
        for queue in &queues {
            late &= queue.get_async_timeout(limit).await.is_err();
        }
        late
    };
    // What is made once: blocks and the like.
    assert!(block_on(late(Duration::from_micros(10))));
    for limit in [Duration::ZERO, Duration::from_micros(500)] {
        assert_eq!(allocations(|| block_on(late(limit))), (0, true));
    }
}

#[test]
fn limits_that_are_taken_back_allocate_nothing() {
    warm_up();
    let event = Event::new();
    let mut cx = Context::from_waker(Waker::noop());
    let mut polled_and_dropped = || {
        [LONG, LONG / 2, Duration::MAX]
            .into_iter()
            .all(|limit| pin!(event.wait_async_timeout(limit)).poll(&mut cx).is_pending())
    };
    for _ in 0..common::many() {
        assert_eq!(allocations(&mut polled_and_dropped), (0, true));
    }
}

#[test]
fn a_time_that_has_passed_ends_the_wait_at_the_first_poll() {
    let now = Instant::now();
    let passed = [Some(now), now.checked_sub(SHORT), now.checked_sub(LONG)];
    for at in passed.into_iter().flatten() {
        assert_eq!(ByHand::new(timer::sleep_until(at)).poll(), Some(()));
    }
    assert_eq!(ByHand::new(timer::timeout(Duration::ZERO, pending::<()>())).poll(), Some(Err(TimedOut)));
    // What is there comes first.
    assert_eq!(ByHand::new(timer::timeout(Duration::ZERO, async { 1 })).poll(), Some(Ok(1)));
}

#[test]
fn a_time_that_never_comes_does_not_keep_others_waiting() {
    let never = ByHand::waiting(timer::timeout(Duration::MAX, pending::<()>()));
    let far = ByHand::waiting(timer::timeout(Duration::from_secs(1 << 33), pending::<()>()));
    let begin = Instant::now();
    block_on(timer::sleep(SHORT));
    assert!(begin.elapsed() >= SHORT);
    assert_eq!((never.wakes(), far.wakes()), (0, 0));
}

#[test]
fn a_forgotten_wait_keeps_its_memory_and_is_woken_like_any_other() {
    let witness = Witness::new();
    let at = Instant::now() + SHORT;
    let mut wait = Box::pin(timer::sleep_until(at));
    let waker = Waker::from(Arc::clone(&witness));
    let pending = wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
    std::mem::forget(wait);
    // Those around it come and go.
    for _ in 0..100 {
        drop(ByHand::waiting(timer::sleep(LONG)));
        let _ended_or_not = ByHand::new(timer::sleep_until(at)).poll();
    }
    if pending {
        witness.await_more_than(0);
        assert!(Instant::now() >= at);
    }
}

#[test]
fn a_crowd_that_gives_up_leaves_nothing_behind() {
    let crowd = if cfg!(miri) { 200 } else { 100_000 };
    struct Owner(#[expect(dead_code, reason = "held")] Counted);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let counted = Counted::default();
    let waker = Waker::from(Arc::new(Owner(counted.clone())));
    let mut cx = Context::from_waker(&waker);
    let wait = |number: u32| {
        // Three orders of time are mixed.
        let limit = match number % 3 {
            0 => LONG + Duration::from_micros(number.into()),
            1 => LONG * 2 - Duration::from_micros(number.into()),
            _ => LONG + Duration::from_micros((number.wrapping_mul(0x9E37_79B9) >> 8).into()),
        };
        timer::timeout(limit, pending::<()>())
    };
    let mut waits: Vec<Pin<Box<_>>> = (0..crowd).map(|number| Box::pin(wait(number))).collect();
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    // Every third first, then from both ends.
    let mut first = 0;
    waits.retain(|_| {
        first += 1;
        first % 3 != 0
    });
    while let Some(last) = waits.pop() {
        drop(last);
        if !waits.is_empty() {
            drop(waits.swap_remove(0));
        }
    }
    drop(waker);
    assert_eq!(counted.others(), 0);
}

/// Each thread polls waits that are about to end, and drops them, while the timer wakes them.
#[test]
fn a_wait_may_be_dropped_at_the_moment_when_it_is_woken() {
    let rounds = if cfg!(miri) { 20 } else { 3_000 };
    thread::scope(|scope| {
        for seed in 0..3_u32 {
            scope.spawn(move || {
                for round in 0..rounds {
                    let micros = (seed + round).wrapping_mul(0x9E37_79B9) >> 24;
                    let limit = Duration::from_micros(micros.into());
                    let begin = Instant::now();
                    let mut early = ByHand::new(timer::sleep(limit));
                    let mut late = ByHand::new(timer::sleep(limit + Duration::from_micros(20)));
                    let mut ended = (early.poll().is_some(), late.poll().is_some());
                    while begin.elapsed() < limit {
                        if ended.0 || ended.1 {
                            break;
                        }
                        // With another waker, so that it is asked for again.
                        ended = (early.poll().is_some(), late.poll().is_some());
                        std::hint::spin_loop();
                    }
                    assert!(!(ended.0 || ended.1) || begin.elapsed() >= limit, "it came early");
                }
            });
        }
    });
}

/// A runtime's timer that counts what it was asked for and has not given back, and wakes nobody.
#[derive(Clone, Default)]
struct Outstanding(Arc<AtomicUsize>);

impl Timer for Outstanding {
    fn schedule(&self, _: Instant, waker: Waker) -> Scheduled {
        let count = Arc::clone(&self.0);
        count.fetch_add(1, Ordering::SeqCst);
        Scheduled::new(move || {
            drop(waker);
            count.fetch_sub(1, Ordering::SeqCst);
        })
    }
}

#[test]
fn a_wait_that_goes_from_a_runtime_to_none_and_back_has_one_wake_up_outstanding() {
    let outstanding = Outstanding::default();
    let counted = [Counted::default(), Counted::default(), Counted::default()];
    struct Owner(#[expect(dead_code, reason = "held")] Counted);
    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let mut sleep = pin!(timer::sleep(LONG));
    let mut poll = |place: usize| {
        let waker = Waker::from(Arc::new(Owner(counted[place].clone())));
        assert_eq!(sleep.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
    };
    let kept = || counted.each_ref().map(Counted::others);
    poll(0);
    assert_eq!((outstanding.0.load(Ordering::SeqCst), kept()), (0, [1, 0, 0]));
    let installed = timer::install(Arc::new(outstanding.clone()));
    poll(1);
    assert_eq!((outstanding.0.load(Ordering::SeqCst), kept()), (1, [0, 1, 0]));
    drop(installed);
    poll(2);
    assert_eq!((outstanding.0.load(Ordering::SeqCst), kept()), (0, [0, 0, 1]));
    poll(0);
    assert_eq!(kept(), [1, 0, 0]);
}
