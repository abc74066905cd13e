//! A value is made once, by whoever comes first and does not fail.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, many};
use std::future::{Future, Ready, pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::{Awaited, Lazy, OnceCell};
use sync::park::block_on;
use sync::{Event, Semaphore, TimedOut, catch};

#[test]
fn one_of_many_makes_the_value_and_all_see_it() {
    for _ in 0..20 {
        let (cell, made) = (OnceCell::new(), AtomicUsize::new(0));
        let make = || {
            thread::yield_now();
            made.fetch_add(1, Ordering::Relaxed);
            vec![1, 2, 3]
        };
        thread::scope(|scope| {
            for number in 0..6 {
                let (cell, make) = (&cell, &make);
                scope.spawn(move || {
                    let value = match number {
                        0 => cell.get_or_init(make),
                        1 => block_on(cell.get_or_init_async(async { make() })),
                        2 => cell.get_or_init_timeout(make, LONG).unwrap(),
                        3 => block_on(cell.get_or_init_async_timeout(async { make() }, LONG)).unwrap(),
                        _ => cell.wait(),
                    };
                    assert_eq!(value, &[1, 2, 3]);
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }
}

#[test]
fn a_value_that_is_there_is_not_made_again() {
    let cell = OnceCell::from(1);
    assert_eq!(*cell.get_or_init(|| panic!("it is there")), 1);
    assert_eq!(*block_on(cell.get_or_init_async(async { panic!("it is there") })), 1);
    assert_eq!(cell.get_or_init_timeout(|| panic!("it is there"), Duration::ZERO), Ok(&1));
    let makes = async { panic!("it is there") };
    assert_eq!(block_on(cell.get_or_init_async_timeout(makes, Duration::ZERO)), Ok(&1));
    let refused = cell.set(2).unwrap_err();
    assert!(!refused.is_being_made());
    assert_eq!(refused.into_inner(), 2);
    let mut cell = cell;
    *cell.get_mut().unwrap() = 3;
    assert_eq!(cell.take(), Some(3));
    assert!(cell.get().is_none() && cell.take().is_none());
    cell.set(4).unwrap();
    assert_eq!(cell.into_inner(), Some(4));
}

#[test]
fn an_error_leaves_the_cell_empty() {
    let cell = OnceCell::<u32>::new();
    assert_eq!(cell.get_or_try_init(|| Err("no")), Err("no"));
    assert_eq!(block_on(cell.get_or_try_init_async(ready(Err("no")))), Err("no"));
    assert_eq!(cell.get_or_try_init(|| Ok::<_, ()>(7)), Ok(&7));
}

#[test]
fn a_panic_lets_the_next_one_try() {
    let cell = OnceCell::<u32>::new();
    assert!(catch(|| cell.get_or_init(|| panic!("a panic that the test asked for"))).is_err());
    let panics = async { panic!("a panic that the test asked for") };
    assert!(catch(|| block_on(cell.get_or_init_async(panics))).is_err());
    let panics = || panic!("a panic that the test asked for");
    assert!(catch(|| cell.get_or_init_timeout(panics, LONG)).is_err());
    let panics = async { panic!("a panic that the test asked for") };
    assert!(catch(|| block_on(cell.get_or_init_async_timeout(panics, LONG))).is_err());
    assert_eq!(*cell.get_or_init(|| 7), 7);
}

#[test]
fn a_future_that_is_dropped_while_it_makes_the_value_lets_the_next_one_try() {
    let cell = OnceCell::<u32>::new();
    let first = ByHand::waiting(cell.get_or_init_async(pending()));
    let second = ByHand::waiting(cell.get_or_init_async(ready(2)));
    let mut third = ByHand::waiting(cell.get_or_init_async(ready(3)));
    let mut looks = ByHand::waiting(cell.wait_async());
    assert!(cell.set(0).unwrap_err().is_being_made());
    drop(first);
    assert_eq!((second.wakes(), third.wakes(), looks.wakes()), (1, 0, 0));
    // The one who was told goes away as well.
    drop(second);
    assert_eq!(third.wakes(), 1);
    assert_eq!(third.poll(), Some(&3));
    assert_eq!(looks.poll(), Some(&3));
}

#[test]
fn what_makes_the_value_is_dropped_with_its_future() {
    let (cell, counted) = (OnceCell::<u32>::new(), Counted::default());
    let held = counted.clone();
    let first = ByHand::waiting(cell.get_or_init_async(async move {
        pending::<()>().await;
        drop(held);
        1
    }));
    drop(first);
    assert_eq!(counted.others(), 0);
    assert_eq!(cell.get(), None);
}

#[test]
fn a_thread_takes_over_from_a_future_and_a_future_from_a_thread() {
    let cell = OnceCell::new();
    let first = ByHand::waiting(cell.get_or_init_async(pending()));
    thread::scope(|scope| {
        let second = scope.spawn(|| *cell.get_or_init(|| 2));
        drop(first);
        assert_eq!(second.join().unwrap(), 2);
    });

    let cell = OnceCell::new();
    let (begun, fail) = (Event::new(), Event::new());
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            cell.get_or_init(|| {
                begun.set();
                fail.wait();
                panic!("a panic that the test asked for");
            });
        });
        begun.wait();
        let mut second = ByHand::waiting(cell.get_or_init_async(ready(2)));
        fail.set();
        assert!(first.join().is_err());
        assert_eq!(second.poll(), Some(&2));
    });
}

#[test]
fn who_makes_the_value_may_not_come_back_to_the_cell() {
    let cell = OnceCell::<u32>::new();
    let message = |panicked: sync::JoinError| panicked.panic().unwrap().message().to_owned();
    let inside = [
        message(catch(|| cell.get_or_init(|| *cell.get_or_init(|| 1))).unwrap_err()),
        message(catch(|| cell.get_or_init(|| *cell.wait())).unwrap_err()),
        message(catch(|| block_on(cell.get_or_init_async(async { *cell.get_or_init(|| 1) }))).unwrap_err()),
        message(
            catch(|| block_on(cell.get_or_init_async(async { *cell.get_or_init_async(ready(1)).await })))
                .unwrap_err(),
        ),
    ];
    for message in inside {
        assert!(message.contains("would wait for itself"), "{message}");
    }
    assert_eq!(*cell.get_or_init(|| 7), 7);
}

#[test]
fn who_runs_others_while_he_makes_the_value_may_let_them_wait_for_it() {
    let cell = OnceCell::<u32>::new();
    let mut other = None;
    // An executor may run in there, and poll whatever it has.
    cell.get_or_init(|| {
        other = Some(ByHand::waiting(cell.get_or_init_async(ready(2))));
        assert_eq!(cell.wait_timeout(Duration::ZERO), Err(TimedOut));
        1
    });
    assert_eq!(other.unwrap().poll(), Some(&1));
    // And a future may make other cells' values.
    let second = OnceCell::<u32>::new();
    assert_eq!(*block_on(second.get_or_init_async(async { *cell.get_or_init(|| 0) + 1 })), 2);
}

#[test]
fn who_comes_back_to_the_cell_with_a_limit_is_late() {
    let calls = AtomicUsize::new(0);
    let again = || calls.fetch_add(1, Ordering::Relaxed);
    let comes_back = |cell: &OnceCell<usize>| {
        assert_eq!(cell.get_or_init_timeout(again, SHORT), Err(TimedOut));
        assert_eq!(block_on(cell.get_or_init_async_timeout(async { again() }, SHORT)), Err(TimedOut));
        7
    };
    let cell = OnceCell::new();
    assert_eq!(cell.get_or_init(|| comes_back(&cell)), &7);
    let cell = OnceCell::new();
    assert_eq!(block_on(cell.get_or_init_async(async { comes_back(&cell) })), &7);
    let cell = OnceCell::new();
    assert_eq!(cell.get_or_init_timeout(|| comes_back(&cell), LONG), Ok(&7));
    assert_eq!(calls.into_inner(), 0);
}

/// The limit is one of waiting for somebody else.
#[test]
fn a_function_that_makes_the_value_ends_after_the_limit() {
    let slow = || {
        thread::sleep(SHORT);
        1
    };
    assert_eq!(OnceCell::new().get_or_init_timeout(slow, Duration::ZERO), Ok(&1));
    assert_eq!(Lazy::new(slow).force_timeout(Duration::ZERO), Ok(&1));
    assert_eq!(block_on(Lazy::new(slow).force_async_timeout(Duration::ZERO)), Ok(&1));
}

/// What awaits is given up whole.
#[test]
#[cfg_attr(miri, ignore = "the limit has passed there before the first poll")]
fn a_future_that_makes_the_value_is_given_up_at_the_limit_and_the_next_one_makes_it() {
    let (cell, counted) = (OnceCell::new(), Counted::default());
    let held = counted.clone();
    let slow = async move {
        let _held = held;
        pending().await
    };
    let mut makes = ByHand::waiting(cell.get_or_init_async_timeout(slow, SHORT));
    let next = ByHand::waiting(cell.get_or_init_async_timeout(ready(2), LONG));
    thread::scope(|scope| {
        let thread = scope.spawn(|| cell.get_or_init_timeout(|| 2, LONG));
        let begin = Instant::now();
        while !makes.is_told() {
            assert!(begin.elapsed() < LONG / 2, "the limit does not come");
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((makes.poll(), counted.others()), (Some(Err(TimedOut)), 0));
        assert!(next.is_told(), "nobody is told to make the value");
        // What he was told of is there for the thread.
        drop(next);
        assert_eq!(thread.join().unwrap(), Ok(&2));
    });
}

#[test]
fn a_lazy_value_that_is_given_up_at_the_limit_is_made_anew() {
    let calls = AtomicUsize::new(0);
    let lazy = Lazy::new_async(|| async {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        if call < 2 {
            pending::<()>().await;
        }
        call
    });
    assert_eq!(lazy.force_timeout(SHORT), Err(TimedOut));
    assert_eq!(block_on(lazy.force_async_timeout(SHORT)), Err(TimedOut));
    assert_eq!(lazy.force_timeout(Duration::ZERO), Ok(&2));
    assert_eq!(block_on(lazy.force_async_timeout(Duration::ZERO)), Ok(&2));
}

#[test]
fn a_waker_that_panics_loses_no_value_and_wakes_the_others() {
    let cell = OnceCell::new();
    let mut bomb = pin!(cell.wait_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
    let mut other = ByHand::waiting(cell.wait_async());
    assert!(catch(|| cell.set(1)).is_err());
    assert_eq!(cell.get(), Some(&1));
    assert!(other.is_told());
    assert_eq!(other.poll(), Some(&1));
}

#[test]
fn a_value_is_dropped_with_its_cell_and_not_before() {
    let counted = Counted::default();
    let cell = OnceCell::new();
    cell.get_or_init(|| counted.clone());
    drop(cell.set(counted.clone()));
    assert_eq!(counted.others(), 1);
    drop(cell);
    assert_eq!(counted.others(), 0);
}

#[test]
fn futures_that_are_polled_once_and_dropped_leave_nothing_behind() {
    let (cell, counted) = (OnceCell::<u32>::new(), Counted::default());
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..many() {
        let held = counted.clone();
        let mut makes = pin!(cell.get_or_init_async(async move {
            let _held = held;
            pending().await
        }));
        assert!(makes.as_mut().poll(&mut cx).is_pending());
        assert!(pin!(cell.get_or_init_async(ready(1))).poll(&mut cx).is_pending());
        assert!(pin!(cell.wait_async()).poll(&mut cx).is_pending());
    }
    assert_eq!(counted.others(), 0);
    assert_eq!(*cell.get_or_init(|| 1), 1);
}

#[test]
fn a_future_that_is_forgotten_while_it_only_waits_keeps_nobody_out() {
    let cell: &OnceCell<u32> = Box::leak(Box::default());
    let first = ByHand::waiting(cell.get_or_init_async(pending()));
    let mut forgotten = Box::pin(cell.wait_async());
    assert!(forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(forgotten);
    let mut second = ByHand::waiting(cell.get_or_init_async(ready(2)));
    drop(first);
    assert_eq!(second.poll(), Some(&2));
}

#[test]
fn limits_of_nothing_and_of_everything() {
    let cell = OnceCell::<u32>::new();
    assert_eq!(cell.wait_timeout(Duration::ZERO), Err(TimedOut));
    assert_eq!(block_on(cell.wait_async_timeout(Duration::ZERO)), Err(TimedOut));
    assert_eq!(block_on(cell.wait_async_timeout(SHORT)), Err(TimedOut));
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(cell.wait_timeout(Duration::MAX), Ok(&1)));
        scope.spawn(|| assert_eq!(block_on(cell.wait_async_timeout(Duration::MAX)), Ok(&1)));
        scope.spawn(|| assert_eq!(block_on(cell.wait_async_timeout(LONG)), Ok(&1)));
        cell.set(1).unwrap();
    });
    assert_eq!(cell.wait_timeout(Duration::ZERO), Ok(&1));
    assert_eq!(block_on(cell.wait_async_timeout(Duration::ZERO)), Ok(&1));
}

#[test]
fn a_lazy_value_is_made_by_another_call_if_the_first_fails() {
    let calls = AtomicUsize::new(0);
    let lazy = Lazy::new(|| {
        assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "a panic that the test asked for");
        7
    });
    assert_eq!(lazy.get(), None);
    assert!(catch(|| *lazy).is_err());
    assert_eq!((*lazy, *block_on(lazy.force_async()), lazy.get()), (7, 7, Some(&7)));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(lazy.into_inner(), Some(7));
}

#[test]
fn a_lazy_value_that_is_awaited_is_made_anew_when_its_future_is_dropped() {
    let (go_on, calls) = (Arc::new(Semaphore::new(0)), AtomicUsize::new(0));
    let lazy = Lazy::new_async(|| {
        let (go_on, call) = (Arc::clone(&go_on), calls.fetch_add(1, Ordering::Relaxed));
        async move {
            go_on.acquire_async().await.unwrap().forget();
            call
        }
    });
    let first = ByHand::waiting(lazy.force_async());
    drop(first);
    thread::scope(|scope| {
        let blocking = scope.spawn(|| *lazy.force());
        let awaited = scope.spawn(|| *block_on(lazy.force_async()));
        go_on.release(1);
        assert_eq!((blocking.join().unwrap(), awaited.join().unwrap()), (1, 1));
    });
    assert_eq!((lazy.cell().wait(), lazy.get()), (&1, Some(&1)));

    type Constant = Awaited<fn() -> Ready<u32>>;
    static CONSTANT: Lazy<u32, Constant> = Lazy::new_async(|| ready(3));
    assert_eq!(*CONSTANT.force(), 3);
}
