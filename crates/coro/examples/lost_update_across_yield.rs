//! Two coroutines on one thread that lose updates, and two repairs.
//!
//! A coroutine is interrupted nowhere but where it yields, so it is said to need no lock. But it may yield anywhere, in a
//! function that it calls as well, and what it read before is old afterwards. A lock is not the first repair here: whoever finds
//! it taken would block the one thread on which its owner is to go on, unless a scheduler parks the coroutine instead.
//!
//! `cargo run -p coro --example lost_update_across_yield`

use coro::{Generator, Yielder};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const EACH: u32 = 100;

type Counter = Rc<Cell<u32>>;

fn main() {
    let lost = both(|counter, y| {
        let read = counter.get();
        work(y);
        counter.set(read + 1);
    });
    println!("read, yield, write: {lost} of {}: each step of one undid a step of the other", 2 * EACH);
    // No luck is needed here: the two take turns at every yield.
    assert_eq!(lost, EACH);

    let close = both(|counter, y| {
        work(y);
        counter.set(counter.get() + 1);
    });
    println!("yield, then both:   {close}");
    assert_eq!(close, 2 * EACH);

    // A borrow says that a change is under way; whoever finds it yields until it is over.
    let whole = Rc::new(RefCell::new(0));
    let shared = Rc::clone(&whole);
    both(move |_, y| {
        let mut counter = loop {
            match shared.try_borrow_mut() {
                Ok(counter) => break counter,
                Err(_) => y.yield_(()),
            }
        };
        let read = *counter;
        work(y);
        *counter = read + 1;
    });
    println!("one at a time:      {}", whole.borrow());
    assert_eq!(*whole.borrow(), 2 * EACH);
}

/// Two coroutines that take turns, each adding one as often as it says.
fn both(add_one: impl Fn(&Counter, &Yielder<(), ()>) + Clone + 'static) -> u32 {
    let counter = Counter::default();
    let mut coroutines: Vec<Generator<()>> = (0..2)
        .map(|_| {
            let (counter, add_one) = (Rc::clone(&counter), add_one.clone());
            Generator::new(move |y| (0..EACH).for_each(|_| add_one(&counter, y)))
        })
        .collect();
    // Each round resumes every coroutine that has not ended.
    while !coroutines.is_empty() {
        coroutines.retain_mut(|coroutine| coroutine.next().is_some());
    }
    counter.get()
}

/// A function somewhere below, which nobody would suspect.
fn work(y: &Yielder<(), ()>) {
    y.yield_(());
}
