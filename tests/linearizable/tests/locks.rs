//! `RwLock`, `Condvar`, `Barrier` and `BoundedSemaphore` of `sync`, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::meeting::{self, Meeting};
use linearizable::models::permits::{self, Permits};
use linearizable::models::queue::{Operation, Queue as Model, Response};
use linearizable::models::register::{self, Register};
use linearizable::models::ways::{Doors, Way, Ways};
use linearizable::{Kind, Trial};
use std::collections::VecDeque;
use std::hint;
use std::thread;
use std::time::Duration;
use sync::barrier::BarrierError;
use sync::extra::{BoundedPermit, BoundedSemaphore};
use sync::park::block_on;
use sync::rwlock::{RwLockUpgradableGuard, RwLockWriteGuard};
use sync::{Barrier, Condvar, Mutex, RwLock};

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);
/// A writer who has waited for so long is no longer passed by new readers.
const OVERDUE: Duration = Duration::from_micros(150);

/// What is done with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Door {
    /// It is had once, and released.
    Once,
    /// Who reads reads again, whoever waits; who writes goes on to read.
    Again,
    /// Who reads passes those who wait.
    Before,
}

#[test]
fn what_an_rwlock_guards() {
    use register::Operation::{Add, Read, Swap};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Block, (Door::Once, Read)),
        |_| (Way::Try, (Door::Once, Read)),
        |_| (Way::Timeout, (Door::Once, Read)),
        |_| (Way::Async, (Door::Once, Read)),
        |value| (Way::Block, (Door::Once, Swap(value))),
        |value| (Way::Try, (Door::Once, Swap(value))),
        |value| (Way::AsyncTimeout, (Door::Once, Swap(value))),
        |_| (Way::Block, (Door::Once, Add(1))),
        |_| (Way::Timeout, (Door::Once, Add(1))),
        |_| (Way::Async, (Door::Once, Add(1))),
        |_| (Way::Block, (Door::Again, Read)),
        |_| (Way::AsyncTimeout, (Door::Again, Read)),
        |_| (Way::Block, (Door::Before, Read)),
        |_| (Way::Try, (Door::Before, Read)),
        |value| (Way::Block, (Door::Again, Swap(value))),
        |value| (Way::Async, (Door::Again, Swap(value))),
        |_| (Way::Block, (Door::Again, Add(1))),
        |_| (Way::AsyncTimeout, (Door::Again, Add(1))),
    ];
    let model = Ways(Doors::of(Register::new(0)));
    Trial::new("sync::RwLock", model, || RwLock::new([0; 2]), on_rwlock)
        .threads(3, kinds)
        .ending(|_| (Way::Block, (Door::Once, Read)))
        .wanting("a lock that was had", |answer| matches!(answer, register::Response::Value(_)))
        .check();
}

/// Reads under the shared lock, swaps under the exclusive one, and adds by reading first and then going on to write.
fn on_rwlock(
    lock: &RwLock<[u32; 2]>,
    (way, (door, operation)): &(Way, (Door, register::Operation)),
) -> register::Response {
    let done = match *operation {
        register::Operation::Read if *door == Door::Before => match way {
            Way::Try => lock.try_read_recursive(),
            _ => Some(lock.read_recursive()),
        }
        .map(|halves| same(*halves)),
        register::Operation::Read => match way {
            Way::Try => lock.try_read(),
            Way::Block => Some(lock.read()),
            Way::Timeout => lock.read_timeout(LIMIT).ok(),
            Way::Async => Some(block_on(lock.read_async())),
            Way::AsyncTimeout => block_on(lock.read_async_timeout(LIMIT)).ok(),
        }
        .map(|halves| match door {
            Door::Again => {
                let read = same(*halves);
                thread::sleep(OVERDUE);
                unchanged(read, &lock.read_recursive())
            }
            _ => same(*halves),
        }),
        register::Operation::Write(value) | register::Operation::Swap(value) => match way {
            Way::Try => lock.try_write(),
            Way::Block => Some(lock.write()),
            Way::Timeout => lock.write_timeout(LIMIT).ok(),
            Way::Async => Some(block_on(lock.write_async())),
            Way::AsyncTimeout => block_on(lock.write_async_timeout(LIMIT)).ok(),
        }
        .map(|mut halves| {
            let before = write(&mut halves, |_| value);
            if *door == Door::Again {
                unchanged(value, &RwLockWriteGuard::downgrade(halves));
            }
            before
        }),
        register::Operation::Add(more) => match way {
            Way::Try => lock.try_upgradable_read(),
            Way::Block => Some(lock.upgradable_read()),
            Way::Timeout => lock.upgradable_read_timeout(LIMIT).ok(),
            Way::Async => Some(block_on(lock.upgradable_read_async())),
            Way::AsyncTimeout => block_on(lock.upgradable_read_async_timeout(LIMIT)).ok(),
        }
        .map(|guard| {
            let read = same(*guard);
            let mut halves = RwLockUpgradableGuard::upgrade(guard);
            let before = write(&mut halves, |_| read + more);
            assert_eq!(read, before, "somebody wrote between reading and writing");
            if *door == Door::Again {
                let guard = RwLockWriteGuard::downgrade_to_upgradable(halves);
                assert_eq!(same(*guard), read + more, "somebody wrote before the writer read again");
                unchanged(read + more, &RwLockUpgradableGuard::downgrade(guard));
            }
            before
        }),
    };
    done.map_or(register::Response::Refused, register::Response::Value)
}

