//! The structures of `sync::extra` that have an order to be judged, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::exchange::{self, Exchange};
use linearizable::models::once::{self, Once};
use linearizable::models::register::{self, Register};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Model, Trial};
use std::cell::Cell;
use std::future::{Future, ready};
use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{LockResult, PoisonError, TryLockError};
use std::time::Duration;
use sync::extra::{
    Exchanger, OnceCell, Owner, PoisonMutex, PoisonMutexGuard, RLock, RLockGuard, TimedLockError,
};
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

/// A number under a lock that warns once somebody has panicked under it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Poison {
    value: u32,
    poisoned: bool,
}

#[derive(Clone, Copy, Debug)]
enum OnPoison {
    /// Adds one.
    Add,
    /// Adds one, and panics before the lock is released.
    Panic,
    /// Says that the value is in order.
    Clear,
    /// Has anybody panicked?
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfPoison {
    /// What was there before, and whether there was a warning.
    Value(u32, bool),
    Panicked(u32),
    Done,
    Is(bool),
    /// Somebody else had the lock: always allowed.
    Refused,
}

impl Model for Poison {
    type Operation = OnPoison;
    type Response = OfPoison;

    fn apply(&mut self, operation: &OnPoison) -> OfPoison {
        let Poison { value: before, poisoned } = *self;
        self.value += u32::from(matches!(operation, OnPoison::Add | OnPoison::Panic));
        match operation {
            OnPoison::Add => OfPoison::Value(before, poisoned),
            OnPoison::Look => OfPoison::Is(poisoned),
            OnPoison::Panic => {
                self.poisoned = true;
                OfPoison::Panicked(before)
            }
            OnPoison::Clear => {
                self.poisoned = false;
                OfPoison::Done
            }
        }
    }

    fn allows(&self, operation: &OnPoison, response: &OfPoison) -> Option<Self> {
        let mut after = self.clone();
        (*response == OfPoison::Refused || after.apply(operation) == *response).then_some(after)
    }
}

#[test]
fn what_a_mutex_guards_that_is_poisoned() {
    use OnPoison::{Add, Clear, Look, Panic};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Block, Add),
        |_| (Way::Try, Add),
        |_| (Way::Timeout, Add),
        |_| (Way::Async, Add),
        |_| (Way::AsyncTimeout, Add),
        |_| (Way::Block, Panic),
        |_| (Way::Async, Panic),
        |_| (Way::Timeout, Panic),
        |_| (Way::Try, Clear),
        |_| (Way::Try, Clear),
        |_| (Way::Try, Look),
    ];
    let model = Ways(Poison { value: 0, poisoned: false });
    Trial::new("sync::extra::PoisonMutex", model, || PoisonMutex::new([0; 2]), on_poison)
        .threads(3, kinds)
        .ending(|_| (Way::Block, Add))
        .wanting("a warning", |answer| matches!(answer, OfPoison::Value(_, true)))
        .wanting("a lock without a warning", |answer| matches!(answer, OfPoison::Value(_, false)))
        .check();
}

type Poisonable = PoisonMutex<[u32; 2]>;

fn on_poison(mutex: &Poisonable, (way, operation): &(Way, OnPoison)) -> OfPoison {
    match operation {
        OnPoison::Clear => {
            mutex.clear_poison();
            OfPoison::Done
        }
        OnPoison::Look => OfPoison::Is(mutex.is_poisoned()),
        OnPoison::Add => match lock_poison(mutex, *way) {
            None => OfPoison::Refused,
            Some(Ok(mut halves)) => OfPoison::Value(add_one(&mut halves), false),
            Some(Err(warning)) => OfPoison::Value(add_one(&mut warning.into_inner()), true),
        },
        OnPoison::Panic => {
            let work = || {
                let Some(locked) = lock_poison(mutex, *way) else { return OfPoison::Refused };
                let mut halves = locked.unwrap_or_else(PoisonError::into_inner);
                // The hook is not told: it would write thousands of messages.
                resume_unwind(Box::new(add_one(&mut halves)))
            };
            catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|thrown| {
                OfPoison::Panicked(*thrown.downcast().expect("what was there before"))
            })
        }
    }
}

/// `None` if somebody else had the lock.
fn lock_poison(mutex: &Poisonable, way: Way) -> Option<LockResult<PoisonMutexGuard<'_, [u32; 2]>>> {
    let in_time = match way {
        Way::Block => return Some(mutex.lock()),
        Way::Async => return Some(block_on(mutex.lock_async())),
        Way::Try => {
            return match mutex.try_lock() {
                Ok(guard) => Some(Ok(guard)),
                Err(TryLockError::Poisoned(warning)) => Some(Err(warning)),
                Err(TryLockError::WouldBlock) => None,
            };
        }
        Way::Timeout => mutex.lock_timeout(LIMIT),
        Way::AsyncTimeout => block_on(mutex.lock_async_timeout(LIMIT)),
    };
    match in_time {
        Ok(guard) => Some(Ok(guard)),
        Err(TimedLockError::Poisoned(warning)) => Some(Err(warning)),
        Err(TimedLockError::TimedOut) => None,
    }
}

/// Takes a while between two halves that must always be alike; returns what was there before.
fn add_one(halves: &mut [u32; 2]) -> u32 {
    let [before, other] = *halves;
    assert_eq!(before, other, "two threads are under one lock");
    halves[0] += 1;
    for _ in 0..20 {
        hint::spin_loop();
    }
    halves[1] += 1;
    before
}
