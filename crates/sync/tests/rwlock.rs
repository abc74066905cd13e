//! Many readers or one writer: who gets in, nobody starves, and nobody who is told and does not come keeps the others out.

mod common;

use common::{Bomb, ByHand, LONG, SHORT, others_may_be_woken};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::{block_on, block_on_timeout};
use sync::rwlock::{MappedReadGuard, MappedWriteGuard, RwLockUpgradableGuard};
use sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// So often somebody gets the lock that others take again and again.
const TURNS: usize = if cfg!(miri) { 2 } else { 100 };

#[test]
fn readers_share_it_and_a_writer_is_alone() {
    let lock = RwLock::new(1);
    let (first, second) = (lock.read(), lock.try_read().unwrap());
    let upgradable = lock.try_upgradable_read().unwrap();
    assert_eq!((*first, *second, *upgradable), (1, 1, 1));
    assert!(lock.try_write().is_none());
    assert!(lock.try_upgradable_read().is_none(), "one at a time may upgrade");
    assert!(lock.is_locked() && !lock.is_write_locked());
    drop((first, second, upgradable));
    assert!(!lock.is_locked());

    let mut writer = lock.try_write().unwrap();
    *writer = 2;
    assert!(lock.is_locked() && lock.is_write_locked());
    assert!(lock.try_read().is_none() && lock.try_read_recursive().is_none());
    assert!(lock.try_write().is_none() && lock.try_upgradable_read().is_none());
    drop(writer);
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn a_reader_that_may_upgrade_does_so_when_the_others_have_left() {
    let lock = RwLock::new(1);
    let other = lock.read();
    let guard = lock.upgradable_read();
    let guard = RwLockUpgradableGuard::try_upgrade(guard).unwrap_err();
    let guard = RwLockUpgradableGuard::upgrade_timeout(guard, Duration::ZERO).unwrap_err();
    let mut upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(guard));
    drop(other);
    assert!(upgrade.is_told());
    let mut guard = upgrade.poll().unwrap();
    *guard = 2;
    let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
    assert!(lock.try_write().is_none());
    assert_eq!(*lock.try_read().unwrap(), 2);
    let mut guard = RwLockUpgradableGuard::try_upgrade(guard).unwrap();
    *guard = 3;
    let guard = RwLockWriteGuard::downgrade(guard);
    assert_eq!((*guard, *lock.try_read().unwrap()), (3, 3));
    let upgradable = lock.try_upgradable_read().unwrap();
    let plain = RwLockUpgradableGuard::downgrade(upgradable);
    assert!(lock.try_upgradable_read().is_some());
    drop((guard, plain));
    assert!(!lock.is_locked());
}

#[test]
fn who_upgrades_goes_before_the_writers() {
    let lock = RwLock::new(Vec::new());
    let other = lock.read();
    let upgradable = lock.upgradable_read();
    let mut writer = ByHand::waiting(lock.write_async());
    let mut upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(upgradable));
    let since = Instant::now();
    drop(other);
    assert!(upgrade.is_told() && writer.is_not_next(since));
    upgrade.poll().unwrap().push("upgrade");
    writer.poll().unwrap().push("writer");
    assert_eq!(*lock.read(), ["upgrade", "writer"]);
}

#[test]
fn a_dropped_upgrade_gives_up_the_read() {
    let lock = RwLock::new(());
    let other = lock.read();
    let upgrade = ByHand::waiting(RwLockUpgradableGuard::upgrade_async(lock.upgradable_read()));
    let mut writer = ByHand::waiting(lock.write_async());
    drop(upgrade);
    drop(other);
    assert!(writer.poll().is_some());
    assert!(lock.try_write().is_some());
}

