//! Results of a map: their order, and how far it looks ahead.

#[path = "common/inline.rs"]
mod inline;
#[path = "common/threads.rs"]
mod threads;

use executor::sync::{CancelToken, cancel::OnCancel, promise_cancelling};
use executor::{Executor, JoinError, Task};
use inline::Inline;
use proptest::prelude::*;
use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use threads::Threads;

fn work(number: u32) -> u32 {
    assert!(number % 7 != 0, "seven");
    number.wrapping_mul(3)
}

/// What `map` gives, in terms of the plain iterator.
fn expected(items: &[u32]) -> Vec<Option<u32>> {
    items.iter().map(|number| (number % 7 != 0).then(|| number.wrapping_mul(3))).collect()
}

fn plain(result: Result<u32, JoinError>) -> Option<u32> {
    match result {
        Ok(number) => Some(number),
        Err(error) => {
            assert_eq!(error.panic().expect("a panic").message(), "seven");
            None
        }
    }
}

fn check(pool: &impl Executor, items: &[u32], window: usize) -> Result<(), TestCaseError> {
    let ordered: Vec<_> = pool.map(work, items.to_vec()).window(window).map(plain).collect();
    prop_assert_eq!(&ordered, &expected(items));

    let unordered: Vec<_> = pool
        .map_unordered(work, items.to_vec())
        .window(window)
        .map(|(index, result)| (index, plain(result)))
        .collect();
    prop_assert_eq!(unordered.len(), items.len());
    let by_index: BTreeMap<_, _> = unordered.into_iter().collect();
    prop_assert_eq!(by_index.into_values().collect::<Vec<_>>(), expected(items));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn gives_what_the_plain_iterator_gives(items in prop::collection::vec(any::<u32>(), 0..40), window in 0_usize..9) {
        check(&Inline::default(), &items, window)?;
    }

    #[test]
    fn gives_it_on_threads_too(items in prop::collection::vec(any::<u32>(), 0..12), window in 0_usize..5) {
        check(&Threads::default(), &items, window)?;
    }

    #[test]
    fn takes_as_many_items_as_its_window_has_room_for(window in 1_usize..9, asked in 1_usize..20) {
        let taken = Cell::new(0);
        let items = (0..).inspect(|_| taken.set(taken.get() + 1));
        let pool = Inline::default();
        let mut map = pool.map(|number: u32| number, items).window(window);
        prop_assert_eq!(taken.get(), 0);
        for number in 0..asked {
            prop_assert_eq!(map.next().expect("an endless input").ok(), u32::try_from(number).ok());
            prop_assert_eq!(taken.get(), number + window);
        }
    }
}

#[test]
fn the_hint_of_the_size_is_true_all_the_way() {
    let pool = Inline::default();
    let mut ordered = pool.map(|number: u32| number, 0..10).window(4);
    let mut unordered = pool.map_unordered(|number: u32| number, 0..10).window(4);
    for left in (0..10).rev() {
        ordered.next().expect("one for each item").expect("no panic");
        unordered.next().expect("one for each item").1.expect("no panic");
        assert_eq!(ordered.size_hint(), (left, Some(left)));
        assert_eq!(unordered.size_hint(), (left, Some(left)));
    }
    assert!(ordered.next().is_none() && ordered.next().is_none());
    assert!(unordered.next().is_none() && unordered.next().is_none());
}

