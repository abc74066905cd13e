//! Programs that cannot deadlock, and of which other checkers say that they do.

use crate::{Expected, Program};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;
use sync::check;
use sync::{Condvar, Mutex, MutexGuard};

pub(crate) const PROGRAMS: &[Program] = &[
    silent("one_thread_in_both_orders", one_thread_in_both_orders),
    silent("both_orders_under_a_gate", both_orders_under_a_gate),
    silent("locks_of_one_class_hand_over_hand", locks_of_one_class_hand_over_hand),
    silent("locks_of_one_class_by_their_addresses", locks_of_one_class_by_their_addresses),
    silent("the_first_is_given_back_before_the_third", the_first_is_given_back_before_the_third),
    silent("an_address_is_used_again", an_address_is_used_again),
    silent("an_attempt_in_the_other_order", an_attempt_in_the_other_order),
    silent("a_limit_in_the_other_order", a_limit_in_the_other_order),
    silent("the_only_thread_did_it_before", the_only_thread_did_it_before),
    silent("threads_one_after_the_other", threads_one_after_the_other),
    silent("a_guard_is_sent", a_guard_is_sent),
    silent("a_guard_that_is_sent_is_no_gate_and_no_edge", a_guard_that_is_sent_is_no_gate_and_no_edge),
    silent("everybody_is_asleep", everybody_is_asleep),
    silent("a_lock_is_held_for_long", a_lock_is_held_for_long),
    silent("a_condvar_gives_its_lock_back", a_condvar_gives_its_lock_back),
    silent("a_thread_ends_with_a_guard", a_thread_ends_with_a_guard),
    silent("a_panic_gives_back", a_panic_gives_back),
    silent("switched_on_in_the_middle", switched_on_in_the_middle),
    Program {
        name: "the_callback_uses_what_it_likes",
        expected: Expected::Potential,
        run: the_callback_uses_what_it_likes,
    },
];

const fn silent(name: &'static str, run: fn()) -> Program {
    Program { name, expected: Expected::Silence, run }
}

fn in_order(first: &Mutex<u32>, second: &Mutex<u32>) {
    let first = first.lock();
    let second = second.lock();
    drop((first, second));
}

/// Runs the steps in their order, each on a thread of its own, all of which are there from begin to end.
fn on_threads(steps: &[&(dyn Fn() + Sync)]) {
    let (begin, end) = (Barrier::new(steps.len()), Barrier::new(steps.len()));
    let turn = std::sync::Mutex::new(0);
    thread::scope(|scope| {
        for (number, step) in steps.iter().enumerate() {
            let (begin, end, turn) = (&begin, &end, &turn);
            scope.spawn(move || {
                // So that the checker sees it.
                drop(Mutex::new(()).lock());
                begin.wait();
                loop {
                    let mut turn = turn.lock().unwrap();
                    if *turn == number {
                        step();
                        *turn += 1;
                        break;
                    }
                    drop(turn);
                    thread::yield_now();
                }
                end.wait();
            });
        }
    });
}

fn one_thread_in_both_orders() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    on_threads(&[
        &|| {
            in_order(&a, &b);
            in_order(&b, &a);
        },
        &|| in_order(&a, &a.try_lock().map_or(Mutex::new(0), |_| Mutex::new(1))),
    ]);
}

fn both_orders_under_a_gate() {
    let (gate, a, b) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
    let gated = |first, second| {
        let gate = gate.lock();
        in_order(first, second);
        drop(gate);
    };
    on_threads(&[&|| gated(&a, &b), &|| gated(&b, &a)]);
}

/// Like nodes of a list, all of one name.
fn locks_of_one_class_hand_over_hand() {
    let list: Vec<_> = (0..5).map(Mutex::new).collect();
    list.iter().for_each(|node| check::name(node, "node"));
    let walk = || {
        let mut here = list[0].lock();
        for next in &list[1..] {
            here = next.lock();
        }
        drop(here);
    };
    on_threads(&[&walk, &walk]);
}

/// Parents and children were made in one place, and each thread takes the lower address first.
fn locks_of_one_class_by_their_addresses() {
    let made: Vec<_> = (0..4).map(Mutex::new).collect();
    made.iter().for_each(|lock| check::name(lock, "account"));
    let transfer = |from: usize, to: usize| in_order(&made[from.min(to)], &made[from.max(to)]);
    on_threads(&[&|| transfer(0, 3), &|| transfer(3, 0), &|| transfer(2, 1)]);
}

fn the_first_is_given_back_before_the_third() {
    let (a, b, c) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
    on_threads(&[
        &|| {
            let first = a.lock();
            let second = b.lock();
            drop(first);
            drop(c.lock());
            drop(second);
        },
        &|| in_order(&c, &a),
    ]);
}

/// Locks in one place, one after the other, which were never there at the same time.
fn an_address_is_used_again() {
    let places = Mutex::new([(); 2].map(|()| Box::new(Mutex::new(0))));
    on_threads(&[
        &|| {
            let mut places = places.lock();
            in_order(&places[0], &places[1]);
            // They move, too.
            *places = [(); 2].map(|()| Box::new(Mutex::new(0)));
        },
        &|| {
            let mut places = places.lock();
            *places[0] = Mutex::new(1);
            *places[1] = Mutex::new(1);
            in_order(&places[1], &places[0]);
        },
    ]);
    let mut places = places.into_inner();
    on_threads(&[&|| in_order(&places[1], &places[0])]);
    places.swap(0, 1);
    on_threads(&[&|| in_order(&places[0], &places[1])]);
}

fn an_attempt_in_the_other_order() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    on_threads(&[&|| in_order(&a, &b), &|| {
        let b = b.lock();
        assert!(a.try_lock().is_some());
        drop(b);
    }]);
}

