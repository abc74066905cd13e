//! What a report says, and what is drawn: who, which lock by which name, where the one was taken and where the other was asked for.

use std::mem;
use std::panic::Location;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;
use sync::check::{self, Context, Mode, Report, Verdict};
use sync::extra::{BoundedSemaphore, Owner, PoisonMutex, PoisonMutexGuard, RLock};
use sync::park::block_on;
use sync::{Barrier, Condvar, Mutex, MutexGuard, RwLock, Semaphore};

/// No report takes so long, if it comes.
const LONG: Duration = Duration::from_secs(60);

/// A place in this file, so many lines further down.
#[track_caller]
fn below(lines: u32) -> (&'static str, u32) {
    let here = Location::caller();
    (here.file(), here.line() + lines)
}

fn place(location: &Location<'static>) -> (&'static str, u32) {
    (location.file(), location.line())
}

fn shown((file, line): (&'static str, u32)) -> String {
    format!("{file}:{line}:")
}

/// One test: there is one checker in a process, and one who listens to it.
#[test]
fn both_acquisitions_of_each_are_in_the_report_and_in_the_graphs() {
    let (send, reports) = mpsc::channel();
    check::on_report(move |report| _ = send.send(report.clone()));
    check::enable();
    let next = || reports.recv_timeout(LONG).expect("the checker speaks");
    of_one_that_may_come(next);
    of_one_that_is_there(next);
    of_every_way_to_take_a_lock();
    of_every_wait_that_takes_a_lock_again();
    check::disable();
    assert!(reports.try_recv().is_err(), "more than there is");
}

/// The places where the one was taken and the other asked for, by the two who do.
type Places = [[(&'static str, u32); 2]; 2];

fn of_one_that_may_come(next: impl Fn() -> Report) {
    let (table, log) = (RwLock::new(()), Mutex::new(()));
    check::name(&table, "table");
    check::name(&log, "log");
    let (first_is_done, both_are_done, end) = (Barrier::new(2), Barrier::new(2), Barrier::new(3));
    let mut places = Places::default();
    let [there, back] = &mut places;
    let graph = thread::scope(|scope| {
        let work = || {
            *there = [below(1), below(2)];
            let table = table.read();
            let log = log.lock();
            drop((table, log));
            first_is_done.wait().unwrap();
            end.wait().unwrap();
        };
        thread::Builder::new().name("there".into()).spawn_scoped(scope, work).unwrap();
        first_is_done.wait().unwrap();
        let work = || {
            *back = [below(1), below(2)];
            let log = log.lock();
            let table = table.write();
            drop((table, log));
            both_are_done.wait().unwrap();
            end.wait().unwrap();
        };
        thread::Builder::new().name("back".into()).spawn_scoped(scope, work).unwrap();
        both_are_done.wait().unwrap();
        // What is known of those who have ended is forgotten.
        let graph = check::graph();
        end.wait().unwrap();
        graph
    });
    let report = next();
    assert_eq!(report.verdict, Verdict::Potential);
    assert_eq!(check::reports().len(), 1);
    let modes = [(Mode::Shared, Mode::Exclusive), (Mode::Exclusive, Mode::Exclusive)];
    says_both(
        &report,
        [("`there`", "RwLock `table`", "Mutex `log`"), ("`back`", "Mutex `log`", "RwLock `table`")],
        places,
        modes,
    );

    // The graph of all has an edge for each order, with its places.
    let edges: Vec<&str> = graph.lines().filter(|line| line.contains("->")).collect();
    assert_eq!(edges.len(), 2, "{graph}");
    for (from, to, who, [taken, asked]) in
        [("table", "log", "`there`", places[0]), ("log", "table", "`back`", places[1])]
    {
        let is_it = |line: &&&str| {
            let (locks, label) = line.split_once(" [label=").expect("a label");
            let (a, b) = locks.split_once(" -> ").expect("an edge");
            a.contains(&format!("`{from}`"))
                && b.contains(&format!("`{to}`"))
                && label.contains(who)
                && label.find(&shown(taken)) < label.rfind(&shown(asked))
                && label.contains(&shown(taken))
        };
        assert_eq!(edges.iter().filter(is_it).count(), 1, "{graph}");
    }
    is_a_graph(&graph);
}

/// The locks and the threads stay behind.
fn of_one_that_is_there(next: impl Fn() -> Report) {
    let locks: &[_; 2] = Box::leak(Box::new([Mutex::new(()), Mutex::new(())]));
    check::name(&locks[0], "debit");
    check::name(&locks[1], "credit");
    let both: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    let (send, receive) = mpsc::channel();
    for (name, own, other) in [("one", 0, 1), ("two", 1, 0)] {
        let send = send.clone();
        let work = move || {
            send.send((own, [below(1), below(3)])).unwrap();
            let held = locks[own].lock();
            both.wait().unwrap();
            let next = locks[other].lock();
            drop((held, next));
        };
        thread::Builder::new().name(name.into()).spawn(work).unwrap();
    }
    let mut places = Places::default();
    receive.iter().take(2).for_each(|(own, of_it)| places[own] = of_it);
    // Both orders have been seen, and nobody has moved for a while.
    let reports = [next(), next()];
    assert_eq!(reports.each_ref().map(|report| report.verdict), [Verdict::Potential, Verdict::Certain]);
    let alone = (Mode::Exclusive, Mode::Exclusive);
    let who = [("`one`", "Mutex `debit`", "Mutex `credit`"), ("`two`", "Mutex `credit`", "Mutex `debit`")];
    reports.iter().for_each(|report| says_both(report, who, places, [alone; 2]));
}

/// Taken before a lock of its own, of which the graph says where.
macro_rules! one {
    ($of:expr, $lock:ident => $take:expr) => {
        let ($lock, next) = ($of, Mutex::new(()));
        check::name(&next, "next");
        let guard = $take;
        let graph = {
            let _next = next.lock();
            check::graph()
        };
        drop(guard);
        let edge = graph.lines().find(|line| line.contains("->") && line.contains("`next`"));
        let edge = edge.unwrap_or_else(|| panic!("{} is not there: {graph}", stringify!($take)));
        assert!(!edge.contains("/src/") && edge.contains(file!()), "{}: {edge}", stringify!($take));
    };
}

macro_rules! says_where {
    ($of:expr, $lock:ident => [$($take:expr),* $(,)?] [$($awaited:expr),* $(,)?]) => {
        $({ one!($of, $lock => $take); })*
        $(block_on(Owner::new().task(Context::new("task").task(async { one!($of, $lock => $awaited.await); })));)*
    };
}

const LIMIT: Duration = Duration::from_secs(60);

/// A limit or an attempt makes no edge to a lock, but there is one from it.
fn of_every_way_to_take_a_lock() {
    says_where!(Arc::new(Mutex::new(())), lock => [
        lock.lock(), lock.try_lock(), lock.lock_timeout(LIMIT),
        lock.lock_arc(), lock.try_lock_arc(), lock.lock_arc_timeout(LIMIT),
        lock.when(|()| true), lock.try_when(|()| true), lock.when_timeout(|()| true, LIMIT),
        MutexGuard::unlocked(lock.lock(), || ()),
    ] [
        lock.lock_async(), lock.lock_async_timeout(LIMIT),
        lock.lock_arc_async(), lock.lock_arc_async_timeout(LIMIT),
        lock.when_async(|()| true), lock.when_async_timeout(|()| true, LIMIT),
    ]);
    says_where!(Arc::new(PoisonMutex::new(())), lock => [
        lock.lock(), lock.try_lock(), lock.lock_timeout(LIMIT),
        lock.lock_arc(), lock.try_lock_arc(), lock.lock_arc_timeout(LIMIT),
        lock.when(|()| true), lock.try_when(|()| true), lock.when_timeout(|()| true, LIMIT),
        PoisonMutexGuard::unlocked(lock.lock().unwrap(), || ()),
    ] [
        lock.lock_async(), lock.lock_async_timeout(LIMIT),
        lock.lock_arc_async(), lock.lock_arc_async_timeout(LIMIT),
        lock.when_async(|()| true), lock.when_async_timeout(|()| true, LIMIT),
    ]);
    says_where!(RwLock::new(()), lock => [
        lock.read(), lock.try_read(), lock.read_timeout(LIMIT),
        lock.write(), lock.try_write(), lock.write_timeout(LIMIT),
        lock.upgradable_read(), lock.try_upgradable_read(), lock.upgradable_read_timeout(LIMIT),
    ] [
        lock.read_async(), lock.read_async_timeout(LIMIT),
        lock.write_async(), lock.write_async_timeout(LIMIT),
        lock.upgradable_read_async(), lock.upgradable_read_async_timeout(LIMIT),
    ]);
    says_where!(RLock::new(()), lock => [
        lock.lock(), lock.try_lock(), lock.lock_timeout(LIMIT),
    ] [
        lock.lock_async(), lock.lock_async_timeout(LIMIT),
    ]);
    says_where!(Semaphore::new(1), lock => [
        lock.acquire(), lock.try_acquire(), lock.acquire_timeout(LIMIT),
    ] [
        lock.acquire_async(), lock.acquire_async_timeout(LIMIT),
    ]);
    says_where!(BoundedSemaphore::new(1), lock => [
        lock.acquire(), lock.try_acquire(), lock.acquire_timeout(LIMIT),
    ] [
        lock.acquire_async(), lock.acquire_async_timeout(LIMIT),
    ]);
}

/// Holds at the first look.
fn once<T: ?Sized>() -> impl FnMut(&mut T) -> bool {
    let mut first = true;
    move |_| mem::take(&mut first)
}

fn of_every_wait_that_takes_a_lock_again() {
    let condvar = &Condvar::new();
    macro_rules! by_each_wait {
        ($of:expr, $lock:ident => $guard:expr) => {
            says_where!($of, $lock => [
                condvar.wait($guard), condvar.wait_timeout($guard, LIMIT),
                condvar.wait_while($guard, once()), condvar.wait_while_timeout($guard, once(), LIMIT),
            ] [
                condvar.wait_async($guard), condvar.wait_async_timeout($guard, LIMIT),
                condvar.wait_while_async($guard, once()), condvar.wait_while_async_timeout($guard, once(), LIMIT),
            ]);
        };
    }
    thread::scope(|scope| {
        // Dropped at the end, or by a panic.
        let (_goes_on, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            while ended.try_recv() == Err(TryRecvError::Empty) {
                condvar.notify_all();
                thread::yield_now();
            }
        });
        by_each_wait!(Mutex::new(()), lock => lock.lock());
        by_each_wait!(Arc::new(Mutex::new(())), lock => lock.lock_arc());
        by_each_wait!(PoisonMutex::new(()), lock => lock.lock().unwrap());
        by_each_wait!(Arc::new(PoisonMutex::new(())), lock => lock.lock_arc().unwrap());
        by_each_wait!(RwLock::new(()), lock => lock.read());
        by_each_wait!(RwLock::new(()), lock => lock.write());
        by_each_wait!(RwLock::new(()), lock => lock.upgradable_read());
        by_each_wait!(RLock::new(()), lock => lock.lock());
    });
}

fn says_both(report: &Report, who: [(&str, &str, &str); 2], places: Places, modes: [(Mode, Mode); 2]) {
    assert_eq!(report.cycle.len(), 2);
    let text = report.to_string();
    let dot = report.dot();
    for (((name, has, wants), [taken, asked]), (held_in, wanted_in)) in who.into_iter().zip(places).zip(modes)
    {
        let entry = report.cycle.iter().find(|entry| entry.context.contains(name)).expect("both are named");
        let held = entry.holds.as_ref().expect("it holds one");
        assert!(held.lock.contains(has) && entry.waits_for.contains(wants), "{report}");
        assert_eq!((place(held.at), place(entry.at)), (taken, asked), "{report}");
        assert_eq!((held.mode, entry.mode), (held_in, Some(wanted_in)), "{report}");
        let lines = format!("holds {} ({held_in}, taken at {})", held.lock, held.at);
        assert!(text.contains(&lines), "{report}");
        assert!(text.contains(&format!("waits for {} at {}", entry.waits_for, entry.at)), "{report}");
        // From the lock to who has it, and from him to the one that he waits for.
        let edge = |from: &str, to: &str, how: &str, at: &Location<'_>| {
            format!("  {from:?} -> {to:?} [label={:?}];\n", format!("{how}, {at}"))
        };
        assert!(dot.contains(&edge(&held.lock, &entry.context, "held", held.at)), "{dot}");
        assert!(dot.contains(&edge(&entry.context, &entry.waits_for, "waits", entry.at)), "{dot}");
    }
    is_a_graph(&dot);
    // What one waits for is what the other has, under the same name: the graph closes.
    let [one, other] = &report.cycle[..] else { unreachable!("there are two") };
    assert!(one.waits_for == other.holds.as_ref().unwrap().lock, "{report}");
    assert!(other.waits_for == one.holds.as_ref().unwrap().lock, "{report}");
}

#[track_caller]
fn is_a_graph(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let [first, inside @ .., last] = &lines[..] else { panic!("{text}") };
    assert!(first.starts_with("digraph ") && first.ends_with(" {") && *last == "}", "{text}");
    let is_statement = |line: &&str| line.starts_with("  \"") && line.ends_with("];");
    assert!(!inside.is_empty() && inside.iter().all(is_statement), "{text}");
}
