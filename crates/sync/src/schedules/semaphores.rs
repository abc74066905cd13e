//! Permits: never more inside than there are, and all there again at the end, whoever gave up meanwhile.

use super::{explore, join, poll_and_drop};
use crate::Semaphore;
use crate::extra::BoundedSemaphore;
use shuttle::future::block_on;
use shuttle::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PERMITS: usize = 3;

struct Room {
    permits: Semaphore,
    /// Not shuttle's: to count is not a step of the program.
    inside: AtomicUsize,
}

impl Room {
    fn inside(&self, count: usize) {
        let before = self.inside.fetch_add(count, Ordering::Relaxed);
        assert!(before + count <= PERMITS, "{count} came to {before}, and there are {PERMITS} permits");
        thread::yield_now();
        self.inside.fetch_sub(count, Ordering::Relaxed);
    }
}

#[test]
fn threads_and_tasks_of_all_sizes() {
    explore(|| {
        let room = Arc::new(Room { permits: Semaphore::new(PERMITS), inside: AtomicUsize::new(0) });
        let all = [1, 2, 3, 1].map(|count| {
            let room = Arc::clone(&room);
            thread::spawn(move || {
                for turn in 0..4 {
                    let permit = match (turn + count) % 4 {
                        0 => room.permits.acquire_many(count),
                        1 => block_on(room.permits.acquire_many_async(count)),
                        2 => match poll_and_drop(room.permits.acquire_many_async(count)) {
                            Some(permit) => permit,
                            None => continue,
                        },
                        _ => match room.permits.acquire_many_timeout(count, Duration::ZERO) {
                            Err(_late) => continue,
                            permit => permit,
                        },
                    };
                    let _permit = permit.expect("nobody closes it");
                    room.inside(count);
                }
            })
        });
        join(all);
        assert_eq!(room.permits.available(), PERMITS);
    });
}

/// Permits that are released from outside reach those who wait, although some of them give up.
#[test]
fn released_permits_reach_those_who_stay() {
    explore(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let staying = [false, true].map(|awaited| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                let permit = if awaited { block_on(semaphore.acquire_async()) } else { semaphore.acquire() };
                permit.unwrap().forget();
            })
        });
        let fickle = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || (0..3).for_each(|count| drop(poll_and_drop(semaphore.acquire_many_async(count % 2 + 1))))
        });
        semaphore.release(1);
        semaphore.release(1);
        join(staying);
        fickle.join().unwrap();
        assert_eq!(semaphore.available(), 0);
    });
}

#[test]
fn a_closed_one_keeps_nobody() {
    explore(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let waiting = [1, 2, 1].map(|count| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                let permit = if count == 2 {
                    block_on(semaphore.acquire_many_async(count))
                } else {
                    semaphore.acquire_many(count)
                };
                // Two would wait for ever without the end.
                assert!(permit.is_err() || count == 1);
            })
        });
        semaphore.close();
        join(waiting);
        assert!(semaphore.is_closed());
        assert!(semaphore.acquire().is_err());
    });
}

#[test]
fn no_release_is_one_too_many() {
    explore(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        let all = [false, true, false].map(|awaited| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                for _ in 0..3 {
                    drop(if awaited { block_on(semaphore.acquire_async()) } else { semaphore.acquire() });
                    drop(poll_and_drop(semaphore.acquire_async()));
                }
            })
        });
        join(all);
        assert!(semaphore.release(1).is_err(), "all permits are back");
    });
}