#[test]
fn an_input_that_has_ended_is_not_asked_again() {
    let mut asked = 0;
    let stutters = std::iter::from_fn(|| {
        asked += 1;
        assert!(asked <= 3, "it was asked after it had said that there is no more");
        (asked < 3).then_some(asked)
    });
    let pool = Inline::default();
    assert_eq!(pool.map(|number: u32| number, stutters).map(plain).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn dropping_it_cancels_what_it_has_not_yielded() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let pool = Queued::default();
    let mut map = pool.map(|number: u32| BEGUN.fetch_add(1, Ordering::SeqCst) as u32 + number, 0..).window(5);
    assert!(map.next().expect("an endless input").is_ok());
    drop(map);
    pool.run_all();
    assert_eq!(BEGUN.load(Ordering::SeqCst), 1);

    static BEGUN_UNORDERED: AtomicUsize = AtomicUsize::new(0);
    let work = |number: u32| BEGUN_UNORDERED.fetch_add(1, Ordering::SeqCst) as u32 + number;
    let mut map = pool.map_unordered(work, 0..).window(5);
    let (first, result) = map.next().expect("an endless input");
    assert_eq!((first, result.ok()), (0, Some(0)));
    drop(map);
    pool.run_all();
    assert_eq!(BEGUN_UNORDERED.load(Ordering::SeqCst), 1);
}

#[test]
fn dropping_it_stops_what_runs_only_when_nothing_is_left_to_begin_in_its_place() {
    let pool = Stopping::default();
    let mut map = pool.map(|number: u32| number, 0..).window(6);
    assert!(map.by_ref().take(Stopping::QUICK).all(|result| result.is_ok()));
    assert_eq!(pool.begun(), [0, 1, 2], "the last of them runs");
    drop(map);
    assert_eq!(pool.begun(), [0, 1, 2]);

    let pool = Stopping::default();
    let mut map = pool.map_unordered(|number: u32| number, 0..).window(6);
    assert!(map.by_ref().take(Stopping::QUICK).all(|(_, result)| result.is_ok()));
    assert_eq!(pool.begun(), [0, 1, 2], "the last of them runs");
    drop(map);
    assert_eq!(pool.begun(), [0, 1, 2]);
}

/// Has one seat, and can stop who sits there: then the next one begins at once. The first tasks end by themselves, the
/// others never.
#[derive(Default)]
struct Stopping {
    seats: Arc<Mutex<Seats>>,
}

#[derive(Default)]
struct Seats {
    begun: Vec<usize>,
    submitted: usize,
    running: Option<(usize, Unfinished)>,
    queue: BTreeMap<usize, Unfinished>,
}

/// A promise, which ends its task when it is dropped, and what is done when the task is cancelled.
type Unfinished = (Box<dyn Any + Send>, OnCancel);

impl Stopping {
    const QUICK: usize = 2;

    fn begun(&self) -> Vec<usize> {
        self.seats.lock().unwrap().begun.clone()
    }
}

impl Seats {
    /// Takes a task out, and lets another one begin if there is a seat.
    fn cancel(&mut self, number: usize) -> Option<Unfinished> {
        let stopped = self.running.take_if(|(running, _)| *running == number).map(|(_, task)| task);
        let taken = stopped.or_else(|| self.queue.remove(&number));
        self.fill();
        taken
    }

    fn fill(&mut self) {
        if self.running.is_none() {
            self.running = self.queue.pop_first();
            self.begun.extend(self.running.as_ref().map(|(number, _)| *number));
        }
    }
}

impl Executor for Stopping {
    fn can(&self) -> executor::Abilities {
        executor::Abilities { isolates: false, kills: true, cancels: true, captures: false }
    }

    fn workers(&self) -> usize {
        1
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: executor::Argument,
        R: executor::Argument,
    {
        let token = CancelToken::new();
        let (promise, task) = promise_cancelling(token.clone());
        let mut seats = self.seats.lock().unwrap();
        let number = seats.submitted;
        seats.submitted += 1;
        if number < Self::QUICK {
            seats.begun.push(number);
            promise.run(|| f(argument));
            return task;
        }
        let all = Arc::clone(&self.seats);
        let on_cancel = token.on_cancel(move || {
            let taken = all.lock().unwrap().cancel(number);
            drop(taken);
        });
        seats.queue.insert(number, (Box::new(promise), on_cancel));
        seats.fill();
        task
    }

    fn shut_down_until(
        &self,
        _: executor::Shutdown,
        _: Option<std::time::Instant>,
    ) -> Result<(), executor::TimedOut> {
        unreachable!("the tests do not shut it down")
    }
}

/// Runs the first task of five at once, and keeps the others until it is told to run them.
#[derive(Default)]
struct Queued {
    ledger: executor::Ledger,
    count: AtomicUsize,
    jobs: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Queued {
    fn run_all(&self) {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap());
        assert_eq!(jobs.len(), 4);
        jobs.into_iter().for_each(|job| job());
        self.count.store(0, Ordering::SeqCst);
    }
}

impl Executor for Queued {
    fn can(&self) -> executor::Abilities {
        executor::Abilities { isolates: false, kills: false, cancels: true, captures: false }
    }

    fn workers(&self) -> usize {
        1
    }

    fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: executor::Argument,
        R: executor::Argument,
    {
        let (task, job) = self.ledger.admit(move || f(argument));
        let job = job.expect("the pool was not shut down");
        if self.count.fetch_add(1, Ordering::SeqCst) == 0 {
            job();
        } else {
            self.jobs.lock().unwrap().push(Box::new(job));
        }
        task
    }

    fn shut_down_until(
        &self,
        how: executor::Shutdown,
        deadline: Option<std::time::Instant>,
    ) -> Result<(), executor::TimedOut> {
        self.ledger.close(how);
        self.ledger.wait_until(deadline)
    }
}
