//! Threads that start together, and the time from the first start to the last end.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::cpus::Place;

/// What one thread of a sample does.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs each job on a thread of its own, all let go at once, and says how long they took: from the first start to the
/// last end. A job that panics makes this panic when all have ended.
///
/// # Panics
/// If a job does.
#[must_use]
pub fn together(place: &Place, jobs: Vec<Job<'_>>) -> Duration {
    let gate = &Barrier::new(jobs.len());
    thread::scope(|scope| {
        let threads: Vec<_> = jobs
            .into_iter()
            .enumerate()
            .map(|(index, job)| {
                scope.spawn(move || {
                    place.settle(index);
                    gate.wait();
                    let start = Instant::now();
                    job();
                    (start, Instant::now())
                })
            })
            .collect();
        let times: Vec<(Instant, Instant)> =
            threads.into_iter().map(|thread| thread.join().expect("a job of a sample panicked")).collect();
        let first = times.iter().map(|(start, _)| *start).min();
        let last = times.iter().map(|(_, end)| *end).max();
        first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn the_time_covers_all_jobs() {
        let done = &AtomicU32::new(0);
        let job = |ms: u64| {
            Box::new(move || {
                thread::sleep(Duration::from_millis(ms));
                done.fetch_add(1, Ordering::Relaxed);
            }) as Job<'_>
        };
        let took = together(&Place::free(), vec![job(1), job(20), job(5)]);
        assert_eq!(done.load(Ordering::Relaxed), 3);
        assert!(took >= Duration::from_millis(20), "{took:?}");
    }
}
