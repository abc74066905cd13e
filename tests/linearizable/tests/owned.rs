//! `RLock` as a lock: who has it, and how many times. What it guards is judged in `extra.rs`.

#![forbid(unsafe_code)]

use linearizable::models::owned::Operation::{self, Depth, IsTaken, Release, Take};
use linearizable::models::owned::{Owned, Response};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::time::Duration;
use sync::extra::{Owner, RLock, RLockGuard};
use sync::park::block_on;

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

/// A guard outlives the operation that took it, so the locks are never freed; each is some bytes.
type Lock = &'static RLock<()>;

thread_local! {
    /// A thread's guards of one lock, which is the one of this run. Who ends or goes on to the next one releases nothing.
    static GUARDS: RefCell<Vec<ManuallyDrop<RLockGuard<'static, ()>>>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn a_lock_is_its_owners_until_he_has_released_it_as_often_as_he_took_it() {
    Trial::new(
        "sync::extra::RLock as a lock",
        Ways(Owned::new()),
        || -> Lock { Box::leak(Box::default()) },
        on_lock,
    )
    .threads(1, &of_thread::<0>())
    .threads(1, &of_thread::<1>())
    .threads(1, &of_thread::<2>())
    // By the first thread, so it may be its own.
    .ending(|fresh| (Way::Try, if fresh % 2 == 0 { IsTaken } else { Take(0) }))
    .wanting("a lock that was taken twice", |answer| matches!(answer, Response::Count(2..)))
    .wanting_together("a lock that was somebody else's", |answer| *answer == Response::Refused)
    .check();
}

/// Nobody waits without a limit, for who has the lock may have nothing more to do.
const fn of_thread<const WHO: u32>() -> [Kind<(Way, Operation)>; 8] {
    [
        |_| (Way::Try, Take(WHO)),
        |_| (Way::Timeout, Take(WHO)),
        |_| (Way::Timeout, Take(WHO)),
        |_| (Way::Try, Release(WHO)),
        |_| (Way::Try, Release(WHO)),
        |_| (Way::Try, Release(WHO)),
        |_| (Way::Try, Depth(WHO)),
        |_| (Way::Try, IsTaken),
    ]
}

fn on_lock(lock: &Lock, (way, operation): &(Way, Operation)) -> Response {
    GUARDS.with_borrow_mut(|guards| {
        if guards.first().is_some_and(|guard| !ptr::eq(RLockGuard::rlock(guard), *lock)) {
            guards.clear();
        }
        match *operation {
            Take(_) => {
                let guard = match way {
                    Way::Try => lock.try_lock(),
                    _ => lock.lock_timeout(LIMIT).ok(),
                };
                let Some(guard) = guard else { return Response::Refused };
                guards.push(ManuallyDrop::new(guard));
                Response::Done
            }
            Release(_) => {
                let Some(guard) = guards.pop() else { return Response::Refused };
                drop(ManuallyDrop::into_inner(guard));
                Response::Done
            }
            Depth(_) => {
                // What is the thread's is no other owner's, be he on this thread.
                if lock.is_owner() {
                    assert!(
                        Owner::new()
                            .run(|| !lock.is_owner() && lock.depth() == 0 && lock.try_lock().is_none())
                    );
                    let task =
                        async { lock.is_owner() || lock.lock_async_timeout(Duration::ZERO).await.is_ok() };
                    assert!(!block_on(Owner::new().task(task)));
                }
                Response::Count(lock.depth())
            }
            IsTaken => Response::Is(lock.is_locked()),
        }
    })
}
