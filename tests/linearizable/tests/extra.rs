//! The structures of `sync::extra` that have an order to be judged, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::exchange::{self, Exchange};
use linearizable::models::once::{self, Once};
use linearizable::models::register::{self, Register};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::cell::Cell;
use std::future::{Future, ready};
use std::hint;
use std::time::Duration;
use sync::extra::{Exchanger, OnceCell, Owner, RLock, RLockGuard};
use sync::park::block_on;

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

#[test]
fn an_exchanger() {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, exchange::Operation::Swap(item)),
        |item| (Way::Timeout, exchange::Operation::Swap(item)),
        |item| (Way::AsyncTimeout, exchange::Operation::Swap(item)),
    ];
    let swap = |exchanger: &Exchanger<u32>, (way, operation): &(Way, exchange::Operation)| {
        let exchange::Operation::Swap(item) = *operation;
        let result = match way {
            Way::Try => exchanger.try_exchange(item),
            Way::Block => Ok(exchanger.exchange(item)),
            Way::Timeout => exchanger.exchange_timeout(item, LIMIT),
            Way::Async => Ok(block_on(exchanger.exchange_async(item))),
            Way::AsyncTimeout => block_on(exchanger.exchange_async_timeout(item, LIMIT)),
        };
        match result {
            Ok(theirs) => exchange::Response::Got(theirs),
            Err(back) => {
                assert_eq!(back.into_inner(), item, "somebody else's value was given back");
                exchange::Response::Refused
            }
        }
    };
    Trial::new("sync::extra::Exchanger", Ways(Exchange::new()), Exchanger::new, swap)
        .threads(3, kinds)
        .operations(4)
        .ending(|item| (Way::Try, exchange::Operation::Swap(item)))
        .check();
}

#[test]
fn a_cell_whose_value_is_made_once() {
    let kinds: &[Kind<_>] = &[
        |value| (Way::Block, once::Operation::Make(value)),
        |value| (Way::Async, once::Operation::Make(value)),
        |_| (Way::Block, once::Operation::Fail),
        |_| (Way::Async, once::Operation::Fail),
        |value| (Way::Try, once::Operation::Set(value)),
        |_| (Way::Try, once::Operation::Look),
        |_| (Way::Timeout, once::Operation::Look),
        |_| (Way::AsyncTimeout, once::Operation::Look),
    ];
    Trial::new("sync::extra::OnceCell", Ways(Once::new()), OnceCell::new, on_cell)
        .threads(3, kinds)
        .ending(|_| (Way::Try, once::Operation::Look))
        .check();
}

fn on_cell(cell: &OnceCell<u32>, (way, operation): &(Way, once::Operation)) -> once::Response {
    let is_awaited = matches!(way, Way::Async | Way::AsyncTimeout);
    let made = |result: Result<&u32, ()>| match result {
        Ok(value) => once::Response::Value(*value),
        Err(()) => once::Response::Failed,
    };
    let seen = |value: Option<&u32>| match value {
        Some(value) => once::Response::Value(*value),
        None => once::Response::Empty,
    };
    match *operation {
        once::Operation::Make(value) if is_awaited => {
            made(block_on(cell.get_or_try_init_async(ready(Ok(value)))))
        }
        once::Operation::Make(value) => made(cell.get_or_try_init(|| Ok(value))),
        once::Operation::Fail if is_awaited => made(block_on(cell.get_or_try_init_async(ready(Err(()))))),
        once::Operation::Fail => made(cell.get_or_try_init(|| Err(()))),
        once::Operation::Set(value) => match cell.set(value) {
            Ok(()) => once::Response::Done,
            Err(_) => once::Response::Refused,
        },
        once::Operation::Look => seen(match way {
            Way::Timeout => cell.wait_timeout(LIMIT).ok(),
            Way::AsyncTimeout => block_on(cell.wait_async_timeout(LIMIT)).ok(),
            Way::Try | Way::Block | Way::Async => cell.get(),
        }),
    }
}

#[test]
fn a_lock_that_its_owner_takes_again() {
    use register::Operation::{Add, Read, Swap};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Try, Read),
        |_| (Way::Block, Read),
        |_| (Way::Async, Read),
        |value| (Way::Block, Swap(value)),
        |value| (Way::Timeout, Swap(value)),
        |value| (Way::AsyncTimeout, Swap(value)),
        |_| (Way::Try, Add(1)),
        |_| (Way::Block, Add(1)),
        |_| (Way::Timeout, Add(1)),
        |_| (Way::Async, Add(1)),
    ];
    Trial::new("sync::extra::RLock", Ways(Register::new(0)), || RLock::new(Cell::new([0; 2])), on_rlock)
        .threads(3, kinds)
        .ending(|_| (Way::Block, Read))
        .wanting("a lock that was had", |answer| matches!(answer, register::Response::Value(_)))
        .check();
}

/// As the thread, as an owner that a hub runs, or as a task.
fn on_rlock(
    lock: &RLock<Cell<[u32; 2]>>,
    (way, operation): &(Way, register::Operation),
) -> register::Response {
    let then = |guard: RLockGuard<'_, Cell<[u32; 2]>>| on_guard(lock, guard, *operation);
    let done = match way {
        Way::Try => Owner::new().run(|| lock.try_lock().map(then)),
        Way::Block => Some(then(lock.lock())),
        Way::Timeout => lock.lock_timeout(LIMIT).ok().map(then),
        Way::Async => Some(as_task(async { then(lock.lock_async().await) })),
        Way::AsyncTimeout => as_task(async { lock.lock_async_timeout(LIMIT).await.ok().map(then) }),
    };
    done.map_or(register::Response::Refused, register::Response::Value)
}

fn as_task<R>(work: impl Future<Output = R>) -> R {
    block_on(Owner::new().task(work))
}

/// Reads under the first guard, and writes under a second one, which its owner gets at once.
fn on_guard(
    lock: &RLock<Cell<[u32; 2]>>,
    outer: RLockGuard<'_, Cell<[u32; 2]>>,
    operation: register::Operation,
) -> u32 {
    let [before, other] = outer.get();
    assert_eq!(before, other, "somebody writes while another is under the lock");
    let after = match operation {
        register::Operation::Read => before,
        register::Operation::Write(value) | register::Operation::Swap(value) => value,
        register::Operation::Add(more) => before + more,
    };
    let inner = lock.try_lock().expect("it is ours");
    assert_eq!(lock.depth(), 2);
    drop(outer);
    inner.set([after, before]);
    for _ in 0..20 {
        hint::spin_loop();
    }
    inner.set([after; 2]);
    before
}