/// What is still there when somebody who had the lock all the time reads again.
fn unchanged(expected: u32, again: &[u32; 2]) -> u32 {
    for _ in 0..20 {
        hint::spin_loop();
    }
    let read = same(*again);
    assert_eq!(read, expected, "somebody wrote while another had the lock");
    read
}

fn same([half, other]: [u32; 2]) -> u32 {
    assert_eq!(half, other, "somebody writes while another is under the lock");
    half
}

/// Takes a while between two halves that must always be alike; returns what was there before.
fn write(halves: &mut [u32; 2], value: impl FnOnce(u32) -> u32) -> u32 {
    let before = same(*halves);
    let value = value(before);
    halves[0] = value;
    for _ in 0..20 {
        hint::spin_loop();
    }
    halves[1] = value;
    before
}

/// A queue as one builds it from a lock and two condition variables.
struct Monitor {
    items: Mutex<VecDeque<u32>>,
    not_empty: Condvar,
    not_full: Condvar,
}

const PLACES: usize = 1;

#[test]
fn a_queue_made_of_condition_variables() {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, Operation::Put(item)),
        |item| (Way::Timeout, Operation::Put(item)),
        |item| (Way::AsyncTimeout, Operation::Put(item)),
        |_| (Way::Try, Operation::Get),
        |_| (Way::Timeout, Operation::Get),
        |_| (Way::AsyncTimeout, Operation::Get),
    ];
    let make = || Monitor {
        items: Mutex::new(VecDeque::new()),
        not_empty: Condvar::new(),
        not_full: Condvar::new(),
    };
    Trial::new("a queue with sync::Condvar", Ways(Model::fifo().bounded(PLACES)), make, on_monitor)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Operation::Get))
        .wanting("an item that came", |answer| matches!(answer, Response::Got(_)))
        .wanting("a full queue", |answer| *answer == Response::Full)
        .check();
}

fn on_monitor(monitor: &Monitor, (way, operation): &(Way, Operation)) -> Response {
    match *operation {
        Operation::Put(item) => {
            let full = |items: &mut VecDeque<u32>| items.len() == PLACES;
            let put = |items: &mut VecDeque<u32>| items.push_back(item);
            match monitor.once(*way, &monitor.not_full, full, put) {
                Some(()) => {
                    monitor.not_empty.notify_one();
                    Response::Done
                }
                None => Response::Full,
            }
        }
        Operation::Get => {
            let empty = |items: &mut VecDeque<u32>| items.is_empty();
            match monitor.once(*way, &monitor.not_empty, empty, VecDeque::pop_front) {
                Some(item) => {
                    monitor.not_full.notify_one();
                    item.map_or(Response::Empty, Response::Got)
                }
                None => Response::Empty,
            }
        }
        _ => unreachable!("nobody asks for more"),
    }
}

impl Monitor {
    /// Does `then` once `blocked` no longer holds; `None` if it still does when the time has passed.
    fn once<R>(
        &self,
        way: Way,
        condvar: &Condvar,
        mut blocked: impl FnMut(&mut VecDeque<u32>) -> bool,
        then: impl FnOnce(&mut VecDeque<u32>) -> R,
    ) -> Option<R> {
        let mut items = self.items.lock();
        match way {
            Way::Try => {
                if blocked(&mut items) {
                    return None;
                }
            }
            Way::Block => items = condvar.wait_while(items, blocked),
            Way::Timeout => {
                let (back, in_time) = condvar.wait_while_timeout(items, blocked, LIMIT);
                in_time.ok()?;
                items = back;
            }
            Way::Async => items = block_on(condvar.wait_while_async(items, blocked)),
            Way::AsyncTimeout => {
                let (back, in_time) = block_on(condvar.wait_while_async_timeout(items, blocked, LIMIT));
                in_time.ok()?;
                items = back;
            }
        }
        Some(then(&mut items))
    }
}

