//! Locks that can be shared, taken again, or had by so many at a time.

use crate::{Expected, Program};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;
use sync::check::{self, Context};
use sync::extra::{Owner, RLock};
use sync::park::block_on;
use sync::rwlock::RwLockUpgradableGuard;
use sync::{Mutex, RwLock, RwLockWriteGuard, Semaphore};

pub(crate) const PROGRAMS: &[Program] = &[
    certain(
        "a_reader_wants_to_write",
        &["RwLock `own`", "holds", "(shared", "`main`"],
        a_reader_wants_to_write,
    ),
    certain("two_writers_crosswise", &["RwLock `a`", "RwLock `b`", "(alone"], two_writers_crosswise),
    certain(
        "a_reader_reads_again_behind_a_writer",
        &["RwLock `config`", "`reader`", "`writer`", "(shared"],
        a_reader_reads_again_behind_a_writer,
    ),
    certain(
        "a_writer_waits_for_two_readers",
        &["RwLock `table`", "Mutex `log`", "`writer`"],
        a_writer_waits_for_two_readers,
    ),
    certain(
        "an_upgrade_and_a_reader_who_wants_to_upgrade",
        &["RwLock `page`", "(upgradable", "(shared"],
        an_upgrade_and_a_reader_who_wants_to_upgrade,
    ),
    certain(
        "a_downgraded_lock_is_still_held",
        &["RwLock `a`", "Mutex `b`", "(shared"],
        a_downgraded_lock_is_still_held,
    ),
    certain(
        "tasks_that_read_and_write",
        &["RwLock `a`", "RwLock `b`", "`first`", "`second`"],
        tasks_that_read_and_write,
    ),
    certain(
        "a_condvar_takes_a_rwlock_again_under_another_lock",
        &["Mutex `outer`", "RwLock `inner`"],
        a_condvar_takes_a_rwlock_again_under_another_lock,
    ),
    certain("reentrant_locks_crosswise", &["RLock `a`", "RLock `b`"], reentrant_locks_crosswise),
    certain(
        "a_reentrant_lock_of_two_tasks",
        &["RLock `shared`", "Mutex `other`", "`first`", "`second`"],
        a_reentrant_lock_of_two_tasks,
    ),
    certain("permits_crosswise", &["Semaphore `a`", "Semaphore `b`", "permit"], permits_crosswise),
    certain(
        "all_permits_are_with_those_who_want_more",
        &["Semaphore `slots`"],
        all_permits_are_with_those_who_want_more,
    ),
    certain("a_permit_and_a_lock", &["Semaphore `one`", "Mutex `lock`"], a_permit_and_a_lock),
    Program {
        name: "a_write_and_a_read_in_two_orders",
        expected: Expected::Potential,
        run: a_write_and_a_read_in_two_orders,
    },
    Program {
        name: "an_upgrade_under_a_lock_in_two_orders",
        expected: Expected::Potential,
        run: an_upgrade_under_a_lock_in_two_orders,
    },
    Program {
        name: "reentrant_locks_in_two_orders",
        expected: Expected::Potential,
        run: reentrant_locks_in_two_orders,
    },
    silent("readers_in_both_orders", readers_in_both_orders),
    silent("a_recursive_read_passes_the_writer", a_recursive_read_passes_the_writer),
    silent("an_upgrade_waits_for_a_reader_who_goes", an_upgrade_waits_for_a_reader_who_goes),
    silent("upgrading_twice_in_turn", upgrading_twice_in_turn),
    silent("a_read_guard_is_sent", a_read_guard_is_sent),
    silent("attempts_and_limits_in_the_other_order", attempts_and_limits_in_the_other_order),
    silent("taken_again_under_another_lock", taken_again_under_another_lock),
    silent("a_reentrant_lock_in_both_orders_of_one_thread", a_reentrant_lock_in_both_orders_of_one_thread),
    silent("a_semaphore_as_a_signal", a_semaphore_as_a_signal),
    silent("a_permit_that_somebody_else_has", a_permit_that_somebody_else_has),
    silent("permits_in_both_orders_that_suffice", permits_in_both_orders_that_suffice),
];

