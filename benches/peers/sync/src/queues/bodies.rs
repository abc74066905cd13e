//! The loops around a channel's ends.

use std::time::{Duration, Instant};

use async_executor::LocalExecutor;
use futures_lite::future::block_on;
use peers_kit::{Job, together};

use super::{Done, Item, Run};

/// Threads send to threads: each producer and each consumer has an even share of the items.
///
/// # Errors
/// If an item is lost, comes twice or, with one of each, comes out of turn.
pub fn threads<T: Item>(
    run: &Run<'_>,
    senders: Vec<impl FnMut(T) + Send>,
    receivers: Vec<impl FnMut() -> T + Send>,
) -> Result<Done, String> {
    let ordered = senders.len() == 1 && receivers.len() == 1;
    let mut worst = vec![Duration::ZERO; senders.len()];
    let mut found = vec![Received::default(); receivers.len()];
    let share = run.count / receivers.len() as u64;
    let mut jobs = producers(run, senders, &mut worst);
    for (mut receive, found) in receivers.into_iter().zip(&mut found) {
        jobs.push(Box::new(move || {
            let mut received = Received::default();
            for _ in 0..share {
                received.add(receive().number());
            }
            *found = received;
        }));
    }
    let took = together(run.place, jobs);
    check(run.count, &found, ordered)?;
    Ok(Done { took, worst_send: worst.into_iter().max().unwrap_or_default() })
}

/// Threads send to tasks, which share one thread.
///
/// # Errors
/// As [`threads`].
pub fn threads_to_tasks<T: Item>(
    run: &Run<'_>,
    senders: Vec<impl FnMut(T) + Send>,
    receivers: Vec<impl AsyncFnMut() -> T + Send>,
) -> Result<Done, String> {
    let ordered = senders.len() == 1 && receivers.len() == 1;
    let mut worst = vec![Duration::ZERO; senders.len()];
    let mut found = Vec::new();
    let mut jobs = producers(run, senders, &mut worst);
    let all = &mut found;
    jobs.push(Box::new(move || {
        let executor = LocalExecutor::new();
        let share = run.count / receivers.len() as u64;
        let tasks: Vec<_> =
            receivers.into_iter().map(|receive| executor.spawn(receive_all(receive, share))).collect();
        block_on(executor.run(async {
            for task in tasks {
                all.push(task.await);
            }
        }));
    }));
    let took = together(run.place, jobs);
    check(run.count, &found, ordered)?;
    Ok(Done { took, worst_send: worst.into_iter().max().unwrap_or_default() })
}

/// Tasks send to tasks, all in this thread.
///
/// # Errors
/// As [`threads`].
pub fn tasks<T: Item>(
    run: &Run<'_>,
    senders: Vec<impl AsyncFnMut(T)>,
    receivers: Vec<impl AsyncFnMut() -> T>,
) -> Result<Done, String> {
    let ordered = senders.len() == 1 && receivers.len() == 1;
    let (executor, mut found) = (LocalExecutor::new(), Vec::new());
    let (sent, share) = (run.count / senders.len() as u64, run.count / receivers.len() as u64);
    let start = Instant::now();
    let producers: Vec<_> = (0..)
        .step_by(sent as usize)
        .zip(senders)
        .map(|(first, send)| executor.spawn(send_all(send, first..first + sent, run.watched)))
        .collect();
    let consumers: Vec<_> =
        receivers.into_iter().map(|receive| executor.spawn(receive_all(receive, share))).collect();
    let worst_send = block_on(executor.run(async {
        let mut worst = Duration::ZERO;
        for task in producers {
            worst = worst.max(task.await);
        }
        for task in consumers {
            found.push(task.await);
        }
        worst
    }));
    let took = start.elapsed();
    check(run.count, &found, ordered)?;
    Ok(Done { took, worst_send })
}

/// The jobs of threads that send.
fn producers<'a, T: Item>(
    run: &Run<'_>,
    senders: Vec<impl FnMut(T) + Send + 'a>,
    worst: &'a mut [Duration],
) -> Vec<Job<'a>> {
    let (share, watched) = (run.count / senders.len() as u64, run.watched);
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for ((first, mut send), worst) in (0..).step_by(share as usize).zip(senders).zip(worst) {
        jobs.push(Box::new(move || {
            let numbers = first..first + share;
            if !watched {
                return numbers.for_each(|number| send(T::of(number)));
            }
            for number in numbers {
                let start = Instant::now();
                send(T::of(number));
                *worst = (*worst).max(start.elapsed());
            }
        }));
    }
    jobs
}

async fn send_all<T: Item>(
    mut send: impl AsyncFnMut(T),
    numbers: std::ops::Range<u64>,
    watched: bool,
) -> Duration {
    let mut worst = Duration::ZERO;
    for number in numbers {
        if watched {
            let start = Instant::now();
            send(T::of(number)).await;
            worst = worst.max(start.elapsed());
        } else {
            send(T::of(number)).await;
        }
    }
    worst
}

async fn receive_all<T: Item>(mut receive: impl AsyncFnMut() -> T, count: u64) -> Received {
    let mut received = Received::default();
    for _ in 0..count {
        received.add(receive().await.number());
    }
    received
}

/// What one consumer got.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    sum: u64,
    /// Of the squares, so that one item more and another less do not cancel out.
    squares: u64,
    next: u64,
    out_of_turn: u64,
}

impl Received {
    #[inline]
    fn add(&mut self, number: u64) {
        self.sum = self.sum.wrapping_add(number);
        self.squares = self.squares.wrapping_add(number.wrapping_mul(number));
        self.out_of_turn += u64::from(number < self.next);
        self.next = number + 1;
    }
}

/// Whether the items 0 to `count` came, each once.
fn check(count: u64, found: &[Received], ordered: bool) -> Result<(), String> {
    let total = |part: fn(&Received) -> u64| found.iter().map(part).fold(0, u64::wrapping_add);
    let n = u128::from(count);
    // The low 64 bits of both sums are what wrapping additions come to.
    let (sum, squares) = (n * (n.max(1) - 1) / 2, n * (n.max(1) - 1) * (2 * n).saturating_sub(1) / 6);
    if (total(|it| it.sum), total(|it| it.squares)) != (sum as u64, squares as u64) {
        return Err(format!("the sum of {count} items is wrong: one was lost, came twice or was torn"));
    }
    match total(|it| it.out_of_turn) {
        late @ 1.. if ordered => Err(format!("{late} of {count} items came out of turn")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(numbers: &[u64]) -> Received {
        let mut received = Received::default();
        numbers.iter().for_each(|&number| received.add(number));
        received
    }

    #[test]
    fn lost_doubled_and_late_items_are_found() {
        assert_eq!(check(4, &[received(&[0, 1, 2, 3])], true), Ok(()));
        assert_eq!(check(4, &[received(&[1, 3]), received(&[2, 0])], false), Ok(()));
        assert!(check(4, &[received(&[0, 1, 2])], true).is_err_and(|why| why.contains("lost")));
        // The sum alone would be right.
        assert!(check(4, &[received(&[0, 0, 3, 3])], false).is_err_and(|why| why.contains("twice")));
        assert!(check(4, &[received(&[0, 2, 1, 3])], true).is_err_and(|why| why.contains("out of turn")));
        let torn = [7, 0, 0, 0, 0, 0, 0, 3].number();
        assert!(check(1, &[received(&[torn])], true).is_err());
    }
}
