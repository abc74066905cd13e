//! What a semaphore promises beside its permits: closing, and that nobody waits for ever.

mod common;

use common::{ByHand, SHORT, many, others_may_be_woken};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::BoundedSemaphore;
use sync::{Event, Semaphore, park, semaphore::AcquireError};

#[test]
fn closing_ends_every_wait_and_refuses_all_that_come() {
    let semaphore = Arc::new(Semaphore::new(0));
    // Nobody polls the first: the others must not need it.
    let mut tasks: Vec<_> = (0..40).map(|_| ByHand::waiting(semaphore.acquire_async())).collect();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.acquire().map(|_permit| ()))
        })
        .collect();
    semaphore.close();
    semaphore.close();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), Err(AcquireError::Closed));
    }
    for task in tasks.iter_mut().rev() {
        assert!(task.is_told());
        assert_eq!(task.poll().unwrap().err(), Some(AcquireError::Closed));
    }
    semaphore.release(1);
    assert_eq!(semaphore.try_acquire().err(), Some(AcquireError::Closed));
    assert_eq!(park::block_on(semaphore.acquire_async()).err(), Some(AcquireError::Closed));
    assert_eq!(semaphore.acquire_timeout(Duration::MAX).err(), Some(AcquireError::Closed));
    assert!(semaphore.is_closed());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_permit_that_is_out_comes_back_to_a_closed_semaphore() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.acquire().unwrap();
    semaphore.close();
    drop(permit);
    assert_eq!(semaphore.available(), 1);
}

/// Two threads pass one of two permits to and fro, so that there is one free nearly always, and never two for long.
#[test]
fn who_wants_many_gets_them_although_others_keep_coming() {
    let semaphore = Semaphore::new(2);
    let served = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !served.load(Ordering::Relaxed) {
                    let permit = semaphore.acquire().unwrap();
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_micros(20) {
                        std::hint::spin_loop();
                    }
                    drop(permit);
                }
            });
        }
        for _ in 0..20 {
            drop(semaphore.acquire_many(2).unwrap());
            park::block_on(async { drop(semaphore.acquire_many_async(2).await.unwrap()) });
        }
        served.store(true, Ordering::Relaxed);
    });
}

/// Whoever gives a permit back could take it again at once, long before a thread that sleeps is awake.
#[test]
fn nobody_passes_by_a_thread_that_has_waited_for_long() {
    for wanted in [1, 2, 3] {
        let (semaphore, go_on) = (Semaphore::new(0), Event::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let _permits = semaphore.acquire_many(wanted).unwrap();
                go_on.wait();
            });
            while !format!("{semaphore:?}").contains("waiting: 1") {
                thread::yield_now();
            }
            thread::sleep(SHORT);
            // One is less than the others want, who are not passed by for that.
            semaphore.release(1);
            let newcomer = semaphore.try_acquire().is_ok();
            semaphore.release(wanted);
            go_on.set();
            assert!(!newcomer, "one who has just come passes by one who has waited for {SHORT:?}");
        });
    }
}

#[test]
fn nobody_passes_by_a_task_that_has_waited_for_long() {
    for wanted in [1, 2] {
        let semaphore = Semaphore::new(0);
        let mut waiting = ByHand::waiting(semaphore.acquire_many_async(wanted));
        thread::sleep(SHORT);
        let since = Instant::now();
        semaphore.release(1);
        let newcomer = semaphore.try_acquire();
        // For a millisecond.
        if !others_may_be_woken(since) {
            assert_eq!(newcomer.err(), Some(AcquireError::NoPermits));
            semaphore.release(wanted - 1);
            assert!(waiting.poll().unwrap().is_ok());
        }
    }
}