const fn certain(name: &'static str, parts: &'static [&'static str], run: fn()) -> Program {
    Program { name, expected: Expected::Certain(parts), run }
}

const fn silent(name: &'static str, run: fn()) -> Program {
    Program { name, expected: Expected::Silence, run }
}

/// Long enough for the checker to speak, if it were to.
fn a_while() {
    check::set_patience(Duration::from_millis(20));
}

/// Both are there from begin to end, each has done its first half before the other does its second.
fn both_halves<A, B>(
    one: (impl FnOnce() -> A + Send, impl FnOnce() + Send),
    other: (impl FnOnce() -> B + Send, impl FnOnce() + Send),
) {
    let met = Barrier::new(2);
    let work = |met: &Barrier| met.wait();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _first = one.0();
            work(&met);
            one.1();
        });
        let _first = other.0();
        work(&met);
        other.1();
    });
}

/// One after the other, and both are there all the time.
fn in_turn(first: impl FnOnce() + Send, second: impl FnOnce()) {
    let (first_is_done, end) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            first();
            first_is_done.wait();
            end.wait();
        });
        first_is_done.wait();
        second();
        end.wait();
    });
}

fn locks<L: check::Lock>(make: impl Fn() -> L, names: [&str; 2]) -> (L, L) {
    let (a, b) = (make(), make());
    check::name(&a, names[0]);
    check::name(&b, names[1]);
    (a, b)
}

fn a_reader_wants_to_write() {
    let lock = RwLock::new(());
    check::name(&lock, "own");
    let _read = lock.read();
    drop(lock.write());
}

fn two_writers_crosswise() {
    let (a, b) = locks(|| RwLock::new(()), ["a", "b"]);
    both_halves((|| a.write(), || drop(b.write())), (|| b.write(), || drop(a.write())));
}

/// What parking_lot's checker misses.
fn a_reader_reads_again_behind_a_writer() {
    let config = RwLock::new(());
    check::name(&config, "config");
    let (reads, is_reading) = mpsc::channel();
    let reader = || {
        let _read = config.read();
        reads.send(()).unwrap();
        // Until the writer has waited for long enough, whoever comes reads.
        while config.try_read().is_some() {
            thread::yield_now();
        }
        drop(config.read());
    };
    thread::scope(|scope| {
        thread::Builder::new().name("reader".into()).spawn_scoped(scope, reader).unwrap();
        is_reading.recv().unwrap();
        let writer = || drop(config.write());
        thread::Builder::new().name("writer".into()).spawn_scoped(scope, writer).unwrap();
    });
}

/// It is there as soon as one of them waits.
fn a_writer_waits_for_two_readers() {
    let (table, log, met) = (RwLock::new(()), Mutex::new(()), Barrier::new(3));
    check::name(&table, "table");
    check::name(&log, "log");
    thread::scope(|scope| {
        for name in ["one", "two"] {
            let reader = || {
                let _read = table.read();
                met.wait();
                drop(log.lock());
            };
            thread::Builder::new().name(name.into()).spawn_scoped(scope, reader).unwrap();
        }
        let writer = || {
            let _log = log.lock();
            met.wait();
            drop(table.write());
        };
        thread::Builder::new().name("writer".into()).spawn_scoped(scope, writer).unwrap();
    });
}

/// The one who may upgrade waits for the reader, who waits to be the one who may.
fn an_upgrade_and_a_reader_who_wants_to_upgrade() {
    let (page, met) = (RwLock::new(()), Barrier::new(2));
    check::name(&page, "page");
    thread::scope(|scope| {
        scope.spawn(|| {
            let _read = page.read();
            met.wait();
            drop(page.upgradable_read());
        });
        let seen = page.upgradable_read();
        met.wait();
        drop(RwLockUpgradableGuard::upgrade(seen));
    });
}

fn a_downgraded_lock_is_still_held() {
    let (a, b) = (RwLock::new(()), Mutex::new(()));
    check::name(&a, "a");
    check::name(&b, "b");
    both_halves(
        (|| RwLockWriteGuard::downgrade(a.write()), || drop(b.lock())),
        (|| b.lock(), || drop(a.write())),
    );
}

fn tasks_that_read_and_write() {
    let (a, b) = locks(|| RwLock::new(()), ["a", "b"]);
    let met = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(Context::new("first").task(async {
                let _a = a.read_async().await;
                met.wait();
                drop(b.read_async().await);
            }));
        });
        block_on(Context::new("second").task(async {
            let _b = b.write_async().await;
            met.wait();
            drop(a.write_async().await);
        }));
    });
}

fn a_condvar_takes_a_rwlock_again_under_another_lock() {
    let inner = RwLock::new(());
    check::name(&inner, "inner");
    crate::deadlocks::taken_again_by_a_condvar(|| inner.write());
}

