//! Two threads that wait for each other's lock, and what the deadlock checker says of it: that it may come, as soon as both orders are
//! seen, and that it is there, when nobody has moved for a while. Of a program that was lucky it says the first as well.
//!
//! The repairs are in `two_locks`.
//!
//! `cargo run -p sync --features check --example deadlock_report`

use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use sync::check::{self, Report, Verdict};
use sync::{Barrier, Event, Mutex};

/// Nobody waits as long for a report that comes.
const LONG: Duration = Duration::from_secs(60);

fn main() {
    let (send, reports) = mpsc::channel();
    check::on_report(move |report| _ = send.send(report.clone()));
    check::enable();
    let next = || reports.recv_timeout(LONG).expect("the checker speaks");

    they_wait_for_each_other();
    for verdict in [Verdict::Potential, Verdict::Certain] {
        let report = next();
        println!("{report}\n");
        assert_eq!(report.verdict, verdict);
        says_who_has_what(&report, ["mine", "yours"]);
        if verdict == Verdict::Certain {
            println!("{}", report.dot());
        }
    }

    they_come_one_after_the_other();
    let report = next();
    println!("{report}");
    assert_eq!(report.verdict, Verdict::Potential);
    says_who_has_what(&report, ["debit", "credit"]);
}

/// The locks and the threads are left behind, for nobody will ever release the one or end the other.
fn they_wait_for_each_other() {
    let accounts: &[_; 2] = Box::leak(Box::new([Mutex::new(100), Mutex::new(100)]));
    check::name(&accounts[0], "mine");
    check::name(&accounts[1], "yours");
    let both: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    let transfer = move |from: usize, to: usize| {
        let mut source = accounts[from].lock();
        // Without this, all goes well nearly every time.
        both.wait().expect("nobody breaks it");
        let mut target = accounts[to].lock();
        *source -= 1;
        *target += 1;
    };
    for (name, from, to) in [("there", 0, 1), ("back", 1, 0)] {
        thread::Builder::new().name(name.into()).spawn(move || transfer(from, to)).expect("a thread");
    }
}

/// The same two orders, and nobody is in the way: the program ends, this time.
fn they_come_one_after_the_other() {
    let (debit, credit) = (Mutex::new(100), Mutex::new(100));
    check::name(&debit, "debit");
    check::name(&credit, "credit");
    let (first_has_ended, is_seen) = (Event::new(), Event::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            transfer(&debit, &credit);
            first_has_ended.set();
            // Who has ended before the other begins cannot meet it: then nothing would be said.
            is_seen.wait();
        });
        first_has_ended.wait();
        transfer(&credit, &debit);
        is_seen.set();
    });
    assert_eq!([debit.into_inner(), credit.into_inner()], [100, 100]);
}

fn transfer(from: &Mutex<i64>, to: &Mutex<i64>) {
    let (mut source, mut target) = (from.lock(), to.lock());
    *source -= 1;
    *target += 1;
}

/// Each of the two has one of the locks and wants the other, and of both it is said where.
fn says_who_has_what(report: &Report, names: [&str; 2]) {
    assert_eq!(report.cycle.len(), 2);
    for entry in &report.cycle {
        let held = entry.holds.as_ref().expect("it holds a lock");
        let [has, wants] = [&held.lock, &entry.waits_for].map(|lock| {
            names.iter().position(|name| lock.contains(&format!("`{name}`"))).expect("a lock of the two")
        });
        assert_ne!(has, wants);
        assert!(held.at.file().ends_with("deadlock_report.rs") && entry.at.file() == held.at.file());
    }
}
