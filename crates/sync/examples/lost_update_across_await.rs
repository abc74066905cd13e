//! Two tasks on one thread that lose updates, and three repairs.
//!
//! It is said that tasks on one thread need no lock. They need none *between* two `.await`s, where nobody else runs. At an
//! `.await` the others do, and what was read before is old afterwards. No atomic would help: there is one thread.
//!
//! The same with coroutines that yield: `cargo run -p coro --example lost_update_across_yield`. With threads:
//! `cargo run -p sync --example lost_update`.
//!
//! `cargo run -p sync --example lost_update_across_await`

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use sync::{Mutex, Queue, park};

const EACH: u32 = 100;

fn main() {
    let lost = Cell::new(0);
    both(|| read_await_write(&lost));
    println!(
        "read, await, write: {} of {}: each step of one undid a step of the other",
        lost.get(),
        2 * EACH
    );
    // No luck is needed here: the two take turns at every `.await`.
    assert_eq!(lost.get(), EACH);

    let close = Cell::new(0);
    both(|| await_read_write(&close));
    println!("await, then both:   {}", close.get());
    assert_eq!(close.get(), 2 * EACH);

    let locked = Mutex::new(0);
    both(|| under_a_lock(&locked));
    println!("under a lock:       {}", locked.lock());
    assert_eq!(locked.into_inner(), 2 * EACH);

    let owned = by_its_owner();
    println!("by its owner:       {owned}");
    assert_eq!(owned, 2 * EACH);
}

/// The mistake.
async fn read_await_write(counter: &Cell<u32>) {
    for _ in 0..EACH {
        let read = counter.get();
        something_else().await;
        counter.set(read + 1);
    }
}

/// First repair: no `.await` between reading and writing.
async fn await_read_write(counter: &Cell<u32>) {
    for _ in 0..EACH {
        something_else().await;
        counter.set(counter.get() + 1);
    }
}

/// Second repair: a lock that may be held across an `.await`. (A guard of std's held there would stop the whole thread, for
/// the other task blocks it, and nobody is left to release the lock.)
async fn under_a_lock(counter: &Mutex<u32>) {
    for _ in 0..EACH {
        let mut counter = counter.lock_async().await;
        let read = *counter;
        something_else().await;
        *counter = read + 1;
    }
}

/// Third repair: one task has the counter, and the others send it what is to be added.
fn by_its_owner() -> u32 {
    let additions = Queue::bounded(1);
    let counter = Cell::new(0);
    let owner = async {
        for _ in 0..2 * EACH {
            let more = additions.get_async().await.expect("nobody closes it");
            let read = counter.get();
            something_else().await;
            counter.set(read + more);
        }
    };
    let sender = || async {
        for _ in 0..EACH {
            additions.put_async(1).await.expect("nobody closes it");
        }
    };
    park::block_on(join(owner, join(sender(), sender())));
    counter.get()
}

/// Two tasks on this thread, until both have ended.
fn both<F: Future<Output = ()>>(task: impl Fn() -> F) {
    park::block_on(join(task(), task()));
}

/// Polls both until both have ended, as any runtime's `join` does.
async fn join(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut done = [false; 2];
    poll_fn(move |cx| {
        done[0] = done[0] || first.as_mut().poll(cx).is_ready();
        done[1] = done[1] || second.as_mut().poll(cx).is_ready();
        if done == [true; 2] { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Lets the other task go on: what a read from a socket does in a real program.
async fn something_else() {
    let mut asked = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