/// Each has its own twice, which is in nobody's way but the other's.
fn reentrant_locks_crosswise() {
    let (a, b) = locks(|| RLock::new(()), ["a", "b"]);
    let met = Barrier::new(2);
    let work = |own: &RLock<()>, other: &RLock<()>| {
        let _own = (own.lock(), own.lock());
        met.wait();
        drop(other.lock());
    };
    thread::scope(|scope| {
        scope.spawn(|| work(&a, &b));
        work(&b, &a);
    });
}

fn a_reentrant_lock_of_two_tasks() {
    let (shared, other, met) = (RLock::new(()), Mutex::new(()), Barrier::new(2));
    check::name(&shared, "shared");
    check::name(&other, "other");
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(Context::new("first").task(Owner::new().task(async {
                let _outer = shared.lock_async().await;
                let _inner = shared.lock_async().await;
                met.wait();
                drop(other.lock_async().await);
            })));
        });
        block_on(Context::new("second").task(Owner::new().task(async {
            let _other = other.lock_async().await;
            met.wait();
            drop(shared.lock_async().await);
        })));
    });
}

fn permits_crosswise() {
    let (a, b) = locks(|| Semaphore::new(1), ["a", "b"]);
    both_halves(
        (|| a.acquire().unwrap(), || drop(b.acquire().unwrap())),
        (|| b.acquire().unwrap(), || drop(a.acquire().unwrap())),
    );
}

/// Two of three are out, and both want two more: one permit is free, which is not enough for anybody.
fn all_permits_are_with_those_who_want_more() {
    let slots = Semaphore::new(3);
    check::name(&slots, "slots");
    both_halves(
        (|| slots.acquire().unwrap(), || drop(slots.acquire_many(2).unwrap())),
        (|| slots.acquire().unwrap(), || drop(slots.acquire_many(2).unwrap())),
    );
}

fn a_permit_and_a_lock() {
    let (one, lock) = (Semaphore::new(1), Mutex::new(()));
    check::name(&one, "one");
    check::name(&lock, "lock");
    both_halves(
        (|| one.acquire().unwrap(), || drop(lock.lock())),
        (|| lock.lock(), || drop(one.acquire().unwrap())),
    );
}

fn a_write_and_a_read_in_two_orders() {
    let (a, b) = (RwLock::new(()), RwLock::new(()));
    in_turn(
        || {
            let (a, b) = (a.read(), b.read());
            drop((a, b));
        },
        || {
            let (b, a) = (b.write(), a.write());
            drop((b, a));
        },
    );
}

/// The reader keeps the upgrade waiting, and then waits for what is held around it.
fn an_upgrade_under_a_lock_in_two_orders() {
    let (page, log) = (RwLock::new(()), Mutex::new(()));
    in_turn(
        || {
            let seen = page.upgradable_read();
            let log = log.lock();
            drop((RwLockUpgradableGuard::upgrade(seen), log));
        },
        || {
            let (read, log) = (page.read(), log.lock());
            drop((read, log));
        },
    );
}

fn reentrant_locks_in_two_orders() {
    let (a, b) = (RLock::new(()), RLock::new(()));
    in_turn(
        || {
            let (a, again, b) = (a.lock(), a.lock(), b.lock());
            drop((a, again, b));
        },
        || {
            let (b, a) = (b.lock(), a.lock());
            drop((b, a));
        },
    );
}

fn readers_in_both_orders() {
    let (a, b) = (RwLock::new(()), RwLock::new(()));
    in_turn(
        || {
            let (a, b) = (a.read(), b.read());
            drop((a, b));
        },
        || {
            let (b, a) = (b.read(), a.read());
            drop((b, a));
        },
    );
}

fn a_recursive_read_passes_the_writer() {
    a_while();
    let lock = RwLock::new(());
    thread::scope(|scope| {
        let first = lock.read();
        scope.spawn(|| drop(lock.write()));
        while lock.try_read().is_some() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(100));
        let again = lock.read_recursive();
        assert_eq!(check::held().len(), 2);
        drop((first, again));
    });
}