const MEETS: [Kind<(Way, meeting::Operation)>; 3] = [
    |_| (Way::Try, meeting::Operation::Meet),
    |_| (Way::Timeout, meeting::Operation::Meet),
    |_| (Way::AsyncTimeout, meeting::Operation::Meet),
];

#[test]
fn a_barrier_for_two() {
    barrier(2, 3);
}

#[test]
fn a_barrier_for_three() {
    barrier(3, 4);
}

fn barrier(parties: usize, threads: usize) {
    Trial::new(
        &format!("sync::Barrier of {parties}"),
        Ways(Meeting::of(parties)),
        move || Barrier::new(parties),
        on_barrier,
    )
    .threads(threads, &MEETS)
    .wanting_together("a meeting", |answer| matches!(answer, meeting::Response::Through { .. }))
    .wanting("somebody who did not come", |answer| *answer == meeting::Response::NotAll)
    .check();
}

#[test]
fn a_barrier_that_is_broken() {
    use meeting::Operation::{Break, Look};
    // Many meet before it is broken, or there is little to see.
    let breaker: Vec<Kind<_>> =
        [&MEETS[..], &MEETS[..], &[|_| (Way::Try, Look), |_| (Way::Try, Break)]].concat();
    Trial::new("sync::Barrier, broken", Ways(Meeting::of(2)), || Barrier::new(2), on_barrier)
        .threads(2, &MEETS)
        .threads(1, &breaker)
        .ending(|_| (Way::Try, Look))
        .wanting_together("a meeting", |answer| matches!(answer, meeting::Response::Through { .. }))
        .wanting("a broken barrier", |answer| *answer == meeting::Response::Broken)
        .check();
}

fn on_barrier(barrier: &Barrier, (way, operation): &(Way, meeting::Operation)) -> meeting::Response {
    let met = match operation {
        meeting::Operation::Break => {
            barrier.abort();
            return meeting::Response::Done;
        }
        meeting::Operation::Look if barrier.is_broken() => return meeting::Response::Broken,
        meeting::Operation::Look => return meeting::Response::Done,
        meeting::Operation::Meet => match way {
            Way::Try => barrier.try_wait(),
            Way::Block => barrier.wait(),
            Way::Timeout => barrier.wait_timeout(LIMIT),
            Way::Async => block_on(barrier.wait_async()),
            Way::AsyncTimeout => block_on(barrier.wait_async_timeout(LIMIT)),
        },
    };
    match met {
        Ok(place) => meeting::Response::Through { place: place.index(), leads: place.is_leader() },
        Err(BarrierError::Broken) => meeting::Response::Broken,
        Err(_) => meeting::Response::NotAll,
    }
}

#[test]
fn a_bounded_semaphore() {
    use permits::Operation::{Acquire, Free, Release};
    let kinds: &[Kind<_>] = &[
        |_| (Way::Try, Acquire(1)),
        |_| (Way::Timeout, Acquire(1)),
        |_| (Way::AsyncTimeout, Acquire(1)),
        |_| (Way::Try, Release(1)),
        |_| (Way::Try, Release(2)),
    ];
    // How many are free is asked at the end alone: that a permit was taken out of its guard is known a moment later.
    let model = Ways(Permits::new(2).at_most(2).hesitant());
    Trial::new("sync::extra::BoundedSemaphore", model, || BoundedSemaphore::new(2), on_bounded)
        .threads(3, kinds)
        .ending(|_| (Way::Try, Free))
        .wanting("a permit", |answer| *answer == permits::Response::Done)
        .wanting("a refusal", |answer| *answer == permits::Response::Refused)
        .check();
}

fn on_bounded(
    semaphore: &BoundedSemaphore,
    (way, operation): &(Way, permits::Operation),
) -> permits::Response {
    let done = match *operation {
        permits::Operation::Free => return permits::Response::Count(semaphore.available()),
        permits::Operation::Release(count) => semaphore.release(count).is_ok(),
        permits::Operation::Acquire(_) => {
            let permit = match way {
                Way::Try => semaphore.try_acquire(),
                Way::Block => semaphore.acquire(),
                Way::Timeout => semaphore.acquire_timeout(LIMIT),
                Way::Async => block_on(semaphore.acquire_async()),
                Way::AsyncTimeout => block_on(semaphore.acquire_async_timeout(LIMIT)),
            };
            permit.map(BoundedPermit::keep).is_ok()
        }
    };
    if done { permits::Response::Done } else { permits::Response::Refused }
}
