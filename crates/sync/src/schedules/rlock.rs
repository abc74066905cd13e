//! The lock that its owner takes again: one owner at a time, be it a thread or a task, whoever gives up meanwhile.

use super::{explore, join, poll_and_drop};
use crate::extra::{Owner, RLock};
use shuttle::future::block_on;
use shuttle::thread;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

/// Adds one in two steps, of which another owner in between would spoil the second.
fn add(lock: &RLock<Cell<u32>>) {
    let outer = lock.lock();
    let (seen, depth) = (outer.get(), lock.depth());
    thread::yield_now();
    let inner = lock.try_lock().expect("it is ours");
    assert_eq!((inner.get(), lock.depth()), (seen, depth + 1), "somebody else is in");
    inner.set(seen + 1);
}

#[test]
fn threads_and_tasks_take_it_again() {
    explore(|| {
        let lock = Arc::new(RLock::new(Cell::new(0)));
        let added = [0, 1, 2, 3].map(|kind| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let mut added = 0;
                for _ in 0..2 {
                    match kind {
                        0 => add(&lock),
                        1 => block_on(Owner::new().task(async {
                            let _outer = lock.lock_async().await;
                            add(&lock);
                        })),
                        2 => {
                            match poll_and_drop(Owner::new().task(async { drop(lock.lock_async().await) })) {
                                Some(()) => Owner::new().run(|| add(&lock)),
                                None => continue,
                            }
                        }
                        _ => match lock.lock_timeout(Duration::ZERO) {
                            Ok(_guard) => add(&lock),
                            Err(_late) => continue,
                        },
                    }
                    added += 1;
                }
                added
            })
        });
        let added: u32 = join(added).iter().sum();
        assert_eq!(lock.lock().get(), added);
        assert!(!lock.is_locked() && !lock.has_waiters());
    });
}