#[test]
fn a_writer_that_waits_keeps_new_readers_out_after_a_time() {
    let lock = RwLock::new(());
    let reader = lock.read();
    let mut writer = ByHand::waiting(lock.write_async());
    let begin = Instant::now();
    while lock.try_read().is_some() {
        assert!(begin.elapsed() < LONG, "readers come in for ever");
    }
    assert!(lock.try_read_recursive().is_some(), "but who reads already may do so again");
    let mut late_reader = ByHand::waiting(lock.read_async());
    let since = Instant::now();
    drop(reader);
    assert!(writer.is_told() && late_reader.is_not_next(since));
    let written = writer.poll().unwrap();
    assert!(late_reader.poll().is_none());
    // Another writer comes before the reader has its turn, and does not get in before it.
    let mut another = ByHand::waiting(lock.write_async());
    let since = Instant::now();
    drop(written);
    assert!(late_reader.is_told() && another.is_not_next(since));
    let read = late_reader.poll().unwrap();
    assert!(another.poll().is_none());
    drop(read);
    assert!(another.poll().is_some());
}

#[test]
fn a_writer_that_was_told_and_does_not_come_keeps_nobody_out() {
    let lock = RwLock::new(0);
    let reader = lock.read();
    let stuck = ByHand::waiting(lock.write_async());
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| *lock.read()));
        let writers = [(); 2].map(|()| scope.spawn(|| *lock.write() += 1));
        // Mostly enough for them to queue up; the test holds all the same if not.
        thread::sleep(SHORT);
        drop(reader);
        for reader in readers {
            assert!(reader.join().unwrap() <= 2);
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert!(stuck.is_told());
    drop(stuck);
    assert_eq!(*lock.try_read().unwrap(), 2);
}

#[test]
fn readers_that_were_told_and_do_not_come_keep_nobody_out() {
    let lock = RwLock::new(0);
    let writer = lock.write();
    let stuck = [(); 3].map(|()| ByHand::waiting(lock.read_async()));
    thread::scope(|scope| {
        let thread = scope.spawn(|| *lock.write() += 1);
        thread::sleep(SHORT);
        drop(writer);
        thread.join().unwrap();
    });
    assert!(stuck.iter().all(ByHand::is_told));
    let begin = Instant::now();
    while lock.try_write().is_none() {
        assert!(begin.elapsed() < LONG, "it is kept for ever");
    }
    drop(stuck);
    assert_eq!(*lock.read(), 1);
}

#[test]
fn a_waiter_that_goes_away_hands_on_what_it_was_told() {
    for keep in [false, true] {
        let lock = RwLock::new(());
        let reader = lock.read();
        let told = ByHand::waiting(lock.write_async());
        if keep {
            thread::sleep(Duration::from_millis(1));
        }
        let mut behind = ByHand::waiting(lock.write_async());
        let since = Instant::now();
        drop(reader);
        assert!(told.is_told() && behind.is_not_next(since));
        drop(told);
        assert!(behind.is_told());
        let written = behind.poll().unwrap();
        // A writer that was told leaves, and a reader waits.
        let told = ByHand::waiting(lock.write_async());
        drop(written);
        let held = lock.try_read_recursive().unwrap();
        let mut reader = ByHand::new(lock.read_async());
        let reads = reader.poll();
        drop(told);
        assert!(reads.is_some() || reader.poll().is_some());
        drop(held);
    }
}

#[test]
fn a_thread_that_waits_wakes_up_when_a_task_in_front_of_it_goes_away() {
    let lock = RwLock::new(());
    let writer = lock.write();
    let told = ByHand::waiting(lock.write_async());
    thread::scope(|scope| {
        let thread = scope.spawn(|| drop(lock.read()));
        thread::sleep(SHORT);
        drop(writer);
        drop(told);
        thread.join().unwrap();
    });
}

/// A writer that has been told, has come when a reader had the lock again, and waits on; and that reader.
fn told_in_vain(lock: &RwLock<i32>) -> (ByHand<'_, RwLockWriteGuard<'_, i32>>, RwLockReadGuard<'_, i32>) {
    let reader = lock.read();
    let mut writer = ByHand::waiting(lock.write_async());
    drop(reader);
    assert!(writer.is_told());
    // Readers come and go in between, and find nobody in the queue.
    drop(lock.read_recursive());
    let reader = lock.read_recursive();
    assert!(writer.poll().is_none(), "somebody reads");
    (writer, reader)
}

