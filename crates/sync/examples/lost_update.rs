//! A counter that loses updates although nothing in it is unsafe, and three repairs.
//!
//! Rust refuses a plain number that two threads change. An atomic number compiles, and each of its steps is whole; but
//! *read, add one, write* are three steps, and what another thread writes between the first and the last is overwritten.
//!
//! `cargo run -p sync --example lost_update`

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use sync::{Barrier, Mutex, Queue};

const THREADS: u64 = 4;
const EACH: u64 = 1_000;
const ALL: u64 = THREADS * EACH;

fn main() {
    // Which updates are lost is a matter of luck, but not for long whether any is.
    let counted = (0..1_000).map(|_| read_then_write()).find(|counted| *counted < ALL);
    let counted = counted.expect("a thousand runs without a single collision");
    println!("read, then write:   {counted} of {ALL}: {} updates were lost", ALL - counted);

    for (repair, counted) in [
        ("a lock around both:", under_a_lock()),
        ("one atomic step:", in_one_step()),
        ("one owner:", by_its_owner()),
    ] {
        println!("{repair:<19} {counted} of {ALL}");
        assert_eq!(counted, ALL);
    }
}

/// Runs `add_one` as often as it takes, on all threads at once.
fn on_all_threads(add_one: impl Fn() + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).expect("a few"));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let started = thread::Builder::new().spawn_scoped(scope, || {
                start.wait().expect("nobody breaks it");
                (0..EACH).for_each(|_| add_one());
            });
            if let Err(why) = started {
                // Those before it wait for one that never comes, and the scope for them: so the program ends here.
                eprintln!("cannot start {THREADS} threads: {why}");
                process::exit(1);
            }
        }
    });
}

/// The mistake.
fn read_then_write() -> u64 {
    let counter = AtomicU64::new(0);
    on_all_threads(|| {
        // No ordering helps: the trouble is not when a step is seen but that there are two of them.
        let read = counter.load(Ordering::SeqCst);
        // Stands for the work of a real program; and where there is one CPU only, it lets the others come between.
        thread::yield_now();
        counter.store(read + 1, Ordering::SeqCst);
    });
    counter.into_inner()
}

/// First repair: nobody comes between, for the lock is held all along. Fits any kind of work.
fn under_a_lock() -> u64 {
    let counter = Mutex::new(0);
    on_all_threads(|| {
        let mut counter = counter.lock();
        let read = *counter;
        thread::yield_now();
        *counter = read + 1;
    });
    counter.into_inner()
}

/// Second repair: the three steps are one instruction of the CPU. Fits a number.
fn in_one_step() -> u64 {
    let counter = AtomicU64::new(0);
    on_all_threads(|| {
        // `Relaxed` is enough: nothing else is read or written by way of the counter, and the threads are joined.
        counter.fetch_add(1, Ordering::Relaxed);
        thread::yield_now();
    });
    counter.into_inner()
}

/// Third repair: one thread has the counter, and the others send it what is to be added. Fits whatever one thread can do.
fn by_its_owner() -> u64 {
    let additions = Queue::bounded(64);
    thread::scope(|scope| {
        let owner = scope.spawn(|| {
            let mut counter = 0;
            for more in &additions {
                let read = counter;
                thread::yield_now();
                counter = read + more;
            }
            counter
        });
        on_all_threads(|| additions.put(1).expect("nobody has closed it"));
        additions.close();
        owner.join().expect("the owner does not panic")
    })
}