/// What parking_lot's checker takes for a deadlock: who upgrades holds what he waits for.
fn an_upgrade_waits_for_a_reader_who_goes() {
    a_while();
    let lock = RwLock::new(());
    let (reads, is_reading) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _read = lock.read();
            reads.send(()).unwrap();
            thread::sleep(Duration::from_millis(200));
        });
        is_reading.recv().unwrap();
        let written = RwLockUpgradableGuard::upgrade(lock.upgradable_read());
        assert_eq!(check::held().len(), 1);
        assert_eq!(check::held()[0].mode, check::Mode::Exclusive);
        drop(written);
    });
    check::assert_nothing_held();
    // Permits that are forgotten are held by nobody.
    let permits = sync::Semaphore::new(1);
    permits.acquire().unwrap().forget();
    check::assert_nothing_held();
}

fn upgrading_twice_in_turn() {
    a_while();
    let lock = RwLock::new(0);
    let add = || {
        let mut written = RwLockUpgradableGuard::upgrade(lock.upgradable_read());
        *written += 1;
        let seen = RwLockWriteGuard::downgrade_to_upgradable(written);
        assert_eq!(check::held()[0].mode, check::Mode::Upgradable);
        drop(RwLockUpgradableGuard::downgrade(seen));
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20).for_each(|_| add()));
        }
    });
    assert_eq!(*lock.read(), 60);
}

/// parking_lot's checker cannot be used where guards are sent.
fn a_read_guard_is_sent() {
    check::set_patience(Duration::from_secs(2));
    let lock = RwLock::new(());
    thread::scope(|scope| {
        let read = lock.read();
        let (begin, begun) = mpsc::channel();
        scope.spawn(move || {
            begun.recv().unwrap();
            drop(read);
        });
        begin.send(()).unwrap();
        drop(lock.write());
    });
    // Now it is known that it is sent.
    a_while();
    thread::scope(|scope| {
        let read = lock.read();
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(read);
        });
        drop(lock.write());
    });
}

fn attempts_and_limits_in_the_other_order() {
    let (a, b) = (RwLock::new(()), RLock::new(()));
    in_turn(
        || {
            let (a, b) = (a.write(), b.lock());
            drop((a, b));
        },
        || {
            let b = b.lock();
            drop(a.try_write().unwrap());
            drop(a.try_read().unwrap());
            drop(a.write_timeout(Duration::from_secs(60)).unwrap());
            drop(a.try_upgradable_read().unwrap());
            drop(b);
        },
    );
}

/// The second time it is taken is no acquisition: it cannot wait.
fn taken_again_under_another_lock() {
    let (lock, other) = (RLock::new(()), Mutex::new(()));
    let work = || {
        let first = lock.lock();
        let other = other.lock();
        let again = lock.lock();
        assert_eq!(check::held().len(), 2);
        drop((first, other, again));
        check::assert_nothing_held();
    };
    in_turn(work, work);
}

fn a_reentrant_lock_in_both_orders_of_one_thread() {
    let (a, b) = (RLock::new(()), RLock::new(()));
    in_turn(
        || {
            drop((a.lock(), b.lock()));
            drop((b.lock(), a.lock()));
        },
        || drop(a.lock()),
    );
}

/// Somebody holds a lock and waits for a permit that nobody has: anybody may give it.
fn a_semaphore_as_a_signal() {
    a_while();
    let (lock, signal) = (Mutex::new(()), Semaphore::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _lock = lock.lock();
            signal.acquire().unwrap().forget();
        });
        while !lock.is_locked() {
            thread::yield_now();
        }
        scope.spawn(|| drop(lock.lock()));
        thread::sleep(Duration::from_millis(200));
        signal.release(1);
    });
    // From now on everybody knows that its permits come from anywhere.
    thread::scope(|scope| {
        signal.release(1);
        let _permit = signal.acquire().unwrap();
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(200));
            signal.release(1);
        });
        signal.acquire().unwrap().forget();
    });
}

/// Three have one each and two of them want more; the third gives his back.
fn a_permit_that_somebody_else_has() {
    a_while();
    let slots = Semaphore::new(3);
    let (held, is_held) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _permit = slots.acquire().unwrap();
            held.send(()).unwrap();
            thread::sleep(Duration::from_millis(200));
        });
        is_held.recv().unwrap();
        let want_one_more = || drop((slots.acquire().unwrap(), slots.acquire().unwrap()));
        scope.spawn(want_one_more);
        want_one_more();
    });
}

fn permits_in_both_orders_that_suffice() {
    let (a, b) = (Semaphore::new(2), Semaphore::new(2));
    in_turn(|| drop((a.acquire(), b.acquire())), || drop((b.acquire(), a.acquire())));
}