#[test]
fn a_task_that_is_polled_for_nothing_is_told_all_the_same() {
    let lock = RwLock::new(1);
    let (mut writer, reader) = told_in_vain(&lock);
    // What is polled unasked may be asked to look again, but then it is done.
    assert!(writer.poll().is_none(), "somebody reads");
    while writer.is_told() {
        assert!(writer.poll().is_none(), "somebody reads");
    }
    drop(reader);
    assert!(writer.is_told(), "the lock is free");
    assert!(writer.poll().is_some());
}

#[test]
fn a_thread_behind_a_task_that_was_told_twice_and_does_not_come_looks_by_itself() {
    let lock = RwLock::new(1);
    let (has_written, written) = mpsc::channel();
    thread::scope(|scope| {
        let (writer, reader) = told_in_vain(&lock);
        let thread = scope.spawn(|| {
            *lock.write() = 2;
            has_written.send(()).unwrap();
        });
        // It sleeps, or is about to; the test can fail only if it does.
        thread::sleep(SHORT);
        drop(reader);
        assert!(writer.is_told());
        written.recv_timeout(LONG).expect("the thread sleeps behind a task that does not come");
        thread.join().unwrap();
        drop(writer);
    });
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn a_write_that_gives_up_lets_the_readers_in_that_it_kept_out() {
    let lock = RwLock::new(());
    let reader = lock.read();
    let writer = ByHand::waiting(lock.write_async());
    thread::sleep(Duration::from_millis(1));
    let mut kept_out = ByHand::waiting(lock.read_async());
    drop(writer);
    assert!(kept_out.is_told());
    assert!(kept_out.poll().is_some());
    drop(reader);
}

#[test]
fn polled_once_and_dropped_nothing_is_lost() {
    let times = if cfg!(miri) { 20 } else { 10_000 };
    let lock = RwLock::new(());
    for round in 0..times {
        let held = lock.write();
        let (read, write) = (ByHand::waiting(lock.read_async()), ByHand::waiting(lock.write_async()));
        if round % 2 == 0 {
            drop((read, write));
            drop(held);
        } else {
            drop(held);
            drop((write, read));
        }
        assert!(!lock.is_locked());
        drop(lock.try_write().expect("nobody has it"));
    }
}

/// Makes the lock biased, where there is more than one CPU, by reading from two threads.
fn read_by_two(lock: &RwLock<usize>, until: impl Fn() -> bool + Sync) {
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                begin.wait();
                let mut seen = 0;
                while !until() {
                    let value = *lock.read();
                    assert!(value >= seen, "it went back");
                    seen = value;
                }
            });
        }
    });
}

#[test]
fn writers_get_in_between_readers_who_never_stop() {
    let lock = RwLock::new(0);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..TURNS {
                *lock.write() += 1;
                thread::sleep(Duration::from_micros(100));
            }
            done.fetch_add(1, Ordering::Relaxed);
        });
        scope.spawn(|| {
            block_on(async {
                for _ in 0..TURNS {
                    *lock.write_async().await += 1;
                }
            });
            done.fetch_add(1, Ordering::Relaxed);
        });
        scope.spawn(|| {
            for _ in 0..TURNS {
                let guard = lock.upgradable_read();
                let before = *guard;
                let mut guard = RwLockUpgradableGuard::upgrade(guard);
                assert_eq!(*guard, before, "nobody writes in between");
                *guard += 1;
            }
            done.fetch_add(1, Ordering::Relaxed);
        });
        read_by_two(&lock, || done.load(Ordering::Relaxed) == 3);
    });
    assert_eq!(lock.into_inner(), 3 * TURNS);
}

#[test]
fn readers_get_in_between_writers_who_never_stop() {
    let lock = RwLock::new(0_usize);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    *lock.write() += 1;
                }
            });
        }
        for _ in 0..TURNS {
            drop(lock.read());
            drop(lock.upgradable_read());
            drop(block_on(lock.read_async()));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_guard_may_be_dropped_on_another_thread_whatever_the_lock_is_biased_to() {
    let lock = RwLock::new(0_usize);
    let rounds = if cfg!(miri) { 10 } else { 20_000 };
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel::<RwLockReadGuard<'_, usize>>();
        scope.spawn(move || receiver.into_iter().for_each(drop));
        let done = AtomicBool::new(false);
        let done = &done;
        let lock = &lock;
        thread::scope(|scope| {
            scope.spawn(move || {
                for round in 0..rounds {
                    sender.send(lock.read()).unwrap();
                    if round % 1000 == 0 {
                        *lock.write() += 1;
                    }
                }
                done.store(true, Ordering::Relaxed);
            });
            read_by_two(lock, || done.load(Ordering::Relaxed));
        });
    });
    assert!(lock.try_write().is_some(), "all guards are dropped");
}

