//! Sleeping and limits.

use super::runtime;
use async_rt::{Backend, TimedOut, gather_all, run, sleep, sleep_until, timeout};
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::{Event, Queue};

pub(crate) fn sleeps_at_least(backend: Backend) {
    let began = Instant::now();
    run(backend, async {
        sleep(Duration::from_millis(20)).await;
        sleep(Duration::ZERO).await;
    })
    .unwrap();
    assert!(began.elapsed() >= Duration::from_millis(20));
}

pub(crate) fn sleeps_end_in_order(backend: Backend) {
    let order = run(backend, async {
        let (order, began) = (Queue::unbounded(), Instant::now());
        // Their ends are fixed here, and they are woken in one task: however late they come, they come in order.
        let sleeps = [90_u64, 30, 150].map(|ms| {
            let (at, order) = (began + Duration::from_millis(ms), &order);
            let sleep = sleep_until(at);
            async move {
                sleep.await;
                assert!(Instant::now() >= at);
                order.try_put(ms).unwrap();
            }
        });
        gather_all(sleeps).await;
        order.close();
        order.iter().collect::<Vec<_>>()
    });
    assert_eq!(order.unwrap(), [30, 90, 150]);
}

pub(crate) fn timeout_passes_and_cuts(backend: Backend) {
    let began = Instant::now();
    let (passed, cut) = run(backend, async {
        let passed = timeout(Duration::from_secs(60), async { 1 }).await;
        let cut = timeout(Duration::from_millis(10), pending::<()>()).await;
        (passed, cut)
    })
    .unwrap();
    assert_eq!((passed, cut), (Ok(1), Err(TimedOut)));
    assert!(began.elapsed() >= Duration::from_millis(10));
}

pub(crate) fn dropped_sleeps_are_taken_back(backend: Backend) {
    run(backend, async {
        // Each is begun and given up; those that were due first must not keep the last from its time.
        for ms in 1..100 {
            let _either_may_be_first = timeout(Duration::ZERO, sleep(Duration::from_millis(ms))).await;
            assert_eq!(timeout(Duration::ZERO, sleep(Duration::from_secs(3600))).await, Err(TimedOut));
        }
        let began = Instant::now();
        sleep(Duration::from_millis(5)).await;
        assert!(began.elapsed() >= Duration::from_millis(5));
    })
    .unwrap();
}

pub(crate) fn an_endless_sleep_can_be_dropped(backend: Backend) {
    let cut = run(backend, timeout(Duration::from_millis(5), sleep(Duration::MAX)));
    assert_eq!(cut.unwrap(), Err(TimedOut));
}

pub(crate) fn sync_deadlines_work(backend: Backend) {
    let runtime = runtime(backend);
    let event = Arc::new(Event::new());
    let cut = runtime.run({
        let event = Arc::clone(&event);
        async move { event.wait_async_timeout(Duration::from_millis(10)).await }
    });
    assert_eq!(cut, Err(TimedOut));
    assert_eq!(runtime.block_on(event.wait_async_timeout(Duration::from_millis(10))), Err(TimedOut));
}
