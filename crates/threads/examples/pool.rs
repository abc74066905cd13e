//! A pool by its main uses: maps, results as they come, cancelling, tasks that wait for tasks, and the end.
//!
//! `cargo run -p threads --example pool`

use std::sync::Arc;
use std::time::Duration;
use threads::sync::Event;
use threads::{Executor, JoinError, Pool, Shutdown, as_completed};

/// Trial division: work that keeps a processor busy.
fn is_prime(number: u64) -> bool {
    number > 1 && (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| number % divisor != 0)
}

/// Sorts by merging halves that other tasks of the same pool have sorted: each task waits for two more.
fn sort(pool: &Arc<Pool>, numbers: Vec<u64>) -> Result<Vec<u64>, JoinError> {
    if numbers.len() < 2 {
        return Ok(numbers);
    }
    let mut left = numbers;
    let right = left.split_off(left.len() / 2);
    let [left, right] = [left, right].map(|half| {
        let shared = Arc::clone(pool);
        pool.spawn(move || sort(&shared, half))
    });
    let mut merged = left.join()??;
    merged.extend(right.join()??);
    merged.sort_unstable();
    Ok(merged)
}

fn main() -> Result<(), JoinError> {
    let pool = Arc::new(Pool::builder().workers(2).name("example").build());

    // In order and lazily: the input has no end.
    let primes: Vec<u64> = pool
        .map(|number: u64| (number, is_prime(number)), 1_000_000..)
        .filter_map(|result| result.map(|(number, prime)| prime.then_some(number)).transpose())
        .take(3)
        .collect::<Result<_, _>>()?;
    assert_eq!(primes, [1_000_003, 1_000_033, 1_000_037]);

    // As they come, by name.
    let tasks = [("large", 112_272_535_095_293_u64), ("small", 97)]
        .map(|(name, number)| (name, pool.submit(is_prime, number)));
    for (name, prime) in as_completed(tasks) {
        println!("{name}: {}", if prime? { "prime" } else { "not prime" });
    }

    // What has not begun can be taken back.
    let gate = Arc::new(Event::new());
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let gate = Arc::clone(&gate);
            pool.spawn(move || {
                while !gate.is_set() {
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    let unwanted = pool.spawn(|| println!("nobody reads this"));
    unwanted.cancel();
    assert!(unwanted.join().is_err_and(|error| error.is_cancelled()));
    gate.set();
    busy.into_iter().try_for_each(threads::Task::join)?;

    // Tasks may wait for tasks, however few workers there are.
    let sorted = sort(&pool, vec![5, 3, 8, 1, 9, 2, 7])?;
    assert_eq!(sorted, [1, 2, 3, 5, 7, 8, 9]);

    // The end, waited for as long as one likes.
    match pool.shutdown_timeout(Shutdown::Finish, Duration::from_secs(10)) {
        Ok(()) => println!("all done, {} threads left", pool.threads()),
        Err(late) => println!("still at it: {late}"),
    }
    Ok(())
}
