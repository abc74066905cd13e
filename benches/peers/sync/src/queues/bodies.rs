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
            *found = match ordered {
                true => {
                    (0..share).fold(Received::default(), |got, due| got.with_due(receive().number(), due))
                }
                false => (0..share).fold(Received::default(), |got, _| got.with(receive().number())),
            };
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
        let tasks: Vec<_> = receivers
            .into_iter()
            .map(|receive| executor.spawn(receive_all(receive, share, ordered)))
            .collect();
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
        receivers.into_iter().map(|receive| executor.spawn(receive_all(receive, share, ordered))).collect();
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
            // In a variable of this thread: the next one's lies beside it.
            let mut longest = Duration::ZERO;
            for number in numbers {
                let start = Instant::now();
                send(T::of(number));
                longest = longest.max(start.elapsed());
            }
            *worst = longest;
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

async fn receive_all<T: Item>(mut receive: impl AsyncFnMut() -> T, count: u64, ordered: bool) -> Received {
    let mut received = Received::default();
    for due in 0..count {
        let number = receive().await.number();
        received = if ordered { received.with_due(number, due) } else { received.with(number) };
    }
    received
}

/// What one consumer got. Little is done for each item, or it would be most of what a fast ring is measured by.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    /// With one of each: how many items were others than those whose turn it was.
    out_of_turn: u64,
    /// With more: the sum of the numbers, and that of their squares, so that one item that comes twice cannot make up for
    /// another that was lost.
    sum: u64,
    squares: u64,
}

impl Received {
    #[inline]
    fn with_due(self, number: u64, due: u64) -> Self {
        Self { out_of_turn: self.out_of_turn + u64::from(number != due), ..self }
    }

    #[inline]
    fn with(self, number: u64) -> Self {
        let squares = self.squares.wrapping_add(number.wrapping_mul(number));
        Self { sum: self.sum.wrapping_add(number), squares, ..self }
    }
}

/// Whether the items 0 to `count` came, each once.
fn check(count: u64, found: &[Received], ordered: bool) -> Result<(), String> {
    let total = |part: fn(&Received) -> u64| found.iter().map(part).fold(0, u64::wrapping_add);
    if ordered {
        return match total(|it| it.out_of_turn) {
            0 => Ok(()),
            wrong => Err(format!("{wrong} of {count} items were lost, torn, came twice or out of turn")),
        };
    }
    let n = u128::from(count);
    let (sum, squares) =
        (n * n.saturating_sub(1) / 2, n * n.saturating_sub(1) * (2 * n).saturating_sub(1) / 6);
    // The low 64 bits of both are what wrapping additions come to.
    match (total(|it| it.sum), total(|it| it.squares)) == (sum as u64, squares as u64) {
        true => Ok(()),
        false => Err(format!("the sum of {count} items is wrong: one was lost, torn or came twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(numbers: &[u64]) -> Received {
        numbers.iter().fold(Received::default(), |got, &number| got.with(number))
    }

    fn in_turn(numbers: &[u64]) -> Result<(), String> {
        let found =
            (0..).zip(numbers).fold(Received::default(), |got, (due, &number)| got.with_due(number, due));
        check(numbers.len() as u64, &[found], true)
    }

    #[test]
    fn lost_doubled_torn_and_late_items_are_found() {
        assert_eq!(in_turn(&[0, 1, 2, 3]), Ok(()));
        assert!(in_turn(&[0, 2, 1, 3]).is_err_and(|why| why.starts_with("2 of 4 items")));
        assert_eq!(check(4, &[any(&[1, 3]), any(&[2, 0])], false), Ok(()));
        assert!(check(4, &[any(&[0, 1]), any(&[2])], false).is_err_and(|why| why.contains("lost")));
        // The sum alone would be right.
        assert!(check(4, &[any(&[0, 0, 3, 3])], false).is_err_and(|why| why.contains("twice")));
        let torn = [7, 0, 0, 0, 0, 0, 0, 3].number();
        assert!(in_turn(&[torn]).is_err() && check(1, &[any(&[torn])], false).is_err());
    }
}
