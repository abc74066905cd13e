//! Guards that become others, values that are made by whoever needs them first, and results that somebody else brings: shared in
//! the same way.

use super::world::{LONG, in_time, same};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use sync::extra::{Awaited, Lazy};
use sync::rwlock::RwLockUpgradableGuard;
use sync::task::Promise;
use sync::{
    JoinError, Mutex, MutexGuard, Queue, RwLock, RwLockReadGuard, RwLockWriteGuard, Task, When, as_completed,
    gather, gather_all, promise, timer, wait_async, wait_timeout,
};

/// What each one does.
const TURNS: u64 = 60;
/// How many results each one waits for at a time.
const TOGETHER: u64 = 3;
const MADE: u64 = 7;
const LOST: &str = "a wake-up is lost";

/// What is made by who awaits it.
type Later = Awaited<fn() -> Ready<u64>>;

/// One of each kind.
pub(crate) struct Results {
    /// Always alike.
    halves: RwLock<[u64; 2]>,
    /// The second counts those who took the lock for long.
    counts: Arc<Mutex<[u64; 2]>>,
    makes: Arc<AtomicU64>,
    made: Lazy<u64, Box<dyn Fn() -> u64 + Send + Sync>>,
    awaited: Lazy<u64, Later>,
    /// Everybody puts as many as he keeps.
    promises: Queue<Promise<u64>>,
}