/// Futurelock: the first in the queue is a task that was told, and is not polled.
#[test]
fn a_task_that_is_not_polled_keeps_no_thread_waiting() {
    let semaphore = Semaphore::new(0);
    let mut forgotten = ByHand::waiting(semaphore.acquire_async());
    thread::scope(|scope| {
        let thread = scope.spawn(|| semaphore.acquire().map(|_permit| ()));
        semaphore.release(1);
        assert_eq!(thread.join().unwrap(), Ok(()));
    });
    assert!(forgotten.is_told());
    assert!(forgotten.poll().unwrap().is_ok(), "it kept its place, and the permit is back");
}

#[test]
fn a_newcomer_passes_a_task_that_is_late() {
    let semaphore = Semaphore::new(0);
    let forgotten = ByHand::waiting(semaphore.acquire_async());
    semaphore.release(1);
    // Whether it barges at first or waits until the task is late: it gets the permit.
    let permit = loop {
        if let Ok(permit) = semaphore.try_acquire() {
            break permit;
        }
    };
    assert_eq!(permit.count(), 1);
    drop(forgotten);
}

#[test]
fn who_passes_a_task_that_is_late_tells_the_one_behind_himself() {
    let semaphore = Semaphore::new(0);
    let forgotten = ByHand::waiting(semaphore.acquire_async());
    let mut second = ByHand::waiting(semaphore.acquire_async());
    let mut third = ByHand::waiting(semaphore.acquire_async());
    semaphore.release(1);
    assert!(forgotten.is_told());
    thread::sleep(SHORT);
    // Each was woken once meanwhile, to see whether the first comes.
    while (second.wakes(), third.wakes()) != (1, 1) {
        thread::yield_now();
    }
    semaphore.release(1);
    assert_eq!((second.wakes(), third.wakes()), (2, 1), "the second is told, the third is not");
    let _permit = second.poll().unwrap().unwrap();
    assert_eq!(third.wakes(), 2, "there is another permit");
    assert!(third.poll().unwrap().is_ok());
}

#[test]
fn polled_once_and_dropped_loses_no_permit() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.acquire().unwrap();
    let mut last = ByHand::waiting(semaphore.acquire_async());
    for _ in 0..many() {
        drop(ByHand::waiting(semaphore.acquire_async()));
    }
    drop(permit);
    assert!(last.poll().unwrap().is_ok());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn zero_permits_are_always_there() {
    let semaphore = Semaphore::new(0);
    assert_eq!(semaphore.acquire_many(0).unwrap().count(), 0);
    assert_eq!(semaphore.acquire_timeout(Duration::ZERO).err(), Some(AcquireError::TimedOut));
}

#[test]
fn what_was_not_taken_cannot_be_given_back() {
    let semaphore = BoundedSemaphore::new(2);
    let first = semaphore.acquire().unwrap();
    park::block_on(semaphore.acquire_async()).unwrap().keep();
    assert_eq!(semaphore.try_acquire().err(), Some(AcquireError::NoPermits));
    assert_eq!(semaphore.acquire_timeout(Duration::ZERO).err(), Some(AcquireError::TimedOut));
    assert_eq!(
        park::block_on(semaphore.acquire_async_timeout(Duration::ZERO)).err(),
        Some(AcquireError::TimedOut)
    );
    // One is out with its guard, one without.
    assert!(semaphore.release(2).is_err());
    assert_eq!(semaphore.release(1), Ok(()));
    assert_eq!(semaphore.release(1).unwrap_err().to_string(), "1 given back, but only 0 were out");
    drop(first);
    assert_eq!(semaphore.available(), 2);
    semaphore.close();
    assert!(semaphore.is_closed() && semaphore.acquire().is_err());
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker");
    }
}

/// Two panics at once would end the program.
#[test]
fn a_waker_that_panics_gets_out_of_no_destructor() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.acquire().unwrap();
    let mut waiting = Box::pin(semaphore.acquire_async());
    let waker = Waker::from(Arc::new(Panics));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _permit = permit;
        panic!("under the permit");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"under the permit"));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}
