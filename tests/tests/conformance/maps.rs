//! A function over many items.

use super::gate::{Gate, arrive, wait_at};
use super::subjects::{Subject, skip};
use executor::Shutdown;
use std::cell::Cell;
use std::path::PathBuf;

fn square(number: u64) -> u64 {
    number * number
}

pub(crate) fn a_map_keeps_the_order_of_its_items<S: Subject>() {
    let pool = S::start_two();
    assert!(pool.map(square, []).next().is_none());
    let squares: Vec<u64> = pool.map(square, 0..100).collect::<Result<_, _>>().unwrap();
    assert!(squares.into_iter().eq((0..100).map(square)));
    // The slow one first.
    let naps: Vec<u64> = pool
        .map(
            |millis: u64| {
                std::thread::sleep(std::time::Duration::from_millis(millis));
                millis
            },
            [10, 0, 5, 0],
        )
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(naps, [10, 0, 5, 0]);
}

pub(crate) fn a_map_takes_no_more_items_than_its_window<S: Subject>() {
    let pool = S::start_two();
    let taken = Cell::new(0);
    let items = (0..100_u64).inspect(|_| taken.set(taken.get() + 1));
    let mut map = pool.map(square, items).window(3);
    assert_eq!(taken.get(), 0, "nothing is taken before the first result is asked for");
    for number in 0..10 {
        assert_eq!(map.next().expect("a hundred items").unwrap(), square(number));
        assert_eq!(taken.get(), number + 3);
    }
    drop(map);

    taken.set(0);
    let items = (0..100_u64).inspect(|_| taken.set(taken.get() + 1));
    let mut map = pool.map_unordered(square, items).window(3);
    assert_eq!(taken.get(), 0, "nothing is taken before the first result is asked for");
    for yielded in 0..10 {
        assert!(map.next().expect("a hundred items").1.is_ok());
        assert_eq!(taken.get(), yielded + 3);
    }
}

pub(crate) fn an_endless_input_works<S: Subject>() {
    let pool = S::start_two();
    let first: Vec<u64> = pool.map(square, 0..).take(20).collect::<Result<_, _>>().unwrap();
    assert!(first.into_iter().eq((0..20).map(square)));
    assert_eq!(pool.map_unordered(square, 0..).take(20).filter(|(_, result)| result.is_ok()).count(), 20);
    // The pool is as good as before.
    assert_eq!(pool.submit(square, 3).join().unwrap(), 9);
}

pub(crate) fn a_failed_item_is_an_error_in_its_place<S: Subject>() {
    let pool = S::start_two();
    let picky = |number: u64| if number == 3 { panic!("not three") } else { number };
    let outcomes: Vec<Option<u64>> = pool.map(picky, 0..6).map(Result::ok).collect();
    assert_eq!(outcomes, [Some(0), Some(1), Some(2), None, Some(4), Some(5)]);
}

pub(crate) fn an_unordered_map_yields_what_is_there_with_its_index<S: Subject>() {
    let pool = S::start_two();
    let mut all: Vec<(usize, u64)> =
        pool.map_unordered(square, 0..50).map(|(index, result)| (index, result.unwrap())).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq((0..50).map(|index| (index, square(index as u64)))));

    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    // The first item waits, and the others come past it.
    let gate = Gate::closed();
    let items = (0..4_u32).map(|number| (number, gate.path()));
    let mut map = pool.map_unordered(first_waits, items).window(4);
    let mut early: Vec<_> = map.by_ref().take(3).map(|(index, result)| (index, result.unwrap())).collect();
    early.sort_unstable();
    assert_eq!(early, [(1, 1), (2, 2), (3, 3)]);
    gate.open();
    let (index, last) = map.next().expect("four items");
    assert_eq!((index, last.unwrap()), (0, 0));
    assert!(map.next().is_none());
}

fn first_waits((number, gate): (u32, PathBuf)) -> u32 {
    if number == 0 {
        wait_at(gate);
    }
    number
}

pub(crate) fn dropping_a_map_takes_back_what_has_not_begun<S: Subject>() {
    if !S::is_concurrent() {
        return skip::<S>("a task has ended when it is submitted");
    }
    let (pool, busy, gate) = (S::start_two(), Gate::closed(), Gate::closed());
    if !pool.can().cancels {
        return skip::<S>("tasks cannot be taken back");
    }
    // One worker is kept busy; the other gives the first item and then waits at the second.
    let other = pool.submit(wait_at, busy.path());
    busy.wait_for_arrivals(1);
    let items = (0..10_u32).map(|number| (number, gate.path()));
    let mut map = pool.map(all_but_first_wait, items).window(6);
    assert_eq!(map.next().expect("ten items").unwrap(), 0);
    drop(map);
    gate.open();
    busy.open();
    // Only that it has ended matters.
    drop(other.join());
    pool.shutdown(Shutdown::Finish);
    assert!(gate.arrivals() <= 1, "{} have begun", gate.arrivals());
}

fn all_but_first_wait((number, gate): (u32, PathBuf)) -> u32 {
    if number > 0 {
        wait_at(gate);
    }
    number
}

/// A task that tells that it has run.
#[expect(clippy::needless_pass_by_value, reason = "a task owns its argument")]
pub(super) fn leave_a_mark(place: PathBuf) -> u32 {
    arrive(&place);
    1
}