impl Results {
    pub(crate) fn new() -> Self {
        let makes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&makes);
        let make = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
            MADE
        };
        Results {
            halves: RwLock::new([0; 2]),
            counts: Arc::new(Mutex::new([0; 2])),
            makes,
            made: Lazy::new(Box::new(make)),
            awaited: Lazy::new_async(|| ready(MADE)),
            promises: Queue::unbounded(),
        }
    }

    /// As a thread or a greenlet.
    pub(crate) fn take_part(&self) -> [u64; 2] {
        assert_eq!((*self.made, *self.awaited.force()), (MADE, MADE));
        let mut sums = [0; 2];
        for turn in 1..=TURNS {
            let reads = in_time(|| self.halves.upgradable_read_timeout(LONG));
            same(*reads);
            let before = reads[0];
            let mut writes = in_time(|| RwLockUpgradableGuard::upgrade_timeout(reads, LONG));
            assert_eq!(writes[0], before, "somebody wrote between the read and its upgrade");
            write(&mut writes);
            read_on(writes);
            same(*RwLockReadGuard::map(in_time(|| self.halves.read_timeout(LONG)), |halves| halves));

            count(in_time(|| self.counts.lock_timeout(LONG)));
            let mut counts = in_time(|| self.counts.lock_arc_timeout(LONG));
            counts[1] += 1;
            drop(counts);
            drop(in_time(|| self.counts.when_timeout(|counts| counts[1] >= turn, LONG)));

            let mut tasks = self.give();
            self.keep((0..TOGETHER).map(|_| in_time(|| self.promises.get_timeout(LONG))), turn);
            let of_others = match turn % 4 {
                0 => in_time(|| gather(tasks).join_timeout(LONG)).expect("somebody keeps them"),
                1 => kept(in_time(|| gather_all(tasks).join_timeout(LONG))),
                2 => {
                    let mut completed = as_completed(tasks);
                    kept(std::iter::from_fn(|| in_time(|| completed.next_timeout(LONG))))
                }
                _ => {
                    let [first, second, third] = &mut tasks;
                    let ended = wait_timeout(&mut [first, second, third], When::AllCompleted, LONG);
                    assert!(ended.pending.is_empty(), "{LOST}");
                    kept(tasks.map(|task| task.try_join().expect("it has ended")))
                }
            };
            sums = add(sums, [TOGETHER * turn, of_others.into_iter().sum()]);
        }
        sums
    }

    /// As a task.
    pub(crate) async fn take_part_async(&self) -> [u64; 2] {
        assert_eq!((*self.made.force_async().await, *self.awaited.force_async().await), (MADE, MADE));
        let mut sums = [0; 2];
        for turn in 1..=TURNS {
            let reads = self.halves.upgradable_read_async_timeout(LONG).await.expect(LOST);
            same(*reads);
            let before = reads[0];
            let mut writes = RwLockUpgradableGuard::upgrade_async_timeout(reads, LONG).await.expect(LOST);
            assert_eq!(writes[0], before, "somebody wrote between the read and its upgrade");
            write(&mut writes);
            read_on(writes);
            same(*RwLockReadGuard::map(self.halves.read_async_timeout(LONG).await.expect(LOST), |halves| {
                halves
            }));

            count(self.counts.lock_async_timeout(LONG).await.expect(LOST));
            let mut counts = self.counts.lock_arc_async_timeout(LONG).await.expect(LOST);
            counts[1] += 1;
            drop(counts);
            drop(self.counts.when_async_timeout(|counts| counts[1] >= turn, LONG).await.expect(LOST));

            let mut tasks = self.give();
            let mut mine = Vec::new();
            for _ in 0..TOGETHER {
                mine.push(self.promises.get_async_timeout(LONG).await.expect(LOST));
            }
            self.keep(mine, turn);
            let of_others = match turn % 4 {
                0 => timer::timeout(LONG, gather(tasks)).await.expect(LOST).expect("somebody keeps them"),
                1 => kept(timer::timeout(LONG, gather_all(tasks)).await.expect(LOST)),
                2 => {
                    let mut completed = as_completed(tasks);
                    let mut results = Vec::new();
                    while let Some(result) = completed.next_async_timeout(LONG).await.expect(LOST) {
                        results.push(result);
                    }
                    kept(results)
                }
                _ => {
                    let [first, second, third] = &mut tasks;
                    let tasks_of_others = &mut [first, second, third];
                    let waiting = wait_async(tasks_of_others, When::AllCompleted);
                    assert!(timer::timeout(LONG, waiting).await.expect(LOST).pending.is_empty());
                    kept(tasks.map(|task| task.try_join().expect("it has ended")))
                }
            };
            sums = add(sums, [TOGETHER * turn, of_others.into_iter().sum()]);
        }
        sums
    }

    /// Tasks that others are to end.
    fn give(&self) -> [Task<u64>; TOGETHER as usize] {
        [(); TOGETHER as usize].map(|()| {
            let (promise, task) = promise();
            self.promises.try_put(promise).expect("there is always room");
            task
        })
    }

    /// Ends as many of the others' tasks.
    fn keep(&self, promises: impl IntoIterator<Item = Promise<u64>>, turn: u64) {
        promises.into_iter().for_each(|promise| promise.finish(Ok(turn)));
    }

    /// At the end: what all have done together is what is there.
    pub(crate) fn check(&self, participants: u64, [brought, got]: [u64; 2]) {
        let turns = participants * TURNS;
        assert_eq!(self.makes.load(Ordering::SeqCst), 1, "the value was made more than once");
        assert_eq!(*self.halves.try_read().expect("nobody writes"), [turns; 2]);
        assert_eq!(*self.counts.try_lock().expect("nobody holds it"), [turns; 2]);
        assert!(self.promises.is_empty());
        assert_eq!((brought, got), (turns * (TURNS + 1) / 2 * TOGETHER, brought));
    }
}

pub(crate) fn add(mine: [u64; 2], others: [u64; 2]) -> [u64; 2] {
    [mine[0] + others[0], mine[1] + others[1]]
}

fn write(halves: &mut [u64; 2]) {
    halves[0] += 1;
    std::thread::yield_now();
    halves[1] += 1;
}

/// Nobody writes between a write and the read that it becomes.
fn read_on(writes: RwLockWriteGuard<'_, [u64; 2]>) {
    let written = writes[1];
    let reads = RwLockWriteGuard::downgrade(writes);
    same(*reads);
    assert_eq!(reads[0], written);
}

/// By way of a guard of one of the two.
fn count(counts: MutexGuard<'_, [u64; 2]>) {
    let mut first = MutexGuard::map(counts, |[first, _]| first);
    let before = *first;
    std::thread::yield_now();
    *first = before + 1;
}

fn kept(results: impl IntoIterator<Item = Result<u64, JoinError>>) -> Vec<u64> {
    results.into_iter().map(|result| result.expect("somebody keeps it")).collect()
}
