//! Two buffers go round between who fills and who empties, several workers begin together, and somebody waits for the last.
//!
//! ```console
//! $ cargo run -p sync --example rare_signals
//! ```

use std::error::Error;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use sync::extra::{Exchanger, Latch, Lazy, WaitGroup};

/// Made by whichever thread needs it first.
static SQUARES: Lazy<Vec<u64>> = Lazy::new(|| (0..ITEMS).map(|number| number * number).collect());

const ITEMS: u64 = 1000;
const FULL: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let double_buffered = double_buffered();
    println!("through two buffers that change hands: {double_buffered} in all");
    assert_eq!(double_buffered, (0..ITEMS).map(|number| number * number).sum::<u64>());

    let (early, late) = begin_together(4);
    println!("of 4 workers, {early} began before all were ready, and {late} after");
    assert_eq!((early, late), (0, 4));

    let crawled = crawl(40);
    println!("crawled {} pages, the last one {:?}", crawled.len(), crawled.last());
    assert_eq!(crawled, (1..=40).collect::<Vec<_>>());
    Ok(())
}

/// Two threads and two buffers: a full one is swapped for an empty one, and nothing is copied or allocated on the way.
fn double_buffered() -> u64 {
    let exchanger = Exchanger::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = Vec::with_capacity(FULL);
            for square in SQUARES.iter().copied() {
                buffer.push(square);
                if buffer.len() == FULL {
                    buffer = exchanger.exchange(buffer);
                    assert!(buffer.is_empty() && buffer.capacity() >= FULL, "an empty one comes back");
                }
            }
            // What is left, and then nothing, which says that it is over.
            let empty = if buffer.is_empty() { buffer } else { exchanger.exchange(buffer) };
            exchanger.exchange(empty);
        });
        let (mut sum, mut buffer) = (0, Vec::with_capacity(FULL));
        loop {
            buffer = exchanger.exchange(buffer);
            if buffer.is_empty() {
                return sum;
            }
            sum += buffer.drain(..).sum::<u64>();
        }
    })
}

/// Nobody begins before everybody is ready. Says how many began too early, and how many in time.
fn begin_together(workers: usize) -> (u64, u64) {
    let (ready, is_ready) = (Latch::new(workers), AtomicU64::new(0));
    let began = [const { AtomicU64::new(0) }; 2];
    thread::scope(|scope| {
        for _ in 0..workers {
            let started = thread::Builder::new().spawn_scoped(scope, || {
                is_ready.fetch_add(1, Ordering::Relaxed);
                ready.arrive_and_wait();
                let in_time = is_ready.load(Ordering::Relaxed) == workers as u64;
                began[usize::from(in_time)].fetch_add(1, Ordering::Relaxed);
            });
            if let Err(why) = started {
                // Those before it wait for one that never comes, and the scope for them: so the program ends here.
                eprintln!("cannot start {workers} threads: {why}");
                process::exit(1);
            }
        }
    });
    let [early, in_time] = began.map(AtomicU64::into_inner);
    (early, in_time)
}

/// Each page leads to two more, and nobody knows beforehand how many there are: so a group is waited for, and not a number.
fn crawl(last: u32) -> Vec<u32> {
    let (pages, found) = (WaitGroup::new(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        visit(scope, 1, last, (&pages, pages.enter()), &found);
        pages.wait();
        // Every page has been noted, although some of the threads may still be going away.
        let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        found.sort_unstable();
        found
    })
}

fn visit<'scope, 'env>(
    scope: &'scope thread::Scope<'scope, 'env>,
    page: u32,
    last: u32,
    (pages, member): (&'env WaitGroup, sync::extra::Member<&'env WaitGroup>),
    found: &'env Mutex<Vec<u32>>,
) {
    for next in [2 * page, 2 * page + 1] {
        if next <= last {
            // It enters here, before this one leaves, so that the group is never idle in between.
            let member = pages.enter();
            scope.spawn(move || visit(scope, next, last, (pages, member), found));
        }
    }
    found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(page);
    drop(member);
}