/// They do wait for each other, but not for long; and the checker is impatient.
fn a_limit_in_the_other_order() {
    check::set_patience(Duration::from_millis(20));
    let (a, b, met) = (Mutex::new(0), Mutex::new(0), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _a = a.lock();
            met.wait();
            drop(b.lock());
        });
        let b = b.lock();
        met.wait();
        assert!(a.lock_timeout(Duration::from_millis(200)).is_err());
        drop(b);
    });
}

/// What the program does at its begin, it does before its threads do anything.
fn the_only_thread_did_it_before() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    in_order(&b, &a);
    on_threads(&[&|| in_order(&a, &b)]);
}

fn threads_one_after_the_other() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    thread::scope(|scope| {
        scope.spawn(|| in_order(&a, &b)).join().unwrap();
        scope.spawn(|| in_order(&b, &a)).join().unwrap();
    });
}

/// Who has locked waits for another to unlock.
fn a_guard_is_sent() {
    check::set_patience(Duration::from_secs(2));
    let mutex = Mutex::new(0);
    for _ in 0..2 {
        thread::scope(|scope| {
            let guard = mutex.lock();
            let mutex = &mutex;
            scope.spawn(move || {
                while !mutex.has_waiters() {
                    thread::yield_now();
                }
                drop(guard);
            });
            drop(mutex.lock());
        });
        // Now it is known.
        check::set_patience(Duration::from_millis(1));
    }
    thread::scope(|scope| {
        let guard = mutex.lock();
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(guard);
        });
        drop(mutex.lock());
    });
}

/// The thread that took it has not got it any more when it takes the next.
fn a_guard_that_is_sent_is_no_gate_and_no_edge() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let (send, receive) = mpsc::channel::<MutexGuard<'_, u32>>();
    thread::scope(|scope| {
        scope.spawn(move || receive.into_iter().for_each(drop));
        send.send(a.lock()).unwrap();
        drop(a.lock());
        drop(send);
    });
    let (send, receive) = mpsc::channel();
    let receive = std::sync::Mutex::new(receive);
    on_threads(&[
        &|| {
            send.send(a.lock()).unwrap();
            drop(b.lock());
            drop(receive.lock().unwrap().recv().unwrap());
        },
        &|| in_order(&b, &a),
    ]);
}

/// Nobody runs, but one of them waits for the clock.
fn everybody_is_asleep() {
    check::set_patience(Duration::from_millis(20));
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let (begin, begun) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _a = a.lock();
            let _b = b.lock();
            begin.send(()).unwrap();
            thread::sleep(Duration::from_millis(200));
        });
        begun.recv().unwrap();
        scope.spawn(|| drop(a.lock()));
        drop(b.lock());
    });
}

fn a_lock_is_held_for_long() {
    check::set_patience(Duration::from_millis(1));
    let mutex = Mutex::new(0);
    let (begin, begun) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _held = mutex.lock();
            begin.send(()).unwrap();
            thread::sleep(Duration::from_millis(300));
        });
        begun.recv().unwrap();
        (0..3).for_each(|_| drop(scope.spawn(|| *mutex.lock() += 1)));
    });
}

fn a_condvar_gives_its_lock_back() {
    check::set_patience(Duration::from_millis(20));
    let (state, changed) = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            let guard = changed.wait_while(state.lock(), |state| *state == 0);
            assert_eq!(*guard, 1);
            assert_eq!(check::held().len(), 1);
        });
        thread::sleep(Duration::from_millis(100));
        *state.lock() = 1;
        changed.notify_one();
    });
    check::assert_nothing_held();
}

/// The lock is held for ever, but by nobody who waits.
fn a_thread_ends_with_a_guard() {
    check::set_patience(Duration::from_millis(10));
    let mutex = Mutex::new(0);
    thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(mutex.lock()));
    });
    assert!(mutex.lock_timeout(Duration::from_millis(100)).is_err());
}

fn a_panic_gives_back() {
    let mutex = Mutex::new(0);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = mutex.lock();
        std::panic::resume_unwind(Box::new("a panic that the test asked for"));
    }));
    assert!(panicked.is_err());
    check::assert_nothing_held();
    drop(mutex.lock());
}

/// What was taken while it was off is nobody's; what was taken before is forgotten.
fn switched_on_in_the_middle() {
    check::set_patience(Duration::from_millis(10));
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let held_before = a.lock();
    assert_eq!(check::held().len(), 1);
    check::disable();
    assert!(!check::is_enabled() && check::held().is_empty());
    drop(held_before);
    let held_meanwhile = b.lock();
    check::enable();
    assert!(check::held().is_empty());
    assert!(b.lock_timeout(Duration::from_millis(100)).is_err());
    drop(held_meanwhile);
    drop((a.lock(), b.lock()));
}

/// It takes locks, asks the checker, is slow, and panics.
fn the_callback_uses_what_it_likes() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let told: &'static Mutex<u32> = Box::leak(Box::new(Mutex::new(0)));
    check::on_report(move |_| {
        let mut told = told.lock();
        assert_eq!(check::held().len(), 1);
        assert!(check::graph().starts_with("digraph"));
        *told += 1;
        drop(told);
        std::panic::resume_unwind(Box::new("a panic that the test asked for"));
    });
    let held = told.lock();
    on_threads(&[&|| in_order(&a, &b), &|| in_order(&b, &a)]);
    // The callback wants what we hold, and nobody is the worse for it.
    assert_eq!(check::reports().len(), 1);
    drop(held);
    while *told.lock() == 0 {
        thread::yield_now();
    }
}
