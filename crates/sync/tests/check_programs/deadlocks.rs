//! Threads that wait for each other for ever, or might.

use crate::{Expected, Program};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use sync::check::{self, pool};
use sync::{Condvar, Mutex};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "two_threads_lock_in_turn",
        expected: Expected::Certain(&["Mutex `a`", "Mutex `b`", "`one`", "`two`", "deadlocks.rs:"]),
        run: || in_a_ring(2),
    },
    Program {
        name: "three_threads_in_a_ring",
        expected: Expected::Certain(&["Mutex `a`", "Mutex `b`", "Mutex `c`", "`three`"]),
        run: || in_a_ring(3),
    },
    Program {
        name: "a_thread_locks_twice",
        expected: Expected::Certain(&["`main`", "Mutex `twice`"]),
        run: a_thread_locks_twice,
    },
    Program {
        name: "a_forgotten_guard",
        expected: Expected::Certain(&["Mutex `forgotten`"]),
        run: a_forgotten_guard,
    },
    Program {
        name: "a_condvar_takes_its_lock_again_under_another",
        expected: Expected::Certain(&["Mutex `outer`", "Mutex `inner`"]),
        run: a_condvar_takes_its_lock_again_under_another,
    },
    Program {
        name: "a_pool_waits_for_itself",
        expected: Expected::Certain(&["queued in pool `small`", "`worker 0`", "`worker 1`"]),
        run: a_pool_waits_for_itself,
    },
    Program { name: "two_orders", expected: Expected::Potential, run: two_orders },
    Program { name: "three_orders", expected: Expected::Potential, run: three_orders },
];

const NAMES: [&str; 3] = ["a", "b", "c"];
const THREADS: [&str; 3] = ["one", "two", "three"];

fn named(count: usize) -> Vec<Mutex<()>> {
    let locks: Vec<_> = (0..count).map(|_| Mutex::new(())).collect();
    locks.iter().zip(NAMES).for_each(|(lock, name)| check::name(lock, name));
    locks
}

/// Each has one lock and wants the next one's.
fn in_a_ring(count: usize) {
    let (locks, met) = (named(count), Barrier::new(count));
    thread::scope(|scope| {
        for (number, name) in THREADS.into_iter().enumerate().take(count) {
            let (locks, met) = (&locks, &met);
            let work = move || {
                let _own = locks[number].lock();
                met.wait();
                drop(locks[(number + 1) % count].lock());
            };
            thread::Builder::new().name(name.into()).spawn_scoped(scope, work).unwrap();
        }
    });
}

fn a_thread_locks_twice() {
    let mutex = Mutex::new(());
    check::name(&mutex, "twice");
    let _first = mutex.lock();
    drop(mutex.lock());
}

fn a_forgotten_guard() {
    let mutex = Mutex::new(());
    check::name(&mutex, "forgotten");
    std::mem::forget(mutex.lock());
    drop(mutex.lock());
}

fn a_condvar_takes_its_lock_again_under_another() {
    let inner = Mutex::new(());
    check::name(&inner, "inner");
    taken_again_by_a_condvar(|| inner.lock());
}

/// Who waits on the condvar gives the inner lock back, but not the outer one, which somebody wants who has got the inner one by then.
pub(crate) fn taken_again_by_a_condvar<G: sync::condvar::Guard>(take_inner: impl Fn() -> G + Sync) {
    let (outer, changed) = (Mutex::new(()), Condvar::new());
    check::name(&outer, "outer");
    thread::scope(|scope| {
        let (waits, is_waiting) = mpsc::channel();
        scope.spawn({
            let (outer, changed, take_inner) = (&outer, &changed, &take_inner);
            move || {
                let _outer = outer.lock();
                let guard = take_inner();
                waits.send(()).unwrap();
                drop(changed.wait(guard));
            }
        });
        is_waiting.recv().unwrap();
        let inner = take_inner();
        changed.notify_one();
        let outer = outer.lock();
        drop((inner, outer));
    });
}

/// Two workers, each of which has queued something behind the other's work and waits for it.
fn a_pool_waits_for_itself() {
    let pool = Arc::new(pool::Pool::new("small", 2));
    let met = Arc::new(Barrier::new(2));
    let workers: Vec<_> = (0..2)
        .map(|number| {
            let (pool, met) = (Arc::clone(&pool), Arc::clone(&met));
            let work = move || {
                let _worker = pool.join();
                let outer = pool.queue();
                let _running = outer.run();
                let inner = pool.queue();
                let (_never, done) = mpsc::channel::<()>();
                met.wait();
                inner.wait(|| done.recv()).unwrap();
            };
            thread::Builder::new().name(format!("worker {number}")).spawn(work).unwrap()
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// One after the other, but by chance.
fn orders(orders: &[(usize, usize)]) {
    let (locks, all_are_there, all_are_done) =
        (named(3), Barrier::new(orders.len()), Barrier::new(orders.len()));
    let turn = std::sync::Mutex::new(());
    thread::scope(|scope| {
        for &(first, second) in orders {
            let (locks, all_are_there, all_are_done, turn) = (&locks, &all_are_there, &all_are_done, &turn);
            scope.spawn(move || {
                all_are_there.wait();
                let my_turn = turn.lock().unwrap();
                let first = locks[first].lock();
                let second = locks[second].lock();
                drop((first, second, my_turn));
                all_are_done.wait();
            });
        }
    });
}

fn two_orders() {
    orders(&[(0, 1), (1, 0)]);
}

fn three_orders() {
    orders(&[(0, 1), (1, 2), (2, 0)]);
}