#[test]
fn a_forgotten_guard_holds_its_lock_and_no_other() {
    let lock = RwLock::new(0_usize);
    let times = AtomicUsize::new(0);
    read_by_two(&lock, || times.fetch_add(1, Ordering::Relaxed) > if cfg!(miri) { 100 } else { 100_000 });
    std::mem::forget(lock.read());
    assert!(lock.try_write().is_none());
    assert!(lock.write_timeout(Duration::from_millis(1)).is_err());
    assert!(lock.try_read().is_some(), "the writer has given up");
    assert_eq!(lock.into_inner(), 0);
    let another = RwLock::new(0);
    assert!(another.try_write().is_some());
}

#[test]
fn a_panic_of_the_user_releases_it() {
    let lock = RwLock::new(1);
    let panic = |way: &(dyn Fn() + Sync)| {
        assert!(thread::scope(|scope| scope.spawn(way).join()).is_err());
        assert!(!lock.is_locked());
    };
    panic(&|| {
        let _guard = lock.write();
        panic!("a panic that the test asked for");
    });
    panic(&|| {
        drop(RwLockReadGuard::map(lock.read(), |_| -> &u8 { panic!("a panic that the test asked for") }));
    });
    panic(&|| {
        drop(RwLockWriteGuard::map(lock.write(), |_| -> &mut u8 {
            panic!("a panic that the test asked for")
        }));
    });
}

