//! Who has the upgradable read and goes on to write waits for those who read, and for nobody else.

mod common;

use common::{ByHand, LONG};
use std::sync::Arc;
use std::thread;
use sync::park::block_on;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{RwLock, RwLockWriteGuard};

/// Those who want the upgradable read wait among the readers. When it is the readers' turn they are told, find it taken, and wait on;
/// and then it is the turn of the one who has it.
#[test]
fn an_upgrade_goes_on_when_others_who_want_the_same_were_told_in_vain() {
    let lock = RwLock::new(0);
    let writer = lock.write();
    let mut next = ByHand::waiting(lock.write_async());
    // A writer has had the lock, so it is the readers' turn.
    let reads = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let reader = lock.read_recursive();
    let mut second = ByHand::waiting(lock.upgradable_read_async());
    let mut upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(reads));
    drop(reader);
    assert!(second.is_told() && second.poll().is_none(), "it is taken");
    assert!(upgrade.is_told(), "nobody reads any more");
    let written = upgrade.poll().expect("nobody has it");
    drop(written);
    assert!(second.poll().is_some_and(|reads| *reads == 0));
    assert!(next.poll().is_some());
}

/// The same with a writer: he was told that the lock is free, and was not quick enough.
#[test]
#[cfg_attr(miri, ignore = "everybody has waited for long there before the next step")]
fn an_upgrade_goes_on_when_a_writer_was_told_in_vain() {
    let passed_by = (0..1_000).filter(|_| {
        let lock = RwLock::new(0);
        let held = lock.write();
        let mut next = ByHand::waiting(lock.write_async());
        let behind = ByHand::waiting(lock.write_async());
        drop(held);
        assert!(next.is_told());
        // Unless he has waited for long.
        let (Some(reads), Some(reader)) = (lock.try_upgradable_read(), lock.try_read()) else { return false };
        let mut upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(reads));
        drop(reader);
        assert!(next.poll().is_none(), "it is taken");
        assert!(upgrade.is_told(), "nobody reads any more");
        drop(upgrade.poll().expect("nobody has it"));
        drop(behind);
        assert!(next.poll().is_some());
        true
    });
    assert!(passed_by.count() > 0);
}

#[test]
fn many_who_upgrade_and_read_on_do_not_wait_for_each_other_in_vain() {
    const TURNS: u64 = if cfg!(miri) { 3 } else { 100 };
    const EACH: u64 = if cfg!(miri) { 2 } else { 4 };
    let lock = Arc::new(RwLock::new(0));
    let threads = (0..EACH).map(|_| {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            for _ in 0..TURNS {
                let reads = lock.upgradable_read_timeout(LONG).expect("nobody keeps it");
                let mut writes =
                    RwLockUpgradableGuard::upgrade_timeout(reads, LONG).expect("nobody keeps it");
                *writes += 1;
                thread::yield_now();
                drop(RwLockWriteGuard::downgrade(writes));
            }
        })
    });
    let tasks = (0..EACH).map(|_| {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            block_on(async {
                for _ in 0..TURNS {
                    let reads = lock.upgradable_read_async_timeout(LONG).await.expect("nobody keeps it");
                    let writes = RwLockUpgradableGuard::upgrade_async_timeout(reads, LONG).await;
                    let mut writes = writes.expect("nobody keeps it");
                    *writes += 1;
                    thread::yield_now();
                    drop(RwLockWriteGuard::downgrade(writes));
                }
            });
        })
    });
    let all: Vec<_> = threads.chain(tasks).collect();
    all.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*lock.read(), 2 * EACH * TURNS);
}