#[test]
fn a_waker_that_panics_loses_nothing() {
    let lock = RwLock::new(());
    let guard = lock.write();
    let waker = Bomb::waker();
    let mut bomb = Box::pin(lock.read_async());
    assert!(bomb.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut other = ByHand::waiting(lock.read_async());
    let guard = RwLockWriteGuard::downgrade(guard);
    assert!(other.poll().is_some());
    assert!(lock.try_write().is_none(), "the one who made the other panic still reads");
    drop(guard);
    drop(bomb);
    assert!(lock.try_write().is_some());
}

#[test]
fn a_forgotten_future_keeps_only_its_own_place() {
    let lock = Box::leak(Box::new(RwLock::new(0)));
    let guard = lock.write();
    let mut forgotten = Box::pin(lock.write_async());
    assert!(pin!(&mut forgotten).poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
    std::mem::forget(forgotten);
    drop(guard);
    thread::scope(|scope| {
        scope.spawn(|| *lock.write() += 1);
        scope.spawn(|| drop(lock.read()));
    });
    assert_eq!(*block_on_timeout(lock.read_async(), LONG).unwrap(), 1);
}

#[test]
fn parts_of_the_value() {
    let lock = RwLock::new((1, [2, 3]));
    let part = RwLockReadGuard::map(lock.read(), |value| &value.1);
    let part = MappedReadGuard::map(part, |array| &array[0]);
    assert_eq!(*part, 2);
    assert!(lock.try_write().is_none());
    thread::scope(|scope| scope.spawn(|| drop(part)).join().unwrap());
    let part = RwLockWriteGuard::map(lock.write(), |value| &mut value.1);
    let mut part = MappedWriteGuard::map(part, |array| &mut array[1]);
    *part = 4;
    assert!(lock.try_read().is_none());
    drop(part);
    assert_eq!(format!("{lock:?}"), "RwLock { value: (1, [2, 4]) }");
}

/// He was told, and a writer came first; when that has gone, he need not wait until those who were told with him have read.
#[test]
#[cfg_attr(miri, ignore = "it has to be fast, or the lock is kept for the readers")]
fn a_reader_who_looked_too_early_does_not_wait_for_a_reader() {
    let lock = RwLock::new(());
    let (mut early, mut second, barged) = loop {
        let guard = lock.write();
        let early = ByHand::waiting(lock.read_async());
        let second = ByHand::waiting(lock.read_async());
        drop(guard);
        if let Some(barged) = lock.try_write() {
            break (early, second, barged);
        }
    };
    assert!(early.poll().is_none(), "somebody writes");
    drop(barged);
    let reads = second.poll().unwrap();
    assert!(early.is_told());
    assert!(early.poll().is_some());
    drop(reads);
    assert!(!lock.is_locked());
}

/// The lock is kept for one who was told to write, and nobody else waits, when `others` try: none of them may have it.
#[track_caller]
fn stays_kept_when(others: impl Fn(&RwLock<()>) -> bool) {
    let lock = RwLock::new(());
    let (mut rounds, mut tries) = (0, 0);
    // Rounds in which the told one may be late by now say nothing. Under Miri, it is always late.
    while rounds < 10 && !(cfg!(miri) && tries == 2) {
        tries += 1;
        let guard = lock.write();
        let mut told = ByHand::waiting(lock.write_async());
        // Overdue, so that the lock is kept for it.
        thread::sleep(SHORT);
        let begin = Instant::now();
        drop(guard);
        assert!(told.is_told());
        let had_by_others = others(&lock);
        if !others_may_be_woken(begin) {
            assert!(!had_by_others, "it is kept for the one who was told");
            assert!(told.poll().is_some(), "nobody else has it");
            rounds += 1;
        }
        drop(told);
        assert!(lock.try_write().is_some(), "nobody is there");
    }
}

#[test]
fn a_lock_that_is_kept_for_one_who_was_told_stays_kept_when_others_try() {
    stays_kept_when(|lock| {
        let tried = [lock.try_write().is_some(), lock.try_write().is_some(), lock.try_read().is_some()];
        tried.contains(&true) || lock.try_upgradable_read().is_some() || lock.try_write().is_some()
    });
}

#[test]
fn a_lock_that_is_kept_stays_kept_when_a_reader_that_may_read_again_leaves() {
    stays_kept_when(|lock| {
        drop(lock.try_read_recursive().expect("nobody has it, and who reads again waits for nobody"));
        lock.try_write().is_some()
    });
}

#[test]
fn a_lock_that_is_kept_stays_kept_when_one_who_was_not_told_gives_up() {
    stays_kept_when(|lock| lock.write_timeout(Duration::ZERO).is_ok() || lock.try_write().is_some());
}

#[test]
fn a_lock_that_was_kept_for_one_who_does_not_come_is_as_new_afterwards() {
    let lock = RwLock::new(());
    let guard = lock.write();
    let told = ByHand::waiting(lock.write_async());
    thread::sleep(SHORT);
    drop(guard);
    // It never comes, nor goes away.
    std::mem::forget(told);
    thread::sleep(SHORT);
    assert!(lock.try_write().is_some(), "the told one is late");
    assert!(lock.try_read().is_some() && lock.try_write().is_some());
}

#[test]
fn who_wants_to_upgrade_does_not_wait_for_a_reader() {
    let lock = RwLock::new(());
    let guard = lock.write();
    let mut first = ByHand::waiting(lock.upgradable_read_async());
    let mut second = ByHand::waiting(lock.upgradable_read_async());
    let mut reader = ByHand::waiting(lock.read_async());
    drop(guard);
    let upgradable = first.poll().unwrap();
    assert!(second.poll().is_none(), "one at a time may upgrade");
    drop(upgradable);
    let reads = reader.poll().unwrap();
    assert!(second.is_told());
    assert!(second.poll().is_some());
    drop(reads);
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_takes_no_lock_with_it() {
    struct Sharp;
    impl Wake for Sharp {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Sharp {
        fn drop(&mut self) {
            panic!("a panic that the test asked for");
        }
    }
    let lock = RwLock::new(());
    let guard = lock.write();
    let stuck = ByHand::waiting(lock.write_async());
    let mut waiting = Box::pin(lock.write_async());
    let sharp = Waker::from(Arc::new(Sharp));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&sharp)).is_pending());
    // The queue's copy is the last one from now on.
    drop(sharp);
    drop(guard);
    // The one who was told is late.
    thread::sleep(SHORT);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    drop((waiting, stuck));
    assert!(lock.try_write().is_some());
}
